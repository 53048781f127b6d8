"""What nobody should have sent: counted under its name, never forwarded, and the session lives."""

import pytest

from mediaserver.native import Sink, address_from
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import RtpPacket, write_packet
from tests.support.continuity import assert_continuous
from tests.support.link import Weather
from tests.support.rtp_peer import PROFILES
from tests.support.rtp_publisher import Layer
from tests.support.simulation import Line, Seat, Simulation, Stage, camera, microphone, simulcast

STRANGER = address_from(0, "203.0.113.9", 4444)
LENGTHS = (1, 2, 3, 11, 12, 13, 20, 100, 1200, 2048)


def meeting(profile: str = "SRTP_AEAD_AES_128_GCM", **up: float) -> tuple[Simulation, Stage, Seat]:
    sim = Simulation(seed=71, profile=profile)
    stage = sim.publish([camera()], up=Weather(**up))
    sim.run(0.3)
    seat = sim.subscribe([stage.tracks["v"]])
    sim.run(0.5)
    return sim, stage, seat


def assert_alive(sim: Simulation, seat: Seat) -> None:
    count = len(seat.stream.shown)
    sim.run(1)
    assert len(seat.stream.shown) >= count + 28
    assert_continuous(seat.stream)


def name_of_first_byte(first: int, known: bool, size: int) -> str:
    if first < 4:
        return "dropped_malformed_stun"
    if 20 <= first < 64:
        return "dtls_received" if known else "dropped_unknown_address"
    if 128 <= first < 192:
        return "RTP" if known else "dropped_unknown_address"
    return "dropped_unknown_first_byte"


@pytest.mark.parametrize("known", [True, False], ids=["known address", "unknown address"])
def test_stray_datagrams_of_every_first_byte_are_counted_by_name(known: bool) -> None:
    sim, stage, seat = meeting()
    for first in range(256):
        for size in LENGTHS:
            data = bytes([first]) + b"\x55" * (size - 1)
            before = sim.engine.stats()
            sim.engine.receive(stage.line.address if known else STRANGER, data, sim.now)
            after = sim.engine.stats()
            risen = {k for k in after if after[k] != before[k]} - {"datagrams_received", "bytes_received"}
            expected = name_of_first_byte(first, known, size)
            if expected == "RTP":
                assert risen <= {"dropped_malformed_rtp", "dropped_unauthentic", "dropped_malformed_rtcp"}
                assert len(risen) == 1
            else:
                assert risen == {expected}
        sim.engine.poll()
    assert_alive(sim, seat)


@pytest.mark.parametrize("known", [True, False], ids=["known address", "unknown address"])
@pytest.mark.parametrize(
    ("size", "name"), [(0, "dropped_empty"), (2049, "dropped_too_long"), (65535, "dropped_too_long")]
)
def test_empty_and_huge_datagrams_are_counted(known: bool, size: int, name: str) -> None:
    sim, stage, seat = meeting()
    for first in (0, 22, 128, 255):
        sim.engine.receive(stage.line.address if known else STRANGER, bytes([first]) * size, sim.now)
    assert sim.engine.stats()[name] == 4
    assert_alive(sim, seat)


def test_a_flood_of_stun_from_strangers_leaves_room_for_those_who_are_known() -> None:
    sim, stage, _ = meeting()
    stun = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12)
    for _ in range(2000):
        sim.engine.receive(STRANGER, stun, sim.now)
    sim.engine.receive(stage.line.address, b"\x16\xfe\xfd" + bytes(20), sim.now)
    events = [event for _ in range(10) for event in sim.engine.poll()]
    assert sum(event[-1] == stage.line.native.id for event in events) == 1
    assert sim.engine.stats()["dropped_events_full"] > 0


