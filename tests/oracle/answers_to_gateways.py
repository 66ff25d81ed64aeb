"""What a gateway that composes several services is answered, naively."""

from __future__ import annotations

from typing import Any

from schema.errors import PleinError, bad_input
from schema.kinds import KINDS
from schema.relay import PLATFORM_ID, NodeId, decode_id, encode_id
from schema.root import graphql_schema
from schema.sdl import federation_sdl
from tests.oracle.answers_from_root import node, site
from tests.oracle.lists import Args
from tests.oracle.things import Asked, Thing, answers

ITEMS = {word.title() for word in KINDS}
REFERRED = {"Content"} | {each.name for each in graphql_schema().get_possible_types(graphql_schema().type_map["Node"])}  # type: ignore[arg-type]
"""Every type with an id has a key, and so has the interface of items."""


@answers("Query", "_service")
def service(_asked: Asked, _query: Thing, _args: Args) -> Any:
    return {"sdl": federation_sdl(graphql_schema())}


@answers("Query", "_entities")
def entities(asked: Asked, query: Thing, args: Args) -> Any:
    return [entity(asked, query, each, f"representations[{n}]") for n, each in enumerate(args["representations"])]


def entity(asked: Asked, query: Thing, given: Any, at: str) -> Any:
    """The thing, nothing, or the error that stands in its place."""
    try:
        return referred(asked, query, given, at)
    except PleinError as error:
        return error


def referred(asked: Asked, query: Thing, given: Any, at: str) -> Thing | None:
    """The thing that one representation refers to."""
    if not isinstance(given, dict):
        raise bad_input(at, "no object")
    name = given.get("__typename")
    if name not in REFERRED if isinstance(name, str) else True:
        raise bad_input(f"{at}.__typename", "no type")
    if given.get("id") is not None:
        found: Thing | None = node(asked, query, {"id": as_id(given["id"], f"{at}.id")})
        fits = found is not None and (found.type == name or (name == "Content" and found.type in ITEMS))
        return found if fits else None
    if name == "Site" and given.get("slug") is not None:
        if not isinstance(given["slug"], str):
            raise bad_input(f"{at}.slug", "no text")
        here: Thing | None = site(asked, query, {"slug": given["slug"]})
        return here
    where, who = inside(given, "site"), inside(given, "account")
    if name != "Member" or where is None or who is None:
        raise bad_input(at, "no key")
    there, person = (decode_id(as_id(each, f"{at}.{key}.id")) for each, key in ((where, "site"), (who, "account")))
    if there is None or person is None or (there.tag, person.tag) != ("S", "A"):
        return None
    if (there.tenant_id, person.tenant_id) != (PLATFORM_ID, PLATFORM_ID):
        return None
    member: Thing | None = node(asked, query, {"id": encode_id(NodeId("M", there.key, person.key))})
    return member


def inside(given: dict[str, Any], name: str) -> Any:
    """The id within an object, if there is one."""
    there = given.get(name)
    return there.get("id") if isinstance(there, dict) else None


def as_id(value: Any, at: str) -> str:
    """The text of an ID, which may be written as a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise bad_input(at, "no id")
    return str(int(value))
