"""Who is at the door of a meeting and who is inside, and what a service needs of whatever stands for them outside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mediaserver import MediaEvent, Participant
from signaling.services.doors import Credential, Endpoint, Pass, Role
from signaling.services.scheduler import Alarm

if TYPE_CHECKING:
    from signaling.services.meeting import Meeting

Event = Mapping[str, Any]
"""What participants are told, as the contract has it: a string `type` and its fields."""

View = Literal["streams", "one_view", "auto"]


class Observer(Protocol):
    """Somebody outside who hears what everybody inside is told."""

    def tell(self, event: Event) -> None: ...

    def end(self, reason: str) -> None:
        """The conference is over."""


class Outlet(Protocol):
    """The way to a participant. It stays the same while sockets come and go."""

    def tell(self, event: Event) -> None:
        """Passes on what everybody is told; lost if nobody listens."""

    def pass_on(self, message: Event) -> None:
        """Hands over what another participant has said to this one alone; kept for a while if nobody listens."""

    def heard(self, event: MediaEvent) -> None:
        """Acts on news of the participant's own connections."""

    def moved(self) -> None:
        """The participant's media goes through the server from now on."""

    def end(self, reason: str) -> None:
        """Tells who listens that this is over for them, and why."""


class Nobody:
    """The outlet of who has gone."""

    def tell(self, event: Event) -> None:
        pass

    def pass_on(self, message: Event) -> None:
        pass

    def heard(self, event: MediaEvent) -> None:
        pass

    def moved(self) -> None:
        pass

    def end(self, reason: str) -> None:
        pass


NOBODY = Nobody()


@dataclass(slots=True, eq=False)
class Visitor:
    """Somebody with a good credential who is not online yet; `admitted` is what it opens."""

    meeting: "Meeting"
    credential: Credential
    admitted: Pass
    participant_id: str
    name: str
    admitted_at: float
    """Monotonic seconds."""
    end: Callable[[str], None]
    """Tells them that this is over, and why."""
    by_http: bool = False
    """They will publish over HTTP: without a socket, and without receiving anything."""

    @property
    def role(self) -> Role:
        return self.admitted.role


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody says about themselves on joining. `name` None: as told before."""

    name: str | None = None
    view: View = "auto"
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Member:
    """A participant who is online. `media` None: the meeting's media does not go through here."""

    id: str
    name: str
    role: Role
    joined_at: float
    """Unix seconds."""
    media: Participant | None
    endpoint: Endpoint | None
    grace: Alarm
    """Rings when nobody has come back in time."""
    expiry: Alarm
    """Rings when their time is over."""
    attributes: dict[str, Any] = field(default_factory=dict)
    view: View = "auto"
    raised: bool = False
    messages: int = 0
    """They have written so many to everybody."""
    guest: bool = False
    avatar: str | None = None
    powers: frozenset[str] = frozenset()
    """Messages they may send although their role may not."""
    expires_at: float | None = None
    """Unix seconds."""
    data: str | None = None
    """What the maker of their credential wants to know them by."""
    listening: bool = True
    """Whether a socket is attached, as opposed to a grace period running."""
    by_http: bool = False
    """They publish over HTTP: nobody comes back to this seat."""
    outlet: Outlet = NOBODY
