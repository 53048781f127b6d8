"""An encoder (WHIP) and a player (WHEP) of aiortc: a colour and a tone go in, and are looked for at the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpreceiver import RTCRtpReceiver

from tests.support.peer import COLOUR_TOLERANCE, TONE_TOLERANCE_HZ, Canvas, Colour, Screen, Tone

PATIENCE = 20.0  # seconds: after that, what is waited for will not come
SDP = {"Content-Type": "application/sdp"}


class HttpPeer:
    """One peer connection that knows nothing but the URL of its endpoint."""

    def __init__(self, http: ClientSession, url: str, token: str) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self.location = ""
        self._http = http
        self._url = url
        self._authorization = {"Authorization": f"Bearer {token}"}

    async def start(self) -> None:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        headers = SDP | self._authorization
        async with self._http.post(self._url, data=self.pc.localDescription.sdp, headers=headers) as response:
            answer = await response.text()
            assert response.status == 201, answer
            self.location = str(response.url.join(response.url.with_path(response.headers["Location"])))
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def stop(self) -> int:
        """Ends the session; returns the status."""
        async with self._http.delete(self.location, headers=self._authorization) as response:
            return response.status

    async def close(self) -> None:
        await self.pc.close()


class Encoder(HttpPeer):
    def show(self, colour: Colour, tone_hz: float, codec: str = "VP8") -> None:
        """What it publishes once it is started."""
        self.pc.addTransceiver(Tone(tone_hz), "sendonly")
        video = self.pc.addTransceiver(Canvas(colour), "sendonly")
        video.setCodecPreferences(preferences(codec))


class Player(HttpPeer):
    def __init__(self, http: ClientSession, url: str, token: str) -> None:
        super().__init__(http, url, token)
        self.screens = {"audio": Screen(), "video": Screen()}
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        for kind in self.screens:
            self.pc.addTransceiver(kind, "recvonly")

    async def start(self) -> None:
        await super().start()
        for transceiver in self.pc.getTransceivers():
            self._tasks.append(asyncio.create_task(self._watch(transceiver.receiver.track)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await super().close()

    async def sees(self, colour: Colour, tone_hz: float) -> None:
        """Returns when the newest picture has this colour and the sound this tone."""
        await self.until(lambda: near(self.screens["video"].colour, colour), f"the colour {colour}")
        await self.until(lambda: sounds(self.screens["audio"].tone(), tone_hz), f"{tone_hz} Hz")

    async def until(self, seen: Callable[[], Any], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            now = {kind: (screen.frames, screen.colour, screen.tone()) for kind, screen in self.screens.items()}
            raise AssertionError(f"never: {what}; {self.pc.connectionState}, {now}") from None

    async def _watch(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                self.screens[track.kind].see(await track.recv())
                self._news.set()
        except MediaStreamError:
            return


def near(seen: Colour | None, colour: Colour) -> bool:
    return seen is not None and all(abs(a - b) < COLOUR_TOLERANCE for a, b in zip(seen, colour, strict=True))


def sounds(heard: float | None, tone_hz: float) -> bool:
    return heard is not None and abs(heard - tone_hz) < TONE_TOLERANCE_HZ


def preferences(codec: str) -> list[Any]:
    """The codec and retransmissions, nothing else."""
    capabilities = RTCRtpReceiver.getCapabilities("video").codecs
    return [each for each in capabilities if each.mimeType in (f"video/{codec}", "video/rtx")]


class HttpRoom:
    """A room as those see it who have its URL and its token."""

    def __init__(self, http: ClientSession, base: str, room: dict[str, Any]) -> None:
        self.id, self.token = room["id"], room["token"]
        self.whip, self.whep = f"{base}/whip/{self.id}", f"{base}/whep/{self.id}"
        self._http = http
        self._peers: list[HttpPeer] = []

    async def publish(self, seat: str, colour: Colour, tone_hz: float, codec: str = "VP8") -> Encoder:
        encoder = Encoder(self._http, f"{self.whip}?id={seat}", self.token)
        self._peers.append(encoder)
        encoder.show(colour, tone_hz, codec)
        await encoder.start()
        return encoder

    async def play(self, seat: str) -> Player:
        player = Player(self._http, f"{self.whep}?user={seat}", self.token)
        self._peers.append(player)
        await player.start()
        return player

    async def close(self) -> None:
        await asyncio.gather(*(peer.close() for peer in self._peers))


@asynccontextmanager
async def http_room(base: str, room: dict[str, Any]) -> AsyncIterator[HttpRoom]:
    async with ClientSession() as http:
        found = HttpRoom(http, base, room)
        try:
            yield found
        finally:
            await found.close()
