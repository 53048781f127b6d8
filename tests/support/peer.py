"""aiortc clients of a media server, and the little that signaling does between them.

A `Stage` runs a server and offers whenever something is due; a `Peer` publishes a plain colour and a tone, and
watches what it gets: the colour and the tone of each stream, by the mids of the offers. Nothing here sleeps: whoever
waits, waits for something to be seen.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from types import TracebackType
from typing import Any

import numpy as np
from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender
from av import AudioFrame, VideoFrame

from mediaserver.clock import SystemClock
from mediaserver.conference.participant import Participant, Rights
from mediaserver.conference.stream import StreamDescription
from mediaserver.config import MediaConfig
from mediaserver.events import MediaEvent, SubscriptionsChanged
from mediaserver.server import MediaServer

Colour = tuple[int, int, int]

PATIENCE = 15.0  # seconds: after that, what is waited for will not come
SAMPLE_RATE = 48000
TONE_WINDOW = SAMPLE_RATE // 2  # samples a tone is told from
COLOUR_TOLERANCE = 24.0  # of 255, for what encoding does to a plain colour
TONE_TOLERANCE_HZ = 12.0


class Canvas(VideoStreamTrack):
    """A plain colour, 30 pictures a second."""

    def __init__(self, colour: Colour, width_px: int = 160, height_px: int = 120) -> None:
        super().__init__()
        self._picture = np.full((height_px, width_px, 3), colour, dtype=np.uint8)

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame.from_ndarray(self._picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(MediaStreamTrack):
    """A sine of one frequency, in pieces of 20 ms."""

    kind = "audio"
    SAMPLES = SAMPLE_RATE // 50

    def __init__(self, frequency_hz: float) -> None:
        super().__init__()
        self._frequency = frequency_hz
        self._at = 0
        self._start: float | None = None

    async def recv(self) -> AudioFrame:
        loop = asyncio.get_running_loop()
        self._start = loop.time() if self._start is None else self._start
        await asyncio.sleep(max(0.0, self._start + self._at / SAMPLE_RATE - loop.time()))
        times = np.arange(self._at, self._at + self.SAMPLES) / SAMPLE_RATE
        wave = (np.sin(2 * np.pi * self._frequency * times) * 12000).astype(np.int16)
        frame = AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._at, Fraction(1, SAMPLE_RATE)
        self._at += self.SAMPLES
        return frame


@dataclass
class Screen:
    """What one section of a subscribe connection shows now."""

    frames: int = 0
    colour: Colour | None = None
    samples: list[np.ndarray] = field(default_factory=list)

    def see(self, frame: VideoFrame | AudioFrame) -> None:
        self.frames += 1
        if isinstance(frame, VideoFrame):
            red, green, blue = frame.to_ndarray(format="rgb24").mean(axis=(0, 1))
            self.colour = (round(red), round(green), round(blue))
        else:
            channels = len(frame.layout.channels)
            self.samples.append(frame.to_ndarray().reshape(-1)[::channels].astype(np.float64))
            while sum(map(len, self.samples[1:])) >= TONE_WINDOW:
                self.samples.pop(0)

    def tone(self) -> float | None:
        """The loudest frequency of the last half second, Hz; None while there is less or silence."""
        heard = np.concatenate(self.samples) if self.samples else np.zeros(0)
        if len(heard) < TONE_WINDOW or np.abs(heard).max() < 500:
            return None
        spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
        return float(np.argmax(spectrum) * SAMPLE_RATE / len(heard))


class Peer:
    def __init__(self, stage: "Stage", participant: Participant) -> None:
        self.participant = participant
        self.screens: dict[str, Screen] = {}
        """By mid."""
        self.streams: tuple[StreamDescription, ...] = ()
        """As the last offer has them."""
        self.texts: list[str] = []
        self.due = asyncio.Event()
        self._stage = stage
        self._tasks = [asyncio.create_task(self._follow())]
        self._open()

    def _open(self) -> None:
        # aiortc answers two video sections well only if bundled from the start, but offers a data channel only if not.
        self.publishing = _connection(RTCBundlePolicy.BALANCED)
        self.subscribing = _connection(RTCBundlePolicy.MAX_BUNDLE)
        self._channel = self.publishing.createDataChannel("events")
        self._channel.on("open", self._stage.changed)
        self._channel.on("message", self._hear)

    async def reload(self) -> None:
        """What a page does when it is loaded again: everything of its own is new, the participant is the same."""
        await asyncio.gather(self.publishing.close(), self.subscribing.close())
        self.screens.clear()
        self._open()
        self.participant.reconnect_subscribe()

    async def publish(self, stream_id: str, colour: Colour, tone_hz: float, codec: str = "VP8") -> None:
        """A camera of this colour and tone."""
        audio = self.publishing.addTransceiver(Tone(tone_hz), "sendonly")
        video = self.publishing.addTransceiver(Canvas(colour), "sendonly")
        video.setCodecPreferences(_preferences(codec))
        await self.publishing.setLocalDescription(await self.publishing.createOffer())
        camera = StreamDescription(stream_id, "camera", "", audio.mid, video.mid)
        answer = self.participant.negotiate(self.publishing.localDescription.sdp, [camera])
        await self.publishing.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))

    async def connect(self) -> None:
        """Opens the publish connection with nothing but the data channel."""
        await self.publishing.setLocalDescription(await self.publishing.createOffer())
        answer = self.participant.negotiate(self.publishing.localDescription.sdp, [])
        await self.publishing.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))

    def say(self, text: str) -> None:
        self._channel.send(text)

    @property
    def channel_open(self) -> bool:
        return bool(self._channel.readyState == "open")

    def stream(self, stream_id: str) -> StreamDescription | None:
        return next((stream for stream in self.streams if stream.stream_id == stream_id), None)

    def sees(self, stream_id: str, colour: Colour) -> bool:
        """Whether the newest picture of this stream has this colour."""
        stream = self.stream(stream_id)
        screen = self.screens.get(stream.video_mid or "") if stream else None
        if screen is None or screen.colour is None:
            return False
        return all(abs(a - b) < COLOUR_TOLERANCE for a, b in zip(screen.colour, colour, strict=True))

    def hears(self, stream_id: str, tone_hz: float) -> bool:
        stream = self.stream(stream_id)
        screen = self.screens.get(stream.audio_mid or "") if stream else None
        tone = screen.tone() if screen else None
        return tone is not None and abs(tone - tone_hz) < TONE_TOLERANCE_HZ

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(self.publishing.close(), self.subscribing.close())

    async def _follow(self) -> None:
        """Answers offers as long as they are due."""
        while True:
            await self.due.wait()
            self.due.clear()
            while self.participant.needs_offer():
                await self._answer()

    async def _answer(self) -> None:
        offer = self.participant.offer()
        await self.subscribing.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await self.subscribing.setLocalDescription(await self.subscribing.createAnswer())
        self.participant.accept(self.subscribing.localDescription.sdp)
        self.streams = offer.streams
        for transceiver in self.subscribing.getTransceivers():
            if transceiver.mid not in self.screens:
                screen = self.screens[transceiver.mid] = Screen()
                self._tasks.append(asyncio.create_task(self._watch(transceiver.receiver.track, screen)))

    async def _watch(self, track: MediaStreamTrack, screen: Screen) -> None:
        try:
            while True:
                screen.see(await track.recv())
                self._stage.changed()
        except MediaStreamError:
            return

    def _hear(self, message: str) -> None:
        self.texts.append(message)
        self._stage.changed()


class Stage:
    """A media server with one conference."""

    def __init__(self, config: MediaConfig | None = None) -> None:
        self.server = MediaServer(config or MediaConfig(udp_port=0, tcp_port=0, threads=1), SystemClock(), self._heard)
        self.events: list[MediaEvent] = []
        self.peers: dict[str, Peer] = {}
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Stage":
        await self.server.start()
        self.conference = self.server.open("stage")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(peer.close() for peer in self.peers.values()))
        await self.server.aclose()

    def join(self, name: str) -> Peer:
        peer = self.peers[name] = Peer(self, self.conference.join(name, Rights()))
        if peer.participant.needs_offer():
            peer.due.set()
        return peer

    async def leave(self, name: str) -> None:
        peer = self.peers.pop(name)
        peer.participant.leave()
        await peer.close()

    async def until(self, seen: Callable[[], Any], what: str) -> None:
        """Waits until `seen` is true; fails with `what` if that does not come."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"never: {what}\n{self.server.stats()}") from None

    def changed(self) -> None:
        self._news.set()

    def _heard(self, event: MediaEvent) -> None:
        self.events.append(event)
        self.changed()
        peer = self.peers.get(event.participant_id)
        if peer and isinstance(event, SubscriptionsChanged):
            peer.due.set()


def _connection(policy: RTCBundlePolicy) -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=policy))


def _preferences(codec: str) -> list[Any]:
    """The codec and retransmissions, nothing else."""
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    return [c for c in capabilities if c.mimeType in (f"video/{codec}", "video/rtx")]
