"""For whoever comes by a link and has no token of their own yet: what it opens, and how an invite makes an account.

The pages behind the links ask this; none of it uses a link up. Spaces contract, sections 5 and 7.
"""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import bearer
from signaling.api.spaces.bodies import NewUser, Text
from signaling.api.spaces.spaces import BODY
from signaling.api.spaces.tokens import TokenAnswer, rendered
from signaling.appkeys import SPACES_DOOR, SPACES_INVITATIONS
from signaling.services.errors import Forbidden, Refused

_INVITE = {"token": "Of the invite"}
_INVITE_ERRORS = {404: "There is no such invite", 410: "It has been used, has expired or was deleted"}


class EntranceAnswer(BaseModel):
    roomName: str
    type: str
    participantName: str | None
    """None: they may choose."""
    role: str
    isPublic: bool
    """Whether strangers come in by the bare link."""
    isScreensharingAllowed: bool
    isChatAllowed: bool


class InvitationAnswer(BaseModel):
    spaceId: str
    spaceName: str
    roomName: str | None
    alias: str | None
    role: str


class SignIn(BaseModel):
    email: Text
    password: Text


async def look_at_entrance(request: web.Request) -> web.Response:
    try:
        admitted, public = await request.app[SPACES_DOOR].look(request.match_info["alias"], bearer(request))
    except Refused as error:
        raise Forbidden("This does not open the room.") from error
    return answer(
        EntranceAnswer(
            roomName=admitted.venue.name or "",
            participantName=admitted.name,
            role=admitted.role.name.lower(),
            isPublic=public,
            **admitted.venue.options,
        )
    )


async def look_at_invite(request: web.Request) -> web.Response:
    invited = await request.app[SPACES_INVITATIONS].look(request.match_info["token"])
    return answer(
        InvitationAnswer(
            spaceId=invited.space.id,
            spaceName=invited.space.name,
            roomName=invited.room.name if invited.room else None,
            alias=invited.room.alias if invited.room else None,
            role=invited.role,
        )
    )


async def register_invited(request: web.Request) -> web.Response:
    wanted = check(NewUser, await json_object(request))
    pair = await request.app[SPACES_INVITATIONS].register(
        request.match_info["token"],
        email=wanted.email,
        username=wanted.username,
        password=wanted.password,
        phone=wanted.phone,
    )
    return answer(rendered(pair), status=201)


async def sign_in_invited(request: web.Request) -> web.Response:
    wanted = check(SignIn, await json_object(request))
    pair = await request.app[SPACES_INVITATIONS].sign_in(
        request.match_info["token"], email=wanted.email, password=wanted.password
    )
    return answer(rendered(pair))


VISITING_OPERATIONS = (
    Operation(
        "GET",
        "/v1/entrances/{alias}",
        look_at_entrance,
        summary="See what a room's link opens, with the token beside it or with none; nothing is used up",
        path_parameters={"alias": "Of the room"},
        answer=EntranceAnswer,
        errors={404: "There is no such room", 410: "The access token has been used or has expired"},
        public=True,
    ),
    Operation(
        "GET",
        "/v1/invites/{token}",
        look_at_invite,
        summary="See what an invite is for",
        path_parameters=_INVITE,
        answer=InvitationAnswer,
        errors=_INVITE_ERRORS,
        public=True,
    ),
    Operation(
        "POST",
        "/v1/invites/{token}/register",
        register_invited,
        summary="Become a user of the client whose space an invite is for; the invite is not used up",
        path_parameters=_INVITE,
        body=NewUser,
        answers={201: TokenAnswer},
        errors={**BODY, **_INVITE_ERRORS, 409: "The e-mail address is in use"},
        public=True,
    ),
    Operation(
        "POST",
        "/v1/invites/{token}/sign-in",
        sign_in_invited,
        summary="Get tokens by e-mail and password; the invite is not used up",
        path_parameters=_INVITE,
        body=SignIn,
        answer=TokenAnswer,
        errors={**BODY, **_INVITE_ERRORS, 429: "Too many attempts"},
        public=True,
    ),
)
