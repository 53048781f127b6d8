"""What each message of a client does: a table from its type to a small handler.

A handler gets a message that is allowed here and now (`protocol.permit`), and returns the reply, or None where there
is none of its own. Media's half of the table is `media_messages.py`'s.
"""

from collections.abc import Awaitable, Callable, Mapping

from mediaserver import MediaError
from signaling.live import fields, media_messages, mesh, recording
from signaling.live.caller import Caller
from signaling.live.protocol import MAX_TEXT_BYTES, LiveError, Message, request_id
from signaling.live.refusals import refused
from signaling.live.welcome import endpoint
from signaling.services.errors import ServiceError
from signaling.services.meeting import EndToEndEncrypted, NotInMesh
from signaling.services.members import Profile, View

Handler = Callable[[Caller, Message], Awaitable[Message | None]]

VIEWS: dict[str, View] = {"streams": "streams", "one_view": "one_view", "auto": "auto"}
MAX_PLATFORM = 64  # characters


async def _ping(_caller: Caller, _message: Message) -> Message:
    return {"type": "pong"}


async def _join(caller: Caller, message: Message) -> None:
    for name in ("audio", "video"):
        fields.maybe_flag(message, name)
    fields.maybe_text(message, "platform", MAX_PLATFORM)
    profile = Profile(
        name=fields.maybe_text(message, "name", fields.MAX_NAME),
        view=_view(message) if message.get("view") is not None else "auto",
        attributes=fields.attributes(message),
    )
    try:
        await caller.join(profile, request_id(message))
    except (NotInMesh, EndToEndEncrypted):
        raise  # another wish may follow
    except (ServiceError, MediaError) as error:
        raise refused(error) from error


async def _leave(caller: Caller, _message: Message) -> None:
    caller.leave()


async def _say(caller: Caller, message: Message) -> None:
    content = message.get("content")
    if message["type"] == "chat" and not isinstance(content, str):
        raise LiveError(400, "bad_message", "content is not a text")
    fields.check_depth("content", content)
    if fields.size(content) > MAX_TEXT_BYTES:
        raise LiveError(413, "message_too_long", f"content has at most {MAX_TEXT_BYTES} bytes")
    caller.meeting.say(caller.member, message["type"], content, caller.clock.wall())


async def _stfu(caller: Caller, _message: Message) -> None:
    caller.meeting.hush(caller.member)


async def _kick(caller: Caller, message: Message) -> None:
    member = caller.meeting.member(fields.text(message, "user_id", fields.MAX_ID))
    caller.conferences.dismiss(caller.meeting, member, "kicked")


async def _raise_hand(caller: Caller, message: Message) -> None:
    caller.meeting.raise_hand(caller.member, fields.flag(message, "raised"))


async def _set_attributes(caller: Caller, message: Message) -> None:
    caller.meeting.set_attributes(caller.member, fields.attributes(message))


async def _set_view(caller: Caller, message: Message) -> None:
    caller.meeting.set_view(caller.member, _view(message))


async def _renew_endpoint(caller: Caller, _message: Message) -> Message:
    renewed = await caller.entrance.renew_endpoint(caller.meeting, caller.member)
    return {"type": "endpoint_update", "endpoint": endpoint(renewed)}


async def _upgrade(caller: Caller, _message: Message) -> None:
    await caller.entrance.upgrade(caller.meeting)


def _view(message: Message) -> View:
    return VIEWS[fields.one_of(message, "view", VIEWS)]


HANDLERS: Mapping[str, Handler] = {
    "ping": _ping,
    "join": _join,
    "leave": _leave,
    "chat": _say,
    "custom": _say,
    "stfu": _stfu,
    "kick": _kick,
    "upgrade": _upgrade,
    "record_start": recording.start,
    "record_stop": recording.stop,
    "raise_hand": _raise_hand,
    "set_attributes": _set_attributes,
    "set_view": _set_view,
    "renew_endpoint": _renew_endpoint,
    "offer": media_messages.offer,
    "answer": media_messages.answer,
    "candidate": media_messages.candidate,
    "restart": media_messages.restart,
    "close": mesh.pass_on,
    "unpublish": media_messages.unpublish,
    "mute": media_messages.mute,
    "subscribe": media_messages.subscribe,
}
