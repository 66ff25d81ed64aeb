"""GraphQL documents: from text to a parsed, limited and validated document, once, and its operations.

Promises: a document is examined once and kept, by its text, within a bounded number and size; so is a verdict on a bad
one. An operation knows everything that can be known before variables are. Never runs anything, never touches data.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import perf_counter
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TokenKind,
    ValidationRule,
    parse,
    specified_rules,
    validate,
)

from gateway.errors import Rejected, error_from, error_object
from gateway.extents import check_document
from gateway.limits import Limits, limit_exceeded
from gateway.record import note_step
from gateway.variables import Variable, variables_of
from schema.compiler.selection import shape
from schema.compiler.slices import breathe
from schema.directives import NAMES as LATER
from schema.errors import ErrorCode, PleinError

KEPT_DOCUMENTS = 1_000
KEPT_TOKENS = 200_000  # a token of a parsed document takes some 340 bytes: 68 MB at the most
LONGEST_KEY = 8_192  # characters; a longer text is kept by its hash, so that refused ones take no room
MAX_ERRORS = 20


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Operation:
    """One operation of a document. Compared by identity, so that compiled forms can be kept by it."""

    name: str | None
    type: OperationType
    node: OperationDefinitionNode
    variables: tuple[Variable, ...]
    shape: object = None
    """The shape of its variables, where it is the same in every call; see `schema.compiler.selection.shape`."""

    is_incremental: bool = False
    """Whether its answer may be wanted in parts: a query in a document with `@defer` or `@stream`."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Document:
    """A valid document. `hash` is the SHA-256 of its text, in hexadecimal; `sole` its operation if there is one."""

    hash: str
    ast: DocumentNode
    operations: Mapping[str | None, Operation]
    fragments: Mapping[str, FragmentDefinitionNode]
    sole: Operation | None

    def operation(self, name: str | None) -> Operation:
        """The operation to run. Raises PleinError where the name does not choose exactly one."""
        if not name:
            if self.sole is None:
                raise _bad_name("The document has more than one operation: give `operationName`.")
            return self.sole
        found = self.operations.get(name)
        if found is None:
            raise _bad_name(f"The document has no operation named '{name}'.")
        return found


class Prepared(NamedTuple):
    """An operation that can be run, with its coerced variables; `nodes` is -1 where nobody wants to know."""

    document: Document
    operation: Operation
    variables: dict[str, Any]
    nodes: int = -1


class Documents:
    """The documents seen lately, parsed and validated against one schema."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, hide_suggestions: bool = False) -> None:
        """`hide_suggestions`: leave "Did you mean" out of validation errors."""
        self._schema = schema
        self._limits = limits
        self.hide_suggestions = hide_suggestions
        self._kept: OrderedDict[str | bytes, tuple[Document | Rejected, int]] = OrderedDict()
        self._kept_tokens = 0
        self._turns: WeakValueDictionary[str | bytes, asyncio.Lock] = WeakValueDictionary()

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def knows(self, text: str) -> bool:
        """Whether this text was examined lately."""
        return _key(text) in self._kept

    def turn(self, text: str) -> asyncio.Lock:
        """To be held by whoever has this text examined in slices: those who ask the same meanwhile wait for that."""
        return self._turns.setdefault(_key(text), asyncio.Lock())

    def get(self, text: str) -> Document:
        """The document with this text. Raises Rejected with all its errors when it is not in order."""
        key = _key(text)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        else:
            kept = self._examine(text)
            self._keep(key, kept)
        if isinstance(kept[0], Rejected):
            raise Rejected(kept[0].errors)  # a new one: the same exception raised again and again gathers tracebacks
        return kept[0]

    def _keep(self, key: str | bytes, entry: tuple[Document | Rejected, int]) -> None:
        self._kept[key] = entry
        self._kept_tokens += entry[1]
        while len(self._kept) > KEPT_DOCUMENTS or self._kept_tokens > KEPT_TOKENS:
            _, (_, tokens) = self._kept.popitem(last=False)
            self._kept_tokens -= tokens

    def _examine(self, text: str) -> tuple[Document | Rejected, int]:
        """The document or the verdict, with how many tokens it holds on to."""
        began = perf_counter()
        try:
            ast = _parse(text, self._limits)
            check_document(ast, self._limits)
        except (GraphQLError, PleinError) as error:
            return Rejected([error_from(error)]), 0
        finally:
            note_step("parse", began)
        began = perf_counter()
        rules, hide = (*specified_rules, _Breathing), self.hide_suggestions
        errors = validate(self._schema, ast, rules, max_errors=MAX_ERRORS, hide_suggestions=hide)
        note_step("validate", began)
        if errors:
            code = ErrorCode.GRAPHQL_VALIDATION_FAILED
            return Rejected([error_object(code, each.message, locations=each.locations) for each in errors]), 0
        return _document(self._schema, text, ast), ast.token_count


def _key(text: str) -> str | bytes:
    return text if len(text) <= LONGEST_KEY else sha256(text.encode()).digest()


class _Breathing(ValidationRule):
    """A rule that nothing breaks: lets others have their turn while a long document is validated in slices."""

    def enter_field(self, *_others: object) -> None:
        """One field."""
        breathe()


def _parse(text: str, limits: Limits) -> DocumentNode:
    try:
        ast = parse(text, max_tokens=limits.tokens, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        if error.description.startswith("Document contains more than"):
            raise limit_exceeded("tokens", limits.tokens) from None
        if error.description.startswith("Document is nested too deeply"):
            raise limit_exceeded("depth", limits.depth) from None
        raise
    if "\0" in text or "\\u" in text:
        _refuse_nul(ast)
    return ast


def _refuse_nul(ast: DocumentNode) -> None:
    """PostgreSQL cannot hold U+0000 in a text, so a string with it is refused before it gets that far."""
    token = ast.loc.start_token if ast.loc else None
    while token is not None:
        if token.kind in {TokenKind.STRING, TokenKind.BLOCK_STRING} and "\0" in (token.value or ""):
            raise PleinError(ErrorCode.BAD_USER_INPUT, f"The string in line {token.line} holds the character U+0000.")
        token = token.next


def _document(schema: GraphQLSchema, text: str, ast: DocumentNode) -> Document:
    operations: dict[str | None, Operation] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    later = ("defer" in text or "stream" in text) and _has_later(ast)
    for node in ast.definitions:
        if isinstance(node, OperationDefinitionNode):
            name = node.name.value if node.name else None
            is_incremental = later and node.operation is OperationType.QUERY
            variables = variables_of(schema, node)
            operations[name] = Operation(name, node.operation, node, variables, _shape(variables), is_incremental)
        elif isinstance(node, FragmentDefinitionNode):
            fragments[node.name.value] = node
    sole = next(iter(operations.values())) if len(operations) == 1 else None
    return Document(sha256(text.encode()).hexdigest(), ast, operations, fragments, sole)


def _shape(variables: tuple[Variable, ...]) -> object:
    """The shape of variables that are texts, all of them, in every call."""
    if not all(each.required and each.plain is str for each in variables):
        return None
    return shape({each.name: "" for each in variables})


def _has_later(ast: DocumentNode) -> bool:
    """Whether `@defer` or `@stream` stands anywhere in a document, by its tokens."""
    token = ast.loc.start_token if ast.loc else None
    while token is not None:
        if token.kind is TokenKind.AT and token.next is not None and token.next.value in LATER:
            return True
        token = token.next
    return False


def _bad_name(message: str) -> PleinError:
    return PleinError(ErrorCode.BAD_USER_INPUT, message, field="operationName")
