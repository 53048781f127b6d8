"""Transactions on PostgreSQL: a pool of connections that the event loop serves, each `work` in a greenlet of its own.

A statement that stands alone is its own transaction: nothing is said to begin or end one. Who stops waiting for a
transaction stops it: it is rolled back.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

POOL_SIZE = 8  # connections

T = TypeVar("T")


class PostgresqlPool:
    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(url, pool_size=POOL_SIZE, pool_pre_ping=True)
        self._stater = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    async def reading(self, work: Callable[[sa.Connection], T]) -> T:
        return await self.stating(work)

    async def stating(self, work: Callable[[sa.Connection], T]) -> T:
        async with self._stater.connect() as connection:
            return await connection.run_sync(work)

    async def writing(self, work: Callable[[sa.Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def aclose(self) -> None:
        await self._engine.dispose()
