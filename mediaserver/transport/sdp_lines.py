"""What single lines of a session description mean: plain dataclasses, and each to and from its text.

Knows one line at a time; which line may stand where is `sdp.py`'s. Pure. RFC 8866 (SDP), RFC 8839 (ICE),
RFC 8122 (fingerprint), RFC 8285 (extmap), RFC 8851 (rid), RFC 8853 (simulcast), RFC 5576 (ssrc), RFC 4585 (rtcp-fb).
"""

from dataclasses import dataclass, field


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
