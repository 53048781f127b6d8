"""What participants tell each other over the data channel of their publish connection.

`data` goes to the channels of the others, `mirror` asks for the server's events here too, `ping` is answered.
What is none of these, too long, or more than anybody needs to send is dropped: the channel has no errors.
"""

from contextlib import suppress

from mediaserver import Clock
from signaling.live.fields import MAX_ID, MAX_STREAMS, check_depth, size
from signaling.live.limits import DATA_MESSAGES, Flood
from signaling.live.protocol import LiveError, Message, read, write
from signaling.services.meeting import Meeting
from signaling.services.members import Member

MAX_BYTES = 64 * 1024
EVERYBODY = None


class DataChannel:
    """One participant's channel, as the server hears it."""

    def __init__(self, meeting: Meeting, member: Member, clock: Clock) -> None:
        self.mirrors = False
        self._meeting = meeting
        self._member = member
        self._clock = clock
        self._flood = Flood(DATA_MESSAGES)

    def received(self, text: str) -> None:
        if size(text) > MAX_BYTES or not self._flood.allows(self._clock.monotonic()):
            return
        with suppress(LiveError):
            self._act(read(text))

    def _act(self, message: Message) -> None:
        match message["type"]:
            case "ping":
                self._answer({"type": "pong"})
            case "mirror":
                self.mirrors = True
            case "data":
                self._pass_on(message)

    def _pass_on(self, message: Message) -> None:
        payload = message.get("payload")
        check_depth("payload", payload)
        text = write({"type": "data", "from": self._member.id, "payload": payload})
        for member in self._addressed(message.get("to")):
            if member is not self._member and member.media:
                member.media.send_text(text)

    def _addressed(self, to: object) -> list[Member]:
        members = self._meeting.members
        if to is EVERYBODY:
            return list(members.values())
        if not isinstance(to, list) or len(to) > MAX_STREAMS:
            return []
        wanted = {id for id in to if isinstance(id, str) and len(id) <= MAX_ID}
        return [members[id] for id in wanted if id in members]

    def _answer(self, message: Message) -> None:
        if self._member.media:
            self._member.media.send_text(write(message))
