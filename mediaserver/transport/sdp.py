"""Session descriptions from text.

`parse` refuses what is too large before it looks closer, reads in linear time, and raises only `BadDescription`; lines
it does not know are kept as they are. What the parts mean is in `sdp_model.py` and `sdp_lines.py`, the way back is
`sdp_writer.py` (their names are here too); deciding is `negotiation.py`'s. Pure. RFC 8866, RFC 9429.
"""

import re
from collections.abc import Callable

from mediaserver.errors import BadDescription
from mediaserver.transport import sdp_lines as lines
from mediaserver.transport.sdp_lines import Candidate, Fingerprint, parse_candidate, write_candidate
from mediaserver.transport.sdp_model import (
    MediaSection,
    RemoteTransport,
    SctpParameters,
    SessionDescription,
    TransportLines,
)
from mediaserver.transport.sdp_writer import write

__all__ = [
    "Candidate",
    "Fingerprint",
    "MediaSection",
    "RemoteTransport",
    "SctpParameters",
    "SessionDescription",
    "TransportLines",
    "parse",
    "parse_candidate",
    "write",
    "write_candidate",
]

MAX_SIZE_BYTES = 64 * 1024
MAX_LINES = 4096
MAX_OWN_FACTOR = 4  # an answer to our own offer grows with what we offered: 2 KB for each person in the room
MAX_SECTIONS = 256

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|\r(?!\n)")


def parse(text: str, *, answers_ours: bool = False) -> SessionDescription:
    """Reads a description. Raises `BadDescription` with a one-line reason.

    `answers_ours`: it answers an offer of ours, which may be as large as a meeting of a hundred makes it.
    """
    _check_size(text, MAX_OWN_FACTOR if answers_ours else 1)
    description = SessionDescription()
    section: MediaSection | None = None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        try:
            if line.startswith("m="):
                section = _new_section(description, line[2:])
            elif line and section is None:
                _session_line(description, line)
            elif line and section is not None:
                _section_line(section, line)
        except BadDescription as error:
            raise BadDescription(f"line {number}: {error}") from None
    for section in description.sections:
        _order_payloads(section)
    return description


def _check_size(text: str, factor: int) -> None:
    most = MAX_SIZE_BYTES * factor
    if len(text) > most or len(text.encode(errors="surrogatepass")) > most:
        raise BadDescription(f"longer than {most} bytes")
    if text.count("\n") > MAX_LINES * factor:
        raise BadDescription(f"more than {MAX_LINES * factor} lines")
    if not text.startswith(("v=0\n", "v=0\r\n")):
        raise BadDescription("does not begin with v=0")
    if _FORBIDDEN.search(text):
        raise BadDescription("contains control characters")


def _new_section(description: SessionDescription, value: str) -> MediaSection:
    """The m= line: RFC 8866 section 5.14."""
    if len(description.sections) == MAX_SECTIONS:
        raise BadDescription(f"more than {MAX_SECTIONS} sections")
    words = value.split()
    if len(words) < 4:
        raise BadDescription("m= needs a kind, a port, a protocol and a format")
    port = lines.number(words[1].partition("/")[0], 65535)
    section = MediaSection(words[0], port, words[2], tuple(words[3:]))
    description.sections.append(section)
    return section


def _session_line(description: SessionDescription, line: str) -> None:
    letter, name, value = _split(line)
    if letter == "o":
        _origin(description, value)
    elif letter == "b":
        description.bandwidth.append(lines.parse_bandwidth(value))
    elif letter != "a":
        if letter not in "vstc":
            description.other.append(line)
    elif name == "group" and description.bundle is None and value.split()[:1] == ["BUNDLE"]:
        description.bundle = tuple(value.split()[1:])
    elif name == "ice-lite":
        description.ice_lite = True
    elif name == "extmap":
        description.extensions.append(lines.parse_extension(value))
    elif name == "extmap-allow-mixed":
        description.extmap_allow_mixed = True
    elif name in lines.DIRECTIONS:
        description.direction = name
    elif name in _TRANSPORT:
        _TRANSPORT[name](description.transport, value)
    else:
        description.other.append(line)


def _section_line(section: MediaSection, line: str) -> None:
    letter, name, value = _split(line)
    if letter == "b":
        section.bandwidth.append(lines.parse_bandwidth(value))
    elif letter == "c":
        section.connection = value
    elif letter != "a":
        section.other.append(line)
    elif name in _SECTION:
        _SECTION[name](section, value)
    elif name in _TRANSPORT:
        _TRANSPORT[name](section.transport, value)
    elif name in lines.DIRECTIONS:
        section.direction = name
    else:
        section.other.append(line)


def _split(line: str) -> tuple[str, str, str]:
    """The letter of a line, the name of the attribute if it is one, and the value."""
    if len(line) < 2 or line[1] != "=":
        raise BadDescription("not of the form <letter>=<value>")
    if line[0] != "a":
        return line[0], "", line[2:]
    name, _, value = line[2:].partition(":")
    return "a", name, value.strip()


