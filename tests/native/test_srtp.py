"""srtp.c against the RFCs' vectors, against libsrtp, and against whoever wants to get a packet in.

Where vectors come from and what they mean: tests/vectors/srtp/index.json.
"""

import ctypes
import json
import subprocess
from operator import itemgetter
from pathlib import Path

import pylibsrtp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.rtp.packet import RtpPacket, read_header, write_packet
from tests.support.native import (
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AES128_CM_SHA1_80,
    KEY_LENGTHS,
    MALFORMED,
    NATIVE,
    NO_ROOM,
    REPLAYED,
    RTP_OVERHEAD,
    TESTS,
    TOO_OLD,
    UNAUTHENTIC,
    SrtpError,
    SrtpKey,
    compile_c,
    derive_key,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "srtp"
PROFILES = {
    AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    AES128_CM_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
NAMES = {AEAD_AES_128_GCM: "AES-128-GCM", AEAD_AES_256_GCM: "AES-256-GCM", AES128_CM_SHA1_80: "AES-CM-SHA1-80"}
WINDOW = 1024
RTCP_WINDOW = 64
RTCP_SENDERS = 128

profiles = st.sampled_from(list(PROFILES))
keys = st.binary(min_size=44, max_size=44)


@pytest.fixture(params=PROFILES, ids=NAMES.get)
def profile(request: pytest.FixtureRequest) -> int:
    return int(request.param)


class Pair:
    """Both ends under one master key."""

    def __init__(self, library: ctypes.CDLL, profile: int, key: bytes = bytes(range(44))) -> None:
        key = key[: KEY_LENGTHS[profile]]
        self.tx = SrtpKey(library, profile, key, encrypt=True)
        self.rx = SrtpKey(library, profile, key, encrypt=False)

    def protected(self, index: int, **fields: object) -> bytes:
        return self.tx.protect(rtp(index, **fields), index)

    def refusal(self, packet: bytes) -> int:
        """The error that the receiver gives for `packet`; 0 if it accepts it."""
        try:
            self.rx.unprotect(packet)
        except SrtpError as error:
            return error.code
        return 0

    def rtcp_refusal(self, packet: bytes) -> int:
        try:
            self.rx.unprotect_rtcp(packet)
        except SrtpError as error:
            return error.code
        return 0


@pytest.fixture
def pair(library: ctypes.CDLL, profile: int) -> Pair:
    return Pair(library, profile)


def rtp(index: int, payload: bytes = b"some payload", ssrc: int = 0xCAFE, **more: object) -> bytes:
    return write_packet(RtpPacket(96, index & 0xFFFF, 3000 * index, ssrc, payload, **more))  # type: ignore[arg-type]


def rtcp(ssrc: int = 0xCAFE, body: bytes = b"a report of 24 bytes ...") -> bytes:
    return b"\x80\xc8" + (len(body) // 4 + 1).to_bytes(2) + ssrc.to_bytes(4) + body


def flipped(packet: bytes, bit: int) -> bytes:
    """With one bit changed; negative ones count from the end."""
    damaged = bytearray(packet)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


# ---- vectors ----


@pytest.mark.parametrize("vector", json.loads((VECTORS / "sessions.json").read_text()), ids=itemgetter("name"))
def test_agrees_with_the_vectors_of_rfc_7714(library: ctypes.CDLL, vector: dict[str, object]) -> None:
    key, salt, plain, protected = (bytes.fromhex(str(vector[k])) for k in ("key", "salt", "plain", "protected"))
    tx = SrtpKey.of_session(library, int(str(vector["profile"])), key, salt, encrypt=True)
    rx = SrtpKey.of_session(library, int(str(vector["profile"])), key, salt, encrypt=False)
    index = int(str(vector["index"]))
    if vector["rtcp"]:
        tx.rtcp_index = index
        assert tx.protect_rtcp(plain) == protected
        assert rx.unprotect_rtcp(protected) == plain
    else:
        assert tx.protect(plain, index, head=16) == protected
        assert rx.unprotect(protected) == plain


def test_the_key_stream_is_that_of_rfc_3711(library: ctypes.CDLL) -> None:
    vector = {
        name: bytes.fromhex(value) for name, value in json.loads((VECTORS / "keystream.json").read_text()).items()
    }
    tx = SrtpKey.of_session(library, AES128_CM_SHA1_80, vector["key"], vector["salt"], encrypt=True)
    zeros = rtp(0, bytes(len(vector["stream"])), ssrc=0)
    assert tx.protect(zeros, 0)[12:-10] == vector["stream"]


@pytest.mark.parametrize(
    ("label", "name"), [(0, "session_key"), (1, "authentication_key"), (2, "session_salt")], ids=str
)
def test_derives_the_keys_of_rfc_3711(library: ctypes.CDLL, label: int, name: str) -> None:
    vector = {k: bytes.fromhex(v) for k, v in json.loads((VECTORS / "derivation.json").read_text()).items()}
    derived = derive_key(library, vector["master_key"], vector["master_salt"], label, len(vector[name]))
    assert derived == vector[name]


# ---- against libsrtp ----


def libsrtp(profile: int, key: bytes, *, encrypt: bool, window: int = WINDOW) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND if encrypt else pylibsrtp.Policy.SSRC_ANY_INBOUND
    policy = pylibsrtp.Policy(key=key[: KEY_LENGTHS[profile]], ssrc_type=kind, srtp_profile=PROFILES[profile])
    policy.window_size = window
    policy.allow_repeat_tx = True
    return pylibsrtp.Session(policy)


packets = st.builds(
    lambda payload, extensions, csrcs, ssrc: {
        "payload": payload,
        "extensions": extensions,
        "csrcs": csrcs,
        "ssrc": ssrc,
    },
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=3).map(tuple),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=2).map(tuple),
    st.integers(0, 0xFFFFFFFF),
)


@given(profile=profiles, key=keys, fields=packets, index=st.integers(0, 0x7FFF), head=st.integers(0, 80))
def test_libsrtp_understands_our_packets(
    library: ctypes.CDLL, profile: int, key: bytes, fields: dict[str, object], index: int, head: int
) -> None:
    plain = rtp(index, **fields)  # type: ignore[arg-type]
    ours = Pair(library, profile, key).tx.protect(plain, index, header=read_header(plain).length, head=head)
    assert libsrtp(profile, key, encrypt=False).unprotect(ours) == plain


@given(profile=profiles, key=keys, fields=packets, index=st.integers(0, 0xFFFF))
def test_we_understand_libsrtps_packets(
    library: ctypes.CDLL, profile: int, key: bytes, fields: dict[str, object], index: int
) -> None:
    plain = rtp(index, **fields)  # type: ignore[arg-type]
    theirs = libsrtp(profile, key, encrypt=True).protect(plain)
    rx = Pair(library, profile, key).rx
    assert rx.unprotect(theirs, header=read_header(plain).length) == plain
    assert rx.index == index


@given(profile=profiles, key=keys, bodies=st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=80)), max_size=8))
def test_rtcp_goes_both_ways_with_libsrtp(
    library: ctypes.CDLL, profile: int, key: bytes, bodies: list[tuple[int, bytes]]
) -> None:
    ours, their_tx = Pair(library, profile, key), libsrtp(profile, key, encrypt=True)
    their_rx = libsrtp(profile, key, encrypt=False)
    for ssrc, body in bodies:
        plain = rtcp(ssrc, body + bytes(-len(body) % 4))
        assert ours.rx.unprotect_rtcp(their_tx.protect_rtcp(plain)) == plain
        assert their_rx.unprotect_rtcp(ours.tx.protect_rtcp(plain)) == plain


