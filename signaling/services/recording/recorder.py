"""Recordings of conferences: begun and stopped, at most one of a conference at a time, kept for a while.

The media plane writes the file; what becomes of it afterwards is `finishing.py`'s.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from mediaserver import Clock, Conference, MediaEvent, Recording, RecordingClosed
from signaling import tokens
from signaling.services.composites import Composites
from signaling.services.conferences import Conferences
from signaling.services.errors import Gone, NotNow
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.recording.finishing import Finishing
from signaling.services.recording.states import DAY_MS, State, moved
from signaling.services.recording.takes import KIND, Order, Patron, Take
from signaling.store import recordings as store
from signaling.store.recordings import RecordingRow, Wanted

SWEEP = 100  # at a time

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Recorder:
    """A watch of conferences; `hear` has to be called with every event of the media plane."""

    conferences: Conferences
    composites: Composites
    finishing: Finishing
    clock: Clock
    retention_days: int
    random: Callable[[int], bytes] = secrets.token_bytes
    _running: dict[str, Take] = field(default_factory=dict)
    """By conference."""
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _sweeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    def enter(self, patron: Patron) -> None:
        """From now on the family may have its conferences recorded."""
        self.finishing.ledger.enter(patron)

    async def start_up(self) -> None:
        await self.finishing.start_up()

    async def aclose(self) -> None:
        """Returns when what has been heard of is finished, or waits for the object store."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # what families do

    async def start(self, conference_id: str, order: Order) -> RecordingRow:
        """Begins a recording. NotNow while one runs, or nothing can be recorded yet; Conflict if that is for good."""
        meeting = self._recordable(conference_id)
        take = Take(self._row(meeting.id, order), self.clock.monotonic(), meeting)
        self._running[meeting.id] = self.finishing.unfinished[take.row.id] = take
        try:
            await self.finishing.ledger.begin(take.row)
        except BaseException:
            self._forget(take)
            raise
        if self.conferences.meeting(meeting.id) is not meeting or meeting.media is None:
            self._forget(take)
            await self.finishing.ledger.strike(take.row.id)
            raise Gone
        try:
            take.handle = self._roll(meeting, meeting.media, take)
        except Exception as error:  # whatever keeps the media plane from it: the next one may begin
            log.exception("recording not begun", recording=take.row.id)
            self.composites.release(meeting.id, take.row.id)
            self._forget(take)
            await self.finishing.fail(take, "not begun")
            raise NotNow("Recording is not possible now.") from error
        self.finishing.ledger.tell(take)
        return take.row

    async def stop(self, conference_id: str) -> RecordingRow | None:
        """Ends the one that runs; what it is then. None if none does."""
        take = self._running.get(conference_id)
        if take is None or take.handle is None:
            return None
        self._stop(take)
        if take.stopping:
            await take.stopping
        return take.row

    def running(self, conference_id: str) -> RecordingRow | None:
        take = self._running.get(conference_id)
        return None if take is None else take.row

    async def destroy(self, row: RecordingRow) -> None:
        """One that is not kept yet is stopped and discarded."""
        take = self.finishing.unfinished.get(row.id)
        if take is None:
            await self.finishing.uploads.remove(row)
        else:
            take.discarded = True
        await self.finishing.ledger.strike(row.id)
        if take is not None:
            self._stop(take)

    async def sweep(self) -> None:
        """Lets go of what has been kept long enough, and tries again what could not be stored before."""
        async with self._sweeping:
            await self._sweep()

    async def _sweep(self) -> None:
        before_ms = self._now_ms() - self.retention_days * DAY_MS
        for patron in self.finishing.ledger.patrons.values():
            await self._let_go(patron, before_ms)
        for take in list(self.finishing.unfinished.values()):
            if not take.waiting or take.row.next_try_ms > self._now_ms():
                continue
            if take.row.target_id is None:
                await self.finishing.keep(take)
            else:
                take.waiting = False  # it may take long: others have their turns meanwhile
                self._later(self.finishing.keep(take))

    # what is heard

    def hear(self, event: MediaEvent) -> None:
        if isinstance(event, RecordingClosed) and (take := self.finishing.unfinished.get(event.recording_id)):
            self._stop(take)
            self._later(self.finishing.finish(take, event))

    def came(self, meeting: Meeting, member: Member) -> None:
        pass

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        pass

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        if take := self._running.get(meeting.id):
            self._stop(take)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    # helpers

    def _recordable(self, conference_id: str) -> Meeting:
        meeting = self.conferences.meeting(conference_id)
        if meeting is not None:
            meeting.check_readable("recording")
        if meeting is None or meeting.media is None:
            raise NotNow("The meeting is not ready.")
        if meeting.id in self._running:
            raise NotNow("A recording is running.")
        return meeting

    def _roll(self, meeting: Meeting, media: Conference, take: Take) -> Recording:
        self.composites.need(meeting, take.row.id)
        names = {member.id: member.name for member in meeting.members.values()}
        return media.record(take.row.id, self.finishing.folder / take.row.id, names=names)

    def _row(self, conference_id: str, order: Order) -> RecordingRow:
        return RecordingRow(
            id=tokens.new_id(self.random),
            kind=KIND,
            family=order.family,
            owner=order.owner,
            container=order.container,
            conference_id=conference_id,
            about=json.dumps(order.about),
            created_ms=self._now_ms(),
            state=State.RUNNING,
        )

    def _stop(self, take: Take) -> None:
        """It runs no more; what it has is finished from here on. Twice is fine."""
        if take.stopping is not None or take.handle is None:
            return
        self._running.pop(take.row.conference_id, None)
        duration = max(0, int(self.clock.monotonic() - take.begun_at))
        take.row = moved(take.row, State.STOPPED, duration=duration)
        take.handle.stop()
        self.composites.release(take.row.conference_id, take.row.id)
        self.finishing.ledger.tell(take)
        take.stopping = self._later(self.finishing.ledger.write(take))

    async def _let_go(self, patron: Patron, before_ms: int) -> None:
        wanted = Wanted(KIND, patron.family, states=None if patron.forgets else (State.FINISHED,))
        old = await self.finishing.ledger.database.reading(store.made_before, wanted, before_ms, limit=SWEEP)
        for row in old:
            if patron.forgets:
                await self.destroy(row)
            else:
                await self.finishing.uploads.remove(row)
                await self.finishing.ledger.write(Take(moved(row, State.EXPIRED)))

    def _forget(self, take: Take) -> None:
        self.finishing.forget(take)
        if self._running.get(take.row.conference_id) is take:
            del self._running[take.row.conference_id]

    def _later(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _now_ms(self) -> int:
        return int(self.clock.wall() * 1000)
