"""What is answered to publish offers, offered to subscribers and read from their answers; real ones where there are."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.errors import BadDescription
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import URIS, Extension
from mediaserver.transport.negotiation import (
    AcceptedSection,
    PublishAnswer,
    PublishedSection,
    answer_publish,
    offer_subscribe,
    read_subscribe_answer,
)
from mediaserver.transport.sdp import SctpParameters, SessionDescription, parse, write
from mediaserver.transport.sdp_lines import Rid, Simulcast, SimulcastRid
from tests.support.descriptions import OFFERS, description, local, slots

FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["CD"] * 32)
TRANSPORT = ["a=ice-ufrag:theirs", "a=ice-pwd:theirpasswordtheirpassword", FINGERPRINT, "a=setup:actpass"]
VP8 = ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"]


def answered(name: str) -> PublishAnswer:
    return answer_publish(parse(description(name)), local())


def offer(*sections: list[str], session: tuple[str, ...] = (), bundle: str | None = None) -> SessionDescription:
    """An offer of `sections`, with mids 0, 1 ... and the transport's lines where the test does not say them itself."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", *session]
    group = " ".join(map(str, range(len(sections)))) if bundle is None else bundle
    lines += [f"a=group:BUNDLE {group}"] if group else []
    for mid, section in enumerate(sections):
        lines += [section[0], f"a=mid:{mid}", "a=rtcp-mux", *section[1:]]
        lines += [line for line in TRANSPORT if not any(line.split(":")[0] in other for other in (*section, *session))]
    return parse("\r\n".join(lines))


def video(*lines: str, formats: str = "96 97", port: int = 9) -> list[str]:
    return [f"m=video {port} UDP/TLS/RTP/SAVPF {formats}", *lines]


def only(*lines: str, formats: str = "96 97") -> PublishedSection:
    (section,) = answer_publish(offer(video(*lines, formats=formats)), local()).sections
    return section


# publish: what real clients offer


@pytest.mark.parametrize("name", [name for name in OFFERS if not name.startswith("handwritten")])
def test_answers_keep_every_section_in_its_place(name: str) -> None:
    offered = parse(description(name))
    described = answer_publish(offered, local()).description
    assert [(s.kind, s.mid, s.protocol) for s in described.sections] == [
        (s.kind, s.mid, s.protocol) for s in offered.sections
    ]
    assert described.bundle == tuple(s.mid for s in described.sections if s.port)
    for ours, theirs in zip(described.sections, offered.sections, strict=True):
        assert ours.formats == theirs.formats if not ours.port else set(ours.formats) <= set(theirs.formats)
    assert parse(write(described)) == described


@pytest.mark.parametrize(
    ("client", "audio_type", "video_types"), [("chromium", 111, (96, 97)), ("firefox", 109, (120, 124))]
)
def test_takes_camera_and_microphone(client: str, audio_type: int, video_types: tuple[int, int]) -> None:
    audio, picture = answered(f"{client}-camera_mic-offer").sections
    assert (audio.codec, audio.payload_type, audio.clock_rate) == (CodecId.OPUS, audio_type, 48000)
    assert (audio.transport_cc, audio.nack, audio.retransmissions, audio.repair_ssrcs) == (True, False, {}, ())
    assert (picture.codec, picture.payload_type) == (CodecId.VP8, video_types[0])
    assert picture.retransmissions == {video_types[1]: video_types[0]}
    assert (picture.nack, picture.transport_cc, picture.remb, picture.sending) == (True, True, True, True)
    assert len(picture.ssrcs) == len(picture.repair_ssrcs) == 1
    assert set(audio.extensions.values()) >= {Extension.MID, Extension.AUDIO_LEVEL, Extension.TRANSPORT_CC}
    assert set(picture.extensions.values()) >= {Extension.MID, Extension.ABS_SEND_TIME, Extension.TRANSPORT_CC}


