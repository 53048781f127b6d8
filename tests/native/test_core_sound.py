"""Sound on lossy lines: repetitions that were asked for, and those that RED (RFC 2198) brings along."""

from itertools import pairwise

import pytest

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import RtpPacket, write_packet
from tests.support.link import Weather
from tests.support.payloads import red
from tests.support.rtp_subscriber import Received
from tests.support.simulation import ACCEPTED, SUBSCRIBED_IDS, Seat, Simulation, Stage, microphone

RED_TYPE = 63
OPUS_TYPE = CODECS[CodecId.OPUS].payload_type
TAKES_RED = {**ACCEPTED, CodecId.RED: (RED_TYPE, -1)}


class Speaking:
    """One who sends RED, and plain Opus now and then, to subscribers."""

    def __init__(self, seed: int = 111) -> None:
        self.sim = Simulation(seed=seed)
        self.layer = microphone()
        self.stage: Stage = self.sim.publish([self.layer], start=False)
        self.track = self.stage.tracks["a"]
        payloads = {RED_TYPE: (CodecId.RED, 48000), OPUS_TYPE: (CodecId.OPUS, 48000)}
        self.stage.line.native.receive_track(
            self.track, mid="a", payloads=payloads, retransmissions={}, ssrcs=[self.layer.ssrc]
        )
        self.sent = self.silence = 0

    def listen(self, codecs: dict[int, tuple[int, int]], **options: Weather) -> Seat:
        return self.sim.subscribe([self.track], kinds=["audio"], codecs=codecs, **options)  # type: ignore[arg-type]

    def say(self, packets: int, *, plain: bool = False, skip: int = 0) -> None:
        """`skip`: samples of silence before them."""
        self.silence += skip
        for _ in range(packets):
            sound = [f"sound {self.sent - back}".encode() for back in (2, 1, 0)]
            payload = sound[2] if plain else red(sound[2], *sound[:2], payload_type=OPUS_TYPE)
            packet = RtpPacket(
                OPUS_TYPE if plain else RED_TYPE, 500 + self.sent, 960 * self.sent + self.silence,
                self.layer.ssrc, payload,
            )  # fmt: skip
            self.stage.peer.send(self.stage.peer.srtp.protect(write_packet(packet)))
            self.sent += 1
            self.sim.run(0.02)


def test_red_is_taken_apart_for_everybody() -> None:
    speaking = Speaking()
    seats = [speaking.listen(TAKES_RED), speaking.listen(ACCEPTED), speaking.listen({CodecId.OPUS: (109, -1)})]
    speaking.say(20)
    speaking.say(10, plain=True)
    speaking.say(20)
    speaking.sim.run(0.1)
    for seat, payload_type in zip(seats, (OPUS_TYPE, OPUS_TYPE, 109), strict=True):
        packets = seat.stream.in_order()
        assert {p.payload_type for p in packets} == {payload_type}
        assert [p.payload for p in packets] == [f"sound {i}".encode() for i in range(50)]
        numbers = [p.sequence for p in packets]
        assert numbers == list(range(numbers[0], numbers[0] + 50))
        assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {960}
    assert speaking.sim.engine.stats()["packets_recovered"] == 0


@pytest.mark.parametrize("lost", [1, 2])
def test_what_came_along_takes_the_place_of_what_did_not_come(lost: int) -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    speaking.say(5)
    speaking.sent += lost
    speaking.say(5)
    speaking.sim.run(0.1)
    packets = seat.stream.in_order()
    assert [p.payload for p in packets] == [f"sound {i}".encode() for i in range(10 + lost)]
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {960}
    assert speaking.sim.engine.stats()["packets_recovered"] == lost


def test_more_than_came_along_stays_lost() -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    speaking.say(5)
    speaking.sent += 3
    speaking.say(5)
    speaking.sim.run(0.1)
    heard = [p.payload for p in seat.stream.in_order()]
    assert heard == [f"sound {i}".encode() for i in range(13) if i != 5]


def test_what_does_not_go_with_the_numbers_is_left_out() -> None:
    """Blocks of packets two apart, or of the one that came."""
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    speaking.say(5)
    speaking.sent += 1
    speaking.say(1, skip=960)  # its second block is not of the packet that came before the lost one
    speaking.sim.run(0.1)
    heard = [p.payload for p in seat.stream.in_order()]
    assert heard == [f"sound {i}".encode() for i in range(7) if i != 5]


def test_what_was_said_while_nobody_was_to_hear_it_is_not_taken_from_what_comes_after() -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    speaking.say(5)
    speaking.track.mute(True)
    speaking.say(5)
    speaking.track.mute(False)
    speaking.say(5)
    speaking.sim.run(0.1)
    heard = [p.payload for p in seat.stream.in_order()]
    assert heard == [f"sound {i}".encode() for i in (*range(5), *range(10, 15))]


def test_red_that_is_malformed_is_counted_and_leaves_no_gap() -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    speaking.say(5)
    packet = RtpPacket(RED_TYPE, 500 + speaking.sent, 960 * speaking.sent, speaking.layer.ssrc, b"\xef\xff\xff")
    speaking.stage.peer.send(speaking.stage.peer.srtp.protect(write_packet(packet)))
    speaking.sent += 1
    speaking.say(5)
    speaking.sim.run(0.1)
    assert speaking.sim.engine.stats()["dropped_malformed_payload"] == 1
    numbers = [p.sequence for p in seat.stream.in_order()]
    assert numbers == list(range(numbers[0], numbers[0] + 10))


def test_stripped_sound_is_repeated_as_it_was() -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED, down=Weather(delay=0.02, loss=0.2))
    speaking.say(150)
    speaking.sim.run(1)
    assert speaking.sim.watch.repeats > 20
    assert len(seat.stream.in_order()) >= 148


