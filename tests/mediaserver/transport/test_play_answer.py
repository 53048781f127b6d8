"""What a player is answered: which section carries what, in which codecs."""

from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import Extension
from mediaserver.transport.negotiation import Slot
from mediaserver.transport.one_stream import check_one_stream
from mediaserver.transport.play_answer import PlayAnswer, answer_play
from mediaserver.transport.sdp import MediaSection, parse, write
from tests.support.client_sdp import Section, publish_offer
from tests.support.descriptions import description, local

SOUND = Slot("0", "audio", 111, 0, "cname", "cam cam-audio")
PICTURE = Slot("1", "video", 222, 333, "cname", "cam cam-video")
VP8 = {"audio": CodecId.OPUS, "video": CodecId.VP8}


def answered(sdp: str, sent: dict[str, CodecId] | None = None) -> PlayAnswer:
    offer = parse(sdp)
    found = check_one_stream(offer, "play")
    slots = {mid: slot for mid, slot in ((found.audio_mid, SOUND), (found.video_mid, PICTURE)) if mid is not None}
    return answer_play(offer, slots, local(), VP8 if sent is None else sent)


def player() -> str:
    """What a browser offers that wants to receive all it can."""
    return (
        description("chromium-camera_mic-offer").replace("a=sendrecv", "a=recvonly").replace("a=sendonly", "a=recvonly")
    )


def sections(answer: PlayAnswer) -> dict[str, MediaSection]:
    return {section.mid: section for section in parse(write(answer.description)).sections}


def test_every_section_is_sent_over_one_passive_lite_transport():
    answer = answered(player())
    text = write(answer.description)
    assert text.count("a=sendonly") == 2
    assert text.count("a=setup:passive") == 2
    assert text.count("a=rtcp-mux-only") == 2
    assert "a=ice-lite" in text
    assert "a=candidate:" in text


def test_sections_tell_their_streams_and_sources():
    video = sections(answered(player()))["1"]
    assert video.msids == ["cam cam-video"]
    assert list(video.ssrcs) == [222, 333]
    assert video.ssrc_groups[0].ssrcs == (222, 333)


def test_all_that_both_know_is_agreed_to_with_what_is_sent_now_first():
    video = sections(answered(player(), {"video": CodecId.VP9}))["1"]
    names = [payload.name for payload in video.payloads.values()]
    assert names[:4] == ["VP9", "rtx", "VP8", "rtx"]
    assert {"H264", "AV1"} <= set(names)


def test_what_sinks_may_send_has_the_players_numbers():
    offered = {p.name: p.type for p in parse(player()).sections[1].payloads.values()}
    accepted = {section.mid: section for section in answered(player()).sections}["1"]
    assert accepted.codecs[CodecId.VP8][0] == offered["VP8"]
    described = {each.uri: each.id for each in parse(player()).sections[1].extensions}
    ours = {Extension.ABS_SEND_TIME: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"}
    assert all(accepted.extensions[extension] == described[uri] for extension, uri in ours.items())


def test_without_retransmissions_in_the_offer_no_source_is_told_for_them():
    sdp = publish_offer(Section("1", "h264", direction="recvonly"))
    video = sections(answered(sdp, {"video": CodecId.H264_BASELINE}))["1"]
    assert list(video.ssrcs) == [222]
    assert video.ssrc_groups == []


def test_a_data_channel_is_rejected_and_keeps_its_place():
    answer = parse(write(answered(publish_offer(Section("0", "opus", direction="recvonly"))).description))
    assert [(section.kind, section.port) for section in answer.sections] == [("audio", 9), ("application", 0)]
    assert answer.bundle == ("0",)


def test_an_answer_to_mux_and_extensions_of_a_direction_is_turned_round():
    sdp = player().replace("a=extmap:2 ", "a=extmap:2/recvonly ")
    turned = [each for each in sections(answered(sdp))["1"].extensions if each.id == 2]
    assert [each.direction for each in turned] in (["sendonly"], [])
