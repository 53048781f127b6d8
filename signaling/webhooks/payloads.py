"""What a webhook's receiver gets: the body of each event, and the headers and signature around it.

Pure. An event's body is written once, when it happens, and kept; it is signed whenever it is sent, so that a secret
that has been changed meanwhile counts. Rooms contract, section 15; spaces contract, section 8; common rules.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ROOMS, SESSIONS, SPACES = "rooms", "sessions", "spaces"

ROOM_SUBJECTS = {
    "room_update": "room",
    "recording_update": "recording",
    "participant_update": "participant",
    "snapshot_update": "snapshot",
    "broadcast_update": "broadcasts",
    "presentation_update": "presentation",
    "document_update": "files",
}
"""What an event of the rooms family is about, by its type."""
ROOM_KINDS = (*ROOM_SUBJECTS, "user_update", "team_update")
"""What a team may ask for; the last two never happen."""
SPACE_KINDS = ("call_started", "call_finished", "record_started", "record_finished", "record_failed")

ID_HEADER = "X-Webhook-Id"
TIME_HEADER = "X-Webhook-Timestamp"
SIGNATURE_HEADER = "X-Webhook-Signature"
ROOMS_SIGNATURE_HEADER = "X-Eyeson-Signature"


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted."""

    body: bytes
    headers: Mapping[str, str]


def _as_it_is(signature: str, body: bytes) -> bytes:
    return body


def _beside_signature(signature: str, body: bytes) -> bytes:
    return b'{"signature":"%s","body":%s}' % (signature.encode(), body)


@dataclass(frozen=True, slots=True)
class Format:
    """How a family's receivers know its events: which there are, and where the signature of each stands."""

    kinds: tuple[str, ...]
    signed_in: tuple[str, ...] = ()
    """Headers."""
    posted: Callable[[str, bytes], bytes] = _as_it_is
    """What is sent, from the signature and what was signed."""


FORMATS: Mapping[str, Format] = {
    ROOMS: Format(ROOM_KINDS, signed_in=(SIGNATURE_HEADER, ROOMS_SIGNATURE_HEADER)),
    SESSIONS: Format((), signed_in=(SIGNATURE_HEADER,)),
    SPACES: Format(SPACE_KINDS, posted=_beside_signature),
}


def room_event(kind: str, subject: Any, at: float) -> bytes:
    """`subject` is what JSON makes of a room, a recording, the list of broadcasts ..., at that time (unix seconds)."""
    return compact({"timestamp": int(at), "type": kind, ROOM_SUBJECTS[kind]: subject})


def space_event(
    kind: str, *, room_id: str, space_id: str, record_id: str | None = None, call_id: str | None = None
) -> bytes:
    """The part that is signed; keys in this order."""
    known = {"eventName": kind, "roomId": room_id, "spaceId": space_id, "recordId": record_id, "callId": call_id}
    return compact({name: value for name, value in known.items() if value is not None})


def request(family: str, secret: bytes, body: bytes, *, delivery_id: str, at: float) -> Request:
    """The event as that family's receivers know it, sent `at` (unix seconds); the id is the same in every try."""
    known, signed = FORMATS[family], signature(secret, body)
    headers = {"Content-Type": "application/json", ID_HEADER: delivery_id, TIME_HEADER: str(int(at))}
    return Request(known.posted(signed, body), headers | dict.fromkeys(known.signed_in, signed))


def signature(secret: bytes, body: bytes) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of exactly these bytes."""
    return hmac.new(secret, body, "sha256").hexdigest()


def compact(value: Any) -> bytes:
    """JSON without spaces. ASCII, so whatever is in it can be sent."""
    return json.dumps(value, separators=(",", ":")).encode()
