"""docs/performance.md: how it is measured, and the tables of the last full run with its date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.benchmarks.report import Findings, report

TEXT = """# Performance

Measured on {day} by `python3 run.py bench --write-docs`, which writes this page. {machine_note}

What is compared, on the same data in one run, each a process of its own:

- **Plein**, started as anybody starts it (`plein serve`), with a token, under the access rules;
- **plain strawberry**: resolvers and DataLoaders on strawberry's own ASGI view and psycopg, hand-written SQL on the
  same tables, without any access rule or token, which favours it;
- **hello world**: a bare uvicorn application that answers 26 bytes;
- **Plein, fixed answers**: Plein itself, with each operation executed once and then answered with the same bytes: what
  is left is the work for the protocol, uvicorn's included;
- **pgbench** (`-M prepared`): the very statement that Plein's compiler wrote for the document, with the same
  parameters, role and session settings, and nothing around it.

One uvicorn worker each, on uvloop and httptools; 32 connections that are kept alive (4 for plain strawberry, which more
make no faster); every request is the same within a workload. The load generator and Postgres share the cores with the
server, so requests per second say little about the server alone: what counts is **CPU time per request**, of the
server's process and of all of Postgres' processes. *Per core* is what one core would answer if it did nothing else: one
second by the server's CPU per request. The servers take turns, round after round; a ratio is made within a round, and
shown are the median and the span over the rounds. "CPU against pgbench" is (Plein + its Postgres backends) / (pgbench +
its Postgres backends), per request and per statement.

Subscribers are WebSockets that all ask `contentChanged` of one site with seven fields, held by one other process; an
event is a mutation over HTTP. *To the last* is from before that mutation is sent until the last subscriber has the
event; shown is the median of twenty. Members, moderators, editors, an admin: a handful of access classes, so a handful
of statements. *kB for each* is what the server's memory grew by.

For *introspection* plain strawberry serves Plein's own schema, and both give the whole of it.

*Saying who asks* is the same public item by id, read as nobody and by each kind of credential in turns; the difference
is told as a share of a whole read as nobody, gateway and Postgres, each from its quietest round of seven.

The site that is asked has 2,400 items with 6 comments each and 50 members; one item in seven is in a closed group.

{tables}"""

MACHINE_NOTE = "The ratios mean more than the figures, which are another machine's elsewhere."


def write_document(path: Path, findings: Findings, day: date) -> None:
    """Write the page anew."""
    text = TEXT.format(day=day.isoformat(), machine_note=MACHINE_NOTE, tables=report(findings))
    path.write_text(text.rstrip() + "\n", encoding="utf-8")
