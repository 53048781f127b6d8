"""Roles given directly, in a space or one of its rooms. Spaces contract, section 5."""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import user
from signaling.api.spaces.bodies import GivenRole
from signaling.api.spaces.rooms import HIDDEN_ROOM, ROOM
from signaling.api.spaces.rooms import PATH as ROOM_PATH
from signaling.api.spaces.spaces import BODY, HIDDEN, SPACE
from signaling.api.spaces.spaces import PATH as SPACE_PATH
from signaling.appkeys import SPACES_ROLES
from signaling.services.errors import BadValue
from signaling.services.spaces.rules import ROOM_ROLES, SPACE_ROLES, SpaceRole


class RoleAnswer(BaseModel):
    userId: str
    role: str


class RoleList(BaseModel):
    items: list[RoleAnswer]


async def give_role(request: web.Request) -> web.Response:
    caller, room_id = user(request), _room(request)
    wanted = check(GivenRole, await json_object(request))
    roles = ROOM_ROLES if room_id else SPACE_ROLES
    if wanted.role not in roles:
        raise BadValue("role")
    await request.app[SPACES_ROLES].give(
        caller, request.match_info["spaceId"], room_id, wanted.targetUserId, roles[wanted.role]
    )
    return answer(RoleAnswer(userId=wanted.targetUserId, role=wanted.role))


async def list_roles(request: web.Request) -> web.Response:
    room_id = _room(request)
    found = await request.app[SPACES_ROLES].list(user(request), request.match_info["spaceId"], room_id)
    names = {role: name for name, role in (ROOM_ROLES if room_id else SPACE_ROLES).items()}
    return answer(RoleList(items=[RoleAnswer(userId=each.user_id, role=names[SpaceRole(each.role)]) for each in found]))


async def take_role(request: web.Request) -> web.Response:
    await request.app[SPACES_ROLES].take(
        user(request), request.match_info["spaceId"], _room(request), request.match_info["userId"]
    )
    return web.Response(status=204)


def _room(request: web.Request) -> str | None:
    """None: the whole space."""
    return request.match_info.get("roomId")


def _operations(path: str, where: str, parameters: dict[str, str], hidden: dict[int, str]) -> tuple[Operation, ...]:
    return (
        Operation(
            "POST",
            f"{path}/roles",
            give_role,
            summary=f"Give a user a role in a {where}",
            name=f"give_{where}_role",
            path_parameters=parameters,
            body=GivenRole,
            answer=RoleAnswer,
            errors={**BODY, **hidden},
        ),
        Operation(
            "GET",
            f"{path}/roles",
            list_roles,
            summary=f"List who has a role in a {where}",
            name=f"list_{where}_roles",
            path_parameters=parameters,
            answer=RoleList,
            errors=hidden,
        ),
        Operation(
            "DELETE",
            f"{path}/roles/{{userId}}",
            take_role,
            summary=f"Take a user's role in a {where}; who is inside because of it has to go",
            name=f"take_{where}_role",
            path_parameters={**parameters, "userId": "Of the user"},
            answers={204: None},
            errors=hidden,
        ),
    )


ROLE_OPERATIONS = (
    *_operations(SPACE_PATH, "space", SPACE, HIDDEN),
    *_operations(ROOM_PATH, "room", ROOM, HIDDEN_ROOM),
)
