"""An answer that came in parts, merged as a client does it, with everything checked that the format promises.

Promises: merges by the specification's draft on incremental delivery, and by nothing else.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]


@dataclass
class Merged:
    """What came so far. `failed` are the paths of fragments and lists that were completed with errors."""

    data: Any = None
    errors: list[dict[str, Any]] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)
    pending: dict[str, Path] = field(default_factory=dict)
    labels: list[tuple[Path, str | None]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def body(self, expected: Any) -> dict[str, Any]:
        """The response as it would have come in one piece: keys in the order of `expected`."""
        return {"data": in_order(self.data, expected), **({"errors": self.errors} if self.errors else {})}


def parts_of(expected: Any, data: Any, nulls: set[Path], path: Path = ()) -> list[str]:
    """Where data says anything that is not in what is expected. `nulls`: where a null that climbed may stand there."""
    if expected is None and data is not None:
        return [] if path in nulls else [f"at {path}: null was expected, not {data}"]
    if isinstance(expected, dict) and isinstance(data, dict):
        more = [f"at {path}: {key} is too much" for key in data.keys() - expected.keys()]
        both = (parts_of(expected[key], data[key], nulls, (*path, key)) for key in data if key in expected)
        return more + [each for found in both for each in found]
    if isinstance(expected, list) and isinstance(data, list) and len(data) <= len(expected):
        both = (parts_of(expected[n], each, nulls, (*path, n)) for n, each in enumerate(data))
        return [each for found in both for each in found]
    return [] if expected == data else [f"at {path}: expected {expected}, not {data}"]


def merge(payloads: list[dict[str, Any]]) -> Merged:
    """All payloads of one answer."""
    first, *others = deepcopy(payloads)
    merged = Merged(first["data"], list(first.get("errors", ())))
    if not others:
        assert "hasNext" not in first
        assert "pending" not in first
        return merged
    assert first.get("pending"), "an initial answer that announces nothing"
    assert [each["hasNext"] for each in payloads] == [True] * len(others) + [False]
    _announce(merged, first)
    for payload in others:
        assert payload.keys() <= {"pending", "incremental", "completed", "hasNext"}, payload
        assert len(payload) > 1, "a payload that says nothing"
        _announce(merged, payload)
        for part in payload.get("incremental", ()):
            _put(merged, part)
        for done in payload.get("completed", ()):
            path = merged.pending.pop(done["id"])
            if "errors" in done:
                assert done["errors"]
                merged.errors += done["errors"]
                merged.failed.append(path)
    assert not merged.pending, "something pending was never completed"
    return merged


def _announce(merged: Merged, payload: dict[str, Any]) -> None:
    for notice in payload.get("pending", ()):
        assert notice["id"] not in merged.ids, "an id that was used"
        merged.ids.add(notice["id"])
        path = tuple(notice["path"])
        merged.pending[notice["id"]] = path
        merged.labels.append((path, notice.get("label")))


def _put(merged: Merged, part: dict[str, Any]) -> None:
    path = merged.pending[part["id"]] + tuple(part.get("subPath", ()))
    place = at(merged.data, path)
    merged.errors += part.get("errors", ())
    if "items" in part:
        assert part["items"]
        assert isinstance(place, list), path
        place += part["items"]
        return
    assert isinstance(place, dict), path
    assert part["data"], "a part without data"
    assert not part["data"].keys() & place.keys(), f"told twice at {path}"
    place |= part["data"]


def at(data: Any, path: Path) -> Any:
    """What stands at a path; None where there is nothing."""
    for step in path:
        if data is None:
            return None
        data = data[step]
    return data


def in_order(data: Any, expected: Any) -> Any:
    """The same data with its keys in the order of other data, where it has the same ones."""
    if isinstance(data, dict) and isinstance(expected, dict) and data.keys() == expected.keys():
        return {key: in_order(data[key], value) for key, value in expected.items()}
    if isinstance(data, list) and isinstance(expected, list) and len(data) == len(expected):
        return [in_order(one, other) for one, other in zip(data, expected, strict=True)]
    return data
