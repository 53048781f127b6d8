"""The rooms API as a user in a meeting uses it: by their access key alone."""

import builtins
from collections.abc import Sequence
from typing import IO, Any, Literal

from aiohttp import FormData

from signaling.api.rooms.files import File, FileList
from signaling.api.rooms.hls import HlsStream
from signaling.api.rooms.layers import NewInsert
from signaling.api.rooms.models import Meeting, Person
from signaling.api.rooms.presentation import Presentation
from signaling.api.rooms.snapshots import Snapshot
from signaling.client.broadcasts import Broadcasts
from signaling.client.calls import Api

Upload = bytes | IO[bytes]
Box = tuple[int, int, int, int, Literal["auto", "contain", "cover"]]


class User:
    def __init__(self, api: Api, access_key: str) -> None:
        self._api = api
        self._room = ("rooms", access_key)
        self.broadcasts = Broadcasts(api, self._room)

    # the meeting

    async def meeting(self) -> Meeting:
        return await self._api.fetch(Meeting, "GET", *self._room)

    async def end(self) -> None:
        """Ends the meeting for all; guests may not."""
        await self._api.do("DELETE", *self._room)

    async def lock(self) -> None:
        """Lets nobody in any more."""
        await self._api.do("POST", *self._room, "lock")

    async def say(self, content: str, *, type: str = "chat") -> None:
        """Tells everybody."""
        await self._api.do("POST", *self._room, "messages", body={"type": type, "content": content})

    async def person(self, user_id: str) -> Person:
        return await self._api.fetch(Person, "GET", *self._room, "users", user_id)

    async def kick(self, user_id: str) -> None:
        """Sends somebody away."""
        await self._api.do("DELETE", *self._room, "users", user_id)

    # the composite

    async def start_recording(self) -> None:
        await self._api.do("POST", *self._room, "recording")

    async def stop_recording(self) -> None:
        await self._api.do("DELETE", *self._room, "recording")

    async def take_snapshot(self) -> None:
        await self._api.do("POST", *self._room, "snapshot")

    async def snapshot(self, snapshot_id: str) -> Snapshot:
        return await self._api.fetch(Snapshot, "GET", *self._room, "snapshots", snapshot_id)

    async def start_hls(self) -> HlsStream:
        """Lets everybody watch who has the stream's address."""
        return await self._api.fetch(HlsStream, "POST", *self._room, "hls")

    async def hls(self) -> HlsStream:
        return await self._api.fetch(HlsStream, "GET", *self._room, "hls")

    async def stop_hls(self) -> None:
        await self._api.do("DELETE", *self._room, "hls")

    async def lay_out(
        self,
        layout: Literal["auto", "custom"] | None = None,
        *,
        name: str | None = None,
        map: Sequence[Box] | None = None,
        users: Sequence[str] | None = None,
        voice_activation: bool = False,
        show_names: bool = True,
    ) -> None:
        """Replaces the layout; `users` per spot, "" for a free one."""
        body = {
            "layout": layout,
            "name": name,
            "map": None if map is None else [*builtins.map(list, map)],
            "users": None if users is None else list(users),
            "voice_activation": voice_activation,
            "show_names": show_names,
        }
        await self._api.do("POST", *self._room, "layout", body=body)

    async def put_layer(
        self,
        *,
        file: Upload | None = None,
        url: str | None = None,
        insert: NewInsert | None = None,
        z_index: Literal[-1, 1] = 1,
        id: str | None = None,
    ) -> None:
        """Exactly one of a file, a URL and an insert, behind everything (-1) or over it."""
        if file is None:
            body = {"url": url, "insert": insert, "z-index": z_index, "id": id}
            await self._api.do("POST", *self._room, "layers", body=body)
            return
        form = _form(file, "layer")
        form.add_field("z-index", str(z_index))
        if id is not None:
            form.add_field("id", id)
        await self._api.do("POST", *self._room, "layers", form=form)

    async def remove_layer(self, z_index: Literal[-1, 1]) -> None:
        await self._api.do("DELETE", *self._room, "layers", str(z_index))

    async def play(
        self,
        url: str,
        *,
        play_id: str | None = None,
        replacement_id: str | None = None,
        name: str | None = None,
        audio: bool = False,
        loop_count: int = 0,
    ) -> None:
        """Plays a film or music, on a spot of its own or in the place of somebody's picture."""
        body = {
            "url": url,
            "play_id": play_id,
            "replacement_id": replacement_id,
            "name": name,
            "audio": audio,
            "loop_count": loop_count,
        }
        await self._api.do("POST", *self._room, "playbacks", body=body)

    async def stop_playing(self, play_id: str) -> None:
        await self._api.do("DELETE", *self._room, "playbacks", play_id)

    # files and slides

    async def files(self) -> list[File]:
        """Oldest first."""
        return (await self._api.fetch(FileList, "GET", *self._room, "files")).files

    async def upload(self, file: Upload, name: str) -> File:
        """A picture is converted when this returns, a document some time later."""
        return await self._api.fetch(File, "POST", *self._room, "files", form=_form(file, name))

    async def file(self, file_id: str) -> File:
        return await self._api.fetch(File, "GET", *self._room, "files", file_id)

    async def delete_file(self, file_id: str) -> None:
        await self._api.do("DELETE", *self._room, "files", file_id)

    async def present(self, slide: str | None = None) -> Presentation:
        """Shows a slide, or the user's screen."""
        return await self._show("POST", slide)

    async def turn_to(self, slide: str) -> Presentation:
        """Shows another slide."""
        return await self._show("PUT", slide)

    async def stop_presenting(self) -> None:
        await self._api.do("DELETE", *self._room, "presentation")

    async def _show(self, method: str, slide: str | None) -> Presentation:
        body: dict[str, Any] = {"slide": slide}
        return await self._api.fetch(Presentation, method, *self._room, "presentation", body=body)


def _form(file: Upload, name: str) -> FormData:
    form = FormData(default_to_multipart=True)
    form.add_field("file", file, filename=name)
    return form
