"""Recordings as users start and stop them and as teams get them; and the layout. Rooms contract, sections 6 and 9."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from signaling.appkeys import MEDIA, RECORDINGS, SNAPSHOTS
from signaling.objects import Objects, StoreFailed
from tests.support.clock import MovableClock
from tests.support.fake_media import FakeConference, FakeRecording
from tests.support.live import Talker
from tests.support.team import KEY, OTHER_KEY, Team, team_server

DAY = 86400
BEGAN = 1_772_440_200


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=float(BEGAN))


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock) as team:
        yield team


def conference(team: Team, meeting: dict[str, Any]) -> FakeConference:
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"])


def recorded(team: Team, meeting: dict[str, Any]) -> FakeRecording:
    return conference(team, meeting).recordings[-1]


async def finished(team: Team, recording: FakeRecording, **rest: Any) -> None:
    """The media plane has closed the file, and everything that follows has happened."""
    recording.close(**rest)
    await team.client.app[RECORDINGS].aclose()


async def begin(team: Team, meeting: dict[str, Any]) -> FakeRecording:
    assert await team.ask("POST", f"/rooms/{meeting['access_key']}/recording") == (201, None)
    return recorded(team, meeting)


async def stop(team: Team, meeting: dict[str, Any]) -> None:
    assert await team.ask("DELETE", f"/rooms/{meeting['access_key']}/recording") == (200, None)


async def updates(talker: Talker, count: int) -> list[dict[str, Any]]:
    return [(await talker.until("recording_update"))["recording"] for _ in range(count)]


async def test_the_three_states_of_a_recording(team: Team, clock: MovableClock):
    ada = await team.enter(user={"id": "ada"})
    ann = await team.join(ada)
    clock.advance(0.5)
    recording = await begin(team, ada)
    assert recording.names == {"ada": "Ada"}
    assert (await team.ask("GET", f"/rooms/{ada['access_key']}"))[1]["recording"]["id"] == recording.id
    clock.advance(1260.7)
    await stop(team, ada)
    assert recording.stopped
    assert (await team.ask("GET", f"/rooms/{ada['access_key']}"))[1]["recording"] is None
    await finished(team, recording, duration=1260.4)
    first, second, third = await updates(ann, 3)
    assert first == {
        "id": recording.id,
        "created_at": BEGAN,
        "duration": None,
        "links": {"self": f"https://meet.example/recordings/{recording.id}", "download": None},
        "user": {
            "id": "ada",
            "name": "Ada",
            "avatar": None,
            "guest": False,
            "joined_at": "2026-03-02T08:30:00.000Z",
        },
        "room": ada["room"],
    }
    assert second == {**first, "duration": 1260}
    assert third["duration"] == 1260
    assert third["links"]["download"].startswith(f"https://meet.example/media/{recording.id}.webm?")
    status, told = await team.ask("GET", f"/recordings/{recording.id}", key=KEY)
    assert (status, told) == (200, third)


async def test_a_download_is_signed_for_an_hour(team: Team, clock: MovableClock):
    ada = await team.enter()
    recording = await begin(team, ada)
    await stop(team, ada)
    await finished(team, recording, content=b"0123456789")
    link = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]["links"]["download"]
    path = link.removeprefix("https://meet.example")
    response = await team.send("GET", path)
    assert (response.status, response.content_type, await response.read()) == (200, "video/webm", b"0123456789")
    assert (await team.send("GET", path, headers={"Range": "bytes=2-3"})).status == 206
    assert await team.status("HEAD", path) == 200
    clock.advance(3601.0)
    assert await team.status("GET", path) == 403


async def test_what_keeps_a_recording_from_beginning(team: Team):
    ada = await team.enter()
    await begin(team, ada)
    path = f"/rooms/{ada['access_key']}/recording"
    assert await team.status("POST", path) == 406
    await stop(team, ada)
    assert await team.status("DELETE", path) == 404
    other = await team.enter("retro", options={"recording_available": False})
    assert await team.status("POST", f"/rooms/{other['access_key']}/recording") == 405
    await team.end("retro")
    assert await team.status("POST", f"/rooms/{other['access_key']}/recording") == 410
    assert await team.status("DELETE", "/rooms/Qm7tZ0bLw3XcR9kVdJ2sHfNa/recording") == 404


async def test_the_end_of_a_meeting_stops_its_recording(team: Team, clock: MovableClock):
    ada = await team.enter()
    ann = await team.join(ada)
    recording = await begin(team, ada)
    clock.advance(5.0)
    await team.end()
    assert [update["duration"] for update in await updates(ann, 2)] == [None, 5]
    await finished(team, recording, why="conference over", duration=5.0)
    told = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]
    assert told["links"]["download"] is not None
    assert [each["id"] for each in (await team.ask("GET", "/rooms/standup/recordings", key=KEY))[1]] == [recording.id]


async def test_a_file_that_could_not_be_finished_is_told_so(team: Team):
    ada = await team.enter()
    recording = await begin(team, ada)
    await finished(team, recording, why="disk full", content=None)
    told = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]
    assert (told["failed"], told["duration"], told["links"]["download"]) == (True, 0, None)


async def test_a_recording_that_runs_is_deleted_and_one_that_is_finished(team: Team):
    ada = await team.enter()
    for finish_first in (False, True):
        recording = await begin(team, ada)
        if finish_first:
            await stop(team, ada)
            await finished(team, recording)
        assert await team.ask("DELETE", f"/recordings/{recording.id}", key=KEY) == (200, None)
        assert recording.stopped
        if not finish_first:
            await finished(team, recording)
        assert await team.status("GET", f"/recordings/{recording.id}", key=KEY) == 404
        assert await team.status("DELETE", f"/recordings/{recording.id}", key=KEY) == 404
        assert not recording.path.exists()


async def test_recordings_are_their_teams_alone(team: Team):
    recording = await begin(team, await team.enter())
    for method in ("GET", "DELETE"):
        assert await team.status(method, f"/recordings/{recording.id}") == 403
        assert await team.status(method, f"/recordings/{recording.id}", key=OTHER_KEY) == 404
        assert await team.status(method, "/recordings/nothing", key=KEY) == 404
    assert await team.status("GET", "/rooms/standup/recordings") == 403
    assert await team.status("GET", "/rooms/standup/recordings", key=OTHER_KEY) == 404


async def test_a_rooms_recordings_are_listed_and_filtered(team: Team, clock: MovableClock):
    made = []
    for _ in range(2):
        ada = await team.enter()
        for _ in range(2):
            recording = await begin(team, ada)
            await stop(team, ada)
            await finished(team, recording)
            made.append(recording.id)
            clock.advance(10.0)
        started_at = ada["room"]["started_at"]
        await team.end()
        clock.advance(10.0)
    newest_first = made[::-1]

    async def listed(query: str = "") -> list[str]:
        status, found = await team.ask("GET", f"/rooms/standup/recordings{query}", key=KEY)
        assert status == 200, found
        return [each["id"] for each in found]

    assert await listed() == newest_first
    assert await listed(f"?started_at={started_at}") == newest_first[:2]
    assert await listed("?started_at=2026-03-02T08:30:25Z") == []
    assert await listed("?since=2026-03-02T08:30:10Z") == newest_first[:3]
    assert await listed("?until=2026-03-02T08:30:10Z") == newest_first[2:]
    assert await listed("?page=2") == []
    for query in ("?page=0", "?page=x", "?since=yesterday", "?started_at=7"):
        assert await team.status("GET", f"/rooms/standup/recordings{query}", key=KEY) == 400


async def test_a_page_has_25(team: Team, clock: MovableClock):
    ada = await team.enter()
    for _ in range(26):
        await begin(team, ada)
        await stop(team, ada)
        clock.advance(1.0)
    assert len((await team.ask("GET", "/rooms/standup/recordings", key=KEY))[1]) == 25
    assert len((await team.ask("GET", "/rooms/standup/recordings?page=2", key=KEY))[1]) == 1


async def test_recordings_are_destroyed_after_14_days(team: Team, clock: MovableClock):
    recording = await begin(team, await team.enter())
    await finished(team, recording)
    clock.advance(14 * DAY - 60.0)
    link = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]["links"]["download"]
    clock.advance(120.0)
    assert await team.status("GET", f"/recordings/{recording.id}", key=KEY) == 404
    await team.client.app[RECORDINGS].sweep()
    assert await team.status("GET", link.removeprefix("https://meet.example")) == 404


async def test_a_recording_begins_by_itself_where_that_is_wanted(team: Team):
    ada = await team.enter(options={"record_on_start": True}, user={"id": "ada"})
    ann = await team.join(ada)
    (update,) = await updates(ann, 1)
    assert (update["user"]["id"], update["duration"]) == ("ada", None)


async def test_what_a_killed_server_has_left_is_finished(tmp_path: Path, clock: MovableClock):
    async with team_server(tmp_path, clock) as team:
        recording = await begin(team, await team.enter())
        lost = await begin(team, await team.enter("retro"))
        recording.path.mkdir(parents=True)
        (recording.path / "recording.webm").write_bytes(b"webm")
        shutil.rmtree(lost.path, ignore_errors=True)
    async with team_server(tmp_path, clock) as team:
        told = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]
        assert told["links"]["download"] is not None
        assert (await team.ask("GET", f"/recordings/{lost.id}", key=KEY))[1]["failed"] is True


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Called with whether the object store is away; at first it is."""
    put, gone = Objects.put, {"away": True}

    async def refuse(self: Objects, *args: Any) -> None:
        if gone["away"]:
            raise StoreFailed("away")
        await put(self, *args)

    monkeypatch.setattr(Objects, "put", refuse)
    return lambda now: gone.update(away=now)


