"""What participants of a MESH conference say to each other to connect: passed on by `to`, untouched but for `from`.

A description is text of bounded length here and is never parsed; the `streams` beside it are read, so that everybody
can be told who sends what. What that means is `services/mesh.py`'s. WebSocket contract, sections 6 and 7.
"""

from signaling.live import fields
from signaling.live.caller import Caller
from signaling.live.protocol import BadMessage, LiveError, Message
from signaling.live.streams import read_streams, rendered
from signaling.services import events
from signaling.services.doors import Role
from signaling.services.errors import NotFound

DESCRIPTIONS = ("offer", "answer")
MAX_CANDIDATE = 4096  # characters
MAX_BESIDES = 16 * 1024  # bytes of a message, without its description


def is_for_somebody(message: Message) -> bool:
    """Whether this is meant for another participant and not for the server."""
    return message.get("to") is not None


async def pass_on(caller: Caller, message: Message) -> None:
    """An offer, answer, candidate or close, to whom it names; the answer that was asked for is no flood."""
    kind, meeting, sender = message["type"], caller.meeting, caller.member
    mesh = meeting.direct(kind)
    receiver = meeting.member(fields.text(message, "to", fields.MAX_ID))
    if receiver is sender:
        raise NotFound("participant", sender.id)
    passed = _passed(message, sender.id)
    news = []
    if kind in DESCRIPTIONS:
        streams = read_streams(message, sender.id)
        if streams and sender.role < Role.PUBLISHER:
            raise LiveError(403, "forbidden", f"publishing is not for the role {sender.role.name.lower()}")
        if meeting.mode == "MESH":  # later it is the server that is told who sends what
            news = mesh.described(kind, sender.id, receiver.id, streams)
        passed["streams"] = rendered(streams)
    elif kind == "close":
        mesh.parted(sender.id, receiver.id)
    if mesh.expected(kind, sender.id, receiver.id):
        caller.asked_for()
    receiver.outlet.pass_on(passed)
    for stream in news:
        meeting.tell(events.mute_update(stream))


def check_candidate(message: Message) -> str | None:
    """The candidate's line; None where there are no more."""
    given = message.get("candidate")
    if given is not None and not isinstance(given, dict):
        raise BadMessage("candidate is neither an object nor null")
    return fields.text(given, "candidate", MAX_CANDIDATE) if given else None


def _passed(message: Message, sender_id: str) -> Message:
    """What the receiver gets, checked for what bounds it."""
    besides = {name: value for name, value in message.items() if name not in ("to", "from", "request_id", "sdp")}
    fields.check_depth("the message", besides)
    if fields.size(besides) > MAX_BESIDES:
        raise LiveError(413, "message_too_long", f"a message has at most {MAX_BESIDES} bytes besides its description")
    passed = {**besides, "from": sender_id}
    if message["type"] in DESCRIPTIONS:
        passed["sdp"] = fields.session_description(message)
    elif message["type"] == "candidate":
        check_candidate(message)
    return passed
