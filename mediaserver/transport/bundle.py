"""The one transport that all sections of a description share: which sections are in it, and its ICE and DTLS lines.

Pure. RFC 9143 (BUNDLE), RFC 8839 (ICE), RFC 8842 (DTLS), RFC 9429 section 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.errors import BadDescription
from mediaserver.transport.sdp_lines import Candidate, Fingerprint
from mediaserver.transport.sdp_model import MediaSection, RemoteTransport, SessionDescription, TransportLines

FINGERPRINT_DIGITS = {"sha-256": 95, "sha-384": 143, "sha-512": 191}
"""The hashes we compare, with the length of their text; older ones prove nothing any more."""
ICE_OPTIONS = ("ice2",)


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of a connection as descriptions tell it. `version` grows with each description of one `session_id`."""

    ufrag: str
    pwd: str
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]
    session_id: int
    version: int


def bundled(description: SessionDescription) -> list[MediaSection]:
    """The sections that are neither rejected nor outside of the bundle, in the bundle's order."""
    live = _live_by_mid(description)
    if description.bundle is None and len(live) == 1:
        found = list(live.values())
    else:
        found = [live[mid] for mid in dict.fromkeys(description.bundle or ()) if mid in live]
    if live and not found:
        raise BadDescription("its sections are not bundled")
    for section in found:
        if section.kind != "application" and not section.rtcp_mux:
            raise BadDescription(f"section {section.mid} is without rtcp-mux")
    return found


def _live_by_mid(description: SessionDescription) -> dict[str, MediaSection]:
    mids = [section.mid for section in description.sections if section.mid]
    if len(set(mids)) < len(mids):
        raise BadDescription("two sections have the same mid")
    live = {section.mid: section for section in description.sections if section.port or section.bundle_only}
    if "" in live:
        raise BadDescription("a section has no mid")
    return live


def remote_of(description: SessionDescription, roles: Sequence[str], *, asked: bool = False) -> RemoteTransport:
    """What the first bundled section, or else the session, says about its transport.

    `roles` are the values of a=setup that fit; the first is taken to be meant where there is no such line. `asked`: we
    are not the lite side here, so that the peer may be.
    """
    sections = bundled(description)
    if not sections:
        raise BadDescription("no section is in use")
    own, common = sections[0].transport, description.transport
    ufrag, pwd = own.ufrag or common.ufrag, own.pwd or common.pwd
    if ufrag is None or pwd is None:
        raise BadDescription("ice-ufrag or ice-pwd is missing")
    if description.ice_lite and not asked:
        raise BadDescription("both sides are ICE-lite, so that nobody would begin")
    setup = own.setup or common.setup or roles[0]
    if setup not in roles:
        raise BadDescription(f"setup:{setup} does not fit, only {' or '.join(roles)}")
    return RemoteTransport(ufrag, pwd, _usable(own.fingerprints or common.fingerprints), setup)


def _usable(fingerprints: Sequence[Fingerprint]) -> tuple[Fingerprint, ...]:
    if not fingerprints:
        raise BadDescription("a fingerprint is missing")
    usable = tuple(each for each in fingerprints if len(each.value) == FINGERPRINT_DIGITS.get(each.algorithm))
    if not usable:
        raise BadDescription(f"no fingerprint is one of {', '.join(FINGERPRINT_DIGITS)}")
    return usable


def local_lines(local: LocalTransport, setup: str, *, with_candidates: bool = True) -> TransportLines:
    """Our lines for one section."""
    return TransportLines(
        ufrag=local.ufrag,
        pwd=local.pwd,
        ice_options=ICE_OPTIONS,
        fingerprints=[local.fingerprint],
        setup=setup,
        candidates=list(local.candidates) if with_candidates else [],
        end_of_candidates=with_candidates,
    )


def our_description(
    local: LocalTransport, sections: list[MediaSection], setup: str, *, mixed: bool, lite: bool = True
) -> SessionDescription:
    """A description of ours around `sections`; all that are not rejected get the transport's lines and are bundled.

    Browsers take the candidates of the bundle's first section, aiortc those of the last. In between they would only
    make the descriptions of large meetings twice as long.
    """
    live = [section for section in sections if section.port]
    outer, inner = local_lines(local, setup), local_lines(local, setup, with_candidates=False)
    for section in live:
        section.transport = outer if section is live[0] or section is live[-1] else inner
    return SessionDescription(
        session_id=local.session_id,
        version=local.version,
        sections=sections,
        bundle=tuple(section.mid for section in live),
        ice_lite=lite,
        extmap_allow_mixed=mixed,
        other=["a=msid-semantic: WMS *"],
    )
