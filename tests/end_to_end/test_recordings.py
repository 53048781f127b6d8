"""A recording and a picture of a team's meeting, from the request to the files that players read."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.support.server import running, until

KEY = "the api key of a team"
SECONDS = 3.0
PATIENCE = 40.0  # seconds until the file is there


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


async def _probe(file: Path) -> Any:
    command = ("ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(file))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    return json.loads((await process.communicate())[0])
