"""The examples in the pages: their fenced blocks, the requests in them, and the answers that are shown for these.

Promises: reads only. Whether an example is true is for the tests to say.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"HTTP/1\.1 \d{3} ")
"""How a block begins that shows the status and the headers of an answer."""


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, what it is, what it says, and the prose between the one before and it."""

    page: Path
    line: int
    kind: str
    text: str
    before: str = ""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def is_head(self) -> bool:
        """Whether this is the status and the headers of an answer."""
        return self.kind == "text" and HEAD.match(self.text) is not None


@dataclass(frozen=True)
class Request:
    """A request in a page, with its variables and the answer that is shown for it, if any."""

    at: Block
    document: str
    variables: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text, end, found = page.read_text(), 0, []
    for each in BLOCK.finditer(text):
        found.append(Block(page, text[: each.start()].count("\n") + 1, each[1], each[2], text[end : each.start()]))
        end = each.end()
    return found


def is_answer(told: dict[str, Any]) -> bool:
    """Whether JSON in a page is the answer to a request; if not, it is its variables."""
    return bool({"data", "errors"} & set(told))


def requests(page: Path) -> Iterator[Request]:
    """The requests of a page. JSON that follows one is its variables, or its answer if it has data or errors."""
    last: Request | None = None
    for block in blocks(page):
        if block.is_head and last is not None:
            continue
        if block.kind == "json" and last is not None:
            told = json.loads(block.text)
            last = replace(last, **{"answer" if is_answer(told) else "variables": told})
            continue
        if last is not None:
            yield last
        last = None
        if block.kind == "graphql":
            last = Request(block, block.text)
        elif block.kind == "bash":
            for last in in_shell(block):  # noqa: B007 - an answer belongs to the last one
                pass
    if last is not None:
        yield last


def in_shell(block: Block) -> Iterator[Request]:
    """The requests that curl sends in a block for the shell; those put together by a program are not seen."""
    words = shlex.split(block.text) if "/graphql" in block.text else []
    for option, value in pairwise(words):
        if option == "--data-urlencode" and value.startswith("query="):
            yield Request(block, value.removeprefix("query="))
        if option == "-d" and value.startswith("{"):
            body = json.loads(value)
            if "query" in body:  # else it names a document that was persisted
                yield Request(block, body["query"], body.get("variables"))
