"""The errors of services and media plane as /rt tells them. Pure.

Each class has a code and a name; an error that has none of its own is told as its nearest ancestor. As a refusal
(before or in place of `joined`) it closes the socket with 4000 plus its code.
"""

from mediaserver import errors as media
from signaling.live.protocol import LiveError, Refusal
from signaling.services import errors as services
from signaling.services.conferences import ShuttingDown
from signaling.services.entrance import AlreadyOnline
from signaling.services.meeting import EndToEndEncrypted, ModeChanged, NotInMesh
from signaling.services.spaces.access import AccessExpired, AccessUsed

_TOLD: dict[type[Exception], tuple[int, str]] = {
    services.Unauthorized: (401, "no_credential"),
    services.Refused: (403, "forbidden"),
    services.NotFound: (404, "not_found"),
    services.Gone: (410, "ended"),
    services.Full: (409, "room_full"),
    services.Conflict: (409, "conflict"),
    services.SwitchedOff: (405, "switched_off"),
    services.NotNow: (406, "not_now"),
    services.Locked: (423, "locked"),
    services.Invalid: (400, "bad_message"),
    services.TooLarge: (413, "message_too_long"),
    services.TooMany: (429, "too_many_messages"),
    services.ServiceError: (500, "server_failure"),
    AccessUsed: (410, "access_used"),
    AccessExpired: (410, "access_expired"),
    AlreadyOnline: (409, "already_online"),
    ShuttingDown: (500, "server_shutdown"),
    NotInMesh: (409, "not_in_mesh"),
    EndToEndEncrypted: (409, "end_to_end_encrypted"),
    ModeChanged: (409, "mode_changed"),
    media.BadCandidate: (400, "bad_candidate"),
    media.PublishForbidden: (403, "forbidden"),
    media.BadDescription: (400, "bad_sdp"),
    media.StreamExists: (409, "stream_exists"),
    media.NoSuchStream: (404, "no_such_stream"),
    media.NoSuchParticipant: (404, "no_such_participant"),
    media.ConferenceFull: (409, "room_full"),
    media.ConferenceClosed: (410, "ended"),
    media.MediaError: (500, "server_failure"),
}


def told(error: services.ServiceError | media.MediaError) -> LiveError:
    """The error that answers one message."""
    code, name = _code_and_name(error)
    return LiveError(code, name, str(error))


def refused(error: services.ServiceError | media.MediaError) -> Refusal:
    """The error that ends the conversation before it began."""
    code, name = _code_and_name(error)
    return Refusal(code, name, str(error))


def _code_and_name(error: Exception) -> tuple[int, str]:
    if isinstance(error, services.NotFound) and error.kind in ("stream", "participant"):
        return 404, f"no_such_{error.kind}"
    return next(_TOLD[kind] for kind in type(error).__mro__ if kind in _TOLD)
