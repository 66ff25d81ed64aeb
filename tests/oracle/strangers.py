"""Ids and sites that a viewer has no business with: the closed site's, forged ones, unknown ones."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from schema.relay import PLATFORM_ID, NodeId, encode_id
from tests.oracle.people import COMMUNITIES, VIEWERS
from tests.oracle.proof import Proof
from tests.oracle.world import SiteData

CLOSED = next(each for each in COMMUNITIES if each.slug == "beuk")
TABLES = {
    "M": ("member", "account_id"),
    "G": ("group", "id"),
    "C": ("content", "id"),
    "K": ("comment", "id"),
    "U": ("audit", "id"),
    "O": ("ownership_offer", "account_id"),
    "B": ("api_key", "id"),
}
OF_ACCOUNTS = {"Y": "api_key", "E": "consent", "N": "session", "D": "identity"}
"""Types that hang on an account, by their letter in ids: the table on the platform."""

ONLY_THERE = ("mies", "petra")


def secret(proof: Proof) -> bytes:
    """What the gateway seals cursors with."""
    return proof.square.settings.secret.encode()


def closed(proof: Proof) -> SiteData:
    """The closed site."""
    return proof.world.site(CLOSED.slug)


def ids_of(site: SiteData, tag: str) -> list[str]:
    """The ids of all rows of one type."""
    table, key = TABLES[tag]
    return [encode_id(NodeId(tag, site.id, row[key])) for row in getattr(site, table)]


def own_ids(proof: Proof, viewer: str, tag: str) -> list[str]:
    """The ids of this type that hang on a viewer's account, or the account's own."""
    me = VIEWERS[viewer].account_id
    if tag == "A":
        return [encode_id(NodeId(tag, PLATFORM_ID, me))] if me else []
    rows = proof.world.platform[OF_ACCOUNTS[tag]]
    rows = [row for row in rows if row.get("parent_id") is None]
    return [encode_id(NodeId(tag, PLATFORM_ID, row["id"])) for row in rows if row["account_id"] == me]


def forgeries(proof: Proof) -> Iterator[str]:
    """Ids that nobody wrote, made from real ones of both sites."""
    sites = (proof.world.site("aster"), closed(proof))
    # Another letter before the same key may be a thing's own id: a member's and their offer's have one key.
    real = {id_ for site in sites for tag in TABLES for id_ in ids_of(site, tag)}
    yield from (text for text in _made(proof) if text not in real)


def _made(proof: Proof) -> Iterator[str]:
    here, there = proof.world.site("aster"), closed(proof)
    for tag, (table, key) in TABLES.items():
        own, foreign = ids_of(here, tag)[0], ids_of(there, tag)[0]
        both = {row[key] for row in getattr(here, table)}  # a key for all sites is good on several
        only_there = [row[key] for row in getattr(there, table) if row[key] not in both]
        foreign_keys = only_there if tag != "M" else _accounts_only_there(proof)
        yield encode_id(NodeId(tag, here.id, foreign_keys[0]))
        yield encode_id(NodeId(tag, PLATFORM_ID, foreign_keys[0]))
        yield encode_id(NodeId("S", here.id, here.id))
        yield from (encode_id(NodeId(other, here.id, decode_key(own))) for other in "CGKSAZ" if other not in (tag, "M"))
        for text in (own, foreign):
            yield from (text[:-1], text[1:], text + "0", text[:24], f" {text}", f"{text}\n", f"{text}=")
            yield text[:24] + text[24:].upper() if text[24:].upper() != text[24:] else text[:-1]
            yield text.lower()
            yield from (flip(text, place, bit) for place in range(24) for bit in (0, 3))
        yield from (flip(foreign, place, 0) for place in range(24, 56))


def _accounts_only_there(proof: Proof) -> list[UUID]:
    return [VIEWERS[name].account_id or UUID(int=0) for name in ONLY_THERE]


def decode_key(text: str) -> UUID:
    """The key in an id."""
    return UUID(hex=text[24:])


def flip(text: str, place: int, bit: int) -> str:
    """The text with one bit of one character the other way."""
    return text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]
