"""The answer to what a participant offers to publish: codecs, extensions, simulcast, directions.

Of each section one codec is accepted, the first we forward, with its retransmissions or as RED; what cannot be used is
rejected (port 0) and keeps its place. Offers to subscribers are `subscribe_offer.py`'s, the transport's lines
`bundle.py`'s; their names are here too. Pure. RFC 9429 section 5.3, RFC 8853 (simulcast), RFC 8851 (rid), RFC 8285
(extmap), RFC 2198 (RED), RFC 8841 (data channels).
"""

from dataclasses import dataclass, replace

from mediaserver.errors import BadDescription
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import BY_URI
from mediaserver.transport.bundle import LocalTransport, bundled, our_description, remote_of
from mediaserver.transport.payload_types import feedback, is_media, known, naming, redundant, retransmissions, rtx
from mediaserver.transport.sdp_lines import ExtensionMap, Payload, Rid, Simulcast, SimulcastRid
from mediaserver.transport.sdp_model import MediaSection, RemoteTransport, SctpParameters, SessionDescription
from mediaserver.transport.subscribe_offer import (
    AcceptedSection,
    Slot,
    SubscribeAnswer,
    described,
    offer_sections,
    offer_subscribe,
    read_subscribe_answer,
)

__all__ = [
    "AcceptedSection",
    "LocalTransport",
    "PublishAnswer",
    "PublishedSection",
    "Slot",
    "SubscribeAnswer",
    "answer_publish",
    "described",
    "offer_sections",
    "offer_subscribe",
    "read_subscribe_answer",
]

MAX_LAYERS = 3
SCTP_PORT = 5000
MAX_MESSAGE_SIZE = 65536  # bytes: what a data channel message to us may have
DEFAULT_MAX_MESSAGE_SIZE = 65536  # of a peer that does not tell: RFC 8841 section 6.1

_SCTP = {"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"}
_CHANNEL = "webrtc-datachannel"


@dataclass(frozen=True, slots=True)
class PublishedSection:
    """One accepted audio or video section of a publish offer."""

    mid: str
    kind: str
    codec: CodecId
    payload_type: int
    clock_rate: int
    retransmissions: dict[int, int]
    """{RTX payload type: payload type}"""
    rids: tuple[str, ...]
    """In the order they are listed, which is from high to low; () without simulcast."""
    ssrcs: tuple[int, ...]
    """In the order of layers; () if none are told, or if it is unclear which is which layer."""
    repair_ssrcs: tuple[int, ...]
    """As `ssrcs`; 0 for a layer without one."""
    extensions: dict[int, int]
    """{id: `Extension`}"""
    nack: bool
    transport_cc: bool
    remb: bool
    sending: bool
    redundant: int | None = None
    """The payload type of RED, as which its sound may come."""


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    """The answer and what it means. Sections that were rejected are only in `description`."""

    description: SessionDescription
    sections: tuple[PublishedSection, ...]
    remote: RemoteTransport | None
    """None if the offer itself rejects every section: a browser that has stopped all says nothing of its transport."""
    sctp: SctpParameters | None


def answer_publish(offer: SessionDescription, local: LocalTransport) -> PublishAnswer:
    """Answers an offer; the same offer gets the same answer. Raises `BadDescription` if nothing of it can be used."""
    if not offer.sections:
        raise BadDescription("it has no section")
    live = {section.mid for section in bundled(offer)}
    remote = remote_of(offer, roles=("actpass", "active")) if live else None
    answers: list[MediaSection] = []
    published: list[PublishedSection] = []
    sctp: SctpParameters | None = None
    for section in offer.sections:
        usable = section.mid in live
        if usable and is_media(section) and (found := _publish(section, offer)):
            published.append(found)
            answers.append(_answer(section, found, offer))
        elif usable and sctp is None and _is_data(section):
            sctp = _sctp(section)
            answers.append(_answer_data(section))
        else:
            answers.append(_reject(section))
    _check_extensions(published)
    description = our_description(local, answers, "passive", mixed=offer.extmap_allow_mixed)
    return PublishAnswer(description, tuple(published), remote, sctp)


def _is_data(section: MediaSection) -> bool:
    return section.protocol in _SCTP and _CHANNEL in section.formats and section.sctp_port != 0


def _check_extensions(published: list[PublishedSection]) -> None:
    """One id means one extension in a whole bundle: RFC 9143 section 10."""
    meaning: dict[int, int] = {}
    for section in published:
        for number, extension in section.extensions.items():
            if meaning.setdefault(number, extension) != extension:
                raise BadDescription(f"extension id {number} has two meanings")


def _publish(section: MediaSection, offer: SessionDescription) -> PublishedSection | None:
    """What we take of an audio or video section; None if it has no codec of ours."""
    codec, payload = next(known(section), (None, None))
    if codec is None or payload is None:
        return None
    repair = retransmissions(section).get(payload.type)
    rids = _rids(section, payload)
    ssrcs, repair_ssrcs = _ssrcs(section, len(rids))
    understood = feedback(section, payload)
    extensions = {each.id: BY_URI[each.uri].value for each in _extensions(section, offer)}
    return PublishedSection(
        mid=section.mid,
        kind=section.kind,
        codec=codec,
        payload_type=payload.type,
        clock_rate=payload.clock_rate,
        retransmissions={} if repair is None else {repair: payload.type},
        rids=rids,
        ssrcs=ssrcs,
        repair_ssrcs=() if repair is None else repair_ssrcs,
        extensions=extensions,
        nack="nack" in understood,
        transport_cc="transport-cc" in understood,
        remb="goog-remb" in understood,
        sending=(section.direction or offer.direction or "sendrecv") in ("sendrecv", "sendonly"),
        redundant=redundant(section, payload.type) if codec is CodecId.OPUS else None,
    )


