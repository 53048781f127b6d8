"""Transactions on SQLite: one thread reads, one writes, and a transaction is one turn of its thread.

What SQLite does for a statement takes microseconds, less than one change of threads: so the whole of a transaction
goes to where its connection is. Readers never wait for a writer (WAL), nor in the queue behind one: a writer may have
to wait for the write lock of another process, for as long as the busy timeout. A transaction takes that lock when it
begins; one that reads and then writes without it would fail at once. A statement that stands alone is begun and
ended by SQLite itself.

Who stops waiting for a transaction does not stop it: before its turn it is left out, after that it runs to its end.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

BUSY_TIMEOUT = 5.0  # seconds that a writer waits for another one

T = TypeVar("T")


class SqliteThreads:
    """The two threads, which start when they are needed, and their connections."""

    def __init__(self, url: URL) -> None:
        # a connection is made and used in its thread, but closed when that thread is gone
        arguments = {"timeout": BUSY_TIMEOUT, "check_same_thread": False}
        engine = sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool)
        sa.event.listen(engine, "connect", _prepare)
        self._reader = _Thread(engine, "store-reader")
        self._writer = _Thread(engine, "store-writer")

    async def reading(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._reader.run(work)

    async def stating(self, work: Callable[[sa.Connection], T]) -> T:
        return await self._writer.run(work)

    async def writing(self, work: Callable[[sa.Connection], T]) -> T:
        def locked(connection: sa.Connection) -> T:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return work(connection)

        return await self._writer.run(locked)

    async def aclose(self) -> None:
        """Waits for what has been asked for, then closes the connections."""
        await asyncio.gather(self._reader.aclose(), self._writer.aclose())


class _Thread:
    """One thread and the connection that it keeps."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sa.Connection | None = None

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._turn, work)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    def _turn(self, work: Callable[[sa.Connection], T]) -> T:
        """`work` and, if it began a transaction, its end: committed, or rolled back by an exception."""
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            return work(self._connection)

    def _close(self) -> None:
        self._executor.shutdown()
        if self._connection is not None:
            self._connection.close()


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own idea of when to begin is no use: see `writing`
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
