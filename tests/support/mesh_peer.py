"""An aiortc client of a running server over /rt: connected directly to the others in MESH mode, to the server in SFU.

It publishes a plain colour and a tone and watches what it gets, by who sends it and which way it comes. On the move to
the server it does as a client should: it publishes again with the same stream id, and keeps what is direct until told
to let go. Whoever waits, waits for something to be seen.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from tests.support.peer import COLOUR_TOLERANCE, TONE_TOLERANCE_HZ, Canvas, Colour, Screen, Tone
from tests.support.server import RunningServer

PATIENCE = 20.0  # seconds: after that, what is waited for will not come

Message = dict[str, Any]


class Wire:
    """One connection: what its sections show, by mid."""

    def __init__(self, policy: RTCBundlePolicy, changed: Callable[[], None]) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=policy))
        self.streams: list[Message] = []
        """What the other side says it sends."""
        self.screens: dict[str, Screen] = {}
        self._changed = changed
        self._tasks: list[asyncio.Task[None]] = []

    def watch(self) -> None:
        for transceiver in self.pc.getTransceivers():
            if transceiver.mid is not None and transceiver.mid not in self.screens:
                screen = self.screens[transceiver.mid] = Screen()
                self._tasks.append(asyncio.create_task(self._see(transceiver.receiver.track, screen)))

    def screen(self, user_id: str, kind: str) -> Screen | None:
        stream = next((stream for stream in self.streams if stream["user_id"] == user_id), None)
        return self.screens.get(stream[f"{kind}_mid"] or "") if stream else None

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.pc.close()

    async def _see(self, track: MediaStreamTrack, screen: Screen) -> None:
        try:
            while True:
                screen.see(await track.recv())
                self._changed()
        except MediaStreamError:
            return


class MeshPeer:
    def __init__(self, name: str, colour: Colour, tone_hz: float, socket: ClientWebSocketResponse) -> None:
        self.name = name
        self.colour = colour
        self.tone_hz = tone_hz
        self.stream_id = str(uuid.uuid4())
        self.heard: list[Message] = []
        """All that the server has said."""
        self.direct: dict[str, Wire] = {}
        """By participant."""
        self.publishing: Wire | None = None
        self.subscribing: Wire | None = None
        self._socket = socket
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    def told(self, kind: str) -> Message | None:
        """The last message of that type."""
        return next((message for message in reversed(self.heard) if message["type"] == kind), None)

    def count(self, kind: str) -> int:
        """Messages of that type."""
        return sum(message["type"] == kind for message in self.heard)

    def gets(self, other: "MeshPeer", way: str) -> bool:
        """Whether the other's colour and tone come `directly` or from the `server`."""
        wire = self.direct.get(other.name) if way == "directly" else self.subscribing
        picture, sound = (wire.screen(other.name, kind) if wire else None for kind in ("video", "audio"))
        tone = sound.tone() if sound else None
        if picture is None or picture.colour is None or tone is None:
            return False
        colours = zip(picture.colour, other.colour, strict=True)
        return all(abs(a - b) < COLOUR_TOLERANCE for a, b in colours) and abs(tone - other.tone_hz) < TONE_TOLERANCE_HZ

    def shows(self, user_id: str, colour: Colour) -> bool:
        """Whether somebody's picture has this colour, by the server."""
        screen = self.subscribing.screen(user_id, "video") if self.subscribing else None
        seen = screen.colour if screen else None
        return seen is not None and all(abs(a - b) < COLOUR_TOLERANCE for a, b in zip(seen, colour, strict=True))

    def given(self, user_id: str) -> bool:
        """Whether the last offer of the server brings anything of somebody."""
        return self.subscribing is not None and any(each["user_id"] == user_id for each in self.subscribing.streams)

    async def received(self, kind: str) -> int:
        """Packets of sound or pictures that the server has sent."""
        stats = await self.subscribing.pc.getStats() if self.subscribing else {}
        return sum(each.packetsReceived for each in stats.values() if each.type == "inbound-rtp" and each.kind == kind)

    def frames(self, user_id: str, kind: str) -> int:
        """Decoded of what somebody sends by the server."""
        screen = self.subscribing.screen(user_id, kind) if self.subscribing else None
        return screen.frames if screen else 0

    def tone(self, user_id: str) -> float | None:
        """That somebody's sound has, by the server."""
        screen = self.subscribing.screen(user_id, "audio") if self.subscribing else None
        return screen.tone() if screen else None

    async def until(self, seen: Callable[[], Any], what: str) -> None:
        """Waits until `seen` is true; fails with `what` if that does not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen():
                    self._news.clear()
                    await self._news.wait()
                    if self._reader.done():
                        self._reader.result()
        except TimeoutError:
            raise AssertionError(f"{self.name} never: {what}\n{[m['type'] for m in self.heard]}") from None

    async def say(self, type: str, **fields: Any) -> None:
        await self._send(type, **fields)

    async def share(self, colour: Colour) -> None:
        """Publishes a screen of that colour, beside what it publishes; by the server."""
        assert self.publishing
        camera = self._stream(self.publishing)
        screen = self.publishing.pc.addTransceiver(Canvas(colour), "sendonly")
        await self.publishing.pc.setLocalDescription(await self.publishing.pc.createOffer())
        ids = {"stream_id": str(uuid.uuid4()), "label": "screen", "user_id": self.name}
        streams = [camera, {**ids, "audio_mid": None, "video_mid": screen.mid}]
        await self._send("offer", pc="publish", seq=2, sdp=self.publishing.pc.localDescription.sdp, streams=streams)

    async def let_go(self) -> None:
        """Closes what is direct."""
        for name in list(self.direct):
            await self._send("close", to=name)
            await self.direct.pop(name).close()

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        wires = (self.publishing, self.subscribing, *self.direct.values())
        await asyncio.gather(*(wire.close() for wire in wires if wire), self._socket.close())

    async def _send(self, type: str, **fields: Any) -> None:
        await self._socket.send_str(json.dumps({"type": type, **fields}))

    async def _read(self) -> None:
        await self._send("join", name=self.name)
        async for frame in self._socket:
            assert frame.type is WSMsgType.TEXT
            message = json.loads(frame.data)
            await self._act(message)
            self.heard.append(message)
            self._news.set()

    async def _act(self, message: Message) -> None:
        match message:
            case {"type": "joined", "mode": "MESH"}:
                for person in message["participants"]:
                    if person["id"] != self.name:
                        await self._call(person["id"])
            case {"type": "joined"} | {"type": "mode_update"}:
                await self._publish()
            case {"type": "offer", "from": sender}:
                await self._answer_directly(sender, message)
            case {"type": "answer", "from": sender}:
                await self._described(self.direct[sender], message)
            case {"type": "close", "from": sender} if sender in self.direct:
                await self.direct.pop(sender).close()
            case {"type": "answer"} if self.publishing:
                await self._described(self.publishing, message)
            case {"type": "offer"}:
                await self._subscribe(message)
            case {"type": "error"}:
                raise AssertionError(message)

    async def _call(self, name: str) -> None:
        wire = self.direct[name] = Wire(RTCBundlePolicy.MAX_BUNDLE, self._news.set)
        await self._send("offer", to=name, **await self._offer(wire))

    async def _answer_directly(self, name: str, message: Message) -> None:
        wire = self.direct[name] = Wire(RTCBundlePolicy.MAX_BUNDLE, self._news.set)
        await wire.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        self._add_tracks(wire)
        await wire.pc.setLocalDescription(await wire.pc.createAnswer())
        wire.streams = message["streams"]
        wire.watch()
        await self._send("answer", to=name, sdp=wire.pc.localDescription.sdp, streams=[self._stream(wire)])

    async def _publish(self) -> None:
        wire = self.publishing = Wire(RTCBundlePolicy.BALANCED, self._news.set)
        await self._send("offer", pc="publish", seq=1, **await self._offer(wire))

    async def _subscribe(self, message: Message) -> None:
        wire = self.subscribing = self.subscribing or Wire(RTCBundlePolicy.MAX_BUNDLE, self._news.set)
        await wire.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        await wire.pc.setLocalDescription(await wire.pc.createAnswer())
        wire.streams = message["streams"]
        wire.watch()
        await self._send("answer", pc="subscribe", seq=message["seq"], sdp=wire.pc.localDescription.sdp)

    async def _offer(self, wire: Wire) -> Message:
        self._add_tracks(wire)
        await wire.pc.setLocalDescription(await wire.pc.createOffer())
        return {"sdp": wire.pc.localDescription.sdp, "streams": [self._stream(wire)]}

    async def _described(self, wire: Wire, message: Message) -> None:
        await wire.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
        if wire is not self.publishing:
            wire.streams = message["streams"]
            wire.watch()

    def _add_tracks(self, wire: Wire) -> None:
        for track in (Tone(self.tone_hz), Canvas(self.colour)):
            wire.pc.addTrack(track)

    def _stream(self, wire: Wire) -> Message:
        mids = {transceiver.kind: transceiver.mid for transceiver in wire.pc.getTransceivers()}
        ids = {"stream_id": self.stream_id, "label": "camera", "user_id": self.name}
        return {**ids, "audio_mid": mids["audio"], "video_mid": mids["video"]}


class Peers:
    """People in one room."""

    def __init__(self, server: RunningServer, room: Message, session: ClientSession) -> None:
        self.server = server
        self.room = room
        self._session = session
        self._peers: list[MeshPeer] = []

    async def join(self, name: str, colour: Colour, tone_hz: float) -> MeshPeer:
        url = f"{self.server.url}/rt?token={self.room['token']}&id={name}"
        peer = MeshPeer(name, colour, tone_hz, await self._session.ws_connect(url))
        self._peers.append(peer)
        await peer.until(lambda: peer.told("joined"), "joined")
        return peer

    async def meet(self, way: str) -> None:
        """Everybody sees and hears everybody else, `directly` or from the `server`."""
        for one in self._peers:
            for other in self._peers:
                if one is not other:
                    what = f"got {other.name} {way}"
                    await one.until(lambda one=one, other=other: one.gets(other, way), what)

    async def aclose(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._peers))


@asynccontextmanager
async def peers(server: RunningServer, **parameters: Any) -> AsyncIterator[Peers]:
    """A MESH room on `server` for people to meet in."""
    async with ClientSession() as session:
        people = Peers(server, await server.create(conferenceType="MESH", **parameters), session)
        try:
            yield people
        finally:
            await people.aclose()
