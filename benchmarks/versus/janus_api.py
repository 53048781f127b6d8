"""The Janus API over a WebSocket, as far as the video room needs it: one session, handles, requests and their answers.

https://janus.conf.meetecho.com/docs/rest.html and videoroom.html.
"""

import asyncio
import itertools
import json
from typing import Any

import aiohttp

PLUGIN = "janus.plugin.videoroom"
PATIENCE = 30.0  # seconds for an answer
KEEPALIVE = 25.0  # seconds; Janus ends a session it has not heard of for 60

Message = dict[str, Any]


class JanusError(RuntimeError):
    """Janus or its video room says no."""


class Session:
    """A session and its WebSocket."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._up: dict[int, asyncio.Event] = {}
        self._numbers = itertools.count(1)
        self._id = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._socket: aiohttp.ClientWebSocketResponse

    async def open(self, url: str) -> None:
        self._socket = await self._http.ws_connect(url, protocols=("janus-protocol",), max_msg_size=0)
        self._tasks = [asyncio.create_task(self._read())]
        self._id = (await self._ask({"janus": "create"}))["data"]["id"]
        self._tasks.append(asyncio.create_task(self._keep_alive()))

    async def handle(self) -> int:
        """The number of a new handle of the video room."""
        handle = int((await self._ask({"janus": "attach", "plugin": PLUGIN}))["data"]["id"])
        self._up[handle] = asyncio.Event()
        return handle

    async def message(self, handle: int, body: Message, jsep: Message | None = None) -> tuple[Message, str]:
        """What the video room answers: its data and the session description that comes with it, or ""."""
        request = {"janus": "message", "handle_id": handle, "body": body}
        answer = await self._ask(request | ({"jsep": jsep} if jsep else {}))
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise JanusError(f"{body['request']}: {data['error']}")
        return data, answer.get("jsep", {}).get("sdp", "")

    async def up(self, handle: int) -> None:
        """Waits until Janus, too, sees the handle's connection as open."""
        async with asyncio.timeout(PATIENCE):
            await self._up[handle].wait()

    async def detach(self, handle: int) -> None:
        await self._ask({"janus": "detach", "handle_id": handle})

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()

    async def _ask(self, message: Message) -> Message:
        """The answer that is not just an acknowledgement."""
        transaction = str(next(self._numbers))
        self._waiting[transaction] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_str(json.dumps(self._addressed(message) | {"transaction": transaction}))
            async with asyncio.timeout(PATIENCE):
                answer = await self._waiting[transaction]
        finally:
            del self._waiting[transaction]
        if answer["janus"] == "error":
            raise JanusError(f"{message['janus']}: {answer['error']}")
        return answer

    def _addressed(self, message: Message) -> Message:
        return message | ({"session_id": self._id} if self._id else {})

    async def _read(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame.data)
            if message["janus"] == "webrtcup":
                self._up[message["sender"]].set()
            waiting = self._waiting.get(message.get("transaction", ""))
            if waiting and not waiting.done() and message["janus"] != "ack":
                waiting.set_result(message)

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEPALIVE)
            message = self._addressed({"janus": "keepalive", "transaction": "keepalive"})
            await self._socket.send_str(json.dumps(message))