@given(
    profile=profiles,
    start=st.integers(0, 0x7FFF) | st.integers(0xFFC0, 0xFFFF),
    steps=st.lists(st.integers(-40, 60), max_size=60),
)
def test_decides_like_libsrtp_on_any_order_of_packets(
    library: ctypes.CDLL, profile: int, start: int, steps: list[int]
) -> None:
    """Loss, reordering and repetition around a start that may lie just before a wrap."""
    ours, theirs = Pair(library, profile), libsrtp(profile, bytes(range(44)), encrypt=False)
    index = start
    for step in [0, *steps]:
        index = max(start, index + step)
        packet = ours.protected(index)
        try:
            accepted = theirs.unprotect(packet) == rtp(index)
        except pylibsrtp.Error:
            accepted = False
        assert (ours.refusal(packet) == 0) == accepted


# ---- which packet it is, and whether it was here before ----


@pytest.mark.parametrize(
    ("indexes", "refusals"),
    [
        pytest.param([1, 2, 3], [0, 0, 0], id="in order"),
        pytest.param([1, 3, 2], [0, 0, 0], id="reordered"),
        pytest.param([1, 1], [0, REPLAYED], id="twice"),
        pytest.param([1, 3, 2, 2, 3], [0, 0, 0, REPLAYED, REPLAYED], id="twice after reordering"),
        pytest.param([2000, 2000 - WINDOW + 1], [0, 0], id="the oldest in the window"),
        pytest.param([2000, 2000 - WINDOW], [0, TOO_OLD], id="just out of the window"),
        pytest.param([5, 5 + 2 * WINDOW, 4 + 2 * WINDOW, 5], [0, 0, 0, TOO_OLD], id="a jump forgets what was before"),
        pytest.param([0xFFFF, 0x10000, 0xFFFE, 0x10001], [0, 0, 0, 0], id="across the wrap"),
        pytest.param([0xFFFF, 0x10000, 0xFFFF, 0x10000], [0, 0, REPLAYED, REPLAYED], id="twice across the wrap"),
        pytest.param([0xFFFE, 0x10002, 0x10001, 0xFFFF], [0, 0, 0, 0], id="reordered across the wrap"),
        pytest.param([0, 0x7FFF, 0xFFFF, 0x17FFE, 0x1FFFE], [0, 0, 0, 0, 0], id="half a round at a time"),
        pytest.param([5, 0xFFFE], [0, TOO_OLD], id="older than the first round-over"),
    ],
)
def test_knows_packets_it_has_seen(pair: Pair, indexes: list[int], refusals: list[int]) -> None:
    assert [pair.refusal(pair.protected(index)) for index in indexes] == refusals