@pytest.mark.parametrize("profile", PROFILES)
def test_replayed_packets_are_never_forwarded(profile: str) -> None:
    sim, stage, seat = meeting(profile)
    recorded: list[bytes] = []
    sim.on_arrival = lambda line, data: recorded.append(data) if line is stage.line else None
    sim.run(1)
    sim.on_arrival = None
    forwarded = sim.engine.stats()["packets_forwarded"]
    for data in recorded:
        sim.engine.receive(stage.line.address, data, sim.now)
    stats = sim.engine.stats()
    assert stats["packets_forwarded"] == forwarded
    assert stats["dropped_replayed"] + stats["dropped_too_old"] == len(recorded)
    assert seat.peer.srtp.refused == 0
    assert_alive(sim, seat)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_packet_with_one_flipped_bit_is_never_forwarded(profile: str) -> None:
    sim, stage, seat = meeting(profile)
    held: list[bytes] = []
    stage.peer.send = held.append
    sim.run(0.1)
    data = next(d for d in held if not 192 <= d[1] < 224)
    before = sim.engine.stats()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        sim.engine.receive(stage.line.address, bytes(flipped), sim.now)
    after = sim.engine.stats()
    dropped = sum(after[k] - before[k] for k in after if k.startswith("dropped_"))
    strays = after["stun_received"] + after["dtls_received"] - before["stun_received"] - before["dtls_received"]
    assert after["packets_forwarded"] == before["packets_forwarded"]
    assert after["packets_received"] == before["packets_received"]
    assert dropped + strays == len(data) * 8
    stage.peer.send = lambda d: sim.send(stage.line, d)
    for packet in held:
        sim.engine.receive(stage.line.address, packet, sim.now)  # the true ones are still as good as new
    assert_alive(sim, seat)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_carries_media_reports_and_repairs(profile: str) -> None:
    sim = Simulation(seed=72, profile=profile)
    rain = Weather(loss=0.05)
    stage = sim.publish([camera(), microphone(level=5)], up=rain, down=rain)
    sim.run(0.3)
    seat = sim.subscribe(list(stage.tracks.values()), kinds=["video", "audio"], up=rain, down=rain)
    sim.run(5)
    assert seat.peer.srtp.refused == stage.peer.srtp.refused == 0
    assert seat.stream.longest_freeze(sim.now) < 0.5
    assert seat.stream.repairs > 5
    assert seat.stream.reports
    assert stage.peer.feedback


def test_packets_of_one_connection_do_not_pass_for_anothers() -> None:
    sim, stage, seat = meeting()
    other = sim.publish([camera(source=1, sequence=3000)])
    recorded: list[bytes] = []
    sim.on_arrival = lambda line, data: recorded.append(data) if line is other.line else None
    sim.run(0.3)
    sim.on_arrival = None
    forwarded = sim.engine.stats()["packets_forwarded"]
    for data in recorded:
        sim.engine.receive(stage.line.address, data, sim.now)
    stats = sim.engine.stats()
    assert stats["packets_forwarded"] == forwarded
    assert stats["dropped_unauthentic"] + stats["dropped_replayed"] == len(recorded)
    assert stats["dropped_replayed"] <= 1  # a report, refused by its number before it is looked at
    assert_alive(sim, seat)


# ---- the same SRTP index never protects two different packets; every simulation watches for that ----


def test_a_publisher_cannot_make_us_send_another_payload_under_a_number_that_was_sent() -> None:
    """By RTX it may name any number: those whose bytes have left the cache, too."""
    sim = Simulation(seed=73)
    layer = camera(size=1150, packets_per_frame=30)
    stage = sim.publish([layer])
    seat = sim.subscribe([stage.tracks["v"]], extensions={})
    sim.run(1.2)
    numbers = list(layer.history)[-800:]
    for number in numbers:
        stage.peer.repair(
            layer, number, sim.now, payload=layer.history[number].payload[:-60] + b"another" * 8 + b"!!!!"
        )
    sim.run(0.2)
    assert sim.engine.stats()["dropped_duplicate"] >= len(numbers) - 5
    assert seat.peer.srtp.refused == 0


def subscriber_without_repair(sim: Simulation, stage: Stage, codecs: dict[int, tuple[int, int]]) -> Seat:
    return sim.subscribe(list(stage.tracks.values()), codecs=codecs, repair=True, down=Weather(loss=0.1))


def test_what_is_lost_without_rtx_is_sent_again_to_the_byte() -> None:
    sim = Simulation(seed=74)
    stage = sim.publish([camera()])
    sim.run(0.2)
    seat = subscriber_without_repair(sim, stage, {CodecId.VP8: (96, -1)})
    sim.run(5)
    assert sim.watch.repeats > 20
    assert seat.stream.repairs == 0
    assert seat.peer.srtp.refused == 0
    assert seat.stream.given_up == []


