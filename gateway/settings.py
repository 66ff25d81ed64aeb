"""The settings of Plein: the only place where the environment is read, once, at the start.

Promises: every variable is declared here with its default and its meaning, and `docs/settings.md` is made from that; an
unknown variable, a malformed value or a missing one is one clear line that names it. Never shows a secret in a message.
"""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from auth.loopback import is_loopback
from gateway.access import VARIABLES as ACCESS
from gateway.access import Access, access_from
from gateway.issuers_file import IssuersFileError
from gateway.limits import UNITS, Limits
from gateway.local_accounts import VARIABLES as LOCAL_ACCOUNTS
from gateway.local_accounts import LocalAccounts, local_accounts_from
from gateway.parsers import SECRET_MIN_CHARACTERS, Variable, base_host, one_of, origins, secret, url, whole
from gateway.persisted import ManifestError, load_manifest
from gateway.providing import VARIABLES as PROVIDING
from gateway.providing import Providing, providing_from
from gateway.signing_in import VARIABLES as SIGNING_IN
from gateway.signing_in import SigningIn, signing_in_from
from gateway.watching import VARIABLES as WATCHING
from gateway.watching import Watching, drain_ms, watching_from

PREFIX = "PLEIN_"
TESTS_PREFIX = "PLEIN_TEST_"  # read by the tests only


class SettingsError(Exception):
    """The environment cannot be right; the message is one line that names the variable."""


class Mode(StrEnum):
    """What the process is for: development may use the bundled parts, production may not."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Introspection(StrEnum):
    """Who may ask what can be asked."""

    EVERYONE = "everyone"
    ACCOUNTS = "accounts"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class S3:
    """An S3-compatible store outside this process."""

    endpoint_url: str
    public_endpoint_url: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `database_url` and `s3` are None where the bundled parts are used."""

    mode: Mode
    host: str
    port: int
    base_host: str
    data_dir: Path
    log_level: str
    console: bool
    secret: str = field(repr=False)
    database_url: str | None = field(repr=False)
    reader_connections: int
    pool_connections: int
    statement_timeout_ms: int
    s3: S3 | None
    limits: Limits
    subscriptions: int
    heartbeat_seconds: int
    cors_origins: frozenset[str]
    proxies: int
    documents: Mapping[str, str] = field(repr=False)
    documents_only: bool
    introspection: Introspection
    rate_account: int
    rate_address: int
    rate_key: int
    workers: int
    drain_ms: int
    watching: Watching
    signing_in: SigningIn
    local: LocalAccounts
    providing: Providing
    access: Access

    @property
    def base_url(self) -> str:
        """The square's own address, without a slash at the end."""
        return f"{'https' if self.is_production else 'http'}://{self.base_host}"

    @property
    def is_production(self) -> bool:
        """Whether real people's data is at stake."""
        return self.mode is Mode.PRODUCTION


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in this environment. Raises SettingsError.

    In development without `PLEIN_SECRET`, the secret is read from the data directory, and made there the first time.
    """
    values = _read(environ)
    s3 = _s3(values)
    mode = _mode(values, s3)
    data_dir: Path = values["DATA_DIR"]
    host = values["BASE_HOST"] or f"localhost:{values['PORT']}"
    return Settings(
        mode=mode,
        host=values["HOST"],
        port=values["PORT"],
        base_host=host,
        data_dir=data_dir,
        log_level=values["LOG_LEVEL"],
        console=values["CONSOLE"],
        secret=values["SECRET"] or _kept_secret(data_dir),
        database_url=values["DATABASE_URL"],
        reader_connections=values["READER_CONNECTIONS"],
        pool_connections=values["POOL_CONNECTIONS"],
        statement_timeout_ms=values["STATEMENT_TIMEOUT_MS"],
        s3=s3,
        limits=_limits(values),
        subscriptions=values["SUBSCRIPTIONS"],
        heartbeat_seconds=values["HEARTBEAT_SECONDS"],
        cors_origins=values["CORS_ORIGINS"],
        proxies=values["PROXIES"],
        documents=_documents(values),
        documents_only=_documents_only(values),
        introspection=values["INTROSPECTION"],
        rate_account=_rate(values, "RATE_ACCOUNT"),
        rate_address=_rate(values, "RATE_ADDRESS"),
        rate_key=_rate(values, "RATE_KEY"),
        workers=values["WORKERS"],
        drain_ms=drain_ms(values, is_production=mode is Mode.PRODUCTION),
        watching=watching_from(values, is_production=mode is Mode.PRODUCTION),
        signing_in=_signing_in(values),
        providing=providing_from(values),
        local=local_accounts_from(values, host),
        access=access_from(values),
    )


def settings_of_process(overrides: Mapping[str, str]) -> Settings:
    """The settings in this process's environment; what the command line says comes first. Raises SettingsError."""
    return load_settings({**os.environ, **overrides})


