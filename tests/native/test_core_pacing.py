"""Bursts spread over time for a thin line, and probes: what leaves, and when."""

from itertools import pairwise

import pytest

from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import read_header
from tests.native.test_core_departures import Meeting
from tests.support.link import Weather
from tests.support.rtp_peer import read_tag
from tests.support.simulation import Line, Seat, Simulation, Stage, camera, microphone, simulcast

RATE = 1_000_000
STEP = 0.005


class Paced:
    """A picture whose key frames are large, and sound, to one subscriber."""

    def __init__(self, rate_bps: float = RATE, *, parts: int = 3) -> None:
        self.sim = Simulation(seed=101)
        self.layer = camera(packets_per_frame=parts, size=1000)
        self.stage: Stage = self.sim.publish([self.layer, microphone(level=1)], up=Weather(delay=0.001))
        self.seat: Seat = self.sim.subscribe(
            [self.stage.tracks["v"], self.stage.tracks["a"]], kinds=["video", "audio"], down=Weather(delay=0.001)
        )
        self.sim.run(1)
        self.times: list[tuple[float, int, int]] = []
        self.sim.on_sent = self._sent
        self.seat.line.native.pace(rate_bps)

    def _sent(self, line: Line, data: bytes) -> None:
        if line is self.seat.line and not 192 <= data[1] < 224:
            self.times.append((self.sim.now, read_header(data).ssrc, len(data)))

    def burst(self, packets: int) -> None:
        """A frame of so many packets."""
        usual, self.layer.packets_per_frame = self.layer.packets_per_frame, packets
        self.stage.peer.send_frame(self.layer, self.sim.now)
        self.layer.packets_per_frame = usual

    def of(self, stream: int) -> list[tuple[float, int]]:
        ssrc = self.seat.peer.streams[stream].ssrc
        return [(at, size) for at, number, size in self.times if number == ssrc]


def test_a_burst_leaves_at_the_rate_of_the_line() -> None:
    paced = Paced()
    begin = paced.sim.now
    paced.burst(40)
    paced.sim.run(1)
    during = [(at, size) for at, size in paced.of(0) if at - begin < 0.3]
    assert sum(size for _, size in during) * 8 / 0.3 == pytest.approx(RATE, rel=0.2)
    for start in range(0, 300, 20):
        part = [size for at, size in during if start / 1000 <= at - begin < start / 1000 + 0.02]
        assert sum(part) * 8 <= 0.03 * RATE + 3000 * 8


def test_sound_does_not_wait_behind_a_picture() -> None:
    paced = Paced()
    paced.burst(60)
    paced.sim.run(0.5)
    gaps = [b - a for (a, _), (b, _) in pairwise(paced.of(1))]
    assert max(gaps) < 0.03


def test_nothing_is_lost_and_nothing_out_of_order_for_having_waited() -> None:
    paced = Paced(600_000)
    stream = paced.seat.stream
    for _ in range(4):
        paced.burst(30)
        paced.sim.run(1.2)
    paced.layer.asleep = True
    paced.sim.run(1)
    sequences = list(stream.packets)
    assert sequences == sorted(sequences)
    assert sequences == list(range(sequences[0], sequences[-1] + 1))
    assert stream.repairs == 0
    assert paced.sim.engine.stats()["packets_paced"] > 100


def test_what_would_wait_too_long_leaves() -> None:
    paced = Paced(50_000)
    begin = paced.sim.now
    paced.burst(30)
    paced.layer.asleep = True
    paced.sim.run(0.45)
    assert len(paced.of(0)) < 10
    paced.sim.run(0.2)
    assert len(paced.of(0)) >= 30
    assert max(at for at, _ in paced.of(0)) - begin < 0.55


def test_more_than_can_wait_leaves_at_once_but_in_order() -> None:
    paced = Paced(50_000)
    paced.burst(600)
    paced.layer.asleep = True
    paced.sim.run(0.1)
    assert 80 < len(paced.of(0)) < 130
    paced.sim.run(1)
    sequences = list(paced.seat.stream.packets)
    assert sequences == sorted(sequences)
    assert len(paced.of(0)) >= 600


