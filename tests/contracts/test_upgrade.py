"""The move of a MESH room to the server as golden traces over /rt: who is told what, in which order."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signaling.services.doors import Role
from signaling.services.realtime_rooms import RealtimeRoom
from tests.support.live import KEY, LiveServer, Talker, live_server

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"
OTHER = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f03"
MOVED = {"type": "mode_update", "mode": "SFU", "reason": "auto_upgrade"}
ASKED = {**MOVED, "reason": "request"}


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path, realtime={"max_participants": {"MESH": 3, "SFU": 5}}) as server:
        yield server


def stream(stream_id: str = CAMERA) -> dict[str, Any]:
    return {"stream_id": stream_id, "label": "camera", "audio_mid": "0", "video_mid": "1"}


async def mesh(live: LiveServer, *ids: str, **parameters: Any) -> tuple[RealtimeRoom, list[Talker]]:
    """People in a MESH room, who have heard all that there is to hear."""
    room = await live.room(conference_type="MESH", **parameters)
    talkers = [(await live.enter(room, id=id))[0] for id in ids]
    for talker in talkers:
        await quiet(talker)
    return room, talkers


async def quiet(talker: Talker) -> list[dict[str, Any]]:
    """What has been said until now and was not read."""
    await talker.ask("ping")
    said, talker.heard = talker.heard, []
    return said


async def publish(talker: Talker, *streams: dict[str, Any]) -> dict[str, Any]:
    return await talker.ask("offer", pc="publish", seq=1, sdp="an offer", streams=list(streams))


async def stored(live: LiveServer, room: RealtimeRoom) -> RealtimeRoom:
    return await live.rooms.fetch(KEY, room.id)


async def test_the_join_that_reaches_the_count_moves_the_meeting(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert", auto_upgrade_count=3)
    _, joined = await live.enter(room, id="carl")
    assert (joined["mode"], joined["e2ee"], joined["options"]) == ("SFU", False, {})
    for talker in (anna, bert):
        assert await talker.receive() == MOVED
        update = await talker.receive()
        assert (update["type"], update["participant"]["id"]) == ("participant_update", "carl")
        assert await quiet(talker) == []
    after = await stored(live, room)
    assert (after.conference_type, after.max_participants) == ("SFU", 5)
    assert after.modified_at > room.modified_at
    assert after.token == room.token


async def test_with_limit_3_and_count_4_the_fourth_moves_it(live: LiveServer):
    room, talkers = await mesh(live, "anna", "bert", "carl", auto_upgrade_count=4)
    _, joined = await live.enter(room, id="dora")
    assert joined["mode"] == "SFU"
    assert len(joined["participants"]) == 4
    assert [await talker.receive() for talker in talkers] == [MOVED] * 3


async def test_a_join_beyond_the_limit_moves_it_early(live: LiveServer):
    room, _ = await mesh(live, "anna", "bert", "carl", auto_upgrade_count=50)
    assert (await live.enter(room))[1]["mode"] == "SFU"


async def test_without_a_count_the_one_beyond_the_limit_is_refused(live: LiveServer):
    room, (anna, *_) = await mesh(live, "anna", "bert", "carl")
    said, code = await (await live.knock(token=room.token)).closed()
    assert (said[-1]["name"], code) == ("room_full", 4409)
    assert await quiet(anna) == []
    assert (await stored(live, room)).conference_type == "MESH"


async def test_the_limit_of_the_server_is_enforced_afterwards(live: LiveServer):
    room, _ = await mesh(live, "anna", "bert", auto_upgrade_count=3)
    for _ in range(3):
        await live.enter(room)
    said, code = await (await live.knock(token=room.token)).closed()
    assert (said[-1]["name"], code) == ("room_full", 4409)


async def test_it_never_goes_back(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert", auto_upgrade_count=3)
    carl, _ = await live.enter(room)
    for talker in (carl, bert):
        await talker.send("leave")
        await talker.closed()
    await anna.until("mode_update")
    assert "mode_update" not in [message["type"] for message in await quiet(anna)]
    assert (await live.enter(room))[1]["mode"] == "SFU"


async def test_two_joins_at_once_move_it_once(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert", auto_upgrade_count=3)
    entered = await asyncio.gather(live.enter(room), live.enter(room))
    assert [joined["mode"] for _, joined in entered] == ["SFU", "SFU"]
    for talker in (anna, bert):
        kinds = [message["type"] for message in await quiet(talker)]
        assert kinds == ["mode_update", "participant_update", "participant_update"]


async def test_a_request_of_the_application_moves_it(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert")
    upgraded = await live.rooms.upgrade(KEY, room.id)
    assert upgraded.conference_type == "SFU"
    for talker in (anna, bert):
        assert await quiet(talker) == [ASKED]
    await live.rooms.upgrade(KEY, room.id)
    assert await quiet(anna) == []
    assert (await live.enter(room))[1]["mode"] == "SFU"


async def test_a_moderator_moves_it_and_others_may_not(live: LiveServer):
    room, (anna,) = await mesh(live, "anna")
    error = await anna.ask("upgrade")
    assert (error["code"], error["name"]) == (403, "forbidden")
    assert (await stored(live, room)).conference_type == "MESH"
    carl = await live.knock(token=room.token, id="carl")
    await carl.until("room_setup")
    meeting = live.conferences.meeting(room.id)
    assert meeting is not None
    [visitor] = meeting.visitors
    visitor.admitted = replace(visitor.admitted, role=Role.MODERATOR)  # as credentials of other families make one
    await carl.join()
    await quiet(anna)
    assert (await carl.ask("upgrade"))["type"] == "ok"
    assert carl.heard[-1] == ASKED
    assert await quiet(anna) == [ASKED]
    assert (await stored(live, room)).conference_type == "SFU"
    assert (await carl.ask("upgrade"))["type"] == "ok"


# the move itself


async def test_streams_move_with_their_ids_and_reach_the_others_from_the_server(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert", auto_upgrade_count=3)
    await bert.ask("offer", to="anna", sdp="x", streams=[stream()])
    await bert.ask("mute", stream_id=CAMERA, audio=True)
    carl, joined = await live.enter(room, id="carl")
    assert [told["stream_id"] for told in joined["streams"]] == [CAMERA]
    answer = await publish(bert, stream())
    assert [accepted["stream_id"] for accepted in answer["streams"]] == [CAMERA]
    for talker in (anna, carl):
        offer = await talker.until("offer") if talker is carl else await next_offer(talker)
        assert (offer["pc"], offer["seq"]) == ("subscribe", 1)
        assert [(told["stream_id"], told["user_id"]) for told in offer["streams"]] == [(CAMERA, "bert")]
    _, joined = await live.enter(room)
    assert [told["stream_id"] for told in joined["streams"]] == [CAMERA]
    assert joined["streams"][0]["muted"] == {"audio": True, "video": False}
    offline = [m for m in (*anna.heard, *bert.heard) if m.get("participant", {}).get("online") is False]
    assert not offline


async def next_offer(talker: Talker) -> dict[str, Any]:
    """The server's: what other participants offered is read over."""
    while (offer := await talker.until("offer")).get("pc") != "subscribe":
        pass
    return offer


