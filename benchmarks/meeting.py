"""Load clients in a Folkmoot room: the conversation over /rt, media by the load generator."""

import asyncio
import contextlib
import json
import time
import uuid
from typing import Any

import aiohttp

from benchmarks.descriptions import Published, publish_offer, read_remote, subscribe_answer
from benchmarks.load import Client, Load
from benchmarks.server import Server

PATIENCE = 20.0  # seconds: after that, what is waited for will not come


class Member:
    """One participant. `publishing` is None for one that only listens, `receiving` as long as nothing is offered."""

    def __init__(self, load: Load, *, sampled: bool = True) -> None:
        self.publishing: Client | None = None
        self.receiving: Client | None = None
        self.joined_at = 0.0
        """Monotonic seconds: when it knocked."""
        self.sections = 0
        """That the last offer had in use."""
        self._load = load
        self._sampled = sampled
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._offered = asyncio.Event()
        self._leaving = False
        self._socket: aiohttp.ClientWebSocketResponse
        self._reader: asyncio.Task[None]

    async def join(self, server: Server, token: str, *, publish: bool = False) -> None:
        """Into the room; with a camera and a microphone, whose connection is open then."""
        self.joined_at = time.monotonic()
        url = f"{server.url.replace('http', 'ws', 1)}/rt?token={token}"
        self._socket = await server.http.ws_connect(url, protocols=("conf-v1-json",), max_msg_size=0, compress=0)
        self._reader = asyncio.create_task(self._read())
        await self._ask({"type": "join", "name": "load"})
        if publish:
            await self._publish()

    async def offered(self) -> None:
        """Waits until there is something to receive."""
        async with asyncio.timeout(PATIENCE):
            await self._offered.wait()

    async def fed(self) -> None:
        """Waits until media has come."""
        await self.offered()
        assert self.receiving is not None
        await self.receiving.fed()

    async def leave(self) -> None:
        self._leaving = True
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(json.dumps({"type": "leave"}))
        self.close_media()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._reader
        await self._socket.close()

    def close_media(self) -> None:
        for client in (self.publishing, self.receiving):
            if client:
                client.close()

    async def _publish(self) -> None:
        tracks = [self._load.track("audio", "0"), self._load.track("video", "1")]
        self.publishing = client = self._load.open()
        camera = {"stream_id": str(uuid.uuid4()), "label": "camera", "audio_mid": "0", "video_mid": "1"}
        offer = {"type": "offer", "pc": "publish", "seq": 1, "sdp": publish_offer(client.identity, tracks)}
        answer = await self._ask({**offer, "streams": [camera]})
        self._send(client, tracks, answer["sdp"])
        await client.opened()

    def _send(self, client: Client, tracks: list[Published], answer: str) -> None:
        for track in tracks:
            client.publish(track)
        client.connect(read_remote(answer))

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        request_id = uuid.uuid4().hex
        self._replies[request_id] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps({**message, "request_id": request_id}))
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._replies[request_id]
        finally:
            del self._replies[request_id]
        if reply["type"] == "error":
            raise RuntimeError(f"{message['type']}: {reply}")
        return reply

    async def _read(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data)
            waiting = self._replies.get(message.get("request_id", ""))
            if waiting and not waiting.done():
                waiting.set_result(message)
            elif message["type"] == "offer" and not self._leaving:
                await self._answer(message)

    async def _answer(self, message: dict[str, Any]) -> None:
        if message["seq"] == 1 and self.receiving:  # a fresh connection
            self.receiving.close()
            self.receiving = None
        if self.receiving is None:
            self.receiving = self._load.open(sampled=self._sampled)
        answer = subscribe_answer(message["sdp"], self.receiving.identity)
        self.sections = sum(bool(s[mid]) for s in message["streams"] for mid in ("audio_mid", "video_mid"))
        reply = {"type": "answer", "pc": "subscribe", "seq": message["seq"], "sdp": answer}
        await self._socket.send_str(json.dumps(reply))
        self.receiving.connect(read_remote(message["sdp"]))
        self._offered.set()
