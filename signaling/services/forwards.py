"""Streams of a team's meeting that are pushed to other servers by WHIP. Rooms contract, section 14.

Each is begun by a task of its own, which brings the offer to the server and waits for the end: of the stream, of the
meeting, by the team, or because the server is gone. A server that is lost without a word, or out of order, is tried
again a few times. Every change is told to those who observe the meeting.
"""

import asyncio
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import structlog

from mediaserver import Forward, MediaError, MediaEvent, StreamInfo, ViewerEnded, ViewerPlaying
from signaling.addresses import special
from signaling.services import whip_client as whip
from signaling.services.errors import BadParameter, BadValue, Invalid, NotFound
from signaling.services.events import forward_update
from signaling.services.meeting import Meeting
from signaling.services.members import Member

PAUSES = (1.0, 5.0, 25.0)  # seconds before a lost server is tried again
MAX_FORWARDS = 16  # of one meeting
STREAM_OVER = "its stream is over"
_ENDS = (STREAM_OVER, "closed by the peer")  # as the media plane calls them

Kind = Literal["source", "mcu", "playback"]
Medium = Literal["audio", "video"]
log = structlog.get_logger(__name__)


class Pushes(whip.Sends, Protocol):
    """The one way to reach a caller's URL."""

    async def check(self, url: str, schemes: Collection[str] = ...) -> Sequence[str]: ...


