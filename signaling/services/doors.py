"""How an API family lets people into conferences: what a credential opens, in words that all families share. Pure.

A family is a `Door`: it knows its own credentials and containers, and says of one who may come in where, as whom and
with which rights. Whether there is a seat, and everything after the door, is the same for all: `entrance.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal, Protocol

from signaling.services.lifecycle import Timers

Mode = Literal["MESH", "SFU"]
CredentialKind = Literal["access_key", "token", "alias", "bearer"]


class Role(IntEnum):
    """What a participant may do; each may do what those before it may."""

    SUBSCRIBER = 0
    PUBLISHER = 1
    MODERATOR = 2


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody at the door shows, and where it stood.

    `access_key` and `token` as in the query of /rt; `alias`: the name of a space's room, with `text` the token beside
    it or ""; `bearer`: of WHIP and WHEP, where a team's own API key counts, too. `at` is the conference it has to be
    for; None: whichever it opens.
    """

    kind: CredentialKind
    text: str
    alias: str = ""
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The seat of one participant; its token lets them come back to it until `expires_at` (unix seconds)."""

    id: str
    room_id: str
    participant_id: str
    token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Venue:
    """The conference that a credential leads to, as its family describes it; opened by whoever comes first."""

    id: str
    """Of the conference: unlike any of another family, and of another meeting in the same container."""
    family: str
    name: str | None
    mode: Mode
    max_participants: int
    upgrade_count: int | None = None
    """A MESH conference moves to the server with so many online; None: it does not."""
    room_id: str = ""
    """What its container is called in events; empty: like the conference."""
    timers: Timers | None = None
    """None: those of the settings."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What clients are told about it."""
    e2ee: bool = False
    """Participants encrypt what they send, also through the server."""
    locked: bool = False
    denied: frozenset[str] = frozenset()
    """What nobody may do there: `chat`, `screen`."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a credential opens, to whom. What it leaves open (None) its bearer may choose."""

    venue: Venue
    participant_id: str | None = None
    name: str | None = None
    avatar: str | None = None
    guest: bool = False
    role: Role = Role.PUBLISHER
    powers: frozenset[str] = frozenset()
    """Messages of `/rt` that they may send although their role may not."""
    own: str | None = None
    """Names the credential if it is one person's: who comes again takes their own place. None: many share it."""
    endpoint: Endpoint | None = None
    expires_at: float | None = None
    """When its bearer has to go, in unix seconds; an endpoint says so itself."""
    setup: Mapping[str, Any] | None = None
    """What its bearer is told first; None: what is told in every family that has nothing of its own to tell."""
    data: str | None = None
    """What the maker of the credential wants to know its bearer by."""


class Door(Protocol):
    """What the entrance asks of a family. Errors are the services'."""

    family: str

    async def admit(self, credential: Credential) -> Pass | None:
        """What the credential opens now; None if it is none of this family's. Raises if it was, or may not be here."""

    async def exists(self, conference_id: str) -> bool:
        """Whether a conference of this family has this id; anybody may ask."""

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> Endpoint | None:
        """Asked as somebody joins: the last moment to refuse. The endpoint they join under, in families that have them.

        `kept` is the one they have already.
        """

    async def upgrade(self, conference_id: str) -> Venue:
        """The MESH conference as one that goes through the server, now and for good."""

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        """The same endpoint for another period."""
