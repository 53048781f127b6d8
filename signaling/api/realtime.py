"""Rooms for clients that negotiate themselves, MESH or SFU: the application server's side. Realtime contract."""

from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.json_schema import SkipJsonSchema

from signaling import tokens
from signaling.api import CALLER, Caller, Credential, Family, Operation, answer
from signaling.api.bodies import check, integer, json_object, query, text
from signaling.api.realtime_errors import RealtimeProblem, realtime_problem
from signaling.appkeys import REALTIME_ROOMS
from signaling.services.errors import Refused, Unauthorized
from signaling.services.realtime_rooms import (
    DEFAULT_PAGE_SIZE,
    MAX_DESCRIPTION,
    MAX_NAME,
    PAGE_SIZES,
    UPGRADE_COUNTS,
    RealtimeRoom,
)

PREFIX = "/api/realtime"
KEY_HEADER = "x-vcs-token"


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


_LEFT_OUT: Any = Field(default=None, json_schema_extra=_drop_default)


class NewRoom(BaseModel):
    """Every parameter may be left out."""

    model_config = ConfigDict(title="NewRealtimeRoom")

    name: text(MAX_NAME) | None = None  # type: ignore[valid-type]
    description: text(MAX_DESCRIPTION) | None = None  # type: ignore[valid-type]
    conferenceType: Literal["MESH", "SFU"] = "MESH"
    autoUpgradeParticipantCount: integer(*UPGRADE_COUNTS, as_text=True) | None = None  # type: ignore[valid-type]
    e2ee: Annotated[StrictBool, Field(description="Participants encrypt what goes by the server, end to end")] = False


class PageQuery(BaseModel):
    numberOfRecords: integer(*PAGE_SIZES) = DEFAULT_PAGE_SIZE  # type: ignore[valid-type]
    token: Annotated[str, Field(description="From the page before")] = ""


class DeleteQuery(BaseModel):
    id: str


class Room(BaseModel):
    """Times are unix milliseconds, lives are seconds."""

    model_config = ConfigDict(title="RealtimeRoom")

    id: str
    name: str | SkipJsonSchema[None] = _LEFT_OUT
    description: str | SkipJsonSchema[None] = _LEFT_OUT
    creationTime: int
    conferenceType: Literal["MESH", "SFU"]
    autoUpgradeParticipantCount: int | SkipJsonSchema[None] = _LEFT_OUT
    modificationTime: int
    maxParticipants: int
    roomTokenTTLSeconds: int
    roomTTLSeconds: int
    endpointTTLSeconds: int
    token: Annotated[str, Field(description="What clients join with: 64 hex digits")]
    e2ee: bool | SkipJsonSchema[None] = _LEFT_OUT


class RoomAnswer(BaseModel):
    model_config = ConfigDict(title="RealtimeRoomAnswer")

    room: Room


class RoomList(BaseModel):
    model_config = ConfigDict(title="RealtimeRoomList")

    data: list[Room]
    token: Annotated[str | None, Field(description="Asks for the page after this one; null on the last")]


def realtime_family(keys: tuple[str, ...]) -> Family:
    """`keys` are the API keys that exist."""

    async def authenticate(request: web.Request) -> Caller:
        sent = request.headers.get(KEY_HEADER, "")
        if not sent:
            raise Unauthorized
        key = tokens.find_key(keys, sent)
        if key is None:
            raise Refused(sent)
        return Caller(tokens.digest(key))

    return Family(
        name="realtime",
        title="Realtime rooms",
        prefixes=(PREFIX,),
        authenticate=authenticate,
        problem=realtime_problem,
        problem_model=RealtimeProblem,
        credential=Credential("realtimeKey", {"type": "apiKey", "in": "header", "name": KEY_HEADER}),
        errors={
            400: "The key is unknown, the room is, or a parameter cannot be used",
            401: "No key was sent",
        },
        operations=_OPERATIONS,
        configured=bool(keys),
    )


async def create_room(request: web.Request) -> web.Response:
    wanted = check(NewRoom, await json_object(request))
    room = await request.app[REALTIME_ROOMS].create(
        request[CALLER].key,
        name=wanted.name,
        description=wanted.description,
        conference_type=wanted.conferenceType,
        auto_upgrade_count=wanted.autoUpgradeParticipantCount,
        e2ee=wanted.e2ee,
    )
    return answer(RoomAnswer(room=_rendered(room)))


async def fetch_room(request: web.Request) -> web.Response:
    room = await request.app[REALTIME_ROOMS].fetch(request[CALLER].key, request.match_info["id"])
    return answer(_rendered(room))


async def list_rooms(request: web.Request) -> web.Response:
    wanted = check(PageQuery, query(request))
    page = await request.app[REALTIME_ROOMS].list(request[CALLER].key, wanted.numberOfRecords, wanted.token)
    return answer(RoomList(data=[_rendered(room) for room in page.rooms], token=page.next))


async def delete_room(request: web.Request) -> web.Response:
    wanted = check(DeleteQuery, query(request))
    room = await request.app[REALTIME_ROOMS].delete(request[CALLER].key, wanted.id)
    return answer(RoomAnswer(room=_rendered(room)))


async def upgrade_room(request: web.Request) -> web.Response:
    room = await request.app[REALTIME_ROOMS].upgrade(request[CALLER].key, request.match_info["id"])
    return answer(RoomAnswer(room=_rendered(room)))


def _rendered(room: RealtimeRoom) -> Room:
    optional: dict[str, Any] = {
        "name": room.name,
        "description": room.description,
        "autoUpgradeParticipantCount": room.auto_upgrade_count,
        "e2ee": room.e2ee or None,
    }
    return Room(
        id=room.id,
        creationTime=round(room.created_at * 1000),
        conferenceType=room.conference_type,
        modificationTime=round(room.modified_at * 1000),
        maxParticipants=room.max_participants,
        roomTokenTTLSeconds=room.room_token_ttl,
        roomTTLSeconds=room.room_ttl,
        endpointTTLSeconds=room.endpoint_ttl,
        token=room.token,
        **{name: value for name, value in optional.items() if value is not None},
    )


_ROOM_ID = {"id": "Of the room: RO- and a UUID"}
_OPERATIONS = (
    Operation(
        "POST",
        f"{PREFIX}/room",
        create_room,
        summary="Create a room",
        body=NewRoom,
        answer=RoomAnswer,
        errors={413: "The body is over 1 MiB", 415: "The body is not application/json"},
    ),
    Operation(
        "GET",
        f"{PREFIX}/room",
        list_rooms,
        summary="List rooms, oldest first",
        query=PageQuery,
        answer=RoomList,
        errors={},
    ),
    Operation(
        "DELETE",
        f"{PREFIX}/room",
        delete_room,
        summary="Delete a room; everybody in it is sent away",
        query=DeleteQuery,
        answer=RoomAnswer,
        errors={},
    ),
    Operation(
        "GET",
        f"{PREFIX}/room/{{id}}",
        fetch_room,
        summary="Fetch a room",
        path_parameters=_ROOM_ID,
        answer=Room,
        errors={},
    ),
    Operation(
        "POST",
        f"{PREFIX}/room/{{id}}/upgrade",
        upgrade_room,
        summary="Make a MESH room an SFU room, now and for good",
        path_parameters=_ROOM_ID,
        answer=RoomAnswer,
        errors={},
    ),
)
