"""Coming, staying, going and the end, in simulated time."""

import asyncio
from dataclasses import replace

import pytest

from mediaserver import LayersChanged, LayersWanted, QualityChanged, SpeakersChanged, StreamLayers, VoiceChanged
from signaling.services.conferences import ShuttingDown
from signaling.services.doors import Role
from signaling.services.entrance import AlreadyOnline
from signaling.services.errors import Conflict, Forbidden, Full, Gone, NotFound, Refused, Removed
from signaling.services.meeting import NotInMesh
from tests.support.meetings import ENDPOINT_TTL, World

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"


# coming


async def test_the_others_learn_who_has_come_and_what_they_say_about_themselves():
    world = World()
    anna = await world.join("anna")
    await world.join("bert", attributes={"seat": 2})
    assert anna.ear.online() == [("bert", True)]
    assert anna.ear.told[-1] == {"type": "attributes_update", "user_id": "bert", "attributes": {"seat": 2}}


async def test_somebody_without_a_wish_gets_an_id_of_their_own():
    world = World()
    ids = {(await world.join()).member.id for _ in range(3)}
    assert len(ids) == 3


async def test_a_seat_is_counted_when_it_is_taken_not_before():
    world = World(limit=1)
    first, second = await world.visit("anna"), await world.visit("bert")
    await world.arrive(second)
    with pytest.raises(Full):
        await world.arrive(first)
    with pytest.raises(Full):
        await world.visit("carl")


async def test_two_joins_at_once_do_not_share_the_last_seat():
    world = World(limit=1)
    visitors = [await world.visit("anna"), await world.visit("bert")]
    outcomes = await asyncio.gather(*map(world.arrive, visitors), return_exceptions=True)
    assert sum(isinstance(outcome, Full) for outcome in outcomes) == 1
    assert world.conferences.counts()["participants_sfu"] == 1


async def test_a_full_room_lets_a_lost_one_back_in():
    world = World(limit=1)
    anna = await world.join("anna")
    anna.vanish()
    assert (await world.join("anna")).member is anna.member


async def test_an_id_that_is_online_is_taken():
    world = World()
    await world.join("anna")
    with pytest.raises(AlreadyOnline):
        await world.visit("anna")


@pytest.mark.parametrize("wait", [0.0, 60.0])
async def test_a_room_removed_while_somebody_is_at_its_door_lets_nobody_in(wait):
    world = World()
    visitor = await world.visit("anna")
    del world.rooms.rooms["room"]
    world.time.advance(wait)
    with pytest.raises((Removed, Refused)):
        await world.arrive(visitor)


async def test_a_credential_revoked_two_seconds_before_the_join_is_of_no_use():
    world = World()
    visitor = await world.visit("anna")
    world.rooms.refused.add("room")
    world.time.advance(2.1)
    with pytest.raises(Refused):
        await world.arrive(visitor)


async def test_a_view_without_a_composite_is_refused_and_another_may_follow():
    world = World(mode="MESH")
    visitor = await world.visit("anna")
    with pytest.raises(NotInMesh):
        await world.arrive(visitor, view="one_view")
    assert (await world.arrive(visitor, view="streams")).member.view == "streams"


# staying: the grace period


async def test_a_lost_participant_is_kept_for_fifteen_seconds():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    world.time.advance(14.9)
    assert anna.ear.online() == [("bert", True)]
    assert not bert.media.gone
    world.time.advance(0.2)
    assert anna.ear.online() == [("bert", True), ("bert", False)]
    assert bert.media.gone


async def test_who_comes_back_in_time_stays_the_same_and_nobody_is_told():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    world.time.advance(14.0)
    again = await world.join("bert")
    world.time.advance(60.0)
    assert again.member is bert.member
    assert anna.ear.online() == [("bert", True)]


async def test_who_comes_back_too_late_is_somebody_new():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    world.time.advance(15.0)
    again = await world.join("bert")
    assert again.member is not bert.member
    assert anna.ear.online() == [("bert", True), ("bert", False), ("bert", True)]


async def test_an_endpoint_leads_back_to_its_participant():
    world = World()
    await world.join("anna")
    bert = await world.join("bert")
    bert.leave()
    again = await world.join(token=bert.member.endpoint.token)
    assert again.member.id == "bert"
    assert again.member.endpoint == bert.member.endpoint


async def test_a_second_socket_of_an_endpoint_takes_over_at_the_door():
    world = World()
    anna = await world.join("anna")
    token = anna.member.endpoint.token
    visitor = await world.visit(token=token)
    assert anna.ear.ended == ["replaced"]
    assert (await world.arrive(visitor)).member is anna.member


