"""A session description as text, in the order and form that browsers accept.

`sdp.write` is this one. Pure. RFC 8866; the order follows what Chromium writes.
"""

from collections.abc import Iterator, Mapping, Sequence

from mediaserver.transport import sdp_lines as lines
from mediaserver.transport.sdp_lines import Payload
from mediaserver.transport.sdp_model import MediaSection, SessionDescription, TransportLines


def write(description: SessionDescription) -> str:
    """The text, with CRLF at each line's end."""
    return "\r\n".join([*_description(description), ""])


def payload_lines(payloads: Mapping[int, Payload]) -> str:
    """The lines of a section's payloads, for `MediaSection.payload_lines`."""
    return "\r\n".join(_payload_lines(payloads))


def own_lines(section: MediaSection) -> str:
    """The lines of a section behind those of the transport, for `MediaSection.written`."""
    return "\r\n".join(_own_lines(section))


def _description(description: SessionDescription) -> Iterator[str]:
    yield "v=0"
    yield f"o=- {description.session_id} {description.version} IN IP4 127.0.0.1"
    yield "s=-"
    yield from _bandwidth(description.bandwidth)
    yield "t=0 0"
    if description.bundle is not None:
        yield f"a=group:BUNDLE {' '.join(description.bundle)}".rstrip()
    if description.ice_lite:
        yield "a=ice-lite"
    if description.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    yield from (f"a=extmap:{lines.write_extension(extension)}" for extension in description.extensions)
    if description.direction:
        yield f"a={description.direction}"
    yield from _transport(description.transport)
    yield from description.other
    transports: dict[int, list[str]] = {}  # most sections of a bundle have the same
    for section in description.sections:
        transport = transports.get(id(section.transport))
        if transport is None:
            transport = transports[id(section.transport)] = [*_transport(section.transport)]
        yield from _section(section, transport)


def _section(section: MediaSection, transport: Sequence[str]) -> Iterator[str]:
    yield f"m={section.kind} {section.port} {section.protocol} {' '.join(section.formats)}"
    yield f"c={section.connection}"
    yield from _bandwidth(section.bandwidth)
    yield from transport
    if section.written is not None:
        yield section.written
    else:
        yield from _own_lines(section)


def _own_lines(section: MediaSection) -> Iterator[str]:
    if section.mid:
        yield f"a=mid:{section.mid}"
    yield from _flags(section)
    yield from (f"a=extmap:{lines.write_extension(extension)}" for extension in section.extensions)
    if section.direction:
        yield f"a={section.direction}"
    yield from (f"a=msid:{msid}" for msid in section.msids)
    if section.payloads:
        yield section.payload_lines or payload_lines(section.payloads)
    yield from (f"a=rtcp-fb:* {feedback}" for feedback in section.feedback)
    yield from _streams(section)
    if section.sctp_port is not None:
        yield f"a=sctp-port:{section.sctp_port}"
    if section.max_message_size is not None:
        yield f"a=max-message-size:{section.max_message_size}"
    yield from section.other


def _bandwidth(bandwidth: Sequence[tuple[str, int]]) -> Iterator[str]:
    return (f"b={modifier}:{amount}" for modifier, amount in bandwidth)


def _transport(transport: TransportLines) -> Iterator[str]:
    yield from (f"a={lines.write_candidate(candidate)}" for candidate in transport.candidates)
    if transport.end_of_candidates:
        yield "a=end-of-candidates"
    if transport.ufrag is not None:
        yield f"a=ice-ufrag:{transport.ufrag}"
    if transport.pwd is not None:
        yield f"a=ice-pwd:{transport.pwd}"
    if transport.ice_options:
        yield f"a=ice-options:{' '.join(transport.ice_options)}"
    yield from (f"a=fingerprint:{each.algorithm} {each.value}" for each in transport.fingerprints)
    if transport.setup is not None:
        yield f"a=setup:{transport.setup}"


def _flags(section: MediaSection) -> Iterator[str]:
    if section.bundle_only:
        yield "a=bundle-only"
    if section.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    if section.rtcp_mux:
        yield "a=rtcp-mux"
    if section.rtcp_mux_only:
        yield "a=rtcp-mux-only"
    if section.rtcp_rsize:
        yield "a=rtcp-rsize"


def _payload_lines(payloads: Mapping[int, Payload]) -> Iterator[str]:
    for number, payload in payloads.items():
        channels = f"/{payload.channels}" if payload.channels is not None else ""
        yield f"a=rtpmap:{number} {payload.name}/{payload.clock_rate}{channels}"
        yield from (f"a=rtcp-fb:{number} {feedback}" for feedback in payload.feedback)
        if payload.parameters:
            yield f"a=fmtp:{number} {lines.write_parameters(payload.parameters)}"


def _streams(section: MediaSection) -> Iterator[str]:
    yield from (f"a=rid:{lines.write_rid(rid)}" for rid in section.rids.values())
    if section.simulcast is not None:
        yield f"a=simulcast:{lines.write_simulcast(section.simulcast)}"
    for group in section.ssrc_groups:
        yield f"a=ssrc-group:{group.semantics} {' '.join(map(str, group.ssrcs))}".rstrip()
    for ssrc, attributes in section.ssrcs.items():
        for name, value in attributes.items():
            yield f"a=ssrc:{ssrc} {name}:{value}" if value else f"a=ssrc:{ssrc} {name}"
        if not attributes:
            yield f"a=ssrc:{ssrc}"
