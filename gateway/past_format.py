"""Answers in parts as clients of 2022 read them (`deferSpec=20220824`): Apollo Client 3, Apollo Kotlin and iOS.

There, each part of the data names its path and label itself, and nothing is said of what is pending or completed.
Promises: merged, the same answer. What stands in the initial answer as well is not told again with a fragment.
"""

from __future__ import annotations

from typing import Any

from gateway.context import Payload

Steps = list[Any]


class PastFormat:
    """Translates the payloads of one answer, in their order."""

    def __init__(self) -> None:
        self._pending: dict[str, dict[str, Any]] = {}
        self._lengths: dict[str, int] = {}  # of streamed lists, as far as they were told
        self._told: list[tuple[Steps, Any]] = []  # where objects were told of, and they themselves

    def tell(self, payload: Payload) -> Payload:
        """The payload in the past format."""
        told: Payload = {name: payload[name] for name in ("errors", "data", "extensions") if name in payload}
        for notice in payload.get("pending", ()):
            self._pending[notice["id"]] = notice
        if "data" in payload:
            self._told.append(([], payload["data"]))
        incremental = [self._part(each) for each in payload.get("incremental", ())]
        incremental += [self._failure(each) for each in payload.get("completed", ()) if "errors" in each]
        if incremental:
            told["incremental"] = incremental
        told["hasNext"] = payload["hasNext"]
        return told

    def _part(self, part: dict[str, Any]) -> dict[str, Any]:
        notice = self._pending[part["id"]]
        if "items" in part:
            length = self._length(part["id"])
            self._lengths[part["id"]] = length + len(part["items"])
            told = {"items": part["items"], "path": [*notice["path"], length]}
        else:
            path = [*notice["path"], *part.get("subPath", ())]
            self._told.append((path, part["data"]))
            told = {"data": part["data"], "path": path}
        return told | _named(notice) | ({"errors": part["errors"]} if "errors" in part else {})

    def _failure(self, completed: dict[str, Any]) -> dict[str, Any]:
        """What a null that climbed out leaves of a fragment, or of the rest of a list."""
        notice = self._pending[completed["id"]]
        told: dict[str, Any] = {"data": None, "path": notice["path"]}
        if isinstance(self._find(notice["path"]), list):
            told = {"items": None, "path": [*notice["path"], self._length(completed["id"])]}
        return told | _named(notice) | {"errors": completed["errors"]}

    def _length(self, id_: str) -> int:
        """How many things of a streamed list were told."""
        known = self._lengths.get(id_)
        return len(self._find(self._pending[id_]["path"]) or ()) if known is None else known

    def _find(self, path: Steps) -> Any:
        """What was told at this path last."""
        for begin, told in reversed(self._told):
            if path[: len(begin)] == begin:
                found = told
                for step in path[len(begin) :]:
                    found = found.get(step) if isinstance(found, dict) else _at(found, step)
                if found is not None:
                    return found
        return None


def _at(value: Any, step: Any) -> Any:
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _named(notice: dict[str, Any]) -> dict[str, Any]:
    return {"label": notice["label"]} if "label" in notice else {}