async def test_of_two_at_the_door_with_one_endpoint_the_newer_wins():
    world = World()
    await world.join("bert")
    anna = await world.join("anna")
    token = anna.member.endpoint.token
    anna.leave()
    ended: list[str] = []
    older, newer = await world.visit(token=token, ended=ended), await world.visit(token=token)
    assert ended == ["replaced"]
    with pytest.raises(Gone):
        await world.arrive(older)
    assert (await world.arrive(newer)).member.id == "anna"


async def test_a_replaced_socket_that_nobody_follows_runs_into_the_grace_period():
    world = World()
    bert, anna = await world.join("bert"), await world.join("anna")
    await world.visit(token=anna.member.endpoint.token)
    world.time.advance(15.0)
    assert bert.ear.online() == [("anna", True), ("anna", False)]


async def test_an_endpoint_that_expires_ends_its_participant_unless_renewed():
    world = World()
    anna = await world.join("anna")
    world.time.advance(ENDPOINT_TTL - 100)
    await world.entrance.renew_endpoint(anna.meeting, anna.member)
    world.time.advance(ENDPOINT_TTL)
    assert anna.ear.ended == []
    world.time.advance(101)
    assert anna.ear.ended == ["endpoint_expired"]


async def test_an_endpoint_that_cannot_be_renewed_stays_as_it_was():
    world = World()
    world.rooms.renewable = False
    anna = await world.join("anna")
    before = anna.member.endpoint
    with pytest.raises(Conflict):
        await world.entrance.renew_endpoint(anna.meeting, anna.member)
    assert anna.member.endpoint == before


# going, and the end


async def test_leaving_twice_is_leaving_once():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.leave()
    bert.leave()
    bert.vanish()
    world.time.advance(15.0)
    assert anna.ear.online() == [("bert", True), ("bert", False)]
    assert bert.ear.ended == ["left"]


@pytest.mark.parametrize(
    ("settings", "steps", "lives"),
    [
        pytest.param({}, [("visit", 299.0)], True, id="nobody joins, not yet over"),
        pytest.param({}, [("visit", 301.0)], False, id="nobody ever joins"),
        pytest.param({}, [("join", 86000.0)], True, id="somebody is there"),
        pytest.param({}, [("join", 10.0), ("leave", 19.0)], True, id="the last one has left, not yet over"),
        pytest.param({}, [("join", 10.0), ("leave", 21.0)], False, id="the last one has left"),
        pytest.param({}, [("join", 10.0), ("lose", 34.0)], True, id="lost: grace, then departure"),
        pytest.param({}, [("join", 10.0), ("lose", 36.0)], False, id="lost for good"),
        pytest.param({"max_duration_seconds": 60}, [("join", 61.0)], False, id="the longest duration"),
        pytest.param({"empty_timeout_seconds": 1}, [("visit", 1.1)], False, id="shortened"),
    ],
)
async def test_a_conference_ends_when_its_timers_say_so(settings, steps, lives):
    world = World(**settings)
    visitor = await world.visit("anna")
    anna = None
    for step, wait in steps:
        if step == "join":
            anna = await world.arrive(visitor)
        elif step == "leave":
            anna.leave()
        elif step == "lose":
            anna.vanish()
        world.time.advance(wait)
    assert bool(world.media.conferences) is lives
    assert (world.conferences.counts()["conferences_sfu"] == 1) is lives


async def test_the_end_is_told_to_everybody_inside_and_at_the_door_and_stops_all_timers():
    world = World()
    ended: list[str] = []
    anna, bert = await world.join("anna"), await world.join("bert")
    bert.vanish()
    visitor = await world.visit("carl", ended=ended)
    await world.conferences.end("room", "room_deleted")
    await world.conferences.end("room", "room_deleted")
    assert (anna.ear.ended, ended) == (["room_deleted"], ["room_deleted"])
    assert anna.ear.online() == [("bert", True)]
    assert anna.media.conference.closed
    assert world.time.running() == 0
    with pytest.raises(Gone):
        await world.arrive(visitor)


async def test_after_the_end_the_room_holds_a_new_conference():
    world = World()
    anna = await world.join("anna")
    await world.conferences.end("room", "ended")
    again = await world.join("anna")
    assert again.meeting is not anna.meeting
    assert again.meeting.started_at == world.time.clock.wall()


async def test_a_server_that_shuts_down_ends_all_and_lets_nobody_in():
    world = World()
    anna = await world.join("anna")
    await world.conferences.aclose()
    await world.conferences.aclose()
    assert anna.ear.ended == ["server_shutdown"]
    with pytest.raises(ShuttingDown):
        await world.visit("bert")


async def test_a_thousand_joins_and_leaves_leave_nothing_behind():
    world = World()
    await world.join("anna")
    before = world.time.running()
    for _ in range(1000):
        (await world.join("bert")).leave()
    assert world.time.running() == before
    assert world.conferences.counts()["participants_sfu"] == 1


