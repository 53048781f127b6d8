"""Who sees, changes and enters what in a space. Pure.

A standing is all that somebody is to a space and one of its rooms; every question about rights is answered from it.
Spaces contract, sections 3 to 6.
"""

from dataclasses import dataclass
from enum import StrEnum

from signaling.services.doors import Role


class SpaceRole(StrEnum):
    """What somebody holds in a whole space, or in one room of it."""

    USER = "user"
    MODERATOR = "moderator"


SPACE_ROLES = {"role_space_user": SpaceRole.USER, "role_space_moderator": SpaceRole.MODERATOR}
ROOM_ROLES = {"role_room_user": SpaceRole.USER, "role_room_moderator": SpaceRole.MODERATOR}
ROLES = SPACE_ROLES | ROOM_ROLES


def higher(one: SpaceRole | None, other: SpaceRole) -> SpaceRole:
    return SpaceRole.MODERATOR if SpaceRole.MODERATOR in (one, other) else other


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is to a space: `in_rooms`, whether they hold a role or have made a room anywhere in it."""

    owner: bool = False
    space_role: SpaceRole | None = None
    in_rooms: bool = False
    creator: bool = False
    """Of the room in question."""
    room_role: SpaceRole | None = None

    @property
    def manages_space(self) -> bool:
        return self.owner or self.space_role is SpaceRole.MODERATOR

    @property
    def moderates_room(self) -> bool:
        return self.creator or self.room_role is SpaceRole.MODERATOR

    @property
    def moderates(self) -> bool:
        """Calls in the room in question."""
        return self.moderates_room or self.manages_space

    def sees_space(self, *, public: bool) -> bool:
        return public or self.owner or self.space_role is not None or self.in_rooms

    def enters(self, *, space_public: bool, room_public: bool) -> bool:
        """Whether they may come in by themselves, without an access token. A private room is its own people's."""
        own = self.creator or self.room_role is not None
        if not room_public:
            return own
        return space_public or own or self.owner or self.space_role is not None


STRANGER = Standing()


def live_role(kind: str, *, moderator: bool) -> Role:
    """What somebody may do in a running call; `kind` is lesson or webinar."""
    if moderator:
        return Role.MODERATOR
    return Role.SUBSCRIBER if kind == "webinar" else Role.PUBLISHER