async def test_what_the_object_store_did_not_take_is_stored_by_a_sweep(team: Team, away: Callable[[bool], None]):
    ada = await team.enter()
    ann = await team.join(ada)
    recording = await begin(team, ada)
    await stop(team, ada)
    await finished(team, recording, duration=7.0)
    for gone in (True, False):
        assert (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]["links"]["download"] is None
        away(gone)
        await team.client.app[RECORDINGS].sweep()
    told = (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]
    assert (told["duration"], told["links"]["download"] is not None) == (7, True)
    assert [bool(each["links"]["download"]) for each in await updates(ann, 3)] == [False, False, True]
    assert not recording.path.exists()


async def test_what_was_deleted_before_the_object_store_came_back_is_gone(team: Team, away: Callable[[bool], None]):
    recording = await begin(team, await team.enter())
    await finished(team, recording)
    assert await team.ask("DELETE", f"/recordings/{recording.id}", key=KEY) == (200, None)
    away(False)
    await team.client.app[RECORDINGS].sweep()
    assert not recording.path.exists()
    assert await team.status("GET", f"/recordings/{recording.id}", key=KEY) == 404


async def test_what_a_killed_server_has_left_waits_for_the_object_store(
    tmp_path: Path, clock: MovableClock, away: Callable[[bool], None]
):
    async with team_server(tmp_path, clock) as team:
        recording = await begin(team, await team.enter())
        recording.path.mkdir(parents=True)
        (recording.path / "recording.webm").write_bytes(b"webm")
    async with team_server(tmp_path, clock) as team:
        assert (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]["links"]["download"] is None
        away(False)
        await team.client.app[RECORDINGS].sweep()
        assert (await team.ask("GET", f"/recordings/{recording.id}", key=KEY))[1]["links"]["download"] is not None