class Stage(Protocol):
    """The composite, as far as forwards are concerned."""

    def need(self, meeting: Meeting, what: str, *, back: bool = ...) -> None: ...
    def release(self, meeting_id: str, what: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be pushed, and where to. `of`: the user or the playback it comes from, if the kind has one."""

    forward_id: str
    kind: Kind
    media: frozenset[Medium]
    url: str
    token: str | None = None
    of: str = ""


@dataclass(slots=True, eq=False)
class _Forward:
    wanted: Wanted
    meeting: Meeting
    state: str = "connecting"
    failed: bool = False
    outflow_id: str = ""
    over: asyncio.Future[str] | None = None
    """Why it is over, while it is connected."""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def need(self) -> str:
        """What the composite is needed for."""
        return f"forward {self.wanted.forward_id}"

    def view(self) -> dict[str, str]:
        return {"forward_id": self.wanted.forward_id, "kind": self.wanted.kind, "state": self.state}


class Forwards:
    """A watch of conferences. `private`: addresses that are not everybody's may be reached, too."""

    def __init__(self, pushes: Pushes, stage: Stage, *, private: bool, pauses: Sequence[float] = PAUSES) -> None:
        self._pushes = pushes
        self._stage = stage
        self._private = private
        self.pauses = tuple(pauses)
        self._forwards: dict[str, dict[str, _Forward]] = {}
        """By meeting and forward id."""
        self._tasks: set[asyncio.Task[None]] = set()
        """Of those, and of some that only have to take their leave."""

    async def aclose(self) -> None:
        """Ends all, and lets the other servers know."""
        for forward in [each for meeting in self._forwards.values() for each in meeting.values()]:
            self._stop(forward)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(self, meeting: Meeting, wanted: Wanted) -> None:
        """Begins to push. NotFound where there is nothing to push, Invalid for what cannot be used."""
        _check_live(meeting, wanted)
        self._check_free(meeting, wanted)
        forward = _Forward(wanted, meeting)
        self._forwards.setdefault(meeting.id, {})[wanted.forward_id] = forward
        try:
            await self._check_url(wanted.url)
            _check_live(meeting, wanted)  # it may have ended meanwhile
        except BaseException:
            self._forget(forward)
            raise
        forward.task = asyncio.create_task(self._keep(forward))
        self._tasks.add(forward.task)
        forward.task.add_done_callback(lambda task: self._is_done(forward, task))
        self._tell(meeting)

    def stop(self, meeting: Meeting, forward_id: str) -> None:
        """NotFound if there is none of that id."""
        forward = self._forwards.get(meeting.id, {}).get(forward_id)
        if forward is None or forward.task is None:
            raise NotFound("forward", forward_id)
        self._stop(forward)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        if not isinstance(event, ViewerPlaying | ViewerEnded):
            return
        for forward in self._forwards.get(meeting.id, {}).values():
            if forward.outflow_id != event.participant_id:
                continue
            if isinstance(event, ViewerPlaying):
                forward.state = "live"
                self._tell(meeting)
            elif forward.over and not forward.over.done():
                forward.over.set_result(event.why)

    def ending(self, meeting: Meeting, reason: str) -> None:
        for forward in list(self._forwards.get(meeting.id, {}).values()):
            self._stop(forward)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # one forward

    async def _keep(self, forward: _Forward) -> None:
        """Pushes until it is over for good."""
        names = {"conference": forward.meeting.id, "forward": forward.wanted.forward_id}
        try:
            for pause in (*self.pauses, None):
                why, lasting = await self._push(forward)
                log.info("forward over", why=why, **names)
                if lasting or pause is None:
                    forward.failed = why not in _ENDS
                    return
                forward.state = "connecting"
                self._tell(forward.meeting)
                await asyncio.sleep(pause)
        except Exception:
            forward.failed = True
            log.exception("forward failed", **names)

    def _stop(self, forward: _Forward) -> None:
        """It is over at once; its task lets the other server know."""
        if forward.task is not None:
            forward.task.cancel()
            self._is_over(forward)

    def _is_done(self, forward: _Forward, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._is_over(forward)

    def _is_over(self, forward: _Forward) -> None:
        """Twice is fine."""
        if self._forwards.get(forward.meeting.id, {}).get(forward.wanted.forward_id) is not forward:
            return
        forward.state = "failed" if forward.failed else "ended"
        self._tell(forward.meeting)
        self._forget(forward)
        if forward.wanted.kind == "mcu":
            self._stage.release(forward.meeting.id, forward.need)

    async def _push(self, forward: _Forward) -> tuple[str, bool]:
        """One connection, from the offer to the end: why it is over, and whether that is final."""
        media, wanted = forward.meeting.media, forward.wanted
        forward.over, forward.outflow_id = asyncio.get_running_loop().create_future(), str(uuid.uuid4())
        published: whip.Published | None = None
        try:
            if wanted.kind == "mcu":
                self._stage.need(forward.meeting, forward.need, back=True)
            stream = _chosen(forward.meeting, wanted)
            assert media is not None, "there is a stream"
            outflow: Forward = media.forward(forward.outflow_id, stream.stream_id, wanted.media)
        except (NotFound, MediaError):
            return STREAM_OVER, True
        try:
            published = await whip.publish(self._pushes, wanted.url, outflow.offer, wanted.token)
            if not forward.over.done():
                outflow.accept(published.answer, self._allowed)
            why = await forward.over
            return why, why in _ENDS
        except whip.TargetFailed as error:
            return str(error), error.lasting
        except MediaError as error:
            return str(error), True
        finally:
            outflow.close()
            if published is not None:
                await asyncio.shield(whip.end(self._pushes, published))

    def _allowed(self, ip: str) -> bool:
        return self._private or special(ip) is None

    # helpers

    async def _check_url(self, url: str) -> None:
        try:
            await self._pushes.check(url)
        except Invalid as error:
            raise BadParameter("url", f"cannot be used: {error}") from None

    def _check_free(self, meeting: Meeting, wanted: Wanted) -> None:
        running = self._forwards.get(meeting.id, {})
        if wanted.forward_id in running:
            raise BadParameter("forward_id", "is in use")
        if len(running) >= MAX_FORWARDS:
            raise Invalid(f"The meeting has {MAX_FORWARDS} forwards already.")

    def _forget(self, forward: _Forward) -> None:
        running = self._forwards.get(forward.meeting.id, {})
        running.pop(forward.wanted.forward_id, None)
        if not running:
            self._forwards.pop(forward.meeting.id, None)

    def _tell(self, meeting: Meeting) -> None:
        running = self._forwards.get(meeting.id, {}).values()
        meeting.tell_observers(forward_update([each.view() for each in running]))


def _check_live(meeting: Meeting, wanted: Wanted) -> None:
    """NotFound where there is nothing to push; of a meeting that runs there is always a composite."""
    if meeting.lifecycle.over:
        raise NotFound("running meeting", meeting.id)
    if wanted.kind != "mcu":
        _chosen(meeting, wanted)


def _chosen(meeting: Meeting, wanted: Wanted) -> StreamInfo:
    """The stream that is wanted; NotFound if it is not live, or has nothing of what is wanted."""
    labels = {"source": ("camera", "screen"), "mcu": ("one_view",), "playback": ("playback",)}[wanted.kind]
    for label in labels:
        for stream in meeting.streams():
            ours = not wanted.of or wanted.of == stream.participant_id
            if stream.label == label and ours and _has(stream, wanted.media):
                return stream
    raise NotFound("live stream", wanted.of or wanted.kind)


def _has(stream: StreamInfo, media: Collection[Medium]) -> bool:
    return (stream.audio and "audio" in media) or (stream.video and "video" in media)


def read_media(value: Any) -> frozenset[Medium]:
    """`audio`, `video`, both with a comma between them, or a list of those; BadValue for anything else."""
    named = value.split(",") if isinstance(value, str) else value
    if not isinstance(named, list) or not named or not all(isinstance(each, str) for each in named):
        raise BadValue("type")
    found: dict[str, Medium] = {"audio": "audio", "video": "video"}
    if not all(each.strip() in found for each in named):
        raise BadValue("type")
    return frozenset(found[each.strip()] for each in named)
