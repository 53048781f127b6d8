import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from signaling.store import spaces_tables, tables
from signaling.store.database import BadDatabaseUrl, Database, driver_url


async def test_the_migrations_make_exactly_the_tables_of_the_queries(database: Database):
    def differences(connection: sa.Connection) -> list:
        return compare_metadata(MigrationContext.configure(connection), spaces_tables.metadata)

    assert await database.reading(differences) == []


async def test_starting_again_changes_nothing(database: Database, url: str):
    secret = await database.secret("paging", b"first")
    again = Database(url)
    await again.start()
    assert await again.secret("paging", b"second") == secret
    await again.aclose()


async def test_servers_that_start_together_migrate_once(url: str, database: Database):
    others = [Database(url) for _ in range(4)]
    await asyncio.gather(*(other.start() for other in others))
    secrets = await asyncio.gather(*(other.secret("new", bytes([i])) for i, other in enumerate(others)))
    assert len(set(secrets)) == 1
    for other in others:
        await other.aclose()


async def test_a_secret_stays_the_first_one(database: Database):
    assert await database.secret("paging", b"first") == b"first"
    assert await database.secret("paging", b"second") == b"first"
    assert await database.secret("other", b"third") == b"third"


async def test_an_exception_undoes_the_transaction(database: Database):
    def fail(connection: sa.Connection) -> None:
        put(connection, "a")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.writing(fail)
    assert await database.reading(names) == []
    await database.writing(put, "b")
    assert await database.reading(names) == ["b"]


async def test_a_statement_that_fails_leaves_nothing_open(database: Database):
    await database.stating(put, "a")
    with pytest.raises(sa.exc.IntegrityError):
        await database.stating(put, "a")
    await database.writing(put, "b")
    assert await database.reading(names) == ["a", "b"]


async def test_writers_wait_for_each_other(database: Database, url: str):
    """Each reads and then writes what depends on it: without waiting, some would be lost or fail."""
    table = tables.server_secrets
    await database.stating(put, "count", b"0")

    def count_up(connection: sa.Connection) -> None:
        row = sa.select(table.c.value).where(table.c.name == "count").with_for_update()
        value = int(connection.execute(row).scalar_one())
        connection.execute(sa.update(table).values(value=str(value + 1).encode()))

    other = Database(url)
    await asyncio.gather(*(each.writing(count_up) for each in (database, other) for _ in range(10)))
    assert await other.secret("count", b"") == b"20"
    await other.aclose()


async def test_it_may_be_closed_twice(url: str, database: Database):
    unused = Database(url)
    for each in (database, unused):
        await each.aclose()
        await each.aclose()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////tmp/a.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////tmp/a.db", "sqlite+pysqlite"),
        ("postgresql://user:word@host/name", "postgresql+asyncpg"),
        ("postgres://host/name", "postgresql+asyncpg"),
    ],
)
def test_a_url_gets_the_driver_we_use(url: str, driver: str):
    assert driver_url(url).drivername == driver


@pytest.mark.parametrize(
    "url",
    [
        "",
        "folkmoot.db",
        "mysql://host/name",
        "postgresql://host:port/name",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_a_url_of_another_kind_is_refused(url: str):
    with pytest.raises(BadDatabaseUrl):
        driver_url(url)


def put(connection: sa.Connection, name: str, value: bytes = b"") -> None:
    connection.execute(sa.insert(tables.server_secrets).values(name=name, value=value))


def names(connection: sa.Connection) -> list[str]:
    table = tables.server_secrets
    return list(connection.execute(sa.select(table.c.name).order_by(table.c.name)).scalars())
