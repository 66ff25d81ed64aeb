"""Loading the demo: accounts first, then site after site by COPY, several at once.

Promises: each site comes with all that belongs to it, on the platform too, in one transaction; what is there already is
left alone, so a run that was broken off is completed by the next; sites that are not a demo's are never touched.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from auth.accounts import Connection, load_account_by_email
from auth.issuer import DEVELOPMENT_ISSUER
from gateway.demo.cast import CAST
from gateway.demo.estate import Estate, SitePlan, is_demo_site, plan_estate
from gateway.demo.moments import as_datetime
from gateway.demo.people import Person, ids_of_people
from gateway.demo.progress import Progress
from gateway.demo.scale import SCALES
from gateway.demo.site import SiteRows, make_site
from gateway.demo.source import has_own_texts, load_source
from gateway.parts import database_settings, opened_store
from gateway.settings import Settings
from gateway.terminal import CommandError
from tenants.bulk import (
    analyze_site,
    backdate,
    copy_missing,
    copy_rows,
    empty_members,
    loading,
    remove_idle_accounts,
    vacuum_platform,
)
from tenants.database import Database, become_platform
from tenants.errors import SlugTaken
from tenants.platform_tables import PLATFORM
from tenants.provisioning import NewTenant, Seed, drop, provision_in
from tenants.registry import TenantRef, list_tenants

Summary = dict[str, str | int | float]
"""Names for people, and numbers."""

WORKERS = 4  # sites at once: keeps two cores of the database and one of ours at work
STATEMENT_TIMEOUT_MS = 600_000  # the largest site's items take their time
PAGE = 1000

TOLD = {  # what the summary counts, and in which table
    "memberships": "membership",
    "groups": "group",
    "content": "content",
    "comments": "comment",
    "reactions": "reaction",
}


@dataclass(slots=True)
class Work:
    """What is still to do, and what came of what was done; shared by the workers. `weight` is in items."""

    estate: Estate
    waiting: deque[SitePlan]
    progress: Progress
    making: asyncio.Lock = field(default_factory=asyncio.Lock)  # two threads at once would only wait for each other
    made: Counter[str] = field(default_factory=Counter)
    weight: int = 0
    weight_total: int = 0
    site_count: int = 0

    def __post_init__(self) -> None:
        self.weight_total = sum(weight_of(plan) for plan in self.waiting)
        self.site_count = len(self.waiting)

    def count(self, plan: SitePlan, rows: SiteRows) -> None:
        """One site was done."""
        self.made["sites"] += 1
        for name, table in TOLD.items():
            self.made[name] += rows.count(table)
        self.weight += weight_of(plan)
        self.tell()

    def tell(self) -> None:
        """Say how far it is."""
        self.progress(f"{self.made['sites']} of {self.site_count} sites", self.weight, self.weight_total)


async def run(
    settings: Settings,
    *,
    scale: str | None = None,
    data_dir: Path | None = None,
    seed: int = 1,
    reset: bool = False,
    progress: Progress = lambda _line, _done, _total: None,
) -> Summary:
    """Fill a migrated square, and tell what was made and what was there.

    Without a scale: every municipality and regulation there is, or the small one where there is only the sample.

    Raises `CommandError` for a scale that there is not, texts that cannot be read, and a square that holds another
    demo, unless `reset` removes that first; and what `Database.transaction` raises.
    """
    scale = scale or ("municipalities" if has_own_texts(data_dir) else "small")
    if scale not in SCALES:
        raise CommandError(f"There is no scale {scale!r}: choose from {', '.join(SCALES)}.")
    began = time.monotonic()
    estate = plan_estate(load_source(data_dir, sample=scale == "small"), SCALES[scale], seed)
    bounds = replace(database_settings(settings), statement_timeout_ms=STATEMENT_TIMEOUT_MS, pool_size=WORKERS)
    database = Database(bounds)
    async with loading(bounds) as session:
        await database.open()
        try:
            removed = await remove_demo(settings, database, progress) if reset else 0
            work = Work(estate, deque(await find_missing(database, estate)), progress)
            if work.waiting:
                await load_accounts(database, estate)
                await load_sites(database, work)
                await vacuum_platform(session)
        finally:
            await database.close()
    return summarize(work, removed) | {"seconds": round(time.monotonic() - began, 1)}


def summarize(work: Work, removed: int) -> Summary:
    """What there is now, and what was made of it in this run."""
    estate = work.estate
    summary: Summary = {"scale": estate.scale.name, "seed": estate.seed, "texts": estate.source.name}
    if removed:
        summary["removed sites"] = removed
    there = len(estate.sites) - work.made["sites"]
    if there:
        summary["sites there already"] = there
    if not work.made["sites"]:
        return summary | {"done": "nothing: the demo is there already"}
    made = {name: work.made[name] for name in ("sites", *TOLD)}
    return summary | {"accounts": len(estate.people)} | made


async def find_missing(database: Database, estate: Estate) -> list[SitePlan]:
    """The sites that are not there yet. Raises `CommandError` where there are sites of another demo."""
    wanted = {plan.id for plan in estate.sites}
    there = {site.id for site in await list_demo_sites(database)}
    if there - wanted:
        raise CommandError(
            f"The square holds {len(there - wanted)} sites of a demo of another scale, seed or source: "
            "--reset removes those first."
        )
    return [plan for plan in estate.sites if plan.id not in there]


async def list_demo_sites(database: Database) -> list[TenantRef]:
    """Every site of a demo, of whatever scale and seed."""
    found: list[TenantRef] = []
    after = ""
    async with database.transaction(None) as tx:
        while page := await list_tenants(tx, after_slug=after, limit=PAGE):
            found += [each.ref for each in page if is_demo_site(each.ref.id)]
            after = page[-1].ref.slug
    return found


async def remove_demo(settings: Settings, database: Database, progress: Progress) -> int:
    """Remove the demo's sites with their files, and its accounts that are on no other site; how many sites went."""
    sites = await list_demo_sites(database)
    for done, site in enumerate(sites, start=1):
        async with database.transaction(None) as tx:
            await drop(tx, site)
        progress(f"{done} of {len(sites)} sites removed", done, len(sites))
    if sites and settings.s3 is not None:
        await remove_files(settings, sites)
    async with database.transaction(None) as tx:
        await remove_idle_accounts(tx, *ids_of_people())
    return len(sites)


