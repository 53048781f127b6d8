"""A recording and a picture of a team's meeting, from the request to the files that players read."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientSession
from PIL import Image

from mediaserver.composition.layouts import Box
from tests.end_to_end.test_recording import hears, loudest
from tests.support.mesh_peer import MeshPeer
from tests.support.peer import COLOUR_TOLERANCE, SAMPLE_RATE, Colour
from tests.support.server import running, until

KEY = "the api key of a team"
SECONDS = 3.0
PATIENCE = 40.0  # seconds until the file is there
RED, GREEN, BLUE = (210, 40, 40), (40, 180, 60), (50, 60, 200)
LOW, HIGH = 330.0, 880.0
MARGIN = 10  # pixels at the edges of a box that are not looked at
WHITE = 200  # of 255: as bright as only what is written

pytestmark = pytest.mark.slow


async def test_an_empty_meeting_is_recorded_pictured_and_downloaded(tmp_path: Path) -> None:
    keys = [{"key": KEY, "team": "My Company"}]
    async with (
        running(tmp_path, api_keys=keys, media__listen_ips=["127.0.0.1"]) as server,
        ClientSession(server.url, headers={"Authorization": KEY}) as session,
    ):

        async def ask(method: str, path: str, **rest: Any) -> Any:
            async with session.request(method, path, **rest) as response:
                assert response.status < 300, await response.text()
                text = await response.text()
                return json.loads(text) if text else None

        meeting = await ask(
            "POST", "/rooms", data={"id": "standup", "user[name]": "Ada", "options[widescreen]": "true"}
        )
        path = f"/rooms/{meeting['access_key']}/recording"
        await ask("POST", path)
        await ask("POST", f"/rooms/{meeting['access_key']}/snapshot")
        await asyncio.sleep(SECONDS)
        await ask("DELETE", path)
        (recording,) = await ask("GET", "/rooms/standup/recordings")

        async def finished() -> bool:
            return bool((await ask("GET", f"/recordings/{recording['id']}"))["links"]["download"])

        await until(finished, PATIENCE, "the recording to be finished")
        link = (await ask("GET", f"/recordings/{recording['id']}"))["links"]["download"]
        async with ClientSession() as nobody, nobody.get(link) as response:
            assert (response.status, response.content_type) == (200, "video/webm")
            file = tmp_path / "download.webm"
            file.write_bytes(await response.read())
        (snapshot,) = await ask("GET", "/rooms/standup/snapshots")
        async with ClientSession() as nobody, nobody.get(snapshot["links"]["download"]) as response:
            assert (response.status, response.content_type) == (200, "image/jpeg")
            picture = tmp_path / "picture.jpg"
            picture.write_bytes(await response.read())
    (drawn,) = (await _probe(picture))["streams"]
    assert (drawn["width"], drawn["height"]) == (1280, 720)
    found = await _probe(file)
    streams = {each["codec_type"]: each for each in found["streams"]}
    assert (streams["video"]["codec_name"], streams["audio"]["codec_name"]) == ("vp8", "opus")
    assert (streams["video"]["width"], streams["video"]["height"]) == (1280, 720)
    assert 1.0 < float(found["format"]["duration"]) < SECONDS + 3.0


@dataclass
class Team:
    """A team's meeting, and what is made of it."""

    session: ClientSession
    meeting: dict[str, Any]

    async def ask(self, method: str, path: str, **rest: Any) -> Any:
        async with self.session.request(method, path, **rest) as response:
            assert response.status < 300, await response.text()
            text = await response.text()
            return json.loads(text) if text else None

    async def inside(self, method: str, what: str, **rest: Any) -> Any:
        return await self.ask(method, f"/rooms/{self.meeting['access_key']}/{what}", **rest)

    async def enter(self, name: str, colour: Colour, tone_hz: float) -> MeshPeer:
        """Somebody comes by an access key and publishes."""
        user = {"user[id]": name, "user[name]": name.title(), "options[widescreen]": "true"}
        self.meeting = await self.ask("POST", "/rooms", data={"id": "standup", **user})
        socket = await self.session.ws_connect(f"/rt?access_key={self.meeting['access_key']}", headers={})
        return MeshPeer(name, colour, tone_hz, socket)

    async def picture(self, witness: MeshPeer) -> np.ndarray:
        """A snapshot, from the request to the download."""
        before = witness.count("snapshot_update")
        await self.inside("POST", "snapshot")
        await witness.until(lambda: witness.count("snapshot_update") > before, "a picture")
        told = witness.told("snapshot_update")
        assert told
        async with ClientSession() as nobody, nobody.get(told["snapshots"][-1]["links"]["download"]) as response:
            assert response.content_type == "image/jpeg"
            return np.asarray(Image.open(BytesIO(await response.read())).convert("RGB"))

    async def shows(self, witness: MeshPeer, **wanted: Colour) -> np.ndarray:
        """Pictures are taken until everybody's box has the colour; the last one."""
        pictures = []

        async def seen() -> bool:
            pictures.append(await self.picture(witness))
            boxes = boxes_of(witness)
            return wanted.keys() <= boxes.keys() and all(
                has_colour(pictures[-1], boxes[name], colour) for name, colour in wanted.items()
            )

        await until(seen, PATIENCE, f"{wanted} in {boxes_of(witness)}")
        return pictures[-1]


