"""What the rooms family takes and answers, as the description of the API has it. Rooms contract, sections 2 and 3."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

from signaling.services.room_options import Address, Name, RoomOptions, Text


def _drop_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


_LEFT_OUT: Any = Field(default=None, json_schema_extra=_drop_default)
"""Of what is absent in some answers."""


class NewUser(BaseModel):
    """Who is to be registered; the same id again is the same user."""

    model_config = ConfigDict(title="NewRoomUser")

    id: Text = None
    name: Name
    avatar: Address = None


class NewMeeting(BaseModel):
    """The same `id` joins the same running meeting; options count only when this begins one."""

    model_config = ConfigDict(title="NewMeeting")

    id: Text = None
    name: Text = None
    user: NewUser
    options: RoomOptions = RoomOptions()


class GuestFields(BaseModel):
    model_config = ConfigDict(title="GuestFields")

    locale: Literal["en", "de", "fr"] | None = None


class NewGuest(BaseModel):
    model_config = ConfigDict(title="NewGuest")

    id: Text = None
    name: Name
    avatar: Address = None
    custom_fields: GuestFields = GuestFields()


class NewMessage(BaseModel):
    model_config = ConfigDict(title="NewMessage")

    type: Annotated[str, Field(strict=True, pattern="^[a-z0-9_]{1,64}$", description="No name of a server event")]
    content: Annotated[str, Field(strict=True, min_length=1, description="At most 32 KiB in UTF-8")]


class RoomSip(BaseModel):
    uri: str
    domain: str
    authorizationUser: str


class UserSip(RoomSip):
    wsServers: list[str]
    instanceId: str
    userAgentString: str
    displayName: str
    stunServers: list[str]
    turnServers: list[str]
    registerExpires: str
    password: str


class ListedRoom(BaseModel):
    """A running room, as its team sees it."""

    id: str
    name: str
    ready: bool
    started_at: str
    shutdown: bool
    guest_token: str | SkipJsonSchema[None] = _LEFT_OUT


class Room(ListedRoom):
    model_config = ConfigDict(title="Room")

    sip: RoomSip


class RunningRooms(RootModel[list[ListedRoom]]):
    """Oldest first."""


class Team(BaseModel):
    name: str


class CallingUser(BaseModel):
    model_config = ConfigDict(title="CallingUser")

    id: str
    room_id: str
    name: str
    avatar: str | None
    guest: bool
    blocked: bool
    ready: bool
    sip: UserSip


class Links(BaseModel):
    model_config = ConfigDict(title="MeetingLinks")

    self: str
    gui: str
    guest_join: str | SkipJsonSchema[None] = _LEFT_OUT
    websocket: str


class ToldOptions(RoomOptions):
    """The options, and what the layout is now."""

    model_config = ConfigDict(title="ToldRoomOptions")

    layout: str
    layout_name: str | None
    layout_map: list[Any] | None
    layout_users: list[str] | None
    voice_activation: bool


class TurnServer(BaseModel):
    urls: list[str]
    username: str
    password: str


class SignalingOptions(BaseModel):
    endpoint: str
    auth_token: str
    client_id: str
    conf_id: str
    stun_servers: list[str]
    turn_servers: list[TurnServer]


class Signaling(BaseModel):
    type: str
    options: SignalingOptions


class Meeting(BaseModel):
    """All that an access key's bearer needs."""

    model_config = ConfigDict(title="Meeting")

    access_key: str
    ready: bool
    locked: bool
    room: Room
    team: Team
    user: CallingUser
    links: Links
    options: ToldOptions
    presentation: dict[str, Any] | None
    broadcasts: list[dict[str, Any]]
    recording: dict[str, Any] | None
    snapshots: list[dict[str, Any]]
    playbacks: list[dict[str, Any]]
    signaling: Signaling


class MeetingOrRoom(RootModel[Meeting | ListedRoom]):
    """By access key, or by a room's id."""


class Person(BaseModel):
    model_config = ConfigDict(title="RoomUser")

    id: str
    name: str
    avatar: str | None
    guest: bool
    joined_at: str


class ListedUser(BaseModel):
    id: str
    room_id: str
    name: str
    avatar: str | None
    guest: bool
    online: bool


class ListedUsers(RootModel[list[ListedUser]]):
    """In the order in which they were registered."""