def _extensions(section: MediaSection, offer: SessionDescription) -> list[ExtensionMap]:
    """The extensions that we know and the peer sends, as we answer them."""
    accepted: dict[str, ExtensionMap] = {}
    for each in (*offer.extensions, *section.extensions):
        on_wire = 1 <= each.id <= 255 and each.id != 15
        if each.uri in BY_URI and on_wire and each.direction in (None, "sendrecv", "sendonly"):
            direction = "recvonly" if each.direction else None
            accepted.setdefault(each.uri, ExtensionMap(each.id, each.uri, direction, each.attributes))
    if len({each.id for each in accepted.values()}) < len(accepted):
        raise BadDescription(f"section {section.mid} uses an extension id twice")
    return list(accepted.values())


def _rids(section: MediaSection, payload: Payload) -> tuple[str, ...]:
    """The layers to receive: of each simulcast stream the first alternative that has our codec."""
    if section.simulcast is None:
        streams: tuple[tuple[SimulcastRid, ...], ...] = tuple((SimulcastRid(rid),) for rid in section.rids)
    else:
        streams = section.simulcast.send
    chosen = (
        next((each.id for each in stream if _is_sent(section.rids.get(each.id), payload)), None) for stream in streams
    )
    return tuple(dict.fromkeys(rid for rid in chosen if rid is not None))[:MAX_LAYERS]


def _is_sent(rid: Rid | None, payload: Payload) -> bool:
    if rid is None or rid.direction != "send":
        return False
    types = dict(rid.restrictions).get("pt")
    return types is None or str(payload.type) in types.split(",")


def _ssrcs(section: MediaSection, layers: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The SSRCs of layers and their retransmissions, as far as the offer tells which is which."""
    pairs = {group.ssrcs[0]: group.ssrcs[1] for group in section.ssrc_groups if _is_pair(group.semantics, group.ssrcs)}
    others = {ssrc for group in section.ssrc_groups if group.semantics != "SIM" for ssrc in group.ssrcs[1:]}
    simulcast = next((group.ssrcs for group in section.ssrc_groups if group.semantics == "SIM"), ())
    found = simulcast or tuple(ssrc for ssrc in dict.fromkeys((*section.ssrcs, *pairs)) if ssrc not in others)
    if layers and len(found) != layers:
        return (), ()
    found = found[:MAX_LAYERS] if layers or simulcast else found[:1]
    repair = tuple(pairs.get(ssrc, 0) for ssrc in found)
    return found, repair if any(repair) else ()


def _is_pair(semantics: str, ssrcs: tuple[int, ...]) -> bool:
    return semantics == "FID" and len(ssrcs) == 2


def _answer(section: MediaSection, found: PublishedSection, offer: SessionDescription) -> MediaSection:
    offered = section.payloads[found.payload_type]
    payload = Payload(
        offered.type,
        offered.name,
        offered.clock_rate,
        offered.channels,
        _parameters(found.codec, offered.parameters),
        feedback(section, offered),
    )
    payloads = {payload.type: payload}
    if found.redundant is not None:
        payloads |= {found.redundant: replace(section.payloads[found.redundant], feedback=[])}
        payloads = {number: payloads[number] for number in section.payloads if number in payloads}  # as it is liked
    payloads |= {number: rtx(number, of, offered.clock_rate) for number, of in found.retransmissions.items()}
    simulcast = section.simulcast is not None and bool(found.rids)
    return MediaSection(
        kind=section.kind,
        port=9,
        protocol=section.protocol,
        formats=tuple(map(str, payloads)),
        mid=section.mid,
        direction="recvonly" if found.sending else "inactive",
        payloads=payloads,
        extensions=_extensions(section, offer),
        extmap_allow_mixed=section.extmap_allow_mixed,
        rids={rid: _received(section.rids[rid]) for rid in found.rids},
        simulcast=Simulcast(recv=tuple((SimulcastRid(rid),) for rid in found.rids)) if simulcast else None,
        rtcp_mux=True,
        rtcp_rsize=section.rtcp_rsize,
        rtcp_mux_only=True,
    )


def _parameters(codec: CodecId, offered: dict[str, str]) -> dict[str, str]:
    """What names the codec; for sound what we like to receive: in-band FEC always, the rest as the peer is able."""
    if codec != CodecId.OPUS:
        return naming(codec, offered)
    wishes = dict(CODECS[codec].parameters)
    if offered.get("sprop-stereo") == "1":
        wishes["stereo"] = "1"
    if offered.get("usedtx") == "1":
        wishes["usedtx"] = "1"
    return wishes


def _received(rid: Rid) -> Rid:
    """The answer to a rid: its restrictions stay, save for the payload types, of which there is one."""
    return Rid(rid.id, "recv", tuple((name, value) for name, value in rid.restrictions if name != "pt"))


def _sctp(section: MediaSection) -> SctpParameters:
    size = DEFAULT_MAX_MESSAGE_SIZE if section.max_message_size is None else section.max_message_size
    return SctpParameters(section.sctp_port or SCTP_PORT, size, section.mid)


def _answer_data(section: MediaSection) -> MediaSection:
    return MediaSection(
        kind=section.kind,
        port=9,
        protocol=section.protocol,
        formats=(_CHANNEL,),
        mid=section.mid,
        sctp_port=SCTP_PORT,
        max_message_size=MAX_MESSAGE_SIZE,
    )


def _reject(section: MediaSection) -> MediaSection:
    """Port 0, outside of the bundle, the rest of the m= line as offered: RFC 3264 section 6."""
    direction = None if section.kind == "application" else "inactive"
    return MediaSection(section.kind, 0, section.protocol, section.formats, section.mid, direction)