def _read(environ: Mapping[str, str]) -> dict[str, Any]:
    """The parsed value of every declared variable, by its name without the prefix. An empty text means: not set."""
    declared = {PREFIX + each.name for each in VARIABLES}
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(TESTS_PREFIX) and name not in declared:
            close = difflib.get_close_matches(name, declared, 1)
            raise SettingsError(f"{name}: there is no such setting" + (f"; is it {close[0]}?" if close else "."))
    values: dict[str, Any] = {}
    for each in VARIABLES:
        text = environ.get(PREFIX + each.name, "").strip()
        try:
            values[each.name] = each.parse(text) if text else each.default
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{each.name}: {error}.") from None
    return values


def _mode(values: Mapping[str, Any], s3: S3 | None) -> Mode:
    """The mode that was asked for, if all it needs is there; development only where nothing can be at stake."""
    mode: Mode | None = values["MODE"]
    if mode is None:
        at_stake = {"PLEIN_DATABASE_URL": values["DATABASE_URL"], "PLEIN_S3_ENDPOINT": s3}
        reasons = [f"{name} is set" for name, value in at_stake.items() if value]
        reasons += [] if is_loopback(values["HOST"]) else [f"PLEIN_HOST is {values['HOST']}"]
        if reasons:
            raise SettingsError(f"PLEIN_MODE: say development or production, because {' and '.join(reasons)}.")
        return Mode.DEVELOPMENT
    if mode is Mode.PRODUCTION:
        for name in ("SECRET", "DATABASE_URL", "S3_ENDPOINT"):
            if not values[name]:
                raise SettingsError(f"PLEIN_{name}: must be set in production.")
    return mode


def _s3(values: Mapping[str, Any]) -> S3 | None:
    endpoint = values["S3_ENDPOINT"]
    if endpoint is None:
        for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_PUBLIC_ENDPOINT"):
            if values[name]:
                raise SettingsError(f"PLEIN_{name}: is of no use without PLEIN_S3_ENDPOINT.")
        return None
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY"):
        if not values[name]:
            raise SettingsError(f"PLEIN_{name}: must be set where PLEIN_S3_ENDPOINT is.")
    return S3(
        endpoint_url=endpoint,
        public_endpoint_url=values["S3_PUBLIC_ENDPOINT"] or endpoint,
        bucket=values["S3_BUCKET"],
        region=values["S3_REGION"],
        access_key=values["S3_ACCESS_KEY"],
        secret_key=values["S3_SECRET_KEY"],
    )


def _limits(values: Mapping[str, Any]) -> Limits:
    return Limits(**{each.name: values[f"LIMIT_{each.name.upper()}"] for each in fields(Limits)})


def _documents(values: Mapping[str, Any]) -> Mapping[str, str]:
    """The texts by id in the manifest, read here so that a wrong one stops the start."""
    try:
        return {} if values["DOCUMENTS"] is None else load_manifest(values["DOCUMENTS"])
    except ManifestError as error:
        raise SettingsError(f"PLEIN_DOCUMENTS: {error}.") from None


def _documents_only(values: Mapping[str, Any]) -> bool:
    if values["DOCUMENTS_ONLY"] and values["DOCUMENTS"] is None:
        raise SettingsError("PLEIN_DOCUMENTS_ONLY: needs PLEIN_DOCUMENTS, or nothing at all could be asked.")
    return bool(values["DOCUMENTS_ONLY"])


def _signing_in(values: Mapping[str, Any]) -> SigningIn:
    try:
        return signing_in_from(values)
    except IssuersFileError as error:
        raise SettingsError(f"PLEIN_ISSUERS: {error}.") from None


def _rate(values: Mapping[str, Any], name: str) -> int:
    rate: int = values[name]
    if 0 < rate <= values["LIMIT_NODES"]:
        raise SettingsError(f"PLEIN_{name}: must be 0 or more than PLEIN_LIMIT_NODES, which one request may cost.")
    return rate


