"""One live meeting: who is at its door, who is inside, and what those inside do to each other.

What they are told goes to every member in the order in which it happens. Coming, going and the end are decided by
`conferences.py`, the timers by `lifecycle.py`.
"""

from dataclasses import dataclass, field
from typing import Any

from mediaserver import Conference, StreamInfo
from signaling.services import events
from signaling.services.errors import Conflict, Forbidden, NotFound
from signaling.services.lifecycle import Lifecycle
from signaling.services.members import Event, Member, Role, View, Visitor
from signaling.services.mesh import Mesh
from signaling.services.realtime_rooms import ConferenceType
from signaling.services.scheduler import Alarm


class NotInMesh(Conflict):
    """Media does not go through the server."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not possible while participants are connected directly.")


class ModeChanged(Conflict):
    """Media goes through the server now."""

    def __init__(self) -> None:
        super().__init__("Participants are not connected directly any more.")


class ViewUnavailable(Conflict):
    def __init__(self) -> None:
        super().__init__("There is no common picture in this conference.")


@dataclass(slots=True, eq=False)
class Meeting:
    """`media` None: its participants are connected directly, in a `mesh`."""

    id: str
    name: str | None
    mode: ConferenceType
    max_participants: int
    media: Conference | None
    lifecycle: Lifecycle
    alarm: Alarm
    """Rings when the lifecycle is due."""
    started_at: float | None = None
    """Unix seconds."""
    members: dict[str, Member] = field(default_factory=dict)
    visitors: set[Visitor] = field(default_factory=set)
    mesh: Mesh | None = None

    def tell(self, event: Event, *, but: Member | None = None) -> None:
        """Everybody inside is told, in order."""
        for member in list(self.members.values()):
            if member is not but:
                member.outlet.tell(event)

    def streams(self) -> list[StreamInfo]:
        direct = self.mesh.streams() if self.mesh else []
        return direct + (self.media.streams() if self.media else [])

    def direct(self, kind: str) -> Mesh:
        """The mesh through which a message of this kind goes from one to another."""
        if self.mesh is None:
            raise ModeChanged
        return self.mesh

    def member(self, member_id: str) -> Member:
        if member_id not in self.members:
            raise NotFound("participant", member_id)
        return self.members[member_id]

    def say(self, member: Member, kind: str, content: Any, wall: float) -> None:
        """`kind` is chat or custom."""
        self.tell(events.said(kind, member, content, wall))

    def hush(self, member: Member) -> None:
        """Asks everybody else to mute."""
        self.tell(events.stfu(self.id, member))

    def raise_hand(self, member: Member, raised: bool) -> None:
        if member.raised != raised:
            member.raised = raised
            self.tell(events.hand_update(member))

    def set_attributes(self, member: Member, attributes: dict[str, Any]) -> None:
        """Replaces all of them."""
        if member.attributes != attributes:
            member.attributes = attributes
            self.tell(events.attributes_update(member))

    def set_view(self, member: Member, view: View) -> None:
        self.check_view(view)
        member.view = view

    def check_view(self, view: View) -> None:
        """Raises for a view that needs a composite picture."""
        if view == "one_view":
            raise NotInMesh("a common picture") if self.mode == "MESH" else ViewUnavailable

    def unpublish(self, member: Member, stream_id: str) -> None:
        """The stream is over for everybody."""
        if self.mesh and self.mesh.ended(member.id, stream_id):
            return
        if member.media is None:
            raise NotFound("stream", stream_id)
        member.media.unpublish(stream_id)

    def mute(self, member: Member, stream_id: str, *, audio: bool | None, video: bool | None) -> None:
        """One's own stream; moderators may mute, never unmute, those of others."""
        owner = self._publisher(stream_id) or (member if self.mesh else None)
        if owner is None:
            raise NotFound("stream", stream_id)
        if owner is not member:
            _check_may_mute(member, audio, video)
        if self.mesh:
            if stream := self.mesh.mute(owner.id, stream_id, audio=audio, video=video):
                self.tell(events.mute_update(stream))
        elif owner.media:
            owner.media.mute(stream_id, audio=audio, video=video)

    def _publisher(self, stream_id: str) -> Member | None:
        owners = (stream.participant_id for stream in self.streams() if stream.stream_id == stream_id)
        return self.members.get(next(owners, ""))


def _check_may_mute(member: Member, audio: bool | None, video: bool | None) -> None:
    if member.role < Role.MODERATOR:
        raise Forbidden("Only moderators may mute others.")
    if audio is False or video is False:
        raise Forbidden("Nobody can be unmuted by others.")
