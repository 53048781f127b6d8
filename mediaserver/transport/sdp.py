"""Session descriptions from text.

`parse` refuses what is too large before it looks closer, reads in linear time, and raises only `BadDescription`; lines
it does not know are kept as they are. Most lines of a section say what its browser is able to, and are the same for
every section and everybody with that browser: they are read once and remembered. What the parts mean is in
`sdp_model.py` and `sdp_lines.py`, the way back is `sdp_writer.py` (their names are here too); deciding is
`negotiation.py`'s. Pure. RFC 8866, RFC 9429.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

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
REMEMBERED = 256  # kinds of section, and transports
MAX_REMEMBERED = 8192  # characters: a browser's longest section has half of it

_OF_TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=ice-options:", "a=fingerprint:", "a=setup:", "a=candidate:")
_END_OF_CANDIDATES = "a=end-of-candidates"
_OF_ONE_SECTION = ("a=mid:", "a=msid:", "a=ssrc:", "a=ssrc-group:")
_T = TypeVar("_T")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def parse(text: str, *, answers_ours: bool = False) -> SessionDescription:
    """Reads a description. Raises `BadDescription` with a one-line reason.

    `answers_ours`: it answers an offer of ours, which may be as large as a meeting of a hundred makes it.
    """
    _check_size(text, MAX_OWN_FACTOR if answers_ours else 1)
    text_lines = text.replace("\r\n", "\n").split("\n")
    starts = [number for number, line in enumerate(text_lines) if line.startswith("m=")]
    if len(starts) > MAX_SECTIONS:
        raise BadDescription(f"line {starts[MAX_SECTIONS] + 1}: more than {MAX_SECTIONS} sections")
    borders = [*starts, len(text_lines)]
    description = SessionDescription()
    _numbered(1, text_lines[: borders[0]], lambda line: _session_line(description, line))
    for start, end in pairwise(borders):
        section_lines = text_lines[start:end]
        try:
            description.sections.append(_read_section(section_lines))
        except BadDescription:
            _explain(start + 1, section_lines)
            raise
    return description


def _numbered(first: int, text_lines: Sequence[str], read: Callable[[str], object]) -> None:
    """Reads line by line; an error tells the number of its line."""
    for number, line in enumerate(text_lines, first):
        try:
            if line:
                read(line)
        except BadDescription as error:
            raise BadDescription(f"line {number}: {error}") from None


def _explain(first: int, section_lines: Sequence[str]) -> None:
    """Raises what is wrong with a section, and in which line."""
    section = MediaSection("", 0, "", ())
    _numbered(first, section_lines[:1], _new_section)
    _numbered(first + 1, section_lines[1:], lambda line: _section_line(section, line))


def _read_section(section_lines: Sequence[str]) -> MediaSection:
    common, transport, own = [], [], []
    for line in section_lines:
        if line.startswith(_OF_TRANSPORT) or line == _END_OF_CANDIDATES:
            transport.append(line)
        elif line.startswith(_OF_ONE_SECTION):
            own.append(line)
        elif line:
            common.append(line)
    section = replace(
        _remembered(_common_lines, _known_common_lines, "\n".join(common)),
        transport=_remembered(_transport_lines, _known_transport_lines, "\n".join(transport)),
        msids=[],
        ssrcs={},
        ssrc_groups=[],
    )
    for line in own:
        _section_line(section, line)
    return section


def _remembered(read: Callable[[str], _T], known: Callable[[str], _T], text: str) -> _T:
    """What `text` means; not to be changed, others may share it."""
    return known(text) if len(text) <= MAX_REMEMBERED else read(text)


def _common_lines(text: str) -> MediaSection:
    """A section as far as it is not one participant's own. The m= line comes first."""
    first, *rest = text.split("\n")
    section = _new_section(first)
    for line in rest:
        _section_line(section, line)
    _order_payloads(section)
    return section


def _transport_lines(text: str) -> TransportLines:
    transport = TransportLines()
    for line in text.split("\n") if text else ():
        _, name, value = _split(line)
        _TRANSPORT[name](transport, value)
    return transport


_known_common_lines = lru_cache(REMEMBERED)(_common_lines)
_known_transport_lines = lru_cache(REMEMBERED)(_transport_lines)


def _check_size(text: str, factor: int) -> None:
    most = MAX_SIZE_BYTES * factor
    if len(text) > most or (not text.isascii() and len(text.encode(errors="surrogatepass")) > most):
        raise BadDescription(f"longer than {most} bytes")
    if text.count("\n") > MAX_LINES * factor:
        raise BadDescription(f"more than {MAX_LINES * factor} lines")
    if not text.startswith(("v=0\n", "v=0\r\n")):
        raise BadDescription("does not begin with v=0")
    if _FORBIDDEN.search(text) or text.count("\r") != text.count("\r\n"):
        raise BadDescription("contains control characters")


def _new_section(line: str) -> MediaSection:
    """The m= line: RFC 8866 section 5.14."""
    words = line[2:].split()
    if len(words) < 4:
        raise BadDescription("m= needs a kind, a port, a protocol and a format")
    port = lines.number(words[1].partition("/")[0], 65535)
    return MediaSection(words[0], port, words[2], tuple(words[3:]))


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
    payload = section.payloads.get(number)
    if payload is None:
        payload = lines.Payload(number, "", 0)
        section.payloads = {**section.payloads, number: payload}
    return payload


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
