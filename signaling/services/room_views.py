"""How teams and their users see a room, a meeting, a user: the objects of the rooms contract. Pure.

The same objects go into answers over HTTP, into events and to webhooks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from signaling import tokens
from signaling.services.events import iso
from signaling.services.members import Member
from signaling.services.room_records import RoomUser, Seat, TeamMeeting

REGISTER_EXPIRES = "600"  # seconds, as SIP clients write them
_PASSWORD_LENGTH = 32  # characters

View = dict[str, Any]


@dataclass(slots=True)
class Happening:
    """What goes on in a running meeting besides people talking: each as its objects show it."""

    presentation: View | None = None
    broadcasts: list[View] = field(default_factory=list)
    recording: View | None = None
    snapshots: list[View] = field(default_factory=list)
    playbacks: list[View] = field(default_factory=list)
    layout: View = field(
        default_factory=lambda: {
            "layout": "auto",
            "layout_name": None,
            "layout_map": None,
            "layout_users": None,
            "voice_activation": False,
        }
    )
    changed_options: View = field(default_factory=dict)
    """Options that calls in the meeting have changed since it began."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where this server is, and what it offers to everybody."""

    base_url: str
    max_participants: int

    @property
    def domain(self) -> str:
        return urlsplit(self.base_url).hostname or ""


def options(place: Place, meeting: TeamMeeting, happening: Happening, user: RoomUser | None = None) -> View:
    """All of them, with what the layout is now; a guest's own locale counts for that guest."""
    told = meeting.options.model_dump()
    told["max_participants"] = meeting.options.limit(place.max_participants)
    if user is not None and user.locale is not None:
        told["custom_fields"] = {**told["custom_fields"], "locale": user.locale}
    return {**told, **happening.layout, **happening.changed_options}


def room(place: Place, meeting: TeamMeeting, *, ready: bool) -> View:
    """The room as of this meeting; of one that is over there is no more to know."""
    if meeting.over:
        return {**_ended(meeting), "sip": _room_sip(place, meeting)}
    told = {
        "id": meeting.room_id,
        "name": meeting.shown_name,
        "ready": ready,
        "started_at": iso(meeting.started_at),
        "shutdown": False,
        "sip": _room_sip(place, meeting),
    }
    return told | _guest_token(meeting)


def listed_room(meeting: TeamMeeting, *, ready: bool) -> View:
    """As in the list of a team's running rooms."""
    told = {
        "id": meeting.room_id,
        "name": meeting.shown_name,
        "ready": ready,
        "started_at": iso(meeting.started_at),
        "shutdown": False,
    }
    return told | _guest_token(meeting)


def room_update(
    place: Place, meeting: TeamMeeting, happening: Happening, people: Iterable[View], *, ready: bool
) -> Mapping[str, Any]:
    """The event."""
    about = _ended(meeting) if meeting.over else listed_room(meeting, ready=ready)
    content = {
        **about,
        "options": options(place, meeting, happening),
        "participants": list(people),
        "playbacks": happening.playbacks,
        "presentation": happening.presentation,
        "broadcasts": happening.broadcasts,
        "recording": happening.recording,
    }
    return {"type": "room_update", "content": content}


def user(place: Place, seat: Seat, *, ready: bool) -> View:
    """The caller themselves."""
    who, meeting = seat.user, seat.meeting
    return {
        "id": who.id,
        "room_id": meeting.room_id,
        "name": who.name,
        "avatar": who.avatar,
        "guest": who.guest,
        "blocked": False,
        "ready": ready,
        "sip": _user_sip(place, seat),
    }


def person(who: RoomUser) -> View:
    """Somebody, as others see them."""
    return {
        "id": who.id,
        "name": who.name,
        "avatar": who.avatar,
        "guest": who.guest,
        "joined_at": iso(who.joined_at),
    }


def listed_user(meeting: TeamMeeting, who: RoomUser, *, online: bool) -> View:
    return {
        "id": who.id,
        "room_id": meeting.room_id,
        "name": who.name,
        "avatar": who.avatar,
        "guest": who.guest,
        "online": online,
    }


def everything(
    place: Place, seat: Seat, happening: Happening, ice_servers: Sequence[Mapping[str, Any]], *, ready: bool
) -> View:
    """What an access key's bearer gets: section 2.1."""
    meeting, key = seat.meeting, seat.user.access_key
    return {
        "access_key": key,
        "ready": ready,
        "locked": meeting.locked,
        "room": room(place, meeting, ready=ready),
        "team": {"name": meeting.team},
        "user": user(place, seat, ready=ready),
        "links": links(place, seat),
        "options": options(place, meeting, happening, seat.user),
        "presentation": happening.presentation,
        "broadcasts": happening.broadcasts,
        "recording": happening.recording,
        "snapshots": happening.snapshots,
        "playbacks": happening.playbacks,
        "signaling": {
            "type": "ws",
            "options": {
                "endpoint": f"{place.base_url}/rt",
                "auth_token": key,
                "client_id": seat.user.id,
                "conf_id": meeting.id,
                **_told_servers(ice_servers),
            },
        },
    }


def links(place: Place, seat: Seat) -> View:
    base, key = place.base_url, seat.user.access_key
    found = {"self": f"{base}/rooms/{key}", "gui": f"{base}/app?{key}", "websocket": f"{base}/rt?access_key={key}"}
    if seat.meeting.options.guest_token_available:
        found["guest_join"] = guest_link(place, seat.meeting.guest_token)
    return found


def guest_link(place: Place, guest_token: str) -> str:
    return f"{place.base_url}/app?guest={quote(guest_token)}"


def participants(meeting: TeamMeeting, members: Iterable[Member]) -> list[View]:
    """Who is online, as events name them."""
    return [
        {
            "id": member.id,
            "room_id": meeting.room_id,
            "name": member.name,
            "avatar": getattr(member, "avatar", None),
            "guest": member.guest,
            "online": True,
        }
        for member in members
    ]


def _ended(meeting: TeamMeeting) -> View:
    return {
        "id": meeting.room_id,
        "name": meeting.shown_name,
        "ready": False,
        "started_at": None,
        "shutdown": True,
    }


def _guest_token(meeting: TeamMeeting) -> View:
    return {"guest_token": meeting.guest_token} if meeting.options.guest_token_available else {}


def _room_sip(place: Place, meeting: TeamMeeting) -> View:
    return {
        "uri": f"sip:{meeting.id}@{place.domain}",
        "domain": place.domain,
        "authorizationUser": meeting.id,
    }


def _user_sip(place: Place, seat: Seat) -> View:
    """Nobody can call in: the fields are there because clients read them."""
    return {
        "uri": f"sip:{seat.meeting.id}@{place.domain}",
        "domain": place.domain,
        "wsServers": [],
        "instanceId": seat.user.id,
        "userAgentString": "folkmoot",
        "authorizationUser": seat.user.id,
        "displayName": seat.user.name,
        "stunServers": [],
        "turnServers": [],
        "registerExpires": REGISTER_EXPIRES,
        "password": tokens.digest(f"sip {seat.user.access_key}")[:_PASSWORD_LENGTH],
    }


def _told_servers(servers: Sequence[Mapping[str, Any]]) -> View:
    """Split as clients of this API expect them."""
    stun = [url for server in servers for url in server["urls"] if url.startswith("stun")]
    turn = []
    for server in servers:
        urls = [url for url in server["urls"] if url.startswith("turn")]
        if urls:
            secrets = {"username": server.get("username", ""), "password": server.get("credential", "")}
            turn.append({"urls": urls, **secrets})
    return {"stun_servers": stun, "turn_servers": turn}
