"""Passwords: kept as slow salted hashes, checked in few threads, and not too often for one name.

scrypt (RFC 7914) with 16 MiB takes about 50 ms of a core: as many at a time as there are cores, and a bounded number of
failures a minute for each name, so that nobody can make the server do nothing else.
"""

import asyncio
import base64
import hashlib
import hmac
import os
from concurrent.futures import ThreadPoolExecutor

from mediaserver import Clock
from signaling.services.errors import TooMany

COST, BLOCK, LANES = 1 << 14, 8, 1  # scrypt's N, r and p: 16 MiB
SALT_BYTES = 16
KEY_BYTES = 32
FAILURES = 10  # a minute for each name
NAMES_KEPT = 10_000
MINUTE = 60.0
MAX_WAITING = 64


class Passwords:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="password")
        self._waiting = 0
        self._failures: dict[str, list[float]] = {}

    async def hash(self, password: str) -> str:
        return await self._run(password, os.urandom(SALT_BYTES))

    async def matches(self, name: str, password: str, stored: str | None) -> bool:
        """Whether it is the password of whoever is called so; as slow where there is nobody (`stored` None)."""
        now = self._clock.monotonic()
        recent = [at for at in self._failures.get(name, ()) if now - at < MINUTE]
        if len(recent) >= FAILURES:
            raise TooMany("Too many attempts: try again in a minute.")
        salt = _salt(stored) if stored else bytes(SALT_BYTES)
        found = await self._run(password, salt)
        if stored is not None and hmac.compare_digest(found, stored):
            self._failures.pop(name, None)
            return True
        self._failures[name] = [*recent, now]
        if len(self._failures) > NAMES_KEPT:
            del self._failures[next(iter(self._failures))]
        return False

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, password: str, salt: bytes) -> str:
        if self._waiting >= MAX_WAITING:
            raise TooMany("Too many people sign in just now: try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, _hash, password, salt)
        finally:
            self._waiting -= 1


def _hash(password: str, salt: bytes) -> str:
    key = hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=BLOCK, p=LANES, maxmem=1 << 26, dklen=KEY_BYTES
    )
    return f"scrypt${COST}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def _salt(stored: str) -> bytes:
    return base64.b64decode(stored.split("$")[2])
