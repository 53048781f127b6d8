"""What happens to every request on its way in and out.

In: it gets an id, then its family is found, then its caller. Out: errors are put into the family's format, CORS headers
are added, and the access log gets a line, without the query: that may hold a credential.
"""

import re
import uuid
from collections.abc import Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from signaling.api import CALLER, Family, Problem, family_of, json_response
from signaling.api.errors import plain_problem
from signaling.appkeys import CLOCK, FAMILIES, REQUESTS, SETTINGS
from signaling.metrics import UNMATCHED
from signaling.services.errors import Refused, ServiceError, TooLarge, UnknownPath, WrongMethod

log = structlog.get_logger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUEST_HEADERS = "Authorization, Content-Type, x-vcs-token, If-Match"
EXPOSED_HEADERS = "Location, ETag, Link, X-Request-Id"
PREFLIGHT_LIFE = 7200  # seconds: the longest that browsers keep
MANY = web.RequestKey("many", bool)
"""Set on requests of which there are too many for a line each in the log: one that succeeds gets none."""
NO_CORS = web.ResponseKey("no_cors", bool)
"""Set on responses that pages of other origins must not read."""
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def middlewares() -> Sequence[Middleware]:
    return identified, answers_preflight, in_the_familys_format, from_a_known_caller


@web.middleware
async def identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its id and, when it is over, its line in the access log."""
    sent = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = sent if _SAFE_ID.fullmatch(sent) else str(uuid.uuid4())
    clock = request.app[CLOCK]
    started = clock.monotonic()
    status = 499  # the client has gone away
    with structlog.contextvars.bound_contextvars(request_id=request[REQUEST_ID]):
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as redirect:
            status = redirect.status
            raise
        finally:
            _remember(request, status, clock.monotonic() - started)
    return response


@web.middleware
async def answers_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers what a browser asks before it sends a request of another origin."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return await handler(request)
    unanswered = request.match_info.http_exception is not None
    response = web.Response(status=204) if unanswered else await handler(request)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
    response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_LIFE)
    return response


@web.middleware
async def in_the_familys_format(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every failure into an answer as the family of the path puts it."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        error: Exception = _as_service_error(refusal)
    except ServiceError as service_error:
        error = service_error
    except Exception as failure:
        if request.transport is None or request.transport.is_closing():
            raise  # nobody is left to answer to
        log.exception("request failed", method=request.method, route=_route(request))
        error = failure
    if request.writer.output_size > 0:
        raise error  # an answer has begun already
    problem = _problem(request, error)
    response = json_response(problem.body, problem.status, problem.media_type)
    response.headers.update(problem.headers)
    if isinstance(error, WrongMethod):
        response.headers["Allow"] = ", ".join(error.allowed)
    return response


@web.middleware
async def from_a_known_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Checks the caller's credential before anything else about the request."""
    family = _family(request)
    if family is not None:
        request[CALLER] = await family.authenticate(request)
    return await handler(request)


async def finish_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Puts the headers of every response on it, streams and WebSockets included."""
    response.headers["Server"] = "folkmoot"
    if REQUEST_ID in request:
        response.headers["X-Request-Id"] = request[REQUEST_ID]
    origin = request.headers.get("Origin")
    if NO_CORS not in response:
        _allow_origin(response, request.app[SETTINGS].cors.allowed_origins, origin)


def _allow_origin(response: web.StreamResponse, allowed: Sequence[str], origin: str | None) -> None:
    if "*" in allowed:
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response.headers.add("Vary", "Origin")
        if origin is None or origin.lower() not in [known.lower().rstrip("/") for known in allowed]:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS


def _family(request: web.Request) -> Family | None:
    return family_of(request.app[FAMILIES], request.path)


def _problem(request: web.Request, error: Exception) -> Problem:
    family = _family(request)
    return plain_problem(error) if family is None else family.problem(error)


def _as_service_error(refusal: web.HTTPException) -> Exception:
    if isinstance(refusal, web.HTTPMethodNotAllowed):
        return WrongMethod(tuple(sorted(refusal.allowed_methods)))
    if isinstance(refusal, web.HTTPRequestEntityTooLarge):
        return TooLarge()
    if isinstance(refusal, web.HTTPForbidden):
        return Refused()
    if isinstance(refusal, web.HTTPNotFound):
        return UnknownPath()
    return ServiceError(refusal.reason)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _remember(request: web.Request, status: int, seconds: float) -> None:
    family, route = _family(request), _route(request)
    method = request.method if request.method in METHODS else "other"
    request.app[REQUESTS].answered(method, route, status, seconds)
    (log.debug if request.get(MANY) and status < 400 else log.info)(
        "request",
        method=method,
        route=route,
        family=family.name if family is not None else None,
        status=status,
        seconds=round(seconds, 6),
        remote=request.remote,
    )
