"""Archives as back ends rely on them: each line of their contract once, messages exact."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.appkeys import RECORDINGS
from tests.support.api_server import KEY, Api, spaces_token, web_token
from tests.support.archives import BASE, archiving, look, meeting
from tests.support.clock import MovableClock
from tests.support.sessions import DAY, NOW, Visit, ask, error, new_session, new_token

NOT_WITH_ENCRYPTION = "End to end Encryption along with archiving is not possible"
A, B = web_token(tenantId="a"), web_token(tenantId="b")


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=NOW)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with archiving(tmp_path, clock) as api:
        yield api


# one by hand


async def test_an_archive_from_its_beginning_to_its_file(api: Api, clock: MovableClock):
    async with await meeting(api) as held:
        await held.send()
        told = await held.begin(name="Stand-up")
        archive_id = held.recordings[0].id
        assert told == {
            "name": "Stand-up",
            "sessionId": held.id,
            "metaData": {
                "id": archive_id,
                "name": "Stand-up",
                "sessionId": held.id,
                "projectId": "folkmoot",
                "status": "started",
                "createdAt": int(NOW * 1000),
                "duration": 0,
                "size": 0,
                "reason": None,
                "hasAudio": True,
                "hasVideo": True,
                "outputMode": "composed",
                "resolution": "1280x720",
                "url": None,
            },
        }
        assert (await held.session()).archive_id == archive_id
        clock.advance(61.0)
        stopped = (await held.stop())["metaData"]
        assert (stopped["status"], stopped["duration"], stopped["url"]) == ("stopped", 61, None)
        await held.finished(duration=60.4, content=b"0123456789")
        available = (await look(api, archive_id))["metaData"]
        assert (available["status"], available["duration"], available["size"]) == ("available", 60, 10)
        assert available["url"].startswith(f"{BASE}/media/{archive_id}.webm?")


async def test_the_picture_is_as_large_as_the_archive_says(api: Api):
    async with await meeting(api) as held:
        await held.begin()
        scene = held.conference.scenes[-1]
        assert (f"{scene.width}x{scene.height}", len(scene.tiles)) == ("1280x720", 1)
        other = await new_token(api, held.link)
        async with Visit(api, other["token"]) as bob:
            await bob.join()
            assert len(held.conference.scenes[-1].tiles) == 2
        await held.stop()
        assert held.conference.scenes[-1] is None


async def test_a_link_opens_the_file_for_an_hour(api: Api, clock: MovableClock):
    async with await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.stop()
        await held.finished(content=b"0123456789")
    path = (await look(api, archive_id))["metaData"]["url"].removeprefix(BASE)
    response = await api.send("GET", path, key=None)
    assert (response.status, response.content_type, await response.read()) == (200, "video/webm", b"0123456789")
    clock.advance(3601.0)
    assert (await api.send("GET", path, key=None)).status == 403


async def test_a_name_is_left_out_when_there_is_none(api: Api):
    async with await meeting(api) as held:
        told = await held.begin()
        assert "name" not in told
        assert "name" not in told["metaData"]


async def test_what_keeps_an_archive_from_beginning_and_from_stopping(api: Api):
    path = "/session/Ab3_xYz-09/archive"
    assert await ask(api, "POST", path, json={}) == error(404, "Meeting Not Found")
    assert await ask(api, "DELETE", path) == error(404, "Meeting Not Found")
    encrypted = await new_session(api, endToEndEncryption=True)
    assert await ask(api, "POST", f"/session/{encrypted}/archive", json={}) == error(400, NOT_WITH_ENCRYPTION)
    empty = await new_session(api)
    answer = await ask(api, "POST", f"/session/{empty}/archive", json={})
    assert answer == error(409, "Nobody is connected to the session")
    assert await ask(api, "DELETE", f"/session/{empty}/archive") == error(409, "No archive is being recorded")
    async with await meeting(api) as held:
        await held.begin()
        answer = await ask(api, "POST", f"/session/{held.link}/archive", json={})
        assert answer == error(409, "Archive is already being recorded")


@pytest.mark.parametrize("body", [{"name": 5}, {"name": "x" * 256}, {"name": "\0"}])
async def test_a_name_that_cannot_be(api: Api, body: dict[str, Any]):
    link = await new_session(api)
    status, answer = await ask(api, "POST", f"/session/{link}/archive", json=body)
    assert (status, answer["error"]["code"]) == (422, "VALIDATION_FAILED")


async def test_a_session_may_have_one_archive_after_the_other(api: Api):
    async with await meeting(api) as held:
        await held.begin()
        await held.stop()
        second = await held.begin()
        assert (await held.session()).archive_id == second["metaData"]["id"]


async def test_one_that_the_media_plane_cannot_make_has_failed_and_the_next_one_begins(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    async with await meeting(api) as held:
        with monkeypatch.context() as broken:
            broken.setattr(held.conference, "record", None)
            path = f"/session/{held.link}/archive"
            assert await ask(api, "POST", path, json={}) == error(409, "Recording is not possible now.")
        (failed,) = (await ask(api, "GET", "/archives"))[1]["items"]
        assert (failed["metaData"]["status"], failed["metaData"]["reason"]) == ("failed", "not begun")
        assert (await held.begin())["metaData"]["status"] == "started"


# looking at them


@pytest.mark.parametrize(
    ("bearer", "message"),
    [
        pytest.param(KEY, "TokenInvalid", id="an API key"),
        pytest.param(spaces_token("u"), "TokenExpired", id="a token of a space's user"),
        pytest.param("", "TokenExpired", id="a participant's token"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/archives"), ("PUT", "/archives/storage-target")])
async def test_credentials_for_something_else_open_nothing(api: Api, bearer: str, message: str, method: str, path: str):
    of_participant = (await new_token(api, await new_session(api), role="moderator"))["token"]
    assert await ask(api, method, path, bearer=bearer or of_participant, json={}) == error(401, message)


async def test_there_are_none_at_first(api: Api):
    assert await ask(api, "GET", "/archives") == (200, {"count": 0, "items": []})


@pytest.mark.parametrize("archive_id", ["6b1f0b77c47e83aa5d10f31c", "storage-target", "%00", "ä"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_archive_that_is_not_there(api: Api, method: str, archive_id: str):
    assert await ask(api, method, f"/archives/{archive_id}") == error(404, "Archive Not Found")


async def test_archives_are_listed_newest_first(api: Api, clock: MovableClock):
    made: list[str] = []
    async with await meeting(api) as held:
        for _ in range(3):
            made.insert(0, (await held.begin())["metaData"]["id"])
            await held.stop()
            clock.advance(1.0)

    async def listed(**query: int) -> tuple[int, list[str]]:
        status, told = await ask(api, "GET", "/archives", params=query)
        assert status == 200, told
        return told["count"], [each["metaData"]["id"] for each in told["items"]]

    assert await listed() == (3, made)
    assert await listed(limit=2) == (3, made[:2])
    assert await listed(offset=1, limit=1) == (3, made[1:2])
    assert await listed(offset=7) == (3, [])


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"offset": "-1"}, {"limit": "all"}])
async def test_a_page_that_cannot_be(api: Api, query: dict[str, str]):
    status, answer = await ask(api, "GET", "/archives", params=query)
    assert (status, [each["path"] for each in answer["error"]["details"]]) == (422, [f"/{next(iter(query))}"])


async def test_a_tenant_sees_its_own_archives_only(api: Api):
    async with await meeting(api, bearer=A) as held:
        told = await held.begin()
    path = f"/archives/{told['metaData']['id']}"
    assert told["metaData"]["projectId"] == "a"
    assert (await ask(api, "GET", path, bearer=A))[0] == 200
    assert (await ask(api, "GET", "/archives", bearer=A))[1]["count"] == 1
    assert (await ask(api, "GET", "/archives", bearer=B))[1] == {"count": 0, "items": []}
    for method in ("GET", "DELETE"):
        assert await ask(api, method, path, bearer=B) == error(404, "Archive Not Found")
    assert (await ask(api, "POST", f"/session/{held.link}/archive", bearer=B, json={}))[0] == 404
    assert (await ask(api, "DELETE", f"/session/{held.link}/archive", bearer=B))[0] == 404


async def test_one_that_could_not_be_finished_says_why(api: Api):
    async with await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.finished(why="disk full", content=None)
        told = (await look(api, archive_id))["metaData"]
        assert (told["status"], told["reason"], told["url"]) == ("failed", "disk full", None)


async def test_archives_expire_after_14_days(api: Api, clock: MovableClock):
    async with await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.finished()
    clock.advance(14 * DAY - 60.0)
    link = (await look(api, archive_id))["metaData"]["url"].removeprefix(BASE)
    clock.advance(120.0)
    for swept in (False, True):
        if swept:
            await api.client.app[RECORDINGS].sweep()
        told = (await look(api, archive_id))["metaData"]
        assert (told["status"], told["url"]) == ("expired", None)
    assert (await api.send("GET", link, key=None)).status == 404


async def test_what_a_killed_server_has_left_becomes_available(tmp_path: Path, clock: MovableClock):
    async with archiving(tmp_path, clock) as api, await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        held.recordings[0].path.mkdir(parents=True)
        (held.recordings[0].path / "recording.webm").write_bytes(b"webm")
    async with archiving(tmp_path, clock) as api:
        told = (await look(api, archive_id))["metaData"]
        assert (told["status"], told["size"]) == ("available", 4)


# deleting


async def test_an_archive_is_deleted_and_its_session_has_none(api: Api):
    async with await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        path = f"/archives/{archive_id}"
        assert await ask(api, "DELETE", path) == error(409, "Archive is still being recorded")
        await held.stop()
        await held.finished()
        link = (await look(api, archive_id))["metaData"]["url"].removeprefix(BASE)
        response = await api.send("DELETE", path, key=None, headers={"Authorization": f"Bearer {web_token()}"})
        assert (response.status, await response.text()) == (200, "null")
        assert (await held.session()).archive_id is None
    assert await ask(api, "DELETE", path) == error(404, "Archive Not Found")
    assert (await api.send("GET", link, key=None)).status == 404


async def test_one_that_is_deleted_before_its_file_is_there_never_gets_one(api: Api):
    async with await meeting(api) as held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.stop()
        assert await ask(api, "DELETE", f"/archives/{archive_id}") == (200, None)
        await held.finished()
        assert not held.recordings[0].path.exists()
        assert (await ask(api, "GET", f"/archives/{archive_id}"))[0] == 404


async def test_two_who_begin_at_once_get_one_archive(api: Api):
    async with await meeting(api) as held:
        path = f"/session/{held.link}/archive"
        answers = await asyncio.gather(*(ask(api, "POST", path, json={}) for _ in range(5)))
        assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
        assert len(held.recordings) == 1
