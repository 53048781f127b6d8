"""What a subscriber's transport-wide feedback says of what was sent to it, as the estimate of its line gets it."""

from itertools import pairwise
from struct import iter_unpack
from typing import NamedTuple

import pytest

from mediaserver.native import FEEDBACK_RECORD, EventKind
from mediaserver.rtp import rtcp
from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.packet import read_header
from mediaserver.rtp.transport_feedback import TransportFeedback
from tests.support.link import Weather
from tests.support.simulation import SUBSCRIBED_IDS, Line, Seat, Simulation, camera, microphone

NUMBER_ID = SUBSCRIBED_IDS[Extension.TRANSPORT_CC]


class Record(NamedTuple):
    sent: float
    arrived: float | None
    size: int
    packets: int


class Meeting:
    """One subscriber of a camera and a microphone, and what is told of what was sent to it."""

    def __init__(
        self, down: Weather, *, up: Weather | None = None, seed: int = 71, size: int = 1000, parts: int = 4
    ) -> None:
        self.sim = Simulation(seed=seed)
        layers = [camera(size=size, packets_per_frame=parts), microphone(level=10)]
        self.stage = self.sim.publish(layers)
        self.sent: list[tuple[float, int, int]] = []  # when, number, size; of repetitions to the byte the first
        self._seen: set[bytes] = set()
        self.sim.on_sent = self._sent
        self.seat: Seat = self.sim.subscribe(
            [self.stage.tracks["v"], self.stage.tracks["a"]], kinds=["video", "audio"], up=up, down=down
        )
        self.seat.peer.streams[1].nacks = False  # sound is repeated under its old numbers
        self.messages: list[list[Record]] = []

    def run(self, seconds: float) -> None:
        until = self.sim.now + seconds
        while self.sim.now < until:
            self.sim.run(min(1.0, until - self.sim.now))
            self._hear()

    def _hear(self) -> None:
        for event in self.sim.engine.poll(10000):
            if event[0] == EventKind.FEEDBACK:
                assert event[1] == self.seat.line.native.id
                self.messages.append([_record(*each) for each in iter_unpack(FEEDBACK_RECORD, event[2])])

    @property
    def records(self) -> list[Record]:
        return [record for message in self.messages for record in message]

    def _sent(self, line: Line, data: bytes) -> None:
        if line is self.seat_line and not 192 <= data[1] < 224 and data not in self._seen:
            self._seen.add(data)
            number = dict(read_header(data).extensions)[NUMBER_ID]
            self.sent.append((self.sim.now, int.from_bytes(number), len(data)))

    @property
    def seat_line(self) -> Line | None:
        return self.seat.line if hasattr(self, "seat") else None


def _record(sent: int, arrived: int, size: int, packets: int) -> Record:
    return Record(sent / 1e6, None if arrived < 0 else arrived / 1e6, size, packets)


def test_every_packet_of_a_connection_has_the_next_number() -> None:
    meeting = Meeting(Weather(delay=0.02, loss=0.05))
    meeting.run(5)
    numbers = [number for _, number, _ in meeting.sent]
    assert len(numbers) > 800
    assert {b - a for a, b in pairwise(numbers)} == {1}


def test_without_the_extension_nothing_is_numbered_and_nothing_told() -> None:
    sim = Simulation(seed=72)
    stage = sim.publish([camera()])
    seat = sim.subscribe([stage.tracks["v"]], extensions={Extension.ABS_SEND_TIME: 2})
    sim.run(1)
    seat.peer.ask([TransportFeedback(1, 2, 0, 0, 0, (1, 2, 3))])
    sim.run(0.5)
    assert [kind for kind, *_ in sim.engine.poll() if kind == EventKind.FEEDBACK] == []
    assert all(dict(p.extensions).keys() == {2} for p in seat.stream.in_order())


@pytest.mark.parametrize("loss", [0.0, 0.1], ids=["calm", "loss"])
def test_feedback_tells_of_every_packet_once(loss: float) -> None:
    meeting = Meeting(Weather(delay=0.03, loss=loss))
    meeting.run(6)
    told = [number for at, number, _ in meeting.sent if at < meeting.sim.now - 0.2]
    received = sum(r.packets for r in meeting.records if r.arrived is not None)
    lost = sum(r.packets for r in meeting.records if r.arrived is None)
    assert len(told) <= received + lost <= len(meeting.sent)
    assert received == pytest.approx(len(meeting.seat.peer.numbered.times), abs=60)
    assert (lost > 50) == (loss > 0)
    sizes = {size for _, _, size in meeting.sent}
    assert all(min(sizes) * r.packets <= r.size <= max(sizes) * r.packets for r in meeting.records)


def test_times_are_ours_and_the_peers() -> None:
    delay = 0.035
    meeting = Meeting(Weather(delay=delay))
    meeting.run(3)
    offset = meeting.seat.peer.numbered.clock_offset
    times = {round(at, 4) for at, _, _ in meeting.sent}
    trips = [r.arrived - r.sent for r in meeting.records if r.arrived is not None]
    assert all(round(r.sent, 4) in times for r in meeting.records)
    assert max(trips) - min(trips) < 0.001
    assert (trips[0] - offset - delay) % 64 == pytest.approx(0.0, abs=0.002) or trips[0] > 0


