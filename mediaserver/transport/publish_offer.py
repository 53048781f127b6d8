"""The offer by which a stream is published elsewhere: each track in the one codec it comes in.

A publisher by plain HTTP cannot learn later that another codec was meant, so no other is offered. What the answer says
is read as a subscriber's. Pure. RFC 9725 section 4.2, RFC 3264, RFC 9429.
"""

from collections.abc import Sequence

from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.transport.bundle import LocalTransport, our_description
from mediaserver.transport.payload_types import our_payloads
from mediaserver.transport.sdp_model import MediaSection, SessionDescription
from mediaserver.transport.subscribe_offer import Slot, described


def offer_stream(tracks: Sequence[tuple[Slot, CodecId]], local: LocalTransport) -> SessionDescription:
    """One section for each track. The connection is ours to begin: we are not the lite side."""
    sections = [_section(slot, codec) for slot, codec in tracks]
    return our_description(local, sections, "actpass", mixed=True, lite=False)


def _section(slot: Slot, codec: CodecId) -> MediaSection:
    section = described(slot)
    numbers = (CODECS[codec].payload_type, CODECS[codec].rtx_payload_type)
    section.payloads = {number: payload for number, payload in our_payloads(slot.kind).items() if number in numbers}
    section.formats = tuple(map(str, section.payloads))
    section.payload_lines = section.written = None
    return section
