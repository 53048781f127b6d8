"""Turns changes of a conference into native commands: the only user of native sources and sinks.

A `Router` belongs to one conference and keeps everything of it on one packet thread. It decides nothing about who
receives what: `publication.py` says what feeds a `Source`, `subscription.py` what a `Sink` carries. Both are thin
and idempotent: saying the same again gives no command.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mediaserver import native
from mediaserver.rtp.arrivals import Record
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.layers import ALL
from mediaserver.transport.connection import Connection, TransportEvent
from mediaserver.transport.negotiation import LocalTransport, PublishedSection, Slot
from mediaserver.transport.sdp import Candidate, Fingerprint

BEST_LAYER = -1  # the best one that has media
FIRST_SEQUENCE_LIMIT = 1 << 15  # a receiver whose first packet comes after the wrap could not authenticate it
SSRC_TRIES = 64  # random numbers tried until one is free; the second is hardly ever needed

LayerListener = Callable[[int], None]
LevelListener = Callable[[int, int, int, float], None]
"""Called with packets, how many of them had voice, the loudest level (-dBov) and now."""
FeedbackListener = Callable[[Sequence[Record], float], None]
"""Called with the records of a feedback message (`rtp/arrivals.py`) and now."""


@dataclass(slots=True)
class Listeners:
    """Who wants to hear of what, by the number of the track or connection; asked by whoever reads the port's events."""

    layers: dict[int, LayerListener] = field(default_factory=dict)
    levels: dict[int, LevelListener] = field(default_factory=dict)
    feedback: dict[int, FeedbackListener] = field(default_factory=dict)


class MediaPort(Protocol):
    """What a conference needs of `transport.port.Port`."""

    @property
    def engine(self) -> native.Engine: ...
    @property
    def candidates(self) -> tuple[Candidate, ...]: ...
    @property
    def fingerprint(self) -> Fingerprint: ...
    def open(self, *, thread: int, on_event: Callable[[TransportEvent], None], asks: bool = False) -> Connection: ...


class Source:
    """Where a track comes in: fed by a section of one connection, read by sinks. `kind` is audio or video."""

    def __init__(self, track: native.Track, kind: str, listeners: Listeners) -> None:
        self.native = track
        self.kind = kind
        self.id = track.id
        self._listeners = listeners

    def mute(self, muted: bool) -> None:
        self.native.mute(muted)

    def layers(self) -> list[dict[str, int | float]]:
        """Counters of the layers that have come, best first."""
        return self.native.layers()

    def sizes(self) -> dict[int, tuple[int, int]]:
        """{layer: (width, height)} in pixels, as far as key frames have told."""
        return {
            int(each["layer"]): (int(each["width"]), int(each["height"])) for each in self.layers() if each["width"]
        }

    def on_layer(self, listener: LayerListener) -> None:
        """`listener` is called with the number of a layer when its first packet has come."""
        self._listeners.layers[self.id] = listener

    def on_level(self, listener: LevelListener) -> None:
        """`listener` hears ten times a second how loud this sound is, while there is any."""
        self._listeners.levels[self.id] = listener

    def close(self) -> None:
        self._listeners.layers.pop(self.id, None)
        self._listeners.levels.pop(self.id, None)
        self.native.close()


