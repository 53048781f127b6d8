"""How many tracks of 1 Mbit/s one core records, each in a file of its own, without transcoding.

A worker (`mediaserver.composition.worker`) gets packets of simulated people over its media socket at the pace of time,
as a packet thread would send them, and is measured as a process: CPU, memory, what it lost. `--quick` takes less time;
`--kills N` kills a recording worker at N random moments instead, and tells what that costs in seconds.
"""

import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.process import cpu_between, pss, threads_cpu
from mediaserver.composition.control import Frames, write
from mediaserver.recording.folder import repair
from mediaserver.recording.webm import WebmFile

RATE_BPS = 1_000_000
PACKET_BYTES = 1150
FPS = 30
STEP = 0.005  # seconds between two bursts
NTP_EPOCH = 2208988800
REPORT_EVERY = 1.0


class Crowd:
    """Packets of many tracks of VP8, whose content nobody decodes."""

    def __init__(self, tracks: int) -> None:
        self.tracks = tracks
        self.packets_per_frame = max(1, round(RATE_BPS / 8 / FPS / PACKET_BYTES))
        self.size = round(RATE_BPS / 8 / FPS / self.packets_per_frame) - 16
        self._sequences = [0] * tracks
        self._frames = [0] * tracks
        self._filler = os.urandom(self.size)

    def frame(self, track: int) -> Iterator[bytes]:
        number = self._frames[track]
        self._frames[track] += 1
        key = number % (10 * FPS) == 0
        timestamp = (number * 3000) & 0xFFFFFFFF
        for part in range(self.packets_per_frame):
            last, first = part == self.packets_per_frame - 1, part == 0
            head = bytes([0x80, (0x80 if last else 0) | 96]) + (self._sequences[track] & 0xFFFF).to_bytes(2)
            head += timestamp.to_bytes(4) + (track + 1).to_bytes(4)
            start = (b"\x10" + (b"\x10\0\0\x9d\x01\x2a\x80\x02\x68\x01" if key else b"\x11\0\0")) if first else b"\0"
            self._sequences[track] += 1
            yield head + start + self._filler

    def report(self, track: int, now: float) -> bytes:
        ntp = int((now + NTP_EPOCH) * 2**32)
        timestamp = (self._frames[track] * 3000) & 0xFFFFFFFF
        body = (track + 1).to_bytes(4) + ntp.to_bytes(8) + timestamp.to_bytes(4) + bytes(8)
        return b"\x80\xc8" + (len(body) // 4).to_bytes(2) + body


class Worker:
    """The process, with both its sockets."""

    def __init__(self, folder: Path, tracks: int, *, resume: bool = False) -> None:
        self.control, theirs = socket.socketpair()
        self.media, media_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.media.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.media.setblocking(False)
        ends = theirs.fileno(), media_theirs.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mediaserver.composition.worker", *map(str, ends), "0"], pass_fds=ends
        )
        theirs.close()
        media_theirs.close()
        self._frames = Frames()
        self.order(do="hello", wall_offset=0.0)
        for track in range(tracks):
            self.order(
                do="feed", ssrc=track + 1, use="record", participant_id=f"p{track}", stream_id=f"s{track}",
                label="camera", kind="video",
            )  # fmt: skip
        self.order(do="record", id="r", kind="individual", path=str(folder), names={}, resume=resume)
        self.wait("started")

    def order(self, **message: Any) -> None:
        self.control.sendall(write(message))

    def wait(self, what: str) -> dict[str, Any]:
        while True:
            data = self.control.recv(1 << 20)
            if not data:
                raise RuntimeError("the worker has gone")
            for message in self._frames.feed(data):
                if message["did"] == what:
                    return message

    def close(self) -> None:
        self.control.close()
        self.media.close()
        self.process.wait()


def play(worker: Worker, crowd: Crowd, seconds: float) -> int:
    """Sends at the pace of time, tracks one after the other; returns how many packets found no room."""
    lost, began = 0, time.monotonic()
    sent = reported = 0
    while (now := time.monotonic() - began) < seconds:
        due = int(now * FPS * crowd.tracks)
        for frame in range(sent, due):
            for packet in crowd.frame(frame % crowd.tracks):
                try:
                    worker.media.send(packet)
                except BlockingIOError:
                    lost += 1
        sent = due
        if now >= reported * REPORT_EVERY:
            reported += 1
            for track in range(crowd.tracks):
                with suppress(BlockingIOError):
                    worker.media.send(crowd.report(track, time.monotonic()))
        time.sleep(STEP)
    return lost


def measure(tracks: int, seconds: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        worker, crowd = Worker(Path(folder) / "r", tracks), Crowd(tracks)
        play(worker, crowd, 2.0)
        before, began = threads_cpu(worker.process.pid), time.monotonic()
        lost = play(worker, crowd, seconds)
        share = cpu_between(before, threads_cpu(worker.process.pid)) / (time.monotonic() - began)
        memory = pss(worker.process.pid)
        stop_began = time.monotonic()
        worker.order(do="stop", id="r", why="stopped")
        index = worker.wait("closed")["index"]
        stopping = time.monotonic() - stop_began
        worker.close()
    # What was lost was not written either: then the figure says nothing.
    row = {
        "tracks": tracks, "core_share": round(share, 3), "tracks_per_core": 0 if lost else round(tracks / share),
        "memory_mb": round(memory / 1e6), "packets_lost": lost, "files": len(index["tracks"]),
        "stop_seconds": round(stopping, 2), "seconds": seconds,
    }  # fmt: skip
    print(
        f"record {tracks} tracks of 1 Mbit/s: {share:.2f} cores, {row['tracks_per_core']} tracks a core, "
        f"{row['memory_mb']} MB, {lost} packets lost, {row['files']} files finished in {stopping:.2f} s "
        f"({seconds:.0f} s, VP8, {PACKET_BYTES} bytes a packet, 1 process)"
    )
    return row


def kill(moments: int) -> list[dict[str, object]]:
    """Kills at random moments; what is left is repaired, and compared with what had been sent."""
    chance, lost = random.Random(7), []
    for _ in range(moments):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "r"
            worker, crowd = Worker(folder, 4), Crowd(4)
            until = 1.2 + chance.random() * 2.0
            play(worker, crowd, until)
            os.kill(worker.process.pid, signal.SIGKILL)
            worker.close()
            index = repair(folder)
            assert len(index["tracks"]) == 4, f"a file is missing: {index}"
            lost += [until - (track["offset"] + track["duration"]) for track in index["tracks"]]
            for track in index["tracks"]:
                WebmFile.resume(folder / track["file"]).close()
    lost.sort()
    row: dict[str, object] = {
        "kills": moments, "files": len(lost), "lost_median": round(lost[len(lost) // 2], 2),
        "lost_most": round(lost[-1], 2),
    }  # fmt: skip
    print(f"kill a recording worker {moments} times: {json.dumps(row)} (seconds of 4 tracks)")
    return [row]


def run(*, quick: bool = False, kills: int = 0) -> list[dict[str, object]]:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    if kills:
        return kill(kills)
    return [measure(tracks, 5.0 if quick else 20.0) for tracks in ((50,) if quick else (20, 50, 100))]
