"""Deciding what each subscriber gets: CPU time in Python for 100 subscribers of 9 streams, 5 % of a core at most.

The feedback of one subscriber over a 3 Mbit/s line is recorded on the simulated line first (outside the timed part), as
records as the native core makes them. Then estimates and allocations live through it again, all in one thread.
"""

import statistics
import time
from random import Random

from mediaserver.rtp.allocation import Allocator, Request
from mediaserver.rtp.arrivals import RECORD, read_records
from mediaserver.rtp.congestion import Estimate
from mediaserver.rtp.layers import TrackLayers
from tests.support.estimation import Narrow, Sender, cameras
from tests.support.link import Weather

SUBSCRIBERS = 100
STREAMS = 9
SECONDS = 20
RATE_BPS = 3_000_000.0
DECISIONS = 5  # a second
MEASURES = 1  # of layers, a second
BAR = 0.05  # of a core


class _Recorded(Sender):
    messages: list[tuple[float, bytes]]

    def hear(self, records: list[tuple[int, int, int, int]], now: float) -> None:  # type: ignore[override]
        self.messages.append((now, b"".join(RECORD.pack(*record) for record in records)))
        super().hear(records, now)


def recorded(every: float) -> list[tuple[float, bytes]]:
    """(time, records) of the messages of `SECONDS`."""
    line = Narrow(Weather(delay=0.02, jitter=0.003, rate_bps=RATE_BPS, loss=0.01), seed=1, feedback_every=every)
    sender = _Recorded(cameras(STREAMS), line.link, Random(1), voices=3)
    sender.messages = []
    sender.begin(line.now)
    line.senders.append(sender)
    line.run(SECONDS)
    return sender.messages


def counters(random: Random) -> list[dict[str, int | float]]:
    sizes = ((0, 1280, 720, 1.5e6), (1, 640, 360, 5e5), (2, 320, 180, 1.5e5))
    return [
        {"layer": n, "width": width, "height": height, "rate_bps": rate * random.uniform(0.9, 1.1), "age": 0.02}
        for n, width, height, rate in sizes
    ]


def layers_over_time(random: Random, first: float) -> tuple[list[tuple[Request, ...]], float]:
    """What everybody may want, second by second, and the CPU seconds that measuring took: once for all subscribers."""
    tracks = [TrackLayers() for _ in range(STREAMS)]
    measured = [[counters(random) for _ in range(STREAMS)] for _ in range(SECONDS * MEASURES)]
    began = time.process_time()
    wanted = [
        tuple(Request(n, track.measured(each[n], first + second / MEASURES)) for n, track in enumerate(tracks))
        for second, each in enumerate(measured)
    ]
    return wanted, time.process_time() - began


def live(messages: list[tuple[float, bytes]], wanted: list[tuple[Request, ...]]) -> dict[str, float]:
    """CPU seconds of one subscriber, by part."""
    estimate, allocator = Estimate(), Allocator()
    spent = {"estimate": 0.0, "allocation": 0.0}
    first = messages[0][0]
    decided = measured_at = first - 1.0
    coming = iter(wanted)
    clock = time.process_time_ns
    for now, data in messages:
        began = clock()
        estimate.feedback(read_records(data), now)
        estimate.probe(now)
        estimated = clock()
        spent["estimate"] += estimated - began
        if now - measured_at >= 1 / MEASURES and (requests := next(coming, None)):
            measured_at = now
            allocator.request(requests, 100_000.0, estimate.rate_bps, now)
            estimate.wanted_bps = allocator.wanted_bps
        if now - decided >= 1 / DECISIONS:
            decided = now
            allocator.update(estimate.rate_bps, now)
        spent["allocation"] += clock() - estimated
    return {part: nanoseconds / 1e9 for part, nanoseconds in spent.items()}


def measure(every: float, runs: int) -> dict[str, object]:
    messages = recorded(every)
    wanted, measuring = layers_over_time(Random(2), messages[0][0])
    records = sum(len(data) // RECORD.size for _, data in messages)
    times = [live(messages, wanted) for _ in range(runs)]
    totals = [sum(each.values()) for each in times]
    core = (statistics.median(totals) * SUBSCRIBERS + measuring) / SECONDS
    parts = {part: statistics.median(each[part] for each in times) / SECONDS * 1e6 for part in times[0]}
    feedback_us = statistics.median(each["estimate"] for each in times) / len(messages) * 1e6
    spread = (max(totals) - min(totals)) * SUBSCRIBERS / SECONDS
    print(
        f"control of {SUBSCRIBERS} subscribers of {STREAMS} streams: {core:.2%} of a core +- {spread / 2:.2%} "
        f"(feedback every {every * 1000:.0f} ms, {feedback_us:.0f} us each with {records / len(messages):.0f} records; "
        + ", ".join(f"{part} {us:.0f} us/s" for part, us in parts.items())
        + f" and subscriber; bar {BAR:.0%})"
    )
    return {
        "feedback_every_ms": every * 1000,
        "core": round(core, 4),
        "spread": round(spread / 2, 4),
        "us_per_feedback": round(feedback_us, 1),
        **{f"{part}_us_per_second": round(us, 1) for part, us in parts.items()},
        "bar": BAR,
        "met": core <= BAR,
    }


def run(*, quick: bool = False) -> list[dict[str, object]]:
    return [measure(every, 5 if quick else 25) for every in (0.05, 0.1)]
