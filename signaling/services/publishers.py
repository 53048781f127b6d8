"""Participants who publish over HTTP (WHIP) and have nothing else: no socket, nothing to receive.

Such a participant comes online with the first offer and stays for as long as the media plane hears of them; being
heard of no more, being sent away and ending the session are all one. An encoder that comes again under its id takes
its own place. What a PATCH means is `http_sessions.py`'s.
"""

import uuid
from collections.abc import Callable
from typing import Literal

from mediaserver import ConnectionLost, IceFragment, MediaEvent, OneStream, Participant, StreamDescription
from signaling import tokens
from signaling.services.admission import Admission
from signaling.services.doors import Credential, Role
from signaling.services.entrance import Entrance
from signaling.services.errors import Forbidden
from signaling.services.http_sessions import HttpSession, HttpSessions, Opened, agreeing, read_publisher
from signaling.services.meeting import Meeting, NotInMesh
from signaling.services.members import Event, Member, Profile, Visitor

Label = Literal["camera", "screen"]

DEFAULT_NAME = "WHIP"
PUBLISH = "publish"


class Publisher:
    """The outlet of such a participant: there is nobody to tell anything. `answer` is for the offer."""

    def __init__(
        self, media: Participant, offer: OneStream, sdp: str, label: Label, lost: Callable[[str], None]
    ) -> None:
        self.on_end: Callable[[], None] = lambda: None
        """Called when the participant is offline."""
        self._media = media
        self._lost = lost
        stream = StreamDescription(str(uuid.uuid4()), label, media.id, offer.audio_mid, offer.video_mid)
        with agreeing():
            self.answer = media.negotiate(sdp, [stream]).sdp

    # what a session needs

    def restart(self, fragment: IceFragment) -> str:
        return self._media.restart_publish(fragment)

    def finish(self) -> None:
        self._lost("left")

    # what services ask of an outlet

    def tell(self, event: Event) -> None:
        pass

    def pass_on(self, message: Event) -> None:
        pass

    def moved(self) -> None:
        pass

    def heard(self, event: MediaEvent) -> None:
        if isinstance(event, ConnectionLost) and event.pc == PUBLISH:
            self._lost("timeout")

    def end(self, reason: str) -> None:
        self.on_end()


class Publishers:
    """`sessions` are those of the publishers who are online."""

    def __init__(self, entrance: Entrance, admission: Admission) -> None:
        self.sessions = HttpSessions()
        self._entrance = entrance
        self._admission = admission

    async def publish(
        self, credential: str, conference_id: str, sdp: str, *, seat: str | None, name: str, label: Label
    ) -> Opened:
        """Brings whoever has the credential online with what they offer. `seat` is who they want to be."""
        shown = Credential("bearer", credential, at=conference_id)
        visitor = await self._entrance.visit(shown, seat, name, end=lambda _reason: None, by_http=True)
        try:
            return await self._enter(visitor, tokens.digest(credential), sdp, label)
        finally:
            self._entrance.turned_away(visitor)

    async def check_exists(self, conference_id: str) -> None:
        """Raises NotFound if there is no such conference."""
        await self._admission.check_exists(conference_id)

    async def _enter(self, visitor: Visitor, owner: str, sdp: str, label: Label) -> Opened:
        meeting = visitor.meeting
        if meeting.media is None:
            raise NotInMesh("publishing over HTTP")
        if visitor.role < Role.PUBLISHER:
            raise Forbidden("This credential is for receiving only.")
        offer = read_publisher(sdp)
        arrival = await self._entrance.join(
            visitor, Profile(), lambda member: self._outlet(meeting, member, offer, sdp, label)
        )
        publisher = arrival.member.outlet
        assert isinstance(publisher, Publisher), "who publishes over HTTP never takes a seat that was kept"
        session = HttpSession(meeting.id, owner, offer.credentials, publisher)
        self.sessions.add(session)
        publisher.on_end = lambda: self.sessions.forget(session)
        return Opened(session, publisher.answer, arrival.member.id)

    def _outlet(self, meeting: Meeting, member: Member, offer: OneStream, sdp: str, label: Label) -> Publisher:
        """Made before anybody hears of the member: an offer that is refused has never happened."""
        if member.media is None:
            raise NotInMesh("publishing over HTTP")
        try:
            return Publisher(
                member.media, offer, sdp, label, lambda why: self._entrance.conferences.dismiss(meeting, member, why)
            )
        except BaseException:
            member.media.leave()
            raise