def test_packets_that_left_together_are_one_record() -> None:
    meeting = Meeting(Weather(delay=0.02), parts=8)
    meeting.run(3)
    pictures = [r for r in meeting.records if r.packets >= 8]
    assert len(pictures) > 80
    assert len(meeting.records) < len(meeting.sent) / 3


def test_a_queue_on_the_way_shows_in_the_times() -> None:
    meeting = Meeting(Weather(delay=0.02, rate_bps=600_000, queue=0.6))
    meeting.run(3)
    trips = [r.arrived - r.sent for r in meeting.records if r.arrived is not None]
    assert max(trips) - trips[0] > 0.3


def test_what_was_called_lost_and_comes_late_is_taken_back() -> None:
    meeting = Meeting(Weather(delay=0.02, reordered=0.05, held_up=0.3))
    meeting.run(5)
    lost = [r.packets for r in meeting.records if r.arrived is None]
    received = sum(r.packets for r in meeting.records if r.arrived is not None)
    late = -sum(packets for packets in lost if packets < 0)
    assert late > 10
    assert all(r.size == 0 for r in meeting.records if r.packets < 0)
    assert received + sum(packets for packets in lost if packets > 0) <= len(meeting.sent)
    assert sum(lost) <= late / 2, "all but those still on their way have come"


@pytest.mark.parametrize("unheard", [0.0, 0.3], ids=["all feedback", "some feedback"])
def test_what_is_sent_again_under_its_number_counts_as_lost(unheard: float) -> None:
    meeting = Meeting(Weather(delay=0.02, loss=0.3), up=Weather(delay=0.02, loss=unheard))
    meeting.seat.peer.streams[1].nacks = True
    meeting.run(20)
    received = sum(r.packets for r in meeting.records if r.arrived is not None)
    lost = sum(r.packets for r in meeting.records if r.arrived is None)
    assert lost / (received + lost) == pytest.approx(0.3, abs=0.03)


def test_numbers_and_times_go_on_over_their_wraps() -> None:
    meeting = Meeting(Weather(delay=0.02, loss=0.01), size=200, parts=60)
    meeting.seat.peer.numbered.clock_offset = 64e-3 * (1 << 24) - 110  # the reference time wraps after ten seconds
    meeting.run(40)
    assert len(meeting.sent) > 66000
    arrived = [r.arrived for r in meeting.records if r.arrived is not None]
    assert arrived == sorted(arrived)
    assert sum(r.packets for r in meeting.records) == pytest.approx(len(meeting.sent), abs=400)


MALFORMED = {
    "too short": b"\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0",
    "chunks missing": bytes(10) + b"\0\x20" + b"\0\0\1\1" + b"\x20\x03",
    "times missing": bytes(10) + b"\0\x04" + b"\0\0\1\1" + b"\x20\x04\1\2",
    "a symbol that is reserved": bytes(10) + b"\0\x02" + b"\0\0\1\1" + b"\x60\x02\1\2\3\4",
    "tells of more than was ever remembered": bytes(10) + b"\x10\0" + b"\0\0\1\1" + b"\x1f\xff\0\0",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_feedback_is_counted(body: bytes) -> None:
    meeting = Meeting(Weather(delay=0.02))
    meeting.run(1)
    before = meeting.sim.engine.stats()["dropped_malformed_rtcp"]
    body += bytes(-len(body) % 4)
    packet = b"\x8f\xcd" + (len(body) // 4).to_bytes(2) + body
    meeting.sim.send(meeting.seat.line, meeting.seat.peer.srtp.protect_rtcp_bytes(b"\x80\xc9\0\1\0\0\0\1" + packet))
    meeting.run(0.5)
    counted = meeting.sim.engine.stats()["dropped_malformed_rtcp"] - before
    assert counted == (0 if body == bytes(15) else 1)


def test_reports_and_remb_stand_in_the_counters_of_the_connection() -> None:
    meeting = Meeting(Weather(delay=0.02, loss=0.1))
    native = meeting.seat.line.native
    assert native.stats()["remb_age"] == native.stats()["report_age"] == -1
    meeting.run(5)
    meeting.seat.peer.ask([rtcp.Remb(1, 654_000, (meeting.seat.stream.ssrc,))])
    meeting.run(0.3)
    stats = native.stats()
    assert stats["remb_bps"] == pytest.approx(654_000, rel=1e-3)
    assert stats["remb_age"] == pytest.approx(0.28, abs=0.03)
    assert 0 < stats["report_age"] < 1.1
    assert stats["reported"] > 500
    assert stats["reported_lost"] / stats["reported"] == pytest.approx(0.1, abs=0.05)
    assert stats["round_trip"] == pytest.approx(0.04, abs=0.01)


def test_sound_that_is_asked_for_again_leaves_as_it_was() -> None:
    """It has no RTX: its number and its time of sending must be those of the first time (`NonceWatch` looks)."""
    meeting = Meeting(Weather(delay=0.02, loss=0.1))
    sound = meeting.seat.peer.streams[1]
    meeting.run(1)
    asked = meeting.sim.watch.repeats
    for _ in range(20):
        meeting.run(0.1)
        newest = sound.highest or 0
        meeting.seat.peer.ask([rtcp.Nack(1, sound.ssrc, tuple((newest - i) & 0xFFFF for i in range(40)))])
    meeting.run(0.5)
    assert meeting.sim.watch.repeats - asked > 100
