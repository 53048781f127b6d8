"""The descriptions a browser would send: a publish offer, and the answer to a subscribe offer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mediaserver.transport.sdp import parse

_CODECS = {
    "opus": ("audio", ["a=rtpmap:111 opus/48000/2"], "111"),
    "vp8": ("video", ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96"], "96 97"),
    "vp9": ("video", ["a=rtpmap:98 VP9/90000", "a=rtpmap:99 rtx/90000", "a=fmtp:99 apt=98"], "98 99"),
    "h264": (
        "video",
        ["a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f"],
        "102",
    ),
    "theora": ("video", ["a=rtpmap:120 theora/90000"], "120"),
}


@dataclass(frozen=True)
class Identity:
    """A connection of a client: its ICE credentials and its certificate."""

    ufrag: str = "remoteA"
    certificate: str = "AA"

    def lines(self, setup: str) -> list[str]:
        return [
            f"a=ice-ufrag:{self.ufrag}",
            "a=ice-pwd:remote-password-of-22-chars",
            f"a=fingerprint:sha-256 {':'.join([self.certificate] * 32)}",
            f"a=setup:{setup}",
        ]


@dataclass(frozen=True)
class Section:
    """`rids` are sent by simulcast."""

    mid: str
    codec: str
    direction: str = "sendonly"
    rids: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return _CODECS[self.codec][0]


def publish_offer(*sections: Section, identity: Identity | None = None, data: bool = True) -> str:
    """An offer with these sections and, as most clients have, a data channel (mid `d`)."""
    lines = (identity or Identity()).lines("actpass")
    mids = [section.mid for section in sections] + (["d"] if data else [])
    text = _head(mids)
    for section in sections:
        text += _media(section, lines)
    if data:
        text += ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:d", "a=sctp-port:5000"]
        text += lines
    return "\r\n".join(text) + "\r\n"


def _media(section: Section, lines: Sequence[str]) -> list[str]:
    kind, codec_lines, payloads = _CODECS[section.codec]
    text = [f"m={kind} 9 UDP/TLS/RTP/SAVPF {payloads}", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}"]
    text += [f"a={section.direction}", "a=rtcp-mux", *codec_lines, *lines]
    text += [f"a=rid:{rid} send" for rid in section.rids]
    if section.rids:
        text.append(f"a=simulcast:send {';'.join(section.rids)}")
    return text


def _head(mids: Sequence[str]) -> list[str]:
    return ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {' '.join(mids)}"]


def subscribe_answer(
    offer: str, *, identity: Identity | None = None, without: Collection[str] = (), inactive: Collection[str] = ()
) -> str:
    """The answer of a client that cannot decode the codecs `without` (names in lower case)."""
    description = parse(offer, answers_ours=True)
    text = _head([section.mid for section in description.sections])
    lines = (identity or Identity("remoteS", "BB")).lines("active")
    for section in description.sections:
        repairs = {number: p for number, p in section.payloads.items() if p.name.lower() == "rtx"}
        accepted = {
            number: payload
            for number, payload in section.payloads.items()
            if number not in repairs and payload.name.lower() not in without
        }
        accepted |= {number: p for number, p in repairs.items() if int(p.parameters["apt"]) in accepted}
        text += [f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {' '.join(map(str, accepted))}", "c=IN IP4 0.0.0.0"]
        text += [f"a=mid:{section.mid}", "a=rtcp-mux", *lines]
        text.append("a=inactive" if section.mid in inactive else "a=recvonly")
        for number, payload in accepted.items():
            channels = f"/{payload.channels}" if payload.channels else ""
            text.append(f"a=rtpmap:{number} {payload.name}/{payload.clock_rate}{channels}")
            if payload.parameters:
                text.append(f"a=fmtp:{number} " + ";".join(f"{k}={v}" for k, v in payload.parameters.items()))
    return "\r\n".join(text) + "\r\n"
