"""Links for people without an account. Spaces contract, section 6."""

from urllib.parse import quote, urlencode

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import user
from signaling.api.spaces.bodies import NewAccess
from signaling.api.spaces.rooms import HIDDEN_ROOM, PATH, ROOM, place
from signaling.api.spaces.spaces import BODY
from signaling.appkeys import SETTINGS, SPACES_ACCESSES
from signaling.services.spaces.rules import SpaceRole


class AccessMade(BaseModel):
    url: str


async def generate_access(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewAccess, await json_object(request))
    room, token = await request.app[SPACES_ACCESSES].generate(
        caller,
        *place(request),
        username=wanted.username,
        role=SpaceRole(wanted.role),
        ttl=wanted.ttl,
        permanent=wanted.isPermanent,
        external_user_id=wanted.externalUserId,
        email=wanted.email,
        phone=wanted.phone,
    )
    said = urlencode({"participantName": wanted.username, "accessToken": token}, quote_via=quote)
    return answer(AccessMade(url=f"{request.app[SETTINGS].base_url}/room/{room.alias}?{said}"))


ACCESS_OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/generate-access",
        generate_access,
        summary="Make a link by which somebody without an account enters",
        path_parameters=ROOM,
        body=NewAccess,
        answer=AccessMade,
        errors={**BODY, **HIDDEN_ROOM},
    ),
)
