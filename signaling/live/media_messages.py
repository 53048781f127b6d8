"""The messages about media: descriptions, candidates, streams, wishes. Handlers for the table in `messages.py`."""

from mediaserver import Wish
from signaling.live import fields
from signaling.live.caller import Caller
from signaling.live.protocol import BadMessage, Message
from signaling.live.streams import read_streams, rendered
from signaling.services.meeting import NotInMesh

CONNECTIONS = ("publish", "subscribe")
MAX_CANDIDATE = 4096  # characters
MAX_PRIORITY = 255
MAX_FPS = 1000


async def offer(caller: Caller, message: Message) -> Message:
    """The answer, with the streams as accepted."""
    media = caller.media
    fields.one_of(message, "pc", ("publish",))
    seq, sdp = fields.number(message, "seq"), fields.session_description(message)
    description = media.negotiate(sdp, read_streams(message, caller.member.id))
    return {"type": "answer", "pc": "publish", "seq": seq, "sdp": description.sdp, "streams": rendered(description)}


async def answer(caller: Caller, message: Message) -> None:
    """A busy meeting makes many offers: an answer to the one in flight is no flood."""
    subscriber = caller.subscriber
    fields.one_of(message, "pc", ("subscribe",))
    seq, sdp = fields.number(message, "seq"), fields.session_description(message, fields.MAX_ANSWER)
    if subscriber.answered(seq, sdp):
        caller.asked_for()


async def candidate(caller: Caller, message: Message) -> None:
    media = caller.media
    pc = fields.one_of(message, "pc", CONNECTIONS)
    given = message.get("candidate")
    if given is not None and not isinstance(given, dict):
        raise BadMessage("candidate is neither an object nor null")
    media.candidate(pc, fields.text(given, "candidate", MAX_CANDIDATE) if given else None)


async def restart(caller: Caller, message: Message) -> None:
    """`fresh` asks for a new connection instead of new ICE credentials for the present one."""
    subscriber = caller.subscriber
    fields.one_of(message, "pc", ("subscribe",))
    subscriber.restart(fresh=fields.maybe_flag(message, "fresh") or False)


async def unpublish(caller: Caller, message: Message) -> None:
    caller.media.unpublish(fields.stream_id(message))


async def mute(caller: Caller, message: Message) -> None:
    audio, video = fields.maybe_flag(message, "audio"), fields.maybe_flag(message, "video")
    caller.meeting.mute(caller.member, fields.stream_id(message), audio=audio, video=video)


async def subscribe(caller: Caller, message: Message) -> None:
    if caller.member.media is None:
        raise NotInMesh("choosing what to receive")
    wishes = {stream_id: _wish(_object(entry)) for stream_id, entry in fields.table(message, "streams").items()}
    caller.member.media.want(_wish(fields.table(message, "default")), wishes)


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
