"""Observers over /rt: a team's own programs that hear what a meeting is told, and say nothing but `ping`.

Reading how they prove who they are, and their end of the socket. Whether the key is good, and what they hear first, is
decided by a service. WebSocket contract, section 1.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiohttp import hdrs

from signaling.live.framing import FOR_ONE, PROTOCOLS, Channel
from signaling.live.protocol import Close, LiveError, Message, Refusal
from signaling.live.socket import LiveSocket
from signaling.services.meeting import Meeting
from signaling.services.members import Event, Observer

_BEARER = "bearer"


class Observing(Protocol):
    async def observe(self, api_key: str, room_id: str, observer: Observer) -> Meeting:
        """From now on `observer` is told what happens in the room's meeting, beginning with what it is like now."""


class Listener:
    """The observer at the other end of a socket."""

    def __init__(self, socket: LiveSocket) -> None:
        self.meeting: Meeting | None = None
        self._socket = socket

    def tell(self, event: Event) -> None:
        self._socket.send(dict(event), Channel.PERSONAL if event["type"] in FOR_ONE else Channel.ROOM)

    def end(self, reason: str) -> None:
        self._socket.close(Close.SHUTDOWN if reason == "server_shutdown" else Close.NORMAL)

    def said(self, message: Message) -> Message:
        """The reply to what the observer says."""
        if message["type"] != "ping":
            raise LiveError(403, "forbidden", "observers listen")
        return {"type": "pong"}

    def gone(self) -> None:
        if self.meeting:
            self.meeting.observers.discard(self)


def read_api_key(headers: Mapping[str, str], query: Mapping[str, Sequence[str]]) -> str:
    """From the header, else from what browsers can set: a subprotocol of that name, else from the query."""
    key = (
        _from_header(headers.get(hdrs.AUTHORIZATION, ""))
        or _from_protocols(headers)
        or "".join(query.get("api_key", ()))
    )
    if not key:
        raise Refusal(401, "no_credential", "observers need an API key")
    return key


def _from_header(sent: str) -> str:
    scheme, _, rest = sent.strip().partition(" ")
    return rest.strip() if scheme.lower() == _BEARER and rest else sent.strip()


def _from_protocols(headers: Mapping[str, str]) -> str:
    offered = (each.strip() for each in headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(","))
    return next((each for each in offered if each not in PROTOCOLS), "")
