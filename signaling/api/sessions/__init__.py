"""Scheduled meetings for back ends that give out roles by token. Sessions contract.

Each operation needs a permission of the caller's web token; `permitted` says which. The webhook alone is open.
"""

import functools

from aiohttp import web

from signaling.api import Caller, Credential, Family, Handler, Operation
from signaling.api.sessions.errors import SessionsProblem, sessions_problem
from signaling.appkeys import CLOCK
from signaling.services.session_callers import Claims, read_bearer
from signaling.settings import Jwt

WEBHOOK = "/webhooks/session"
NOBODY = Caller("")
CLAIMS = web.RequestKey("session_claims", Claims)


def sessions_family(jwt: Jwt) -> Family:
    """`jwt` is whose web tokens are taken."""
    from signaling.api.sessions.archives import ARCHIVE_OPERATIONS
    from signaling.api.sessions.attendees import ATTENDEE_OPERATIONS
    from signaling.api.sessions.sessions import SESSION_OPERATIONS

    async def authenticate(request: web.Request) -> Caller:
        if request.path == WEBHOOK:
            return NOBODY
        header = request.headers.get("Authorization", "")
        claims = read_bearer(header, jwt.secret, jwt.issuer, request.app[CLOCK].wall())
        request[CLAIMS] = claims
        return Caller(claims.tenant or "")

    return Family(
        name="sessions",
        title="Sessions",
        prefixes=("/session", "/archives", WEBHOOK),
        authenticate=authenticate,
        problem=sessions_problem,
        problem_model=SessionsProblem,
        credential=Credential("sessionsToken", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}),
        errors={
            401: "There is no web token, or it is not good any more",
            403: "It lacks the permission",
        },
        operations=(*SESSION_OPERATIONS, *ATTENDEE_OPERATIONS, *ARCHIVE_OPERATIONS),
        configured=bool(jwt.secret and jwt.issuer),
    )


def permitted(permission: str, handler: Handler) -> Handler:
    """`handler` for callers with this permission."""

    @functools.wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        request[CLAIMS].require(permission)
        return await handler(request)

    return checked


__all__ = ["CLAIMS", "WEBHOOK", "Operation", "permitted", "sessions_family"]
