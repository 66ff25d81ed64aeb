"""The reader's ordinary life: roles, settings, prepared statements, errors in mid-pipeline, cancelled requests."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest
import pytest_asyncio

from tenants import libpq
from tenants.errors import DatabaseUnavailable, ReaderBusy, ReadError, StatementFailed, StatementTimeout
from tenants.reader import Reader, Statement, set_role
from tests.tenants.asking import rows_of, value_of

# Roles are shared by all databases of a server, so each worker of a parallel run has its own.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
A, B, LATE = (f"t_reader_{name}{WORKER}" for name in ("a", "b", "late"))
NONCE = "SELECT $1::text || ' ' || current_user"

MakeReader = Callable[..., Awaitable[Reader]]


async def create_role(admin: psycopg.AsyncConnection, name: str) -> None:
    options = " WITH SET TRUE" if admin.info.server_version >= 160000 else ""
    await admin.execute(f"DROP ROLE IF EXISTS {name}")
    await admin.execute(f"CREATE ROLE {name}")
    await admin.execute(f"GRANT {name} TO CURRENT_USER{options}")


@pytest_asyncio.fixture
async def admin(fresh_database: str) -> AsyncIterator[psycopg.AsyncConnection]:
    """An ordinary connection beside the reader's, to a database in which A and B have a schema each."""
    async with await psycopg.AsyncConnection.connect(fresh_database, autocommit=True) as conn:
        for name in (A, B):
            await create_role(conn, name)
            await conn.execute(f"CREATE SCHEMA {name}")
            await conn.execute(f"GRANT USAGE ON SCHEMA {name} TO {name}")
            await conn.execute(f"CREATE TABLE {name}.item (id int PRIMARY KEY, title text)")
            await conn.execute(f"GRANT SELECT, INSERT ON {name}.item TO {name}")
            await conn.execute(f"INSERT INTO {name}.item SELECT i, 'item ' || i FROM generate_series(1, 5) i")
        yield conn
        for name in (A, B):
            await conn.execute(f"DROP SCHEMA {name} CASCADE")
            await conn.execute(f"DROP ROLE {name}")


@pytest_asyncio.fixture
async def make_reader(fresh_database: str, admin: psycopg.AsyncConnection) -> AsyncIterator[MakeReader]:
    readers: list[Reader] = []

    async def make(**settings: int | float) -> Reader:
        reader = Reader(fresh_database, **settings)
        readers.append(reader)
        await reader.open()
        return reader

    yield make
    for reader in readers:
        await reader.close()


@pytest_asyncio.fixture
async def reader(make_reader: MakeReader) -> Reader:
    """One connection only, so that everything meets in one pipeline."""
    return await make_reader(connections=1)


def a(text: str) -> Statement:
    return Statement(text, A)


def own(nonce: int | str) -> bytes:
    """What NONCE answers to A."""
    return f"{nonce} {A}".encode()


def b(text: str) -> Statement:
    return Statement(text, B)


# What is asked is what is answered


async def test_rows_are_text_or_none(reader: Reader) -> None:
    rows = await reader.fetch(a("SELECT i, NULL, 'é' || $1 FROM generate_series(1, 2) i"), [b"x"])
    assert rows == [(b"1", None, "éx".encode()), (b"2", None, "éx".encode())]


async def test_no_rows_no_columns_and_no_result_at_all(reader: Reader) -> None:
    assert await reader.fetch(a("SELECT 1 WHERE false"), []) == []
    assert await reader.fetch(a("SELECT"), []) == [()]
    assert await reader.fetch(a("DEALLOCATE ALL"), []) == []
    assert await value_of(reader, a("SELECT 1 WHERE false"), []) is None
    assert await value_of(reader, a("DEALLOCATE ALL"), []) is None
    assert await value_of(reader, a("SELECT $1::text, 2"), [b"one"]) == b"one"


