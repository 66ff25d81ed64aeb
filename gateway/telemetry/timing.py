"""`Server-Timing`: where the time of one answer went, for a browser's developer tools.

`parse` is parsing and checking the document, 0 where it was known; `plan` is from there to the first statement, little
where the plan was known; `db` is how long at least one statement was under way; `total` is until the answer was there.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.record import Record

NAME = b"server-timing"
PREFER = b"prefer"
ASKED = b"server-timing"


def is_asked(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request says `Prefer: server-timing`."""
    for name, value in headers:
        if name == PREFER and ASKED in (each.strip().lower() for each in value.replace(b",", b";").split(b";")):
            return True
    return False


def server_timing(record: Record) -> tuple[bytes, bytes]:
    """The header for a finished record."""
    parse_s = sum(ended - began for _, began, ended in record.steps)
    plan_s = 0.0
    if record.executed:
        first = min((each.asked.at for each in record.statements), default=record.ended)
        plan_s = max(0.0, first - record.executed)
    values = {"parse": parse_s, "plan": plan_s, "db": record.database_s, "total": record.ended - record.began}
    parts = [f"{name};dur={seconds * 1000:.2f}" for name, seconds in values.items()]
    count = record.statement_count
    parts[2] += f';desc="{count} statement{"" if count == 1 else "s"}"'
    return (NAME, ", ".join(parts).encode())
