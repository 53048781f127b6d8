"""The one way in which the server follows URLs that callers gave: layers, slides, playbacks, webhooks, forwards.

Decides nothing about addresses, that is `addresses.py`'s; sees to it that its answer counts. A name is resolved here,
all it resolves to is checked, and the connection goes to exactly that: what the name resolves to a moment later does
not matter. Once more, each socket is checked right before it is made. No proxies, cookies, stored credentials or
caches take part. `get` and `save` fetch, following a few redirects, each as if it had been given; `send` posts and
the like, following none. Whatever cannot be fetched within the limits of size and time is FetchRefused.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import (
    AddrInfoType,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    hdrs,
)
from aiohttp.abc import AbstractResolver, ResolveResult

from signaling.addresses import HTTP, Target, check_address, read_target, special
from signaling.responses import chunks_of, media_type_of, next_place, url_of
from signaling.services.errors import FetchRefused
from signaling.settings import Fetch
from signaling.version import VERSION

MAX_REDIRECTS = 3
MAX_AT_ONCE = 32  # fetches; each may hold `fetch.max_bytes`
RESOLVERS = 64  # threads; a name nobody answers for keeps one for seconds
USER_AGENT = f"Folkmoot/{VERSION}"
_REDIRECTS = (301, 302, 303, 307, 308)


class HostUnknown(FetchRefused):
    """Nobody knows the name; somebody may later."""

    def __init__(self) -> None:
        super().__init__("its host is unknown")


Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name; OSError if there are none."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`url` is where it was found in the end."""

    body: bytes
    media_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Saved:
    path: Path
    size_bytes: int
    media_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """Made once, with a running loop or without; `aclose` ends what it keeps."""

    def __init__(self, settings: Fetch, resolve: Resolve | None = None) -> None:
        self._settings = settings
        self._names = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="names")
        self._resolve: Resolve = resolve or self._ask_system
        self._fetches = asyncio.Semaphore(MAX_AT_ONCE)
        self._session: ClientSession | None = None

    async def aclose(self) -> None:
        self._names.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, *, max_bytes: int | None = None, accept: Collection[str] = ()) -> Fetched:
        """What is there, in memory. `accept`: media types such as `image/png` or `image/*`; none means any."""
        chunks: list[bytes] = []

        async def keep(chunk: bytes) -> None:
            chunks.append(chunk)

        media_type, found, _ = await self._fetch(url, max_bytes, accept, keep)
        return Fetched(b"".join(chunks), media_type, found)

    async def save(
        self,
        url: str,
        path: Path,
        *,
        max_bytes: int | None = None,
        accept: Collection[str] = (),
        within: float | None = None,
    ) -> Saved:
        """The same into a file, which must not be there yet; a fetch that fails leaves none."""
        file = await asyncio.to_thread(path.open, "xb")
        try:

            async def keep(chunk: bytes) -> None:
                await asyncio.to_thread(file.write, chunk)

            media_type, found, size = await self._fetch(url, max_bytes, accept, keep, within)
        except BaseException:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise
        finally:
            file.close()
        return Saved(path, size, media_type, found)

    async def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 0,
        within: float | None = None,
    ) -> Answer:
        """What a request is answered, whatever the status; of the body no more than `max_bytes`, which must do.

        With `max_bytes` 0 the body is left unread.
        """
        async with self._limits(within), self._ask(method, read_target(url), body, headers or {}) as response:
            chunks = [chunk async for chunk in chunks_of(response, max_bytes)] if max_bytes else []
            told = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, told, b"".join(chunks))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], within: float) -> int:
        """The status that is answered, whatever it is, within that many seconds."""
        return (await self.send("POST", url, body=body, headers=headers, within=within)).status

    async def check(self, url: str, schemes: Collection[str] = HTTP, *, credentials: bool = False) -> Sequence[str]:
        """The addresses that `url` leads to now, at least one and all of them allowed. Nothing is connected."""
        async with self._limits(None):
            return await self.addresses(read_target(url, schemes, credentials=credentials))

    async def addresses(self, target: Target) -> Sequence[str]:
        """Where a target is now; FetchRefused unless every address is allowed."""
        found = [target.host] if target.is_address else await self._named(target.host, target.port)
        if not self._settings.allow_private_addresses:
            for address in found:
                check_address(address)
        return found

    async def _fetch(
        self,
        url: str,
        max_bytes: int | None,
        accept: Collection[str],
        keep: Callable[[bytes], Awaitable[None]],
        within: float | None = None,
    ) -> tuple[str, str, int]:
        """Media type, final URL and size of what `keep` has been given."""
        limit, size = self._settings.max_bytes if max_bytes is None else max_bytes, 0
        async with self._limits(within), self._fetches, self._found(url) as response:
            media_type = media_type_of(response, accept)
            async for chunk in chunks_of(response, limit):
                size += len(chunk)
                await keep(chunk)
            return media_type, str(response.url), size

    @asynccontextmanager
    async def _found(self, url: str) -> AsyncIterator[ClientResponse]:
        """The answer at the end of the redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            async with self._ask("GET", read_target(url), b"", {}) as response:
                if response.status not in _REDIRECTS:
                    if response.status != 200:
                        raise FetchRefused(f"it was answered with status {response.status}")
                    yield response
                    return
                url = next_place(response)
        raise FetchRefused(f"it was redirected more than {MAX_REDIRECTS} times")

    @asynccontextmanager
    async def _ask(
        self, method: str, target: Target, body: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[ClientResponse]:
        """One request; addresses written as such are looked at here, names when they are resolved."""
        if target.is_address:
            await self.addresses(target)
        sent = {hdrs.USER_AGENT: USER_AGENT, **headers}
        async with self._open().request(
            method, url_of(target.url), data=body or None, headers=sent, allow_redirects=False
        ) as response:
            yield response

    @asynccontextmanager
    async def _limits(self, within: float | None) -> AsyncIterator[None]:
        """Within the time that is allowed; what goes wrong on the way is FetchRefused."""
        seconds = self._settings.timeout_seconds if within is None else within
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise FetchRefused(f"it took more than {seconds:g} seconds") from None
        except (ClientError, ConnectionError, ssl.SSLError, UnicodeError) as error:
            raise FetchRefused("nothing that can be understood answers there") from error

    async def _named(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise HostUnknown
        return found

    async def _ask_system(self, host: str, port: int) -> Sequence[str]:
        def ask() -> Sequence[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return list(dict.fromkeys(str(address[0]) for *_, address in found))

        return await asyncio.get_running_loop().run_in_executor(self._names, ask)

    def _open(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(
                resolver=_CheckedNames(self), use_dns_cache=False, limit=0, socket_factory=self._socket
            )
            self._session = ClientSession(
                connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(), trust_env=False
            )
        return self._session

    def _socket(self, address: AddrInfoType) -> socket.socket:
        """For a connection to that address, unless it is not allowed: the last look, whatever came before."""
        family, kind, protocol, _, place = address
        if not self._settings.allow_private_addresses and special(str(place[0])) is not None:
            raise OSError(errno.EACCES, "address refused")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


class _CheckedNames(AbstractResolver):
    """How the session learns of addresses."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        target = Target("", "", host, port)
        return [_result(host, port, address) for address in await self._fetcher.addresses(target)]

    async def close(self) -> None:
        """It keeps nothing."""


def _result(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": flags}
