"""Who may come in, with what, and until when. What the REST API shows of rooms is tested with its contract."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from signaling.services.doors import Endpoint
from signaling.services.errors import Conflict, NotFound, Refused, Removed
from signaling.services.realtime_rooms import RealtimeRooms
from signaling.settings import Settings
from signaling.store.database import Database
from tests.support.clock import MovableClock

WEEK = 7 * 86400


@dataclass
class Present:
    """Who is online, by room."""

    rooms: dict[str, set[str]] = field(default_factory=dict)

    def anyone_online(self, room_id: str) -> bool:
        return bool(self.rooms.get(room_id))

    def is_online(self, room_id: str, participant_id: str) -> bool:
        return participant_id in self.rooms.get(room_id, ())


@dataclass
class World:
    rooms: RealtimeRooms
    clock: MovableClock
    present: Present
    deleted: list[str]


@pytest.fixture
async def world(database: Database) -> World:
    lives = {"room_token_ttl_seconds": 50, "room_ttl_seconds": 100, "endpoint_ttl_seconds": 200}
    settings = Settings.model_validate({"realtime": lives})
    clock, present, deleted = MovableClock(), Present(), []

    async def on_deleted(room_id: str) -> None:
        deleted.append(room_id)

    rooms = RealtimeRooms(database, settings, clock, on_deleted)
    rooms.presence = present
    return World(rooms, clock, present, deleted)


async def seat_of(world: World, room_id: str, participant_id: str = "anna") -> Endpoint:
    return await world.rooms.new_endpoint(room_id, participant_id)


async def test_a_rooms_token_opens_it(world: World):
    room = await world.rooms.create("key", name="Ward 3")
    assert await world.rooms.admit(room.token) == room
    assert await world.rooms.by_id(room.id) == room


@pytest.mark.parametrize("token", ["", "0" * 64, "\ud800", "x" * 10_000])
async def test_a_token_nobody_was_given_opens_nothing(world: World, token: str):
    with pytest.raises(Refused):
        await world.rooms.admit(token)


async def test_a_rooms_token_opens_it_until_it_expires(world: World):
    room = await world.rooms.create("key")
    world.clock.advance(49.9)
    await world.rooms.admit(room.token)
    world.clock.advance(0.1)
    with pytest.raises(Refused):
        await world.rooms.admit(room.token)


async def test_only_the_newest_token_opens_a_room(world: World):
    room = await world.rooms.create("key")
    world.clock.advance(50)
    renewed = await world.rooms.fetch("key", room.id)
    assert await world.rooms.admit(renewed.token) == renewed
    with pytest.raises(Refused):
        await world.rooms.admit(room.token)


async def test_readers_at_the_same_time_get_the_same_new_token(world: World):
    room = await world.rooms.create("key")
    world.clock.advance(50)
    fetched = await asyncio.gather(*(world.rooms.fetch("key", room.id) for _ in range(10)))
    assert len({each.token for each in fetched}) == 1
    assert await world.rooms.admit(fetched[0].token) == fetched[0]


async def test_a_deleted_room_is_told_from_a_token_that_never_was(world: World):
    room = await world.rooms.create("key")
    seat = await seat_of(world, room.id)
    await world.rooms.delete("key", room.id)
    for token in (room.token, seat.token):
        with pytest.raises(Removed):
            await world.rooms.admit(token)
    with pytest.raises(Removed):
        await world.rooms.by_id(room.id)
    with pytest.raises(Removed):
        await seat_of(world, room.id)


async def test_deleting_is_told_once(world: World):
    room = await world.rooms.create("key")
    outcomes = await asyncio.gather(*(world.rooms.delete("key", room.id) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(outcome, NotFound) for outcome in outcomes) == 4
    assert world.deleted == [room.id]


async def test_a_seat_can_be_taken_again_after_the_rooms_token_has_expired(world: World):
    room = await world.rooms.create("key")
    seat = await seat_of(world, room.id)
    world.clock.advance(60)
    assert await world.rooms.admit(seat.token) == seat
    assert (seat.room_id, seat.participant_id) == (room.id, "anna")


async def test_a_seat_ends_with_its_life(world: World):
    room = await world.rooms.create("key")
    world.present.rooms[room.id] = {"anna"}
    seat = await seat_of(world, room.id)
    world.clock.advance(199.9)
    await world.rooms.admit(seat.token)
    world.clock.advance(0.1)
    with pytest.raises(Refused):
        await world.rooms.admit(seat.token)


@pytest.mark.parametrize("after", [0, 179.9])
async def test_a_seat_is_not_renewed_before_its_last_tenth(world: World, after: float):
    room = await world.rooms.create("key")
    seat = await seat_of(world, room.id)
    world.clock.advance(after)
    with pytest.raises(Conflict):
        await world.rooms.renew_endpoint(seat)


async def test_a_seat_is_renewed_once_per_period(world: World):
    room = await world.rooms.create("key")
    world.present.rooms[room.id] = {"anna"}
    seat = await seat_of(world, room.id)
    world.clock.advance(180)
    renewed = await world.rooms.renew_endpoint(seat)
    assert renewed.expires_at == seat.expires_at + 200
    assert renewed.token == seat.token
    for again in (seat, renewed):
        with pytest.raises(Conflict):
            await world.rooms.renew_endpoint(again)
    world.clock.advance(100)
    assert await world.rooms.admit(seat.token) == renewed


async def test_a_seat_that_is_over_is_not_renewed(world: World):
    room = await world.rooms.create("key")
    seat = await seat_of(world, room.id)
    world.clock.advance(200)
    with pytest.raises(Refused):
        await world.rooms.renew_endpoint(seat)


async def test_a_room_over_its_life_lets_nobody_new_in_and_ends_when_it_is_empty(world: World):
    room = await world.rooms.create("key")
    anna, bert = await seat_of(world, room.id, "anna"), await seat_of(world, room.id, "bert")
    world.present.rooms[room.id] = {"anna"}
    world.clock.advance(100)
    token = (await world.rooms.fetch("key", room.id)).token
    for refused in (token, bert.token):
        with pytest.raises(Removed):
            await world.rooms.admit(refused)
    assert await world.rooms.admit(anna.token) == anna
    assert world.deleted == []
    world.present.rooms.clear()
    with pytest.raises(Removed):
        await world.rooms.admit(anna.token)
    assert world.deleted == [room.id]


@pytest.mark.parametrize("look", ["fetch", "delete", "upgrade"])
async def test_whoever_looks_first_removes_a_room_that_is_over(world: World, look: str):
    room = await world.rooms.create("key")
    world.clock.advance(100)
    with pytest.raises(NotFound):
        await getattr(world.rooms, look)("key", room.id)
    assert world.deleted == [room.id]


async def test_a_list_leaves_out_rooms_that_are_over_and_stays_full(world: World):
    for _ in range(3):
        await world.rooms.create("key")
    world.clock.advance(100)
    living = [await world.rooms.create("key") for _ in range(3)]
    page = await world.rooms.list("key", 2)
    assert {room.id for room in page.rooms} < {room.id for room in living}
    assert len(page.rooms) == 2
    assert page.next is not None


async def test_a_sweep_removes_the_empty_rooms_that_are_over(world: World):
    empty, occupied = await world.rooms.create("key"), await world.rooms.create("key")
    world.present.rooms[occupied.id] = {"anna"}
    world.clock.advance(50)
    young = await world.rooms.create("key")
    world.clock.advance(50)
    await world.rooms.sweep()
    assert world.deleted == [empty.id]
    assert {room.id for room in (await world.rooms.list("key")).rooms} == {occupied.id, young.id}


async def test_a_removed_room_is_forgotten_after_a_week(world: World):
    room = await world.rooms.create("key")
    await world.rooms.delete("key", room.id)
    world.clock.advance(WEEK)
    await world.rooms.sweep()
    with pytest.raises(Removed):
        await world.rooms.admit(room.token)
    world.clock.advance(1)
    await world.rooms.sweep()
    with pytest.raises(Refused):
        await world.rooms.admit(room.token)


async def test_an_upgrade_is_told_once(world: World):
    told: list[Any] = []

    async def on_upgraded(room: Any) -> None:
        told.append(room)

    world.rooms.on_upgraded = on_upgraded
    room = await world.rooms.create("key")
    upgraded = [await world.rooms.upgrade("key", room.id) for _ in range(2)]
    assert upgraded[0] == upgraded[1]
    assert told == [upgraded[0]]


async def test_an_upgrade_from_inside_is_told_to_nobody_else(world: World):
    told: list[Any] = []

    async def on_upgraded(room: Any) -> None:
        told.append(room)

    world.rooms.on_upgraded = on_upgraded
    room = await world.rooms.create("key", auto_upgrade_count=3)
    world.clock.advance(5)
    upgraded = await asyncio.gather(*(world.rooms.upgrade_from_inside(room.id) for _ in range(3)))
    assert {inside.conference_type for inside in upgraded} == {"SFU"}
    assert {inside.modified_at - room.modified_at for inside in upgraded} == {5}
    assert await world.rooms.upgrade("key", room.id) == upgraded[0]
    assert told == []
    await world.rooms.delete("key", room.id)
    with pytest.raises(Removed):
        await world.rooms.upgrade_from_inside(room.id)
