"""Calls in rooms of spaces, remembered over every database, in simulated time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mediaserver import VoiceChanged
from signaling.services.conferences import Conferences
from signaling.services.doors import Pass, Role, Venue
from signaling.services.in_order import InOrder
from signaling.services.members import NOBODY, Profile, Visitor
from signaling.services.spaces.calls import BEAT, Calls
from signaling.services.spaces.report import report
from signaling.settings import Settings
from signaling.store import space_calls as store
from signaling.store import spaces
from signaling.store.database import Connection, Database
from signaling.store.space_calls import PresenceRow
from signaling.store.spaces import RoomRecord, SpaceRecord
from tests.support.fake_media import FakeMediaServer
from tests.support.simulated import SimulatedTime

SPACE, ROOM, CHANNEL = "5" * 24, "a" * 24, "channel"


@dataclass
class Told:
    """Follows `SpaceWebhooks`, as far as calls need it."""

    events: list[str] = field(default_factory=list)

    def announce(self, connection: Connection, kind: str, **about: Any) -> None:
        self.events.append(kind)


class House:
    """A space with one room."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.time = SimulatedTime()
        self.told = Told()
        self.media = FakeMediaServer()
        self.conferences = Conferences(self.media, Settings(), self.time.clock, self.time)
        self.media.on_event = self.conferences.media_event
        self.calls = self.fresh()
        self.conferences.watches.append(self.calls)

    def fresh(self) -> Calls:
        """As after a start."""
        return Calls(self.database, self.told, self.time.clock, self.time, InOrder())  # type: ignore[arg-type]

    async def build(self) -> None:
        def work(connection: Connection) -> None:
            spaces.insert(connection, SpaceRecord(SPACE, "acme", "o" * 24, "School", None, None, True, 0))
            spaces.insert(
                connection, RoomRecord(ROOM, SPACE, "alias", CHANNEL, "o" * 24, "3b", True, "lesson", True, True, 0)
            )

        await self.database.writing(work)

    def come(self, name: str) -> Callable[[str], None]:
        """Returns how they go."""
        venue = Venue(CHANNEL, "spaces", None, "SFU", 100, room_id=ROOM)
        meeting = self.conferences.open(venue)
        admitted = Pass(venue, guest=True, role=Role.PUBLISHER)
        visitor = Visitor(meeting, None, admitted, name, name, 0.0, end=lambda why: None)  # type: ignore[arg-type]
        member = self.conferences.enter(visitor, Profile(), None, lambda member: NOBODY)
        return lambda reason: self.conferences.dismiss(meeting, member, reason)

    def speaks(self, name: str, on: bool) -> None:
        self.conferences.media_event(VoiceChanged(CHANNEL, name, on))

    async def presences(self) -> list[PresenceRow]:
        await self.calls.entered()
        return list(await self.database.reading(store.presences, SPACE, None, None, 1000))


async def test_what_a_killed_server_left_ends_when_it_was_last_known_to_be_so(database: Database):
    house = House(database)
    await house.build()
    house.come("anna")
    house.speaks("anna", True)
    await house.presences()
    house.time.advance(BEAT)
    await house.presences()
    house.time.advance(BEAT / 2)
    noted_ms = int((house.time.clock.wall() - BEAT / 2) * 1000)
    later = house.fresh()
    house.time.clock.advance(3600)  # nothing of the old one rings any more
    await later.start_up()
    [stay] = await house.presences()
    assert (stay.left_ms, stay.speaking_ms) == (noted_ms, BEAT * 1000)
    assert house.told.events == ["call_started", "call_finished"]
    assert await database.reading(store.unfinished) == []
    await later.start_up()
    assert len(house.told.events) == 2


async def test_the_most_are_those_at_the_same_time(database: Database):
    house = House(database)
    await house.build()
    gone = [house.come(name) for name in ("anna", "bert", "carl")]
    for go in gone[1:]:
        go("left")
    house.come("dora")
    await house.conferences.end(CHANNEL, "ended")
    await house.presences()
    [counted] = await database.reading(store.finished_between, SPACE, None, 0, 1 << 60, least=3)
    assert (counted.call.most, counted.stays, counted.people) == (3, 4, 4)
    assert await database.reading(store.finished_between, SPACE, None, 0, 1 << 60, least=4) == []


async def test_a_call_whose_room_was_deleted_before_it_began_is_none(database: Database):
    house = House(database)
    house.come("anna")
    await house.conferences.end(CHANNEL, "ended")
    assert await house.presences() == []
    assert house.told.events == []


async def test_nobody_is_noted_once_all_calls_are_over(database: Database):
    house = House(database)
    await house.build()
    house.come("anna")
    await house.presences()
    await house.conferences.end(CHANNEL, "ended")
    house.time.advance(BEAT)
    await house.presences()
    assert house.time.running() == 0


def test_who_is_there_twice_at_a_time_is_there_once():
    def stay(joined: int, left: int | None) -> PresenceRow:
        times = (joined * 1000, joined * 1000, None if left is None else left * 1000)
        return PresenceRow(f"{joined}", "c", "user 1", "Ada", "1", None, None, None, "user", *times, 1, 500)

    [line] = report([stay(0, 10), stay(5, 8), stay(20, None)], now_ms=30_000)
    assert (line.present_seconds, line.messages, line.speaking_seconds) == (20, 3, 1)
    assert line.joins == ((0, 10_000), (5000, 8000), (20_000, None))
