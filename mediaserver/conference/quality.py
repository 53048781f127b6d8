"""How well the pictures of one subscribe connection are received: which layer of each, as wished and as fits.

Puts together what is asked for, has `downlink.py` share the line out among that, and says which layer to carry and
what is to be told of it. Carrying it is `subscription.py`'s. Pure: driven by `share`.
"""

from collections.abc import Iterable, Iterator, Sequence

from mediaserver.conference.downlink import Downlink, score
from mediaserver.conference.stream import SOUND_OVERHEAD_BPS, Stream, Track
from mediaserver.conference.wishes import BEST, Wish, fitting_layer
from mediaserver.events import StreamLayers
from mediaserver.rtp.allocation import USUAL_PRIORITY, Reason, Request
from mediaserver.rtp.arrivals import Record
from mediaserver.rtp.layers import ALL
from mediaserver.rtp.redundancy import Redundancy

Flowing = Iterable[tuple[Stream, Track, Wish]]
"""The tracks that the client wants and takes, with their streams and wishes."""


class Quality:
    def __init__(self, downlink: Downlink, *, payloads_may_change: bool) -> None:
        """`payloads_may_change`: others may be put into a packet of sound."""
        self._downlink = downlink
        self._requests: tuple[Request, ...] | None = None
        """What pictures are asked for; None: to be put together anew."""
        self._sound_bps = self._along_bps = 0.0
        self._redundancy = Redundancy() if payloads_may_change else None
        self._held: frozenset[str] = frozenset()

    def agree(self, *, transport_cc: bool) -> None:
        """The client gives transport-wide feedback, or not."""
        self._downlink.agree(transport_cc=transport_cc)

    def hold(self, stream_ids: frozenset[str]) -> None:
        """The pictures of these streams are not to be sent now, those of all others are."""
        self._held = stream_ids
        self.measured()

    def told(self, records: Sequence[Record], now: float) -> bool:
        """Transport-wide feedback; returns whether the line is to be shared out anew without waiting."""
        self._downlink.feedback(records, now)
        return self._downlink.pressed

    def measured(self) -> None:
        """What flows, or what it costs, is another than before."""
        self._requests = None

    def share(self, flowing: Flowing, now: float) -> bool:
        """Shares the line out anew; returns whether that has changed what is to be carried.

        `flowing` is looked at only after `measured`.
        """
        if self._requests is None:
            self._requests = tuple(self._ask(flowing))
        downlink = self._downlink
        if self._redundancy:
            self._redundancy.update(downlink.loss, self._sound_bps, downlink.estimate_bps, now)
        return downlink.decide(self._requests, self._sound_bps + self.redundancy * self._along_bps, now)

    @property
    def redundancy(self) -> int:
        """How many packets of sound go along with the next."""
        return self._redundancy.packets if self._redundancy else 0

    def layer(self, stream: Stream, track: Track, wish: Wish) -> tuple[int, int] | None:
        """Which layer to receive, and its temporal one; None: paused. What has not come yet is taken as it comes."""
        if track.source.kind == "video" and stream.stream_id in self._held:
            return None
        known = track.source.kind == "video" and track.layers
        choice = self._downlink.choice(stream.stream_id) if known else None
        if choice is None or (choice.layer is None and choice.reason is Reason.PUBLISHER):
            return fitting_layer(wish, track.layer_count, track.source.sizes()), ALL
        if choice.layer is None:
            return None
        best = choice.reason is Reason.PUBLISHER and choice.layer.spatial == track.layers[-1].spatial
        return (BEST if best else choice.layer.spatial), choice.layer.temporal

    def changes(self, now: float) -> tuple[StreamLayers, ...]:
        """What the client is to be told about its pictures."""
        return self._downlink.changes(now)

    def rating(self) -> tuple[float, float, float]:
        """Score from 1 to 5, loss from 0 to 1, round trip in seconds."""
        downlink = self._downlink
        loss, round_trip = round(downlink.loss, 3), round(downlink.round_trip, 3)
        return score(loss, round_trip, downlink.held_back), loss, round_trip

    def stats(self) -> dict[str, float]:
        """What the line is thought to carry."""
        return self._downlink.stats()

    def _ask(self, flowing: Flowing) -> Iterator[Request]:
        """What pictures are asked for; notes on the way what the sound costs."""
        self._sound_bps = self._along_bps = 0.0
        for stream, track, wish in flowing:
            if track.source.kind == "audio":
                self._sound_bps += track.rate_bps
                self._along_bps += max(track.rate_bps - SOUND_OVERHEAD_BPS, 0.0)
            else:
                yield _request(stream, track, wish, held=stream.stream_id in self._held)


def _request(stream: Stream, track: Track, wish: Wish, *, held: bool) -> Request:
    return Request(
        key=stream.stream_id,
        layers=() if stream.muted["video"] else track.layers,
        screen=stream.label == "screen",
        priority=wish.priority or USUAL_PRIORITY,
        max_width=wish.max_width,
        max_height=wish.max_height,
        max_fps=wish.max_fps,
        held=held,
    )