class Intake:
    """What comes in over a publisher's connection: how to read it, and which section feeds which source."""

    def __init__(self, connection: Connection, remb_bps: int) -> None:
        self._native = connection.native
        self._remb_bps = remb_bps
        self._fed: dict[str, tuple[Source, PublishedSection]] = {}

    def understand(self, sections: Sequence[PublishedSection]) -> None:
        """The extensions and the feedback the peer has agreed to; in a bundle they hold for all sections."""
        self._native.receive_extensions({id: kind for section in sections for id, kind in section.extensions.items()})
        self._native.send_feedback(
            nack=any(section.nack for section in sections if section.kind == "video"),
            audio_nack=any(section.nack for section in sections if section.kind == "audio"),
            transport_cc=any(section.transport_cc for section in sections),
            remb_bps=self._remb_bps if any(section.remb for section in sections) else 0,
        )

    def feed(self, feeds: Iterable[tuple[Source, PublishedSection]]) -> None:
        """These sections feed these sources from now on, and no others."""
        wanted = {section.mid: (source, section) for source, section in feeds}
        for mid in self._fed.keys() - wanted.keys():
            self._native.stop_receiving(mid)
        for mid, feed in wanted.items():
            if self._fed.get(mid) != feed:
                self._receive(*feed)
        self._fed = wanted

    def _receive(self, source: Source, section: PublishedSection) -> None:
        self._native.receive_track(
            source.native,
            mid=section.mid,
            payloads=_payloads(section),
            retransmissions=section.retransmissions,
            rids=section.rids,
            ssrcs=section.ssrcs,
            repair_ssrcs=section.repair_ssrcs,
        )


class Sink:
    """One outgoing stream of a subscriber's connection: a slot's numbers. Tracks come and go."""

    def __init__(self, sink: native.Sink) -> None:
        self._native = sink
        self._accepted: tuple[dict[int, tuple[int, int]], dict[int, int], int] | None = None
        self._carried: tuple[Source, int, int] | None = None

    def accept(self, codecs: Mapping[int, tuple[int, int]], extensions: Mapping[int, int], redundancy: int = 0) -> None:
        """What the subscriber understands on this section; so many packets of sound go along with the next."""
        accepted = (dict(codecs), dict(extensions), redundancy)
        if accepted != self._accepted:
            self._native.accept(*accepted)
            self._accepted = accepted

    def carry(self, source: Source | None, layer: int = BEST_LAYER, temporal: int = ALL) -> None:
        """Sends `source` from now on, or nothing; of its frames those up to a temporal layer."""
        carried = (source, layer, temporal) if source else None
        if carried == self._carried:
            return
        if source:
            self._native.attach(source.native, layer, temporal)
        else:
            self._native.detach()
        self._carried = carried

    def stats(self) -> dict[str, int | float]:
        return self._native.stats()


class Tap:
    """A connection to a process of ours, over a socket: tracks go to it as they are, what it makes comes back.

    Its taking is counted nowhere and paced by nobody: what the process does not read in time is lost.
    """

    def __init__(
        self, engine: native.Engine, address: bytes, connection: native.Connection, rng: random.Random
    ) -> None:
        self._engine = engine
        self._address = address
        self._native = connection
        self._rng = rng
        self._sinks: dict[int, Sink] = {}
        self._natives: dict[int, native.Sink] = {}
        self._ssrcs: set[int] = set()

    def take(self, source: Source, layer: int = BEST_LAYER) -> int:
        """Sends a track from now on; returns the SSRC that tells it from the others."""
        ssrc = new_ssrc(self._rng, self._ssrcs)
        sink = native.Sink(
            self._native,
            source.kind,
            ssrc=ssrc,
            repair_ssrc=0,
            sequence=self._rng.randrange(FIRST_SEQUENCE_LIMIT),
            timestamp=self._rng.getrandbits(32),
            cname="tap",
        )
        self._natives[ssrc], self._sinks[ssrc] = sink, Sink(sink)
        self._sinks[ssrc].accept({codec: (each.payload_type, -1) for codec, each in CODECS.items()}, {})
        self._sinks[ssrc].carry(source, layer)
        return ssrc

    def ssrc(self) -> int:
        """One for the process to send with."""
        return new_ssrc(self._rng, self._ssrcs)

    def change(self, ssrc: int, source: Source, layer: int) -> None:
        """Another layer of the same track."""
        self._sinks[ssrc].carry(source, layer)

    def drop(self, ssrc: int) -> None:
        del self._sinks[ssrc]
        self._natives.pop(ssrc).close()

    def feed(self, source: Source, mid: str, codec: CodecId, ssrc: int) -> None:
        """What the process sends with this SSRC is `source`'s. Nothing is lost between us, nothing asked for again."""
        self._native.send_feedback(nack=False, transport_cc=False)
        self._native.receive_track(
            source.native,
            mid=mid,
            payloads={CODECS[codec].payload_type: (codec, CODECS[codec].clock_rate)},
            retransmissions={},
            ssrcs=[ssrc],
        )

    def unfeed(self, mid: str) -> None:
        """Nothing comes from the process under this name any more."""
        self._native.stop_receiving(mid)

    def close(self) -> None:
        """Closes our end of the socket; may be called twice."""
        self._sinks.clear()
        self._natives.clear()
        self._native.close()
        self._engine.close_stream(self._address)


