"""Janus as a target: Debian's package, its video room, one handle per publisher and one per subscriber.

A subscriber has one connection for all publishers (a multistream subscription, Janus 1.x). It runs with nothing loaded
but the video room and the WebSocket transport, without logging, as ICE lite like Folkmoot, with its default threading
(one event loop, so one thread, per handle) or with as many event loops as asked for. Janus skips the loopback
interface, so its packets go to another local address, which the kernel delivers by loopback all the same.
"""

import asyncio
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from benchmarks.load import Load
from benchmarks.server import free_port
from benchmarks.versus.janus_api import Session
from benchmarks.versus.peers import Receiver, Sender

START_WITHIN = 10.0  # seconds
ROOM = 1
ENDLESS_BPS = 1_000_000_000  # the room's limit, so that Janus asks nobody for less
PLUGIN, TRANSPORT = "libjanus_videoroom.so", "libjanus_websockets.so"
LIBRARIES = Path("/usr/lib")  # below it, plugins/ and transports/ by Debian's architecture

_JANUS = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{folder}/plugins"
    transports_folder = "{folder}/transports"
    events_folder = "{folder}/none"
    loggers_folder = "{folder}/none"
    debug_level = 0
    session_timeout = 0
    {loops}
}}
nat: {{ ice_lite = true }}
"""
_WEBSOCKETS = 'general: {{ ws = true, ws_port = {port}, ws_ip = "127.0.0.1", wss = false }}\n'


class Janus:
    meets = True

    def __init__(self, event_loops: int | None = None) -> None:
        self.name = f"Janus, {event_loops} event loop" if event_loops else "Janus"
        self.threads = f"event_loops = {event_loops}" if event_loops else "its default: one thread per handle"
        self._event_loops = event_loops
        self._folder: tempfile.TemporaryDirectory[str]
        self._log: Path
        self._process: subprocess.Popen[bytes]
        self._http: aiohttp.ClientSession
        self._session: Session

    @staticmethod
    def installed() -> bool:
        return shutil.which("janus") is not None

    @staticmethod
    def version() -> str:
        command = ["dpkg-query", "-W", "-f", "${Version}", "janus"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        return answer.stdout or "of unknown version"

    @property
    def pid(self) -> int | None:
        return self._process.pid

    async def start(self, core: int) -> None:
        port = free_port(socket.SOCK_STREAM)
        self._folder = tempfile.TemporaryDirectory(prefix="janus-")
        self._log = Path(self._folder.name, "log")
        self._configure(Path(self._folder.name), port)
        self._process = self._spawned(core)
        self._http = aiohttp.ClientSession()
        self._session = await self._connected(f"ws://127.0.0.1:{port}")

    async def stop(self) -> None:
        await self._session.close()
        await self._http.close()
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    async def room(self, publishers: int) -> None:
        body = {
            "request": "create",
            "room": ROOM,
            "publishers": publishers,
            "bitrate": ENDLESS_BPS,
            "fir_freq": 0,
            "audiocodec": "opus",
            "videocodec": "vp8",
        }
        await self._session.message(await self._session.handle(), body)

    def seat(self, load: Load) -> "JanusSeat":
        return JanusSeat(load, self._session)

    def _configure(self, folder: Path, port: int) -> None:
        loops = f"event_loops = {self._event_loops}" if self._event_loops else ""
        (folder / "janus.jcfg").write_text(_JANUS.format(folder=folder, loops=loops))
        (folder / "janus.transport.websockets.jcfg").write_text(_WEBSOCKETS.format(port=port))
        (folder / "none").mkdir()
        for kind, name in (("plugins", PLUGIN), ("transports", TRANSPORT)):
            (folder / kind).mkdir()
            found = next(LIBRARIES.glob(f"*/janus/{kind}/{name}"))
            (folder / kind / name).symlink_to(found)

    def _spawned(self, core: int) -> subprocess.Popen[bytes]:
        command = ["taskset", "-c", str(core), "janus", f"--configs-folder={self._folder.name}"]
        with self._log.open("wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    async def _connected(self, url: str) -> Session:
        async with asyncio.timeout(START_WITHIN):
            while self._process.poll() is None:
                session = Session(self._http)
                try:
                    await session.open(url)
                    return session
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        raise RuntimeError(f"Janus did not start:\n{self._log.read_text()}")


class JanusSeat:
    def __init__(self, load: Load, session: Session) -> None:
        self.feed = 0
        self._load = load
        self._session = session
        self._sender: Sender | None = None
        self._receiver: Receiver | None = None
        self._handles: list[int] = []

    async def publish(self) -> None:
        handle = await self._handle()
        joined, _ = await self._session.message(handle, {"request": "join", "ptype": "publisher", "room": ROOM})
        self.feed = joined["id"]
        self._sender = sender = Sender(self._load)
        jsep = {"type": "offer", "sdp": sender.offer}
        _, answer = await self._session.message(handle, {"request": "publish"}, jsep)
        await sender.accepted(answer)
        await self._session.up(handle)

    async def listen(self, to: "Sequence[JanusSeat]") -> None:
        handle = await self._handle()
        streams = [{"feed": seat.feed} for seat in to]
        body = {"request": "join", "ptype": "subscriber", "room": ROOM, "streams": streams}
        _, offer = await self._session.message(handle, body)
        self._receiver = receiver = Receiver(self._load)
        jsep = {"type": "answer", "sdp": receiver.answer(offer)}
        await self._session.message(handle, {"request": "start"}, jsep)
        await receiver.connect(offer)

    async def leave(self) -> None:
        for peer in (self._sender, self._receiver):
            if peer:
                peer.close()
        for handle in self._handles:
            await self._session.detach(handle)

    async def _handle(self) -> int:
        handle = await self._session.handle()
        self._handles.append(handle)
        return handle
