"""Joining a realtime room by token and by endpoint, and how long each of them is good: sections 3, 4 and 6."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.services.errors import NotFound
from tests.support.clock import MovableClock
from tests.support.live import KEY, LiveServer, Talker, live_server

TOKEN_LIFE, ROOM_LIFE, ENDPOINT_LIFE = 100, 10_000, 1_000  # seconds


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_500.0)


@pytest.fixture
async def live(tmp_path: Path, clock: MovableClock) -> AsyncIterator[LiveServer]:
    realtime = {
        "room_token_ttl_seconds": TOKEN_LIFE,
        "room_ttl_seconds": ROOM_LIFE,
        "endpoint_ttl_seconds": ENDPOINT_LIFE,
    }
    async with live_server(tmp_path, clock=clock, realtime=realtime) as server:
        yield server


async def refused(live: LiveServer, token: str) -> int | None:
    """The close code that the bearer of `token` gets at the door."""
    said, code = await (await live.knock(token=token)).closed()
    assert [message["type"] for message in said] == ["error"]
    return code


async def come_back(live: LiveServer, endpoint: dict[str, Any]) -> tuple[Talker, dict[str, Any]]:
    talker = await live.knock(token=endpoint["token"])
    return talker, await talker.join()


@pytest.mark.parametrize("kind", ["MESH", "SFU"])
async def test_who_joins_is_given_an_endpoint(live: LiveServer, kind: str):
    _, joined = await live.enter(await live.room(conference_type=kind))
    endpoint = joined["endpoint"]
    assert set(endpoint) == {"id", "token", "expires_at"}
    assert re.fullmatch(r"EP-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", endpoint["id"])
    assert re.fullmatch(r"[0-9a-f]{64}", endpoint["token"])
    assert endpoint["expires_at"] == (1_772_440_500 + ENDPOINT_LIFE) * 1000


async def test_a_room_token_is_good_for_its_life_and_its_successor_after_it(live: LiveServer, clock: MovableClock):
    room = await live.room()
    clock.advance(TOKEN_LIFE - 1)
    await live.enter(room)
    clock.advance(1)
    assert await refused(live, room.token) == 4403
    newer = await live.rooms.fetch(KEY, room.id)
    await live.enter(newer)
    assert await refused(live, room.token) == 4403


async def test_an_endpoint_comes_back_though_the_room_token_has_expired(live: LiveServer, clock: MovableClock):
    anna, first = await live.enter(await live.room(), id="anna", name="Anna")
    clock.advance(TOKEN_LIFE)
    anna.vanish()
    await anna.closed()
    _, second = await come_back(live, first["endpoint"])
    assert (second["participant"], second["endpoint"]) == (first["participant"], first["endpoint"])


async def test_an_endpoint_comes_back_as_the_same_participant_after_leaving(live: LiveServer):
    anna, first = await live.enter(await live.room(), id="anna")
    await anna.send("leave")
    await anna.closed()
    _, second = await come_back(live, first["endpoint"])
    assert (second["participant"]["id"], second["endpoint"]) == ("anna", first["endpoint"])


async def test_an_expired_endpoint_opens_nothing(live: LiveServer, clock: MovableClock):
    anna, joined = await live.enter(await live.room())
    await anna.send("leave")
    await anna.closed()
    clock.advance(ENDPOINT_LIFE - 1)
    again, _ = await come_back(live, joined["endpoint"])
    await again.send("leave")
    await again.closed()
    clock.advance(1)
    assert await refused(live, joined["endpoint"]["token"]) == 4403


async def test_an_endpoint_is_renewed_once_in_its_last_tenth(live: LiveServer, clock: MovableClock):
    anna, joined = await live.enter(await live.room())
    clock.advance(ENDPOINT_LIFE * 0.9 - 1)
    assert (await anna.ask("renew_endpoint"))["name"] == "conflict"
    clock.advance(1)
    renewed = await anna.ask("renew_endpoint")
    longer = {**joined["endpoint"], "expires_at": joined["endpoint"]["expires_at"] + ENDPOINT_LIFE * 1000}
    assert renewed == {"type": "endpoint_update", "endpoint": longer, "request_id": "ask"}
    assert (await anna.ask("renew_endpoint"))["name"] == "conflict"
    clock.advance(ENDPOINT_LIFE * 0.5)
    anna.vanish()
    await anna.closed()
    assert (await come_back(live, longer))[1]["endpoint"] == longer


async def test_a_room_whose_life_is_over_lets_nobody_in_but_those_who_are_in_it(live: LiveServer, clock: MovableClock):
    room = await live.room()
    clock.advance(ROOM_LIFE - ENDPOINT_LIFE / 2)
    room = await live.rooms.fetch(KEY, room.id)
    anna, joined = await live.enter(room)
    clock.advance(ENDPOINT_LIFE / 2)
    assert await refused(live, room.token) == 4404
    anna.vanish()
    await anna.closed()
    again, _ = await come_back(live, joined["endpoint"])
    assert (await live.rooms.fetch(KEY, room.id)).id == room.id
    await again.send("leave")
    await again.closed()
    assert await refused(live, joined["endpoint"]["token"]) == 4404
    with pytest.raises(NotFound):
        await live.rooms.fetch(KEY, room.id)


@pytest.mark.parametrize("token", ["", None])
async def test_without_a_token_nobody_is_let_in(live: LiveServer, token: str | None):
    said, code = await (await live.knock(**({} if token is None else {"token": token}))).closed()
    assert (said[-1]["code"], code) == (401, 4401)


async def test_an_upgrade_count_has_no_effect_in_an_sfu_room(tmp_path: Path):
    async with live_server(tmp_path, realtime={"max_participants": {"SFU": 2}}) as live:
        room = await live.room(auto_upgrade_count=2)
        anna, _ = await live.enter(room)
        await live.enter(room)
        assert await refused(live, room.token) == 4409
        await anna.ask("ping")
        assert [message["type"] for message in anna.heard] == ["participant_update"]
        after = await live.rooms.fetch(KEY, room.id)
        assert (after.max_participants, after.modified_at) == (2, room.created_at)


async def test_deleting_a_room_kills_its_token_and_all_endpoints(live: LiveServer):
    room = await live.room(conference_type="MESH")
    (anna, first), (bert, second) = [await live.enter(room, id=who) for who in ("anna", "bert")]
    await live.rooms.delete(KEY, room.id)
    for talker in (anna, bert):
        said, code = await talker.closed()
        assert (said[-1], code) == ({"type": "terminated", "reason": "room_deleted"}, 1000)
    for token in (room.token, first["endpoint"]["token"], second["endpoint"]["token"]):
        assert await refused(live, token) == 4404
