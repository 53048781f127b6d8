"""Session descriptions as plain dataclasses: a session, its sections, and what is needed to connect to a peer.

Only what holds the parts together; single lines are `sdp_lines.py`'s, text is `sdp.py`'s. RFC 8866, RFC 9429.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mediaserver.transport.sdp_lines import (
    Candidate,
    ExtensionMap,
    Fingerprint,
    Payload,
    Rid,
    Simulcast,
    SsrcGroup,
)


@dataclass(frozen=True, slots=True)
class RemoteTransport:
    """What is needed to connect to a peer. `setup` is its DTLS role: active (it is the client), passive or actpass."""

    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...]
    setup: str
    ice_lite: bool = False


@dataclass(frozen=True, slots=True)
class SctpParameters:
    """The peer's end of the data channels. `max_message_size` in bytes; 0 is without a limit."""

    port: int
    max_message_size: int
    mid: str


@dataclass(slots=True)
class TransportLines:
    """The lines about ICE and DTLS, at the session or in a section; None where a line is missing."""

    ufrag: str | None = None
    pwd: str | None = None
    ice_options: tuple[str, ...] = ()
    fingerprints: list[Fingerprint] = field(default_factory=list)
    setup: str | None = None
    candidates: list[Candidate] = field(default_factory=list)
    end_of_candidates: bool = False


@dataclass(slots=True)
class MediaSection:
    """One m= line and what follows it. `direction` is None where no line says it (which means sendrecv)."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    mid: str = ""
    direction: str | None = None
    transport: TransportLines = field(default_factory=TransportLines)
    payloads: Mapping[int, Payload] = field(default_factory=dict)
    """By payload type, in the order of the m= line as far as they are there."""
    payload_lines: str | None = field(default=None, compare=False)
    """What `payloads` look like, where many sections have the same; only for writing."""
    written: str | None = field(default=None, compare=False)
    """All its lines behind those of the transport, where they are the same in many offers; only for writing."""
    feedback: list[str] = field(default_factory=list)
    """What holds for all payload types (`a=rtcp-fb:*`)."""
    extensions: list[ExtensionMap] = field(default_factory=list)
    extmap_allow_mixed: bool = False
    msids: list[str] = field(default_factory=list)
    rids: dict[str, Rid] = field(default_factory=dict)
    simulcast: Simulcast | None = None
    ssrcs: dict[int, dict[str, str]] = field(default_factory=dict)
    ssrc_groups: list[SsrcGroup] = field(default_factory=list)
    rtcp_mux: bool = False
    rtcp_mux_only: bool = False
    """There is no other way (RFC 8858), so `rtcp_mux` holds as well."""
    rtcp_rsize: bool = False
    bundle_only: bool = False
    sctp_port: int | None = None
    max_message_size: int | None = None
    bandwidth: list[tuple[str, int]] = field(default_factory=list)
    """(modifier, value) of each b= line: AS is in kbit/s, TIAS in bit/s."""
    connection: str = "IN IP4 0.0.0.0"
    other: list[str] = field(default_factory=list)
    """Lines that are not understood, as they came."""


@dataclass(slots=True)
class SessionDescription:
    session_id: int = 0
    version: int = 0
    sections: list[MediaSection] = field(default_factory=list)
    bundle: tuple[str, ...] | None = None
    """The mids of the (first) BUNDLE group; None if there is none."""
    ice_lite: bool = False
    direction: str | None = None
    transport: TransportLines = field(default_factory=TransportLines)
    extensions: list[ExtensionMap] = field(default_factory=list)
    extmap_allow_mixed: bool = False
    bandwidth: list[tuple[str, int]] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    """Lines that are not understood, as they came."""
