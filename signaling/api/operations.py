"""For those who operate the server: is it alive, is it ready, what is it doing, what can it do.

Liveness depends on nothing but the process; a store that is gone must not get a server with running meetings killed.
"""

import asyncio
import os
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.core import CounterMetricFamily, GaugeHistogramMetricFamily, GaugeMetricFamily, Metric

from mediaserver import ServerStats
from signaling.api import json_response
from signaling.api.openapi import describe
from signaling.appkeys import CLOCK, DELIVERIES, FAMILIES, HEALTH, HLS, MEDIA, MEETINGS, REQUESTS, SETTINGS
from signaling.metrics import Scrape, counters, gauges
from signaling.version import VERSION

_DROPPED = "dropped_"
_LINES = (100_000, 200_000, 400_000, 800_000, 1_500_000, 3_000_000, 6_000_000, 12_000_000)  # bits per second
_NO_LIMIT = 1e9  # bits per second: who is thought to have more than that has told nothing


def operations_routes() -> list[web.RouteDef]:
    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
        web.get("/openapi.json", openapi),
    ]


async def healthz(request: web.Request) -> web.Response:
    """200 while the process runs."""
    uptime = request.app[CLOCK].monotonic() - request.app[HEALTH].started_at
    return json_response({"status": "ok", "version": VERSION, "uptime": round(uptime, 3)})


async def readyz(request: web.Request) -> web.Response:
    """200 while new conferences are accepted."""
    if request.app[HEALTH].draining:
        return json_response({"status": "draining"}, 503)
    if not await asyncio.to_thread(writable, request.app[SETTINGS].data_dir):
        return json_response({"status": "data directory not writable"}, 503)
    return json_response({"status": "ok"})


async def metrics(request: web.Request) -> web.Response:
    app = request.app
    scrape = Scrape(
        lambda: _server(app),
        lambda: _meetings(app[MEETINGS].counts()),
        lambda: _media(app[MEDIA].stats()),
        lambda: counters("folkmoot", app[DELIVERIES].counts()),
        lambda: gauges("folkmoot_hls", app[HLS].counts()),
        app[REQUESTS].metrics,
    )
    return web.Response(body=scrape.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def openapi(request: web.Request) -> web.Response:
    """The description of every family, made from the models that check their requests."""
    return json_response(describe(request.app[FAMILIES], VERSION))


def writable(directory: Path) -> bool:
    """Whether a file can be made in the directory now."""
    try:
        handle, name = tempfile.mkstemp(prefix=".probe-", dir=directory)
    except OSError:
        return False
    os.close(handle)
    os.unlink(name)
    return True


def _server(app: web.Application) -> Iterator[Metric]:
    build = GaugeMetricFamily("folkmoot_build_info", "The running version", labels=["version"])
    build.add_metric([VERSION], 1)
    yield build
    uptime = app[CLOCK].monotonic() - app[HEALTH].started_at
    yield GaugeMetricFamily("folkmoot_uptime_seconds", "Since the process has started", value=uptime)


def _meetings(counts: Mapping[str, int]) -> Iterator[Metric]:
    """`conferences_sfu` and the like, the part behind the last underscore being the mode."""
    families: dict[str, GaugeMetricFamily] = {}
    for name, count in sorted(counts.items()):
        what, _, mode = name.rpartition("_")
        family = families.setdefault(what, GaugeMetricFamily(f"folkmoot_{what}", f"Running {what}", labels=["mode"]))
        family.add_metric([mode.upper()], count)
    yield from families.values()


def _media(stats: ServerStats) -> Iterator[Metric]:
    dropped = CounterMetricFamily("folkmoot_media_dropped", "Packets that went no further", labels=["reason"])
    others: dict[str, float] = {}
    for name, count in stats.engine.items():
        if name.startswith(_DROPPED):
            dropped.add_metric([name.removeprefix(_DROPPED)], count)
        else:
            others[name] = count
    yield from counters("folkmoot_media", others)
    yield dropped
    yield from gauges("folkmoot_port", stats.port)
    yield GaugeMetricFamily("folkmoot_media_packets_lost", "By tracks published now", value=_lost(stats))
    yield line_estimates(stats)


def line_estimates(stats: ServerStats) -> Metric:
    """How many participants' lines are thought to carry how much now."""
    lines = (who.line.get("estimate_bps", 0.0) for conference in stats.conferences for who in conference.participants)
    known = sorted(bps for bps in lines if 0 < bps < _NO_LIMIT)
    up_to = [0] * (len(_LINES) + 1)
    for bps in known:
        up_to[bisect_left(_LINES, bps)] += 1
    buckets = [(str(bound), sum(up_to[: n + 1])) for n, bound in enumerate((*_LINES, "+Inf"))]
    told = "What participants' lines are thought to carry, bits per second"
    return GaugeHistogramMetricFamily("folkmoot_line_estimate_bps", told, buckets=buckets, gsum_value=sum(known))


def _lost(stats: ServerStats) -> float:
    tracks = (track for conference in stats.conferences for who in conference.participants for track in who.tracks)
    return sum(layer.get("lost", 0) for track in tracks for layer in track.layers)