# pictures


async def taken(team: Team, meeting: dict[str, Any], failed: str | None = None) -> str:
    """Of the composite, with everything that follows."""
    assert await team.ask("POST", f"/rooms/{meeting['access_key']}/snapshot") == (201, None)
    snapshot_id = conference(team, meeting).drawn(failed)
    await team.client.app[SNAPSHOTS].aclose()
    return snapshot_id


async def test_a_picture_of_the_composite(team: Team, clock: MovableClock):
    ada = await team.enter(user={"id": "ada"})
    ann = await team.join(ada)
    clock.advance(667.512)
    snapshot_id = await taken(team, ada)
    (told,) = (await ann.until("snapshot_update"))["snapshots"]
    link = told["links"].pop("download")
    assert told == {
        "id": snapshot_id,
        "name": str(BEGAN + 667),
        "links": {},
        "creator": {
            "id": "ada",
            "name": "Ada",
            "avatar": None,
            "guest": False,
            "joined_at": "2026-03-02T08:30:00.000Z",
        },
        "created_at": "2026-03-02T08:41:07.512Z",
        "room": ada["room"],
    }
    response = await team.send("GET", link.removeprefix("https://meet.example"))
    assert (response.status, response.content_type, await response.read()) == (200, "image/jpeg", b"jpeg")
    for path, key in (
        (f"/rooms/{ada['access_key']}/snapshots/{snapshot_id}", None),
        (f"/snapshots/{snapshot_id}", KEY),
    ):
        assert (await team.ask("GET", path, key=key))[1]["id"] == snapshot_id
    assert [each["id"] for each in (await team.ask("GET", "/rooms/standup/snapshots", key=KEY))[1]] == [snapshot_id]
    inside = (await team.ask("GET", f"/rooms/{ada['access_key']}"))[1]["snapshots"]
    assert [each["id"] for each in inside] == [snapshot_id]
    assert conference(team, ada).scenes[-1] is None  # nothing more is made of the composite


