"""The session descriptions of a load client: its offer to publish, its answer to receive. Text in, text out.

As much as a browser says that matters to a server: bundled, rtcp-mux, Opus and VP8 with retransmissions, the header
extensions a client of the load generator really sends. RFC 9429; nothing here knows which server it talks to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

OPUS, VP8, RTX = 111, 96, 97  # payload types
MID_ID, TRANSPORT_CC_ID = 1, 3  # header extensions
_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
_WANTED = (_MID, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")  # of what a subscriber is offered


@dataclass(frozen=True)
class Identity:
    """Our end: ICE credentials and the certificate's SHA-256."""

    ufrag: str
    pwd: str
    fingerprint: str


@dataclass(frozen=True)
class Remote:
    """The peer's end, as far as a load client needs it."""

    ufrag: str
    pwd: str
    ip: str
    port: int


@dataclass(frozen=True)
class Published:
    """A track that is published."""

    kind: str
    mid: str
    ssrc: int

    @property
    def payload_type(self) -> int:
        return OPUS if self.kind == "audio" else VP8


def read_remote(description: str) -> Remote:
    """Who the peer is and where: its first IPv4 UDP candidate, loopback preferred. ValueError if there is none."""
    found: dict[str, str] = {}
    candidates: list[tuple[str, int]] = []
    for line in description.splitlines():
        name, _, value = line.partition(":")
        if name in ("a=ice-ufrag", "a=ice-pwd"):
            found.setdefault(name, value)
        elif name == "a=candidate":
            fields = value.split()
            if fields[2].lower() == "udp" and ":" not in fields[4]:
                candidates.append((fields[4], int(fields[5])))
    if len(found) < 2 or not candidates:
        raise ValueError("the description has no credentials or no IPv4 candidate")
    ip, port = next((c for c in candidates if c[0].startswith("127.")), candidates[0])
    return Remote(found["a=ice-ufrag"], found["a=ice-pwd"], ip, port)


def publish_offer(identity: Identity, tracks: Sequence[Published], setup: str = "actpass") -> str:
    """An offer to send these tracks. `setup`: "active" where the server would else be the one that connects."""
    lines = _head([track.mid for track in tracks])
    for track in tracks:
        lines += _media(track.kind, track.mid, identity, setup, "sendonly")
        lines += [f"a=extmap:{MID_ID} {_MID}", f"a=extmap:{TRANSPORT_CC_ID} {_TRANSPORT_CC}"]
        lines += [f"a=msid:load {track.mid}", f"a=ssrc:{track.ssrc} cname:load"]
        if track.kind == "video":
            lines += [f"a=ssrc-group:FID {track.ssrc} {track.ssrc + 1}", f"a=ssrc:{track.ssrc + 1} cname:load"]
    return "\r\n".join(lines) + "\r\n"


def play_offer(identity: Identity) -> str:
    """An offer to receive one participant's sound and picture."""
    lines = _head(["0", "1"])
    for mid, kind in (("0", "audio"), ("1", "video")):
        lines += _media(kind, mid, identity, "active", "recvonly")
        lines += [f"a=extmap:{MID_ID} {_MID}"]
    return "\r\n".join(lines) + "\r\n"


def subscribe_answer(offer: str, identity: Identity) -> str:
    """An answer that receives every section: Opus, and VP8 with retransmissions, under the offer's numbers."""
    sections = _sections(offer)
    lines = _head([_value(section, "a=mid:") for section in sections if not _rejected(section)])
    for section in sections:
        lines += _answered(section, identity)
    return "\r\n".join(lines) + "\r\n"


def _head(mids: Sequence[str]) -> list[str]:
    bundle = f"a=group:BUNDLE {' '.join(mids)}"
    return ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", bundle, "a=extmap-allow-mixed"]


def _media(kind: str, mid: str, identity: Identity, setup: str, direction: str) -> list[str]:
    """A section with our own payload types."""
    codecs = [f"a=rtpmap:{OPUS} opus/48000/2", f"a=fmtp:{OPUS} minptime=10;useinbandfec=1"]
    payloads = str(OPUS)
    if kind == "video":
        codecs = [f"a=rtpmap:{VP8} VP8/90000", f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VP8}"]
        codecs += [f"a=rtcp-fb:{VP8} {what}" for what in ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc")]
        payloads = f"{VP8} {RTX}"
    return [*_section(kind, payloads, mid, identity, setup, direction), *codecs]


def _section(kind: str, payloads: str, mid: str, identity: Identity, setup: str, direction: str) -> list[str]:
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {payloads}",
        "c=IN IP4 0.0.0.0",
        f"a=ice-ufrag:{identity.ufrag}",
        f"a=ice-pwd:{identity.pwd}",
        f"a=fingerprint:sha-256 {identity.fingerprint}",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
    ]


def _sections(description: str) -> list[list[str]]:
    sections: list[list[str]] = []
    for line in description.splitlines():
        if line.startswith("m="):
            sections.append([])
        if sections:
            sections[-1].append(line)
    return sections


def _rejected(section: list[str]) -> bool:
    return section[0].split()[1] == "0"


def _value(section: list[str], prefix: str) -> str:
    return next(line.removeprefix(prefix) for line in section if line.startswith(prefix))


def _answered(section: list[str], identity: Identity) -> list[str]:
    kind = section[0].split()[0].removeprefix("m=")
    if _rejected(section):
        return [section[0], "c=IN IP4 0.0.0.0", f"a=mid:{_value(section, 'a=mid:')}", "a=inactive"]
    name = "opus/" if kind == "audio" else "VP8/"
    maps = [line for line in section if line.startswith("a=rtpmap:") and line.split()[1].startswith(name)][:1]
    payloads = [line.split()[0].removeprefix("a=rtpmap:") for line in maps]
    for line in section:
        if line.startswith("a=fmtp:") and line.endswith(f" apt={payloads[0]}"):
            repair = line.split()[0].removeprefix("a=fmtp:")
            maps += [f"a=rtpmap:{repair} rtx/90000", line]
            payloads.append(repair)
    feedback = [line for line in section if line.startswith(f"a=rtcp-fb:{payloads[0]} ")]
    extensions = [line for line in section if line.startswith("a=extmap:") and line.split()[1] in _WANTED]
    head = _section(kind, " ".join(payloads), _value(section, "a=mid:"), identity, "active", "recvonly")
    return [*head, *maps, *feedback, *extensions]