@pytest.mark.parametrize("client", ["chromium", "firefox"])
def test_takes_three_layers_a_screen_and_a_data_channel(client: str) -> None:
    answer = answered(f"{client}-simulcast_screen_data-offer")
    _, camera, screen = answer.sections
    assert camera.rids == ("f", "h", "q")
    assert set(camera.extensions.values()) >= {Extension.MID, Extension.RID, Extension.REPAIRED_RID}
    assert screen.rids == ()
    assert answer.sctp is not None
    assert (answer.sctp.port, answer.sctp.mid) == (5000, "3")
    text = write(answer.description)
    assert re.findall(r"a=rid:.*|a=simulcast:.*", text.replace("\r", "")) == [
        "a=rid:f recv",
        "a=rid:h recv",
        "a=rid:q recv",
        "a=simulcast:recv f;h;q",
    ]


def test_layers_have_ssrcs_where_the_offer_tells_them() -> None:
    camera = answered("firefox-simulcast_screen_data-offer").sections[1]
    offered = parse(description("firefox-simulcast_screen_data-offer")).sections[1]
    assert list(zip(camera.ssrcs, camera.repair_ssrcs, strict=True)) == [group.ssrcs for group in offered.ssrc_groups]
    assert answered("chromium-simulcast_screen_data-offer").sections[1].ssrcs == ()


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("chromium-only_vp8-offer", CodecId.VP8),
        ("chromium-only_vp9-offer", CodecId.VP9),
        ("chromium-only_h264-offer", CodecId.H264_BASELINE),
        ("chromium-only_av1-offer", CodecId.AV1),
        ("chromium-prefer_h264-offer", CodecId.H264_BASELINE),
        ("chromium-prefer_av1-offer", CodecId.AV1),
        ("firefox-only_vp9-offer", CodecId.VP9),
        ("firefox-only_av1-offer", CodecId.AV1),
        ("firefox-prefer_av1-offer", CodecId.AV1),
        ("gstreamer-whip-offer", CodecId.H264_BASELINE),
        ("aiortc-publish-offer", CodecId.VP8),
    ],
)
def test_takes_the_first_codec_it_forwards(name: str, codec: CodecId) -> None:
    answer = answered(name)
    section = next(each for each in answer.sections if each.kind == "video")
    assert section.codec == codec
    (described,) = (each for each in answer.description.sections if each.kind == "video")
    assert described.formats == (str(section.payload_type), *map(str, section.retransmissions))


@pytest.mark.parametrize("client", ["chromium", "firefox"])
def test_sections_that_are_not_sent_stay_as_inactive_ones(client: str) -> None:
    answer = answered(f"{client}-inactive_and_stopped-offer")
    assert [section.sending for section in answer.sections] == [True, False, False, False]
    assert [s.direction for s in answer.description.sections] == ["recvonly", "inactive", "inactive", "inactive"]
    assert answer.description.bundle == ("0", "1", "2", "3")


@pytest.mark.parametrize("client", ["chromium", "firefox"])
def test_a_stopped_section_leaves_the_bundle(client: str) -> None:
    answer = answered(f"{client}-simulcast_screen_data-stop_last-offer")
    assert answer.description.sections[-1].port == 0
    assert answer.description.bundle == ("0", "1", "2", "3")


@pytest.mark.parametrize("client", ["chromium", "firefox"])
def test_a_section_without_a_codec_of_ours_is_rejected_and_the_rest_goes_on(client: str) -> None:
    answer = answered(f"{client}-pcmu_and_video-offer")
    sound, picture = answer.description.sections
    assert [section.mid for section in answer.sections] == [picture.mid]
    assert (sound.port, sound.transport.ufrag, picture.port) == (0, None, 9)
    assert picture.transport.candidates == list(local().candidates)
    assert answer.description.bundle == (picture.mid,)


@pytest.mark.parametrize("client", ["chromium", "firefox"])
def test_an_offer_that_stops_everything_is_answered_without_a_transport(client: str) -> None:
    answer = answered(f"{client}-stop_all-offer")
    assert (answer.remote, answer.sections, answer.sctp) == (None, (), None)
    assert [section.port for section in answer.description.sections] == [0, 0]


