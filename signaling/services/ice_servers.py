"""The STUN and TURN servers told to a participant, with time-limited credentials where they are configured. Pure.

A TURN server that shares a secret with us takes `<expiry>:<user>` and an HMAC of it (the TURN REST convention), so
what a client learns is of no use to anybody later.
"""

from typing import Any

from signaling.settings import IceServer, Settings
from signaling.tokens import turn_credential

_TURN = ("turn:", "turns:")


def ice_servers(settings: Settings, participant_id: str, wall: float) -> list[dict[str, Any]]:
    """As a browser's RTCConfiguration takes them."""
    return [_told(server, settings, participant_id, wall) for server in settings.ice_servers]


def _told(server: IceServer, settings: Settings, participant_id: str, wall: float) -> dict[str, Any]:
    urls = list(server.urls)
    username, credential = server.username, server.credential
    relays = any(url.startswith(_TURN) for url in urls)
    if relays and username is None and settings.turn.shared_secret:
        username, credential = turn_credential(
            settings.turn.shared_secret, participant_id, wall + settings.turn.ttl_seconds
        )
    if username is None:
        return {"urls": urls}
    return {"urls": urls, "username": username, "credential": credential or ""}
