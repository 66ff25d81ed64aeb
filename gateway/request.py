"""A GraphQL request as a client wrote it: from the bytes of a body or an address to its parts, or a refusal.

Promises: what is returned is well formed, which says nothing yet about the document in it; U+0000, which PostgreSQL
cannot hold, is not in it. Never raises anything but `Refusal` for what a client can send.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from gateway.errors import Refusal

MAX_PARAMETERS = 20


class GraphQLRequest(NamedTuple):
    """The parameters of a GraphQL request; `operation_name` is None or empty where the document has only one."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]


def from_json(body: bytes) -> GraphQLRequest:
    """The request in a JSON body."""
    return _request(_loads(body, "body"), may_hold_nul=b"\\u0000" in body)


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


def _request(payload: Any, *, may_hold_nul: bool) -> GraphQLRequest:
    """The request, if each of its parameters is of the right type."""
    if type(payload) is not dict:
        raise Refusal(400, f"The body must be a JSON object, not {_json_type(payload)}.")
    query = payload.get("query")
    if type(query) is not str or not query:
        raise Refusal(400, "The request needs `query`, a text that holds a GraphQL document.", field="query")
    name = payload.get("operationName")
    if name is not None and type(name) is not str:
        raise Refusal(400, f"`operationName` must be a text, not {_json_type(name)}.", field="operationName")
    variables = payload.get("variables")
    if variables is not None and type(variables) is not dict:
        raise Refusal(400, f"`variables` must be an object, not {_json_type(variables)}.", field="variables")
    extensions = payload.get("extensions")
    if extensions is not None and type(extensions) is not dict:
        raise Refusal(400, f"`extensions` must be an object, not {_json_type(extensions)}.", field="extensions")
    if may_hold_nul and variables:
        _refuse_nul(variables)
    return GraphQLRequest(query, name, variables or {})


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
