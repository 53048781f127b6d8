"""From MESH to SFU: with which join, what happens at once, and what happens meanwhile, in simulated time."""

import asyncio

import pytest

from mediaserver import StreamDescription
from signaling.services.errors import Full, Gone
from signaling.services.meeting import ModeChanged
from signaling.services.realtime_door import venue
from signaling.services.upgrade import STRAGGLERS, Seat, seat_for_newcomer
from tests.support.meetings import Inside, World

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"


@pytest.mark.parametrize(
    ("online", "limit", "count", "limit_after", "seat"),
    [
        pytest.param(0, 4, None, 100, Seat.FREE, id="the first"),
        pytest.param(3, 4, None, 100, Seat.FREE, id="the last seat"),
        pytest.param(4, 4, None, 100, Seat.NONE, id="no seat, no upgrade"),
        pytest.param(1, 4, 3, 100, Seat.FREE, id="below the count"),
        pytest.param(2, 4, 3, 100, Seat.AFTER_UPGRADE, id="reaching the count"),
        pytest.param(3, 4, 3, 100, Seat.AFTER_UPGRADE, id="beyond the count"),
        pytest.param(3, 3, 4, 100, Seat.AFTER_UPGRADE, id="limit 3, count 4"),
        pytest.param(3, 3, 50, 100, Seat.AFTER_UPGRADE, id="early, as there is no seat"),
        pytest.param(1, 4, 2, 100, Seat.AFTER_UPGRADE, id="the lowest count"),
        pytest.param(2, 4, 3, 2, Seat.NONE, id="no seat afterwards either"),
    ],
)
def test_a_newcomer_finds_a_seat(online, limit, count, limit_after, seat):
    assert seat_for_newcomer(online, limit, count, limit_after) is seat


def direct(one: Inside, other: Inside, *stream_ids: str) -> None:
    """`one` sends cameras to `other`, without the server."""
    streams = [StreamDescription(stream_id, "camera", one.member.id, "0", "1") for stream_id in stream_ids]
    one.meeting.direct("offer").described("offer", one.member.id, other.member.id, streams)


async def test_the_join_that_reaches_the_count_moves_everybody():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    assert anna.meeting.mode == "MESH"
    carl = await world.join("carl")
    assert (carl.meeting.mode, carl.meeting.max_participants) == ("SFU", 100)
    assert world.rooms.rooms["room"].conference_type == "SFU"
    for there in (anna, bert):
        assert there.ear.types()[-2:] == ["mode_update", "participant_update"]
        assert there.ear.told[-2] == {"type": "mode_update", "mode": "SFU", "reason": "auto_upgrade"}
        assert there.ear.moves == 1
    assert carl.ear.told == []
    assert set(world.media.conference("room").participants) == {"anna", "bert", "carl"}


async def test_a_room_with_limit_3_and_count_4_moves_with_the_fourth_and_one_without_count_refuses_them():
    world = World(mode="MESH", limit=3, upgrade_count=4)
    people = [await world.join(who) for who in ("anna", "bert", "carl", "dora")]
    assert {person.meeting.mode for person in people} == {"SFU"}
    world = World(mode="MESH", limit=3)
    for who in ("anna", "bert", "carl"):
        await world.join(who)
    with pytest.raises(Full):
        await world.visit("dora")


async def test_the_limit_of_the_server_is_enforced_afterwards():
    limits = {"max_participants": {"SFU": 3}}
    world = World(mode="MESH", limit=2, upgrade_count=9, realtime=limits)
    for who in ("anna", "bert", "carl"):
        await world.join(who)
    with pytest.raises(Full):
        await world.visit("dora")


async def test_a_room_larger_than_the_server_allows_loses_nobody():
    world = World(mode="MESH", limit=4, realtime={"max_participants": {"SFU": 2}})
    people = [await world.join(who) for who in ("anna", "bert", "carl")]
    await world.entrance.upgrade(people[0].meeting)
    assert all(person.member.media for person in people)
    people[2].leave()
    with pytest.raises(Full):
        await world.visit("dora")


async def test_two_joins_at_once_that_reach_the_count_are_one_upgrade():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna = await world.join("anna")
    await world.join("bert")
    visitors = [await world.visit(who) for who in ("carl", "dora")]
    await asyncio.gather(*map(world.arrive, visitors))
    assert world.rooms.upgrades == 1
    assert anna.ear.types().count("mode_update") == 1
    assert anna.ear.online() == [("bert", True), ("carl", True), ("dora", True)]


async def test_of_two_joins_at_once_the_one_that_reaches_the_count_is_seen():
    """Both begin below the count."""
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna = await world.join("anna")
    visitors = [await world.visit(who) for who in ("bert", "carl")]
    await asyncio.gather(*map(world.arrive, visitors))
    assert anna.ear.types() == ["participant_update", "mode_update", "participant_update"]


async def test_a_request_and_a_join_at_once_are_one_upgrade():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    anna = await world.join("anna")
    visitor = await world.visit("bert")
    await asyncio.gather(world.entrance.upgrade(anna.meeting), world.arrive(visitor))
    assert anna.ear.types() == ["mode_update", "participant_update"]
    assert world.rooms.upgrades == 1


async def test_it_never_goes_back():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.leave()
    assert anna.meeting.mode == "SFU"
    anna.leave()
    world.time.advance(60)
    assert (await world.join("carl")).meeting.mode == "SFU"


