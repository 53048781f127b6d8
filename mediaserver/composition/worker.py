"""The media worker: the child process in which what a conference's people send is decoded, and its recordings written.

Started by `studio.py` with two sockets: orders (`control.py`) and packets. Lives as long as the first: when the server
is gone, however it went, the worker finishes its files and ends. Memory and CPU time are limited, so that a hostile
bitstream costs at most this process; every sign of life prolongs the CPU time.

`python -m mediaserver.composition.worker CONTROL MEDIA MEMORY`, or `--repair FOLDER` to finish what a kill left behind.
"""

import asyncio
import json
import os
import random
import resource
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mediaserver.composition.control import Channel, Message
from mediaserver.composition.desk import Desk, Program
from mediaserver.composition.scene import Scene
from mediaserver.egress.rtmp import RtmpPush
from mediaserver.recording.folder import Busy, orphans, repair
from mediaserver.recording.individual import TrackLabel

STEP = 0.01  # seconds between two looks at the composite
TICK = 0.05
ALIVE_EVERY = 1.0
CPU_AHEAD = 60  # seconds of CPU time that a worker may use up without a sign of life
RECEIVE_BYTES = 4 << 20
DATAGRAM = 2048
ROUND = 256  # datagrams before orders get their turn
MAX_ROUNDS = 64  # more has not come before an order, but while it is carried out
LATER_THAN_PACKETS = frozenset({"unfeed", "stop", "snapshot"})  # orders that what came before them belongs to
NICE = 5  # conversations go before recordings
SERVER_GONE, STOPPED = "server gone", "stopped"


class Worker:
    """Reads both sockets in an event loop; decides nothing."""

    def __init__(self, control: socket.socket, media: socket.socket) -> None:
        self._media = media
        self._loop = asyncio.get_running_loop()
        self._desk: Desk | None = None
        self._done = asyncio.Event()
        self._alive_at = self._ticked_at = 0.0
        self._channel = Channel(control, self._ordered, lambda _why: self._end(SERVER_GONE))
        self._orders: dict[str, Callable[[Desk, Message], None]] = {
            "feed": lambda desk, m: desk.feed(m),
            "unfeed": lambda desk, m: desk.unfeed(m),
            "mute": lambda desk, m: desk.muted(m, _now()),
            "record": lambda desk, m: desk.recordings.begin(m, _now()),
            "stop": lambda desk, m: desk.stop(m["id"], _now(), m["why"]),
            "scene": lambda desk, m: desk.show(m, _now()),
            "one_view": lambda desk, m: desk.one_view(m),
            "listen": lambda desk, m: desk.listen(m),
            "unlisten": lambda desk, m: desk.unlisten(m),
            "play": lambda desk, m: desk.play(m),
            "screen": lambda desk, m: desk.screen(m),
            "stop_playing": lambda desk, m: desk.stop_playing(m),
            "snapshot": lambda desk, m: desk.snapshot(m),
            "hls": lambda desk, m: desk.outlets.hls(m),
            "stop_hls": lambda desk, m: desk.outlets.stop_hls(m["id"], STOPPED),
            "push": lambda desk, m: desk.outlets.push(m),
            "stop_push": lambda desk, m: desk.outlets.stop_push(m["id"]),
            "spoke": lambda desk, m: desk.spoke(m["participant_ids"], _now()),
            "name": lambda desk, m: desk.named(m["participant_id"], m["name"]),
            "note": lambda desk, m: desk.noted(m["note"], _now()),
        }

    async def run(self) -> None:
        self._loop.add_reader(self._media, self._readable)
        self._tick()
        await self._done.wait()
        self._channel.close()

    def _ordered(self, message: Message) -> None:
        match message["do"]:
            case "hello":
                self._desk = Desk(
                    message["wall_offset"],
                    random.getrandbits(32),
                    send=self._send,
                    tell=self._tell,
                    make_program=_program,
                    make_push=self._push,
                )
            case "end":
                self._end(message["why"])
            case order:
                assert self._desk is not None, "the first order is hello"
                if order in LATER_THAN_PACKETS:
                    self._drain()
                self._orders[order](self._desk, message)

    def _end(self, why: str) -> None:
        if self._desk:
            self._drain()
            self._desk.stop_all(_now(), why)
        self._loop.call_soon(self._done.set)

    def _drain(self) -> None:
        """Reads what came before an order."""
        for _ in range(MAX_ROUNDS):
            if self._readable() < ROUND:
                return

    def _readable(self) -> int:
        """Returns how many datagrams there were."""
        now = _now()
        for count in range(ROUND):
            try:
                data = self._media.recv(DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return count
            except OSError:
                data = b""
            if not data:
                self._loop.remove_reader(self._media)
                return count
            if self._desk:
                self._desk.datagram(data, now)
        return ROUND

    def _tick(self) -> None:
        now = _now()
        if self._desk:
            self._desk.advance(now)
        if self._desk and now - self._ticked_at >= TICK:
            self._ticked_at = now
            self._desk.tick(now)
        if now - self._alive_at >= ALIVE_EVERY:
            self._alive_at = now
            allow_cpu()
            self._tell({"did": "alive", "counts": self._desk.intake.counts() if self._desk else {}})
        self._loop.call_later(STEP, self._tick)

    def _send(self, packet: bytes) -> None:
        try:
            self._media.send(packet)
        except OSError:  # full, or the server is gone: it is asked again, or nobody is there to ask
            return

    def _tell(self, message: Message) -> None:
        self._channel.send(**message)

    def _push(self, order: Message, report: Callable[[str, str], None]) -> RtmpPush:
        """Its reports come from another thread, also while this one ends."""

        def later(state: str, why: str) -> None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(report, state, why)

        return RtmpPush(order["url"], order["addresses"], later, pauses=order["pauses"], ca_file=order["ca_file"])


def _program(scene: Scene, now: float, on_key_wanted: Callable[[TrackLabel], None]) -> Program:
    """FFmpeg's libraries are loaded with the first composite: a worker that only records tracks needs none."""
    from mediaserver.composition.program import Program

    return Program(scene, now, on_key_wanted)


def _now() -> float:
    return time.monotonic()


def allow_cpu() -> None:
    """So much CPU time from now on, then the kernel ends this process."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_AHEAD, resource.RLIM_INFINITY))


def limit(memory_bytes: int) -> None:
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    allow_cpu()


def repair_all(root: Path) -> list[dict[str, object]]:
    """What became of every recording under `root` that nobody had finished."""
    found: list[dict[str, object]] = []
    for folder in orphans(root):
        try:
            found.append({"path": str(folder), "index": repair(folder)})
        except Busy:
            continue
        except OSError as error:
            found.append({"path": str(folder), "index": None, "why": str(error)})
    return found


async def _serve(control: int, media: int) -> None:
    sockets = socket.socket(fileno=control), socket.socket(fileno=media)
    sockets[1].setblocking(False)
    await Worker(*sockets).run()


def main(arguments: list[str]) -> None:
    if arguments[0] == "--repair":
        limit(0)
        sys.stdout.write(json.dumps(repair_all(Path(arguments[1]))))
        return
    control, media, memory_bytes = (int(argument) for argument in arguments)
    limit(memory_bytes)
    asyncio.run(_serve(control, media))


if __name__ == "__main__":
    main(sys.argv[1:])
