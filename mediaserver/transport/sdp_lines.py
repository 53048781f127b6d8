"""What single lines of a session description mean: plain dataclasses, and each to and from its text.

Knows one line at a time; which line may stand where is `sdp.py`'s. Pure. RFC 8866 (SDP), RFC 8839 (ICE),
RFC 8122 (fingerprint), RFC 8285 (extmap), RFC 8851 (rid), RFC 8853 (simulcast), RFC 5576 (ssrc), RFC 4585 (rtcp-fb).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mediaserver.errors import BadCandidate, BadDescription

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
MAX_MID = 16  # characters: what the one-byte form of the header extension holds
MAX_RID = 16
MAX_SIMULCAST = 64  # streams and alternatives a line may name
MAX_CREDENTIAL = 256
MAX_DIGEST = 64 * 3  # characters: 512 bits
MAX_CANDIDATE = 1024
MAX_DIGITS = 20
MAX_SHOWN = 40  # characters of a stranger's text in our own

_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")
_VISIBLE = re.compile(r"[!-~]+")
_RID = re.compile(r"[0-9A-Za-z_-]+")
_DIGEST = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2})+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address a peer may be reached at. `protocol` is "udp" or "tcp", `type` host, srflx, prflx or relay."""

    foundation: str
    component: int
    protocol: str
    priority: int
    address: str
    port: int
    type: str = "host"
    related_address: str | None = None
    related_port: int | None = None
    tcp_type: str | None = None
    """active, passive or so; only for tcp."""
    extra: tuple[tuple[str, str], ...] = ()
    """Further names and values (generation, ufrag, network-cost ...), as they came."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a certificate: `algorithm` in lower case ("sha-256"), `value` in upper case with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class ExtensionMap:
    id: int
    uri: str
    direction: str | None = None
    attributes: str = ""


@dataclass(frozen=True, slots=True)
class Rid:
    """`restrictions` are names and values as they came; `pt` is among them if there is one."""

    id: str
    direction: str
    restrictions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SimulcastRid:
    id: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Simulcast:
    """Streams in order of preference; each is a list of alternatives, the first preferred."""

    send: tuple[tuple[SimulcastRid, ...], ...] = ()
    recv: tuple[tuple[SimulcastRid, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(slots=True)
class Payload:
    """One payload type of a section. `parameters` keep their order; a parameter without a value has ""."""

    type: int
    name: str
    clock_rate: int
    channels: int | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=list)


def number(text: str, highest: int) -> int:
    """A decimal number from 0 to `highest`."""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text) <= highest):
        raise BadDescription(f"{shown(text)} is not a number up to {highest}")
    return int(text)


def shown(text: str) -> str:
    """A stranger's text, fit for one short line of ours."""
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "...")


def parse_candidate(text: str) -> Candidate:
    """Reads a candidate, with or without "candidate:" (or "a=candidate:") in front. Raises `BadCandidate`."""
    if len(text) > MAX_CANDIDATE:
        raise BadCandidate(f"candidate of more than {MAX_CANDIDATE} characters")
    words = text.removeprefix("a=").removeprefix("candidate:").split()
    if len(words) < 8 or len(words) % 2 or words[6] != "typ":
        raise BadCandidate(f"{shown(text)} is not a candidate")
    try:
        component, priority, port = number(words[1], 256), number(words[3], 2**32 - 1), number(words[5], 65535)
        more = dict(zip(words[8::2], words[9::2], strict=True))
        related_port = number(more.pop("rport"), 65535) if "rport" in more else None
    except BadDescription as error:
        raise BadCandidate(f"candidate: {error}") from None
    return Candidate(
        foundation=words[0],
        component=component,
        protocol=words[2].lower(),
        priority=priority,
        address=words[4],
        port=port,
        type=words[7],
        related_address=more.pop("raddr", None),
        related_port=related_port,
        tcp_type=more.pop("tcptype", None),
        extra=tuple(more.items()),
    )


def write_candidate(candidate: Candidate) -> str:
    """The candidate as text that begins with "candidate:"."""
    c = candidate
    words = [f"candidate:{c.foundation}", str(c.component), c.protocol, str(c.priority), c.address, str(c.port)]
    words += ["typ", c.type]
    for name, value in (("raddr", c.related_address), ("rport", c.related_port), ("tcptype", c.tcp_type), *c.extra):
        if value is not None:
            words += [name, str(value)]
    return " ".join(words)


def parse_mid(value: str) -> str:
    if not _TOKEN.fullmatch(value) or len(value) > MAX_MID:
        raise BadDescription(f"{shown(value)} is not a mid of at most {MAX_MID} characters")
    return value


def parse_credential(value: str, shortest: int) -> str:
    """An ICE user fragment or password: RFC 8839 section 5.4, with any visible character for lenient peers."""
    if not shortest <= len(value) <= MAX_CREDENTIAL or not _VISIBLE.fullmatch(value):
        raise BadDescription(f"ICE credential is not {shortest} to {MAX_CREDENTIAL} characters")
    return value


