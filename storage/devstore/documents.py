"""The XML documents of S3: written from nested tuples, read into nested tuples.

Promises: what is written is escaped; what is read has no document type and no entities, so it cannot grow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from xml.parsers import expat

from storage.devstore.errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_DEPTH = 8
Node: TypeAlias = "tuple[str, str | Sequence[Node]]"

ESCAPED = re.compile(r'[&<>"\x00-\x1f\x7f]')


def render(node: Node) -> bytes:
    """A whole document; its root gets S3's namespace, unless it is an error."""
    name, content = node
    namespace = "" if name == "Error" else f' xmlns="{NAMESPACE}"'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{namespace}>{_content(content)}</{name}>'.encode()


def parse(document: bytes, root: str) -> Sequence[Node]:
    """The children of the root, which must have this name. Raises S3Error."""
    reader = _Reader()
    try:
        reader.parser.Parse(document, True)
    except expat.ExpatError as error:
        raise _malformed() from error
    found = reader.levels[0]
    if len(found) != 1 or found[0][0] != root or isinstance(found[0][1], str):
        raise _malformed()
    return found[0][1]


def text_of(node: Node, name: str) -> str | None:
    """The text of the first child with this name."""
    if isinstance(node[1], str):
        return None
    for child, content in node[1]:
        if child == name and isinstance(content, str):
            return content
    return None


def iso_time(seconds: float) -> str:
    """A time as S3 writes it in documents."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _content(content: str | Sequence[Node]) -> str:
    if isinstance(content, str):
        return ESCAPED.sub(lambda match: f"&#{ord(match[0])};", content)
    return "".join(f"<{name}>{_content(children)}</{name}>" for name, children in content)


def _malformed(*_: object) -> S3Error:
    return S3Error("MalformedXML", "The XML you provided was not well-formed or did not validate")


class _Reader:
    """Collects elements; an element is text if it has no children."""

    def __init__(self) -> None:
        self.levels: list[list[Node]] = [[]]
        self._texts: list[list[str]] = [[]]
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse

    def _start(self, _name: str, _attributes: dict[str, str]) -> None:
        if len(self.levels) > MAX_DEPTH:
            raise _malformed()
        self.levels.append([])
        self._texts.append([])

    def _end(self, name: str) -> None:
        children, text = self.levels.pop(), "".join(self._texts.pop())
        is_root = len(self.levels) == 1
        self.levels[-1].append((name.rpartition(":")[2], children if children or is_root else text))

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)

    def _refuse(self, *_: object) -> None:
        raise _malformed()