def test_follows_the_roll_over_counter_for_many_rounds(pair: Pair) -> None:
    for index in range(0, 20 << 16, 0x7001):
        assert pair.rx.unprotect(pair.protected(index)) == rtp(index)
        assert pair.rx.index == index


def test_a_packet_of_another_round_is_not_authentic(pair: Pair) -> None:
    assert pair.refusal(pair.protected(3 << 16 | 7)) == UNAUTHENTIC


def test_streams_have_windows_of_their_own(pair: Pair) -> None:
    assert [pair.refusal(pair.protected(9, ssrc=ssrc)) for ssrc in (1, 2, 1)] == [0, 0, REPLAYED]


def test_a_forged_packet_moves_no_window(pair: Pair) -> None:
    assert pair.refusal(pair.protected(100)) == 0
    for index in (101, 900, 0x6000):
        assert pair.refusal(flipped(pair.protected(index), -1)) == UNAUTHENTIC
    assert [pair.refusal(pair.protected(index)) for index in (99, 101, 100)] == [0, 0, REPLAYED]


def test_a_forged_first_packet_starts_nothing(pair: Pair) -> None:
    assert pair.refusal(flipped(pair.protected(0xF000), -1)) == UNAUTHENTIC
    assert pair.refusal(pair.protected(3)) == 0  # which would be of the next round behind 0xF000


# ---- RTCP ----


def test_rtcp_is_refused_the_second_time(pair: Pair) -> None:
    packets = [pair.tx.protect_rtcp(rtcp()) for _ in range(3)]
    order = [packets[i] for i in (0, 2, 1, 0, 1, 2)]
    assert [pair.rtcp_refusal(packet) for packet in order] == [0, 0, 0, REPLAYED, REPLAYED, REPLAYED]


def test_rtcp_behind_its_window_is_too_old(pair: Pair) -> None:
    packets = [pair.tx.protect_rtcp(rtcp()) for _ in range(RTCP_WINDOW + 1)]
    order = [packets[i] for i in (RTCP_WINDOW, 0, 1)]
    assert [pair.rtcp_refusal(packet) for packet in order] == [0, TOO_OLD, 0]


def test_a_jump_of_the_rtcp_index_keeps_only_itself(pair: Pair) -> None:
    first = pair.tx.protect_rtcp(rtcp())
    pair.tx.rtcp_index = 1000
    second = pair.tx.protect_rtcp(rtcp())
    assert [pair.rtcp_refusal(packet) for packet in (first, second, second, first)] == [0, 0, REPLAYED, TOO_OLD]


def test_every_sender_of_rtcp_counts_by_itself(library: ctypes.CDLL, profile: int) -> None:
    """As libsrtp does it: each SSRC begins with index 1."""
    ours, theirs = Pair(library, profile), libsrtp(profile, bytes(range(44)), encrypt=True)
    packets = [theirs.protect_rtcp(rtcp(ssrc)) for _ in range(3) for ssrc in range(RTCP_SENDERS)]
    assert [ours.rtcp_refusal(packet) for packet in packets] == [0] * len(packets)
    assert [ours.rtcp_refusal(packet) for packet in packets] == [REPLAYED] * len(packets)


def test_one_rtcp_sender_too_many_takes_the_place_of_the_one_silent_longest(pair: Pair) -> None:
    def send(ssrc: int) -> bytes:
        packet = pair.tx.protect_rtcp(rtcp(ssrc))
        assert pair.rtcp_refusal(packet) == 0
        return packet

    first = {ssrc: send(ssrc) for ssrc in range(RTCP_SENDERS)}
    send(0)
    send(9999)
    assert pair.rtcp_refusal(first[0]) == TOO_OLD
    assert pair.rtcp_refusal(first[2]) == REPLAYED
    assert pair.rtcp_refusal(first[1]) == 0


