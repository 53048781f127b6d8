"""Invites: made, listed, deleted, activated once. Spaces contract, section 5."""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import user
from signaling.api.spaces.bodies import NewInvite
from signaling.api.spaces.spaces import BODY, HIDDEN, PATH, SPACE
from signaling.appkeys import SETTINGS, SPACES_INVITES
from signaling.services.errors import BadValue, Invalid
from signaling.services.events import iso
from signaling.services.spaces.invites import Granted, Invite, told

_INVITE = {**SPACE, "inviteId": "Of the invite"}
_USED_UP = {410: "It has been used, has expired or was deleted"}


class InviteMade(BaseModel):
    id: str
    token: str
    url: str


class InviteAnswer(BaseModel):
    id: str
    role: str
    roomId: str | None
    createdAt: str
    expiresAt: str | None
    activatedAt: str | None
    activatedBy: str | None


class InviteList(BaseModel):
    items: list[InviteAnswer]
    total: int


class GrantedAnswer(BaseModel):
    spaceId: str
    roomId: str | None
    role: str


async def create_invite(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewInvite, await json_object(request))
    try:
        invite, token = await request.app[SPACES_INVITES].create(
            caller, request.match_info["spaceId"], role=wanted.role, room_id=wanted.roomId, ttl=wanted.ttl
        )
    except Invalid as error:
        raise BadValue("role") from error
    url = f"{request.app[SETTINGS].base_url}/invite/{token}"
    return answer(InviteMade(id=invite.id, token=token, url=url), status=201)


async def list_invites(request: web.Request) -> web.Response:
    found = await request.app[SPACES_INVITES].list(user(request), request.match_info["spaceId"])
    return answer(InviteList(items=[_rendered(each) for each in found], total=len(found)))


async def delete_invite(request: web.Request) -> web.Response:
    await request.app[SPACES_INVITES].delete(
        user(request), request.match_info["spaceId"], request.match_info["inviteId"]
    )
    return web.Response(status=204)


async def activate_invite(request: web.Request) -> web.Response:
    granted = await request.app[SPACES_INVITES].activate(
        user(request), request.match_info["spaceId"], request.match_info["inviteId"]
    )
    return _granted(granted)


async def activate_invite_by_token(request: web.Request) -> web.Response:
    return _granted(await request.app[SPACES_INVITES].activate(user(request), None, request.match_info["token"]))


def _granted(granted: Granted) -> web.Response:
    return answer(GrantedAnswer(spaceId=granted.space_id, roomId=granted.room_id, role=granted.role))


def _rendered(invite: Invite) -> InviteAnswer:
    return InviteAnswer(
        id=invite.id,
        role=told(invite),
        roomId=invite.room_id,
        createdAt=iso(invite.created_ms / 1000),
        expiresAt=_moment(invite.expires_ms),
        activatedAt=_moment(invite.activated_ms),
        activatedBy=invite.activated_by,
    )


def _moment(ms: int | None) -> str | None:
    return None if ms is None else iso(ms / 1000)


INVITE_OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/invites",
        create_invite,
        summary="Make an invite, which gives somebody a role once",
        path_parameters=SPACE,
        body=NewInvite,
        answers={201: InviteMade},
        errors={**BODY, **HIDDEN},
    ),
    Operation(
        "GET",
        f"{PATH}/invites",
        list_invites,
        summary="List the invites of a space, without their tokens",
        path_parameters=SPACE,
        answer=InviteList,
        errors=HIDDEN,
    ),
    Operation(
        "DELETE",
        f"{PATH}/invites/{{inviteId}}",
        delete_invite,
        summary="Delete an invite",
        path_parameters=_INVITE,
        answers={204: None},
        errors={404: "There is no such space or invite"},
    ),
    Operation(
        "POST",
        f"{PATH}/invites/{{inviteId}}/activate",
        activate_invite,
        summary="Take the role that an invite gives, by its id or token",
        path_parameters=_INVITE,
        answer=GrantedAnswer,
        errors={404: "There is no such space or invite", **_USED_UP},
    ),
    Operation(
        "POST",
        "/v1/invites/{token}/activate",
        activate_invite_by_token,
        summary="Take the role that an invite gives",
        path_parameters={"token": "Of the invite"},
        answer=GrantedAnswer,
        errors={404: "There is no such invite", **_USED_UP},
    ),
)
