"""What publishing (WHIP) and playing (WHEP) over HTTP have in common: credentials, bodies, headers, the session's URL.

Each of the two families is its endpoint, in `whip.py` and `whep.py`, and the sessions that come of it, which work the
same in both. RFC 9725, RFC 6750 (bearer tokens), RFC 9110 (entity tags).
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from signaling import tokens
from signaling.api import Caller, Credential, Family, Operation
from signaling.api.whip_errors import PROBLEM, HttpMediaProblem, http_media_problem
from signaling.appkeys import CLOCK, PUBLISHERS, SETTINGS
from signaling.services.errors import BadMediaType, Refused, TooLarge, Unauthorized
from signaling.services.http_sessions import ANY_TAG, BadOffer, HttpSession, HttpSessions, Opened
from signaling.services.ice_servers import ice_servers

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
MAX_BODY = 64 << 10  # bytes of a description or a part of one
MAX_CREDENTIAL = 512  # characters

_CREDENTIAL = web.RequestKey("http_media_credential", str)
_GUARDED = ("POST", "PATCH", "DELETE")
_CREDENTIAL_SCHEME = Credential("bearer", {"type": "http", "scheme": "bearer"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the two families, as far as they differ. `sessions` finds where its sessions are."""

    name: str
    title: str
    open: Operation
    sessions: Callable[[web.Request], HttpSessions]
    recognised: str | None = None
    """The media type that HEAD on the endpoint tells."""

    @property
    def prefix(self) -> str:
        return f"/{self.name}"


_Act = Callable[[Endpoint, web.Request], Awaitable[web.Response]]


def http_media_family(endpoint: Endpoint) -> Family:
    """It has no credentials of its own: those of every other family will do."""
    return Family(
        name=endpoint.name,
        title=endpoint.title,
        prefixes=(endpoint.prefix,),
        authenticate=_authenticate,
        problem=http_media_problem,
        problem_model=HttpMediaProblem,
        problem_type=PROBLEM,
        credential=_CREDENTIAL_SCHEME,
        errors={404: "The conference or the session is unknown"},
        operations=(endpoint.open, *(_operation(endpoint, method) for method in _METHODS)),
        configured=True,
    )


def credential(request: web.Request) -> str:
    """What the caller has sent to prove who they are."""
    return request[_CREDENTIAL]


async def read_text(request: web.Request, media_type: str) -> str:
    """The body, if it is of this type and no larger than allowed."""
    if request.content_type != media_type:  # what aiohttp gives has neither parameters nor capitals
        raise BadMediaType(f"The content type is not {media_type}.")
    if (request.content_length or 0) > MAX_BODY:
        raise TooLarge
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except web.RequestPayloadError:
        raise BadOffer("The body cannot be read.") from None
    if len(body) > MAX_BODY:
        raise TooLarge
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadOffer("The body is no UTF-8.") from None


def opened(request: web.Request, found: Opened) -> web.Response:
    """201 with the answer, the session's URL, its entity tag, and the ICE servers."""
    location = URL.build(path=f"{request.path}/{found.session.id}")
    if "Authorization" not in request.headers:  # an encoder that cannot set headers cannot set them later either
        location = location.with_query(token=credential(request))
    headers = CIMultiDict({"Location": str(location), "ETag": f'"{found.session.tag}"'})
    for link in _links(request, found.seat):
        headers.add("Link", link)
    return web.Response(status=201, body=found.answer.encode(), content_type=SDP, headers=headers)


async def _authenticate(request: web.Request) -> Caller:
    """Looking around needs no credential; whether one is good depends on what it is for."""
    if request.method not in _GUARDED:
        return Caller("")
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        sent = request.query.get("token", "")
    elif scheme.lower() != "bearer":
        sent = ""
    request[_CREDENTIAL] = sent.strip()
    if not request[_CREDENTIAL]:
        raise Unauthorized
    if len(request[_CREDENTIAL]) > MAX_CREDENTIAL:
        raise Refused
    return Caller(tokens.digest(request[_CREDENTIAL]))


