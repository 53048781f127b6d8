"""What a participant is offered to receive: one section for each slot, and what its answer says about them.

Every section is always sendonly and never removed, also while its slot is parked: browsers and other clients each
break on some other way. The names are also in `negotiation.py`. Pure. RFC 9429, RFC 3264, RFC 5576, RFC 8830.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.errors import BadDescription
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.extensions import BY_URI, URIS, Extension
from mediaserver.transport.bundle import LocalTransport, bundled, our_description, remote_of
from mediaserver.transport.payload_types import known, our_payloads, redundant, retransmissions
from mediaserver.transport.sdp_lines import ExtensionMap, SsrcGroup
from mediaserver.transport.sdp_model import MediaSection, RemoteTransport, SessionDescription
from mediaserver.transport.sdp_writer import own_lines, payload_lines

EXTENSIONS = {
    "audio": (Extension.MID, Extension.TRANSPORT_CC, Extension.AUDIO_LEVEL),
    "video": (
        Extension.MID,
        Extension.ABS_SEND_TIME,
        Extension.TRANSPORT_CC,
        Extension.DEPENDENCY_DESCRIPTOR,
    ),
}
"""Offered per kind; the id on the wire is the number of the `Extension`."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One outgoing track. `msid` is "<stream id> <track id>"; `repair_ssrc` 0 is none."""

    mid: str
    kind: str
    ssrc: int
    repair_ssrc: int
    cname: str
    msid: str


@dataclass(frozen=True, slots=True)
class AcceptedSection:
    """What the client says about one slot."""

    mid: str
    codecs: dict[int, tuple[int, int]]
    """{`CodecId`: (payload type, RTX payload type or -1)}, best liked first; empty if it rejects the section."""
    extensions: dict[int, int]
    """{`Extension`: id}"""
    receiving: bool


@dataclass(frozen=True, slots=True)
class SubscribeAnswer:
    """One section for each slot, in their order."""

    sections: tuple[AcceptedSection, ...]
    remote: RemoteTransport


def offer_subscribe(slots: Sequence[Slot], local: LocalTransport) -> SessionDescription:
    """The offer of all slots, in their order."""
    return offer_sections([described(slot) for slot in slots], local)


def offer_sections(sections: Sequence[MediaSection], local: LocalTransport) -> SessionDescription:
    """The same, of slots that are `described` already. Their transport is set anew."""
    return our_description(local, list(sections), "actpass", mixed=True)


def described(slot: Slot) -> MediaSection:
    """The section of a slot, to be kept for as long as the slot is the same: most of an offer is as in the last one."""
    payloads = our_payloads(slot.kind)
    ssrcs = (slot.ssrc, slot.repair_ssrc) if slot.repair_ssrc else (slot.ssrc,)
    section = MediaSection(
        kind=slot.kind,
        port=9,
        protocol="UDP/TLS/RTP/SAVPF",
        formats=tuple(map(str, payloads)),
        mid=slot.mid,
        direction="sendonly",
        payloads=payloads,
        payload_lines=_payload_lines(slot.kind),
        extensions=_extensions(slot.kind),
        msids=[slot.msid],
        ssrcs={ssrc: {"cname": slot.cname} for ssrc in ssrcs},
        ssrc_groups=[SsrcGroup("FID", ssrcs)] if slot.repair_ssrc else [],
        rtcp_mux=True,
        rtcp_rsize=True,
    )
    section.written = own_lines(section)
    return section


@functools.cache
def _payload_lines(kind: str) -> str:
    return payload_lines(our_payloads(kind))


@functools.cache
def _extensions(kind: str) -> list[ExtensionMap]:
    """The same each time: to be read only."""
    return [ExtensionMap(extension.value, URIS[extension]) for extension in EXTENSIONS[kind]]


def read_subscribe_answer(answer: SessionDescription, slots: Sequence[Slot], *, asked: bool = False) -> SubscribeAnswer:
    """What the client accepts of an offer of `slots`. Raises `BadDescription` if it does not fit them.

    `asked`: it answers a connection that is ours to begin.
    """
    if len(answer.sections) != len(slots):
        raise BadDescription(f"answers {len(answer.sections)} sections, {len(slots)} were offered")
    for section, slot in zip(answer.sections, slots, strict=True):
        if section.kind != slot.kind or section.mid not in ("", slot.mid):
            raise BadDescription(f"its sections are not those of the offer at mid {slot.mid}")
    remote = remote_of(answer, roles=("active", "passive"), asked=asked)
    live = {section.mid for section in bundled(answer)}
    sections = (
        accepted_section(section, answer)
        if section.mid in live
        else AcceptedSection(slot.mid, codecs={}, extensions={}, receiving=False)
        for section, slot in zip(answer.sections, slots, strict=True)
    )
    return SubscribeAnswer(tuple(sections), remote)


def accepted_section(section: MediaSection, answer: SessionDescription) -> AcceptedSection:
    """What a section of the client's says that it can receive."""
    rtx = retransmissions(section)
    codecs: dict[int, tuple[int, int]] = {}
    for codec, payload in known(section):
        codecs.setdefault(codec, (payload.type, rtx.get(payload.type, -1)))
    if CodecId.OPUS in codecs and (red := redundant(section, codecs[CodecId.OPUS][0])) is not None:
        codecs[CodecId.RED] = (red, -1)
    extensions: dict[int, int] = {}
    for each in (*answer.extensions, *section.extensions):
        extension = BY_URI.get(each.uri)
        if extension in EXTENSIONS[section.kind] and each.direction in (None, "sendrecv", "recvonly"):
            extensions.setdefault(extension, each.id)
    direction = section.direction or answer.direction or "sendrecv"
    return AcceptedSection(section.mid, codecs, extensions, receiving=direction in ("sendrecv", "recvonly"))
