"""What goes on between the server and one participant, however many sockets it takes.

Passes on what everybody is told, owns the subscribe side, hands data messages on, and says the last word. Reading
the client's messages is `client.py`'s and `messages.py`'s.
"""

from mediaserver import Clock, DataReceived, MediaEvent, Participant, weakly
from signaling.live.data_channel import DataChannel
from signaling.live.framing import FOR_ONE, Channel
from signaling.live.held import Held
from signaling.live.protocol import Close, Message, write
from signaling.live.socket import LiveSocket
from signaling.live.subscriber import Subscriber
from signaling.services import events
from signaling.services.conferences import Conferences
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Member
from signaling.services.scheduler import Scheduler


class Conversation:
    """The outlet of a member.

    Without a socket, what everybody is told is lost, as `joined` tells the state to who comes back; what others say to
    this participant alone is held.
    """

    def __init__(
        self, conferences: Conferences, meeting: Meeting, member: Member, clock: Clock, scheduler: Scheduler
    ) -> None:
        self.meeting = meeting
        self.member = member
        self.subscriber: Subscriber | None = None
        self._socket: LiveSocket | None = None
        self._conferences = conferences
        self._page_gone = False
        self._held = Held()
        self._clock = clock
        self._scheduler = scheduler
        self._data = DataChannel(meeting, member, clock)
        if member.media:
            self.subscriber = self._subscriber(member.media)

    def attach(self, socket: LiveSocket) -> None:
        """`socket` leads to the participant from now on."""
        self._socket = socket
        held = self._held.take(self.meeting.members)
        if self.meeting.mode == "MESH" and not self._page_gone:  # a new page has none of the connections it is about
            for message in held:
                self.send(message)
        if self.subscriber:
            self.subscriber.attached(fresh=self._page_gone)
        self._page_gone = False

    def detach(self, socket: LiveSocket, *, page_gone: bool) -> None:
        """`socket` is gone; with `page_gone` the client has said that its connections are, too."""
        if socket is not self._socket:
            return
        self._silence()
        self._page_gone = page_gone
        self._conferences.lost(self.meeting, self.member)

    def send(self, message: Message) -> None:
        """To this participant alone."""
        if self._socket:
            self._socket.send(message)

    # what services ask of an outlet

    def tell(self, event: Event) -> None:
        if self._socket:
            self._socket.send(dict(event), Channel.PERSONAL if event["type"] in FOR_ONE else Channel.ROOM)
        if self._data.mirrors and self.member.media:
            self.member.media.send_text(write(event))

    def pass_on(self, message: Event) -> None:
        if self._socket:
            self._socket.send(dict(message))
        else:
            self._held.keep(dict(message))

    def heard(self, event: MediaEvent) -> None:
        if isinstance(event, DataReceived):
            self._data.received(event.text)
        elif self.subscriber:
            self.subscriber.heard(event)

    def moved(self) -> None:
        assert self.member.media, "that is where it has moved to"
        self.subscriber = self._subscriber(self.member.media)
        if self._socket:
            self.subscriber.attached(fresh=False)

    def end(self, reason: str) -> None:
        socket = self._socket
        self._silence()
        if socket:
            part(socket, reason)

    def _subscriber(self, media: Participant) -> Subscriber:
        return Subscriber(
            media,
            send=weakly(self.send),
            given_up=weakly(self._give_up),
            clock=self._clock,
            scheduler=self._scheduler,
        )

    def _give_up(self) -> None:
        self._conferences.dismiss(self.meeting, self.member, "timeout")

    def _silence(self) -> None:
        self._socket = None
        if self.subscriber:
            self.subscriber.detached()


def part(socket: LiveSocket, reason: str) -> None:
    """The last word on a socket, and the close."""
    socket.send(dict(events.terminated(reason)))
    socket.close(Close.SHUTDOWN if reason == "server_shutdown" else Close.NORMAL)