async def test_who_comes_back_is_not_counted_twice():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    await world.join("bert")
    assert anna.meeting.mode == "MESH"


async def test_who_is_lost_counts_and_moves_along():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    await world.join("carl")
    again = await world.join("bert")
    assert again.member is bert.member
    assert again.media.id == "bert"
    assert anna.ear.online() == [("bert", True), ("carl", True)]


async def test_who_gives_up_while_the_room_is_upgraded_is_not_in_it():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    anna = await world.join("anna")
    visitor = await world.visit("bert")
    joining = asyncio.create_task(world.arrive(visitor))
    await asyncio.sleep(0)
    world.entrance.turned_away(visitor)
    with pytest.raises(Gone):
        await joining
    assert list(anna.meeting.members) == ["anna"]
    assert (anna.meeting.mode, world.rooms.rooms["room"].conference_type) == ("SFU", "SFU")


async def test_a_conference_that_ends_while_the_room_is_upgraded_stays_ended():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    await world.join("anna")
    visitor = await world.visit("bert")
    joining = asyncio.create_task(world.arrive(visitor))
    await asyncio.sleep(0)
    await world.conferences.end("room", "room_deleted")
    with pytest.raises(Gone):
        await joining
    assert not world.media.conferences


async def test_a_store_that_fails_leaves_the_meeting_as_it_is_and_the_next_join_tries_again():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    anna = await world.join("anna")
    world.rooms.down = True
    with pytest.raises(ConnectionRefusedError):
        await world.join("bert")
    assert (anna.meeting.mode, anna.ear.told) == ("MESH", [])
    world.rooms.down = False
    assert (await world.join("bert")).meeting.mode == "SFU"


async def test_who_was_on_the_way_to_an_empty_room_when_it_was_upgraded_finds_an_sfu():
    world = World(mode="MESH")
    stale = world.rooms.rooms["room"]
    await world.conferences.upgraded(venue(await world.rooms.upgrade_from_inside("room")))
    world.rooms.rooms["room"] = stale
    assert (await world.join("anna")).meeting.mode == "SFU"


# the move itself


async def test_streams_keep_their_ids_and_are_listed_once_all_the_way():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    direct(anna, bert, CAMERA)
    carl = await world.join("carl")
    assert [stream.stream_id for stream in carl.meeting.streams()] == [CAMERA]
    anna.publish(CAMERA)
    assert [stream.stream_id for stream in carl.meeting.streams()] == [CAMERA]
    world.time.advance(STRAGGLERS)
    assert [stream.stream_id for stream in carl.meeting.streams()] == [CAMERA]


async def test_what_has_not_moved_in_time_is_gone():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    direct(anna, bert, CAMERA)
    carl = await world.join("carl")
    world.time.advance(STRAGGLERS)
    assert carl.meeting.streams() == []


async def test_what_has_been_begun_may_be_ended_for_ten_seconds():
    world = World(mode="MESH")
    anna = await world.join("anna")
    await world.entrance.upgrade(anna.meeting)
    for wait in (0.0, STRAGGLERS - 0.1):
        world.time.advance(wait)
        for kind in ("answer", "candidate", "close"):
            assert anna.meeting.direct(kind)
        with pytest.raises(ModeChanged):
            anna.meeting.direct("offer")
    world.time.advance(0.1)
    for kind in ("offer", "answer", "candidate", "close"):
        with pytest.raises(ModeChanged):
            anna.meeting.direct(kind)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_what_is_muted_stays_muted(when):
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    direct(anna, bert, CAMERA)
    if when == "before":
        anna.meeting.mute(anna.member, CAMERA, audio=True, video=None)
    await world.join("carl")
    if when == "meanwhile":
        anna.meeting.mute(anna.member, CAMERA, audio=True, video=None)
    anna.publish(CAMERA)
    assert [(stream.audio_muted, stream.video_muted) for stream in anna.meeting.streams()] == [(True, False)]
    anna.meeting.mute(anna.member, CAMERA, audio=False, video=None)
    assert not anna.media.published[CAMERA].audio_muted
    assert bert.ear.told[-1]["audio"] is False


async def test_a_stream_that_ends_meanwhile_is_over_wherever_it_is():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    direct(anna, bert, CAMERA)
    await world.join("carl")
    anna.meeting.unpublish(anna.member, CAMERA)
    assert anna.meeting.streams() == []
    anna.publish(CAMERA)
    anna.meeting.unpublish(anna.member, CAMERA)
    assert anna.meeting.streams() == []


async def test_who_leaves_during_the_move_takes_their_streams_along():
    world = World(mode="MESH", limit=4, upgrade_count=3)
    anna, bert = await world.join("anna"), await world.join("bert")
    direct(anna, bert, CAMERA)
    carl = await world.join("carl")
    anna.leave()
    bert.leave()
    assert (carl.meeting.streams(), carl.meeting.mode) == ([], "SFU")
    assert set(world.media.conference("room").participants) == {"carl"}


async def test_the_end_during_the_move_ends_everything():
    world = World(mode="MESH", limit=4, upgrade_count=2)
    anna, bert = await world.join("anna"), await world.join("bert")
    await world.conferences.end("room", "room_deleted")
    assert anna.ear.ended == bert.ear.ended == ["room_deleted"]
    world.time.advance(60)
    assert not world.media.conferences