async def test_an_empty_statement_is_refused(reader: Reader) -> None:
    with pytest.raises(StatementFailed, match="not a query"):
        await reader.fetch(a(""), [])
    assert await value_of(reader, a("SELECT 1"), []) == b"1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transaction_read_only", b"on"),
        ("statement_timeout", b"5s"),
        ("idle_in_transaction_session_timeout", b"10s"),
        ("search_path", b""),
        ("timezone", b"UTC"),
        ("datestyle", b"ISO, MDY"),
        ("jit", b"off"),
        ("client_encoding", b"UTF8"),
        ("application_name", b"plein reader"),
        ("plan_cache_mode", b"force_generic_plan"),
        ("random_page_cost", b"1.1"),
    ],
)
async def test_what_every_session_is_set_to(reader: Reader, name: str, value: bytes) -> None:
    assert await value_of(reader, a(f"SHOW {name}"), []) == value


async def test_options_given_in_the_connection_string_are_kept(fresh_database: str, admin: object) -> None:
    reader = Reader(psycopg.conninfo.make_conninfo(fresh_database, options="-c work_mem=7MB -c jit=on"))
    await reader.open()
    assert await value_of(reader, a("SHOW work_mem"), []) == b"7MB"
    assert await value_of(reader, a("SHOW jit"), []) == b"off"
    await reader.close()


