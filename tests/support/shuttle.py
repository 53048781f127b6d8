"""Carries datagrams between two tun devices as a line would: later, slower, or not at all. A process of its own.

Run by `namespaces.py` as `python -m tests.support.shuttle NEAR FAR SEED`, with the descriptors of the devices; NEAR is
the server's end. Weather for both directions comes on standard input, a line of JSON each time it changes, with the
fields of `link.Weather` for `down` and for `up`. What was carried and lost is told on standard output, a line for each.
"""

import json
import os
import select
import sys
import time
from heapq import heappop, heappush
from itertools import count

from tests.support.link import Link, Weather

MTU = 2048
AHEAD = 0.0002  # seconds: what is due so soon is due now
NICENESS = -20  # browsers on the same cores must not move the weather; a real-time class might starve the machine


class Direction:
    """From one device to the other."""

    def __init__(self, source: int, target: int, seed: int) -> None:
        self.source, self._target = source, target
        self.link = Link(Weather(delay=0.0), seed)
        self._waiting: list[tuple[float, int, bytes]] = []
        self._order = count()

    def take(self, now: float) -> None:
        """Everything that has come."""
        while True:
            try:
                data = os.read(self.source, MTU)
            except BlockingIOError:
                return
            for at in self.link.arrivals(len(data), now):
                heappush(self._waiting, (at, next(self._order), data))

    def let_go(self, now: float) -> float | None:
        """What is due; returns when the next one is."""
        while self._waiting and self._waiting[0][0] <= now + AHEAD:
            try:
                os.write(self._target, heappop(self._waiting)[2])
            except OSError:
                continue  # the device is down
        return self._waiting[0][0] if self._waiting else None


def shuttle(down: Direction, up: Direction) -> None:
    """Until standard input ends."""
    orders = sys.stdin.buffer.raw  # type: ignore[attr-defined]
    text = b""
    while True:
        now = time.monotonic()
        due = [at for direction in (down, up) if (at := direction.let_go(now)) is not None]
        ready, _, _ = select.select([down.source, up.source, orders], [], [], max(min(due) - now, 0.0) if due else None)
        now = time.monotonic()
        for direction in (down, up):
            if direction.source in ready:
                direction.take(now)
        if orders in ready:
            heard = orders.read(MTU)
            if not heard:
                return
            *lines, text = (text + heard).split(b"\n")
            for line in lines:
                obey(down, up, json.loads(line))


def obey(down: Direction, up: Direction, weather: dict[str, dict[str, float]]) -> None:
    for name, direction in (("down", down), ("up", up)):
        link = direction.link
        print(json.dumps({"direction": name, "sent": link.sent, "lost": link.lost}), flush=True)
        link.weather = Weather(**weather[name])


def main() -> None:
    near, far, seed = (int(each) for each in sys.argv[1:])
    for device in (near, far):
        os.set_blocking(device, False)
    os.nice(NICENESS)
    shuttle(Direction(near, far, seed), Direction(far, near, seed + 1))


if __name__ == "__main__":
    main()
