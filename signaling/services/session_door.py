"""The sessions family's door: signed tokens, shared by whoever has them until they expire."""

from signaling import jwts
from signaling.services.doors import Credential, Endpoint, Pass, Role, Venue
from signaling.services.errors import Conflict, Gone, Refused
from signaling.services.lifecycle import Timers
from signaling.services.sessions import Sessions
from signaling.settings import Settings
from signaling.store.sessions import SessionRecord

MODERATOR_POWERS = frozenset({"record_start", "record_stop"})


class SessionDoor:
    family = "sessions"

    def __init__(self, sessions: Sessions, settings: Settings) -> None:
        self._sessions = sessions
        self._settings = settings

    async def admit(self, credential: Credential) -> Pass | None:
        if credential.kind not in ("token", "bearer") or not jwts.looks_like_jwt(credential.text):
            return None
        try:
            opened = await self._sessions.opened_by(credential.text)
        except jwts.ExpiredJwt:
            raise Refused(credential.text) from None
        if opened is None:
            return None
        ticket, session = opened
        if session.end_ms is not None:
            raise Gone
        powers = MODERATOR_POWERS if ticket.role >= Role.MODERATOR else frozenset()
        return Pass(self._venue(session), role=ticket.role, powers=powers, data=ticket.data)

    async def exists(self, conference_id: str) -> bool:
        return await self._sessions.by_session_id(conference_id) is not None

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> Endpoint | None:
        session = await self._sessions.by_session_id(admitted.venue.id)
        if session is None or session.end_ms is not None:
            raise Gone
        return None

    async def upgrade(self, conference_id: str) -> Venue:
        raise Conflict("A session stays as it was made.")

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        raise Conflict("Nothing here has to be renewed.")

    def _venue(self, session: SessionRecord) -> Venue:
        """With encryption from end to end, participants are connected directly: nothing of it comes here."""
        return Venue(
            id=session.session_id,
            family=self.family,
            name=None,
            mode="MESH" if session.e2ee else "SFU",
            max_participants=(
                self._settings.realtime.max_participants.mesh if session.e2ee else self._settings.max_participants
            ),
            timers=self._timers() if session.is_archived else None,
        )

    def _timers(self) -> Timers:
        """The archive goes on for a while when nobody is there: as long as that, somebody may come back to it."""
        settings = self._settings
        departure = max(settings.departure_timeout_seconds, settings.archives.idle_seconds)
        return Timers(settings.empty_timeout_seconds, departure, settings.max_duration_seconds)
