import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from signaling.store import tables
from signaling.store.database import BadDatabaseUrl, Database, driver_url, sqlite_url


async def test_the_migrations_make_exactly_the_tables_of_the_queries(database: Database):
    def differences(connection: sa.Connection) -> list:
        return compare_metadata(MigrationContext.configure(connection), tables.metadata)

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


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
    async def fail() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.insert(tables.server_secrets).values(name="a", value=b"b"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(tables.server_secrets))).first() is None


async def test_writers_wait_for_each_other(database: Database):
    """Each reads and then writes what depends on it: without waiting, some would be lost or fail."""
    table = tables.server_secrets
    async with database.writing() as connection:
        await connection.execute(sa.insert(table).values(name="count", value=b"0"))

    async def count_up() -> None:
        async with database.writing() as connection:
            row = sa.select(table.c.value).where(table.c.name == "count").with_for_update()
            value = int((await connection.execute(row)).scalar_one())
            await connection.execute(sa.update(table).values(value=str(value + 1).encode()))

    await asyncio.gather(*(count_up() for _ in range(20)))
    async with database.reading() as connection:
        assert (await connection.execute(sa.select(table.c.value))).scalar_one() == b"20"


async def test_sqlite_lets_readers_in_while_someone_writes(tmp_path: Path):
    database = Database(sqlite_url(tmp_path / "a.db"))
    await database.start()
    async with database.writing() as writer, asyncio.timeout(2):
        await writer.execute(sa.insert(tables.server_secrets).values(name="a", value=b"b"))
        async with database.reading() as reader:
            assert (await reader.execute(sa.select(tables.server_secrets))).first() is None
    await database.aclose()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////tmp/a.db", "sqlite+aiosqlite"),
        ("postgresql://user:word@host/name", "postgresql+asyncpg"),
        ("postgres://host/name", "postgresql+asyncpg"),
    ],
)
def test_a_url_gets_the_driver_we_use(url: str, driver: str):
    assert driver_url(url).drivername == driver


@pytest.mark.parametrize("url", ["", "folkmoot.db", "mysql://host/name", "postgresql://host:port/name"])
def test_a_url_of_another_kind_is_refused(url: str):
    with pytest.raises(BadDatabaseUrl):
        driver_url(url)
