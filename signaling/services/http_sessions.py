"""The sessions of clients that have nothing but HTTP: found by their id, restarted, ended. WHIP and WHEP contract.

Decides what a PATCH means: candidates for the ICE session that the entity tag names, or a restart. What a session
stands for (a publisher, a viewer) is its maker's, in `publishers.py` and `viewers.py`. Restarts may arrive out of
order and twice: the last one wins, and the same one again gets the same answer. RFC 9725 section 4.3, RFC 9110
section 13.
"""

import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from mediaserver import BadDescription, IceFragment, OneStream, UnfitDescription, read_fragment, read_one_stream
from signaling import tokens
from signaling.services.errors import Forbidden, Invalid, NotFound, ServiceError

ID_BYTES = 16  # of a session id, from a cryptographic generator
TAG_BYTES = 8
ANY_TAG = "*"


class BadOffer(Invalid):
    """The body is no session description."""


class UnfitOffer(Invalid):
    """It is one, but cannot be agreed to."""


class BadFragment(Invalid):
    """The body says nothing of ICE that could be understood."""


class NoPrecondition(Invalid):
    def __init__(self) -> None:
        super().__init__("If-Match is missing: the entity tag of the session, or * to restart ICE.")


class WrongPrecondition(Invalid):
    def __init__(self) -> None:
        super().__init__("The session has another entity tag: ICE has been restarted since.")


class OutOfCapacity(ServiceError):
    """Later perhaps."""


class Peer(Protocol):
    """What a session stands for."""

    def restart(self, fragment: IceFragment) -> str:
        """Follows the client to new ICE credentials; returns ours as a fragment."""

    def finish(self) -> None:
        """Ends it at once: its client has said so."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """`fragment` tells the client our end, `tag` names the ICE session from now on."""

    fragment: str
    tag: str


@dataclass(slots=True, eq=False)
class HttpSession:
    """`owner` is the digest of the credential it was made with, `credentials` are those of the client's ICE agent."""

    conference_id: str
    owner: str
    credentials: tuple[str, str]
    peer: Peer
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))
    tag: str = field(default_factory=lambda: secrets.token_hex(TAG_BYTES))
    restarts: int = 0

    def patch(self, tags: Collection[str] | None, text: str) -> Restarted | None:
        """What to tell the client; None for candidates, about which there is nothing to say."""
        if tags is None:
            raise NoPrecondition
        if self.tag not in tags and ANY_TAG not in tags:
            raise WrongPrecondition
        try:
            return self._follow(read_fragment(text), repeatable=ANY_TAG in tags)
        except BadDescription as error:
            raise BadFragment(f"The body cannot be used: {error}.") from error

    def _follow(self, fragment: IceFragment, *, repeatable: bool) -> Restarted | None:
        told = fragment.credentials
        if told is None:
            return None
        if told == self.credentials:  # once more, if it was a restart: its answer may have been lost
            return Restarted(self.peer.restart(fragment), self.tag) if repeatable and self.restarts else None
        answer = self.peer.restart(fragment)
        self.credentials, self.tag = told, secrets.token_hex(TAG_BYTES)
        self.restarts += 1
        return Restarted(answer, self.tag)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session and what its client needs: the answer to its offer. `seat` is who it is to TURN servers."""

    session: HttpSession
    answer: str
    seat: str


class HttpSessions:
    """All sessions of one kind, by id. A session is there exactly as long as what it stands for."""

    def __init__(self) -> None:
        self._sessions: dict[str, HttpSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def add(self, session: HttpSession) -> None:
        self._sessions[session.id] = session

    def forget(self, session: HttpSession) -> None:
        self._sessions.pop(session.id, None)

    def find(self, conference_id: str, session_id: str) -> HttpSession:
        session = self._sessions.get(session_id)
        if session is None or session.conference_id != conference_id:
            raise NotFound("session", session_id)
        return session

    def own(self, conference_id: str, session_id: str, credential: str) -> HttpSession:
        """The session, for whoever has made it."""
        session = self.find(conference_id, session_id)
        if not tokens.same(session.owner, tokens.digest(credential)):
            raise Forbidden("The session was made with another credential.")
        return session


def read_publisher(sdp: str) -> OneStream:
    """What an encoder offers."""
    with reading():
        return read_one_stream(sdp, "publish")


def read_player(sdp: str) -> OneStream:
    """What a player asks for."""
    with reading():
        return read_one_stream(sdp, "play")


@contextmanager
def reading() -> Iterator[None]:
    """Tells a text that is no session description from one that cannot be agreed to."""
    try:
        yield
    except UnfitDescription as error:
        raise UnfitOffer(f"The offer cannot be agreed to: {error}.") from error
    except BadDescription as error:
        raise BadOffer(f"The body is no session description: {error}.") from error


@contextmanager
def agreeing() -> Iterator[None]:
    """Whatever is found about an offer from here on, it could be read."""
    try:
        yield
    except BadDescription as error:
        raise UnfitOffer(f"The offer cannot be agreed to: {error}.") from error