async def test_a_picture_is_deleted_by_its_team(team: Team):
    ada = await team.enter()
    path = f"/snapshots/{await taken(team, ada)}"
    assert await team.status("DELETE", path) == 403
    assert await team.status("DELETE", path, key=OTHER_KEY) == 404
    assert await team.ask("DELETE", path, key=KEY) == (200, None)
    assert await team.status("GET", path, key=KEY) == 404
    assert await team.status("GET", f"/rooms/{ada['access_key']}{path}") == 404


async def test_a_picture_that_could_not_be_drawn_has_never_been(team: Team):
    ada = await team.enter()
    await taken(team, ada, failed="disk full")
    assert await team.ask("GET", "/rooms/standup/snapshots", key=KEY) == (200, [])


async def test_a_picture_is_seen_in_its_own_meeting_only(team: Team):
    snapshot_id = await taken(team, await team.enter("retro"))
    ada = await team.enter()
    assert await team.status("GET", f"/rooms/{ada['access_key']}/snapshots/{snapshot_id}") == 404


# the layout


async def test_a_layout_is_told_and_shown(team: Team):
    ada = await team.enter(user={"id": "ada"}, options={"widescreen": True})
    ann = await team.join(ada)
    await begin(team, ada)
    body = {"users": ["", "ada"], "name": "two", "show_names": "false"}
    assert await team.ask("POST", f"/rooms/{ada['access_key']}/layout", json=body) == (200, None)
    options = (await ann.until("options_update"))["options"]
    assert (options["layout"], options["layout_name"], options["layout_users"]) == ("custom", "two", ["", "ada"])
    (spot,) = (await ann.until("podium_update"))["podium"]
    assert (spot["user_id"], spot["z-index"]) == ("ada", 0)
    scene = conference(team, ada).scenes[-1]
    assert ((scene.width, scene.height), scene.show_names) == ((1280, 720), False)
    assert [(tile.person, tile.name, tile.box.left) for tile in scene.tiles] == [("ada", "Ada", spot["left"])]
    assert (await team.ask("GET", f"/rooms/{ada['access_key']}"))[1]["options"]["layout_name"] == "two"


@pytest.mark.parametrize(
    "body",
    [
        {"layout": "other"},
        {"name": "seventeen"},
        {"users": ["a"] * 11},
        {"map": "[[0,0]]"},
        {"map": [[0, 0, 5000, 100]]},
        {"voice_activation": "x"},
    ],
)
async def test_layouts_that_cannot_be_shown(team: Team, body: dict[str, Any]):
    ada = await team.enter()
    assert await team.status("POST", f"/rooms/{ada['access_key']}/layout", json=body) == 400


async def test_a_layout_is_for_where_it_is_available(team: Team):
    ada = await team.enter(options={"layout_available": False})
    assert await team.status("POST", f"/rooms/{ada['access_key']}/layout", json={}) == 405


# over /rt


async def test_who_is_online_records_over_their_socket(team: Team):
    ada = await team.enter(user={"id": "ada"})
    ann = await team.join(ada)
    assert await ann.ask("record_start") == {"type": "ok", "request_id": "ask"}
    (begun,) = [message["recording"] for message in ann.heard if message["type"] == "recording_update"]
    assert (begun["duration"], begun["user"]["id"]) == (None, "ada")
    assert (await (await team.knock(access_key=(await team.guest(ada))["access_key"])).join())["recording"] == begun
    assert (await ann.ask("record_start"))["name"] == "not_now"
    gus = await team.join(await team.guest(ada))
    assert await gus.ask("record_stop") == {"type": "ok", "request_id": "ask"}
    assert recorded(team, ada).stopped
    again = await gus.ask("record_stop")
    assert (again["code"], again["name"]) == (404, "not_found")


async def test_nobody_records_over_a_socket_where_that_is_switched_off(team: Team):
    ann = await team.join(await team.enter(options={"recording_available": False}))
    refused = await ann.ask("record_start")
    assert (refused["code"], refused["name"]) == (405, "switched_off")


async def test_who_is_inside_hears_that_a_recording_is_discarded(team: Team):
    ada = await team.enter()
    ann = await team.join(ada)
    recording = await begin(team, ada)
    assert await team.status("DELETE", f"/recordings/{recording.id}", key=KEY) == 200
    begun, over = await updates(ann, 2)
    assert (begun["duration"], over["duration"], over["links"]["download"]) == (None, 0, None)
    assert "recording" not in await (await team.knock(access_key=ada["access_key"])).join()


async def test_the_end_of_an_older_recording_leaves_the_present_one(team: Team):
    ada = await team.enter()
    first = await begin(team, ada)
    await stop(team, ada)
    second = await begin(team, ada)
    await finished(team, first)
    assert (await team.ask("GET", f"/rooms/{ada['access_key']}"))[1]["recording"]["id"] == second.id