@pytest.mark.parametrize(("asks", "least", "most"), [(True, 0.985, 1.0), (False, 0.8, 0.93)])
def test_sound_that_was_lost_on_the_way_in_is_asked_for(asks: bool, least: float, most: float) -> None:
    sim = Simulation(seed=112)
    stage = sim.publish([microphone()], up=Weather(delay=0.02, loss=0.15), audio_nack=asks)
    stage.peer.use_plain_repair = True
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"])
    sim.run(10)
    sent = stage.peer.layers[0].sent_packets
    assert least <= len(seat.stream.packets) / sent <= most
    assert (stage.tracks["a"].layers()[0]["nacked"] > 0) == asks


def test_a_bad_line_to_and_from_the_server_loses_little_sound() -> None:
    """Three of ten packets are lost each way; what comes within a third of a second is played."""
    sim = Simulation(seed=113)
    lossy = Weather(delay=0.02, loss=0.3)
    stage = sim.publish([microphone()], up=lossy, down=Weather(delay=0.02, loss=0.3), audio_nack=True)
    stage.peer.use_plain_repair = True
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"], up=Weather(delay=0.02, loss=0.3), down=lossy)
    sim.run(20)
    assert len(seat.stream.packets) / stage.peer.layers[0].sent_packets > 0.93


def test_plain_sound_takes_along_what_came_before_it_where_that_is_wished() -> None:
    speaking = Speaking()
    seat = speaking.listen(TAKES_RED)
    seat.sinks[0].accept(TAKES_RED, {}, redundancy=2)
    speaking.say(6, plain=True)
    speaking.say(2)
    speaking.sim.run(0.1)
    payloads = [p.payload for p in seat.stream.in_order()]
    assert payloads[0] == b"sound 0"
    assert payloads[1] == red(b"sound 1", b"sound 0", payload_type=OPUS_TYPE)
    assert payloads[5] == red(b"sound 5", b"sound 3", b"sound 4", payload_type=OPUS_TYPE)
    assert payloads[7] == red(b"sound 7", b"sound 5", b"sound 6", payload_type=OPUS_TYPE), "whatever the speaker sends"
    assert [p.payload_type for p in seat.stream.in_order()] == [OPUS_TYPE] + [RED_TYPE] * 7


def test_what_is_missing_or_too_old_is_not_taken_along() -> None:
    speaking = Speaking()
    seat = speaking.listen(TAKES_RED)
    seat.sinks[0].accept(TAKES_RED, {}, redundancy=2)
    speaking.say(1, plain=True)
    speaking.sent += 1  # lost
    speaking.say(2, plain=True)
    speaking.say(1, plain=True, skip=20 * 960)  # behind silence
    speaking.sim.run(0.1)
    payloads = [p.payload for p in seat.stream.in_order()]
    assert payloads[:2] == [b"sound 0", b"sound 2"]
    assert payloads[2] == red(b"sound 3", b"sound 2", payload_type=OPUS_TYPE)
    assert payloads[3] == b"sound 4"


def test_who_takes_no_red_gets_plain_sound_whatever_is_wished() -> None:
    speaking = Speaking()
    seat = speaking.listen(ACCEPTED)
    seat.sinks[0].accept(ACCEPTED, {}, redundancy=2)
    speaking.say(5, plain=True)
    speaking.sim.run(0.1)
    assert [p.payload for p in seat.stream.in_order()] == [f"sound {i}".encode() for i in range(5)]


@pytest.mark.parametrize("redundancy", [-1, 4])
def test_no_more_goes_along_than_fits(redundancy: int) -> None:
    speaking = Speaking()
    with pytest.raises(ValueError, match="go along"):
        speaking.listen(TAKES_RED).sinks[0].accept(TAKES_RED, {}, redundancy=redundancy)


@pytest.mark.parametrize(("redundancy", "least"), [(0, 0.65), (1, 0.89), (2, 0.96)])
def test_three_of_ten_packets_may_be_lost(redundancy: int, least: float) -> None:
    """Without a way back: nothing is asked for."""
    sim = Simulation(seed=114)
    stage = sim.publish([microphone()])
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"], codecs=TAKES_RED, down=Weather(delay=0.1, loss=0.3))
    seat.stream.nacks = False
    seat.sinks[0].accept(TAKES_RED, {}, redundancy=redundancy)
    sim.run(40)
    heard = {number - back for number, p in seat.stream.packets.items() for back in range(blocks(p) + 1)}
    share = len(heard) / stage.peer.layers[0].sent_packets
    assert least <= share <= least + 0.08


def test_no_nonce_is_used_twice_whatever_goes_along_and_is_asked_for() -> None:
    """The simulation watches; some of what is to go along comes late, or at the second try."""
    sim = Simulation(seed=115)
    lossy = Weather(delay=0.02, loss=0.2, reordered=0.1, held_up=0.05)
    stage = sim.publish([microphone()], up=lossy, audio_nack=True)
    stage.peer.use_plain_repair = True
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"], codecs=TAKES_RED, down=lossy)
    for round_ in range(40):
        seat.sinks[0].accept(TAKES_RED, SUBSCRIBED_IDS, redundancy=(2, 0, 1, 3)[round_ % 4])
        sim.run(0.5)
    assert {blocks(p) for p in seat.stream.packets.values()} == {0, 1, 2, 3}
    assert sim.watch.repeats > 10


def blocks(packet: Received) -> int:
    """How many packets go along with it."""
    if packet.payload_type != RED_TYPE:
        return 0
    return next(n for n in range(4) if not packet.payload[4 * n] & 0x80)
