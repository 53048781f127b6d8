"""An offer for just one stream, taken as a whole or not at all. Pure.

Whoever offers without any other signaling cannot say which section is what, nor learn that one of them was rejected:
so there is at most one of sound and one of picture, both usable, or the whole offer is refused. Answering it is
`negotiation.py`'s (publishing) and `play_answer.py`'s (playing). RFC 9725 section 4.4, RFC 9143, RFC 8830.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from mediaserver.errors import BadDescription, UnfitDescription
from mediaserver.transport.bundle import bundled, remote_of
from mediaserver.transport.payload_types import is_media, known
from mediaserver.transport.sdp import MediaSection, SessionDescription, parse

Use = Literal["publish", "play"]

_DIRECTIONS: dict[Use, Collection[str]] = {"publish": ("sendonly", "sendrecv"), "play": ("recvonly", "sendrecv")}
_NO_STREAM = "-"  # RFC 8830 section 2: a track outside of every stream


@dataclass(frozen=True, slots=True)
class OneStream:
    """The sections of an offer that are its sound and its picture; None where there is none."""

    audio_mid: str | None
    video_mid: str | None
    credentials: tuple[str, str]
    """User fragment and password of the offerer's ICE agent."""


def read_one_stream(sdp: str, use: Use) -> OneStream:
    """Which sections of the offer are what. `BadDescription` if it cannot be read, `UnfitDescription` if refused."""
    return check_one_stream(parse(sdp), use)


def check_one_stream(offer: SessionDescription, use: Use) -> OneStream:
    """Which sections are what; `UnfitDescription` says why the offer cannot be agreed to."""
    try:
        live = bundled(offer)
        remote = remote_of(offer, roles=("actpass", "active"))
    except BadDescription as error:
        raise UnfitDescription(str(error)) from None
    audio, video = _only(offer, "audio"), _only(offer, "video")
    sections = [section for section in (audio, video) if section is not None]
    if not sections:
        raise UnfitDescription("it has neither sound nor picture")
    for section in sections:
        _check(section, offer, use, in_bundle=section in live)
    if len(set(_streams(sections))) > 1:
        raise UnfitDescription("its sections belong to different streams")
    credentials = (remote.ufrag, remote.pwd)
    return OneStream(audio.mid if audio else None, video.mid if video else None, credentials)


def _only(offer: SessionDescription, kind: str) -> MediaSection | None:
    found = [section for section in offer.sections if section.kind == kind]
    if len(found) > 1:
        raise UnfitDescription(f"it has {len(found)} {kind} sections, one is possible")
    return found[0] if found else None


def _check(section: MediaSection, offer: SessionDescription, use: Use, *, in_bundle: bool) -> None:
    direction = section.direction or offer.direction or "sendrecv"
    if not in_bundle:
        raise UnfitDescription(f"its {section.kind} section is not bundled")
    if direction not in _DIRECTIONS[use]:
        raise UnfitDescription(f"its {section.kind} section is {direction}, not {' or '.join(_DIRECTIONS[use])}")
    if not is_media(section) or next(known(section), None) is None:
        raise UnfitDescription(f"its {section.kind} section has no codec that is forwarded here")


def _streams(sections: Collection[MediaSection]) -> Iterator[str]:
    """The ids of the media streams that the sections say they belong to."""
    for section in sections:
        described = (attributes.get("msid", "") for attributes in section.ssrcs.values())
        for msid in (*section.msids, *described):
            stream = msid.partition(" ")[0]
            if stream and stream != _NO_STREAM:
                yield stream
