"""What the reader does when connections fail: killed backends, resets, silence, a server that is away, and a storm.

A small TCP proxy stands between reader and server and does to the bytes what networks do.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
import pytest_asyncio
import uvloop
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tenants.errors import DatabaseUnavailable, ReaderBusy, ReadError, StatementFailed, StatementTimeout
from tenants.reader import Reader, Statement
from tests.tenants.asking import rows_of, value_of

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
ROLES = [f"t_storm_{name}{WORKER}" for name in "abc"]
STILL_RUNNING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE state = 'active' AND query LIKE '%''unwanted''%' AND pid <> pg_backend_pid()
"""
NONCE = "SELECT $1::text || ' ' || current_user"


class Proxy:
    """Forwards TCP connections to the server, and can reset, stall, cut, garble or refuse them."""

    def __init__(self, url: str) -> None:
        given = conninfo_to_dict(url)
        self.host = str(given.get("host") or "127.0.0.1")
        self.port = int(given.get("port") or 5432)
        self.url = url
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.cut_next = self.garble_next = False
        self.clients: list[asyncio.StreamWriter] = []
        self.listen_port = 0
        self.tasks: list[asyncio.Task[None] | None] = []

    async def start(self) -> str:
        """Listen (on the same port as before, if any) and give the connection string through here."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.listen_port)
        self.listen_port = self.server.sockets[0].getsockname()[1]
        return make_conninfo(self.url, host="127.0.0.1", hostaddr="127.0.0.1", port=self.listen_port)

    async def stop(self) -> None:
        """Refuse new connections, and reset those there are."""
        self.server.close()
        self.flowing.set()
        while self.clients:
            self.reset()
        await asyncio.gather(*(task for task in self.tasks if task), return_exceptions=True)

    def reset(self) -> None:
        """One random connection ends in a RST."""
        if self.clients:
            client = self.clients.pop(random.randrange(len(self.clients)))
            with suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                client.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            client.transport.abort()
            client.close()

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.tasks.append(asyncio.current_task())
        self.clients.append(client)
        if self.host.startswith("/"):
            answers, server = await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}")
        else:
            answers, server = await asyncio.open_connection(self.host, self.port)
        ways = [asyncio.create_task(self._ask(reader, server)), asyncio.create_task(self._answer(answers, client))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            client.close()
            server.close()
            if client in self.clients:
                self.clients.remove(client)

    async def _ask(self, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.flowing.wait()
            server.write(data)
            await server.drain()

    async def _answer(self, answers: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await answers.read(65536):
            await self.flowing.wait()
            if self.cut_next:
                self.cut_next = False
                client.write(data[: len(data) // 2])
                return
            client.write(b"\x01\x02\x03" + data if self.garble_next else data)
            self.garble_next = False
            await client.drain()


@pytest.fixture
def square(fresh_database: str) -> Iterator[str]:
    """A database on a server that has the roles of the storm."""
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        options = " WITH SET TRUE" if conn.info.server_version >= 160000 else ""
        for role in ROLES:
            conn.execute(f"DROP ROLE IF EXISTS {role}")
            conn.execute(f"CREATE ROLE {role}")
            conn.execute(f"GRANT {role} TO CURRENT_USER{options}")
        yield fresh_database
        for role in ROLES:
            conn.execute(f"DROP ROLE {role}")


@pytest_asyncio.fixture
async def proxy(square: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(square)
    yield proxy
    await proxy.stop()


@asynccontextmanager
async def opened(url: str, **settings: int | float) -> AsyncIterator[Reader]:
    reader = Reader(url, **settings)  # type: ignore[arg-type]
    await reader.open()
    try:
        yield reader
    finally:
        await reader.close()


async def ask(reader: Reader, nonce: str) -> bytes | None:
    return await value_of(reader, Statement(NONCE, ROLES[0]), [nonce.encode()])


def answer(nonce: str) -> bytes:
    return f"{nonce} {ROLES[0]}".encode()


async def kill_readers(url: str, which: str = "") -> int:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        cursor = await conn.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity "
            f"WHERE application_name = 'plein reader' AND datname = current_database() {which}) victims"
        )
        row = await cursor.fetchone()
        return int(row[0]) if row else 0


# --- one thing at a time ---------------------------------------------------------------------------------------------


async def test_a_backend_killed_while_idle_is_replaced(square: str) -> None:
    async with opened(square, connections=2) as reader:
        for turn in range(5):
            assert await kill_readers(square) > 0
            answers = await asyncio.gather(*(ask(reader, f"{turn}.{i}") for i in range(20)))
            assert answers == [answer(f"{turn}.{i}") for i in range(20)]


async def test_reads_lost_with_a_backend_are_tried_once_more(square: str) -> None:
    async with opened(square, connections=2) as reader:
        slow = Statement("SELECT $1::text FROM pg_sleep(0.3)", ROLES[0])
        tasks = [asyncio.create_task(value_of(reader, slow, [b"%d" % i])) for i in range(4)]
        await asyncio.sleep(0.1)
        assert await kill_readers(square) == 2
        assert await asyncio.gather(*tasks) == [b"%d" % i for i in range(4)]


async def test_a_read_that_kills_its_backend_is_not_tried_for_ever(square: str) -> None:
    async with opened(square, connections=2) as reader:
        deadly = Statement("SELECT pg_terminate_backend(pg_backend_pid())", str(conninfo_to_dict(square)["user"]))
        with pytest.raises(DatabaseUnavailable) as caught:
            await reader.fetch(deadly, [])
        assert caught.value.retryable
        assert await ask(reader, "after") == answer("after")


async def test_resets_cuts_and_garbage(proxy: Proxy) -> None:
    async with opened(await proxy.start(), connections=2) as reader:
        for turn in range(9):
            tasks = [asyncio.create_task(ask(reader, f"{turn}.{i}")) for i in range(20)]
            await asyncio.sleep(0)
            if turn % 3 == 0:
                proxy.reset()
            proxy.cut_next = turn % 3 == 1
            proxy.garble_next = turn % 3 == 2
            assert await asyncio.gather(*tasks) == [answer(f"{turn}.{i}") for i in range(20)]


async def test_a_silent_server_is_given_up(proxy: Proxy) -> None:
    async with opened(await proxy.start(), connections=2, statement_timeout_ms=200) as reader:
        proxy.flowing.clear()
        started = time.monotonic()
        tasks = [asyncio.create_task(ask(reader, f"{i}")) for i in range(6)]
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert 2 < time.monotonic() - started < 5
        assert all(isinstance(error, DatabaseUnavailable) for error in answers)
        proxy.flowing.set()
        await recovered(reader)


async def test_a_statement_that_nobody_waits_for_is_given_up(square: str) -> None:
    """The server ends it, long before its time is over; what was sent behind it is answered."""
    async with opened(square, connections=1, statement_timeout_ms=20_000) as reader:
        began = time.monotonic()
        unwanted = asyncio.create_task(rows_of(reader, Statement("SELECT pg_sleep(15), 'unwanted'", ROLES[0]), []))
        await asyncio.sleep(0.05)
        behind = asyncio.create_task(value_of(reader, Statement(NONCE, ROLES[1]), [b"behind"]))
        await asyncio.sleep(0)
        unwanted.cancel()
        assert await behind == f"behind {ROLES[1]}".encode()
        assert time.monotonic() - began < 3
        with psycopg.connect(square, autocommit=True) as connection:
            while connection.execute(STILL_RUNNING).fetchone() != (0,):
                assert time.monotonic() - began < 8, "it still runs"
                await asyncio.sleep(0.05)


async def test_a_server_that_is_away_fails_fast_and_comes_back_by_itself(proxy: Proxy) -> None:
    async with opened(await proxy.start(), connections=2) as reader:
        assert await ask(reader, "before") == answer("before")
        await proxy.stop()
        started = time.monotonic()
        errors = await asyncio.gather(*(ask(reader, f"{i}") for i in range(50)), return_exceptions=True)
        assert all(isinstance(error, DatabaseUnavailable) for error in errors)
        assert time.monotonic() - started < 1.6
        started = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await ask(reader, "at once")
        assert time.monotonic() - started < 0.1
        await proxy.start()
        await recovered(reader)


async def test_a_short_absence_is_not_noticed(proxy: Proxy) -> None:
    async with opened(await proxy.start(), connections=2) as reader:
        await proxy.stop()
        tasks = [asyncio.create_task(ask(reader, f"{i}")) for i in range(50)]
        await asyncio.sleep(0.2)
        await proxy.start()
        assert await asyncio.gather(*tasks) == [answer(f"{i}") for i in range(50)]


async def test_open_says_when_there_is_nothing(proxy: Proxy) -> None:
    url = await proxy.start()
    await proxy.stop()
    reader = Reader(url, connections=2)
    with pytest.raises(DatabaseUnavailable, match="cannot connect"):
        await reader.open()
    await reader.close()
    await proxy.start()
    await reader.open()
    assert await ask(reader, "now") == answer("now")
    await reader.close()


async def test_close_while_the_server_is_away(proxy: Proxy) -> None:
    async with opened(await proxy.start(), connections=2) as reader:
        await proxy.stop()
        waiting = asyncio.create_task(ask(reader, "x"))
        await asyncio.sleep(0.05)
    with pytest.raises(DatabaseUnavailable):
        await waiting


async def recovered(reader: Reader) -> None:
    """Answers again within some seconds, all that is asked at once; what is answered before that is right as well."""
    deadline, expected = time.monotonic() + 10, [answer(f"{i}") for i in range(100)]
    while True:
        # A connection that is broken may not be known to be, and a read that it takes down may meet another one.
        got = await asyncio.gather(*(ask(reader, f"{i}") for i in range(100)), return_exceptions=True)
        failed = [each for each in got if isinstance(each, DatabaseUnavailable)]
        assert [each for each in got if each not in failed] == [
            right for right, each in zip(expected, got, strict=True) if each not in failed
        ]
        if not failed:
            return
        assert time.monotonic() < deadline, failed[0]
        await asyncio.sleep(0.05)


# --- the storm -------------------------------------------------------------------------------------------------------

PERMITTED = (DatabaseUnavailable, ReaderBusy)


class Storm:
    """Many callers whose every answer must carry their own nonce and role, while everything around them breaks."""

    def __init__(self, reader: Reader, seed: int) -> None:
        self.reader = reader
        self.seed = seed
        self.random = random.Random(seed)
        self.counted: Counter[str] = Counter()
        self.number = 0
        self.began = time.monotonic()
        self.events: deque[str] = deque(maxlen=30)

    def note(self, event: str) -> None:
        """Remember what happened lately, to be told with what was not right."""
        self.events.append(f"{time.monotonic() - self.began:.3f} {event}")

    async def one(self) -> None:
        """One random read and the check of what came back."""
        rnd = self.random
        self.number += 1
        nonce = b"%d" % self.number
        role = rnd.choice(ROLES)
        size = rnd.choice([0, 10, 100, 5_000, 200_000])
        kind = rnd.choices(
            ["value", "rows", "once", "echo", "error", "role", "parse", "many", "slow"], [9, 9, 3, 3, 3, 2, 2, 1, 1]
        )[0]
        try:
            await getattr(self, f"_{kind}")(nonce, role, size)
            self.counted[kind] += 1
        except PERMITTED as error:
            self.counted[type(error).__name__] += 1
        except StatementTimeout:  # a busy machine may not get to a statement in time
            self.counted["late"] += 1
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self.note(f"read {self.number} fails: {type(error).__name__}")
                facts = f"{kind} {nonce.decode()} as {role}, {size} long; seed {self.seed}, load {self.reader.load}"
                error.add_note("\n".join((facts, f"so far: {dict(self.counted)}", "lately:", *self.events)))
            raise

    async def _value(self, nonce: bytes, role: str, size: int) -> None:
        text = "SELECT $1::text || ' ' || current_user || repeat('x', $2::int)"
        got = await value_of(self.reader, Statement(text, role), [nonce, b"%d" % size])
        assert got == b"%s %s" % (nonce, role.encode()) + b"x" * size

    async def _rows(self, nonce: bytes, role: str, size: int) -> None:
        text = "SELECT $1::text, i, current_user FROM generate_series(1, $2::int) i"
        count = min(size, 200)
        got = await self.reader.fetch(Statement(text, role), [nonce, b"%d" % count])
        assert got == [(nonce, b"%d" % (i + 1), role.encode()) for i in range(count)]

    async def _once(self, nonce: bytes, role: str, size: int) -> None:
        text = f"SELECT '{nonce.decode()}' || $1::text"
        assert await value_of(self.reader, Statement(text, role), [b"."]) == nonce + b"."

    async def _echo(self, nonce: bytes, role: str, size: int) -> None:
        sent = nonce + b"y" * size
        assert await value_of(self.reader, Statement("SELECT $1::text", role), [sent]) == sent

    async def _error(self, nonce: bytes, role: str, size: int) -> None:
        failed = await self._failed(Statement("SELECT ($1::text || ' is no number')::int", role), nonce)
        assert failed.sqlstate == "22P02"
        assert f'"{nonce.decode()} is no number"' in failed.message

    async def _role(self, nonce: bytes, role: str, size: int) -> None:
        failed = await self._failed(Statement("SELECT $1::text", f"missing_{nonce.decode()}"), nonce)
        assert f'"missing_{nonce.decode()}"' in failed.message

    async def _parse(self, nonce: bytes, role: str, size: int) -> None:
        assert (await self._failed(Statement("SELECT $1::text FROM nothing.here", role), nonce)).sqlstate == "42P01"

    async def _failed(self, statement: Statement, nonce: bytes) -> StatementFailed:
        """What the server says of a statement that must fail, unless that came too late."""
        with pytest.raises(StatementFailed) as caught:
            await self.reader.fetch(statement, [nonce])
        if isinstance(caught.value, StatementTimeout):
            raise caught.value
        return caught.value

    async def _many(self, nonce: bytes, role: str, size: int) -> None:
        answers = await self.reader.fetch_many(
            [(Statement(NONCE, ROLES[i % 3]), [b"%s.%d" % (nonce, i)]) for i in range(30)]
        )
        assert len(answers) == 30
        for i, got in enumerate(answers):
            if not isinstance(got, ReadError):
                assert got == [(b"%s.%d %s" % (nonce, i, ROLES[i % 3].encode()),)]
            else:
                assert isinstance(got, (*PERMITTED, StatementTimeout)), got

    async def _slow(self, nonce: bytes, role: str, size: int) -> None:
        seconds = self.random.choice([0.01, 0.05, 3])
        read = value_of(
            self.reader, Statement("SELECT $1::text FROM pg_sleep($2::float)", role), [nonce, b"%f" % seconds]
        )
        try:
            assert await read == nonce
        except StatementTimeout:
            if seconds != 3:
                raise

    async def caller(self, end: float) -> None:
        """Read after read, one in ten of them cancelled."""
        while time.monotonic() < end:
            if self.random.random() > 0.1:
                await self.one()
                continue
            task = asyncio.create_task(self.one())
            await asyncio.sleep(self.random.choice([0, 0, 0.001, 0.01]))
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.counted["cancelled" if task.cancelled() else "too late to cancel"] += 1

    async def weather(self, proxy: Proxy, end: float) -> None:
        """Something breaks, again and again."""
        rnd = self.random
        while time.monotonic() < end:
            await asyncio.sleep(rnd.uniform(0, 0.15))
            kind = rnd.randrange(5)
            self.note(("reset", "cut", "garble", "kill", "stall")[kind])
            match kind:
                case 0:
                    proxy.reset()
                case 1:
                    proxy.cut_next = True
                case 2:
                    proxy.garble_next = True
                case 3:
                    await kill_readers(proxy.url, "ORDER BY random() LIMIT 1")
                case 4:
                    proxy.flowing.clear()
                    await asyncio.sleep(rnd.uniform(0, 0.1))
                    proxy.flowing.set()


async def storm(url: str, seconds: float, seed: int, callers: int) -> Counter[str]:
    proxy = Proxy(url)
    settings = {"connections": 4, "depth": 8, "statement_timeout_ms": 400, "prepared_per_connection": 20}
    async with opened(await proxy.start(), max_lifetime_s=0.7, max_waiting=500, **settings) as reader:
        it = Storm(reader, seed)
        end = time.monotonic() + seconds
        await asyncio.gather(it.weather(proxy, end), *(it.caller(end) for _ in range(callers)))
        proxy.cut_next = proxy.garble_next = False
        try:
            await recovered(reader)
        except BaseException as error:
            error.add_note("\n".join((f"seed {seed}, load {reader.load}, {dict(it.counted)}", "lately:", *it.events)))
            raise
    await proxy.stop()
    return it.counted


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_no_answer_ever_reaches_the_wrong_request(square: str, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
    seconds = float(os.environ.get("STORM_SECONDS", "4"))
    outcome: list[Counter[str] | BaseException] = []

    def in_thread() -> None:
        try:
            outcome.append(run(storm(square, seconds, seed=random.randrange(10**6), callers=80)))
        except BaseException as error:  # carried to the test's own thread
            outcome.append(error)

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    counted = outcome[0]
    if isinstance(counted, BaseException):
        raise counted
    print(dict(counted))
    for kind in ("value", "rows", "once", "echo", "error", "role", "parse", "many", "slow", "cancelled"):
        assert counted[kind] > 0, counted
    # Most reads come through; how many there are is the machine's affair.
    assert counted["late"] + counted["DatabaseUnavailable"] + counted["ReaderBusy"] < counted.total() / 5, counted