def test_new_credentials_of_a_restart_are_told() -> None:
    before = answered("chromium-simulcast_screen_data-offer")
    after = answered("chromium-simulcast_screen_data-restart-offer")
    assert before.remote is not None
    assert after.remote is not None
    assert (before.remote.ufrag, before.remote.fingerprints) != (after.remote.ufrag, after.remote.fingerprints)
    assert [each.mid for each in after.sections[: len(before.sections)]] == [each.mid for each in before.sections]


def test_gstreamer_is_answered_with_its_own_names_and_numbers() -> None:
    answer = answered("gstreamer-whip-offer")
    picture, sound = answer.sections
    assert (picture.mid, picture.retransmissions, picture.ssrcs, picture.repair_ssrcs) == (
        "video0",
        {97: 96},
        (1480927863,),
        (2963154013,),
    )
    assert (sound.mid, sound.payload_type, sound.sending) == ("audio1", 98, True)
    assert answer.description.sections[1].payloads[98].parameters["stereo"] == "1"


def test_a_data_channel_alone_is_answered() -> None:
    answer = answered("chromium-data_only-offer")
    assert answer.sctp == SctpParameters(port=5000, max_message_size=262144, mid="0")
    (section,) = answer.description.sections
    assert (section.formats, section.sctp_port, section.max_message_size) == (("webrtc-datachannel",), 5000, 65536)


# publish: the answer's transport


def test_our_transport_is_told_in_every_section() -> None:
    described = answered("chromium-simulcast_screen_data-offer").description
    assert described.ice_lite
    all_of_them = len(local().candidates)
    assert [len(s.transport.candidates) for s in described.sections] == [all_of_them, 0, 0, all_of_them]
    assert [s.transport.end_of_candidates for s in described.sections] == [True, False, False, True]
    assert {s.transport.setup for s in described.sections} == {"passive"}
    assert {s.transport.ufrag for s in described.sections} == {"ours"}


def test_the_transport_may_be_told_for_the_session() -> None:
    lines = ("a=ice-ufrag:whole", "a=ice-pwd:wholepasswordwholepwdd", FINGERPRINT, "a=setup:active")
    remote = answer_publish(offer(video(*VP8), session=lines), local()).remote
    assert remote is not None
    assert (remote.ufrag, remote.setup, remote.fingerprints[0].algorithm) == ("whole", "active", "sha-256")


def test_the_first_section_of_the_bundle_tells_the_transport() -> None:
    sections = [video(*VP8, f"a=ice-ufrag:ufrag{mid}") for mid in range(3)]
    remote = answer_publish(offer(*sections, bundle="1 0 2"), local()).remote
    assert remote is not None
    assert remote.ufrag == "ufrag1"


def test_sections_outside_of_the_bundle_are_rejected() -> None:
    answer = answer_publish(offer(video(*VP8), video(*VP8), bundle="1"), local())
    assert [section.port for section in answer.description.sections] == [0, 9]
    assert [section.mid for section in answer.sections] == ["1"]


def test_a_single_section_needs_no_bundle() -> None:
    assert len(answer_publish(offer(video(*VP8), bundle=""), local()).sections) == 1


