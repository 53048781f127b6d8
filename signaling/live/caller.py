"""Whoever is at the other end of one socket: first a visitor, then a participant. What message handlers act on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaserver import Clock, Participant
from signaling.live.conversation import Conversation, part
from signaling.live.socket import LiveSocket
from signaling.live.subscriber import Subscriber
from signaling.live.welcome import joined
from signaling.services.conferences import Conferences
from signaling.services.entrance import Entrance
from signaling.services.meeting import Meeting, NotInMesh
from signaling.services.members import Member, Profile, Visitor
from signaling.services.scheduler import Scheduler

if TYPE_CHECKING:
    from signaling.live.recording import MembersRecording


@dataclass(slots=True, eq=False)
class Caller:
    """`conversation` is None before the join; from then on the visitor is history."""

    socket: LiveSocket
    visitor: Visitor
    entrance: Entrance
    clock: Clock
    scheduler: Scheduler
    asked_for: Callable[[], None]
    """Says that the message at hand is one that we have asked for: it does not count against the caller."""
    recording: "Sequence[MembersRecording]" = ()
    """The families that let members record."""
    conversation: Conversation | None = None

    @property
    def conferences(self) -> Conferences:
        return self.entrance.conferences

    @property
    def meeting(self) -> Meeting:
        return self.visitor.meeting

    @property
    def member(self) -> Member:
        assert self.conversation, "only participants send this"
        return self.conversation.member

    @property
    def media(self) -> Participant:
        """The caller in the media plane; there is none in a MESH conference."""
        if self.member.media is None:
            raise NotInMesh("sending to or receiving from the server")
        return self.member.media

    @property
    def subscriber(self) -> Subscriber:
        assert self.media
        assert self.conversation
        assert self.conversation.subscriber
        return self.conversation.subscriber

    async def join(self, profile: Profile, request_id: str | int | None) -> None:
        """Goes online and is welcomed; events and offers follow."""
        arrival = await self.entrance.join(self.visitor, profile, self._converse)
        conversation = arrival.member.outlet
        assert isinstance(conversation, Conversation), "another kind of participant cannot be resumed here"
        self.conversation = conversation
        welcome = joined(self.conferences, self.meeting, arrival.member, self.clock.wall())
        if request_id is not None:
            welcome["request_id"] = request_id
        self.socket.send(welcome)
        conversation.attach(self.socket)

    def leave(self) -> None:
        """Goes offline, if online, and closes."""
        if self.conversation:
            self.conferences.dismiss(self.meeting, self.member, "left")
        else:
            part(self.socket, "left")

    def gone(self, *, page_gone: bool) -> None:
        """The socket is closed, whoever has closed it."""
        if self.conversation:
            self.conversation.detach(self.socket, page_gone=page_gone)
        else:
            self.entrance.turned_away(self.visitor)

    def _converse(self, member: Member) -> Conversation:
        return Conversation(self.conferences, self.meeting, member, self.clock, self.scheduler)
