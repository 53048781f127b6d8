"""The answer to a player's offer: the sections of one stream, sent to it, and what the player understands in each.

All codecs that both sides know are agreed to, the one that is sent now first: the publisher may change it later.
What offers are answered at all is `one_stream.py`'s, the transport's lines are `bundle.py`'s. Pure. RFC 9429 section
5.3, RFC 3264 section 6, RFC 5576, RFC 8830.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.extensions import BY_URI, Extension
from mediaserver.transport.bundle import LocalTransport, our_description, remote_of
from mediaserver.transport.payload_types import FEEDBACK, known, naming, retransmissions, rtx
from mediaserver.transport.sdp_lines import ExtensionMap, Payload, SsrcGroup
from mediaserver.transport.sdp_model import MediaSection, RemoteTransport, SessionDescription
from mediaserver.transport.subscribe_offer import AcceptedSection, Slot, accepted_section


@dataclass(frozen=True, slots=True)
class PlayAnswer:
    """`sections`: what the player takes, one for each slot."""

    description: SessionDescription
    sections: tuple[AcceptedSection, ...]
    remote: RemoteTransport


def answer_play(
    offer: SessionDescription,
    slots: Mapping[str, Slot],
    local: LocalTransport,
    sent: Mapping[str, CodecId],
    *,
    feedback: bool = True,
) -> PlayAnswer:
    """Answers an offer that has been checked. Sections whose mid has no slot are rejected.

    `sent` has the codec that is sent now, by kind. `feedback`: whether it is of use to hear of every packet.
    """
    answers: list[MediaSection] = []
    sections: list[AcceptedSection] = []
    for section in offer.sections:
        slot = slots.get(section.mid)
        if slot is None:
            answers.append(_rejected(section))
            continue
        accepted = accepted_section(section, offer)
        if not feedback:
            accepted.extensions.pop(Extension.TRANSPORT_CC, None)
        sections.append(accepted)
        answers.append(_answered(section, slot, accepted, offer, sent.get(section.kind)))
    remote = remote_of(offer, roles=("actpass", "active"))
    description = our_description(local, answers, "passive", mixed=offer.extmap_allow_mixed)
    return PlayAnswer(description, tuple(sections), remote)


def _answered(
    section: MediaSection, slot: Slot, accepted: AcceptedSection, offer: SessionDescription, first: CodecId | None
) -> MediaSection:
    payloads = _payloads(section, accepted, first)
    repaired = slot.repair_ssrc and retransmissions(section)
    ssrcs = (slot.ssrc, slot.repair_ssrc) if repaired else (slot.ssrc,)
    return MediaSection(
        kind=section.kind,
        port=9,
        protocol=section.protocol,
        formats=tuple(map(str, payloads)),
        mid=section.mid,
        direction="sendonly",
        payloads=payloads,
        extensions=_extensions(section, accepted, offer),
        extmap_allow_mixed=section.extmap_allow_mixed,
        msids=[slot.msid],
        ssrcs={ssrc: {"cname": slot.cname} for ssrc in ssrcs},
        ssrc_groups=[SsrcGroup("FID", ssrcs)] if repaired else [],
        rtcp_mux=True,
        rtcp_rsize=section.rtcp_rsize,
        rtcp_mux_only=True,
    )


def _payloads(section: MediaSection, accepted: AcceptedSection, first: CodecId | None) -> dict[int, Payload]:
    """One payload type for each codec of ours, in the player's order but for `first`; RTX behind each."""
    repairs = retransmissions(section)
    chosen: dict[CodecId, Payload] = {}
    for codec, payload in known(section):
        chosen.setdefault(codec, payload)
    payloads: dict[int, Payload] = {}
    for codec in sorted(chosen, key=lambda codec: codec != first):
        offered = chosen[codec]
        payloads[offered.type] = _payload(section, accepted, codec, offered)
        if offered.type in repairs:
            number = repairs[offered.type]
            payloads[number] = rtx(number, offered.type, offered.clock_rate)
    return payloads


def _payload(section: MediaSection, accepted: AcceptedSection, codec: CodecId, offered: Payload) -> Payload:
    parameters = naming(codec, offered.parameters) if section.kind == "video" else dict(CODECS[codec].parameters)
    wanted = {*offered.feedback, *section.feedback}
    if Extension.TRANSPORT_CC not in accepted.extensions:
        wanted.discard("transport-cc")
    agreed = [each for each in FEEDBACK[section.kind] if each in wanted]
    return Payload(offered.type, offered.name, offered.clock_rate, offered.channels, parameters, agreed)


def _extensions(section: MediaSection, accepted: AcceptedSection, offer: SessionDescription) -> list[ExtensionMap]:
    answered: dict[int, ExtensionMap] = {}
    for each in (*offer.extensions, *section.extensions):
        extension = BY_URI.get(each.uri)
        if extension is not None and accepted.extensions.get(extension) == each.id:
            answered[each.id] = ExtensionMap(each.id, each.uri, "sendonly" if each.direction else None)
    return list(answered.values())


def _rejected(section: MediaSection) -> MediaSection:
    direction = None if section.kind == "application" else "inactive"
    return MediaSection(section.kind, 0, section.protocol, section.formats, section.mid, direction)