def without(text: str) -> SessionDescription:
    return parse("\r\n".join(line for line in write(offer(video(*VP8))).split("\r\n") if text not in line))


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        pytest.param(parse("v=0\r\n"), "no section", id="no section"),
        pytest.param(offer(video(*VP8), video(*VP8), bundle=""), "not bundled", id="no bundle"),
        pytest.param(offer(video(*VP8), bundle="x"), "not bundled", id="bundle of others"),
        pytest.param(without("ice-ufrag"), "ice-ufrag or ice-pwd", id="no ufrag"),
        pytest.param(without("ice-pwd"), "ice-ufrag or ice-pwd", id="no password"),
        pytest.param(without("fingerprint"), "fingerprint is missing", id="no fingerprint"),
        pytest.param(without("rtcp-mux"), "without rtcp-mux", id="no rtcp-mux"),
        pytest.param(without("a=mid"), "no mid", id="no mid"),
        pytest.param(offer(video(*VP8, "a=setup:passive")), "setup:passive does not fit", id="would be server too"),
        pytest.param(offer(video(*VP8, "a=setup:holdconn")), "setup:holdconn does not fit", id="holds"),
        pytest.param(offer(video(*VP8), session=("a=ice-lite",)), "ICE-lite", id="both lite"),
        pytest.param(offer(video(*VP8), video(*VP8, "a=mid:0")), "same mid", id="mid twice"),
        pytest.param(
            offer(video(*VP8, "a=fingerprint:sha-1 " + ":".join(["CD"] * 20))), "is one of", id="weak fingerprint"
        ),
        pytest.param(
            offer(video(*VP8, "a=fingerprint:sha-256 CD:CD")), "is one of", id="fingerprint of another length"
        ),
        pytest.param(
            offer(video(*VP8, f"a=extmap:1 {URIS[Extension.MID]}", f"a=extmap:1 {URIS[Extension.RID]}")),
            "extension id twice",
            id="two extensions of one id",
        ),
        pytest.param(
            offer(video(*VP8, f"a=extmap:1 {URIS[Extension.MID]}"), video(*VP8, f"a=extmap:1 {URIS[Extension.RID]}")),
            "two meanings",
            id="an id with two meanings",
        ),
    ],
)
def test_offers_that_cannot_work_are_refused(offered: SessionDescription, reason: str) -> None:
    with pytest.raises(BadDescription, match=reason):
        answer_publish(offered, local())


# publish: codecs, extensions, feedback


@pytest.mark.parametrize(
    ("lines", "codec"),
    [
        (["a=rtpmap:96 VP8/90000"], CodecId.VP8),
        (["a=rtpmap:96 vp9/90000"], CodecId.VP9),
        (["a=rtpmap:96 VP9/90000", "a=fmtp:96 profile-id=2"], None),
        (["a=rtpmap:96 AV1/90000", "a=fmtp:96 profile=0;level-idx=5"], CodecId.AV1),
        (["a=rtpmap:96 AV1/90000", "a=fmtp:96 profile=1"], None),
        (["a=rtpmap:96 H264/90000"], None),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=0;profile-level-id=42e01f"], None),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1"], CodecId.H264_BASELINE),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=42001f"], CodecId.H264_BASELINE),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=42E01F"], CodecId.H264_BASELINE),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=4d001f"], CodecId.H264_HIGH),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=640c1f"], CodecId.H264_HIGH),
        (["a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1;profile-level-id=f4001f"], None),
        (["a=rtpmap:96 VP8/8000"], None),
        (["a=rtpmap:96 opus/48000/2"], None),
        (["a=rtpmap:96 H265/90000"], None),
        (["a=rtpmap:96 red/90000", "a=rtpmap:97 VP8/90000"], CodecId.VP8),
        (["a=rtpmap:97 AV1/90000", "a=rtpmap:96 VP8/90000"], CodecId.VP8),
    ],
)
def test_knows_codecs_by_name_and_parameters(lines: list[str], codec: CodecId | None) -> None:
    answer = answer_publish(offer(video(*lines)), local())
    assert [section.codec for section in answer.sections] == ([] if codec is None else [codec])
    assert answer.description.sections[0].port == (0 if codec is None else 9)


def test_sections_of_other_protocols_and_kinds_are_rejected() -> None:
    answer = answer_publish(
        offer(
            video(*VP8),
            ["m=video 9 RTP/AVP 96", *VP8],
            ["m=text 9 UDP/TLS/RTP/SAVPF 96", *VP8],
            ["m=application 9 DTLS/SCTP 5000", "a=sctpmap:5000 webrtc-datachannel 1024"],
        ),
        local(),
    )
    assert [section.port for section in answer.description.sections] == [9, 0, 0, 0]
    assert answer.description.bundle == ("0",)


