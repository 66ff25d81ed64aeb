"""A GraphQL request as a client wrote it: from the bytes of a body or an address to its parts, or a refusal.

Promises: what is returned is well formed, which says nothing yet about the document in it; U+0000, which PostgreSQL
cannot hold, is not in it. Never raises anything but `Refusal`, or a limit, for what a client can send.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from gateway.errors import Refusal
from gateway.limits import limit_exceeded

MAX_PARAMETERS = 20
DOCUMENT_ID = re.compile(r"[A-Za-z0-9._~-]+(:[A-Za-z0-9._~-]+)?")  # as the appendix on persisted documents has it
SHA256 = re.compile(r"[0-9a-f]{64}")
PERSISTED = "extensions.persistedQuery"


class GraphQLRequest(NamedTuple):
    """The parameters of a GraphQL request; `operation_name` is None or empty where the document has only one.

    The document is in `query`, or is one that `document_id` or `hash` (SHA-256 in hexadecimal) names; with both a query
    and a hash, it is to be kept under the hash. `operation_id` is what the client calls it on a stream of several.
    """

    query: str | None
    operation_name: str | None
    variables: dict[str, Any]
    document_id: str | None = None
    hash: str | None = None
    operation_id: str | None = None


Batch = list[GraphQLRequest | Refusal]
"""Several requests in one body; those that are none are refused one by one."""


def from_json(body: bytes, most: int) -> GraphQLRequest | Batch:
    """The request in a JSON body, or the requests where it is an array of at most so many."""
    payload, may_hold_nul = _loads(body, "body"), b"\\u0000" in body
    if type(payload) is not list:
        return _request(payload, may_hold_nul=may_hold_nul)
    if not payload:
        raise Refusal(400, "An array of requests must hold at least one.")
    if len(payload) > most:
        raise limit_exceeded("batch", most)
    return [_request_or_refusal(each, may_hold_nul=may_hold_nul) for each in payload]


def from_payload(payload: dict[str, Any]) -> GraphQLRequest:
    """The request in an object that was read already, as on a WebSocket."""
    return _request(payload, may_hold_nul=True)


def from_query_string(query_string: bytes) -> GraphQLRequest:
    """The request in the query of an address, where variables and extensions are JSON texts."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        raise Refusal(400, f"The query of the address cannot be read: {error}.") from None
    payload: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if payload.get(name):
            payload[name] = _loads(payload[name], name)
        else:
            payload.pop(name, None)
    return _request(payload, may_hold_nul=b"%00" in query_string or b"u0000" in query_string)


def _loads(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"The {what} is not valid JSON in UTF-8: {error.msg}.") from None


def _request_or_refusal(payload: Any, *, may_hold_nul: bool) -> GraphQLRequest | Refusal:
    try:
        return _request(payload, may_hold_nul=may_hold_nul)
    except Refusal as refusal:
        return refusal


def _request(payload: Any, *, may_hold_nul: bool) -> GraphQLRequest:
    """The request, if each of its parameters is of the right type."""
    if type(payload) is not dict:
        raise Refusal(400, f"The body must be a JSON object, not {_json_type(payload)}.")
    if len(payload) == 2 and not may_hold_nul:  # as most are
        query, variables = payload.get("query"), payload.get("variables")
        if type(query) is str and query and type(variables) is dict:
            return GraphQLRequest(query, None, variables)
    name = payload.get("operationName")
    if name is not None and type(name) is not str:
        raise Refusal(400, f"`operationName` must be a text, not {_json_type(name)}.", field="operationName")
    variables = payload.get("variables")
    if variables is not None and type(variables) is not dict:
        raise Refusal(400, f"`variables` must be an object, not {_json_type(variables)}.", field="variables")
    if may_hold_nul and variables:
        _refuse_nul(variables)
    extensions, document_id, hash_ = payload.get("extensions"), payload.get("documentId"), None
    operation_id = None
    if extensions is not None:
        if type(extensions) is not dict:
            raise Refusal(400, f"`extensions` must be an object, not {_json_type(extensions)}.", field="extensions")
        hash_ = None if "persistedQuery" not in extensions else _hash(extensions["persistedQuery"])
        operation_id = extensions.get("operationId")
    query = payload.get("query")
    if document_id is not None:
        _require_document_id(document_id, query)
    elif hash_ is None or (query is not None and query != ""):
        _require_text(query)
    given = operation_id if type(operation_id) is str else None
    return GraphQLRequest(query or None, name, variables or {}, document_id, hash_, given)


def _require_text(query: Any) -> None:
    if type(query) is not str or not query:
        raise Refusal(400, "The request needs `query`, a text that holds a GraphQL document.", field="query")


def _require_document_id(document_id: Any, query: Any) -> None:
    if type(document_id) is not str or not DOCUMENT_ID.fullmatch(document_id):
        raise Refusal(400, "`documentId` must be `sha256:` and a hash, or the id of a document.", field="documentId")
    if query:
        raise Refusal(400, "Send either `documentId` or `query`, not both.", field="documentId")


def _hash(persisted: Any) -> str:
    """The hash in Apollo's extension for persisted queries."""
    if type(persisted) is not dict or persisted.get("version") != 1:
        raise Refusal(400, "`persistedQuery` must be an object of version 1.", field=PERSISTED)
    hash_ = persisted.get("sha256Hash")
    if type(hash_) is not str or not SHA256.fullmatch(hash_.lower()):
        raise Refusal(400, "`sha256Hash` must be 64 hexadecimal characters.", field=f"{PERSISTED}.sha256Hash")
    return hash_.lower()


def _refuse_nul(variables: dict[str, Any]) -> None:
    for name, given in variables.items():
        stack = [name, given]
        while stack:
            value = stack.pop()
            if isinstance(value, str) and "\0" in value:
                raise Refusal(400, "A text cannot hold the character U+0000.", field=name.replace("\0", ""))
            if isinstance(value, dict):
                stack += [*value, *value.values()]
            elif isinstance(value, list):
                stack += value


def _json_type(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
