"""One live meeting: who is at its door, who is inside, and what those inside do to each other.

What they are told goes to every member in the order in which it happens. Coming, going and the end are decided by
`conferences.py`, the timers by `lifecycle.py`.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mediaserver import Conference, Rights, StreamInfo
from signaling.services import events
from signaling.services.doors import Mode, Role, Venue
from signaling.services.errors import Conflict, Forbidden, NotFound
from signaling.services.lifecycle import Lifecycle
from signaling.services.members import Event, Member, Observer, View, Visitor
from signaling.services.mesh import Mesh
from signaling.services.scheduler import Alarm


class NotInMesh(Conflict):
    """Media does not go through the server."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not possible while participants are connected directly.")


class EndToEndEncrypted(Conflict):
    """Only its participants can see and hear what is sent."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not possible in a conference that is encrypted end to end.")


class ModeChanged(Conflict):
    """Media goes through the server now."""

    def __init__(self) -> None:
        super().__init__("Participants are not connected directly any more.")


@dataclass(slots=True, eq=False)
class Meeting:
    """`media` None: its participants are connected directly, in a `mesh`. For a while after the move it has both."""

    venue: Venue
    mode: Mode
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
    upgrade_count: int | None = None
    """With so many online it moves to the server; None: it does not."""
    stragglers: Alarm | None = None
    """Rings when nothing goes directly any more."""
    locked: bool = False
    """Nobody new gets in."""
    denied: frozenset[str] = frozenset()
    """What nobody may do here: `chat`, `screen`."""
    observers: set[Observer] = field(default_factory=set)
    recording: Mapping[str, Any] | None = None
    """The one that runs, as those inside are told of it."""
    viewed: Callable[["Meeting"], None] = lambda _meeting: None
    """Called when somebody wishes another view."""
    call_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Of this run: a container may have many, one after the other, under the same id."""

    @property
    def id(self) -> str:
        return self.venue.id

    @property
    def name(self) -> str | None:
        return self.venue.name

    @property
    def family(self) -> str:
        return self.venue.family

    @property
    def room_id(self) -> str:
        """What its container is called in events."""
        return self.venue.room_id or self.venue.id

    def tell(self, event: Event, *, but: Member | None = None) -> None:
        """Everybody inside, and who observes from outside, is told, in order."""
        for member in list(self.members.values()):
            if member is not but:
                member.outlet.tell(event)
        self.tell_observers(event)

    def tell_observers(self, event: Event) -> None:
        """Those who observe from outside are told, and nobody inside."""
        for observer in list(self.observers):
            observer.tell(event)

    def tell_recording(self, recording: Mapping[str, Any]) -> None:
        """Everybody hears how it is with a recording; who comes later, of the one that runs then."""
        if recording["duration"] is None:
            self.recording = recording
        elif self.recording and self.recording["id"] == recording["id"]:
            self.recording = None
        self.tell(events.recording_update(dict(recording)))

    def streams(self) -> list[StreamInfo]:
        direct = self.mesh.streams() if self.mesh else []
        return direct + (self.media.streams() if self.media else [])

    def direct(self, kind: str) -> Mesh:
        """The mesh through which a message of this kind goes from one to another.

        After the move, what has been begun may still be ended.
        """
        if self.mesh is None or (kind == "offer" and self.mode == "SFU"):
            raise ModeChanged
        return self.mesh

    def enroll(self, member: Member) -> None:
        """Gives the member a place in the media plane, if the meeting's media goes there."""
        if self.media:
            rights = Rights(publish=member.role >= Role.PUBLISHER, subscribe=not member.by_http)
            member.media = self.media.join(member.id, rights)

    def move(self, media: Conference, max_participants: int, reason: str) -> None:
        """From now on media goes through the server: everybody is told, and offers their streams to it."""
        assert self.media is None, "it has moved already"
        self.mode, self.media, self.max_participants, self.upgrade_count = "SFU", media, max_participants, None
        self.tell(events.mode_update(self.mode, reason))
        for member in self.members.values():
            self.enroll(member)
            member.outlet.moved()

    def settle(self) -> None:
        """What has not moved by now goes nowhere."""
        self.mesh = None

    def started(self, stream: StreamInfo) -> None:
        """A stream has come to the server; what of it was muted while it went directly is still."""
        member = self.members.get(stream.participant_id)
        if self.mesh is None or member is None or member.media is None:
            return
        audio, video = self.mesh.handed_over(member.id, stream.stream_id)
        if audio or video:
            member.media.mute(stream.stream_id, audio=audio, video=video)

    def give_role(self, member: Member, role: Role) -> None:
        """From now on they may do what this role may. Streams of somebody who may publish no more are over."""
        if member.role is role:
            return
        member.role = role
        if member.media:
            member.media.allow_publishing(role >= Role.PUBLISHER)
        self.tell(events.role_update(member))

    def member(self, member_id: str) -> Member:
        if member_id not in self.members:
            raise NotFound("participant", member_id)
        return self.members[member_id]

    def deny(self, denied: frozenset[str]) -> None:
        """From now on nobody may do these; screens that are shown are over if they are among them."""
        self.denied = denied
        for stream in self.streams() if "screen" in denied else ():
            if stream.label == "screen":
                self.unpublish(self.member(stream.participant_id), stream.stream_id)

    def set_options(self, options: Mapping[str, Any]) -> None:
        """Tells everybody the conference's options as they are now, if they have changed."""
        if options != self.venue.options:
            self.venue = replace(self.venue, options=options)
            self.tell(events.options_update(dict(options)))

    def check_allowed(self, what: str) -> None:
        """Raises Forbidden for what nobody may do here."""
        if what in self.denied:
            raise Forbidden("This is not allowed in this conference.")

    def say(self, member: Member, kind: str, content: Any, wall: float) -> None:
        """`kind` is chat or custom."""
        self.check_allowed(kind)
        member.messages += kind == "chat"
        self.tell(events.said(kind, member.id, content, wall))

    def hush(self, member: Member) -> None:
        """Asks everybody else to mute."""
        self.tell(events.stfu(self.room_id, member))

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
        self.viewed(self)

    def check_view(self, view: View) -> None:
        """Raises for a view that needs a composite picture."""
        if view == "one_view":
            self.check_readable("a common picture")

    def check_readable(self, what: str) -> None:
        """Raises if the server cannot do this, because it sees and hears nothing: recording, mixing, drawing."""
        if self.mode == "MESH":
            raise NotInMesh(what)
        if self.venue.e2ee:
            raise EndToEndEncrypted(what)

    def unpublish(self, member: Member, stream_id: str) -> None:
        """The stream is over for everybody."""
        if self.mesh and self.mesh.ended(member.id, stream_id):
            return
        if member.media is None:
            raise NotFound("stream", stream_id)
        member.media.unpublish(stream_id)

    def mute(self, member: Member, stream_id: str, *, audio: bool | None, video: bool | None) -> None:
        """One's own stream; moderators may mute, never unmute, those of others."""
        published = self.media.streams() if self.media else []
        owner_id = next((stream.participant_id for stream in published if stream.stream_id == stream_id), None)
        if owner_id is None and self.mesh:
            self._mute_directly(self.mesh, member, stream_id, audio=audio, video=video)
            return
        owner = self.members.get(owner_id or "")
        if owner is None or owner.media is None:
            raise NotFound("stream", stream_id)
        _check_may_mute(member, owner, audio, video)
        owner.media.mute(stream_id, audio=audio, video=video)

    def _mute_directly(
        self, mesh: Mesh, member: Member, stream_id: str, *, audio: bool | None, video: bool | None
    ) -> None:
        """A stream that nobody knows is taken for the member's own: they may be alone."""
        owner = self.members.get(mesh.owner(stream_id) or "", member)
        _check_may_mute(member, owner, audio, video)
        if stream := mesh.mute(owner.id, stream_id, audio=audio, video=video):
            self.tell(events.mute_update(stream))


def _check_may_mute(member: Member, owner: Member, audio: bool | None, video: bool | None) -> None:
    if member is owner:
        return
    if member.role < Role.MODERATOR:
        raise Forbidden("Only moderators may mute others.")
    if audio is False or video is False:
        raise Forbidden("Nobody can be unmuted by others.")