def test_only_one_data_channel_section_is_taken() -> None:
    data = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]
    answer = answer_publish(offer(data, data), local())
    assert answer.sctp == SctpParameters(port=5000, max_message_size=65536, mid="0")
    assert [section.port for section in answer.description.sections] == [9, 0]


def test_feedback_is_what_both_understand() -> None:
    feedback = ["a=rtcp-fb:96 nack", "a=rtcp-fb:96 ccm fir", "a=rtcp-fb:96 x-new", "a=rtcp-fb:97 goog-remb"]
    answer = answer_publish(offer(video(*VP8, *feedback)), local())
    assert answer.description.sections[0].payloads[96].feedback == ["ccm fir", "nack"]
    (section,) = answer.sections
    assert (section.nack, section.remb, section.transport_cc) == (True, False, False)


def test_feedback_for_all_payload_types_counts_for_each() -> None:
    section = only(*VP8, "a=rtcp-fb:* nack", "a=rtcp-fb:* transport-cc")
    assert (section.nack, section.transport_cc) == (True, True)


@pytest.mark.parametrize(
    ("line", "answered_as"),
    [
        ("a=extmap:5 {uri}", "a=extmap:5 {uri}"),
        ("a=extmap:5/sendonly {uri}", "a=extmap:5/recvonly {uri}"),
        ("a=extmap:5/sendrecv {uri}", "a=extmap:5/recvonly {uri}"),
        ("a=extmap:5/recvonly {uri}", None),
        ("a=extmap:5/inactive {uri}", None),
        ("a=extmap:15 {uri}", None),
        ("a=extmap:0 {uri}", None),
        ("a=extmap:4096 {uri}", None),
        ("a=extmap:200 {uri}", "a=extmap:200 {uri}"),
        ("a=extmap:5 urn:3gpp:video-orientation", None),
    ],
)
def test_extensions_keep_the_offered_id_if_the_client_sends_them(line: str, answered_as: str | None) -> None:
    uri = URIS[Extension.ABS_SEND_TIME]
    answer = answer_publish(offer(video(*VP8, line.format(uri=uri))), local())
    text = write(answer.description)
    if answered_as is None:
        assert "a=extmap:" not in text
        assert answer.sections[0].extensions == {}
    else:
        assert answered_as.format(uri=uri) in text
        assert list(answer.sections[0].extensions.values()) == [Extension.ABS_SEND_TIME]


def test_opus_is_asked_for_with_error_correction() -> None:
    lines = ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 stereo=1;usedtx=1;maxptime=60"]
    answer = answer_publish(offer(lines), local())
    assert answer.description.sections[0].payloads[111].parameters == {
        "minptime": "10",
        "useinbandfec": "1",
        "usedtx": "1",
    }


# publish: layers


RIDS = ["a=rid:a send", "a=rid:b send", "a=rid:c send", "a=rid:d send"]


@pytest.mark.parametrize(
    ("lines", "rids"),
    [
        pytest.param([*RIDS, "a=simulcast:send a;b;c"], ("a", "b", "c"), id="three"),
        pytest.param([*RIDS, "a=simulcast:send c;a"], ("c", "a"), id="in the listed order"),
        pytest.param([*RIDS, "a=simulcast:send a;b;c;d"], ("a", "b", "c"), id="at most three"),
        pytest.param([*RIDS, "a=simulcast:send a;~b"], ("a", "b"), id="paused"),
        pytest.param([*RIDS, "a=simulcast:send a,b;c"], ("a", "c"), id="the first alternative"),
        pytest.param([*RIDS, "a=simulcast:send a;x;b"], ("a", "b"), id="a rid without its line"),
        pytest.param(["a=rid:a send pt=98", *RIDS[1:], "a=simulcast:send a,b;c"], ("b", "c"), id="of another codec"),
        pytest.param(["a=rid:a recv", *RIDS[1:], "a=simulcast:send b recv a"], ("b",), id="only what is sent"),
        pytest.param(["a=rid:a send"], ("a",), id="a rid without simulcast"),
        pytest.param(["a=simulcast:send a;b"], (), id="simulcast without rids"),
    ],
)
def test_receives_the_layers_it_can(lines: list[str], rids: tuple[str, ...]) -> None:
    answer = answer_publish(offer(video(*VP8, *lines)), local())
    assert answer.sections[0].rids == rids
    section = answer.description.sections[0]
    assert tuple(section.rids) == rids
    has_simulcast = bool(rids) and any("simulcast" in line for line in lines)
    wanted = Simulcast(recv=tuple((SimulcastRid(rid),) for rid in rids))
    assert section.simulcast == (wanted if has_simulcast else None)