def _links(request: web.Request, seat: str) -> Iterator[str]:
    """One for each URL of an ICE server: RFC 9725 section 4.6."""
    for server in ice_servers(request.app[SETTINGS], seat, request.app[CLOCK].wall()):
        secret = ""
        if "username" in server:
            secret = "".join(f'; {name}="{_quoted(server[name])}"' for name in ("username", "credential"))
            secret += '; credential-type="password"'
        for url in server["urls"]:
            yield f'<{url}>; rel="ice-server"{secret}'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _tags(request: web.Request) -> Collection[str] | None:
    """The entity tags of If-Match, weak ones left out; None where there is no such header. RFC 9110 section 13.1.1."""
    sent = request.headers.get("If-Match")
    if sent is None:
        return None
    named = (each.strip() for each in sent.split(","))
    return {ANY_TAG if each in (ANY_TAG, f'"{ANY_TAG}"') else each[1:-1] for each in named if _is_tag(each)}


def _is_tag(text: str) -> bool:
    return text == ANY_TAG or (len(text) > 1 and text[0] == text[-1] == '"')


async def _look(endpoint: Endpoint, request: web.Request) -> web.Response:
    """GET and HEAD: 204 if there is such a conference; HEAD may tell clients what they have found."""
    await request.app[PUBLISHERS].check_exists(request.match_info["conference"])
    if request.method == "HEAD" and endpoint.recognised is not None:
        return web.Response(status=200, content_type=endpoint.recognised)
    return web.Response(status=204)


async def _options(endpoint: Endpoint, request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Accept-Post": SDP, "Allow": "GET, HEAD, OPTIONS, POST"})


async def _look_at_session(endpoint: Endpoint, request: web.Request) -> web.Response:
    endpoint.sessions(request).find(request.match_info["conference"], request.match_info["session"])
    return web.Response(status=204)


async def _session_options(endpoint: Endpoint, request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Accept-Patch": FRAGMENT, "Allow": "DELETE, GET, HEAD, OPTIONS, PATCH"})


async def _patch(endpoint: Endpoint, request: web.Request) -> web.Response:
    """204 for candidates, 200 with our end for a restart of ICE."""
    session = _own(endpoint, request)
    restarted = session.patch(_tags(request), await read_text(request, FRAGMENT))
    if restarted is None:
        return web.Response(status=204)
    headers = {"ETag": f'"{restarted.tag}"'}
    return web.Response(status=200, body=restarted.fragment.encode(), content_type=FRAGMENT, headers=headers)


async def _end(endpoint: Endpoint, request: web.Request) -> web.Response:
    """200; the media is over at once. If-Match does not matter."""
    _own(endpoint, request).peer.finish()
    return web.Response(status=200)


def _own(endpoint: Endpoint, request: web.Request) -> HttpSession:
    where = request.match_info
    return endpoint.sessions(request).own(where["conference"], where["session"], credential(request))


@dataclass(frozen=True, slots=True)
class _Method:
    """What every endpoint (`of` it) or every session can do."""

    name: str
    of: Literal["endpoint", "session"]
    act: _Act
    summary: str
    answers: Mapping[int, str | None]
    errors: Mapping[int, str] = field(default_factory=dict)
    body: str | None = None


_OWN = {
    400: "The body cannot be read",
    401: "No credential was sent",
    403: "The session was made with another credential",
}
_PATCHED = {
    412: "The entity tag is an old one",
    413: "The body is over 64 KiB",
    415: "The content type is another",
    428: "There is no If-Match",
}
_METHODS = (
    _Method("GET", "endpoint", _look, "Whether there is such a conference", {204: None}),
    _Method("OPTIONS", "endpoint", _options, "What is accepted", {204: None}),
    _Method("GET", "session", _look_at_session, "Whether there is such a session", {204: None}),
    _Method("OPTIONS", "session", _session_options, "What is accepted", {204: None}),
    _Method(
        "PATCH",
        "session",
        _patch,
        "Add candidates, or restart ICE",
        {200: FRAGMENT, 204: None},
        _OWN | _PATCHED,
        FRAGMENT,
    ),
    _Method("DELETE", "session", _end, "End the session", {200: None}, _OWN),
)
_PATHS = {"endpoint": "/{conference}", "session": "/{conference}/{session}"}
_PARAMETERS = {"conference": "Id of the room", "session": "From the Location of the answer"}


def _operation(endpoint: Endpoint, method: _Method) -> Operation:
    path = endpoint.prefix + _PATHS[method.of]
    return Operation(
        method=method.name,
        path=path,
        handler=partial(method.act, endpoint),
        summary=method.summary,
        errors=method.errors,
        answers=method.answers,
        body=method.body,
        path_parameters={name: what for name, what in _PARAMETERS.items() if f"{{{name}}}" in path},
        name=f"{endpoint.name}_{method.of}_{method.name.lower()}",
    )