# inside


async def test_presence_and_counts_tell_what_there_is():
    world = World()
    assert not world.conferences.anyone_online("room")
    anna = await world.join("anna")
    anna.publish(CAMERA)
    await world.join("bert")
    assert world.conferences.anyone_online("room")
    assert world.conferences.is_online("room", "anna")
    assert not world.conferences.is_online("room", "carl")
    assert {name: count for name, count in world.conferences.counts().items() if count} == {
        "conferences_sfu": 1,
        "participants_sfu": 2,
        "streams_sfu": 1,
    }


async def test_news_of_connections_reaches_their_participant_alone():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    anna.publish(CAMERA)
    assert [type(event).__name__ for event in bert.ear.news] == ["SubscriptionsChanged"]
    assert [type(event).__name__ for event in anna.ear.news] == ["StreamStarted"]


async def test_moderators_may_mute_others_but_never_unmute_them():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    anna.publish(CAMERA)
    with pytest.raises(Forbidden):
        anna.meeting.mute(bert.member, CAMERA, audio=True, video=None)
    bert.member.role = Role.MODERATOR
    anna.meeting.mute(bert.member, CAMERA, audio=True, video=None)
    assert anna.media.published[CAMERA].audio_muted
    with pytest.raises(Forbidden):
        anna.meeting.mute(bert.member, CAMERA, audio=False, video=None)
    anna.meeting.mute(anna.member, CAMERA, audio=False, video=None)
    assert [event["audio"] for event in bert.ear.told if event["type"] == "mute_update"] == [True, False]


async def test_nobody_mutes_what_is_not_there():
    world = World()
    anna = await world.join("anna")
    with pytest.raises(NotFound):
        anna.meeting.mute(anna.member, CAMERA, audio=True, video=None)


async def test_a_mesh_conference_has_presence_but_no_media():
    world = World(mode="MESH")
    anna, _ = await world.join("anna"), await world.join("bert")
    assert anna.ear.online() == [("bert", True)]
    assert anna.member.media is None
    assert not world.media.conferences
    with pytest.raises(NotInMesh):
        anna.meeting.set_view(anna.member, "one_view")


async def test_a_hand_raised_twice_is_told_once():
    world = World()
    anna = await world.join("anna")
    for raised in (True, True, False):
        anna.meeting.raise_hand(anna.member, raised)
    assert [event["raised"] for event in anna.ear.told] == [True, False]


# what the media plane tells about pictures, voices and lines


async def test_what_somebody_receives_is_told_to_them_alone():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    streams = (StreamLayers(CAMERA, 640, 360, 30.0, False, "bandwidth"), StreamLayers("x", 0, 0, 0.0, True, "wish"))
    world.media.on_event(LayersChanged(anna.meeting.id, "anna", streams))
    assert anna.ear.told[-1] == {
        "type": "layers_update",
        "streams": {
            CAMERA: {"width": 640, "height": 360, "fps": 30.0, "paused": False, "reason": "bandwidth"},
            "x": {"width": 0, "height": 0, "fps": 0.0, "paused": True, "reason": "wish"},
        },
    }
    assert "layers_update" not in [event["type"] for event in bert.ear.told]


async def test_which_layers_of_a_picture_somebody_could_want_is_told_to_who_sends_it():
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    world.media.on_event(LayersWanted(anna.meeting.id, "anna", CAMERA, ("h", "q")))
    assert anna.ear.told[-1] == {"type": "layers_wanted", "stream_id": CAMERA, "rids": ["h", "q"]}
    assert "layers_wanted" not in [event["type"] for event in bert.ear.told]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            QualityChanged("", "anna", 4.5, 0.02, 0.1),
            {"type": "quality_update", "user_id": "anna", "score": 4.5, "loss": 0.02, "rtt": 0.1},
        ),
        (
            SpeakersChanged("", "bert", (("bert", 0.8), ("anna", 0.3))),
            {
                "type": "speakers_update",
                "speakers": [{"user_id": "bert", "level": 0.8}, {"user_id": "anna", "level": 0.3}],
            },
        ),
        (SpeakersChanged("", "", ()), {"type": "speakers_update", "speakers": []}),
        (VoiceChanged("", "bert", True), {"type": "voice_activity", "user_id": "bert", "on": True}),
    ],
)
async def test_voices_and_quality_are_told_to_everybody(event, told):
    world = World()
    anna, bert = await world.join("anna"), await world.join("bert")
    world.media.on_event(replace(event, conference_id=anna.meeting.id))
    assert anna.ear.told[-1] == bert.ear.told[-1] == told