@pytest.mark.parametrize("how", ["detach", "close", "unpace", "other", "end"])
def test_what_waits_is_sent_when_its_numbers_are_about_to_go(how: str) -> None:
    paced = Paced(50_000)
    paced.burst(30)
    paced.layer.asleep = True
    paced.sim.run(0.01)
    assert len(paced.of(0)) < 10
    other = paced.sim.publish([camera(source=5)], start=False)
    sink, native = paced.seat.sinks[0], paced.seat.line.native
    acts = {
        "detach": sink.detach,
        "close": sink.close,
        "unpace": lambda: native.pace(0),
        "other": lambda: sink.attach(other.tracks["v"]),
        "end": paced.stage.tracks["v"].close,
    }
    acts[how]()
    paced.sim.run(0.01)
    assert len(paced.of(0)) >= 30


def test_a_connection_may_end_while_packets_wait() -> None:
    paced = Paced(50_000)
    paced.burst(30)
    paced.sim.run(0.01)
    paced.seat.line.native.close()
    paced.sim.run(0.5)
    paced.sim.engine.close()


def test_paced_packets_tell_when_they_have_left() -> None:
    meeting = Meeting(Weather(delay=0.02), seed=102)
    meeting.run(1)
    meeting.seat.line.native.pace(400_000)
    meeting.run(3)
    trips = [r.arrived - r.sent for r in meeting.records if r.arrived is not None]
    assert meeting.sim.engine.stats()["packets_paced"] > 100
    assert max(trips) - min(trips) < 0.001
    numbers = [number for _, number, _ in meeting.sent]
    assert {b - a for a, b in pairwise(numbers)} == {1}


# repetitions


def asks(paced: Paced, numbers: range) -> None:
    """The subscriber says that these were lost."""
    stream = paced.seat.peer.streams[0]
    lost = tuple(number & 0xFFFF for number in numbers)
    paced.seat.peer.ask([rtcp.Nack(paced.seat.peer.ssrc, stream.ssrc, lost)])


def repeats(paced: Paced, since: float) -> list[tuple[float, int]]:
    ssrc = paced.seat.peer.streams[0].repair_ssrc
    return [(at - since, size) for at, number, size in paced.times if number == ssrc and at >= since]


def quiet(rate_bps: float) -> tuple[Paced, float, int]:
    """A picture of 120 packets has been sent, then nothing more; returns the last number too."""
    paced = Paced(0)
    paced.burst(120)
    paced.layer.asleep = True
    paced.sim.run(0.1)
    paced.seat.line.native.pace(rate_bps)
    paced.sim.run(0.1)
    return paced, paced.sim.now, max(paced.seat.stream.packets)


def test_what_was_lost_is_repeated_within_a_part_of_the_rate() -> None:
    paced, begin, last = quiet(RATE)
    asks(paced, range(last - 99, last + 1))
    paced.sim.run(2)
    sent = repeats(paced, begin)
    assert sum(size for at, size in sent if at < 0.4) * 8 <= 0.5 * RATE * 0.4
    assert 15 < len(sent) < 40, "what has waited for half a second is given up"


def test_sound_does_not_wait_behind_what_is_repeated() -> None:
    paced, begin, last = quiet(300_000)
    asks(paced, range(last - 99, last + 1))
    paced.sim.run(0.5)
    gaps = [b - a for (a, _), (b, _) in pairwise(paced.of(1)) if a >= begin]
    assert max(gaps) < 0.03


def test_asking_again_before_an_answer_can_have_come_changes_nothing() -> None:
    paced, begin, last = quiet(10_000_000)
    for _ in range(4):
        asks(paced, range(last - 9, last + 1))
        paced.sim.run(0.003)
    paced.sim.run(0.2)
    assert len(repeats(paced, begin)) == 10


@pytest.mark.parametrize(("rate_bps", "repeated"), [(10_000_000, 0), (0, 10)], ids=["paced", "not paced"])
def test_what_a_key_frame_has_outdated_is_not_repeated_on_a_line_whose_rate_is_known(
    rate_bps: float, repeated: int
) -> None:
    paced, _, last = quiet(rate_bps)
    paced.layer.wants_key = True
    paced.layer.asleep = False
    paced.burst(2)
    paced.layer.asleep = True
    paced.sim.run(0.1)
    begin = paced.sim.now
    asks(paced, range(last - 9, last + 1))
    paced.sim.run(0.2)
    assert len(repeats(paced, begin)) == repeated


