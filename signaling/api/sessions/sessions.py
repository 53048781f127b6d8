"""Making, opening, editing and ending sessions. Sessions contract, sections 3 to 6."""

import json

from aiohttp import web

from signaling.api import Operation, answer
from signaling.api.bodies import json_object
from signaling.api.sessions import CLAIMS, permitted
from signaling.api.sessions.bodies import EditBody, LinkAnswer, SessionBody, TokenAnswer, TokenBody, read
from signaling.appkeys import SESSIONS
from signaling.services.sessions import Edit, NewSession

_LINK = {"meetingLinkId": "The session's meeting link"}
_TEXT = "text/plain"
_JSON = "application/json"


async def create_session(request: web.Request) -> web.Response:
    wanted = read(SessionBody, await json_object(request))
    session = await request.app[SESSIONS].create(
        request[CLAIMS],
        NewSession(
            is_scheduled=wanted.isScheduled or False,
            schedule_time=wanted.scheduleTime,
            archiving=wanted.enableArchiving or False,
            e2ee=wanted.endToEndEncryption or False,
            ext_id=wanted.extId,
            ext_metadata=wanted.extMetadata,
        ),
    )
    accepted = request.headers.get("Accept", "").lower()
    if _TEXT in accepted and _JSON not in accepted:
        return web.Response(text=json.dumps(session.meeting_link), content_type=_TEXT)
    return answer(LinkAnswer(code=session.meeting_link))


async def create_session_token(request: web.Request) -> web.Response:
    wanted = read(TokenBody, await json_object(request))
    session_id, token = await request.app[SESSIONS].token(
        request[CLAIMS],
        request.match_info["meetingLinkId"],
        role=wanted.role,
        expires=wanted.expireTime,
        data=wanted.data,
    )
    return answer(TokenAnswer(sessionId=session_id, token=token))


async def edit_session(request: web.Request) -> web.Response:
    wanted = read(EditBody, await json_object(request))
    given = wanted.model_fields_set
    names = {
        "isScheduled": "is_scheduled",
        "scheduleTime": "schedule_time",
        "isArchived": "is_archived",
        "uploadTarget": "upload_target",
        "extId": "ext_id",
        "extMetadata": "ext_metadata",
    }
    edit = Edit(
        given=frozenset(ours for theirs, ours in names.items() if theirs in given),
        **{ours: getattr(wanted, theirs) for theirs, ours in names.items() if theirs in given},
    )
    await request.app[SESSIONS].edit(request[CLAIMS], request.match_info["meetingLinkId"], edit)
    return web.Response(status=204)


async def end_session(request: web.Request) -> web.Response:
    await request.app[SESSIONS].end(request[CLAIMS], request.match_info["meetingLinkId"])
    return web.Response(status=204)


SESSION_OPERATIONS = (
    Operation(
        "POST",
        "/session",
        permitted("CreateMeetingSession", create_session),
        summary="Make a session; answers its meeting link, as plain text to whoever accepts nothing else",
        body=SessionBody,
        answer=LinkAnswer,
        errors={
            400: "The schedule cannot be used, or encryption and archiving exclude each other",
            413: "The body is over 1 MiB",
            422: "A field is of the wrong type",
        },
    ),
    Operation(
        "POST",
        "/session/{meetingLinkId}/token",
        permitted("GenerateMeetingToken", create_session_token),
        summary="Make a token with which somebody joins by /rt, /whip or /whep",
        path_parameters=_LINK,
        body=TokenBody,
        answer=TokenAnswer,
        errors={
            400: "The session is unknown, over or not to be started yet, or a parameter cannot be used",
            413: "The body is over 1 MiB",
            422: "A field is of the wrong type",
        },
    ),
    Operation(
        "PATCH",
        "/session/{meetingLinkId}",
        permitted("EditMeeting", edit_session),
        summary="Edit a session",
        path_parameters=_LINK,
        body=EditBody,
        answers={204: None},
        errors={
            400: "The session is over, or its schedule cannot be used",
            404: "There is no such session",
            413: "The body is over 1 MiB",
            422: "A field is of the wrong type, or unknown",
        },
    ),
    Operation(
        "PATCH",
        "/session/{meetingLinkId}/end",
        permitted("StopMeeting", end_session),
        summary="End a session for everybody and for good",
        path_parameters=_LINK,
        answers={204: None},
        errors={400: "It has ended before", 404: "There is no such session"},
    ),
)