def test_restrictions_of_a_layer_are_repeated() -> None:
    answer = answer_publish(offer(video(*VP8, "a=rid:a send pt=96,97;max-width=640", "a=simulcast:send a")), local())
    assert answer.description.sections[0].rids["a"] == Rid("a", "recv", (("max-width", "640"),))


@pytest.mark.parametrize(
    ("lines", "ssrcs", "repair"),
    [
        pytest.param([], (), (), id="none told"),
        pytest.param(["a=ssrc:1 cname:x"], (1,), (), id="one"),
        pytest.param(["a=ssrc:1 cname:x", "a=ssrc:2 cname:x", "a=ssrc-group:FID 1 2"], (1,), (2,), id="with RTX"),
        pytest.param(["a=ssrc-group:FID 1 2"], (1,), (2,), id="only the pair"),
        pytest.param(["a=ssrc-group:SIM 5 3 1", "a=ssrc-group:FID 3 4"], (5, 3, 1), (0, 4, 0), id="layers by SSRC"),
        pytest.param(["a=ssrc:1 cname:x", "a=ssrc:2 cname:x", "a=ssrc-group:FEC-FR 1 2"], (1,), (), id="with FEC"),
        pytest.param(["a=ssrc:1 cname:x", "a=ssrc:7 cname:x"], (1,), (), id="two of the same"),
        pytest.param(
            [*RIDS[:2], "a=simulcast:send a;b", "a=ssrc:1 cname:x", "a=ssrc:2 cname:x"], (1, 2), (), id="rids"
        ),
        pytest.param([*RIDS[:2], "a=simulcast:send a;b", "a=ssrc:1 cname:x"], (), (), id="fewer than rids"),
    ],
)
def test_reads_the_ssrcs_that_are_told(lines: list[str], ssrcs: tuple[int, ...], repair: tuple[int, ...]) -> None:
    section = only(*VP8, *lines)
    assert (section.ssrcs, section.repair_ssrcs) == (ssrcs, repair)


def test_without_rtx_no_repair_ssrc_is_expected() -> None:
    assert only("a=rtpmap:96 VP8/90000", "a=ssrc-group:FID 1 2").repair_ssrcs == ()


RED = "a=rtpmap:63 red/48000/2"


@pytest.mark.parametrize("formats", ["111 63", "63 111"])
def test_sound_may_come_as_red_and_in_the_order_that_is_liked(formats: str) -> None:
    lines = (f"m=audio 9 UDP/TLS/RTP/SAVPF {formats}", "a=rtpmap:111 opus/48000/2", RED, "a=fmtp:63 111/111")
    answer = answer_publish(offer([*lines, "a=sendonly", "a=mid:0"]), local())
    (section,) = answer.sections
    assert (section.codec, section.payload_type, section.redundant) == (CodecId.OPUS, 111, 63)
    written = write(answer.description)
    assert f"RTP/SAVPF {formats}\r\n" in written
    assert "a=fmtp:63 111/111\r\n" in written


# subscribe


