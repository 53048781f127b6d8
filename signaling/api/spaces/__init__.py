"""Spaces of organisations: users, rooms, roles, invites, access for people without an account. Spaces contract."""

from aiohttp import web

from signaling.api import Caller, Credential, Family
from signaling.api.spaces.errors import SpacesProblem, spaces_problem
from signaling.appkeys import SPACES_ACCOUNTS
from signaling.services.errors import Forbidden, Refused, Unauthorized
from signaling.services.spaces import accounts

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 - where one is got
OPEN = (
    TOKEN_PATH,
    "/v1/entrances/{alias}",
    *(f"/v1/invites/{{token}}{what}" for what in ("", "/register", "/sign-in")),
)
"""Where no token is needed: it is got there, or a link stands for it."""
WHO = web.RequestKey("spaces_caller", accounts.Caller)
_SCHEME = "bearer "


def spaces_family(*, configured: bool) -> Family:
    from signaling.api.spaces.access import ACCESS_OPERATIONS
    from signaling.api.spaces.analytics import ANALYTICS_OPERATIONS
    from signaling.api.spaces.embedding import EMBEDDING_OPERATIONS
    from signaling.api.spaces.invites import INVITE_OPERATIONS
    from signaling.api.spaces.records import RECORD_OPERATIONS
    from signaling.api.spaces.roles import ROLE_OPERATIONS
    from signaling.api.spaces.rooms import ROOM_OPERATIONS
    from signaling.api.spaces.spaces import SPACE_OPERATIONS
    from signaling.api.spaces.tokens import TOKEN_OPERATIONS
    from signaling.api.spaces.users import USER_OPERATIONS
    from signaling.api.spaces.visiting import VISITING_OPERATIONS
    from signaling.api.spaces.webhook import WEBHOOK_OPERATIONS

    return Family(
        name="spaces",
        title="Spaces",
        prefixes=("/v1",),
        authenticate=_authenticate,
        problem=spaces_problem,
        problem_model=SpacesProblem,
        credential=Credential("spacesToken", {"type": "http", "scheme": "bearer"}),
        errors={
            401: "There is no token, or it is not good any more",
            403: "The token is of the wrong kind, or the role of its bearer does not allow this",
        },
        operations=(
            *TOKEN_OPERATIONS,
            *USER_OPERATIONS,
            *SPACE_OPERATIONS,
            *ROOM_OPERATIONS,
            *ROLE_OPERATIONS,
            *INVITE_OPERATIONS,
            *ACCESS_OPERATIONS,
            *EMBEDDING_OPERATIONS,
            *VISITING_OPERATIONS,
            *WEBHOOK_OPERATIONS,
            *RECORD_OPERATIONS,
            *ANALYTICS_OPERATIONS,
        ),
        configured=configured,
    )


def bearer(request: web.Request) -> str:
    """The token that was sent; empty if there is none."""
    header = request.headers.get("Authorization", "")
    return header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else ""


async def _authenticate(request: web.Request) -> Caller:
    resource = request.match_info.route.resource
    if resource is not None and resource.canonical in OPEN:
        return Caller("")
    token = bearer(request)
    if not token:
        raise Unauthorized
    caller = await request.app[SPACES_ACCOUNTS].caller(token)
    if caller is None:
        raise Refused(token)
    request[WHO] = caller
    return Caller(caller.client_id)


def user(request: web.Request) -> accounts.Caller:
    """The caller, who has to be a user."""
    caller = request[WHO]
    if not caller.is_user:
        raise Forbidden("This needs a user's token.")
    return caller