def boxes_of(witness: MeshPeer) -> dict[str, Box]:
    """As the last podium_update has them: whoever presents has two, the first is the stage; films by their id."""
    told = witness.told("podium_update")
    assert told
    boxes: dict[str, Box] = {}
    for spot in told["podium"]:
        if spot["z-index"] != 0:
            continue
        name = spot["user_id"] or spot["play_id"]
        name = name if name not in boxes else f"{name}_too"
        boxes[name] = Box(spot["left"], spot["top"], spot["width"], spot["height"])
    return boxes


def has_colour(picture: np.ndarray, box: Box, colour: Colour) -> bool:
    """In the upper half of the box: below, names are written."""
    middle = picture[
        box.top + MARGIN : box.top + box.height // 2, box.left + box.width // 4 : box.right - box.width // 4
    ]
    return bool(np.all(np.abs(np.median(middle, axis=(0, 1)) - colour) < COLOUR_TOLERANCE))


def has_writing(picture: np.ndarray, box: Box) -> bool:
    """A few pixels of the lower half are white."""
    lower = picture[box.top + box.height // 2 : box.bottom - MARGIN, box.left + MARGIN : box.right - MARGIN]
    return 0.0005 < float(np.mean(lower.min(axis=2) > WHITE)) < 0.1


def falls_silent(file: Path, one: float, other: float) -> bool:
    """Whether at the end only the other's tone is heard."""
    with av.open(str(file)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)
    end = heard[-SAMPLE_RATE * 3 // 2 : -SAMPLE_RATE // 2]
    return loudest(end, (other,)) and not loudest(end, (one, other))


@asynccontextmanager
async def standup(tmp_path: Path, **options: Any) -> AsyncIterator[tuple[Team, MeshPeer, MeshPeer]]:
    """Ada in red and Bob in green have met. `options`: the server's."""
    keys = [{"key": KEY, "team": "My Company"}]
    settings = {"media__listen_ips": ["127.0.0.1"], "fetch__allow_private_addresses": True, **options}
    async with (
        running(tmp_path, api_keys=keys, **settings) as server,
        ClientSession(server.url, headers={"Authorization": KEY}) as session,
    ):
        team = Team(session, {})
        ada, bob = await team.enter("ada", RED, LOW), await team.enter("bob", GREEN, HIGH)
        try:
            await ada.until(lambda: ada.gets(bob, "server"), "Bob")
            await bob.until(lambda: bob.gets(ada, "server"), "Ada")
            yield team, ada, bob
        finally:
            await asyncio.gather(ada.close(), bob.close())


async def test_two_people_are_recorded_and_pictured(tmp_path: Path) -> None:
    async with standup(tmp_path) as (team, ada, _):
        loop = asyncio.get_running_loop()
        await team.inside("POST", "recording")
        began = loop.time()
        picture = await team.shows(ada, ada=RED, bob=GREEN)
        boxes = boxes_of(ada)
        assert all(has_writing(picture, box) for box in boxes.values())
        await asyncio.sleep(SECONDS)
        await ada.say("mute", stream_id=ada.stream_id, audio=True)
        await asyncio.sleep(SECONDS)
        await team.inside("DELETE", "recording")
        took = loop.time() - began
        await ada.until(lambda: ada.count("recording_update") == 3, "the file")
        updates = [message["recording"] for message in ada.heard if message["type"] == "recording_update"]
        begun, stopped, finished = [(each["duration"], bool(each["links"]["download"])) for each in updates]
        assert (begun, stopped[1], finished[1]) == ((None, False), False, True)
        assert abs(stopped[0] - took) < 2.0
        file = tmp_path / "download.webm"
        async with ClientSession() as nobody:
            link = updates[-1]["links"]["download"]
            async with nobody.get(link) as response:
                assert (response.status, response.content_type) == (200, "video/webm")
                file.write_bytes(await response.read())
            async with nobody.get(link, headers={"Range": "bytes=100-299"}) as response:
                assert response.status == 206
                assert await response.read() == file.read_bytes()[100:300]
    found = await _probe(file)
    assert abs(float(found["format"]["duration"]) - took) < 2.0
    assert hears(file, LOW, HIGH)
    assert falls_silent(file, LOW, HIGH)
    with av.open(str(file)) as container:
        last = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-5]
    assert boxes["ada"] != boxes["bob"]
    assert has_colour(last, boxes["ada"], RED)
    assert has_colour(last, boxes["bob"], GREEN)
    assert all(has_writing(last, box) for box in boxes.values())


async def test_the_picture_follows_cameras_screens_and_people(tmp_path: Path) -> None:
    async with standup(tmp_path) as (team, ada, bob):
        await team.shows(ada, ada=RED, bob=GREEN)
        await ada.say("mute", stream_id=ada.stream_id, video=True)
        await ada.until(lambda: ada.told("mute_update"), "muted")
        boxes = boxes_of(ada)

        async def hidden() -> bool:
            return not has_colour(await team.picture(ada), boxes["ada"], RED)

        await until(hidden, PATIENCE, "Ada's camera to be off")
        await team.shows(ada, bob=GREEN)
        await ada.say("mute", stream_id=ada.stream_id, video=False)
        await team.shows(ada, ada=RED, bob=GREEN)
        await bob.share(BLUE)
        await team.inside("POST", "presentation")
        await team.shows(ada, bob=BLUE, ada=RED, bob_too=GREEN)
        await team.inside("DELETE", "presentation")
        await team.shows(ada, ada=RED, bob=GREEN)
        await bob.say("leave")
        await ada.until(lambda: "bob" not in boxes_of(ada), "Bob's seat free")
        await team.shows(ada, ada=RED)


async def _probe(file: Path) -> Any:
    command = ("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(file))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return json.loads((await process.communicate())[0])
