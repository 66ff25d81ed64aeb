"""The square of the proof, written to Postgres: sites through provisioning, everything on them as plain rows.

Promises: the same rows each time, but for the ids of sites (their roles belong to the whole server); ties in every
order, texts that break careless quoting, deleted items, nested comments. Never written to again afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from auth.policy import Role
from schema.kinds import KINDS
from tenants.database import Database
from tenants.provisioning import NewTenant, provision
from tenants.registry import TenantRef
from tenants.settings import DatabaseSettings
from tests.oracle.people import ACCOUNT_IDS, COMMUNITIES, GROUP_PLACES, LEFT, Community

START = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
OPEN_TO_ALL = ("aster", "ceder", "den", "eik", "fluit")
WORDS = ("fietspad", "gemeente", "besluit", "vergadering", "Ünïcode", "bewoners", "de", "regeling", "water", "nieuws")
ODDITIES = (
    "",
    'met "aanhalingstekens" en \\ strepen',
    "O'Brien; DROP TABLE content; --",
    "twee\nregels\r\n\ten\ttabs",
    "emoji 🚲👩‍👩‍👧 en e\u0301",
    "{accolades} $1 :naam %s %%",
    "een | streep <b>vet</b> \u2028",
    "ÉCOLE Straße",
)
JOININGS = ("OPEN", "REQUEST", "DOMAIN", "INVITATION")
REACTIONS = ("LIKE", "SUPPORT", "INSIGHTFUL", "THANKS")

Row = Mapping[str, Any]


async def build(url: str) -> None:
    """Write all of it to the migrated, empty square at this address."""
    database = Database(DatabaseSettings(url))
    await database.open()
    try:
        refs = [(each, await _provision(database, each)) for each in COMMUNITIES]
    finally:
        await database.close()
    with psycopg.connect(url) as connection:
        for number, (name, id_) in enumerate(ACCOUNT_IDS.items()):
            _insert(connection, "platform", "account", [_account(number, name, id_)])
        for community, ref in refs:
            _write(connection, community, ref)
        _insert(connection, "platform", "session", list(_sessions()))
        _insert(connection, "platform", "api_key", list(_api_keys([ref.id for _, ref in refs])))
        _insert(connection, "platform", "audit", list(_acts([*refs, (None, None)])))
        clients = list(_clients([ref.id for _, ref in refs]))
        _insert(connection, "platform", "client", clients)
        _insert(connection, "platform", "identity", list(_identities()))
        _insert(connection, "platform", "issuer", list(_issuers()))
        _insert(connection, "platform", "consent", list(_consents(clients, [ref.id for _, ref in refs])))


async def _provision(database: Database, each: Community) -> TenantRef:
    new = NewTenant(
        each.slug, each.name, f"Over {each.slug}, {each.secret}", "nl", each.visibility, each.access, each.joining
    )
    return await provision(database, new, owner_account_id=ACCOUNT_IDS[each.owner])


def _account(number: int, name: str, id_: UUID) -> Row:
    only = {"mies": "beuk", "petra": "beuk"}.get(name)
    shown = f"{name.title()} zwijg-{only}" if only else f"{name.title()} de Éérste"
    role = 2 if name == "otto" else 0
    return {"id": id_, "name": shown, "email": f"{name}@plein.example", "role": role, "created_at": _moment(number)}


def _api_keys(tenant_ids: Sequence[UUID]) -> Iterator[Row]:
    """Keys of several people: for all sites, for one, for some that their owner cannot find; two of the same moment."""
    for number, name in enumerate(("anna", "anna", "anna", "karin", "joost", "petra", "otto", "anna")):
        yield {
            "id": uuid5(ACCOUNT_IDS[name], f"key {number}"),
            "account_id": ACCOUNT_IDS[name],
            "name": f"{ODDITIES[number][:90] or 'leeg'} {number}",
            "start": f"plein_{number}",
            "secret_hash": bytes(32),
            "scopes": [["read"], ["admin", "read"], ["platform:admin", "statistics:read"]][number % 3],
            "tenant_ids": [None, list(tenant_ids[:1]), list(tenant_ids)][number % 3],
            "created_at": _moment(number),
            "expires_at": datetime(2001 if number == 7 else 2999, 1, 1, tzinfo=UTC),
            "last_used_at": _moment(number + 9) if number % 2 else None,
            "revoked_at": _moment(number + 10) if number == 2 else None,
        }


def _sessions() -> Iterator[Row]:
    """Sessions of several people, two used at the same moment; and some on sites' hosts, which hang on others."""
    for number, name in enumerate(("anna", "anna", "karin", "anna", "joost", "otto", "anna")):
        me = ACCOUNT_IDS[name]
        yield {
            "id": uuid5(me, f"session {number}"),
            "token_hash": number.to_bytes(32, "big"),
            "account_id": me,
            "parent_id": uuid5(me, "session 0") if number in {3, 6} else None,
            "host": "aster" if number in {3, 6} else "",
            "issuer": "urn:plein:local",
            "subject": str(me),
            "sid": f"zwijg-sid-{number}",
            "amr": [[], ["pwd"], ["pwd", "otp", "mfa"]][number % 3],
            "authenticated_at": _moment(number),
            "device": f"{ODDITIES[number][:90]} {number}",
            "address": f"192.0.2.{number}",
            "created_at": _moment(number),
            "renewed_at": _moment(number),
            "last_seen_at": _moment(number // 2 + 4),
        }


def _acts(places: Sequence[tuple[Community | None, TenantRef | None]]) -> Iterator[Row]:
    """Acts on each site and on the square: by members, by an operator, by nobody; some at the same moment."""
    people = [ACCOUNT_IDS["anna"], ACCOUNT_IDS["otto"], None, UUID(int=5)]
    for (community, ref), number in product(places, range(9)):
        secret = community.secret if community else "zwijg-plein"
        yield {
            "id": uuid5(ACCOUNT_IDS["anna"], f"{secret} act {number}"),
            "tenant_id": ref and ref.id,
            "account_id": people[number % 4],
            "action": ("site.updated", "member.role_set", "content.deleted")[number % 3],
            "subject": f"{secret} {number // 2}",
            "details": Jsonb(
                [{}, {"role": secret, "a b": ODDITIES[number % 8]}, {"fields": ["x"], "n": None}][number % 3]
            ),
            "address": "192.0.2.7",
            "agent": f"{ODDITIES[number % 8][:50]} {secret}",
            "credential": "token",
            "request_id": f"r{number}",
            "happened_at": _moment(number),
        }


def _clients(tenant_ids: Sequence[UUID]) -> Iterator[Row]:
    """Clients of the platform and of every site, with and without what may be left out."""
    for number, tenant_id in enumerate((None, *tenant_ids, *tenant_ids, None)):
        is_odd = bool(number % 2)
        yield {
            "id": uuid5(ACCOUNT_IDS["anna"], f"client {number}"),
            "tenant_id": tenant_id,
            "account_id": ACCOUNT_IDS["anna"],
            "name": f"{ODDITIES[number % len(ODDITIES)][:90] or 'leeg'} {number}",
            "home_uri": "https://app.example/" if is_odd else None,
            "policy_uri": None if is_odd else "https://app.example/policy",
            "authentication": "NONE" if is_odd else "PRIVATE_KEY",
            "jwks": None if is_odd else '{"keys": []}',
            "grant_types": ["AUTHORIZATION_CODE", "REFRESH_TOKEN"] if is_odd else ["CLIENT_CREDENTIALS"],
            "scopes": ["openid", "offline_access"] if is_odd else ["read", "statistics:read"],
            "redirect_uris": ["https://app.example/cb", "nl.example.app:/"] if is_odd else [],
            "logout_redirect_uris": [],
            "logout_uri": "https://app.example/out" if is_odd else None,
            "origins": ["https://app.example"] if is_odd else [],
            "subject_type": "PAIRWISE" if is_odd else "PUBLIC",
            "subject_salt": bytes(32),
            "id_token_algorithm": "RS256" if is_odd else "ES256",
            "trusted_at": _moment(number) if number % 3 == 0 else None,
            "version": number + 1,
            "created_at": _moment(number),
            "updated_at": _moment(number + 1),
        }


def _consents(clients: Sequence[Row], tenant_ids: Sequence[UUID]) -> Iterator[Row]:
    """What several people agreed to: on no site, on some, some of which they cannot find, and on all."""
    for number, name in enumerate(("anna", "anna", "anna", "karin", "joost", "petra", "anna")):
        places = [["openid"], [f"read@{each}" for each in tenant_ids], ["write@*", "read@*", "openid"]][number % 3]
        yield {
            "id": uuid5(ACCOUNT_IDS[name], f"consent {number}"),
            "account_id": ACCOUNT_IDS[name],
            "client_id": clients[number % len(clients)]["id"],
            "permissions": [*places, "statistics:read"],
            "created_at": _moment(number),
            "updated_at": _moment(number + 1),
        }


def _identities() -> Iterator[Row]:
    """Ways to sign in of several people, with and without what an issuer may leave out."""
    for number, name in enumerate(("anna", "anna", "anna", "karin", "joost", "petra", "mies")):
        is_odd = bool(number % 2)
        yield {
            "id": uuid5(ACCOUNT_IDS[name], f"identity {number}"),
            "issuer": f"https://issuer-{number}.example",
            "subject": f"secret subject {number}",
            "account_id": ACCOUNT_IDS[name],
            "created_at": _moment(number),
            "email": f"{name}@elsewhere.example" if is_odd else None,
            "last_used_at": _moment(number + 1) if is_odd else None,
        }


def _issuers() -> Iterator[Row]:
    """Issuers that operators added."""
    for number in range(5):
        is_odd = bool(number % 2)
        yield {
            "id": uuid5(ACCOUNT_IDS["anna"], f"issuer {number}"),
            "key": f"issuer-{number}",
            "url": f"https://issuer-{number}.example",
            "name": f"{ODDITIES[number % len(ODDITIES)][:90] or 'leeg'} {number}",
            "client_id": "plein",
            "authentication": "none" if is_odd else "client_secret_post",
            "secret": None if is_odd else "sealed secret",
            "algorithms": ["RS256", "EdDSA"],
            "scopes": ["openid", "email"],
            "joiners": "domains" if is_odd else "open",
            "domains": ["example.nl"] if is_odd else [],
            "vouches": is_odd,
            "strong": ["mfa"],
            "strong_acr": ["loa:high"] if is_odd else [],
            "max_age_seconds": 600 if is_odd else None,
            "version": number + 1,
            "created_at": _moment(number),
            "updated_at": _moment(number + 1),
        }


def _moment(number: int) -> datetime:
    """Moments with ties, whole and broken seconds."""
    return START + timedelta(hours=number // 2, microseconds=(0, 500_000, 123_456)[number // 2 % 3])


def _write(connection: psycopg.Connection, community: Community, ref: TenantRef) -> None:
    schema = ref.schema_name
    rng = random.Random(community.slug)
    _members(connection, community, ref)
    _insert(connection, schema, "ownership_offer", list(_offers(community)))
    groups = list(_groups(community))
    _insert(connection, schema, "group", groups)
    _insert(connection, schema, "group_member", list(_places(community, groups)))
    _set_group_ids(connection, community, ref, groups)
    content = list(_content(community, groups, rng))
    _insert(connection, schema, "content", content)
    comments = list(_comments(community, content, rng))
    _insert(connection, schema, "comment", comments)
    _insert(connection, schema, "reaction", list(_reactions(community, content, comments, rng)))
    _insert(connection, "platform", "activity", [_activity(ref.id, row) for row in content if not row["deleted_at"]])
    ceilings = [{"tenant_id": ref.id, "group_id": row["id"], "access": row["access"]} for row in groups]
    _insert(connection, "platform", "ceiling", ceilings)
    age = {"slug": community.slug, "at": _moment(len(community.name) % 4), "state": community.state}
    update = (
        "UPDATE platform.tenant SET created_at = %(at)s, updated_at = %(at)s, state = %(state)s,"
        " suspended_by = CASE %(state)s WHEN 'SUSPENDED' THEN 'OPERATOR' END WHERE slug = %(slug)s"
    )
    connection.execute(update, age)


def _members(connection: psycopg.Connection, community: Community, ref: TenantRef) -> None:
    members = [
        {
            "account_id": ACCOUNT_IDS[name],
            "role": max(role, int(Role.GUEST)) if role != LEFT else int(Role.MEMBER),
            "joined_at": _moment(number),
            "left_at": _moment(90) if role == LEFT else None,
        }
        for number, (name, role) in enumerate(community.roles.items())
    ]
    _insert(connection, ref.schema_name, "member", members)
    there = [row for row in members if row["left_at"] is None]
    index = [{"tenant_id": ref.id, **{key: row[key] for key in ("account_id", "role", "joined_at")}} for row in there]
    _insert(connection, "platform", "membership", index)


def _offers(community: Community) -> Iterator[Row]:
    """Offers by the owner to everybody else, some of which are not good any more; two of the same moment."""
    for number, name in enumerate(community.roles):
        if number < 5:
            yield {
                "account_id": ACCOUNT_IDS[name],
                "offered_by": ACCOUNT_IDS[community.owner],
                "steps_down": number % 2 == 0,
                "created_at": _moment(number),
                "expires_at": datetime(2999 if number != 2 else 2001, 1, 1, tzinfo=UTC),
            }


def _groups(community: Community) -> Iterator[Row]:
    for number in range(4 if community.rounds else 0):
        yield {
            "id": uuid5(ACCOUNT_IDS["anna"], f"{community.slug} group {number}"),
            "name": f"Groep {number // 2} {community.secret}",  # two by two of the same name
            "description": ODDITIES[number + 1] + community.secret,
            "access": number + 1,
            "joining": JOININGS[number],
            "version": number + 1,
            "created_at": _moment(number),
            "updated_at": _moment(number + 3),
        }


def _places(community: Community, groups: Sequence[Row]) -> Iterator[Row]:
    for (slug, name), numbers in GROUP_PLACES.items():
        for number in numbers if slug == community.slug else ():
            yield {"group_id": groups[number]["id"], "account_id": ACCOUNT_IDS[name], "role": 1, "joined_at": START}


def _set_group_ids(connection: psycopg.Connection, community: Community, ref: TenantRef, groups: Sequence[Row]) -> None:
    for (slug, name), numbers in GROUP_PLACES.items():
        if slug == community.slug:
            connection.execute(
                "UPDATE platform.membership SET group_ids = %s WHERE tenant_id = %s AND account_id = %s",
                ([groups[number]["id"] for number in numbers], ref.id, ACCOUNT_IDS[name]),
            )


def _content(community: Community, groups: Sequence[Row], rng: random.Random) -> Iterator[Row]:
    """Every level in every group and outside groups, by every author, of every kind."""
    authors = [ACCOUNT_IDS[name] for name in (community.owner, *community.roles)]
    places = [*product((None, *groups), range(5))] * community.rounds
    for number, (group, access) in enumerate(place for place in places if place[1] != 1 or place[0]):
        kind = list(KINDS)[number % len(KINDS)]
        oddity = ODDITIES[number % len(ODDITIES)]
        words = " ".join(rng.choices(WORDS, k=rng.randint(1, 4)))
        yield {
            "id": uuid5(ACCOUNT_IDS["anna"], f"{community.slug} content {number} {rng.random()}"),
            "kind": kind,
            "title": "" if kind == "STATUS" else f"{oddity}{words} {community.secret}{' lang' * (number % 3 * 40)}",
            "body": f"{words} {oddity}  \n {community.secret} " + " ".join(rng.choices(WORDS, k=number * 3 % 130)),
            "author_id": authors[number * 7 % len(authors)],
            "group_id": group and group["id"],
            "access": access,
            "tags": [["a b", community.secret], [], ['q"x', "{}", "NULL", ""]][number % 3],
            "details": Jsonb(_details(kind, community.secret, number)),
            "version": number % 5 + 1,
            "published_at": _moment(number // 2),
            "created_at": _moment(number),
            "updated_at": _moment(number + 1),
            "deleted_at": START if number % 11 == 5 else None,
        }


def _details(kind: str, secret: str, number: int) -> dict[str, Any]:
    moment = _moment(number).isoformat()
    match kind:
        case "EVENT":
            return {"startsAt": moment, "endsAt": moment if number % 2 else None, "location": f'zaal " {secret}'}
        case "POLL":
            return {"options": [f"{secret} {letter}'\"\\" for letter in "abc"[: 2 + number % 2]]}
        case "NEWS" if number % 2:
            return {"source": f'https://{secret}.example/?a=1&b="'}
    return {}


def _comments(community: Community, content: Sequence[Row], rng: random.Random) -> Iterator[Row]:
    authors = [ACCOUNT_IDS[name] for name in (community.owner, *community.roles)]
    for number, item in enumerate(content):
        above: list[UUID | None] = [None]
        for order in range(number * 5 % 7):
            id_ = uuid5(item["id"], f"comment {order}")
            yield {
                "id": id_,
                "content_id": item["id"],
                "parent_id": rng.choice(above),
                "author_id": rng.choice(authors),
                "body": f"{ODDITIES[order]} {community.secret} {order}",
                "version": 1,
                "created_at": _moment(order),
                "updated_at": _moment(order + number),
            }
            above.append(id_)


def _reactions(
    community: Community, content: Sequence[Row], comments: Sequence[Row], rng: random.Random
) -> Iterator[Row]:
    people = [ACCOUNT_IDS[name] for name in (community.owner, *community.roles)]
    subjects = [(row["id"], row["id"]) for row in content] + [(row["id"], row["content_id"]) for row in comments]
    for subject_id, content_id in subjects:
        for person in rng.sample(people, rng.randint(0, min(4, len(people)))):
            yield {
                "subject_id": subject_id,
                "account_id": person,
                "content_id": content_id,
                "kind": rng.choice(REACTIONS),
                "created_at": START,
            }


def _activity(tenant_id: UUID, row: Row) -> Row:
    keys = ("kind", "access", "group_id", "author_id", "published_at")
    return {"tenant_id": tenant_id, "content_id": row["id"], **{key: row[key] for key in keys}}


def _insert(connection: psycopg.Connection, schema: str, table: str, rows: Sequence[Row]) -> None:
    if not rows:
        return
    columns = list(rows[0])
    text = sql.SQL("INSERT INTO {}.{} ({}) VALUES ({})").format(
        sql.Identifier(schema),
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(sql.Placeholder(column) for column in columns),
    )
    with connection.cursor() as cursor:
        cursor.executemany(text, rows)