def _origin(description: SessionDescription, value: str) -> None:
    """Takes the numbers of o= where they are numbers; nothing depends on them."""
    words = value.split()
    if len(words) > 2 and all(len(word) < 20 and word.isascii() and word.isdigit() for word in words[1:3]):
        description.session_id, description.version = int(words[1]), int(words[2])


def _order_payloads(section: MediaSection) -> None:
    """Puts payloads in the order of the m= line, which is that of preference; those without a name are dropped."""
    known = {str(number): payload for number, payload in section.payloads.items() if payload.name}
    section.payloads = {known[text].type: known[text] for text in section.formats if text in known}


def _mid(section: MediaSection, value: str) -> None:
    section.mid = lines.parse_mid(value)


def _rtpmap(section: MediaSection, value: str) -> None:
    number, name, clock_rate, channels = lines.parse_rtpmap(value)
    payload = _payload(section, number)
    payload.name, payload.clock_rate, payload.channels = name, clock_rate, channels


def _fmtp(section: MediaSection, value: str) -> None:
    number, _, rest = value.partition(" ")
    if number.isascii() and number.isdigit():
        _payload(section, lines.number(number, 127)).parameters.update(lines.parse_parameters(rest))
    else:
        section.other.append(f"a=fmtp:{value}")


def _rtcp_fb(section: MediaSection, value: str) -> None:
    number, *rest = value.split() or [""]
    to = section.feedback if number == "*" else _payload(section, lines.number(number, 127)).feedback
    to.append(" ".join(rest))


def _payload(section: MediaSection, number: int) -> lines.Payload:
    if number not in section.payloads:
        section.payloads[number] = lines.Payload(number, "", 0)
    return section.payloads[number]


def _rid(section: MediaSection, value: str) -> None:
    rid = lines.parse_rid(value)
    section.rids[rid.id] = rid


def _simulcast(section: MediaSection, value: str) -> None:
    section.simulcast = lines.parse_simulcast(value)


def _ssrc(section: MediaSection, value: str) -> None:
    ssrc, name, content = lines.parse_ssrc(value)
    attributes = section.ssrcs.setdefault(ssrc, {})
    if name:
        attributes[name] = content


def _flag(*names: str) -> Callable[[MediaSection, str], None]:
    def set_all(section: MediaSection, value: str) -> None:
        for name in names:
            setattr(section, name, True)

    return set_all


def _sctp_port(section: MediaSection, value: str) -> None:
    section.sctp_port = lines.number(value, 65535)


def _max_message_size(section: MediaSection, value: str) -> None:
    section.max_message_size = lines.number(value, 2**63)


_SECTION: dict[str, Callable[[MediaSection, str], None]] = {
    "mid": _mid,
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _rtcp_fb,
    "extmap": lambda section, value: section.extensions.append(lines.parse_extension(value)),
    "extmap-allow-mixed": _flag("extmap_allow_mixed"),
    "msid": lambda section, value: section.msids.append(value),
    "rid": _rid,
    "simulcast": _simulcast,
    "ssrc": _ssrc,
    "ssrc-group": lambda section, value: section.ssrc_groups.append(lines.parse_ssrc_group(value)),
    "rtcp-mux": _flag("rtcp_mux"),
    "rtcp-mux-only": _flag("rtcp_mux", "rtcp_mux_only"),
    "rtcp-rsize": _flag("rtcp_rsize"),
    "bundle-only": _flag("bundle_only"),
    "sctp-port": _sctp_port,
    "max-message-size": _max_message_size,
}


def _ufrag(transport: TransportLines, value: str) -> None:
    transport.ufrag = lines.parse_credential(value, 4)


def _pwd(transport: TransportLines, value: str) -> None:
    transport.pwd = lines.parse_credential(value, 22)


def _ice_options(transport: TransportLines, value: str) -> None:
    transport.ice_options = tuple(value.split())


def _setup(transport: TransportLines, value: str) -> None:
    transport.setup = lines.parse_setup(value)


def _candidate(transport: TransportLines, value: str) -> None:
    """One we cannot read is one we cannot use; the others may do: RFC 8839 section 5.1."""
    try:
        transport.candidates.append(parse_candidate(value))
    except BadDescription:
        return


def _end_of_candidates(transport: TransportLines, value: str) -> None:
    transport.end_of_candidates = True


_TRANSPORT: dict[str, Callable[[TransportLines, str], None]] = {
    "ice-ufrag": _ufrag,
    "ice-pwd": _pwd,
    "ice-options": _ice_options,
    "fingerprint": lambda transport, value: transport.fingerprints.append(lines.parse_fingerprint(value)),
    "setup": _setup,
    "candidate": _candidate,
    "end-of-candidates": _end_of_candidates,
}
