"""Databases: what keeps something is tested over every one that is supported."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from signaling.store.database import Database, sqlite_url
from tests.support.postgresql import postgresql


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database without tables."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "folkmoot.db")
    return request.getfixturevalue("postgresql_server")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    if url.startswith("postgresql"):
        await database.writing(empty)
    await database.start()
    yield database
    await database.aclose()


def empty(connection: sa.Connection) -> None:
    connection.execute(sa.text("DROP SCHEMA public CASCADE"))
    connection.execute(sa.text("CREATE SCHEMA public"))