async def test_offers_to_others_end_and_what_was_begun_may_be_finished(live: LiveServer):
    room, (anna, bert) = await mesh(live, "anna", "bert")
    await anna.ask("offer", to="bert", sdp="x", streams=[])
    await live.rooms.upgrade(KEY, room.id)
    error = await anna.ask("offer", to="bert", sdp="x", streams=[])
    assert (error["code"], error["name"]) == (409, "mode_changed")
    await quiet(anna)
    await bert.ask("answer", to="anna", sdp="y", streams=[stream()])
    await bert.ask("candidate", to="anna", candidate=None)
    await bert.ask("close", to="anna")
    assert [message["type"] for message in await quiet(anna)] == ["answer", "candidate", "close"]
    assert live.conferences.meeting(room.id).streams() == []  # type: ignore[union-attr]


async def test_a_room_that_always_was_on_the_server_passes_nothing_on(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    await live.enter(room, id="bert")
    for message in ({"type": "offer", "sdp": "x"}, {"type": "answer", "sdp": "x"}, {"type": "close"}):
        error = await anna.ask(**message, to="bert")
        assert (error["code"], error["name"]) == (409, "mode_changed")


async def test_who_comes_back_during_the_move_is_told_the_mode_and_offered_what_is_there(live: LiveServer):
    room = await live.room(conference_type="MESH", auto_upgrade_count=3)
    anna, first = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    await bert.ask("offer", to="anna", sdp="x", streams=[stream()])
    anna.vanish()
    await anna.closed()
    await live.enter(room, id="carl")
    await publish(bert, stream())
    again = await live.knock(token=first["endpoint"]["token"])
    joined = await again.join()
    assert (joined["mode"], joined["participant"]) == ("SFU", first["participant"])
    assert [told["stream_id"] for told in joined["streams"]] == [CAMERA]
    offer = await next_offer(again)
    assert [told["stream_id"] for told in offer["streams"]] == [CAMERA]
    assert (await publish(again, stream(OTHER)))["type"] == "answer"
    assert [m["participant"]["id"] for m in await quiet(bert) if m["type"] == "participant_update"] == ["carl"]


async def test_wishes_and_data_go_to_the_server_after_the_move(live: LiveServer):
    room, (anna,) = await mesh(live, "anna")
    assert (await anna.ask("subscribe", default={}))["name"] == "not_in_mesh"
    await live.rooms.upgrade(KEY, room.id)
    assert (await anna.ask("subscribe", default={}))["type"] == "ok"
    assert (await anna.ask("set_view", view="one_view"))["type"] == "ok"


async def test_a_room_that_was_made_encrypted_says_so_and_stays_it(live: LiveServer):
    room, (anna, _bert) = await mesh(live, "anna", "bert", auto_upgrade_count=3, e2ee=True)
    _, joined = await live.enter(room, id="carl")
    assert (joined["mode"], joined["e2ee"], joined["options"]) == ("SFU", True, {"e2ee": True})
    assert await anna.receive() == MOVED
    assert (await stored(live, room)).e2ee
    assert live.media.conferences[room.id].limits.encrypted


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        pytest.param({"conference_type": "SFU", "e2ee": True}, "end_to_end_encrypted", id="encrypted"),
        pytest.param({"conference_type": "MESH", "e2ee": True}, "not_in_mesh", id="direct"),
    ],
)
async def test_nobody_gets_a_common_picture_of_what_the_server_cannot_see(
    live: LiveServer, parameters: dict[str, Any], name: str
):
    room = await live.room(**parameters)
    talker, _ = await live.enter(room)
    answer = await talker.ask("set_view", view="one_view")
    assert (answer["type"], answer["code"], answer["name"]) == ("error", 409, name)
