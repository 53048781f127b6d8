"""Teams' meetings against a store that is behind, or away: what is over stays over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.services.errors import Gone, Unauthorized
from signaling.services.room_options import RoomOptions
from signaling.services.room_records import Person, Seat
from signaling.services.room_register import Opening
from signaling.services.rooms import Rooms
from signaling.settings import Settings
from signaling.store.database import Database
from tests.support.clock import MovableClock

ADA = Person("Ada", "ada")
OPENING = Opening(RoomOptions())


class Conferences:
    """Remembers what it was asked for; `full` says who has no seat."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.told: list[str] = []
        self.full = False

    def begin(self, meeting) -> None:
        self.begun.append(meeting.id)

    def conference(self, meeting_id):
        return None

    def members(self, meeting_id):
        return {}

    def is_full(self, meeting_id, user_id) -> bool:
        return self.full

    def lock(self, meeting_id) -> None:
        self.told.append("lock")

    def kick(self, meeting_id, user_id) -> None:
        self.told.append(f"kick {user_id}")

    def tell(self, meeting_id, event) -> None:
        self.told.append(event["type"])

    async def end(self, meeting_id, reason) -> None:
        self.told.append("end")


@pytest.fixture
async def rooms(tmp_path: Path, database: Database) -> AsyncIterator[Rooms]:
    service = Rooms(database, Settings(data_dir=tmp_path), MovableClock())
    service.conferences = Conferences()
    await service.start()
    yield service
    await service.aclose()


async def enter(rooms: Rooms, room: str = "standup", person: Person = ADA) -> Seat:
    return await rooms.enter("Team", room, person, OPENING)


async def test_whoever_comes_after_the_end_begins_another_meeting_before_the_end_is_written(rooms: Rooms):
    first = await enter(rooms)
    rooms.ended(first.meeting.id)  # its writing has not begun
    second = await enter(rooms)
    assert second.meeting.id != first.meeting.id
    with pytest.raises(Gone):
        await rooms.seat(first.user.access_key)
    await rooms.aclose()
    assert [meeting.id for meeting in await rooms.running_rooms("Team")] == [second.meeting.id]


async def test_an_end_that_could_not_be_written_is_written_later(rooms: Rooms, monkeypatch: pytest.MonkeyPatch):
    seat = await enter(rooms)

    def fail(*_args):
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(rooms.register, "end", fail)
        rooms.ended(seat.meeting.id)
        await rooms.aclose()
    with pytest.raises(Gone):
        await rooms.seat(seat.user.access_key)
    await rooms.sweep()
    assert (await rooms.meeting(seat.meeting.id)).over


async def test_the_same_person_coming_often_at_once_is_one_user(rooms: Rooms):
    seats = await asyncio.gather(*(enter(rooms) for _ in range(20)))
    assert len({seat.user.access_key for seat in seats}) == 1
    assert set(rooms.conferences.begun) == {seats[0].meeting.id}


async def test_rooms_of_two_teams_with_one_id_are_two(rooms: Rooms):
    one = await enter(rooms)
    other = await rooms.enter("Other", "standup", ADA, OPENING)
    assert one.meeting.id != other.meeting.id


async def test_a_restart_ends_what_ran(rooms: Rooms, database: Database, tmp_path: Path):
    seat = await enter(rooms)
    again = Rooms(database, Settings(data_dir=tmp_path), MovableClock())
    again.conferences = Conferences()
    await again.start()
    with pytest.raises(Gone):
        await again.seat(seat.user.access_key)
    with pytest.raises(Gone):
        await again.guest(seat.meeting.guest_token, Person("Gus"))


@pytest.mark.parametrize("token", ["", "short", "x" * 24, "ä" * 24, "x" * 10_000])
async def test_a_guest_token_that_was_never_issued_is_none(rooms: Rooms, token: str):
    with pytest.raises(Unauthorized):
        await rooms.guest(token, Person("Gus"))