def parse_setup(value: str) -> str:
    if value not in ("active", "passive", "actpass", "holdconn"):
        raise BadDescription(f"{shown(value)} is not a DTLS role")
    return value


def parse_fingerprint(value: str) -> Fingerprint:
    algorithm, _, digest = value.partition(" ")
    digest = digest.strip().upper()
    if not algorithm or len(digest) > MAX_DIGEST or not _DIGEST.fullmatch(digest):
        raise BadDescription(f"{shown(value)} is not a fingerprint")
    return Fingerprint(algorithm.lower(), digest)


def parse_bandwidth(value: str) -> tuple[str, int]:
    modifier, _, amount = value.partition(":")
    return modifier, number(amount.strip(), 2**63)


def parse_rtpmap(value: str) -> tuple[int, str, int, int | None]:
    """Payload type, name, clock rate, channels."""
    payload_type, _, encoding = value.partition(" ")
    name, *rates = encoding.strip().split("/")
    if not name or not 1 <= len(rates) <= 2:
        raise BadDescription(f"{shown(value)} is not a payload type, a name and a clock rate")
    channels = number(rates[1], 255) if len(rates) == 2 else None
    return number(payload_type, 127), name, number(rates[0], 2**32 - 1), channels


def parse_parameters(value: str) -> dict[str, str]:
    """The parameters of a=fmtp: names in lower case, "" for one without a value."""
    parameters = {}
    for part in value.split(";"):
        name, _, content = part.partition("=")
        if name.strip():
            parameters[name.strip().lower()] = content.strip()
    return parameters


def write_parameters(parameters: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" if value else name for name, value in parameters.items())


def parse_extension(value: str) -> ExtensionMap:
    head, uri, attributes = [*value.split(maxsplit=2), "", "", ""][:3]
    id_text, _, direction = head.partition("/")
    if not uri or (direction and direction not in DIRECTIONS):
        raise BadDescription(f"{shown(value)} is not an extension's id, direction and URI")
    return ExtensionMap(number(id_text, 65535), uri, direction or None, attributes)


def write_extension(extension: ExtensionMap) -> str:
    direction = f"/{extension.direction}" if extension.direction else ""
    return f"{extension.id}{direction} {extension.uri} {extension.attributes}".rstrip()


def parse_rid(value: str) -> Rid:
    words = value.split(maxsplit=2)
    if len(words) < 2 or words[1] not in ("send", "recv"):
        raise BadDescription(f"{shown(value)} is not a rid and its direction")
    restrictions = parse_parameters(words[2]) if len(words) == 3 else {}
    return Rid(_rid_id(words[0]), words[1], tuple(restrictions.items()))


def write_rid(rid: Rid) -> str:
    return f"{rid.id} {rid.direction} {write_parameters(dict(rid.restrictions))}".rstrip()


def _rid_id(text: str) -> str:
    if not _RID.fullmatch(text) or len(text) > MAX_RID:
        raise BadDescription(f"{shown(text)} is not a rid of at most {MAX_RID} letters and digits")
    return text


def parse_simulcast(value: str) -> Simulcast:
    """`send f;~h,g;q recv x`: RFC 8853 section 5.1."""
    if value.count(";") + value.count(",") > MAX_SIMULCAST:
        raise BadDescription(f"more than {MAX_SIMULCAST} simulcast streams")
    words = value.split()
    told = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) not in (2, 4) or len(told) != len(words) // 2 or not told.keys() <= {"send", "recv"}:
        raise BadDescription(f"{shown(value)} does not say which streams are sent or received")
    return Simulcast(_simulcast_streams(told.get("send", "")), _simulcast_streams(told.get("recv", "")))


def _simulcast_streams(text: str) -> tuple[tuple[SimulcastRid, ...], ...]:
    if not text:
        return ()
    return tuple(
        tuple(SimulcastRid(_rid_id(rid.removeprefix("~")), rid.startswith("~")) for rid in stream.split(","))
        for stream in text.split(";")
    )


def write_simulcast(simulcast: Simulcast) -> str:
    return " ".join(
        f"{direction} " + ";".join(",".join("~" * rid.paused + rid.id for rid in stream) for stream in streams)
        for direction, streams in (("send", simulcast.send), ("recv", simulcast.recv))
        if streams
    )


def parse_ssrc(value: str) -> tuple[int, str, str]:
    """The SSRC, and the name and value of its attribute ("" for none)."""
    ssrc, _, attribute = value.partition(" ")
    name, _, content = attribute.partition(":")
    return number(ssrc, 2**32 - 1), name.strip(), content


def parse_ssrc_group(value: str) -> SsrcGroup:
    semantics, *ssrcs = value.split() or [""]
    return SsrcGroup(semantics, tuple(number(ssrc, 2**32 - 1) for ssrc in ssrcs))
