"""What a publisher is told of its packets: transport-wide feedback, or REMB where it does not know that."""

from itertools import pairwise

import pytest

from mediaserver.rtp.extensions import Extension
from mediaserver.rtp.packet import read_header
from mediaserver.rtp.sequence import unwrap
from mediaserver.rtp.transport_feedback import REFERENCE_BITS, REFERENCE_TICKS, TICK
from tests.support.link import Weather
from tests.support.rtp_publisher import PUBLISHED_IDS, Publisher
from tests.support.simulation import Line, Simulation, Stage, camera, microphone

EVERY = 0.1  # seconds: a sender's estimate needs to hear that often


class Told:
    """The messages put together: when each packet is said to have arrived, by its unwrapped number."""

    def __init__(self, peer: Publisher, first: int = 0) -> None:
        self.arrived: dict[int, float] = {}
        self.lost: set[int] = set()
        near, reference = first, 0
        for _, message in peer.feedback:
            near = unwrap(message.base, near)
            reference = unwrap(message.reference, reference, REFERENCE_BITS)
            for i, ticks in enumerate(message.arrivals):
                if ticks is None:
                    self.lost.add(near + i)
                    continue
                self.lost.discard(near + i)
                self.arrived[near + i] = (reference * REFERENCE_TICKS + ticks) * TICK


def publishing(up: Weather, seed: int = 61) -> tuple[Simulation, Stage]:
    sim = Simulation(seed=seed)
    return sim, sim.publish([camera(), microphone(level=10)], up=up)


@pytest.mark.parametrize(
    "up",
    [
        Weather(delay=0.02),
        Weather(delay=0.02, jitter=0.06),
        Weather(delay=0.02, loss=0.1),
        Weather(delay=0.02, reordered=0.1, held_up=0.03),
        Weather(delay=0.05, rate_bps=1_200_000, queue=0.5),
    ],
    ids=["calm", "jitter", "loss", "reordering", "narrow"],
)
def test_feedback_tells_when_each_packet_arrived(up: Weather) -> None:
    sim, stage = publishing(up)
    truth: dict[int, float] = {}

    def arrived(_: Line, data: bytes) -> None:
        if not 192 <= data[1] < 224:
            number = dict(read_header(data).extensions)[PUBLISHED_IDS[Extension.TRANSPORT_CC]]
            truth.setdefault(int.from_bytes(number), sim.now)

    sim.on_arrival = arrived
    sim.run(6)
    told = Told(stage.peer)
    assert len(told.arrived) > 900
    for number, at in told.arrived.items():
        assert at == pytest.approx(truth[number], abs=TICK + 1e-6)
    newest = max(told.arrived)
    assert told.lost == {n for n in range(newest) if n not in truth}


def test_feedback_comes_at_least_every_100_ms_and_is_counted_up() -> None:
    sim, stage = publishing(Weather(delay=0.02))
    sim.run(5)
    times = [at for at, _ in stage.peer.feedback]
    assert max(b - a for a, b in pairwise(times)) <= EVERY
    counts = [message.count for _, message in stage.peer.feedback]
    assert all((b - a) & 0xFF == 1 for a, b in pairwise(counts))


def test_feedback_goes_on_over_the_wrap_of_its_numbers() -> None:
    sim, stage = publishing(Weather(delay=0.02, loss=0.02))
    stage.peer.transport_sequence = 65300
    sim.run(5)
    told = Told(stage.peer, first=65300)
    assert max(told.arrived) > 65536 + 500
    assert len(told.arrived) + len(told.lost) == max(told.arrived) - min(told.arrived) + 1


def test_a_long_silence_and_a_jump_of_the_numbers_break_nothing() -> None:
    sim, stage = publishing(Weather(delay=0.02))
    sim.run(1)
    for layer in stage.peer.layers:
        layer.asleep = True
    sim.run(30)
    for layer in stage.peer.layers:
        layer.asleep = False
    sim.run(1)
    stage.peer.transport_sequence = (stage.peer.transport_sequence + 20000) & 0xFFFF
    count = len(stage.peer.feedback)
    sim.run(1)
    late = stage.peer.feedback[count:]
    assert late[-1][0] > sim.now - 0.2
    assert sum(t is not None for _, message in late for t in message.arrivals) > 100


def test_a_fast_sender_is_told_of_every_packet_in_messages_that_fit_a_datagram() -> None:
    sim = Simulation(seed=62)
    stage = sim.publish([camera(packets_per_frame=80, size=200)], up=Weather(delay=0.01, jitter=0.03))
    sizes: list[int] = []
    sim.on_sent = lambda _, data: sizes.append(len(data))
    sim.run(3)
    told = Told(stage.peer)
    assert len(told.arrived) > 6500
    assert told.lost == set()
    assert max(sizes) <= 1500


def test_without_transport_wide_feedback_remb_tells_the_cap_every_second() -> None:
    sim = Simulation(seed=63)
    stage = sim.publish([camera()], transport_cc=False, remb_bps=2_500_000)
    sim.run(5.2)
    assert stage.peer.feedback == []
    assert 4 <= len(stage.peer.rembs) <= 7
    for remb in stage.peer.rembs:
        assert remb.bitrate_bps == pytest.approx(2_500_000, rel=1e-4)
        assert remb.ssrcs == (stage.peer.layers[0].ssrc,)


def test_with_transport_wide_feedback_there_is_no_remb() -> None:
    sim = Simulation(seed=64)
    stage = sim.publish([camera()], remb_bps=2_500_000)
    sim.run(3)
    assert stage.peer.rembs == []
    assert stage.peer.feedback
