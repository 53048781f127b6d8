from dataclasses import replace

import sqlalchemy as sa

from signaling.store import rooms
from signaling.store.database import Database
from signaling.store.rooms import EndpointRecord, RoomRecord

ROOM = RoomRecord(
    id="RO-00000000-0000-4000-8000-000000000001",
    key_id="key",
    name="Ward 3",
    description=None,
    conference_type="MESH",
    auto_upgrade_count=None,
    max_participants=4,
    created_ms=1_772_440_500_123,
    modified_ms=1_772_440_500_123,
    room_token_ttl=60,
    room_ttl=120,
    endpoint_ttl=3_000_000_000,
    token="t1",
    token_issued_ms=1_772_440_500_123,
)


def number(n: int, **changes: object) -> RoomRecord:
    return replace(ROOM, id=f"RO-00000000-0000-4000-8000-{n:012}", token=f"t{n}", **changes)  # type: ignore[arg-type]


async def keep(database: Database, *records: RoomRecord) -> None:
    for record in records:
        await database.stating(rooms.insert, record, f"digest of {record.token}")


def seat(connection: sa.Connection, room: RoomRecord, name: str, expires_ms: int) -> EndpointRecord:
    """An endpoint of Anna's, whose token's digest is its name."""
    taken = rooms.insert_endpoint(
        connection,
        endpoint_id=f"EP-{name}",
        room_id=room.id,
        participant_id="anna",
        token_digest=name,
        now_ms=expires_ms - room.endpoint_ttl * 1000,
    )
    assert taken is not None
    return taken


async def test_a_room_comes_back_as_it_was_kept(database: Database):
    await keep(database, ROOM)
    assert await database.reading(rooms.by_id, ROOM.id) == ROOM
    assert await database.reading(rooms.by_token, "digest of t1") == ROOM
    assert await database.reading(rooms.by_id, "RO-2") is None
    assert await database.reading(rooms.by_token, "t1") is None


async def test_a_removed_room_is_known_by_its_token_only(database: Database):
    await keep(database, ROOM)
    assert await database.stating(rooms.remove, ROOM.id, 5)
    assert not await database.stating(rooms.remove, ROOM.id, 6)
    assert await database.reading(rooms.by_id, ROOM.id) is None
    assert await database.reading(rooms.by_token, "digest of t1") == replace(ROOM, removed_ms=5)
    assert await database.reading(rooms.page, "key", None, 10) == []


async def test_pages_go_by_creation_time_and_then_by_id(database: Database):
    late = number(1, created_ms=20)
    same = [number(n, created_ms=10) for n in (4, 2, 3)]
    await keep(database, late, *same, number(5, created_ms=5, key_id="another"))
    everything = await database.reading(rooms.page, "key", None, 10)
    assert [record.token for record in everything] == ["t2", "t3", "t4", "t1"]
    rest = await database.reading(rooms.page, "key", (10, everything[1].id), 1)
    assert [record.token for record in rest] == ["t4"]


async def test_only_one_of_two_new_tokens_is_kept(database: Database):
    await keep(database, ROOM)
    assert await database.stating(rooms.set_token, ROOM, "new", "digest of new", 7)
    assert not await database.stating(rooms.set_token, ROOM, "newer", "digest of newer", 8)
    assert await database.reading(rooms.by_token, "digest of new") == replace(ROOM, token="new", token_issued_ms=7)
    assert await database.reading(rooms.by_token, "digest of t1") is None


async def test_a_room_changes_its_type(database: Database):
    await keep(database, ROOM)
    await database.stating(rooms.set_type, ROOM.id, "SFU", 100, 9)
    changed = replace(ROOM, conference_type="SFU", max_participants=100, modified_ms=9)
    assert await database.writing(rooms.by_id, ROOM.id, lock=True) == changed


async def test_rooms_whose_life_is_over_are_found(database: Database):
    await keep(database, number(1, created_ms=0, room_ttl=1), number(2, created_ms=1, room_ttl=1))
    assert await database.reading(rooms.outlived, 999, 10) == []
    assert await database.reading(rooms.outlived, 1000, 10) == [number(1).id]
    assert len(await database.reading(rooms.outlived, 1001, 1)) == 1


async def test_what_is_long_gone_is_forgotten(database: Database):
    await keep(database, number(1), number(2))
    seats = [await database.stating(seat, number(n), f"seat {n}", expires_ms=n) for n in (1, 2)]
    await database.stating(rooms.remove, number(1).id, 5)
    await database.writing(rooms.purge, removed_before_ms=6, expired_before_ms=0)
    assert await database.reading(rooms.by_token, "digest of t1") is None
    assert await database.reading(rooms.endpoint_by_token, "seat 1") is None
    assert await database.reading(rooms.endpoint_by_token, "seat 2") == (seats[1], number(2))
    await database.writing(rooms.purge, removed_before_ms=0, expired_before_ms=3)
    assert await database.reading(rooms.endpoint_by_token, "seat 2") is None


async def test_an_endpoint_lives_as_long_as_its_room_says(database: Database):
    await keep(database, ROOM)
    taken = await database.stating(seat, ROOM, "seat", expires_ms=10)
    assert taken == EndpointRecord("EP-seat", ROOM.id, "anna", "seat", expires_ms=10)
    assert await database.reading(rooms.endpoint_by_token, "seat") == (taken, ROOM)


async def test_a_token_opens_a_room_or_an_endpoint(database: Database):
    await keep(database, ROOM)
    taken = await database.stating(seat, ROOM, "seat", expires_ms=10)
    assert await database.reading(rooms.opened_by, "digest of t1") == ROOM
    assert await database.reading(rooms.opened_by, "seat") == (taken, ROOM)
    assert await database.reading(rooms.opened_by, "t1") is None


async def test_a_removed_room_gets_no_endpoint(database: Database):
    await keep(database, ROOM)
    nobody = {"endpoint_id": "EP-1", "participant_id": "anna", "token_digest": "seat", "now_ms": 0}
    await database.stating(rooms.remove, ROOM.id, 5)
    assert await database.stating(rooms.insert_endpoint, room_id=ROOM.id, **nobody) is None
    assert await database.stating(rooms.insert_endpoint, room_id="RO-2", **nobody) is None


async def test_an_endpoints_end_moves_once_from_where_it_was(database: Database):
    await keep(database, ROOM)
    await database.stating(seat, ROOM, "seat", expires_ms=10)
    assert await database.stating(rooms.set_endpoint_expiry, "EP-seat", 10, 20)
    assert not await database.stating(rooms.set_endpoint_expiry, "EP-seat", 10, 30)
    found = await database.reading(rooms.endpoint_by_token, "seat")
    assert found is not None
    assert found[0].expires_ms == 20