async def remove_files(settings: Settings, sites: list[TenantRef]) -> None:
    """Remove what people put in the demo's sites."""
    from storage.errors import BucketMissing  # noqa: PLC0415 - boto3 takes a while

    async with opened_store(settings) as store:
        try:
            for site in sites:
                await store.delete_prefix(site.id)
        except BucketMissing:
            return


async def load_accounts(database: Database, estate: Estate) -> None:
    """Write the accounts that are not there yet, with identities for the well-known."""
    async with database.transaction(None) as tx:
        known = [await with_free_address(tx, each) for each in estate.people[: len(CAST)]]
        people = known + estate.people[len(CAST) :]
        columns = ("id", "name", "email", "role", "created_at")
        rows = ((each.id, each.name, each.email, each.platform_role, as_datetime(each.created_us)) for each in people)
        await copy_missing(tx, "account", columns, rows)
        names = ("id", "issuer", "subject", "account_id", "created_at")
        made = ((each.id, as_datetime(each.created_us)) for each in known)
        identities = ((id_, DEVELOPMENT_ISSUER, str(id_), id_, created_at) for id_, created_at in made)
        await copy_missing(tx, "identity", names, identities)


async def with_free_address(tx: Connection, person: Person) -> Person:
    """The person, under another address where somebody who is no part of the demo has theirs."""
    holder = await load_account_by_email(tx, person.email)
    if holder is None or holder.id == person.id:
        return person
    return replace(person, email=person.email.replace("@", "+demo@"))


async def load_sites(database: Database, work: Work) -> None:
    """Load all that are waiting, the largest first, so that none is left over for one worker at the end."""
    work.tell()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WORKERS, len(work.waiting))):
                group.create_task(load_some(database, work))
    except BaseExceptionGroup as errors:
        # One says it all; a signal that ends the process before any other.
        ended = (each for each in errors.exceptions if not isinstance(each, Exception))
        raise next(ended, errors.exceptions[0]) from None


async def load_some(database: Database, work: Work) -> None:
    """One worker: site after site."""
    while work.waiting:
        plan = work.waiting.popleft()
        async with work.making:
            rows = await asyncio.to_thread(make_site, work.estate, plan)
        await load_site(database, plan, work.estate.people[plan.founder].id, rows)
        work.count(plan, rows)


async def load_site(database: Database, plan: SitePlan, founder_id: UUID, rows: SiteRows) -> None:
    """Load one site whole."""

    async def fill(tx: Connection, tenant: TenantRef) -> None:
        await empty_members(tx)  # the founder comes with the others, and with the day on which the site was founded
        for each in rows.own:
            await copy_rows(tx, tenant.schema_name, each.table, each.columns, each.rows)

    async with database.transaction(None) as tx:
        tenant = await provision_free(tx, plan, founder_id, fill)
        await become_platform(tx)
        for each in rows.platform:
            await copy_rows(tx, PLATFORM, each.table, each.columns, each.rows)
        await backdate(tx, tenant.id, as_datetime(plan.created_us))
        await analyze_site(tx, tenant)


async def provision_free(tx: Connection, plan: SitePlan, founder_id: UUID, fill: Seed) -> TenantRef:
    """Make the site under its slug, or under one that says it is the demo's where somebody has that."""
    for slug in (plan.slug, f"{plan.slug[:50].rstrip('-')}-demo", f"demo-{plan.id.hex[-10:]}"):
        new = NewTenant(
            slug=slug,
            name=plan.name,
            description=plan.description,
            visibility=plan.visibility,
            access=plan.access,
            joining=plan.joining,
            id=plan.id,
        )
        try:
            return await provision_in(tx, new, owner_account_id=founder_id, seed=fill)
        except SlugTaken:
            continue
    raise CommandError(f"There is a site called {plan.slug} already, and others of like names.")


def weight_of(plan: SitePlan) -> int:
    """How much work a site is, in items: an empty one is about as much as a hundred."""
    return 100 + plan.content_count + plan.visitor_count // 10
