"""How a permalink is told to its team, and to whoever has one of its tokens. Pure. Rooms contract, section 16."""

from typing import Any

from signaling.services.events import iso
from signaling.services.permalinks import Host, Permalink
from signaling.services.room_views import Place, guest_link

View = dict[str, Any]


def permalink(place: Place, told: Permalink) -> View:
    """All of it, as the team sees it: with the host it is told of."""
    found = _common(place, told)
    found["permalink"]["user_token"] = told.host.token if told.host else None
    found["links"] = {"self": f"{place.base_url}/permalink/{told.id}"}
    if told.host:
        found["user"] = _host(told.host)
        found["links"]["gui"] = host_link(place, told.host.token)
    if told.options.guest_token_available:
        found["permalink"]["guest_token"] = told.guest_token
        found["links"]["guest_join"] = guest_link(place, told.guest_token)
    return found


def link(place: Place, told: Permalink, token: str, *, hosts: bool) -> View:
    """As much as the bearer of this token may know."""
    found = _common(place, told)
    found["permalink"]["user_token" if hosts else "guest_token"] = token
    found["links"] = {"self": f"{place.base_url}/permalink/{token}"}
    found["links"] |= {"gui": host_link(place, token)} if hosts else {"guest_join": guest_link(place, token)}
    return found


def host_link(place: Place, token: str) -> str:
    return f"{place.base_url}/app?permalink={token}"


def _common(place: Place, told: Permalink) -> View:
    options = told.options.model_dump()
    options["max_participants"] = told.options.limit(place.max_participants)
    return {
        "permalink": {
            "id": told.id,
            "created_at": iso(told.created_at),
            "expires_at": None if told.expires_at is None else iso(told.expires_at),
        },
        "room": {
            "id": told.room_id,
            "name": told.team if told.name is None else told.name,
            "started_at": None if told.meeting is None else iso(told.meeting.started_at),
        },
        "team": {"name": told.team},
        "options": options,
    }


def _host(host: Host) -> View:
    return {
        "id": host.id,
        "name": host.name,
        "avatar": host.avatar,
        "guest": False,
        "joined_at": iso(host.joined_at),
    }
