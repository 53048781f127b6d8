"""Those who watch one stream over HTTP (WHEP): no participants, seen by nobody, counted only.

Decides what they may watch and for how long they wait when it is over. They keep no conference alive: where nothing
is live there is nothing to wait for. What a PATCH means is `http_sessions.py`'s.
"""

import uuid
from dataclasses import dataclass
from typing import Protocol

import structlog

from mediaserver import (
    Conference,
    IceFragment,
    MediaEvent,
    StreamInfo,
    Viewer,
    ViewerEnded,
    ViewerPlaying,
    ViewerWaiting,
)
from signaling import tokens
from signaling.services.admission import Admission
from signaling.services.conferences import Conferences
from signaling.services.doors import Credential
from signaling.services.errors import Conflict, NotFound
from signaling.services.http_sessions import HttpSession, HttpSessions, Opened, OutOfCapacity, agreeing, read_player
from signaling.services.meeting import Meeting, NotInMesh
from signaling.services.scheduler import Alarm, Scheduler
from signaling.settings import Settings

log = structlog.get_logger(__name__)

ONE_VIEW = "one_view"  # the label of the stream that shows everybody
CAMERA = "camera"


class Stage(Protocol):
    """The composite, as far as viewers are concerned."""

    def need(self, meeting: Meeting, what: str, *, back: bool = ...) -> None: ...
    def release(self, meeting_id: str, what: str) -> None: ...


class NothingLive(Conflict):
    """Later perhaps."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to play: a stream, or somebody's camera; neither is the picture that shows everybody."""

    stream_id: str | None = None
    user_id: str | None = None

    @property
    def everybody(self) -> bool:
        return self.stream_id is None and self.user_id is None


@dataclass(slots=True, eq=False)
class _Watching:
    """What a viewer's session stands for. `alarm` rings when it has waited too long."""

    viewer: Viewer
    alarm: Alarm

    def restart(self, fragment: IceFragment) -> str:
        return self.viewer.restart(fragment)

    def finish(self) -> None:
        self.viewer.end("left")

    def give_up(self) -> None:
        self.viewer.end("its stream is over")


class Viewers:
    """`media_event` has to be called with every event of the media server. `sessions` are those of the viewers."""

    def __init__(
        self,
        conferences: Conferences,
        admission: Admission,
        stage: Stage,
        settings: Settings,
        scheduler: Scheduler,
    ) -> None:
        self.sessions = HttpSessions()
        self._conferences = conferences
        self._admission = admission
        self._stage = stage
        self._settings = settings.whep
        self._scheduler = scheduler
        self._watching: dict[str, tuple[_Watching, HttpSession]] = {}

    async def play(self, credential: str, conference_id: str, sdp: str, wanted: Wanted) -> Opened:
        """Answers the offer of whoever has the credential with what they want to watch."""
        admitted = await self._admission.admit(Credential("bearer", credential, at=conference_id))
        self._conferences.check_open()
        meeting = self._conferences.meeting(conference_id)
        if (meeting.mode if meeting else admitted.venue.mode) == "MESH":
            raise NotInMesh("playing")
        offer = read_player(sdp)
        if meeting is None or meeting.media is None:
            raise NothingLive("Nobody is in this conference.")
        if meeting.media.viewer_count >= self._settings.max_viewers:
            raise OutOfCapacity("This conference has as many viewers as it may have.")
        viewer_id = str(uuid.uuid4())
        try:
            if wanted.everybody:
                meeting.check_readable("one picture of everybody")
                self._stage.need(meeting, viewer_id, back=True)
            stream = _choose(meeting, wanted)
            return self._open(
                viewer_id, meeting.media, stream, sdp, owner=tokens.digest(credential), login=offer.credentials
            )
        except BaseException:
            self._stage.release(meeting.id, viewer_id)
            raise

    def media_event(self, event: MediaEvent) -> None:
        if event.participant_id not in self._watching:
            return
        watching, session = self._watching[event.participant_id]
        match event:
            case ViewerWaiting():
                watching.alarm.set(self._settings.resume_seconds, watching.give_up)
            case ViewerPlaying():
                watching.alarm.clear()
            case ViewerEnded(why=why):
                log.info("viewer left", conference=event.conference_id, viewer=event.participant_id, reason=why)
                watching.alarm.clear()
                del self._watching[event.participant_id]
                self._stage.release(event.conference_id, event.participant_id)
                self.sessions.forget(session)

    def _open(
        self,
        viewer_id: str,
        conference: Conference,
        stream: StreamInfo,
        sdp: str,
        *,
        owner: str,
        login: tuple[str, str],
    ) -> Opened:
        with agreeing():
            viewer = conference.view(viewer_id, sdp, stream.stream_id)
        watching = _Watching(viewer, Alarm(self._scheduler))
        session = HttpSession(conference.id, owner, login, watching)
        self._watching[viewer_id] = (watching, session)
        self.sessions.add(session)
        log.info("viewer came", conference=conference.id, viewer=viewer_id, stream=stream.stream_id)
        return Opened(session, viewer.answer, viewer_id)


def _choose(meeting: Meeting, wanted: Wanted) -> StreamInfo:
    """The stream that is wanted; raises if there is none."""
    for stream in meeting.streams():
        if _is_wanted(stream, wanted):
            return stream
    if wanted.stream_id is not None:
        raise NotFound("stream", wanted.stream_id)
    if wanted.user_id is None:
        raise NothingLive("There is no common picture in this conference now.")
    meeting.member(wanted.user_id)
    raise NothingLive(f"Participant {wanted.user_id} publishes no camera.")


def _is_wanted(stream: StreamInfo, wanted: Wanted) -> bool:
    if wanted.stream_id is not None:
        return stream.stream_id == wanted.stream_id
    if wanted.user_id is not None:
        return (stream.participant_id, stream.label) == (wanted.user_id, CAMERA)
    return stream.label == ONE_VIEW
