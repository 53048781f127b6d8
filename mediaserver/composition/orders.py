"""What a conference has ordered of its media worker and is not done yet, by kind: recordings, pictures, pushes.

Each kind is kept here so that every new worker can be told all of it; what the worker tells of it ends it. None of
them knows the process: they say what is to be sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mediaserver.composition.control import Message
from mediaserver.composition.process import STOPPED
from mediaserver.composition.repairs import repaired
from mediaserver.conference.studio import COMPOSITE, INDIVIDUAL
from mediaserver.events import MediaEvent, RecordingClosed, RecordingStarted, SnapshotTaken

CONFERENCE_OVER, WORKER_LOST = "conference over", "worker failed"

Send = Callable[..., None]
Tell = Callable[[MediaEvent], None]


class Orders(Protocol):
    """Those of one kind."""

    def __bool__(self) -> bool:
        """Whether there is anything to do."""

    def brief(self) -> None:
        """Tells a new worker, who knows nothing."""

    def heard(self, message: Message) -> bool:
        """Something the worker tells; returns whether that has ended an order."""

    def close(self) -> None:
        """The conference is over; the worker is told by others."""

    async def give_up(self) -> None:
        """There will be no other worker."""


@dataclass(slots=True, eq=False)
class Recording:
    """One that was ordered; lives until its files are finished."""

    id: str
    path: Path
    kind: str
    names: dict[str, str]
    _send: Send
    stopping: str | None = None
    begun: bool = False
    """A worker has been told of it."""
    told: bool = False
    """Its start was."""

    def stop(self) -> None:
        self.end(STOPPED)

    def end(self, why: str) -> None:
        if self.stopping is None:
            self.stopping = why
            self._send(do="stop", id=self.id, why=why)

    def name(self, participant_id: str, name: str) -> None:
        self.names[participant_id] = name
        self._send(do="name", participant_id=participant_id, name=name)

    def note(self, note: Mapping[str, Any]) -> None:
        self._send(do="note", note=dict(note))


class Recordings:
    """A conference's."""

    def __init__(self, conference_id: str, send: Send, tell: Tell) -> None:
        self._conference = conference_id
        self._send = send
        self._tell = tell
        self._open: dict[str, Recording] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def individual(self) -> bool:
        """Whether tracks are kept as they are."""
        return any(recording.kind == INDIVIDUAL for recording in self._open.values())

    def add(self, recording_id: str, path: Path, kind: str, names: Mapping[str, str]) -> Recording:
        """ValueError for an id or a kind that cannot be. `begin` is to follow."""
        if kind not in (INDIVIDUAL, COMPOSITE) or recording_id in self._open:
            raise ValueError(f"a recording {recording_id} of kind {kind} cannot be begun")
        recording = self._open[recording_id] = Recording(recording_id, path, kind, dict(names), self._send)
        return recording

    def begin(self, recording: Recording) -> None:
        """Tells the worker of it, be it anew."""
        self._send(
            do="record",
            id=recording.id,
            kind=recording.kind,
            path=str(recording.path),
            names=recording.names,
            resume=recording.begun,
        )
        recording.begun = True
        if recording.stopping:
            self._send(do="stop", id=recording.id, why=recording.stopping)

    def brief(self) -> None:
        for recording in self._open.values():
            self.begin(recording)

    def heard(self, message: Message) -> bool:
        match message:
            case {"did": "started", "id": str(recording_id)}:
                recording = self._open.get(recording_id)
                if recording and not recording.told:
                    recording.told = True
                    self._tell(RecordingStarted(self._conference, "", recording_id))
            case {"did": "closed", "id": str(recording_id), "index": index, "why": str(why)}:
                recording = self._open.pop(recording_id, None)
                if recording:
                    self._closed(recording, index if isinstance(index, dict) else None, why)
                    return True
        return False

    def close(self) -> None:
        for recording in self._open.values():
            recording.stopping = recording.stopping or CONFERENCE_OVER

    async def give_up(self) -> None:
        """What was written is finished by a process of its own, and told."""
        recordings, self._open = list(self._open.values()), {}
        for recording in recordings:
            found = {path: index for path, index, _ in await repaired(recording.path)}
            self._closed(recording, found.get(recording.path), recording.stopping or WORKER_LOST)

    def _closed(self, recording: Recording, index: dict[str, Any] | None, why: str) -> None:
        duration = float(index.get("duration", 0.0)) if index else 0.0
        self._tell(RecordingClosed(self._conference, "", recording.id, str(recording.path), why, duration, index))


class Snapshots:
    """Pictures of the composite that a conference has asked for."""

    def __init__(self, conference_id: str, send: Send, tell: Tell) -> None:
        self._conference = conference_id
        self._send = send
        self._tell = tell
        self._open: dict[str, Path] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, snapshot_id: str, path: Path) -> None:
        """`begin` is to follow."""
        self._open[snapshot_id] = path

    def begin(self, snapshot_id: str) -> None:
        self._send(do="snapshot", id=snapshot_id, path=str(self._open[snapshot_id]))

    def brief(self) -> None:
        for snapshot_id in self._open:
            self.begin(snapshot_id)

    def heard(self, message: Message) -> bool:
        match message:
            case {"did": "snapshot", "id": str(snapshot_id), "why": why} if snapshot_id in self._open:
                self._taken(snapshot_id, why if isinstance(why, str) else None)
                return True
        return False

    def close(self) -> None:
        """Those that were asked for are still taken."""

    async def give_up(self) -> None:
        for snapshot_id in list(self._open):
            self._taken(snapshot_id, WORKER_LOST)

    def _taken(self, snapshot_id: str, why: str | None) -> None:
        path = self._open.pop(snapshot_id)
        self._tell(SnapshotTaken(self._conference, "", snapshot_id, str(path), why))
