"""Records of calls in a room. Spaces contract, section 9."""

import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema

from signaling.api import Operation, answer
from signaling.api.bodies import check, integer, query
from signaling.api.spaces import user
from signaling.api.spaces.rooms import HIDDEN_ROOM, ROOM, place
from signaling.api.spaces.rooms import PATH as ROOM_PATH
from signaling.appkeys import SPACES_RECORDS
from signaling.services.events import iso
from signaling.services.spaces.records import Record

PATH = f"{ROOM_PATH}/records"
MAX_PAGE = 100
MAX_OFFSET = 1_000_000_000
_RECORD = {**ROOM, "recordId": "Of the record"}


def _moment(value: str) -> str:
    """A day or a time of day; without a zone in UTC."""
    datetime.datetime.fromisoformat(value)
    return value


Moment = Annotated[
    str,
    Field(strict=True, max_length=40),
    AfterValidator(_moment),
    WithJsonSchema({"type": "string", "description": "2026-03-02 or 2026-03-02T08:30:00Z"}),
]


class RecordsQuery(BaseModel):
    dateFrom: Moment | None = None
    dateTo: Moment | None = None
    offset: integer(0, MAX_OFFSET) = 0  # type: ignore[valid-type]
    limit: integer(1, MAX_PAGE) = MAX_PAGE  # type: ignore[valid-type]


class SpaceRecordAnswer(BaseModel):
    model_config = {"title": "SpaceRoomRecord"}

    id: str
    name: str
    fileSize: int | None
    roomId: str
    spaceId: str
    callId: str
    state: Annotated[str, Field(description="new, recording, processing, ready or failed")]
    createdAt: str
    startedAt: str | None
    finishedAt: str | None


class SpaceRecordList(BaseModel):
    model_config = {"title": "SpaceRoomRecordList"}

    items: list[SpaceRecordAnswer]
    total: int


async def start_space_record(request: web.Request) -> web.Response:
    return answer(_rendered(await request.app[SPACES_RECORDS].start(user(request), *place(request))), status=201)


async def stop_space_record(request: web.Request) -> web.Response:
    return answer(_rendered(await request.app[SPACES_RECORDS].stop(user(request), *place(request))))


async def list_space_records(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(RecordsQuery, query(request))
    total, found = await request.app[SPACES_RECORDS].list(
        caller,
        *place(request),
        since_ms=_begin_ms(wanted.dateFrom),
        until_ms=_end_ms(wanted.dateTo),
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return answer(SpaceRecordList(items=[_rendered(each) for each in found], total=total))


async def download_space_record(request: web.Request) -> web.Response:
    url = await request.app[SPACES_RECORDS].link(user(request), *place(request), request.match_info["recordId"])
    return web.Response(text=url, content_type="text/plain")


async def delete_space_record(request: web.Request) -> web.Response:
    await request.app[SPACES_RECORDS].delete(user(request), *place(request), request.match_info["recordId"])
    return web.Response(status=204)


def _begin_ms(moment: str | None) -> int | None:
    return None if moment is None else int(_utc(moment).timestamp() * 1000)


def _end_ms(moment: str | None) -> int | None:
    """The last millisecond: a day counts whole, a time to its end."""
    if moment is None:
        return None
    length = datetime.timedelta(days=1) if len(moment) <= len("2026-03-02") else datetime.timedelta(milliseconds=1)
    return int(_utc(moment).timestamp() * 1000 + length.total_seconds() * 1000) - 1


def _utc(moment: str) -> datetime.datetime:
    read = datetime.datetime.fromisoformat(moment)
    return read if read.tzinfo else read.replace(tzinfo=datetime.UTC)


def _rendered(record: Record) -> SpaceRecordAnswer:
    started = iso(record.started_ms / 1000)
    return SpaceRecordAnswer(
        id=record.id,
        name=record.name,
        fileSize=record.size_bytes,
        roomId=record.room_id,
        spaceId=record.space_id,
        callId=record.call_id,
        state=record.state,
        createdAt=started,
        startedAt=started,
        finishedAt=None if record.finished_ms is None else iso(record.finished_ms / 1000),
    )


_UNKNOWN: dict[int, Any] = {404: "There is no such space, room or record, or the caller does not see it"}
RECORD_OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/start",
        start_space_record,
        summary="Record the call in the room",
        path_parameters=ROOM,
        answers={201: SpaceRecordAnswer},
        errors={**HIDDEN_ROOM, 409: "It is recorded already, or there is no call"},
    ),
    Operation(
        "POST",
        f"{PATH}/stop",
        stop_space_record,
        summary="Stop recording",
        path_parameters=ROOM,
        answer=SpaceRecordAnswer,
        errors={**HIDDEN_ROOM, 409: "It is not recorded"},
    ),
    Operation(
        "GET",
        PATH,
        list_space_records,
        summary="List the records of the room, newest first",
        path_parameters=ROOM,
        query=RecordsQuery,
        answer=SpaceRecordList,
        errors={400: "A parameter cannot be used", **HIDDEN_ROOM},
    ),
    Operation(
        "GET",
        f"{PATH}/download/{{recordId}}",
        download_space_record,
        summary="Get a link to the file of a record, which opens it for a day",
        path_parameters=_RECORD,
        answers={200: "text/plain"},
        errors={**_UNKNOWN, 409: "It is not finished"},
    ),
    Operation(
        "DELETE",
        f"{PATH}/{{recordId}}",
        delete_space_record,
        summary="Delete a record; one that is being made is stopped and discarded",
        path_parameters=_RECORD,
        answers={204: None},
        errors=_UNKNOWN,
    ),
)
