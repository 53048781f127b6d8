import pytest

from mediaserver.conference.participant import Rights
from mediaserver.errors import ConferenceClosed, ConferenceFull, NoSuchParticipant, ParticipantExists, PublishForbidden
from mediaserver.events import StreamEnded, StreamInfo, SubscriptionsChanged
from mediaserver.transport.connection import State


def test_participants_are_found_by_their_id(meeting):
    ada = meeting.join("ada")
    assert meeting.conference.participant("ada") is ada


def test_an_unknown_participant_is_an_error(meeting):
    with pytest.raises(NoSuchParticipant):
        meeting.conference.participant("ada")


def test_nobody_joins_a_full_conference_until_someone_leaves(meeting):
    first, *_ = [meeting.join(name) for name in "abc"]
    with pytest.raises(ConferenceFull, match="3"):
        meeting.join("d")
    first.leave()
    assert meeting.join("d").id == "d"


def test_nobody_joins_twice_under_one_id(meeting):
    meeting.join("ada")
    with pytest.raises(ParticipantExists):
        meeting.join("ada")


def test_a_participant_who_left_may_come_again_with_the_same_streams(meeting):
    ada = meeting.join("ada")
    meeting.publish(ada)
    ada.leave()
    meeting.publish(meeting.join("ada"))
    assert [stream.stream_id for stream in meeting.conference.streams()] == ["ada-cam"]


def test_streams_tells_what_is_published(meeting):
    meeting.publish(meeting.join("ada"))
    assert meeting.conference.streams() == [StreamInfo("ada-cam", "ada", "camera", audio=True, video=True)]


def test_leaving_ends_connections_and_streams_and_is_told_to_the_others(meeting):
    ada, bob = meeting.join("ada"), meeting.join("bob")
    meeting.publish(ada)
    meeting.subscribe(bob)
    meeting.events.clear()
    ada.leave()
    ada.leave()
    assert meeting.events == [
        SubscriptionsChanged("hall", "bob"),
        StreamEnded("hall", "ada", "ada-cam"),
    ]
    assert meeting.router.connections[0].state is State.CLOSED
    assert all(source.closed for source in meeting.router.sources)
    assert meeting.conference.streams() == []


def test_who_may_not_publish_any_more_stops_and_may_again_later(meeting):
    ada = meeting.join("ada")
    meeting.publish(ada)
    meeting.events.clear()
    ada.allow_publishing(False)
    assert meeting.events == [StreamEnded("hall", "ada", "ada-cam")]
    with pytest.raises(PublishForbidden):
        meeting.publish(ada)
    ada.allow_publishing(True)
    meeting.publish(ada)
    assert [stream.stream_id for stream in meeting.conference.streams()] == ["ada-cam"]


def test_closing_sends_everybody_home_and_is_told_once(meeting):
    for name in "ab":
        participant = meeting.join(name)
        meeting.publish(participant)
        participant.offer()
    meeting.conference.close()
    meeting.conference.close()
    assert meeting.router.open_connections() == 0
    assert meeting.closed == ["hall"]
    with pytest.raises(ConferenceClosed):
        meeting.conference.join("c", Rights())


def test_stats_name_connections_tracks_and_slots(meeting):
    ada, bob = meeting.join("ada"), meeting.join("bob")
    meeting.publish(ada)
    meeting.subscribe(bob)
    stats = {each.participant_id: each for each in meeting.conference.stats().participants}
    assert [(track.stream_id, track.kind, track.codec) for track in stats["ada"].tracks] == [
        ("ada-cam", "audio", "opus"),
        ("ada-cam", "video", "VP8"),
    ]
    assert stats["ada"].subscribe is None
    assert stats["bob"].subscribe is not None
    assert stats["bob"].subscribe.state == "open"
    assert [(slot.mid, slot.stream_id) for slot in stats["bob"].slots] == [("0", "ada-cam"), ("1", "ada-cam")]


def test_a_hundred_comings_and_goings_leave_nothing_behind(meeting):
    stays = meeting.join("stays")
    for i in range(100):
        guest = meeting.join(f"guest{i}")
        meeting.publish(guest)
        meeting.subscribe(stays)
        guest.offer()
        guest.leave()
    meeting.subscribe(stays)
    assert len(meeting.sinks(meeting.router.connections[1])) == 2
    assert meeting.router.open_connections() == 1
    assert not any(source.closed is False for source in meeting.router.sources)
