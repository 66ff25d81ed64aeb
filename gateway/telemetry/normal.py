"""Texts without what somebody put into them: GraphQL documents and SQL statements with `?` for every literal.

Promises: what differs in literals only, or in the site it is about, becomes the same text, of a bounded length.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FloatValueNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

LONGEST = 8_000  # characters
UNKNOWN = EnumValueNode(value="?")  # an enum value, because those are printed as they are
LITERALS = (StringValueNode, IntValueNode, FloatValueNode, ListValueNode, ObjectValueNode)
STRING = re.compile(r"E?'(?:[^']|'')*'")
NUMBER = re.compile(r"(?<![\w$.])\d+(?:\.\d+)?\b")
SCHEMA = re.compile(r'"?\bt_[0-9a-f]{16}\b"?')  # a site's, as `tenants.provisioning` names it
SPACE = re.compile(r"\s+")


def normal_document(document: DocumentNode) -> str:
    """The document with `?` for strings, numbers, and lists and objects that hold no variable."""
    return _short(print_ast(visit(document, _Literals())))


def normal_sql(text: str) -> str:
    """The statement in one line, with `?` for strings and numbers and `site` for the schema of a site."""
    return _short(SPACE.sub(" ", NUMBER.sub("?", without_strings(text))).strip())


def without_strings(text: str) -> str:
    """SQL, or a line of a plan, with `?` for strings and `site` for the schema of a site."""
    return SCHEMA.sub("site", STRING.sub("?", text))


def fingerprint(normal: str) -> str:
    """A short name for a normalised text."""
    return sha256(normal.encode()).hexdigest()[:16]


class _Literals(Visitor):
    def enter(self, node: Any, *_others: Any) -> EnumValueNode | None:
        return UNKNOWN if isinstance(node, LITERALS) and not _has_variables(node) else None


def _has_variables(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(_has_variables(each) for each in node.values)
    if isinstance(node, ObjectValueNode):
        return any(_has_variables(each.value) for each in node.fields)
    return isinstance(node, VariableNode)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
