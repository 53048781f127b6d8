"""The way to the store, and bringing its schema up to date.

SQLite (a file in the data directory) or PostgreSQL, by URL: `sqlite.py` and `postgresql.py` run the transactions.
What a transaction does is a plain function that is given the connection. It may run in another thread, so it takes
what it needs as arguments and returns values, no rows that are still to be fetched.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import URL, make_url

from signaling.store import tables
from signaling.store.postgresql import PostgresqlPool
from signaling.store.sqlite import SqliteThreads

AFTER_COMMIT = "after_commit"
MIGRATION_LOCK = 0x466F6C6B  # PostgreSQL: servers that start together migrate one after the other

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "sqlite+aiosqlite": "sqlite+pysqlite",  # which some configurations name
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_IN_MEMORY = (None, "", ":memory:")  # each connection would have a database of its own

Connection = sa.Connection
P = ParamSpec("P")
T = TypeVar("T")


class BadDatabaseUrl(ValueError):
    """The URL cannot be read or names a database we have no driver for."""


def sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string()


def driver_url(url: str) -> URL:
    """`url` with the driver we use."""
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise BadDatabaseUrl("must be a URL such as postgresql://user:password@host/name") from None
    if parsed.drivername not in _DRIVERS:
        raise BadDatabaseUrl("must begin with sqlite:/// or postgresql://")
    if _is_sqlite(parsed) and parsed.database in _IN_MEMORY:
        raise BadDatabaseUrl("must name the file, such as sqlite:////var/lib/folkmoot/folkmoot.db")
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


class Transactions(Protocol):
    """How one kind of database runs what `Database` is asked for."""

    async def reading(self, work: Callable[[Connection], T]) -> T: ...

    async def stating(self, work: Callable[[Connection], T]) -> T: ...

    async def writing(self, work: Callable[[Connection], T]) -> T: ...

    async def aclose(self) -> None: ...


class Database:
    """Every access to the store goes through `reading`, `writing` or, for one statement, `stating`.

    Each calls `work` with a connection and the arguments that follow, and returns or raises what it does.
    """

    def __init__(self, url: str) -> None:
        parsed = driver_url(url)
        self._transactions: Transactions = SqliteThreads(parsed) if _is_sqlite(parsed) else PostgresqlPool(parsed)

    async def start(self) -> None:
        """Connects and applies the migrations that are missing."""
        await self.writing(_migrate)

    async def aclose(self) -> None:
        """Ends the connections. Call it last: nothing can be asked for any more."""
        await self._transactions.aclose()

    async def reading(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For statements that change nothing; each sees what is there when it runs."""
        return await self._transactions.reading(lambda connection: work(connection, *args, **kwargs))

    async def stating(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For one statement that changes something, a transaction of its own."""
        return await self._transactions.stating(lambda connection: work(connection, *args, **kwargs))

    async def writing(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A transaction: committed when `work` returns, rolled back by an exception."""
        afterwards: list[Callable[[], object]] = []

        def prepared(connection: Connection) -> T:
            connection.info[AFTER_COMMIT] = afterwards
            return work(connection, *args, **kwargs)

        result = await self._transactions.writing(prepared)
        for callback in afterwards:
            callback()
        return result

    async def secret(self, name: str, fresh: bytes) -> bytes:
        """The secret of that name, which all servers on this database share; `fresh` becomes it the first time."""
        return await self.writing(_secret, name, fresh)


def after_commit(connection: Connection, callback: Callable[[], object]) -> None:
    """Calls back in the event loop once the transaction is committed, which has to be one of `writing`.

    Not called if nobody waits for the transaction any more, nor if the process ends right now.
    """
    connection.info[AFTER_COMMIT].append(callback)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _secret(connection: Connection, name: str, fresh: bytes) -> bytes:
    table = tables.server_secrets
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("LOCK TABLE server_secrets IN EXCLUSIVE MODE"))
    known = connection.execute(sa.select(table.c.value).where(table.c.name == name)).scalar()
    if known is None:
        connection.execute(sa.insert(table).values(name=name, value=fresh))
    return fresh if known is None else bytes(known)


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
