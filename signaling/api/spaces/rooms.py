"""Rooms of spaces. Spaces contract, section 4."""

from aiohttp import web

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import WHO, user
from signaling.api.spaces.bodies import MadeRoom, NewRoom, RoomAnswer, RoomList, room, room_values
from signaling.api.spaces.spaces import BODY, HIDDEN, SPACE
from signaling.api.spaces.spaces import PATH as SPACE_PATH
from signaling.appkeys import SPACES
from signaling.services.spaces.spaces import Room

PATH = f"{SPACE_PATH}/rooms/{{roomId}}"
ROOM = {**SPACE, "roomId": "Of the room"}
HIDDEN_ROOM = {404: "There is no such space or room, or the caller does not see it"}


def place(request: web.Request) -> tuple[str, str]:
    return request.match_info["spaceId"], request.match_info["roomId"]


async def create_space_room(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewRoom, await json_object(request))
    made = await request.app[SPACES].create_room(caller, request.match_info["spaceId"], room_values(wanted))
    return answer(MadeRoom(alias=made.alias, id=made.id, channelId=made.channel_id), status=201)


async def list_space_rooms(request: web.Request) -> web.Response:
    found = await request.app[SPACES].rooms(request[WHO], request.match_info["spaceId"])
    return answer(RoomList(items=[_rendered(request, each) for each in found], total=len(found)))


async def fetch_space_room(request: web.Request) -> web.Response:
    found = await request.app[SPACES].room(request[WHO], *place(request))
    return answer(_rendered(request, found.the_room))


async def change_space_room(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewRoom, await json_object(request))
    names = {"name": "name", "isPublic": "is_public", "type": "kind"}
    names |= {"isScreensharingAllowed": "screen_allowed", "isChatAllowed": "chat_allowed"}
    given = {ours: getattr(wanted, theirs) for theirs, ours in names.items() if theirs in wanted.model_fields_set}
    return answer(_rendered(request, await request.app[SPACES].change_room(caller, *place(request), given)))


async def delete_space_room(request: web.Request) -> web.Response:
    await request.app[SPACES].delete_room(user(request), *place(request))
    return web.Response(status=204)


async def end_space_room(request: web.Request) -> web.Response:
    await request.app[SPACES].end_call(user(request), *place(request))
    return web.Response(status=204)


def _rendered(request: web.Request, record: Room) -> RoomAnswer:
    return room(record, request.app[SPACES].calls.active(record.channel_id))


ROOM_OPERATIONS = (
    Operation(
        "POST",
        f"{SPACE_PATH}/rooms",
        create_space_room,
        summary="Make a room",
        path_parameters=SPACE,
        body=NewRoom,
        answers={201: MadeRoom},
        errors={**BODY, **HIDDEN},
    ),
    Operation(
        "GET",
        f"{SPACE_PATH}/rooms",
        list_space_rooms,
        summary="List the rooms that the caller may enter",
        path_parameters=SPACE,
        answer=RoomList,
        errors=HIDDEN,
    ),
    Operation(
        "GET",
        PATH,
        fetch_space_room,
        summary="Fetch a room",
        path_parameters=ROOM,
        answer=RoomAnswer,
        errors=HIDDEN_ROOM,
    ),
    Operation(
        "PUT",
        PATH,
        change_space_room,
        summary="Change a room; a running call follows at once",
        path_parameters=ROOM,
        body=NewRoom,
        answer=RoomAnswer,
        errors={**BODY, **HIDDEN_ROOM},
    ),
    Operation(
        "DELETE",
        PATH,
        delete_space_room,
        summary="Delete a room",
        path_parameters=ROOM,
        answers={204: None},
        errors=HIDDEN_ROOM,
    ),
    Operation(
        "POST",
        f"{PATH}/end",
        end_space_room,
        summary="End the call in a room",
        path_parameters=ROOM,
        answers={204: None},
        errors={**HIDDEN_ROOM, 409: "There is none"},
    ),
)
