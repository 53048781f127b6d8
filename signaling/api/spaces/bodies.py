"""What the spaces family reads and writes: its models, and how records look outside."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from signaling.api.bodies import integer, text
from signaling.services.events import iso
from signaling.services.spaces.access import DEFAULT_TTL, TTLS
from signaling.services.spaces.spaces import Room, Space

MAX_TEXT = 10_000  # characters
MAX_TTL = 100 * 366 * 86400  # seconds


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


def _email(value: str) -> str:
    local, _, domain = value.strip().rpartition("@")
    if not local or "." not in domain or any(each.isspace() for each in value.strip()):
        raise ValueError("is no e-mail address")
    return value.strip()


def name(limit: int) -> Any:
    return Annotated[text(limit), AfterValidator(_filled)]


Text = text(MAX_TEXT)
Short = text(255)


class NewUser(BaseModel):
    email: Annotated[text(320), AfterValidator(_email)]  # type: ignore[valid-type]
    username: name(100)  # type: ignore[valid-type]
    password: Annotated[text(1024), Field(min_length=6)]  # type: ignore[valid-type]
    phone: text(64) | None = None  # type: ignore[valid-type]


class NewSpace(BaseModel):
    name: name(255)  # type: ignore[valid-type]
    description: Text | None = None  # type: ignore[valid-type]
    logo: Text | None = None  # type: ignore[valid-type]
    isPublic: StrictBool = True


class ChangedSpace(BaseModel):
    name: name(255)  # type: ignore[valid-type]
    isPublic: StrictBool
    description: Text | None = None  # type: ignore[valid-type]
    logo: Text | None = None  # type: ignore[valid-type]


class NewRoom(BaseModel):
    model_config = ConfigDict(title="NewSpaceRoom")

    name: name(255)  # type: ignore[valid-type]
    isPublic: StrictBool = True
    type: Annotated[str, Field(strict=True, pattern="^(lesson|webinar)$")] = "lesson"
    isScreensharingAllowed: StrictBool = True
    isChatAllowed: StrictBool = True


class NewInvite(BaseModel):
    role: Short  # type: ignore[valid-type]
    roomId: Short | None = None  # type: ignore[valid-type]
    ttl: integer(1, MAX_TTL) | None = None  # type: ignore[valid-type]


class GivenRole(BaseModel):
    targetUserId: Short  # type: ignore[valid-type]
    role: Short  # type: ignore[valid-type]


class NewAccess(BaseModel):
    username: name(255)  # type: ignore[valid-type]
    role: Annotated[str, Field(strict=True, pattern="^(user|moderator)$")] = "user"
    externalUserId: Short | None = None  # type: ignore[valid-type]
    ttl: integer(*TTLS) = DEFAULT_TTL  # type: ignore[valid-type]
    isPermanent: StrictBool = False
    email: text(320) | None = None  # type: ignore[valid-type]
    phone: text(64) | None = None  # type: ignore[valid-type]


class Made(BaseModel):
    model_config = ConfigDict(title="SpacesId")

    id: str


class SpaceAnswer(BaseModel):
    model_config = ConfigDict(title="Space")

    id: str
    name: str
    description: str | None
    logo: str | None
    isPublic: bool
    ownerId: str
    createdAt: str


class SpaceList(BaseModel):
    items: list[SpaceAnswer]
    total: int


class MadeRoom(BaseModel):
    model_config = ConfigDict(title="SpaceRoomMade")

    alias: str
    id: str
    channelId: str


class RoomAnswer(BaseModel):
    model_config = ConfigDict(title="SpaceRoom")

    id: str
    alias: str
    channelId: str
    spaceId: str
    creatorId: str
    name: str
    isPublic: bool
    type: str
    isScreensharingAllowed: bool
    isChatAllowed: bool
    createdAt: str
    activeCallId: str | None


class RoomList(BaseModel):
    model_config = ConfigDict(title="SpaceRoomList")

    items: list[RoomAnswer]
    total: int


def space(record: Space) -> SpaceAnswer:
    return SpaceAnswer(
        id=record.id,
        name=record.name,
        description=record.description,
        logo=record.logo,
        isPublic=record.is_public,
        ownerId=record.owner_id,
        createdAt=iso(record.created_ms / 1000),
    )


def room(record: Room, active: str | None) -> RoomAnswer:
    return RoomAnswer(
        id=record.id,
        alias=record.alias,
        channelId=record.channel_id,
        spaceId=record.space_id,
        creatorId=record.creator_id,
        name=record.name,
        isPublic=record.is_public,
        type=record.kind,
        isScreensharingAllowed=record.screen_allowed,
        isChatAllowed=record.chat_allowed,
        createdAt=iso(record.created_ms / 1000),
        activeCallId=active,
    )


def room_values(wanted: NewRoom) -> dict[str, Any]:
    """As the service takes them."""
    return {
        "name": wanted.name,
        "is_public": wanted.isPublic,
        "kind": wanted.type,
        "screen_allowed": wanted.isScreensharingAllowed,
        "chat_allowed": wanted.isChatAllowed,
    }
