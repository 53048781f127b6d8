"""A meeting for those outside: pushed to platforms that take RTMP, or streamed by HLS."""

from signaling.api.rooms.hls import HlsStream
from signaling.client.calls import Api


class Broadcasts:
    """`room` is the path of the meeting, as its user has it."""

    def __init__(self, api: Api, room: tuple[str, ...]) -> None:
        self._api = api
        self._path = (*room, "broadcasts")
        self._hls = (*room, "hls")

    async def start(self, stream_url: str, *, player_url: str | None = None, platform: str | None = None) -> None:
        """`stream_url` has the key of the stream in it; the platform is `generic` where none is named."""
        body = {"stream_url": stream_url, "player_url": player_url, "platform": platform}
        await self._api.do("POST", *self._path, body=body)

    async def change(self, player_url: str, platform: str | None = None) -> None:
        """It can be watched there."""
        await self._api.do("PUT", *self._path, *([platform] if platform else []), body={"player_url": player_url})

    async def stop(self, platform: str | None = None) -> None:
        """One of them, or all."""
        await self._api.do("DELETE", *self._path, *([platform] if platform else []))

    async def start_hls(self) -> HlsStream:
        """Whoever has the address can watch."""
        return await self._api.fetch(HlsStream, "POST", *self._hls)

    async def hls(self) -> HlsStream:
        return await self._api.fetch(HlsStream, "GET", *self._hls)

    async def stop_hls(self) -> None:
        await self._api.do("DELETE", *self._hls)
