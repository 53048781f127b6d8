"""Meetings as HLS streams: for users of rooms to begin, for anybody to watch."""

from collections.abc import AsyncIterator

from aiohttp import web

from signaling.appkeys import HLS
from signaling.assembly import Context, Core, Parts
from signaling.services.hls import HlsStreams

FOLDER = "hls"


def hls(core: Core) -> Parts:
    streams = HlsStreams(
        core.conferences,
        core.composites,
        core.objects,
        core.settings.hls,
        core.clock,
        base_url=core.settings.base_url,
        folder=core.settings.data_dir / FOLDER,
    )
    return Parts(
        watches=[streams],
        hears=[streams.hear],
        keys={HLS: streams},
        contexts=[_running(streams)],
        sweeps=[streams.sweep],
    )


def _running(streams: HlsStreams) -> Context:
    async def context(_: web.Application) -> AsyncIterator[None]:
        await streams.start_up()
        yield
        await streams.aclose()

    return context