class Router:
    """Makes connections, sources and sinks of one conference on its packet thread.

    `listeners` are called by whoever hears of layers, levels and feedback from the port.
    `remb_bps`: the most a publisher may send, told to those who understand no transport-wide feedback.
    """

    def __init__(
        self, port: MediaPort, thread: int, rng: random.Random, listeners: Listeners, *, remb_bps: int
    ) -> None:
        self.thread = thread
        self._remb_bps = remb_bps
        self._port = port
        self._rng = rng
        self._listeners = listeners

    def connect(self, on_event: Callable[[TransportEvent], None], *, asks: bool = False) -> Connection:
        return self._port.open(thread=self.thread, on_event=on_event, asks=asks)

    def on_feedback(self, connection: Connection, listener: FeedbackListener | None) -> None:
        """`listener` hears what the peer says of the packets it is sent; None: nobody does any more."""
        if listener:
            self._listeners.feedback[connection.native.id] = listener
        else:
            self._listeners.feedback.pop(connection.native.id, None)

    def session_id(self) -> int:
        """A new session's number, for the origin line (RFC 9429 section 5.2.1: 63 bits)."""
        return self._rng.getrandbits(62) + 1

    def cname(self) -> str:
        """A new sender's name, which binds its sound to its picture (RFC 7022)."""
        return f"{self._rng.getrandbits(96):024x}"

    def local(self, connection: Connection, session_id: int, version: int) -> LocalTransport:
        """How our end of `connection` is described at present."""
        return LocalTransport(
            ufrag=connection.local_ufrag,
            pwd=connection.local_pwd,
            fingerprint=self._port.fingerprint,
            candidates=self._port.candidates,
            session_id=session_id,
            version=version,
        )

    def intake(self, connection: Connection) -> Intake:
        return Intake(connection, self._remb_bps)

    def source(self, kind: str) -> Source:
        return Source(native.Track(self._port.engine, kind, self.thread), kind, self._listeners)

    def sink(self, connection: Connection, slot: Slot) -> Sink:
        return Sink(
            native.Sink(
                connection.native,
                slot.kind,
                ssrc=slot.ssrc,
                repair_ssrc=slot.repair_ssrc,
                sequence=self._rng.randrange(FIRST_SEQUENCE_LIMIT),
                timestamp=self._rng.getrandbits(32),
                cname=slot.cname,
            )
        )

    def tap(self, fd: int) -> Tap:
        """A process of ours gets and gives tracks through the socket `fd`, which is not the caller's any more."""
        address = self._port.engine.adopt_local(fd, self.thread)
        connection = native.Connection(self._port.engine, self.thread)
        connection.trust(address)
        return Tap(self._port.engine, address, connection, self._rng)

    def ssrc(self, taken: set[int]) -> int:
        """A random number that no stream of the connection has yet; it is added to `taken`."""
        return new_ssrc(self._rng, taken)


def new_ssrc(rng: random.Random, taken: set[int]) -> int:
    """A random number that is not in `taken` yet."""
    for _ in range(SSRC_TRIES):
        ssrc = rng.getrandbits(32)
        if ssrc and ssrc not in taken:
            taken.add(ssrc)
            return ssrc
    raise AssertionError("the random source repeats itself")


def _payloads(section: PublishedSection) -> dict[int, tuple[CodecId, int]]:
    """{payload type: (codec, clock rate)}"""
    payloads = {section.payload_type: (section.codec, section.clock_rate)}
    if section.redundant is not None:
        payloads[section.redundant] = (CodecId.RED, section.clock_rate)
    return payloads
