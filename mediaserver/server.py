"""The media server: owns the port and the conferences, and hands every event to one callable.

Nothing here decides about media; a conference is placed on the packet thread that has the least to do and stays.
"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from struct import Struct

import structlog

from mediaserver.clock import Clock
from mediaserver.composition.repairs import repaired
from mediaserver.composition.studio import Studio
from mediaserver.conference.conference import Conference, Limits
from mediaserver.conference.router import Listeners, Router
from mediaserver.config import MediaConfig
from mediaserver.errors import NoSuchConference
from mediaserver.events import MediaEvent, RecordingClosed
from mediaserver.native import LEVEL_RECORD
from mediaserver.rtp.arrivals import read_records
from mediaserver.stats import ServerStats
from mediaserver.transport.dtls import Certificate
from mediaserver.transport.port import Port

TICK = 0.2  # seconds between two looks at who speaks and what fits whose line
WORKERS_END = 10.0  # seconds that media workers have to finish their files
_LEVEL = Struct(LEVEL_RECORD)

log = structlog.get_logger(__name__)


class MediaServer:
    """`on_event` is called in order, in the event loop; what it raises is logged and changes nothing here."""

    def __init__(
        self,
        config: MediaConfig,
        clock: Clock,
        on_event: Callable[[MediaEvent], None],
        *,
        rng: random.Random | None = None,
    ) -> None:
        self.config = config
        self.port = Port(config, clock, _certificate(config))
        self.port.on_layer = self._layer
        self.port.on_feedback = self._feedback
        self.port.on_levels = self._levels
        self._clock = clock
        self._on_event = on_event
        self._rng = rng or random.SystemRandom()
        self._conferences: dict[str, Conference] = {}
        self._listeners = Listeners()
        self._ticker: asyncio.TimerHandle | None = None
        self._workers: set[asyncio.Task[None]] = set()
        """Media workers that run, each in a task."""

    async def start(self) -> None:
        """Binds the port and starts its threads; OSError says what could not be bound."""
        await self.port.start()
        self._tick_later()

    async def aclose(self) -> None:
        """Ends all conferences and closes the port. May be called twice."""
        if self._ticker is not None:
            self._ticker.cancel()
        for conference in list(self._conferences.values()):
            conference.close()
        if self._workers:
            await asyncio.wait(self._workers, timeout=WORKERS_END)
        for worker in self._workers:
            worker.cancel()
        await self.port.aclose()

    def open(self, conference_id: str, limits: Limits | None = None) -> Conference:
        """The conference with this id, a new one if there is none."""
        if conference_id in self._conferences:
            return self._conferences[conference_id]
        router = Router(
            self.port,
            self.port.pick_thread(),
            self._rng,
            self._listeners,
            remb_bps=self.config.publish_bitrate_cap_bps,
        )
        conference = Conference(
            conference_id,
            limits or Limits(self.config.max_participants),
            router,
            tell=self._tell,
            on_closed=self._closed,
            studio=self._studio,
        )
        self._conferences[conference_id] = conference
        return conference

    def conference(self, conference_id: str) -> Conference:
        if conference_id not in self._conferences:
            raise NoSuchConference(f"no conference {conference_id} is open")
        return self._conferences[conference_id]

    async def repair_recordings(self, root: Path) -> list[RecordingClosed]:
        """Finishes the recordings below `root` that a kill has left behind; to be called before the first conference.

        Ids of conferences and recordings are not known here: empty, with the path that tells them.
        """
        return [
            RecordingClosed("", "", "", str(path), why or "server gone", index["duration"] if index else 0.0, index)
            for path, index, why in await repaired(root)
        ]

    def stats(self) -> ServerStats:
        return ServerStats(
            self.port.engine.stats(),
            self.port.stats(),
            tuple(conference.stats() for conference in self._conferences.values()),
        )

    def tick(self) -> None:
        """What has to be looked at now and then; a failure in one conference leaves the others alone."""
        now = self._clock.monotonic()
        for conference in list(self._conferences.values()):
            try:
                conference.tick(now)
            except Exception:
                log.exception("a conference was not looked after", conference=conference.id)

    def _tick_later(self) -> None:
        self._ticker = asyncio.get_running_loop().call_later(TICK, self._ticked)

    def _ticked(self) -> None:
        self.tick()
        self._tick_later()

    def _studio(self, conference: Conference, router: Router) -> Studio:
        return Studio(
            conference.id,
            conference.published,
            router,
            self.config,
            wall_offset=self._clock.wall() - self._clock.monotonic(),
            tell=self._tell,
            on_task=self._keep,
        )

    def _keep(self, worker: asyncio.Task[None]) -> None:
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    def _closed(self, conference_id: str) -> None:
        self._conferences.pop(conference_id, None)

    def _tell(self, event: MediaEvent) -> None:
        try:
            self._on_event(event)
        except Exception:
            log.exception("event handler failed", media_event=type(event).__name__, conference=event.conference_id)

    def _layer(self, track_id: int, layer: int, _codec: int) -> None:
        if listener := self._listeners.layers.get(track_id):
            listener(layer)

    def _feedback(self, connection_id: int, records: bytes) -> None:
        if listener := self._listeners.feedback.get(connection_id):
            listener(read_records(records), self._clock.monotonic())

    def _levels(self, records: bytes) -> None:
        now = self._clock.monotonic()
        for track_id, packets, voiced, loudest, _ in _LEVEL.iter_unpack(records):
            if listener := self._listeners.levels.get(track_id):
                listener(packets, voiced, loudest, now)


def _certificate(config: MediaConfig) -> Certificate:
    if config.certificate_file and config.private_key_file:
        return Certificate.load(config.certificate_file, config.private_key_file)
    return Certificate.generate()
