"""The API families: each parses, lets a service act, renders.

A family is one value of `Family`: the paths it owns, how its callers prove who they are, how its errors look, and its
operations. To add one, write `api/<name>.py` with a function that returns it, and name that in `app.py`; middleware,
routes and the OpenAPI description follow from the value.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

_JSON = "application/json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request. `key` is the digest of their API key: the owner of what they create.

    `team` is the name of who the key belongs to, in families that share things by team.
    """

    key: str
    team: str = ""


CALLER = web.RequestKey("caller", Caller)


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a family puts it."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = _JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, for the router and for the description of the API."""

    method: str
    path: str
    handler: Handler
    summary: str
    errors: Mapping[int, str]
    """When it is answered with which status, besides what the whole family may answer."""
    answer: type[BaseModel] | None = None
    """What comes with 200, as JSON."""
    many: bool = False
    """An array of those."""
    answers: Mapping[int, type[BaseModel] | str | None] = field(default_factory=dict)
    """What comes with other statuses, or with 200 if asked for: JSON, or text of a media type, or None for nothing."""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | str | None = None
    """JSON, or the media type of a text."""
    body_types: Sequence[str] = (_JSON,)
    """The media types in which the body's model may come."""
    public: bool = False
    """It needs no credential of the family's."""
    path_parameters: Mapping[str, str] | None = None
    name: str = ""
    """What the description calls it, if not as the handler."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Where a family's credential travels, in words of OpenAPI: a security scheme."""

    name: str
    scheme: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    title: str
    prefixes: tuple[str, ...]
    authenticate: Callable[[web.Request], Awaitable[Caller]]
    """Who calls; raises Unauthorized or Refused."""
    problem: Callable[[Exception], Problem]
    """Every error, a service's or an unexpected one, in the family's format."""
    problem_model: type[BaseModel]
    credential: Credential
    errors: Mapping[int, str]
    """What every operation may answer."""
    operations: Sequence[Operation]
    configured: bool
    """Whether any credential exists that it could accept."""
    problem_type: str = _JSON
    """The media type of errors."""

    def owns(self, path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self.prefixes)


def family_of(families: Sequence[Family], path: str) -> Family | None:
    return next((family for family in families if family.owns(path)), None)


def answer(model: BaseModel, status: int = 200) -> web.Response:
    """`model` as JSON: what has not been set is left out, what was set to None is null."""
    text = model.model_dump_json(by_alias=True, exclude_unset=True)
    return web.Response(status=status, body=text.encode(), content_type=_JSON)


def json_response(
    body: Mapping[str, Any] | Sequence[Any] | None, status: int = 200, media_type: str = _JSON
) -> web.Response:
    """`body` in JSON, ASCII only: whatever was echoed, it can be sent."""
    return web.Response(status=status, body=json.dumps(body).encode(), content_type=media_type)
