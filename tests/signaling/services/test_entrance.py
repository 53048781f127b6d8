"""What families may say of who comes in, and who else hears of it: doors, locks, observers, watches."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from signaling.live.protocol import LiveError, permit
from signaling.services.admission import Admission
from signaling.services.doors import Credential, Endpoint, Pass, Role, Venue
from signaling.services.entrance import Entrance
from signaling.services.errors import Conflict, Forbidden, Locked, NotFound, Refused
from signaling.services.members import Profile
from tests.support.meetings import Ear, World


@dataclass
class OneRoom:
    """A family with one conference, whose credentials are the keys of `passes`."""

    passes: dict[str, Pass]
    family: str = "rooms"

    async def admit(self, credential: Credential) -> Pass | None:
        return self.passes.get(credential.text) if credential.kind in ("access_key", "bearer") else None

    async def exists(self, conference_id: str) -> bool:
        return any(each.venue.id == conference_id for each in self.passes.values())

    async def seat(self, admitted: Pass, participant_id: str, kept: Endpoint | None) -> None:
        return None

    async def upgrade(self, conference_id: str) -> Venue:
        raise Conflict("It goes through the server.")

    async def renew(self, endpoint: Endpoint) -> Endpoint:
        raise Conflict("There are no endpoints here.")


@dataclass
class Diary:
    """A watch that remembers."""

    said: list[tuple[str, ...]] = field(default_factory=list)

    def came(self, meeting: Any, member: Any) -> None:
        self.said.append(("came", meeting.id, member.id))

    def went(self, meeting: Any, member: Any, reason: str) -> None:
        self.said.append(("went", member.id, reason))

    def ending(self, meeting: Any, reason: str) -> None:
        pass

    def heard(self, meeting: Any, event: Any) -> None:
        self.said.append(("heard", type(event).__name__))

    def ended(self, meeting: Any, reason: str) -> None:
        self.said.append(("ended", reason))


HALL = Venue("hall-1", "rooms", "Hall", "SFU", 10, room_id="hall", options={"widescreen": True})


def hall(**passes: Pass) -> World:
    world = World()
    world.entrance = Entrance(world.conferences, Admission([OneRoom(passes)]), world.time.clock)
    return world


async def come(world: World, key: str, ended: list[str] | None = None, **profile: Any) -> Any:
    visitor = await world.entrance.visit(
        Credential("access_key", key), None, "", ([] if ended is None else ended).append
    )
    return (await world.entrance.join(visitor, Profile(**profile), lambda _member: Ear())).member


async def test_a_member_is_who_the_pass_says():
    world = hall(a=Pass(HALL, "ada", "Ada", "https://example.org/a.png", guest=True, role=Role.MODERATOR))
    ada = await come(world, "a", name="Somebody else")
    assert (ada.id, ada.name, ada.avatar, ada.guest, ada.role) == (
        *("ada", "Ada", "https://example.org/a.png", True),
        Role.MODERATOR,
    )
    assert ada.endpoint is None


async def test_events_call_the_room_by_the_name_of_its_container():
    world = hall(a=Pass(HALL, "ada", "Ada"), b=Pass(HALL, "bob", "Bob"))
    ada = await come(world, "a")
    await come(world, "b")
    assert ada.outlet.told[-1]["participant"]["room_id"] == "hall"


async def test_who_comes_again_with_a_credential_of_their_own_takes_their_own_place():
    world = hall(a=Pass(HALL, "ada", "Ada", own="a"))
    first = await come(world, "a")
    again = await come(world, "a")
    assert again is first
    assert first.outlet.ended == ["replaced"]


async def test_time_is_over_when_the_pass_says():
    world = hall(a=Pass(HALL, "ada", "Ada", expires_at=World().time.clock.wall() + 60))
    ada = await come(world, "a")
    ear = ada.outlet
    world.time.advance(59)
    assert ear.ended == []
    world.time.advance(2)
    assert ear.ended == ["endpoint_expired"]


async def test_a_locked_conference_keeps_whom_it_has_and_lets_nobody_else_in():
    world = hall(a=Pass(HALL, "ada", "Ada", own="a"), b=Pass(HALL, "bob", "Bob", own="b"))
    ada, waiting = await come(world, "a"), []
    await world.entrance.visit(Credential("access_key", "b"), None, "", waiting.append)
    world.conferences.lock(HALL.id)
    world.conferences.lock(HALL.id)
    assert waiting == ["access_revoked"]
    assert [event["type"] for event in ada.outlet.told].count("lock") == 1
    with pytest.raises(Locked):
        await come(world, "b")
    world.conferences.lost(world.conferences.meeting(HALL.id), ada)
    assert await come(world, "a") is ada


async def test_an_observer_hears_what_everybody_inside_is_told_and_the_end():
    world = hall(a=Pass(HALL, "ada", "Ada"), b=Pass(HALL, "bob", "Bob"))
    await come(world, "a")
    observer = Ear()
    world.conferences.meeting(HALL.id).observers.add(Observing(observer))
    await come(world, "b")
    await world.conferences.end(HALL.id, "ended")
    assert observer.online() == [("bob", True)]
    assert observer.ended == ["ended"]


async def test_a_watch_hears_who_comes_who_goes_and_the_end():
    world = hall(a=Pass(HALL, "ada", "Ada"))
    diary = Diary()
    world.conferences.watches.append(diary)
    ada = await come(world, "a")
    world.conferences.dismiss(world.conferences.meeting(HALL.id), ada, "kicked")
    await world.conferences.end(HALL.id, "room_deleted")
    assert diary.said == [("came", "hall-1", "ada"), ("went", "ada", "kicked"), ("ended", "room_deleted")]


async def test_a_credential_of_nobodys_is_refused_and_one_for_elsewhere_forbidden():
    world = hall(a=Pass(HALL, "ada", "Ada"))
    with pytest.raises(Refused):
        await come(world, "z")
    with pytest.raises(Forbidden):
        await world.entrance.visit(Credential("bearer", "a", at="hall-2"), None, "", print)


async def test_a_conference_exists_if_any_family_says_so():
    admission = Admission([OneRoom({"a": Pass(HALL)})])
    await admission.check_exists("hall-1")
    for unknown in ("hall-2", "x" * 129, "h\u00e4ll"):
        with pytest.raises(NotFound):
            await admission.check_exists(unknown)


async def test_who_has_no_endpoint_has_none_to_renew():
    world = hall(a=Pass(HALL, "ada", "Ada"))
    ada = await come(world, "a")
    with pytest.raises(Conflict):
        await world.entrance.renew_endpoint(world.conferences.meeting(HALL.id), ada)


def test_a_power_lets_somebody_do_what_their_role_does_not():
    permit("kick", role=Role.PUBLISHER, joined=True, powers=frozenset({"kick"}))
    with pytest.raises(LiveError):
        permit("upgrade", role=Role.PUBLISHER, joined=True, powers=frozenset({"kick"}))


@dataclass(eq=False)
class Observing:
    ear: Ear

    def tell(self, event: Any) -> None:
        self.ear.tell(event)

    def end(self, reason: str) -> None:
        self.ear.end(reason)
