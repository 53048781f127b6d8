"""Archives that begin by themselves or by moderators, and when they are over. Sessions contract, section 9."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.appkeys import RECORDINGS
from tests.support.api_server import Api
from tests.support.archives import BASE, Meeting, archiving, meeting, status_of
from tests.support.clock import MovableClock
from tests.support.server import until
from tests.support.sessions import NOW, Visit, ask, new_session, new_token


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=NOW)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with archiving(tmp_path, clock) as api:
        yield api


# by itself


async def test_an_archive_begins_with_the_first_stream(api: Api):
    async with await meeting(api, enableArchiving=True) as held:
        assert held.recordings == []
        await held.send()
        (recording,) = held.recordings
        assert (await held.session()).archive_id == recording.id
        assert await status_of(api, recording.id) == "started"


async def test_an_archive_begins_by_itself_once(api: Api):
    async with await meeting(api, enableArchiving=True) as held:
        await held.send()
        await held.stop()
        await held.finished()
        await held.fall_silent()
        await held.send()
        assert len(held.recordings) == 1
        assert await ask(api, "DELETE", f"/archives/{held.recordings[0].id}") == (200, None)
    again = Meeting(api, held.link, await new_token(api, held.link))
    async with again:
        await again.send()
        assert len(again.recordings) <= 1


async def test_no_archive_begins_where_none_is_wanted(api: Api):
    async with await meeting(api) as held:
        await held.send()
        assert held.recordings == []


async def test_an_archive_that_was_switched_on_before_anybody_came_begins(api: Api):
    link = await new_session(api)
    assert (await ask(api, "PATCH", f"/session/{link}", json={"isArchived": True}))[0] == 204
    async with Meeting(api, link, await new_token(api, link)) as held:
        await held.send()
        assert len(held.recordings) == 1


async def test_an_archive_is_paused_while_nobody_sends_anything(api: Api):
    async with await meeting(api, enableArchiving=True) as held:
        await held.send()
        archive_id = held.recordings[0].id
        await held.fall_silent()
        assert await status_of(api, archive_id) == "paused"
        await held.send()
        assert await status_of(api, archive_id) == "started"
        assert not held.recordings[0].stopped


async def test_an_archive_is_over_when_nobody_has_sent_anything_for_a_while(tmp_path: Path, clock: MovableClock):
    async with archiving(tmp_path, clock, idle_seconds=0.01) as api, await meeting(api, enableArchiving=True) as held:
        await held.send()
        await held.fall_silent()
        await until(lambda: held.recordings[0].stopped, 5, "the archive to be stopped")
        assert await status_of(api, held.recordings[0].id) == "stopped"


async def test_an_archive_that_nobody_ever_sends_anything_to_is_over_as_well(tmp_path: Path, clock: MovableClock):
    async with archiving(tmp_path, clock, idle_seconds=0.01) as api, await meeting(api) as held:
        assert (await held.begin())["metaData"]["status"] == "started"
        await until(lambda: held.recordings[0].stopped, 5, "the archive to be stopped")


async def test_the_last_one_to_leave_takes_their_stream_along(api: Api):
    async with await meeting(api, enableArchiving=True) as held:
        await held.send()
        await held.visit.socket.send_json({"type": "leave"})
        await held.visit.refused()
        assert await status_of(api, held.recordings[0].id) == "paused"
        assert not held.recordings[0].stopped


async def test_the_end_of_the_session_stops_its_archive(api: Api):
    async with await meeting(api, enableArchiving=True) as held:
        await held.send()
        recording = held.recordings[0]
        assert (await ask(api, "PATCH", f"/session/{held.link}/end"))[0] == 204
        assert recording.stopped
        recording.close("conference over")
        await api.client.app[RECORDINGS].aclose()
        assert await status_of(api, recording.id) == "available"


# by moderators, and what those inside hear


async def test_moderators_begin_and_stop_an_archive_and_everybody_hears_of_it(api: Api):
    async with await meeting(api) as held:
        await held.visit.socket.send_json({"type": "record_start"})
        begun = (await held.visit.until("recording_update"))["recording"]
        assert (begun["duration"], begun["links"]) == (
            None,
            {"self": f"{BASE}/archives/{held.recordings[0].id}", "download": None},
        )
        await held.visit.socket.send_json({"type": "record_stop"})
        assert (await held.visit.until("recording_update"))["recording"]["duration"] == 0
        await held.finished()
        assert (await held.visit.until("recording_update"))["recording"]["links"]["download"] is None
        assert (await held.session()).archive_id == begun["id"]


async def test_publishers_record_nothing(api: Api):
    link = await new_session(api)
    async with Visit(api, (await new_token(api, link))["token"]) as visit:
        await visit.join()
        await visit.socket.send_json({"type": "record_start"})
        assert (await visit.until("error"))["code"] == 403