def test_what_waits_of_a_layer_that_was_left_is_dropped_once_the_other_begins() -> None:
    sim = Simulation(seed=107)
    stage = sim.publish([*simulcast()], declare=False)
    sim.run(1)
    seat = sim.subscribe([stage.tracks["v"]], layer=0, down=Weather(delay=0.001))
    sim.run(1)
    seat.line.native.pace(200_000)
    sim.run(0.3)
    seat.sinks[0].attach(stage.tracks["v"], 2)
    sim.run(1)
    assert sim.engine.stats()["dropped_superseded"] > 10
    assert read_tag(seat.stream.in_order()[-1].payload).source == 3
    assert seat.stream.longest_freeze(sim.now) < 0.5


# probes


@pytest.mark.parametrize("rate_bps", [1_500_000, 4_000_000, 20_000_000])
def test_a_probe_fills_up_what_is_sent_to_its_rate(rate_bps: int) -> None:
    paced = Paced(0)
    begin, size = paced.sim.now, rate_bps // 8 // 20  # for 50 ms
    paced.seat.line.native.probe(rate_bps, size)
    paced.sim.run(0.3)
    sent = [(at - begin, size) for at, _, size in paced.times if at - begin <= 0.06]
    assert sum(size for _, size in sent) == pytest.approx(size, rel=0.2, abs=2500)
    steps = {round(at / STEP) for at, _ in sent}
    assert len(steps) >= 6
    for step in steps:
        part = sum(size for at, size in sent if round(at / STEP) == step)
        assert part <= 2.2 * rate_bps / 8 * STEP + 6000
    assert paced.sim.engine.stats()["packets_probed"] > 0
    after = [size for at, _, size in paced.times if at - begin > 0.1]
    assert sum(after) * 8 / 0.2 < 1_000_000


def test_a_probe_repeats_recent_packets_that_a_receiver_drops() -> None:
    paced = Paced(0)
    stream = paced.seat.stream
    shown, before = len(stream.shown), stream.duplicates
    paced.seat.line.native.probe(5_000_000, 60_000)
    paced.sim.run(1)
    assert stream.duplicates - before > 30
    assert len(stream.shown) - shown >= 29
    assert paced.seat.sinks[0].stats()["retransmitted"] == 0


def test_without_a_picture_a_probe_is_padding() -> None:
    paced = Paced(0)
    paced.seat.sinks[0].detach()
    paced.sim.run(0.1)
    received = paced.seat.stream.repairs
    unknown: list[int] = []
    take = paced.seat.stream.take
    paced.seat.stream.take = lambda packet, *a, **k: (  # type: ignore[method-assign, assignment]
        take(packet, *a, **k) if packet.payload else unknown.append(packet.padding)
    )
    paced.seat.line.native.probe(2_000_000, 20_000)
    paced.sim.run(0.2)
    assert paced.seat.stream.repairs - received == pytest.approx(75, abs=10)
    assert set(unknown) <= {255, 0}


def test_a_probe_shows_in_the_feedback() -> None:
    meeting = Meeting(Weather(delay=0.02), seed=103)
    meeting.run(1)
    begin = meeting.sim.now
    meeting.seat.line.native.probe(3_000_000, 30_000)
    meeting.run(0.5)
    told = sum(r.size for r in meeting.records if begin <= r.sent <= begin + 0.09)
    assert told >= 29_000


def test_without_anything_to_send_on_a_probe_does_nothing() -> None:
    sim = Simulation(seed=104)
    stage = sim.publish([microphone()])
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"])
    seat.line.native.probe(2_000_000, 20_000)
    sim.run(0.5)
    assert sim.engine.stats()["packets_probed"] == 0


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264_BASELINE])
def test_losses_come_back_while_packets_wait_and_probes_run(codec: CodecId) -> None:
    sim = Simulation(seed=105)
    stage = sim.publish([camera(codec)])
    seat = sim.subscribe([stage.tracks["v"]], down=Weather(delay=0.02, loss=0.1))
    seat.line.native.pace(1_600_000)
    for _ in range(10):
        seat.line.native.probe(3_000_000, 15_000)
        sim.run(0.5)
    assert len(seat.stream.shown) > 135
    assert all(read_tag(p.payload).source == 1 for p in seat.stream.in_order())


@pytest.mark.parametrize(("rate", "size"), [(0, 10), (1e6, 0), (-1, 10), (1e12, 10), (1e6, 1 << 30)])
def test_a_probe_without_sense_is_refused(rate: float, size: int) -> None:
    paced = Paced(0)
    with pytest.raises(ValueError, match="a probe of"):
        paced.seat.line.native.probe(rate, size)
