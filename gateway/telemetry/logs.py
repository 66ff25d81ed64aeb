"""Log lines: for people in development, one JSON object each in production.

Promises: whatever a line says of a request stands in fields of its own, the request's id among them. Never a variable,
a token, or text of a document.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.record import Record

FIELDS = "fields"
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
QUIET = ("uvicorn", "botocore", "asyncio", "opentelemetry", "urllib3")  # what they tell below a warning is told here


class JsonLines(logging.Formatter):
    """One JSON object for each record: time, level, logger, message, its own fields, the exception."""

    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
        line |= {"message": record.getMessage(), **self._worker, **getattr(record, FIELDS, {})}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class TextLines(logging.Formatter):
    """A line to read, with its own fields behind the message."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's word
        """The line, without the exception."""
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        shown = " ".join(f"{name}={_word(value)}" for name, value in fields.items() if value is not None)
        line = super().formatMessage(record)
        return f"{line} {shown}" if shown else line


def configure_logging(level: str, *, as_json: bool, worker: int | None = None) -> None:
    """Send every log line of this process to standard error. `worker`: its number, where there are several."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(worker) if as_json else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.getLogger().level, logging.WARNING))


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """A request that was not waited for ends by being cancelled, which uvicorn takes for the application's fault."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def request_fields(record: Record) -> dict[str, Any]:
    """What is told of one operation."""
    sites = record.sites
    fields = {
        "request_id": record.request_id or None,
        "trace_id": record.trace_id or None,
        "transport": record.transport,
        "status": record.status or None,
        "operation": record.operation,
        "type": record.type or None,
        "document": record.document and record.document.hash,
        "site": next(iter(sites)) if len(sites) == 1 else None,
        "sites": len(sites) if len(sites) > 1 else None,
        "codes": list(dict.fromkeys(record.codes)) or None,
        "statements": record.statement_count,
        "database_ms": round(record.database_s * 1000, 3),
        "duration_ms": round((record.ended - record.began) * 1000, 3),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _word(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if text and " " not in text and "\n" not in text else orjson.dumps(text).decode()
