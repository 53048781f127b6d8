"""The messages about media: descriptions, candidates, streams, wishes. Handlers for the table in `messages.py`.

What names somebody in `to` is for that participant and passed on by `mesh.py`; the rest is for the server.
"""

from mediaserver import Wish
from signaling.live import fields, mesh
from signaling.live.caller import Caller
from signaling.live.protocol import BadMessage, Message
from signaling.live.streams import read_streams, rendered

CONNECTIONS = ("publish", "subscribe")
MAX_PRIORITY = 255
MAX_FPS = 1000


async def offer(caller: Caller, message: Message) -> Message | None:
    """The answer, with the streams as accepted."""
    if mesh.is_for_somebody(message):
        await mesh.pass_on(caller, message)
        return None
    media = caller.media
    fields.one_of(message, "pc", ("publish",))
    seq, sdp = fields.number(message, "seq"), fields.session_description(message)
    streams = read_streams(message, caller.member.id)
    for stream in streams:
        caller.meeting.check_allowed(stream.label)
    description = media.negotiate(sdp, streams)
    return {
        "type": "answer",
        "pc": "publish",
        "seq": seq,
        "sdp": description.sdp,
        "streams": rendered(description.streams),
    }


async def answer(caller: Caller, message: Message) -> None:
    """A busy meeting makes many offers: an answer to the one in flight is no flood."""
    if mesh.is_for_somebody(message):
        return await mesh.pass_on(caller, message)
    subscriber = caller.subscriber
    fields.one_of(message, "pc", ("subscribe",))
    seq, sdp = fields.number(message, "seq"), fields.session_description(message, fields.MAX_ANSWER)
    if subscriber.answered(seq, sdp):
        caller.asked_for()


async def candidate(caller: Caller, message: Message) -> None:
    if mesh.is_for_somebody(message):
        return await mesh.pass_on(caller, message)
    media = caller.media
    pc = fields.one_of(message, "pc", CONNECTIONS)
    media.candidate(pc, mesh.check_candidate(message))


async def restart(caller: Caller, message: Message) -> None:
    """`fresh` asks for a new connection instead of new ICE credentials for the present one."""
    subscriber = caller.subscriber
    fields.one_of(message, "pc", ("subscribe",))
    subscriber.restart(fresh=fields.maybe_flag(message, "fresh") or False)


async def unpublish(caller: Caller, message: Message) -> None:
    caller.meeting.unpublish(caller.member, fields.stream_id(message))


async def mute(caller: Caller, message: Message) -> None:
    audio, video = fields.maybe_flag(message, "audio"), fields.maybe_flag(message, "video")
    caller.meeting.mute(caller.member, fields.stream_id(message), audio=audio, video=video)


async def subscribe(caller: Caller, message: Message) -> None:
    media = caller.media
    wishes = {stream_id: _wish(_object(entry)) for stream_id, entry in fields.table(message, "streams").items()}
    media.want(_wish(fields.table(message, "default")), wishes)


def _wish(entry: Message) -> Wish:
    audio, video = fields.maybe_flag(entry, "audio"), fields.maybe_flag(entry, "video")
    return Wish(
        audio=audio is not False,
        video=video is not False,
        max_width=fields.maybe_number(entry, "max_width", 1),
        max_height=fields.maybe_number(entry, "max_height", 1),
        max_fps=fields.maybe_number(entry, "max_fps", 1, MAX_FPS),
        priority=fields.maybe_number(entry, "priority", 1, MAX_PRIORITY),
    )


def _object(entry: object) -> Message:
    if not isinstance(entry, dict):
        raise BadMessage("a wish is an object")
    return entry
