"""One HTTP call of the API: a path of parts, parameters as JSON, an answer as a model, a refusal as an `ApiError`.

What goes wrong on the way (no connection, no answer in time) is told as aiohttp tells it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

from aiohttp import ClientSession, ClientTimeout, FormData
from pydantic import BaseModel
from yarl import URL

TIMEOUT = 30.0  # seconds for a call

Model = TypeVar("Model", bound=BaseModel)


class ApiError(Exception):
    """The server has refused a call. `body` is its answer, decoded where it is JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Api:
    """Calls to one server with the same headers. Makes a session of its own where none is given."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str] | None = None, *, session: ClientSession | None = None
    ) -> None:
        self._base = base_url.rstrip("/")
        self._headers = dict(headers or {})
        self._session = session
        self._owned: ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the session, if it is our own. May be called twice."""
        if self._owned is not None:
            await self._owned.close()
            self._owned = None

    @property
    def session(self) -> ClientSession:
        if self._session is not None:
            return self._session
        if self._owned is None:
            self._owned = ClientSession(timeout=ClientTimeout(TIMEOUT))
        return self._owned

    def url(self, *path: str) -> URL:
        """The address of a path, each part percent-encoded."""
        return URL("/".join((self._base, *(quote(part, safe="") for part in path))), encoded=True)

    async def do(self, method: str, *path: str, **rest: Any) -> None:
        """A call whose answer holds nothing."""
        await self._call(method, path, **rest)

    async def fetch(self, answer: type[Model], method: str, *path: str, **rest: Any) -> Model:
        """A call that is answered with a model."""
        return answer.model_validate_json(await self._call(method, path, **rest))

    async def _call(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        form: FormData | None = None,
    ) -> bytes:
        """`body` goes as JSON; what is None in it, or in the query, is left out."""
        payload = None if body is None else plain(body)
        url = self.url(*path).update_query({name: _text(value) for name, value in plain(query or {}).items()})
        sent = self.session.request(method, url, json=payload, data=form, headers=self._headers)
        async with sent as response:
            told = await response.read()
            if response.status >= 400:
                raise ApiError(response.status, _decoded(told))
            return told


def plain(value: Any) -> Any:
    """What JSON can hold: of a model what has been set, of a moment its ISO text, of a mapping what is not None."""
    match value:
        case BaseModel():
            return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {name: plain(each) for name, each in value.items() if each is not None}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decoded(told: bytes) -> Any:
    try:
        return json.loads(told)
    except ValueError:
        return told.decode(errors="replace")
