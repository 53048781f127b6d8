"""GET /rt: from an aiohttp WebSocket to the conversation and back.

The shell around `protocol.py` and `messages.py`: reads frames, keeps the limits, watches for silence, and whatever
happens says goodbye properly. A refusal is told over the socket: the upgrade itself always succeeds.
"""

import asyncio
from collections.abc import Sequence

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from mediaserver import Clock, MediaError
from signaling.live.caller import Caller
from signaling.live.conversation import part
from signaling.live.credentials import Knock, forbidden, read_query
from signaling.live.fields import size
from signaling.live.framing import PROTOCOLS, Channel, choose
from signaling.live.limits import PING_EVERY, Flood, Silence
from signaling.live.mesh import is_for_somebody
from signaling.live.messages import HANDLERS
from signaling.live.observer import Listener, Observing, read_api_key
from signaling.live.protocol import (
    MAX_MESSAGE_BYTES,
    BadMessage,
    Close,
    LiveError,
    Message,
    Refusal,
    malformed,
    permit,
    request_id,
    too_long,
    too_many,
)
from signaling.live.recording import MembersRecording
from signaling.live.refusals import refused, told
from signaling.live.socket import LiveSocket, WebSocket
from signaling.live.welcome import room_setup
from signaling.services.entrance import Entrance
from signaling.services.errors import ServiceError
from signaling.services.scheduler import Alarm, Scheduler

_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)

log = structlog.get_logger(__name__)


def live_routes(
    entrance: Entrance,
    clock: Clock,
    scheduler: Scheduler | None = None,
    *,
    observing: Observing | None = None,
    recording: Sequence[MembersRecording] = (),
) -> Sequence[web.AbstractRouteDef]:
    """The route of /rt. Timers are the loop's, unless a `scheduler` is given; without `observing` nobody observes.

    `recording` are the families whose members may record.
    """

    async def rt(request: web.Request) -> web.StreamResponse:
        """A participant's conversation. WebSocket contract, sections 1 and 2."""
        socket = WebSocket(PROTOCOLS)
        await socket.prepare(request)
        timers = scheduler or asyncio.get_running_loop()
        await Client(request, socket, entrance, clock, timers, observing=observing, recording=recording).run()
        return socket

    return [web.get("/rt", rt)]


class Client:
    """One socket, from the upgrade to the close."""

    def __init__(
        self,
        request: web.Request,
        socket: WebSocket,
        entrance: Entrance,
        clock: Clock,
        scheduler: Scheduler,
        *,
        observing: Observing | None = None,
        recording: Sequence[MembersRecording] = (),
    ) -> None:
        self._request = request
        self._socket = socket
        self._out = LiveSocket(socket, request.transport, choose(socket.ws_protocol))
        self._entrance = entrance
        self._clock = clock
        self._scheduler = scheduler
        self._observing = observing
        self._recording = recording
        self._flood = Flood()
        self._silence = Silence()
        self._alarm = Alarm(scheduler)
        self._beat = Alarm(scheduler)
        self._caller: Caller | None = None
        self._listener: Listener | None = None
        self._understood = False

    async def run(self) -> None:
        pump = asyncio.create_task(self._out.pump())
        try:
            self._alarm.set(PING_EVERY, self._watch)
            self._beat.set(self._out.framing.beat, self._send_beat)
            await self._converse()
        except Refusal as refusal:
            self._out.refuse(refusal)
        except Exception:
            log.exception("conversation failed")
            self._out.refuse(Refusal(500, "server_failure", "the server has failed"))
        finally:
            self._alarm.clear()
            self._beat.clear()
            if self._caller:
                self._caller.gone(page_gone=self._socket.close_code == WSCloseCode.GOING_AWAY)
            if self._listener:
                self._listener.gone()
            self._out.close(Close.NORMAL)
            await pump
            await self._hear_out()

    async def _converse(self) -> None:
        await self._admit()
        while (frame := await self._socket.receive()).type not in _ENDS and not self._out.closing:
            self._silence.heard()
            if frame.type is WSMsgType.PONG:
                continue
            if not self._flood.allows(self._clock.monotonic()):
                raise too_many()
            match frame.type:
                case WSMsgType.PING:
                    self._out.pong(frame.data)
                case WSMsgType.TEXT:
                    await self._read(frame.data)
                case _:
                    raise malformed("messages are text")

    async def _hear_out(self) -> None:
        """Waits for the other side's close, as long as the deadline lets it."""
        while (await self._socket.receive()).type not in _ENDS:
            pass
        self._out.finish()

    async def _admit(self) -> None:
        """Finds out who this is, and tells them where they are."""
        query = {name: self._request.query.getall(name) for name in self._request.query}
        knock = read_query(query)
        try:
            if knock.observed is None:
                self._caller = await self._visit(knock)
                self._out.send(room_setup(self._caller.visitor), Channel.ROOM)
            else:
                await self._observe(knock.observed, read_api_key(self._request.headers, query))
        except (ServiceError, MediaError) as error:
            raise refused(error) from error

    async def _visit(self, knock: Knock) -> Caller:
        out = self._out
        visitor = await self._entrance.visit(knock.credential, knock.id, knock.name, lambda reason: part(out, reason))
        scheduler, forgive = self._scheduler, self._flood.forgive
        return Caller(out, visitor, self._entrance, self._clock, scheduler, forgive, self._recording)

    async def _observe(self, room_id: str, api_key: str) -> None:
        if self._observing is None:
            raise forbidden()
        self._listener = Listener(self._out)
        self._listener.meeting = await self._observing.observe(api_key, room_id, self._listener)

    async def _read(self, text: str) -> None:
        if size(text) > MAX_MESSAGE_BYTES:
            raise too_long()
        try:
            decoded = self._out.framing.decode(text)
        except BadMessage as error:
            if not self._understood:
                raise malformed(error.message) from error
            self._out.tell_error(error)
            return
        self._understood = True
        for frame in decoded.replies:
            self._out.send_frame(frame)
        for message in decoded.messages:
            if not self._out.closing:
                await self._act(message)

    async def _act(self, message: Message) -> None:
        reference = request_id(message)
        try:
            reply = await self._handle(message)
        except LiveError as error:
            error.request_id = reference
            if isinstance(error, Refusal):
                raise
            self._out.tell_error(error)
        else:
            self._reply(message, reply, reference)

    async def _handle(self, message: Message) -> Message | None:
        kind, caller = message["type"], self._caller
        if caller is None:
            assert self._listener, "whoever says something has been let in"
            return self._listener.said(message)
        joined, direct = caller.conversation is not None, is_for_somebody(message)
        who = caller.member if joined else caller.visitor.admitted  # a role may change inside
        permit(kind, role=who.role, joined=joined, powers=who.powers, direct=direct)
        try:
            return await HANDLERS[kind](caller, message)
        except (ServiceError, MediaError) as error:
            raise told(error) from error

    def _reply(self, message: Message, reply: Message | None, reference: str | int | None) -> None:
        if reply is None and (reference is None or message["type"] == "join"):
            return  # `joined` is the reply to a join
        answer = reply or {"type": "ok"}
        self._out.send(answer if reference is None else {**answer, "request_id": reference})

    def _watch(self) -> None:
        if self._silence.ping():
            self._out.ping()
            self._alarm.set(PING_EVERY, self._watch)
        else:
            log.info("socket lost: no answer to pings")
            self._out.abort()

    def _send_beat(self) -> None:
        self._out.send_frame(self._out.framing.heartbeat(self._clock.wall()))
        self._beat.set(self._out.framing.beat, self._send_beat)
