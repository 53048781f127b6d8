"""The engine, its transactions, and bringing the schema up to date.

SQLite (a file in the data directory) or PostgreSQL, by URL. On SQLite a transaction takes the write lock when it
begins: waiting there is bounded by the busy timeout, while a read transaction that turns into a write fails at once.
A statement that stands alone is begun and ended by SQLite itself, on a connection that is never in a transaction and
needs no resetting: each word to SQLite is a turn of another thread, and a join waits for all of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from signaling.store import tables

BUSY_TIMEOUT = 5.0  # seconds that a writer waits for another one (SQLite)
POOL_SIZE = 8  # connections
MIGRATION_LOCK = 0x466F6C6B  # PostgreSQL: servers that start together migrate one after the other

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class BadDatabaseUrl(ValueError):
    """The URL cannot be read or names a database we have no driver for."""


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string()


def driver_url(url: str) -> URL:
    """`url` with the asynchronous driver we use."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise BadDatabaseUrl("must be a URL such as postgresql://user:password@host/name") from None
    if parsed.drivername not in _DRIVERS:
        raise BadDatabaseUrl("must begin with sqlite:/// or postgresql://")
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


class Database:
    """Every access to the store goes through `reading()`, `writing()` or, for one statement, `stating()`."""

    def __init__(self, url: str) -> None:
        parsed = driver_url(url)
        self._writer = _engine(parsed)
        self._stater = _stater(parsed) or self._writer.execution_options(isolation_level="AUTOCOMMIT")

    async def start(self) -> None:
        """Connects and applies the migrations that are missing."""
        async with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            await connection.run_sync(_migrate)

    async def aclose(self) -> None:
        await self._writer.dispose()
        await self._stater.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For statements that change nothing; each sees what is there when it runs."""
        async with self._stater.connect() as connection:
            yield connection

    @asynccontextmanager
    async def stating(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that changes something, a transaction of its own."""
        async with self._stater.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        async with self._writer.begin() as connection:
            yield connection

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The secret of that name, which all servers on this database share; `fresh` becomes it the first time."""
        table = tables.server_secrets
        wanted = sa.select(table.c.value).where(table.c.name == name)
        async with self.writing() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(sa.text("LOCK TABLE server_secrets IN EXCLUSIVE MODE"))
            known = (await connection.execute(wanted)).scalar()
            if known is None:
                await connection.execute(sa.insert(table).values(name=name, value=fresh))
            return fresh if known is None else bytes(known)


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT})
    sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _stater(url: URL) -> AsyncEngine | None:
    """SQLite: connections apart, which are never in a transaction, so that nothing has to be rolled back."""
    if url.get_backend_name() != "sqlite":
        return None
    engine = create_async_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
    )
    sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sa.engine.interfaces.DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own idea of when to begin is no use: see _begin_sqlite
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