@pytest.mark.parametrize(
    ("codecs", "extensions"),
    [
        pytest.param({CodecId.VP8: (97, -1)}, {2: 2}, id="another payload type"),
        pytest.param({CodecId.VP8: (96, -1)}, {5: 7}, id="other extensions"),
    ],
)
def test_under_a_new_profile_nothing_old_is_sent_again_without_rtx(
    codecs: dict[int, tuple[int, int]], extensions: dict[int, int]
) -> None:
    sim = Simulation(seed=75)
    stage = sim.publish([camera()])
    sim.run(0.2)
    seat = subscriber_without_repair(sim, stage, {CodecId.VP8: (96, -1)})
    for change in range(10):
        sim.run(0.203)
        if change % 2:
            seat.sinks[0].accept(codecs, extensions)
        else:
            seat.sinks[0].accept({CodecId.VP8: (96, -1)}, {})
    assert seat.peer.srtp.refused == 0
    assert sim.watch.repeats > 0


def test_an_ssrc_cannot_be_used_for_a_second_sink_of_a_connection() -> None:
    _, _, seat = meeting()
    used = seat.stream
    seat.sinks[0].close()
    for ssrc, repair in ((used.ssrc, 5), (5, used.ssrc), (used.repair_ssrc, 6), (7, 7)):
        with pytest.raises(ValueError, match="SSRC"):
            Sink(seat.line.native, "video", ssrc=ssrc, repair_ssrc=repair, sequence=1, timestamp=1, cname="x")


def test_numbers_of_a_source_that_began_anew_never_meet_the_old_ones() -> None:
    """The same numbers again under another SSRC, while the sink carries another layer and comes back."""
    sim = Simulation(seed=76)
    layers = simulcast()
    stage = sim.publish(layers, declare=False, up=Weather(loss=0.1, reordered=0.05))
    seat = sim.subscribe([stage.tracks["v"]], down=Weather(loss=0.1), codecs={CodecId.VP8: (96, -1)})
    for i in range(6):
        start = [layer.sequence for layer in layers]
        sim.run(0.5)
        seat.sinks[0].attach(stage.tracks["v"], 1)
        sim.run(0.3)
        layers[0].ssrc, layers[0].repair_ssrc = 80000 + i, 90000 + i
        layers[0].sequence, layers[0].wants_key = start[0], True
        sim.run(0.3)
        seat.sinks[0].attach(stage.tracks["v"], 0)
    sim.run(1)
    assert seat.peer.srtp.refused == 0
    assert sim.watch.repeats > 0


# ---- a small question must not fetch a large answer ----


def nack_everything(sim: Simulation, seat: Seat, every: float) -> None:
    def ask() -> None:
        highest = seat.stream.highest or 0
        lost = tuple((highest - i) & 0xFFFF for i in range(400, 0, -1))
        seat.peer.ask([rtcp.Nack(seat.peer.ssrc, seat.stream.ssrc, lost)])

    sim.every(every, ask)


def test_what_nacks_can_fetch_is_bounded_by_a_budget() -> None:
    sim, _, seat = meeting()
    sim.run(3)
    before = sim.engine.stats()
    nack_everything(sim, seat, 0.002)
    sim.run(2)
    after = sim.engine.stats()
    resent = after["packets_retransmitted"] - before["packets_retransmitted"]
    assert resent <= 2 * 2000 + 200
    assert after["dropped_retransmission"] > 10 * resent


def test_what_was_just_sent_again_is_not_sent_again() -> None:
    sim, _, seat = meeting()
    wanted = rtcp.Nack(seat.peer.ssrc, seat.stream.ssrc, ((seat.stream.highest or 0) & 0xFFFF,))
    for _ in range(20):
        seat.peer.ask([wanted])
    sim.run(0.05)
    assert sim.engine.stats()["packets_retransmitted"] == 1


# ---- authenticated participants may be hostile, too ----


def protected(stage: Stage, packet: RtpPacket) -> bytes:
    return stage.peer.srtp.protect(write_packet(packet))


def test_a_publisher_with_ever_new_ssrcs_keeps_its_stream_and_its_protection() -> None:
    sim, stage, seat = meeting()
    stage.peer.identify = False
    for ssrc in range(500_000, 500_300):
        sim.engine.receive(stage.line.address, protected(stage, RtpPacket(120, 7, 7, ssrc, b"x")), sim.now)
    assert sim.engine.stats()["dropped_unknown_ssrc"] == 300
    assert_alive(sim, seat)


