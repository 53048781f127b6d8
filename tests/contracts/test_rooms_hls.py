"""Streams by HLS as users begin and end them, and as players fetch them."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from mediaserver import HlsBegun, HlsEnded, HlsPart
from signaling.appkeys import HLS, MEDIA
from tests.support.clock import MovableClock
from tests.support.fake_media import FakeConference
from tests.support.team import Team, team_server

BEGAN = 1_772_440_200
HERE = "https://meet.example"
THIRD = 1 / 3


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=float(BEGAN))


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock) as team:
        yield team


class Worker:
    """Writes the stream of a meeting, as the media plane does."""

    def __init__(self, team: Team, meeting: dict[str, Any], hls_id: str) -> None:
        conf_id = meeting["signaling"]["options"]["conf_id"]
        self.team = team
        self.conference: FakeConference = team.client.app[MEDIA].conference(conf_id)
        self.id = hls_id
        self.folder = self.conference.streams_by_hls[hls_id]
        self.files = count(1)
        self.parts = 0

    async def begin(self) -> None:
        path = self.folder / f"{next(self.files)}.mp4"
        path.write_bytes(b"head")
        self.conference.tell(HlsBegun(self.conference.id, "", self.id, str(path)))
        await self.read()

    async def write(self, parts: int) -> None:
        for _ in range(parts):
            place = self.parts % 6
            data, path = f"<{self.parts}>".encode(), self.folder / f"{self.parts // 6}.m4s"
            with path.open("ab") as file:
                offset = file.tell()
                file.write(data)
            at = BEGAN + self.parts * THIRD
            what = (str(path), offset, len(data), at, THIRD, place == 0, place == 0, place == 5)
            self.conference.tell(HlsPart(self.conference.id, "", self.id, *what))
            self.parts += 1
        await self.read()

    async def fail(self, why: str) -> None:
        del self.conference.streams_by_hls[self.id]
        self.conference.tell(HlsEnded(self.conference.id, "", self.id, why))
        await self.read()

    async def read(self) -> None:
        """What has been told has been read."""
        await self.team.client.app[HLS].aclose()


async def begin(team: Team, meeting: dict[str, Any]) -> tuple[dict[str, Any], Worker]:
    status, told = await team.ask("POST", f"/rooms/{meeting['access_key']}/hls")
    assert status == 201, told
    worker = Worker(team, meeting, told["id"])
    await worker.begin()
    return told, worker


async def fetch(team: Team, stream: dict[str, Any], name: str = "index.m3u8", **rest: Any) -> tuple[int, bytes]:
    response = await team.send("GET", f"/hls/{stream['id']}/{name}", **rest)
    return response.status, await response.read()


async def test_a_stream_from_its_beginning_to_its_end(team: Team) -> None:
    ada = await team.enter()
    path = f"/rooms/{ada['access_key']}/hls"
    stream, worker = await begin(team, ada)
    assert stream == {
        "id": stream["id"],
        "playlist": f"{HERE}/hls/{stream['id']}/index.m3u8",
        "page": f"{HERE}/watch?stream={stream['id']}",
        "started_at": "2026-03-02T08:30:00.000Z",
    }
    assert len(stream["id"]) == 24
    assert await team.ask("GET", path) == (200, stream)
    await worker.write(8)
    status, text = await fetch(team, stream)
    assert (status, text.splitlines()[-1]) == (200, b'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1.2.m4s"')
    assert await fetch(team, stream, "1.mp4") == (200, b"head")
    assert await fetch(team, stream, "0.m4s") == (200, b"<0><1><2><3><4><5>")
    assert await fetch(team, stream, "1.1.m4s") == (200, b"<7>")
    assert await team.ask("DELETE", path) == (200, None)
    assert await team.status("GET", path) == 404
    assert await team.status("DELETE", path) == 404
    await worker.read()
    assert (await fetch(team, stream))[1].splitlines()[-2:] == [b"1.m4s", b"#EXT-X-ENDLIST"]
    assert not worker.folder.exists()


async def test_the_composite_is_made_as_long_as_it_is_streamed(team: Team) -> None:
    ada = await team.enter(user={"id": "ada"})
    await team.join(ada)
    _, worker = await begin(team, ada)
    assert worker.conference.scenes[-1] is not None
    await team.ask("DELETE", f"/rooms/{ada['access_key']}/hls")
    assert worker.conference.scenes[-1] is None


async def test_what_keeps_a_stream_from_beginning(team: Team) -> None:
    off = await team.enter("off", options={"broadcast_available": False})
    assert await team.status("POST", f"/rooms/{off['access_key']}/hls") == 405
    ada = await team.enter()
    stream, _ = await begin(team, ada)
    assert await team.status("POST", f"/rooms/{ada['access_key']}/hls") == 406
    await team.ask("DELETE", f"/rooms/{ada['access_key']}/hls")
    another, _ = await begin(team, ada)
    assert another["id"] != stream["id"]


async def test_a_stream_that_is_ended_while_it_begins_does_not_run(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, mkdir = Event(), Event(), Path.mkdir

    def slow(path: Path, *args: Any, **rest: Any) -> None:
        if path.parent.name == "hls":
            begun.set()
            go_on.wait(10)
        mkdir(path, *args, **rest)

    monkeypatch.setattr(Path, "mkdir", slow)
    ada = await team.enter()
    path = f"/rooms/{ada['access_key']}/hls"
    beginning = asyncio.create_task(team.status("POST", path))
    await asyncio.to_thread(begun.wait, 10)
    assert await team.status("DELETE", path) == 200
    go_on.set()
    assert await beginning == 406
    conference: FakeConference = team.client.app[MEDIA].conference(ada["signaling"]["options"]["conf_id"])
    assert conference.streams_by_hls == {}
    assert await team.status("GET", path) == 404


async def test_a_stream_ends_with_its_meeting_and_can_be_watched_for_a_while(team: Team, clock: MovableClock) -> None:
    ada = await team.enter()
    stream, worker = await begin(team, ada)
    await worker.write(3)
    await team.end()
    await worker.read()
    clock.advance(299.0)
    await team.client.app[HLS].sweep()
    assert (await fetch(team, stream))[1].endswith(b"#EXT-X-ENDLIST\n")
    clock.advance(2.0)
    await team.client.app[HLS].sweep()
    assert (await fetch(team, stream))[0] == 404


async def test_a_stream_that_fails_is_over_and_can_be_begun_anew(team: Team) -> None:
    ada = await team.enter()
    stream, worker = await begin(team, ada)
    await worker.write(3)
    await worker.fail("disk full")
    assert (await fetch(team, stream))[1].endswith(b"#EXT-X-ENDLIST\n")
    assert await team.status("GET", f"/rooms/{ada['access_key']}/hls") == 404
    await begin(team, ada)


async def test_another_worker_goes_on_behind_a_discontinuity(team: Team) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(3)
    await worker.begin()
    await worker.write(3)
    lines = (await fetch(team, stream))[1].decode().splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at - 1 : at + 2] == ["0.m4s", "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="2.mp4"']


async def test_a_playlist_is_held_until_it_has_the_part(team: Team) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(8)
    asked = [
        asyncio.create_task(fetch(team, stream, "index.m3u8?_HLS_msn=1&_HLS_part=2")),
        asyncio.create_task(fetch(team, stream, "1.2.m4s")),
    ]
    done, _ = await asyncio.wait(asked, timeout=0.1)
    assert not done
    await worker.write(1)
    (_, text), part = await asyncio.gather(*asked)
    assert b'URI="1.2.m4s"' in text
    assert part == (200, b"<8>")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("?_HLS_msn=0", 200),
        ("?_HLS_msn=1&_HLS_part=0", 200),
        ("?_HLS_msn=0&_HLS_part=0&_HLS_skip=YES", 200),
        ("?_HLS_part=0", 400),
        ("?_HLS_msn=-1", 400),
        ("?_HLS_msn=", 400),
        ("?_HLS_msn=1&_HLS_part=x", 400),
        ("?_HLS_msn=%D9%A1", 400),
        ("?_HLS_msn=3", 400),
        ("?_HLS_msn=99999999999999999999", 400),
    ],
)
async def test_what_may_be_asked_of_a_playlist(team: Team, query: str, status: int) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(8)
    assert (await fetch(team, stream, f"index.m3u8{query}"))[0] == status


@pytest.mark.parametrize(
    "path",
    [
        "{id}/2.m4s", "{id}/2.mp4", "{id}/..%2f1.mp4", "{id}/%2e%2e/{id}/0.m4s%00", "{id}/", "{id}",
        "nothing/index.m3u8", "{id}x/index.m3u8", "..%2f{id}/index.m3u8", "{id}/1-1.mp4",
    ],
)  # fmt: skip
async def test_nothing_else_can_be_had(team: Team, path: str) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(8)
    assert (await team.send("GET", "/hls/" + path.format(**stream))).status == 404


@pytest.mark.parametrize(
    ("name", "media_type", "tag", "kept"),
    [
        ("index.m3u8", "application/vnd.apple.mpegurl", '"p9"', "public, max-age=1"),
        ("index.m3u8?_HLS_msn=1&_HLS_part=1", "application/vnd.apple.mpegurl", '"p9"', "public, max-age=12"),
        ("0.m4s", "video/mp4", '"0.m4s"', "public, max-age=3600"),
        ("1.mp4", "video/mp4", '"1.mp4"', "public, max-age=3600"),
    ],
)
async def test_what_caches_and_pages_of_others_are_told(
    team: Team, name: str, media_type: str, tag: str, kept: str
) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(8)
    response = await team.send("GET", f"/hls/{stream['id']}/{name}", headers={"Origin": "https://elsewhere.example"})
    told = response.headers
    assert (response.status, response.content_type, told["ETag"], told["Cache-Control"]) == (200, media_type, tag, kept)
    assert told["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in told
    again = await team.send("GET", f"/hls/{stream['id']}/{name}", headers={"If-None-Match": tag})
    assert (again.status, await again.read()) == (304, b"")


async def test_what_operators_see(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    stream, worker = await begin(team, await team.enter())
    await worker.write(8)
    waiting = asyncio.create_task(fetch(team, stream, "1.2.m4s"))
    await asyncio.wait([waiting], timeout=0.1)
    size = len("head") + 2 * 6 * len("<0>") + 2 * len("<0>")
    assert team.client.app[HLS].counts() == {"streams": 1, "requests_waiting": 1, "bytes": size}
    await worker.write(1)
    await waiting
    await fetch(team, stream, "9.m4s")
    logged = [line for line in capsys.readouterr().out.splitlines() if "route=/hls" in line]
    assert ["info" in line for line in logged] == ["status=404" in line for line in logged]
    assert len(logged) == 2
    assert stream["id"] not in "".join(logged)


async def test_pages_of_others_may_play_it_whoever_may_call(tmp_path: Path) -> None:
    async with team_server(tmp_path, cors={"allowed_origins": ["https://own.example"]}) as team:
        stream, worker = await begin(team, await team.enter())
        await worker.write(1)
        response = await team.send("GET", f"/hls/{stream['id']}/0.0.m4s", headers={"Origin": "https://x.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_copy_goes_into_the_store_where_that_is_wished(tmp_path: Path) -> None:
    objects = tmp_path / "store"
    settings: dict[str, Any] = {
        "hls": {"store_url": "https://cdn.example/moot/"},
        "objects": {"url": objects.as_uri()},
    }
    async with team_server(tmp_path / "data", **settings) as team:
        ada = await team.enter()
        stream, worker = await begin(team, ada)
        assert stream["stored_playlist"] == f"https://cdn.example/moot/hls/{stream['id']}/index.m3u8"
        await worker.write(8)
        copy = objects / "hls" / stream["id"]
        assert {path.name for path in copy.iterdir()} == {"1.mp4", "0.m4s", "index.m3u8"}
        await team.ask("DELETE", f"/rooms/{ada['access_key']}/hls")
        await worker.read()
        lines = (copy / "index.m3u8").read_text().splitlines()
        assert lines[-2:] == ["1.m4s", "#EXT-X-ENDLIST"]
        assert not [line for line in lines if "PART" in line]