def test_rtcp_in_the_clear_is_not_authentic(library: ctypes.CDLL, profile: int) -> None:
    ours = Pair(library, profile)
    packet = bytearray(ours.tx.protect_rtcp(rtcp()))
    word = len(packet) - (4 if profile != AES128_CM_SHA1_80 else 14)
    assert packet[word] == 0x80
    packet[word] = 0
    assert ours.rtcp_refusal(bytes(packet)) == UNAUTHENTIC


def test_the_rtcp_index_ends_at_31_bits(pair: Pair) -> None:
    pair.tx.rtcp_index = 0x7FFFFFFF
    assert pair.rtcp_refusal(pair.tx.protect_rtcp(rtcp())) == 0
    with pytest.raises(SrtpError) as error:
        pair.tx.protect_rtcp(rtcp())
    assert error.value.code == NO_ROOM


# ---- malformed, damaged, too small ----


def test_no_beginning_of_a_packet_is_accepted(pair: Pair) -> None:
    packet = pair.protected(1)
    for length in range(len(packet)):
        assert pair.refusal(packet[:length]) in (MALFORMED, UNAUTHENTIC)
    report = pair.tx.protect_rtcp(rtcp())
    for length in range(len(report)):
        assert pair.rtcp_refusal(report[:length]) in (MALFORMED, UNAUTHENTIC)


def test_a_header_must_lie_within_the_packet(pair: Pair, profile: int) -> None:
    packet = pair.tx.protect(rtp(1, b""), 1)
    assert len(packet) == 12 + RTP_OVERHEAD[profile]
    for header in (0, 11, 13, 1 << 20):
        with pytest.raises(SrtpError) as error:
            pair.rx.unprotect(packet, header=header)
        assert error.value.code == MALFORMED
    assert pair.rx.unprotect(packet) == rtp(1, b"")


def test_no_packet_with_a_changed_bit_is_accepted(pair: Pair) -> None:
    packet, report = pair.protected(1), pair.tx.protect_rtcp(rtcp())
    for bit in range(8 * len(packet)):
        assert pair.refusal(flipped(packet, bit)) == UNAUTHENTIC
    for bit in range(8 * len(report)):
        assert pair.rtcp_refusal(flipped(report, bit)) == UNAUTHENTIC
    assert pair.refusal(packet) == pair.rtcp_refusal(report) == 0


@given(profile=profiles, data=st.binary(max_size=200))
def test_no_strangers_bytes_are_accepted(library: ctypes.CDLL, profile: int, data: bytes) -> None:
    pair = Pair(library, profile)
    assert pair.refusal(data) in (MALFORMED, UNAUTHENTIC)
    assert pair.rtcp_refusal(data) in (MALFORMED, UNAUTHENTIC)


def test_writes_only_where_there_is_room(pair: Pair, profile: int) -> None:
    plain = rtp(1)
    size = len(plain) + RTP_OVERHEAD[profile]
    assert len(pair.tx.protect(plain, 1, room=size)) == size
    for room in range(12, size):
        with pytest.raises(SrtpError) as error:
            pair.tx.protect(plain, 1, room=room)
        assert error.value.code == NO_ROOM
    report = rtcp()
    size = len(report) + RTP_OVERHEAD[profile] + 4
    assert len(pair.tx.protect_rtcp(report, room=size)) == size
    for room in range(size):
        with pytest.raises(SrtpError) as error:
            pair.tx.protect_rtcp(report, room=room)
        assert error.value.code == NO_ROOM


def test_rtcp_without_a_sender_is_malformed(pair: Pair) -> None:
    with pytest.raises(SrtpError) as error:
        pair.tx.protect_rtcp(rtcp()[:7])
    assert error.value.code == MALFORMED


@pytest.mark.parametrize("length", [0, 15, 27, 29, 31, 43, 45])
def test_a_key_has_the_length_of_its_profile(library: ctypes.CDLL, length: int) -> None:
    for profile in PROFILES:
        with pytest.raises(ValueError, match="not a key"):
            SrtpKey(library, profile, bytes(length), encrypt=True)


def test_other_profiles_have_no_keys(library: ctypes.CDLL) -> None:
    for profile in (0, 2, 5, 9):
        with pytest.raises(ValueError, match="not a key"):
            SrtpKey(library, profile, bytes(30), encrypt=True)


def test_allocates_for_keys_but_never_for_a_packet(tmp_path: Path) -> None:
    program = tmp_path / "allocations"
    compile_c(str(TESTS / "allocations.c"), str(NATIVE / "srtp.c"), "-o", str(program), "-lcrypto")
    keys, packets = subprocess.run([program], check=True, capture_output=True).stdout.split()
    assert int(keys) > 0
    assert int(packets) == 0
