"""Publishing to a WHIP server: our offer out, its answer back, and the end of it. WHIP contract, section 8.

Every address, redirected ones as well, goes the one way for callers' URLs. A bearer token goes to nobody but the
server that it was given for. RFC 9725 sections 4.2 to 4.5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

from signaling.services.errors import FetchRefused

MAX_ANSWER = 64 << 10  # bytes
MAX_REDIRECTS = 3
SDP = "application/sdp"
_REDIRECTS = (307, 308)


class Sends(Protocol):
    """The one way to send something to a caller's URL."""

    async def send(
        self, method: str, url: str, *, body: bytes = ..., headers: Mapping[str, str] | None = ..., max_bytes: int = ...
    ) -> Any: ...


class TargetFailed(Exception):
    """The other server did not take it. `lasting`: it will not, either, if it is asked again."""

    def __init__(self, why: str, *, lasting: bool) -> None:
        super().__init__(why)
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Published:
    """A session at the other server. `url` is where it can be ended; None if we were not told."""

    answer: str
    url: str | None
    token: str | None


async def publish(sends: Sends, url: str, offer: str, token: str | None) -> Published:
    """Asks the server to take what is offered; raises TargetFailed."""
    origin = _origin(url)
    for _ in range(MAX_REDIRECTS + 1):
        given = token if _origin(url) == origin else None
        try:
            told = await sends.send("POST", url, body=offer.encode(), headers=_headers(given), max_bytes=MAX_ANSWER)
        except FetchRefused as error:
            raise TargetFailed(error.why, lasting=False) from None
        if told.status not in _REDIRECTS:
            return _published(url, told, given)
        url = urljoin(url, _location(told) or "")
    raise TargetFailed(f"it was redirected more than {MAX_REDIRECTS} times", lasting=True)


async def end(sends: Sends, published: Published) -> None:
    """Tells the server that it is over, if it can be told."""
    if published.url is None:
        return
    try:
        await sends.send("DELETE", published.url, headers=_bearer(published.token))
    except FetchRefused:
        return  # it notices by itself


def _published(url: str, told: Any, token: str | None) -> Published:
    if told.status != 201:
        raise TargetFailed(f"it answered with status {told.status}", lasting=told.status < 500)
    try:
        answer = told.body.decode()
    except UnicodeDecodeError:
        raise TargetFailed("its answer is no text", lasting=True) from None
    place = _location(told)
    session = urljoin(url, place) if place else None
    return Published(answer, session, token if session and _origin(session) == _origin(url) else None)


def _location(told: Any) -> str | None:
    found: str | None = told.headers.get("location")
    return found


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _headers(token: str | None) -> dict[str, str]:
    return {"Content-Type": SDP, "Accept": SDP, **_bearer(token)}


def _bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