def test_every_slot_is_offered_with_all_codecs() -> None:
    described = offer_subscribe(slots(2), local())
    assert [s.mid for s in described.sections] == ["0", "1", "2", "3"] == list(described.bundle or ())
    assert {s.direction for s in described.sections} == {"sendonly"}
    assert {s.transport.setup for s in described.sections} == {"actpass"}
    sound, picture = described.sections[:2]
    assert [p.name for p in sound.payloads.values()] == ["opus", "red"]
    assert "a=fmtp:63 111/111\r\n" in write(described)
    assert [p.name for p in picture.payloads.values() if p.name != "rtx"] == ["VP8", "VP9", "H264", "H264", "AV1"]
    assert {p.parameters["apt"] for p in picture.payloads.values() if p.name == "rtx"} == {
        str(p.type) for p in picture.payloads.values() if p.name != "rtx"
    }
    assert picture.payloads[96].feedback == ["goog-remb", "transport-cc", "nack", "nack pli"]
    assert sound.payloads[111].feedback == ["transport-cc", "nack"]
    assert (picture.ssrcs, picture.ssrc_groups[0].ssrcs) == (
        {1002: {"cname": "cname0"}, 1003: {"cname": "cname0"}},
        (1002, 1003),
    )
    assert (sound.msids, sound.ssrc_groups) == (["stream0 track0"], [])
    assert parse(write(described)) == described


def test_a_slot_looks_the_same_however_many_there_are() -> None:
    few, many = offer_subscribe(slots(1), local()), offer_subscribe(slots(3), local())
    for section in (*few.sections, *many.sections):
        section.transport.candidates.clear()  # they stand in the first and the last section only
        section.transport.end_of_candidates = False
    assert few.sections == many.sections[:2]


ALL_VIDEO = {
    CodecId.VP8: (96, 97),
    CodecId.VP9: (98, 99),
    CodecId.H264_BASELINE: (102, 103),
    CodecId.AV1: (106, 107),
}


@pytest.mark.parametrize(
    ("name", "pairs", "codecs"),
    [
        pytest.param("chromium-subscribe-answer", 3, ALL_VIDEO, id="chromium"),
        pytest.param(
            "firefox-subscribe-answer",
            3,
            {codec: types for codec, types in ALL_VIDEO.items() if codec != CodecId.H264_BASELINE},
            id="firefox has no H.264",
        ),
        pytest.param(
            "aiortc-subscribe-answer",
            2,
            {codec: ALL_VIDEO[codec] for codec in (CodecId.VP8, CodecId.H264_BASELINE)},
            id="aiortc",
        ),
    ],
)
def test_reads_what_clients_accept(name: str, pairs: int, codecs: dict[int, tuple[int, int]]) -> None:
    read = read_subscribe_answer(parse(description(name)), slots(pairs))
    assert [section.mid for section in read.sections] == [slot.mid for slot in slots(pairs)]
    assert all(section.receiving for section in read.sections)
    assert [section.codecs for section in read.sections[1::2]] == [codecs] * pairs
    assert [section.codecs for section in read.sections[::2]] == [{CodecId.OPUS: (111, -1)}] * pairs
    assert read.sections[0].extensions[Extension.AUDIO_LEVEL] == 6
    assert read.sections[1].extensions[Extension.ABS_SEND_TIME] == 5
    assert read.remote.setup == "active"


def answer(
    *lines: str, port: int = 9, formats: str = "96 97", session: tuple[str, ...] = (), sound: tuple[str, ...] = ()
) -> SessionDescription:
    sections = [
        ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "a=rtpmap:111 opus/48000/2", *sound, "a=recvonly", "a=setup:active"],
        video(*lines, "a=setup:active", formats=formats, port=port),
    ]
    return offer(*sections, session=session)


def accepted(*lines: str, port: int = 9, formats: str = "96 97") -> AcceptedSection:
    return read_subscribe_answer(answer(*lines, port=port, formats=formats), slots(1)).sections[1]


def test_an_answer_may_renumber_what_was_offered() -> None:
    h264 = "packetization-mode=1;profile-level-id=42e034"
    section = accepted(
        "a=rtpmap:120 VP8/90000",
        "a=rtpmap:126 H264/90000",
        f"a=fmtp:126 {h264}",
        "a=rtpmap:127 rtx/90000",
        "a=fmtp:127 apt=126",
        f"a=extmap:3 {URIS[Extension.MID]}",
        formats="120 126 127",
    )
    assert section.codecs == {CodecId.VP8: (120, -1), CodecId.H264_BASELINE: (126, 127)}
    assert section.extensions == {Extension.MID: 3}


