"""Spaces of organisations: users, rooms, roles, invites, access for people without an account. Spaces contract."""

from aiohttp import web

from signaling.api import Caller, Credential, Family
from signaling.api.spaces.errors import SpacesProblem, spaces_problem
from signaling.appkeys import SPACES_ACCOUNTS
from signaling.services.errors import Forbidden, Refused, Unauthorized
from signaling.services.spaces import accounts

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 - where one is got
WHO = web.RequestKey("spaces_caller", accounts.Caller)
_SCHEME = "bearer "


def spaces_family(*, configured: bool) -> Family:
    from signaling.api.spaces.access import ACCESS_OPERATIONS
    from signaling.api.spaces.invites import INVITE_OPERATIONS
    from signaling.api.spaces.roles import ROLE_OPERATIONS
    from signaling.api.spaces.rooms import ROOM_OPERATIONS
    from signaling.api.spaces.spaces import SPACE_OPERATIONS
    from signaling.api.spaces.tokens import TOKEN_OPERATIONS
    from signaling.api.spaces.users import USER_OPERATIONS

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
        ),
        configured=configured,
    )


async def _authenticate(request: web.Request) -> Caller:
    if request.path == TOKEN_PATH:
        return Caller("")
    header = request.headers.get("Authorization", "")
    if header[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthorized
    token = header[len(_SCHEME) :].strip()
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
