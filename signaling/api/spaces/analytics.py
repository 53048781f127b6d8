"""Calls of a space, and who was there. Spaces contract, section 10."""

import asyncio
import datetime
from collections.abc import Sequence
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from signaling.api import Operation, answer
from signaling.api.bodies import check, integer, query, text
from signaling.api.spaces import user
from signaling.api.spaces.spaces import HIDDEN, SPACE
from signaling.api.spaces.spaces import PATH as SPACE_PATH
from signaling.appkeys import SPACES_ANALYTICS
from signaling.services.events import iso
from signaling.services.spaces.analytics import CountedCall
from signaling.services.spaces.report import Line
from signaling.services.spaces.workbook import MEDIA_TYPE, workbook

PATH = f"{SPACE_PATH}/analytics"
MAX_LEAST = 1_000_000  # participants

Id = text(255)


class CallsQuery(BaseModel):
    roomId: Id | None = None  # type: ignore[valid-type]
    date: Annotated[
        datetime.date | None, Field(description="On which the calls ended, as 2026-03-02; by default today. In UTC")
    ] = None
    minParticipants: integer(0, MAX_LEAST) = 0  # type: ignore[valid-type]


class ReportQuery(BaseModel):
    roomId: Id | None = None  # type: ignore[valid-type]
    callId: Id | None = None  # type: ignore[valid-type]
    format: Literal["json", "xlsx"] = "json"


class CallAnswer(BaseModel):
    model_config = ConfigDict(title="SpaceCall")

    id: str
    active: bool
    roomId: str
    roomType: str
    participantsCount: Annotated[int, Field(description="At the same time, at most")]
    totalParticipantsCount: Annotated[int, Field(description="How often somebody came")]
    uniqueParticipantsCount: Annotated[int, Field(description="How many different people came")]
    isBreakoutRoom: bool
    startedAt: str
    finishedAt: str | None


class CallList(BaseModel):
    model_config = ConfigDict(title="SpaceCallList")

    items: list[CallAnswer]


class JoinAnswer(BaseModel):
    model_config = ConfigDict(title="SpaceCallJoin")

    joinedAt: str
    leftAt: str | None


class ParticipantAnswer(BaseModel):
    model_config = ConfigDict(title="SpaceCallParticipant")

    name: str
    userId: str | None
    externalUserId: str | None
    email: str | None
    phone: str | None
    role: str
    joins: list[JoinAnswer]
    secondsPresent: int
    chatMessages: int
    secondsSpeaking: int


class ReportAnswer(BaseModel):
    model_config = ConfigDict(title="SpaceCallReport")

    items: list[ParticipantAnswer]


async def list_space_calls(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(CallsQuery, query(request))
    found = await request.app[SPACES_ANALYTICS].finished(
        caller, request.match_info["spaceId"], room_id=wanted.roomId, day=wanted.date, least=wanted.minParticipants
    )
    return answer(CallList(items=[_call(each) for each in found]))


async def report_on_space_calls(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(ReportQuery, query(request))
    lines = await request.app[SPACES_ANALYTICS].report(
        caller, request.match_info["spaceId"], room_id=wanted.roomId, call_id=wanted.callId
    )
    if wanted.format == "xlsx":
        return await _file(lines)
    return answer(ReportAnswer(items=[_participant(line) for line in lines]))


async def _file(lines: Sequence[Line]) -> web.Response:
    body = await asyncio.to_thread(workbook, lines)
    headers = {"Content-Disposition": 'attachment; filename="report.xlsx"'}
    return web.Response(body=body, content_type=MEDIA_TYPE, headers=headers)


def _call(counted: CountedCall) -> CallAnswer:
    call = counted.call
    return CallAnswer(
        id=call.id,
        active=call.finished_ms is None,
        roomId=call.room_id,
        roomType=call.kind,
        participantsCount=call.most,
        totalParticipantsCount=counted.stays,
        uniqueParticipantsCount=counted.people,
        isBreakoutRoom=False,
        startedAt=iso(call.started_ms / 1000),
        finishedAt=None if call.finished_ms is None else iso(call.finished_ms / 1000),
    )


def _participant(line: Line) -> ParticipantAnswer:
    return ParticipantAnswer(
        name=line.name,
        userId=line.user_id,
        externalUserId=line.external_user_id,
        email=line.email,
        phone=line.phone,
        role=line.role,
        joins=[
            JoinAnswer(joinedAt=iso(joined / 1000), leftAt=None if left is None else iso(left / 1000))
            for joined, left in line.joins
        ],
        secondsPresent=line.present_seconds,
        chatMessages=line.messages,
        secondsSpeaking=line.speaking_seconds,
    )


_BAD = {400: "A parameter cannot be used"}
ANALYTICS_OPERATIONS = (
    Operation(
        "GET",
        f"{PATH}/calls",
        list_space_calls,
        summary="List the calls that ended on a day",
        path_parameters=SPACE,
        query=CallsQuery,
        answer=CallList,
        errors={**_BAD, **HIDDEN},
    ),
    Operation(
        "GET",
        f"{PATH}/report",
        report_on_space_calls,
        summary="List who was in the space's calls, in those of one room, or in one call",
        path_parameters=SPACE,
        query=ReportQuery,
        answer=ReportAnswer,
        answers={200: MEDIA_TYPE},
        errors={**_BAD, **HIDDEN},
    ),
)