async def test_the_log_stays_quiet_or_the_reader_says_how(
    make_reader: MakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    """Else, before PostgreSQL 18, each SET LOCAL ROLE would be a line in the server's log."""
    with caplog.at_level(logging.WARNING):
        reader = await make_reader(connections=2)
    may = "SELECT has_parameter_privilege(session_user, 'log_min_messages', 'SET')"
    quiet = await value_of(reader, a(may), []) == b"t"
    if quiet:
        assert await value_of(reader, a("SHOW log_min_messages"), []) == b"error"
    old = int(await value_of(reader, a("SHOW server_version_num"), []) or 0) < 180000
    assert caplog.text.count("GRANT SET ON PARAMETER") == (1 if old and not quiet else 0)


# Roles


async def test_each_read_runs_as_its_own_role(reader: Reader) -> None:
    for _ in range(3):
        answers = await asyncio.gather(
            *(value_of(reader, Statement(NONCE, (A, B)[i % 2]), [b"%d" % i]) for i in range(10))
        )
        assert answers == [f"{i} {(A, B)[i % 2]}".encode() for i in range(10)]


async def test_a_role_ends_with_its_read(reader: Reader, admin: psycopg.AsyncConnection) -> None:
    pid = int(await value_of(reader, a("SELECT pg_backend_pid()"), []) or 0)
    cursor = await admin.execute("SELECT state, backend_xid FROM pg_stat_activity WHERE pid = %s", (pid,))
    assert await cursor.fetchone() == ("idle", None)
    with pytest.raises(StatementFailed):
        await reader.fetch(b("SELECT 1/0"), [])
    assert await value_of(reader, a("SELECT current_user"), []) == A.encode()


async def test_a_site_cannot_read_another_prepared_or_not(reader: Reader) -> None:
    for _ in range(4):
        assert len(await reader.fetch(a(f"SELECT title FROM {A}.item"), [])) == 5
        with pytest.raises(StatementFailed) as caught:
            await reader.fetch(b(f"SELECT title FROM {A}.item"), [])
        assert caught.value.sqlstate == "42501"


async def test_nothing_runs_when_its_role_cannot_be_set(reader: Reader, admin: psycopg.AsyncConnection) -> None:
    mark = "SELECT pg_advisory_lock(4711)"  # a session's lock outlives the failed transaction: it would be seen
    for _ in range(3):
        answers = await asyncio.gather(
            reader.fetch(Statement(mark, LATE), []),
            value_of(reader, a(NONCE), [b"next"]),
            return_exceptions=True,
        )
        assert isinstance(answers[0], StatementFailed)
        assert LATE in answers[0].message
        assert answers[1] == own("next")
    found = await (await admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).fetchone()
    assert found == (0,)
    await create_role(admin, LATE)
    assert await value_of(reader, Statement("SELECT current_user", LATE), []) == LATE.encode()
    await admin.execute(f"DROP ROLE {LATE}")


@pytest.mark.parametrize("role", ["", 'a"; RESET ROLE; --', "Site_a", "1a", "a b", "a\n", "a" * 64, "é"])
async def test_only_plain_role_names(reader: Reader, role: str) -> None:
    with pytest.raises(ValueError, match="not a role name"):
        set_role(role)
    with pytest.raises(ValueError, match="not a role name"):
        await reader.fetch(Statement("SELECT 1", role), [])


async def test_reads_cannot_write(reader: Reader) -> None:
    with pytest.raises(StatementFailed) as caught:
        await reader.fetch(a(f"INSERT INTO {A}.item VALUES (9, 'x')"), [])
    assert caught.value.sqlstate == "25006"


# Errors stay with the one who made them


async def test_errors_in_mid_pipeline(reader: Reader) -> None:
    bad = ["SELECT 1/0", "SELECT nonsense", "SELECT 'x'::int", f"SELECT * FROM {B}.item", "SELEKT 1"]
    states = ["22012", "42703", "22P02", "42501", "42601"]
    for _ in range(4):
        calls = [value_of(reader, a(NONCE), [b"%d" % i]) for i in range(len(bad) + 1)]
        mixed = [
            call for pair in zip(calls, (reader.fetch(a(text), []) for text in bad), strict=False) for call in pair
        ]
        answers = await asyncio.gather(*mixed, calls[-1], return_exceptions=True)
        assert answers[::2] == [own(i) for i in range(len(bad) + 1)]
        assert [error.sqlstate for error in answers[1::2] if isinstance(error, StatementFailed)] == states


async def test_a_slow_statement_is_cancelled_by_the_server(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, statement_timeout_ms=150)
    slow = asyncio.create_task(rows_of(reader, a("SELECT pg_sleep(5)"), []))
    after = asyncio.create_task(value_of(reader, a(NONCE), [b"after"]))
    with pytest.raises(StatementTimeout) as caught:
        await slow
    assert (caught.value.sqlstate, caught.value.retryable) == ("57014", False)
    assert await after == own("after")


async def test_parameters_that_cannot_be_sent(reader: Reader) -> None:
    with pytest.raises(StatementFailed, match="null byte"):
        await reader.fetch(a(NONCE), [b"a\0b"])
    for params in (["text"], [1], [[1]], [None] * 70000):
        answers = await asyncio.gather(
            value_of(reader, a(NONCE), [b"before"]),
            value_of(reader, a(NONCE), params),  # type: ignore[arg-type]
            value_of(reader, a(NONCE), [b"after"]),
            return_exceptions=True,
        )
        assert isinstance(answers[1], Exception)
        assert answers[::2] == [own("before"), own("after")]


async def test_a_text_that_cannot_be_sent(make_reader: MakeReader) -> None:
    """Whether it is sent as it is or to be prepared, what else is on its connection is answered there."""
    reader = await make_reader(connections=1)
    connection = await value_of(reader, a("SELECT pg_backend_pid()"), [])
    for _ in range(3):
        answers = await asyncio.gather(
            value_of(reader, a(NONCE), [b"before"]),
            value_of(reader, a("SELECT '\ud800'"), []),
            value_of(reader, a(NONCE), [b"after"]),
            return_exceptions=True,
        )
        assert isinstance(answers[1], Exception)
        assert answers[::2] == [own("before"), own("after")]
    assert await value_of(reader, a("SELECT pg_backend_pid()"), []) == connection


async def test_large_parameters_and_large_answers(reader: Reader) -> None:
    sizes = [3_000_000, 10, 1_000_000, 2_000_000, 0, 500_000] * 2
    answers = await asyncio.gather(
        *(value_of(reader, a("SELECT $1::text || $2::text"), [b"%d:" % i, b"x" * n]) for i, n in enumerate(sizes))
    )
    assert answers == [b"%d:" % i + b"x" * n for i, n in enumerate(sizes)]


# Cancelled requests


async def test_a_cancelled_read_disturbs_nobody(reader: Reader) -> None:
    for _ in range(3):
        tasks = [asyncio.create_task(value_of(reader, a(NONCE), [b"%d" % i])) for i in range(30)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for i, answer in enumerate(answers):
            if i % 3:
                assert answer == own(i)
            else:
                assert isinstance(answer, asyncio.CancelledError)


async def test_a_read_cancelled_while_it_waits_is_never_sent(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, depth=1)
    first = asyncio.create_task(rows_of(reader, a("SELECT pg_sleep(0.1)"), []))
    waiting = asyncio.create_task(rows_of(reader, a("SELECT pg_advisory_lock(4712)"), []))
    await asyncio.sleep(0.02)
    waiting.cancel()
    await first
    count = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert await value_of(reader, a(count), []) == b"0"


# Prepared statements

HELD = "SELECT count(*) FROM pg_prepared_statements"


async def test_prepared_from_the_second_use(reader: Reader) -> None:
    assert [await value_of(reader, a(HELD), []) for _ in range(3)] == [b"0", b"1", b"1"]


async def test_prepared_statements_are_bounded_and_closed(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, prepared_per_connection=3)
    for turn in range(3):
        for i in range(10):
            for _ in range(3):
                assert await value_of(reader, a(f"SELECT $1::int + {i}"), [b"%d" % turn]) == b"%d" % (turn + i)
    assert await value_of(reader, a(HELD), []) == b"3"


async def test_none_prepared_when_the_bound_is_zero(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, prepared_per_connection=0)
    assert [await value_of(reader, a(HELD), []) for _ in range(4)] == [b"0"] * 4


async def test_a_prepared_statement_that_is_gone_is_sent_again(reader: Reader) -> None:
    for _ in range(3):
        await reader.fetch(a(NONCE), [b"x"])
    answers = await asyncio.gather(
        reader.fetch(a("DEALLOCATE ALL"), []), *(value_of(reader, a(NONCE), [b"%d" % i]) for i in range(5))
    )
    assert answers == [[], *(own(i) for i in range(5))]
    assert await value_of(reader, a(NONCE), [b"again"]) == own("again")


async def test_a_result_type_changed_by_ddl(reader: Reader, admin: psycopg.AsyncConnection) -> None:
    everything = a(f"SELECT * FROM {A}.item WHERE id = $1")
    for _ in range(3):
        assert await reader.fetch(everything, [b"1"]) == [(b"1", b"item 1")]
    await admin.execute(f"ALTER TABLE {A}.item ADD extra text DEFAULT 'e'")
    answers = await asyncio.gather(*(reader.fetch(everything, [b"%d" % i]) for i in (1, 2, 3)))
    assert answers == [[(b"%d" % i, b"item %d" % i, b"e")] for i in (1, 2, 3)]
    await admin.execute(f"ALTER TABLE {A}.item DROP extra")
    for _ in range(3):
        assert await reader.fetch(everything, [b"1"]) == [(b"1", b"item 1")]


async def test_a_parse_that_fails_prepares_nothing(reader: Reader, admin: psycopg.AsyncConnection) -> None:
    later = a(f"SELECT count(*) FROM {A}.later")
    for _ in range(3):
        errors = await asyncio.gather(*(reader.fetch(later, []) for _ in range(6)), return_exceptions=True)
        assert {error.sqlstate for error in errors if isinstance(error, StatementFailed)} == {"42P01"}
        assert len(errors) == 6
    await admin.execute(f"CREATE TABLE {A}.later (); GRANT SELECT ON {A}.later TO {A}")
    for _ in range(3):
        assert await value_of(reader, later, []) == b"0"


async def test_a_real_refusal_is_not_mistaken_for_a_stale_plan(reader: Reader) -> None:
    """0A000 is also what the server says to what it cannot do at all."""
    for _ in range(4):
        with pytest.raises(StatementFailed) as caught:
            await reader.fetch(a("SELECT 1 FROM other.public.item"), [])
        assert caught.value.sqlstate == "0A000"


# Many at once, and bounds


async def test_fetch_many_keeps_order_and_failures_apart(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=2, depth=4)
    requests = [
        (Statement(NONCE if i % 7 else "SELECT 1/0 WHERE $1::text > ''", (A, B)[i % 2]), [b"%d" % i]) for i in range(60)
    ]
    answers = await reader.fetch_many(requests)
    assert len(answers) == 60
    for i, answer in enumerate(answers):
        if i % 7:
            assert answer == [(f"{i} {(A, B)[i % 2]}".encode(),)]
        else:
            assert isinstance(answer, StatementFailed)
    assert await reader.fetch_many([]) == []


async def test_fetch_many_cancelled_half_way(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, depth=4)
    wide = asyncio.create_task(reader.fetch_many([(a("SELECT pg_sleep(0.02)"), [])] * 100))
    await asyncio.sleep(0.05)
    wide.cancel()
    assert await value_of(reader, a(NONCE), [b"x"]) == own("x")
    with pytest.raises(asyncio.CancelledError):
        await wide


async def test_waiting_is_bounded(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=2, depth=2, max_waiting=5)
    tasks = [
        asyncio.create_task(value_of(reader, a("SELECT $1::text FROM pg_sleep(0.1)"), [b"%d" % i])) for i in range(20)
    ]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[:9] == [b"%d" % i for i in range(9)]
    assert all(isinstance(answer, ReaderBusy) for answer in answers[9:])
    assert await value_of(reader, a(NONCE), [b"x"]) == own("x")


async def test_work_goes_to_the_least_loaded_connection(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=2)
    slow = asyncio.create_task(value_of(reader, a("SELECT pg_backend_pid() FROM pg_sleep(0.2)"), []))
    await asyncio.sleep(0)
    pids = {await value_of(reader, a("SELECT pg_backend_pid()"), []) for _ in range(10)}
    assert not slow.done()
    assert len(pids) == 1
    assert await slow not in pids


async def test_connections_are_replaced_in_good_order(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=2, max_lifetime_s=0.15)
    pids: set[bytes] = set()
    end = asyncio.get_running_loop().time() + 1.2

    async def caller(who: int) -> None:
        while asyncio.get_running_loop().time() < end:
            row = (await reader.fetch(a("SELECT pg_backend_pid(), $1::text, pg_sleep(0.001)"), [b"%d" % who]))[0]
            assert row[1] == b"%d" % who
            pids.add(row[0] or b"")

    await asyncio.gather(*(caller(i) for i in range(12)))
    assert len(pids) > 6


async def test_close_answers_what_is_in_flight_and_refuses_the_rest(make_reader: MakeReader) -> None:
    reader = await make_reader(connections=1, depth=2)
    tasks = [asyncio.create_task(value_of(reader, a("SELECT $1::text FROM pg_sleep(0.1)"), [b"x"])) for _ in range(3)]
    await asyncio.sleep(0.02)
    await reader.close()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[:2] == [b"x", b"x"]
    assert isinstance(answers[2], DatabaseUnavailable)
    with pytest.raises(DatabaseUnavailable):
        await reader.fetch(a("SELECT 1"), [])
    assert isinstance((await reader.fetch_many([(a("SELECT 1"), [])]))[0], ReadError)
    await reader.close()
    await reader.open()
    assert await value_of(reader, a("SELECT 1"), []) == b"1"


async def test_reads_of_one_turn_are_sent_together_with_either_way_to_sync(
    make_reader: MakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg's own Sync stands in where its libpq cannot be called: the answers are the same."""
    statements = [Statement(NONCE, role) for role in (A, B) * 10]
    wanted = [[(f"{number} {each.role}".encode(),)] for number, each in enumerate(statements)]
    for call in (libpq._send_pipeline_sync(), None):
        monkeypatch.setattr(libpq, "_send_pipeline_sync", lambda call=call: call)
        reader = await make_reader(connections=2)
        reads = (reader.fetch(each, (str(number).encode(),)) for number, each in enumerate(statements))
        assert await asyncio.gather(*reads) == wanted


def test_the_wheel_s_own_libpq_is_called() -> None:
    if psycopg.pq.__impl__ == "binary":
        assert libpq._send_pipeline_sync() is not None
