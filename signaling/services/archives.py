"""Archives: recordings of sessions, begun by themselves, by back ends or by moderators, and over when nobody sends.

An archive begins by itself with the first stream of a session that wants one, once per session. While nobody sends
anything it counts as paused, and after a while it is over. How it is made, and where its file goes, is the same in all
families: `services/recording`. Sessions contract, section 9.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from mediaserver import MediaEvent, StreamEnded, StreamStarted
from signaling.services.archive_views import Seen, View, archive_view, told_inside
from signaling.services.errors import Conflict, Gone, Invalid, NotFound, NotNow
from signaling.services.in_order import InOrder
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.recording import Library, Order, Recorder, State
from signaling.services.scheduler import Alarm, Scheduler
from signaling.services.session_callers import Claims
from signaling.services.session_rules import NO_ENCRYPTION_WITH_ARCHIVING, Unknown
from signaling.store import recordings as store
from signaling.store import sessions, storage_targets
from signaling.store.database import Connection
from signaling.store.recordings import RecordingRow
from signaling.store.sessions import SessionRecord

FAMILY = "sessions"
NO_ARCHIVE = "Archive Not Found"

log = structlog.get_logger(__name__)


class Archives:
    """A watch of conferences, the family's patron, and what its members record with."""

    family = FAMILY
    forgets = False

    def __init__(
        self,
        recorder: Recorder,
        library: Library,
        scheduler: Scheduler,
        in_order: InOrder,
        *,
        base_url: str,
        idle: float,
    ) -> None:
        self._recorder = recorder
        self._library = library
        self._scheduler = scheduler
        self._in_order = in_order
        self._base_url = base_url
        self._idle = idle
        self._silent: dict[str, Alarm] = {}
        """Of the sessions that are recorded while nobody sends anything: rings when that is over."""
        self._paused: set[str] = set()
        """Those of them in which somebody has sent something before, or has gone."""
        self._asked: set[str] = set()
        """Runs of sessions that have been asked whether an archive begins by itself."""

    async def settled(self) -> None:
        """Waits until all that was heard of has been acted on."""
        await self._in_order.done()

    # what back ends do

    async def list(self, caller: Claims, *, offset: int, limit: int) -> tuple[int, Sequence[View]]:
        """How many there are, and a part of them, newest first."""
        wanted = self._library.wanted(owner=caller.tenant)

        def both(connection: Connection) -> tuple[int, Sequence[RecordingRow]]:
            return store.count(connection, wanted), store.page(connection, wanted, limit=limit, offset=offset)

        count, rows = await self._library.database.reading(both)
        return count, [self._view(row) for row in rows]

    async def fetch(self, caller: Claims, archive_id: str) -> View:
        return self._view(await self._find(caller, archive_id))

    async def delete(self, caller: Claims, archive_id: str) -> None:
        """The session has none then. What is in a store of the tenant's stays there."""
        row = await self._find(caller, archive_id)
        if row.state == State.RUNNING:
            raise Conflict("Archive is still being recorded")
        await self._library.database.stating(sessions.clear_archive, row.id)
        await self._recorder.destroy(row)

    async def start(self, caller: Claims, link: str, name: str | None) -> View:
        session = await self._session(caller, link)
        if session.e2ee:
            raise Invalid(NO_ENCRYPTION_WITH_ARCHIVING)
        if self._recorder.running(session.session_id) is not None:
            raise Conflict("Archive is already being recorded")
        meeting = self._recorder.conferences.meeting(session.session_id)
        if meeting is None or not meeting.members:
            raise Conflict("Nobody is connected to the session")
        try:
            return self._view(await self._begin(meeting, session, name=name))
        except (NotNow, Gone) as error:
            raise Conflict(str(error)) from None

    async def stop(self, caller: Claims, link: str) -> View:
        session = await self._session(caller, link)
        row = await self._recorder.stop(session.session_id)
        if row is None:
            raise Conflict("No archive is being recorded")
        return self._view(row)

    # what moderators do

    async def begin(self, meeting: Meeting, member: Member) -> None:
        session = await self._library.database.reading(sessions.by_session_id, meeting.id)
        if session is None:
            raise Gone
        await self._begin(meeting, session)

    async def end(self, meeting: Meeting) -> None:
        if await self._recorder.stop(meeting.id) is None:
            raise NotFound("archive", "that is being recorded")

    # what the recorder tells

    def changed(self, connection: Connection, row: RecordingRow) -> None:
        """What the session says of its archive is true at each moment."""
        if row.state == State.RUNNING:
            begun_ms = row.created_ms if json.loads(row.about)["auto"] else None
            sessions.set_archive(connection, row.container, row.id, begun_ms)
        if row.state == State.UPLOADED and row.target_id is not None:
            target = storage_targets.by_id(connection, row.target_id)
            if target is not None:
                sessions.set_upload_target(connection, row.container, target.kind)

    def tell(self, row: RecordingRow, meeting: Meeting | None) -> None:
        if row.state != State.RUNNING:
            self._sounds(row.conference_id)
        if meeting is not None:
            meeting.tell_recording(told_inside(row, self._base_url))

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        self._look(meeting, changed=True)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        if isinstance(event, StreamStarted | StreamEnded):
            self._look(meeting, changed=True)

    def ending(self, meeting: Meeting, reason: str) -> None:
        self._asked.discard(meeting.call_id)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    def _look(self, meeting: Meeting, *, changed: bool = False) -> None:
        """Somebody may send, or (`changed`) not any more."""
        if meeting.family != FAMILY:
            return
        sending = any(stream.participant_id in meeting.members for stream in meeting.streams())
        if self._recorder.running(meeting.id) is None:
            if sending and meeting.media and meeting.call_id not in self._asked:
                self._asked.add(meeting.call_id)
                self._in_order.put(lambda: self._begin_by_itself(meeting))
        elif sending:
            self._sounds(meeting.id)
        else:
            self._is_silent(meeting.id, paused=changed)

    def _is_silent(self, session_id: str, *, paused: bool) -> None:
        if paused:
            self._paused.add(session_id)
        if session_id not in self._silent:
            self._silent[session_id] = alarm = Alarm(self._scheduler)
            alarm.set(self._idle, lambda: self._in_order.put(lambda: self._recorder.stop(session_id)))

    def _sounds(self, session_id: str) -> None:
        """Somebody sends, or nothing is recorded any more."""
        self._paused.discard(session_id)
        if alarm := self._silent.pop(session_id, None):
            alarm.clear()

    async def _begin_by_itself(self, meeting: Meeting) -> None:
        session = await self._library.database.reading(sessions.by_session_id, meeting.id)
        if session is None or not session.is_archived or session.e2ee or session.archived_ms is not None:
            return
        try:
            await self._begin(meeting, session, auto=True)
        except (NotNow, Gone, Conflict) as error:
            log.info("archive not begun", session=meeting.id, why=str(error))

    async def _begin(
        self, meeting: Meeting, session: SessionRecord, *, name: str | None = None, auto: bool = False
    ) -> RecordingRow:
        about: Mapping[str, Any] = {"name": name, "auto": auto}
        row = await self._recorder.start(meeting.id, Order(FAMILY, session.tenant or "", session.session_id, about))
        self._look(meeting)
        return row

    async def _session(self, caller: Claims, link: str) -> SessionRecord:
        session = await self._library.database.reading(sessions.by_link, link, caller.tenant)
        if session is None:
            raise Unknown("Meeting Not Found")
        return session

    async def _find(self, caller: Claims, archive_id: str) -> RecordingRow:
        try:
            return await self._library.find(archive_id, caller.tenant)
        except NotFound:
            raise Unknown(NO_ARCHIVE) from None

    def _view(self, row: RecordingRow) -> View:
        paused = row.state == State.RUNNING and row.conference_id in self._paused
        return archive_view(Seen(row, self._library.link(row), paused, self._library.is_over(row)))
