"""Where the composite is pushed to, as the server sees it: orders for the media worker, told to each anew.

A worker tries a target several times before it gives it up; one that takes over from a worker that died begins afresh.
Where a target is, is a secret: nothing that is logged or told has it.
"""

from collections.abc import Sequence
from typing import Any

import structlog

from mediaserver.composition.control import Message
from mediaserver.composition.orders import WORKER_LOST, Send, Tell
from mediaserver.conference.studio import RtmpTarget
from mediaserver.events import BroadcastEnded, BroadcastInterrupted, BroadcastStarted

log = structlog.get_logger(__name__)


class Pushes:
    """A conference's."""

    def __init__(self, conference_id: str, send: Send, tell: Tell, pauses: Sequence[float]) -> None:
        """`pauses`: seconds before each further try."""
        self._conference = conference_id
        self._send = send
        self._tell = tell
        self._pauses = pauses
        self._open: dict[str, RtmpTarget] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, broadcast_id: str, target: RtmpTarget) -> None:
        """ValueError for an id that is in use. `begin` is to follow."""
        if broadcast_id in self._open:
            raise ValueError(f"there is a broadcast {broadcast_id}")
        self._open[broadcast_id] = target

    def begin(self, broadcast_id: str) -> None:
        target = self._open[broadcast_id]
        self._send(
            do="push",
            id=broadcast_id,
            url=target.url,
            addresses=list(target.addresses),
            ca_file=target.ca_file,
            pauses=list(self._pauses),
        )

    def stop(self, broadcast_id: str) -> None:
        """May be called for what has ended."""
        if self._open.pop(broadcast_id, None):
            self._send(do="stop_push", id=broadcast_id)

    def brief(self) -> None:
        for broadcast_id in self._open:
            self.begin(broadcast_id)

    def heard(self, message: Message) -> bool:
        match message:
            case {"did": "push", "id": str(broadcast_id), "state": str(state), "why": why} if (
                broadcast_id in self._open
            ):
                return self._pushed(broadcast_id, state, why)
        return False

    def close(self) -> None:
        """They end with the composite."""
        self._open.clear()

    async def give_up(self) -> None:
        for broadcast_id in list(self._open):
            self._ended(broadcast_id, WORKER_LOST)

    def _pushed(self, broadcast_id: str, state: str, why: Any) -> bool:
        """Returns whether that has ended it."""
        log.info("broadcast", conference=self._conference, broadcast=broadcast_id, state=state, why=why)
        match state:
            case "live":
                self._tell(BroadcastStarted(self._conference, "", broadcast_id))
            case "waiting":
                self._tell(BroadcastInterrupted(self._conference, "", broadcast_id, str(why)))
            case "over":
                self._ended(broadcast_id, str(why))
        return state == "over"

    def _ended(self, broadcast_id: str, why: str) -> None:
        del self._open[broadcast_id]
        self._tell(BroadcastEnded(self._conference, "", broadcast_id, why))
