"""What the list of streams beside a publish offer may say, and what is accepted of it. Pure.

The list is complete: a stream that is not in it is over. Whose section is whose is told by the mids of the list
alone, never by msid or order. A section that sends nothing (rejected, inactive) is no track; a stream without
tracks is left out.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mediaserver.conference.stream import KINDS, LABELS, StreamDescription
from mediaserver.errors import BadDescription, StreamExists
from mediaserver.transport.negotiation import PublishedSection
from mediaserver.transport.sdp import SessionDescription

STREAM_ID = re.compile(r"[A-Za-z0-9_.+-]{1,64}")  # goes into our offers as an msid (RFC 8830)


def check_claims(
    claims: Sequence[StreamDescription],
    offer: SessionDescription,
    sections: Sequence[PublishedSection],
    present: Mapping[str, str],
    user_id: str,
) -> tuple[StreamDescription, ...]:
    """What is accepted of `claims`; `present` has the label of each stream there is.

    Raises `StreamExists` for a second stream with a label, `BadDescription` for whatever else is wrong.
    """
    for claim in claims:
        _check_words(claim, present)
    going = {claim.replace for claim in claims if claim.stream_id not in present and claim.replace in present}
    staying = [claim for claim in claims if claim.stream_id not in going]
    _check_unique(staying)
    _check_mids(staying, offer, sections)
    sending = {section.mid for section in sections if section.sending}
    described = (_described(claim, sending, user_id) for claim in staying)
    return tuple(claim for claim in described if claim.audio_mid is not None or claim.video_mid is not None)


def _check_words(claim: StreamDescription, present: Mapping[str, str]) -> None:
    if not STREAM_ID.fullmatch(claim.stream_id):
        raise BadDescription("a stream id is 1 to 64 letters, digits or any of _ . + -")
    if claim.label not in LABELS:
        raise BadDescription(f"stream {claim.stream_id} is labelled neither camera nor screen")
    if present.get(claim.stream_id, claim.label) != claim.label:
        raise BadDescription(f"stream {claim.stream_id} is a {present[claim.stream_id]} and cannot change its label")


def _check_mids(
    claims: Sequence[StreamDescription], offer: SessionDescription, sections: Sequence[PublishedSection]
) -> None:
    """Each mid is in the offer, of the right kind, and named once."""
    kinds = {section.mid: section.kind for section in offer.sections}
    kinds |= {section.mid: section.kind for section in sections}
    named: set[str] = set()
    for stream_id, kind, mid in _mids(claims):
        if kinds.get(mid) != kind:
            raise BadDescription(f"stream {stream_id} names section {mid[:64]!r}, which is no {kind} section")
        if mid in named:
            raise BadDescription(f"section {mid[:64]!r} is named twice")
        named.add(mid)


def _mids(claims: Sequence[StreamDescription]) -> Iterator[tuple[str, str, str]]:
    for claim in claims:
        for kind in KINDS:
            mid = claim.mid(kind)
            if mid is not None:
                yield claim.stream_id, kind, mid


def _check_unique(claims: Sequence[StreamDescription]) -> None:
    ids: set[str] = set()
    labels: dict[str, str] = {}
    for claim in claims:
        if claim.stream_id in ids:
            raise BadDescription(f"stream {claim.stream_id} is listed twice")
        ids.add(claim.stream_id)
        other = labels.setdefault(claim.label, claim.stream_id)
        if other != claim.stream_id:
            raise StreamExists(f"there is a {claim.label} already: {other}")


def _described(claim: StreamDescription, sending: Collection[str], user_id: str) -> StreamDescription:
    return replace(
        claim,
        user_id=user_id,
        audio_mid=claim.audio_mid if claim.audio_mid in sending else None,
        video_mid=claim.video_mid if claim.video_mid in sending else None,
        replace=None,
    )