@pytest.mark.parametrize(
    ("sound", "red"),
    [
        pytest.param((RED, "a=fmtp:63 111/111"), {CodecId.RED: (63, -1)}, id="accepted"),
        pytest.param((RED,), {CodecId.RED: (63, -1)}, id="without parameters"),
        pytest.param((RED, "a=fmtp:63 111/0"), {}, id="of other blocks"),
        pytest.param((), {}, id="left out"),
    ],
)
def test_sound_may_be_accepted_with_what_came_before_it(
    sound: tuple[str, ...], red: dict[int, tuple[int, int]]
) -> None:
    section = read_subscribe_answer(answer(*VP8, sound=sound), slots(1)).sections[0]
    assert section.codecs == {CodecId.OPUS: (111, -1), **red}


@pytest.mark.parametrize(
    ("direction", "receiving"), [("recvonly", True), ("sendrecv", True), ("inactive", False), ("sendonly", False)]
)
def test_a_client_says_whether_it_receives(direction: str, receiving: bool) -> None:
    assert accepted(*VP8, f"a={direction}").receiving is receiving


def test_a_rejected_slot_receives_nothing() -> None:
    assert accepted(*VP8, port=0) == AcceptedSection("1", codecs={}, extensions={}, receiving=False)


def test_extensions_that_were_not_offered_are_not_used() -> None:
    section = accepted(*VP8, f"a=extmap:1 {URIS[Extension.RID]}", f"a=extmap:2/sendonly {URIS[Extension.MID]}")
    assert section.extensions == {}


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        pytest.param(offer(video(*VP8)), "answers 1 sections", id="too few"),
        pytest.param(offer(video(*VP8), video(*VP8)), "not those of the offer at mid 0", id="another kind"),
        pytest.param(answer(*VP8, "a=mid:9"), "not those of the offer at mid 1", id="another mid"),
        pytest.param(answer(*VP8, session=("a=ice-lite",)), "ICE-lite", id="both lite"),
        pytest.param(
            parse(write(answer(*VP8)).replace("setup:active", "setup:actpass")), "setup:actpass", id="undecided role"
        ),
        pytest.param(
            parse(write(answer(*VP8)).replace(" 9 UDP", " 0 UDP")), "no section is in use", id="everything rejected"
        ),
    ],
)
def test_answers_that_do_not_fit_are_refused(read: SessionDescription, reason: str) -> None:
    with pytest.raises(BadDescription, match=reason):
        read_subscribe_answer(read, slots(1))


def test_a_client_may_choose_to_be_the_server() -> None:
    read = parse(write(answer(*VP8)).replace("setup:active", "setup:passive"))
    assert read_subscribe_answer(read, slots(1)).remote.setup == "passive"


# never anything but BadDescription


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(OFFERS), st.data())
def test_mutated_offers_are_answered_or_refused(name: str, data: st.DataObject) -> None:
    lines = description(name).split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.sampled_from(lines))
        lines[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([[], [other], [lines[at][: len(other)]], [other.replace("1", "2"), lines[at]]])
        )
    try:
        described = answer_publish(parse("\r\n".join(lines)), local()).description
    except BadDescription:
        return
    assert parse(write(described)) == described


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["chromium", "firefox", "aiortc"]), st.data())
def test_mutated_answers_are_read_or_refused(client: str, data: st.DataObject) -> None:
    text = description(f"{client}-subscribe-answer")
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.text(max_size=6)) + text[at + data.draw(st.integers(0, 40)) :]
    try:
        read = read_subscribe_answer(parse(text), slots(2 if client == "aiortc" else 3))
    except BadDescription:
        return
    assert len(read.sections) in (4, 6)