def _kept_secret(data_dir: Path) -> str:
    """The secret in the data directory. Two processes that start at once agree: the first link wins, whole."""
    path = data_dir / "secret"
    try:
        if not path.exists():
            data_dir.mkdir(parents=True, exist_ok=True)
            draft = data_dir / f"secret.{os.getpid()}.{secrets.token_hex(4)}"
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(48))
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return secret(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise SettingsError(f"PLEIN_DATA_DIR: cannot keep the secret in {path}: {error}.") from None


LEVELS = {each: each for each in ("debug", "info", "warning", "error")}
SWITCH = {"on": True, "off": False}

VARIABLES = (
    Variable(
        "MODE",
        one_of({each.value: each for each in Mode}),
        None,
        "`development` or `production`. Must be said where an own database or object store is used or the host is not "
        "a loopback address.",
        "`development`, on loopback with the bundled parts",
    ),
    Variable("HOST", str, "127.0.0.1", "The address to listen on."),
    Variable("PORT", whole(1, 65535), 8000, "The port to listen on."),
    Variable(
        "BASE_HOST",
        base_host,
        None,
        "The host name people use for the square. A site answers at `<slug>.<base host>`.",
        "`localhost:<port>`",
    ),
    Variable("DATA_DIR", Path, Path(".plein"), "Where the bundled database, object store and secret are kept."),
    Variable("LOG_LEVEL", one_of(LEVELS), "info", "`debug`, `info`, `warning` or `error`."),
    Variable("CONSOLE", one_of(SWITCH), True, "The query console at `/`: `on` or `off`.", "`on`"),
    Variable(
        "SECRET",
        secret,
        None,
        f"Signs tokens and cursors; at least {SECRET_MIN_CHARACTERS} characters. Must be set in production.",
        "made once, kept in the data directory",
    ),
    Variable(
        "DATABASE_URL",
        url("postgresql", "postgres"),
        None,
        "The PostgreSQL database, as `postgresql://user:password@host:port/name`. Must be set in production.",
        "the bundled PostgreSQL",
    ),
    Variable("READER_CONNECTIONS", whole(1, 64), 4, "Connections for compiled reads, each carrying many at once."),
    Variable("POOL_CONNECTIONS", whole(1, 256), 8, "Connections for writes and long work, one at a time each."),
    Variable("STATEMENT_TIMEOUT_MS", whole(10, 600_000), 5_000, "The most milliseconds one SQL statement may take."),
    Variable("SUBSCRIPTIONS", whole(1, 1_000_000), 20_000, "The most subscriptions that one process carries."),
    Variable(
        "HEARTBEAT_SECONDS", whole(1, 3600), 20, "How often something is sent on a connection where all is quiet."
    ),
    Variable(
        "S3_ENDPOINT",
        url("http", "https"),
        None,
        "The S3-compatible object store. Must be set in production.",
        "the bundled development store",
    ),
    Variable(
        "S3_PUBLIC_ENDPOINT",
        url("http", "https"),
        None,
        "The address of the object store for browsers, where it is another.",
        "the endpoint",
    ),
    Variable("S3_BUCKET", str, "plein", "The bucket."),
    Variable("S3_REGION", str, "us-east-1", "The region that requests are signed for."),
    Variable("S3_ACCESS_KEY", str, None, "The id of the access key.", "none"),
    Variable("S3_SECRET_KEY", str, None, "The secret of the access key.", "none"),
    Variable(
        "CORS_ORIGINS",
        origins,
        frozenset(),
        "Pages of these origins may read answers: `https://example.nl`, several with commas between, or `*` for all. "
        "The square's own host and those of its sites always may; in development, pages of this machine too.",
        "none",
    ),
    Variable("PROXIES", whole(0, 10), 0, "How many proxies stand in front, each adding to `X-Forwarded-For`."),
    Variable(
        "DOCUMENTS", Path, None, "A manifest of trusted documents: `{id: text}` in JSON, or Apollo's format.", "none"
    ),
    Variable("DOCUMENTS_ONLY", one_of(SWITCH), False, "Run nothing but trusted documents: `on` or `off`.", "`off`"),
    Variable(
        "INTROSPECTION",
        one_of({each.value: each for each in Introspection}),
        Introspection.EVERYONE,
        "Who may ask for the schema: `everyone`, `accounts` (whoever is signed in) or `nobody`.",
    ),
    Variable(
        "RATE_ACCOUNT",
        whole(0, 1_000_000_000),
        0,
        "The most cost of one account in a minute, over all processes: 1 for each request and 1 for each node. `0` is "
        "no limit.",
    ),
    Variable("RATE_ADDRESS", whole(0, 1_000_000_000), 0, "The same for each address of callers without an account."),
    Variable(
        "RATE_KEY",
        whole(0, 1_000_000_000),
        0,
        "The same for each API key, which spends of its account's as well: no key can use up all that an account may.",
    ),
    *SIGNING_IN,
    *LOCAL_ACCOUNTS,
    *PROVIDING,
    *ACCESS,
    *WATCHING,
    *(
        Variable(
            f"LIMIT_{each.name.upper()}",
            whole(1, 1_000_000_000),
            each.default,
            f"The most {UNITS[each.name]}.",
        )
        for each in fields(Limits)
    ),
)


def settings_table() -> str:
    """The table in `docs/settings.md`: one row for each variable."""
    rows = [f"| `{PREFIX}{each.name}` | {each.shown or f'`{each.default}`'} | {each.meaning} |\n" for each in VARIABLES]
    return "| name | default | meaning |\n| --- | --- | --- |\n" + "".join(rows)
