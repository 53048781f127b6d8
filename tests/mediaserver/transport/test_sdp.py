"""Reading and writing session descriptions, with real ones from `tests/vectors/sdp`."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.errors import BadCandidate, BadDescription
from mediaserver.transport.sdp import (
    MAX_SIZE_BYTES,
    Candidate,
    Fingerprint,
    parse,
    parse_candidate,
    write,
    write_candidate,
)
from mediaserver.transport.sdp_lines import ExtensionMap, Rid, Simulcast, SimulcastRid, SsrcGroup
from tests.support.descriptions import NAMES, description

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
VIDEO = HEAD + "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_reads_the_same_again(name: str) -> None:
    first = parse(description(name))
    assert parse(write(first)) == first


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("chromium")])
def test_no_line_of_a_chromium_description_is_lost(name: str) -> None:
    text = description(name)
    assert sorted(write(parse(text)).split("\r\n")) == sorted(text.split("\r\n"))


def test_keeps_everything_about_a_section() -> None:
    read = parse(description("handwritten-everything-offer"))
    audio, video = read.sections
    assert (read.session_id, read.version, read.bundle, read.ice_lite) == (2890844526, 2890842807, ("a", "v"), True)
    assert (read.direction, read.bandwidth, read.extmap_allow_mixed) == ("sendonly", [("AS", 4000)], True)
    assert read.extensions == [ExtensionMap(4, "urn:ietf:params:rtp-hdrext:sdes:mid")]
    assert (read.transport.ufrag, read.transport.pwd, read.transport.setup) == (
        "abcd",
        "abcdefghijklmnopqrstuv",
        "active",
    )
    assert read.transport.ice_options == ("ice2", "trickle")
    assert [each.algorithm for each in read.transport.fingerprints] == ["sha-1", "sha-256"]
    assert (audio.port, audio.connection, audio.msids) == (5004, "IN IP6 2001:db8::5", ["one left", "two right"])
    assert audio.payloads[111].parameters == {"minptime": "10", "useinbandfec": "1", "stereo": ""}
    assert audio.feedback == ["nack", "transport-cc"]
    assert audio.extensions == [ExtensionMap(1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "sendonly", "vad=on")]
    assert "a=ptime:20" in audio.other
    assert audio.transport.end_of_candidates
    assert (video.bandwidth, video.rtcp_rsize, video.bundle_only) == ([("TIAS", 2500000)], True, True)
    assert video.extmap_allow_mixed
    assert video.payloads[96].feedback == ["ccm fir"]
    assert video.ssrc_groups == [SsrcGroup("FID", (1, 2))]
    assert video.ssrcs == {1: {"cname": "c"}, 2: {"cname": "c"}}
    assert video.other == ["a=x-new-thing:with a value"]


def test_keeps_rids_with_restrictions_alternatives_and_pauses() -> None:
    video = parse(description("handwritten-everything-offer")).sections[1]
    assert video.rids["hi"] == Rid("hi", "send", (("pt", "96,97"), ("max-width", "1280"), ("max-height", "720")))
    assert video.simulcast == Simulcast(
        send=((SimulcastRid("alt"), SimulcastRid("hi")), (SimulcastRid("lo", paused=True),)),
        recv=((SimulcastRid("in"),),),
    )


def test_reads_candidates_and_passes_over_those_it_cannot_read() -> None:
    udp, tcp = parse(description("handwritten-everything-offer")).sections[0].transport.candidates
    assert udp == Candidate(
        "1", 1, "udp", 2130706431, "192.0.2.5", 5004, extra=(("generation", "0"), ("network-cost", "10"))
    )
    assert tcp == Candidate("2", 1, "tcp", 1671430143, "2001:db8::5", 5004, "srflx", "10.0.0.1", 9, "passive")


def test_payload_types_come_in_the_order_of_preference() -> None:
    section = parse(VIDEO + "a=rtpmap:97 VP9/90000\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 AV1/90000\r\n").sections[0]
    assert list(section.payloads) == [96, 97]


def test_feedback_and_parameters_may_come_before_their_name() -> None:
    section = parse(VIDEO + "a=fmtp:96 x=1\r\na=rtcp-fb:96 nack\r\na=rtpmap:96 VP8/90000\r\n").sections[0]
    assert (section.payloads[96].parameters, section.payloads[96].feedback) == ({"x": "1"}, ["nack"])


def test_lines_may_end_without_carriage_return() -> None:
    text = description("chromium-camera_mic-offer")
    assert parse(text.replace("\r\n", "\n")) == parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "does not begin with v=0", id="nothing"),
        pytest.param("hello", "does not begin with v=0", id="not a description"),
        pytest.param(HEAD + "a=x\0", "control characters", id="NUL"),
        pytest.param(HEAD + "a=x\ra=y", "control characters", id="bare carriage return"),
        pytest.param(HEAD + "a=\ud800", "control characters", id="half a surrogate pair"),
        pytest.param(HEAD + "hello", "not of the form", id="no equals sign"),
        pytest.param(HEAD + "m=audio 9 RTP/AVP", "m= needs", id="no format"),
        pytest.param(HEAD + "m=audio nine RTP/AVP 0", "not a number", id="port in words"),
        pytest.param(HEAD + "m=audio 65536 RTP/AVP 0", "not a number", id="port too large"),
        pytest.param(VIDEO + "a=mid:", "not a mid", id="empty mid"),
        pytest.param(VIDEO + "a=mid:" + "m" * 17, "not a mid", id="long mid"),
        pytest.param(VIDEO + "a=mid:a b", "not a mid", id="mid with a space"),
        pytest.param(VIDEO + "a=rtpmap:96", "not a payload type", id="rtpmap without a codec"),
        pytest.param(VIDEO + "a=rtpmap:96 VP8", "not a payload type", id="rtpmap without a clock rate"),
        pytest.param(VIDEO + "a=rtpmap:128 VP8/90000", "not a number", id="payload type too large"),
        pytest.param(VIDEO + "a=rtpmap:\u0669 VP8/90000", "not a number", id="digits that are not ASCII"),
        pytest.param(VIDEO + "a=rtcp-fb:x nack", "not a number", id="feedback about nothing"),
        pytest.param(VIDEO + "a=extmap:1", "not an extension", id="extension without a URI"),
        pytest.param(VIDEO + "a=extmap:1/up urn:x", "not an extension", id="extension to nowhere"),
        pytest.param(VIDEO + "a=rid:f", "not a rid", id="rid without a direction"),
        pytest.param(VIDEO + "a=rid:f;g send", "not a rid", id="rid with a semicolon"),
        pytest.param(VIDEO + "a=simulcast:f;h;q", "does not say", id="simulcast without a direction"),
        pytest.param(VIDEO + "a=simulcast:send f send h", "does not say", id="simulcast with a direction twice"),
        pytest.param(VIDEO + "a=simulcast:send " + "f;" * 99 + "f", "more than 64", id="too many layers"),
        pytest.param(VIDEO + "a=ssrc:4294967296 cname:x", "not a number", id="ssrc too large"),
        pytest.param(VIDEO + "a=ssrc-group:FID 1 x", "not a number", id="group of letters"),
        pytest.param(VIDEO + "a=fingerprint:sha-256 nothing", "not a fingerprint", id="fingerprint of letters"),
        pytest.param(VIDEO + "a=setup:maybe", "not a DTLS role", id="unknown role"),
        pytest.param(VIDEO + "a=ice-ufrag:abc", "ICE credential", id="short ufrag"),
        pytest.param(VIDEO + "a=ice-pwd:" + "p" * 257, "ICE credential", id="long password"),
        pytest.param(VIDEO + "a=sctp-port:x", "not a number", id="port of letters"),
        pytest.param(VIDEO + "a=max-message-size:" + "9" * 5000, "not a number", id="endless number"),
    ],
)
def test_refuses_what_cannot_be_meant(text: str, reason: str) -> None:
    with pytest.raises(BadDescription, match=reason) as error:
        parse(text)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 160


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(HEAD + "a=" + "x" * 65536, "65536 bytes", id="bytes"),
        pytest.param(HEAD + "a=" + "é" * 33000, "65536 bytes", id="bytes of few characters"),
        pytest.param(HEAD + "a=x\n" * 4096, "4096 lines", id="lines"),
        pytest.param(HEAD + "m=audio 0 RTP/AVP 0\n" * 257, "256 sections", id="sections"),
    ],
)
def test_has_limits(text: str, reason: str) -> None:
    with pytest.raises(BadDescription, match=reason):
        parse(text)


def test_says_which_line_is_bad() -> None:
    with pytest.raises(BadDescription, match="line 6: "):
        parse(VIDEO + "a=setup:maybe\r\n")


RUNS = 5  # of which the fastest counts: others are at work too
NOTHING = 1e-3  # seconds: below that two times cannot be told apart
LONGEST = [
    "a=rtcp-fb:96 nack",
    "a=candidate:1 1 udp 1 192.0.2.1 1 typ host",
    "a=extmap:1 urn:x",
    "a=rid:f send pt=96",
    "a=simulcast:send f;h",
    "a=ssrc:1 cname:x",
    "a=fmtp:96 " + "a=b;" * 16000,
    "a=ssrc-group:FID" + " 1" * 32000,
    "a=simulcast:send " + "f;" * 32000 + "f",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
]


@pytest.mark.parametrize("line", LONGEST, ids=lambda line: line[:24])
def test_reads_the_largest_descriptions_in_linear_time(line: str) -> None:
    whole = VIDEO + f"{line}\n" * min(4000, (MAX_SIZE_BYTES - len(VIDEO)) // (len(line) + 1))
    if line.startswith("m="):
        whole = HEAD + (line + "\n" + "a=rtpmap:96 a/1\n" * 10) * 256
    taken = min(_seconds(whole) for _ in range(RUNS))
    assert taken < 0.04  # 1 to 15 ms; what shares a core may cost twice as much
    half = whole[: len(whole) // 2]
    assert taken < 3 * max(min(_seconds(half) for _ in range(RUNS)), NOTHING)


def _seconds(text: str) -> float:
    start = time.process_time()
    with contextlib.suppress(BadDescription):
        parse(text)
    return time.process_time() - start


def test_reads_candidates_of_either_form() -> None:
    text = "candidate:842163049 1 udp 1677729535 203.0.113.7 44323 typ srflx raddr 10.0.0.2 rport 5000 generation 0"
    read = parse_candidate(text)
    assert (read.address, read.port, read.type, read.related_address, read.related_port) == (
        "203.0.113.7",
        44323,
        "srflx",
        "10.0.0.2",
        5000,
    )
    assert parse_candidate("a=" + text) == read
    assert parse_candidate(text.removeprefix("candidate:")) == read
    assert write_candidate(read) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.1",
        "candidate:1 1 udp 1 192.0.2.1 9 host host",
        "candidate:1 x udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 udp 4294967296 192.0.2.1 9 typ host",
        "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host raddr",
        "candidate:1 1 udp 1 192.0.2.1 9 typ host rport x",
        "candidate:" + "1" * 2000,
    ],
)
def test_refuses_what_is_no_candidate(text: str) -> None:
    with pytest.raises(BadCandidate):
        parse_candidate(text)


def test_fingerprints_are_told_in_one_form() -> None:
    read = parse(VIDEO + "a=fingerprint:SHA-256 ab:cd\r\n").sections[0]
    assert read.transport.fingerprints == [Fingerprint("sha-256", "AB:CD")]


_LINES = sorted({line for name in NAMES for line in description(name).split("\r\n")})


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_arbitrary_text_is_read_or_refused(text: str) -> None:
    _read_or_refuse(text)
    _read_or_refuse(VIDEO + text)
    _read_or_refuse(VIDEO + "a=" + text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(_LINES), max_size=60), st.data())
def test_shuffled_and_cut_lines_are_read_or_refused(chosen: list[str], data: st.DataObject) -> None:
    cut = [line[: data.draw(st.integers(0, len(line)))] if data.draw(st.booleans()) else line for line in chosen]
    _read_or_refuse(HEAD + "\r\n".join(cut))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_mutated_descriptions_are_read_or_refused(name: str, data: st.DataObject) -> None:
    text = description(name)
    at = data.draw(st.integers(0, len(text)))
    _read_or_refuse(text[:at] + data.draw(st.text(max_size=8)) + text[at + data.draw(st.integers(0, 8)) :])


def _read_or_refuse(text: str) -> None:
    try:
        read = parse(text)
    except BadDescription:
        return
    assert parse(write(read)) == read
