"""What is special about SQLite: its threads, its one writer, and what becomes of it when nobody waits any more."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from signaling.store import sqlite, tables
from signaling.store.database import Database, sqlite_url

PATIENCE = 10  # seconds after which a test has failed


class Slow:
    """A transaction that writes a name, then stops until it is released, then writes another."""

    def __init__(self) -> None:
        self._begun, self._released = threading.Event(), threading.Event()

    def __call__(self, connection: sa.Connection) -> str:
        put(connection, "first")
        self._begun.set()
        assert self._released.wait(PATIENCE)
        put(connection, "second")
        return "done"

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, PATIENCE)

    def release(self) -> None:
        self._released.set()


@pytest.fixture
def slow() -> Iterator[Slow]:
    work = Slow()
    yield work
    work.release()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
async def database(path: Path, slow: Slow) -> AsyncIterator[Database]:
    database = Database(sqlite_url(path))
    await database.start()
    yield database
    slow.release()
    await database.aclose()


@contextmanager
def other_process_writing(path: Path) -> Iterator[None]:
    """Holds the write lock."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.rollback()
    engine.dispose()


async def test_readers_come_in_while_a_transaction_is_open(database: Database, slow: Slow):
    writing = asyncio.create_task(database.writing(slow))
    await slow.begun()
    async with asyncio.timeout(PATIENCE):
        assert await database.reading(names) == []
    slow.release()
    assert await writing == "done"
    assert await database.reading(names) == ["first", "second"]


async def test_a_writer_that_waits_does_not_delay_readers(database: Database, path: Path):
    with other_process_writing(path):
        works = [database.stating(put, "stating"), database.writing(put, "writing")]
        writers = [asyncio.create_task(work) for work in works]
        for _ in range(10):
            assert await database.reading(names) == []
        assert not any(writer.done() for writer in writers)
    await asyncio.gather(*writers)
    assert await database.reading(names) == ["stating", "writing"]


@pytest.mark.parametrize("kind", ["stating", "writing"])
async def test_a_writer_gives_up_when_another_process_keeps_the_lock(
    path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0)
    database = Database(sqlite_url(path))
    await database.start()
    write = getattr(database, kind)
    with other_process_writing(path), pytest.raises(sa.exc.OperationalError, match="database is locked"):
        await write(put, "a")
    await write(put, "b")
    assert await database.reading(names) == ["b"]
    await database.aclose()


async def test_a_transaction_nobody_waits_for_any_more_is_finished(database: Database, slow: Slow):
    writing = asyncio.create_task(database.writing(slow))
    await slow.begun()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    slow.release()
    await database.writing(put, "third")
    assert await database.reading(names) == ["first", "second", "third"]


async def test_a_transaction_nobody_waits_for_before_its_turn_is_left_out(database: Database, slow: Slow):
    writing = asyncio.create_task(database.writing(slow))
    await slow.begun()
    waiting = asyncio.create_task(database.writing(put, "third"))
    await asyncio.sleep(0)  # it is in the queue now
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slow.release()
    await writing
    await database.writing(put, "fourth")
    assert await database.reading(names) == ["first", "fourth", "second"]


async def test_closing_waits_for_what_has_been_asked_for(path: Path, database: Database, slow: Slow):
    writing = asyncio.create_task(database.writing(slow))
    await slow.begun()
    waiting = asyncio.create_task(database.stating(put, "third"))
    await asyncio.sleep(0)  # it is in the queue now
    closing = asyncio.create_task(database.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    slow.release()
    await closing
    assert (await writing, await waiting) == ("done", None)
    again = Database(sqlite_url(path))
    assert await again.reading(names) == ["first", "second", "third"]
    await again.aclose()


async def test_closing_leaves_no_thread_and_no_open_file(path: Path, database: Database):
    await database.reading(names)
    assert path.with_name("a.db-wal").exists()
    await database.aclose()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("store-")]
    assert not path.with_name("a.db-wal").exists()  # the last connection takes the log with it


@pytest.mark.parametrize("kind", ["reading", "stating", "writing"])
async def test_every_connection_is_safe_in_a_crash_and_patient(database: Database, kind: str):
    def pragmas(connection: sa.Connection) -> list[object]:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in asked]

    normal, milliseconds = 1, round(sqlite.BUSY_TIMEOUT * 1000)
    assert await getattr(database, kind)(pragmas) == ["wal", normal, 1, milliseconds]


def put(connection: sa.Connection, name: str) -> None:
    connection.execute(sa.insert(tables.server_secrets).values(name=name, value=b""))


def names(connection: sa.Connection) -> list[str]:
    table = tables.server_secrets
    return list(connection.execute(sa.select(table.c.name).order_by(table.c.name)).scalars())