def test_odd_payload_types_on_known_streams_are_dropped_and_leave_no_gap() -> None:
    sim, stage, seat = meeting()
    layer = stage.peer.layers[0]
    for payload_type in (0, 13, 63, 97, 119, 127):
        odd = RtpPacket(payload_type, layer.sequence, 1, layer.ssrc, b"what is this")
        layer.history[layer.sequence] = odd
        layer.sequence += 1
        sim.engine.receive(stage.line.address, protected(stage, odd), sim.now)
    assert_alive(sim, seat)


def test_odd_payload_types_of_unknown_streams_take_no_layer_over() -> None:
    sim, stage, seat = meeting()
    layer = stage.peer.layers[0]
    layer.history[layer.sequence] = layer.history[layer.sequence - 1]
    stage.peer.repair(layer, layer.sequence, sim.now)
    sim.run(0.1)
    assert sim.engine.stats()["dropped_duplicate"] == 1
    for i, payload_type in enumerate((0, 13, 63, 119, 127) * 2):
        ssrc = layer.repair_ssrc if i > 4 else 616161
        odd = RtpPacket(payload_type, 200 + i, 1, ssrc, b"\x00\x01what", False, (), ((1, b"v"),))
        sim.engine.receive(stage.line.address, protected(stage, odd), sim.now)
    assert sim.engine.stats()["dropped_unknown_payload_type"] == 5
    assert_alive(sim, seat)


@pytest.mark.parametrize("payload", [b"\x80", b"\x90\x80\x80", b"\x10", b"\xff" * 3])
def test_malformed_payloads_are_dropped_and_leave_no_gap(payload: bytes) -> None:
    sim, stage, seat = meeting()
    layer = stage.peer.layers[0]
    for _ in range(5):
        stage.peer.send_packet(layer, payload, 1, sim.now)
        sim.run(0.1)
    assert sim.engine.stats()["dropped_malformed_payload"] == 5
    assert_alive(sim, seat)


def test_a_second_ssrc_of_a_sound_track_has_nowhere_to_go() -> None:
    sim = Simulation(seed=77)
    layers = [microphone(), microphone()]
    layers[1].ssrc += 1
    stage = sim.publish(layers)
    seat = sim.subscribe([stage.tracks["a"]], kinds=["audio"])
    sim.run(1)
    assert len(seat.stream.packets) >= 48
    assert sim.engine.stats()["dropped_unknown_ssrc"] >= 48


def test_a_codec_that_the_subscriber_does_not_know_uses_up_no_numbers() -> None:
    sim = Simulation(seed=78)
    layer: Layer = camera(CodecId.H264_BASELINE)
    stage = sim.publish([layer])
    seat = sim.subscribe([stage.tracks["v"]], codecs={CodecId.VP8: (96, 97)})
    sim.run(1)
    assert seat.stream.packets == {}
    assert sim.engine.stats()["dropped_codec_not_accepted"] > 100
    seat.sinks[0].accept({c: (CODECS[c].payload_type, -1) for c in CODECS}, {})
    layer.wants_key = True
    sim.run(1)
    assert_continuous(seat.stream, codec=CodecId.H264_BASELINE)


def test_malformed_rtcp_is_counted_and_what_stands_before_it_counts() -> None:
    sim, stage, seat = meeting()
    whole = rtcp.write_compound([rtcp.ReceiverReport(1), rtcp.Pli(1, seat.stream.ssrc)])
    for tail in (
        b"\x80",
        b"\x00\xc8\x00\x00",
        b"\x80\xc8\x00\x09",
        b"\xa0\xc9\x00\x00",
        b"\xa0\xc9\x00\x01\x00\x00\x00\x09",
    ):
        before = sim.engine.stats()
        line: Line = seat.line
        sim.engine.receive(line.address, seat.peer.srtp.protect_rtcp_bytes(whole + tail), sim.now)
        after = sim.engine.stats()
        assert after["dropped_malformed_rtcp"] == before["dropped_malformed_rtcp"] + 1
        assert after["keyframe_requests_received"] == before["keyframe_requests_received"] + 1
    assert_alive(sim, seat)
    assert len(stage.peer.layers[0].plis) == 1
