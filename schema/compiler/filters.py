"""Filter inputs as predicates: each field given narrows the list by the `Filter` bound to it.

Promises: whether a field is given shapes the SQL, its value never does. An id of another site or type matches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

from schema.bind import Filter
from schema.compiler.part import Call, Getter, encode
from schema.compiler.selection import Value
from schema.relay import decode_id


def given(value: Value | None, filters: Mapping[str, Filter]) -> Iterator[tuple[str, Filter, Getter]]:
    """The filters that are given, with how their parameters are read."""
    if value is None or not value.given:
        return
    for name, filter_ in filters.items():
        child = value.child(name)
        if child is not None and child.given:
            yield name, filter_, (_id_reader(child, filter_.tag) if filter_.tag else _reader(child, name))


def _reader(value: Value, name: str) -> Getter:
    return lambda call, _tenant: encode(value.read(call.variables), f"filter.{name}")


def _id_reader(value: Value, tag: str) -> Callable[[Call, UUID], bytes | None]:
    def read(call: Call, tenant_id: UUID) -> bytes | None:
        node = decode_id(value.read(call.variables))
        known = node is not None and node.tag == tag and node.tenant_id == tenant_id
        return str(node.key).encode() if node is not None and known else None

    return read
