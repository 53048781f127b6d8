import pytest

from mediaserver.conference.conference import Limits
from mediaserver.conference.slots import MAX_SLOTS
from mediaserver.conference.wishes import Wish
from mediaserver.errors import BadDescription
from mediaserver.events import CodecUnsupported, ConnectionOpened, SubscriptionsChanged
from mediaserver.transport.connection import State
from mediaserver.transport.sdp import parse
from tests.mediaserver.conference.conftest import SOUND, camera, screen
from tests.support.client_sdp import Identity, Section, subscribe_answer

NOTHING = {"0": None, "1": None}


@pytest.fixture
def ada(meeting):
    """Publishes a camera."""
    ada = meeting.join("ada")
    meeting.publish(ada)
    return ada


@pytest.fixture
def bob(meeting, ada):
    return meeting.join("bob")


def camera_of(meeting, ada):
    """The sources of Ada's camera, by the mid they have when she is the first in a subscription."""
    return {mid: meeting.router.intakes[0].feeds[mid] for mid in ("0", "1")}


def subscribe_connection(meeting):
    return meeting.router.connections[-1]


def ssrcs(offer):
    return [tuple(section.ssrcs) for section in parse(offer.sdp).sections]


def test_a_late_joiner_is_due_an_offer_with_all_streams(meeting, ada, bob):
    assert bob.needs_offer()
    offer = bob.offer()
    assert [(s.stream_id, s.user_id, s.audio_mid, s.video_mid) for s in offer.streams] == [("ada-cam", "ada", "0", "1")]
    assert not bob.needs_offer()


def test_nobody_is_due_an_offer_of_the_own_streams(ada):
    assert not ada.needs_offer()


def test_an_offer_of_nothing_still_has_sections_to_connect_with(meeting):
    offer = meeting.join("ada").offer()
    assert [section.kind for section in parse(offer.sdp).sections] == ["audio", "video"]
    assert offer.streams == ()


def test_an_offer_is_due_once_however_many_streams_start(meeting):
    bob = meeting.join("bob")
    assert not bob.needs_offer()
    for name in "ac":
        meeting.publish(meeting.join(name))
    assert meeting.told(SubscriptionsChanged).count(SubscriptionsChanged("hall", "bob")) == 1
    assert len(bob.offer().streams) == 2


def test_who_may_not_subscribe_is_offered_nothing(meeting, ada):
    mute_viewer = meeting.join("deaf", subscribe=False)
    meeting.publish(meeting.join("carl"))
    assert not mute_viewer.needs_offer()
    assert mute_viewer.offer().streams == ()


def test_media_flows_when_the_answer_has_come_and_the_connection_is_open(meeting, ada, bob):
    offer = bob.offer()
    connection = subscribe_connection(meeting)
    bob.accept(subscribe_answer(offer.sdp))
    assert meeting.carried(connection) == NOTHING
    connection.opens()
    assert meeting.carried(connection) == camera_of(meeting, ada)
    assert ConnectionOpened("hall", "bob", "subscribe") in meeting.events


def test_on_an_open_connection_media_flows_with_the_answer(meeting, ada, bob):
    meeting.subscribe(bob)
    meeting.publish(meeting.join("carl"))
    offer = bob.offer()
    connection = meeting.router.connections[1]
    assert meeting.carried(connection) == {**camera_of(meeting, ada), "2": None, "3": None}
    bob.accept(subscribe_answer(offer.sdp))
    assert None not in meeting.carried(connection).values()


def test_a_stream_that_ends_is_silent_at_once_and_its_slots_are_used_again(meeting, ada, bob):
    first = meeting.subscribe(bob)
    connection = subscribe_connection(meeting)
    ada.leave()
    assert meeting.carried(connection) == NOTHING
    parked = meeting.subscribe(bob)
    assert parked.streams == ()
    meeting.publish(meeting.join("carl"))
    reused = meeting.subscribe(bob)
    assert [(s.stream_id, s.audio_mid, s.video_mid) for s in reused.streams] == [("carl-cam", "0", "1")]
    assert ssrcs(first) == ssrcs(parked) == ssrcs(reused)
    assert {s.direction for s in parse(parked.sdp).sections} == {"sendonly"}
    assert "carl-cam" in parse(reused.sdp).sections[0].msids[0]
    assert meeting.carried(connection) == meeting.router.intakes[-1].feeds


def test_a_slot_that_changes_hands_is_silent_until_the_client_knows(meeting, ada, bob):
    meeting.subscribe(bob)
    connection = subscribe_connection(meeting)
    ada.leave()
    meeting.publish(meeting.join("carl"))
    offer = bob.offer()
    assert meeting.carried(connection) == NOTHING
    bob.accept(subscribe_answer(offer.sdp))
    assert meeting.carried(connection) == meeting.router.intakes[-1].feeds


def test_a_stream_that_ends_before_the_answer_is_not_carried(meeting, ada, bob):
    offer = bob.offer()
    ada.leave()
    bob.accept(subscribe_answer(offer.sdp))
    subscribe_connection(meeting).opens()
    assert meeting.carried(subscribe_connection(meeting)) == NOTHING
    assert bob.needs_offer()


def test_a_second_offer_before_the_answer_takes_the_place_of_the_first(meeting, ada, bob):
    bob.offer()
    meeting.publish(meeting.join("carl"))
    second = bob.offer()
    bob.accept(subscribe_answer(second.sdp))
    connection = meeting.router.connections[1]
    connection.opens()
    assert list(meeting.carried(connection)) == ["0", "1", "2", "3"]
    assert None not in meeting.carried(connection).values()


def test_a_track_that_comes_later_gets_a_slot(meeting, bob, ada):
    meeting.publish(ada, SOUND, streams=[camera("ada-cam", video_mid=None)])
    meeting.subscribe(bob)
    assert not bob.needs_offer()
    meeting.publish(ada)
    assert bob.needs_offer()
    assert meeting.subscribe(bob).streams[0].video_mid == "1"
    assert meeting.carried(meeting.router.connections[1]) == meeting.router.intakes[0].feeds


@pytest.mark.parametrize("answer", ["nonsense", ""])
def test_a_bad_answer_changes_nothing(meeting, ada, bob, answer):
    offer = bob.offer()
    with pytest.raises(BadDescription):
        bob.accept(answer)
    bob.accept(subscribe_answer(offer.sdp))


def test_an_answer_to_nothing_is_refused(meeting, ada, bob):
    with pytest.raises(BadDescription, match="no offer"):
        bob.accept("v=0")
    offer = meeting.subscribe(bob)
    with pytest.raises(BadDescription, match="no offer"):
        bob.accept(subscribe_answer(offer.sdp))


def test_a_meeting_of_a_hundred_is_received_with_one_answer(meeting):
    meeting.conference.limits = Limits(101)
    for i in range(100):
        meeting.publish(meeting.join(f"guest{i}"))
    latecomer = meeting.join("latecomer")
    assert len(meeting.subscribe(latecomer).streams) == 100
    assert None not in meeting.carried(subscribe_connection(meeting)).values()
    assert len(meeting.carried(subscribe_connection(meeting))) == 200


def test_sound_comes_first_when_there_are_not_enough_sections(meeting):
    meeting.conference.limits = Limits(141)
    for i in range(140):
        meeting.publish(meeting.join(f"guest{i}"))
    latecomer = meeting.join("latecomer")
    latecomer.want(Wish(), {"guest139-cam": Wish(priority=200)})
    streams = {stream.stream_id: stream for stream in latecomer.offer().streams}
    assert all(stream.audio_mid for stream in streams.values())
    assert sum(stream.video_mid is not None for stream in streams.values()) == MAX_SLOTS - 140
    assert streams["guest139-cam"].video_mid is not None


# connections


def test_a_restart_offers_new_credentials_on_the_same_connection(meeting, ada, bob):
    meeting.subscribe(bob)
    carried = meeting.carried(subscribe_connection(meeting))
    offer = bob.offer(restart=True)
    assert parse(offer.sdp).sections[0].transport.ufrag == "local1gen1"
    bob.accept(subscribe_answer(offer.sdp, identity=Identity("remoteT", "BB")))
    assert [remote.ufrag for remote in subscribe_connection(meeting).remotes] == ["remoteS", "remoteT"]
    assert meeting.carried(subscribe_connection(meeting)) == carried
    assert len(meeting.router.connections) == 2


def test_an_answer_from_another_certificate_is_refused(meeting, ada, bob):
    meeting.subscribe(bob)
    offer = bob.offer()
    with pytest.raises(BadDescription, match="another connection"):
        bob.accept(subscribe_answer(offer.sdp, identity=Identity("remoteT", "CC")))


def test_after_reconnecting_everything_is_offered_afresh(meeting, ada, bob):
    first = meeting.subscribe(bob)
    bob.reconnect_subscribe()
    assert meeting.router.connections[1].state is State.CLOSED
    assert bob.needs_offer()
    second = bob.offer()
    bob.accept(subscribe_answer(second.sdp, identity=Identity("remoteT", "CC")))
    subscribe_connection(meeting).opens()
    assert set(ssrcs(first)).isdisjoint(ssrcs(second))
    assert meeting.carried(meeting.router.connections[2]) == camera_of(meeting, ada)


def test_a_closed_connection_is_replaced_with_the_next_offer(meeting, ada, bob):
    meeting.subscribe(bob)
    subscribe_connection(meeting).loses("handshake failed")
    bob.offer()
    assert len(meeting.router.connections) == 3


def test_others_may_come_and_go_while_a_connection_is_closed(meeting, ada, bob):
    meeting.subscribe(bob)
    offer = bob.offer()
    subscribe_connection(meeting).loses("handshake failed")
    ada.leave()
    bob.want(Wish(audio=False), {})
    with pytest.raises(BadDescription):
        bob.accept(subscribe_answer(offer.sdp))
    assert bob.offer().streams == ()


def test_a_connection_may_open_while_the_answer_is_taken_over(meeting, ada, bob):
    offer = bob.offer()
    connection = subscribe_connection(meeting)
    connection.when_met = connection.opens
    bob.accept(subscribe_answer(offer.sdp))
    assert meeting.carried(connection) == camera_of(meeting, ada)


def test_a_connection_may_end_while_the_answer_is_taken_over(meeting, ada, bob):
    offer = bob.offer()
    connection = subscribe_connection(meeting)
    connection.when_met = lambda: connection.loses("another certificate")
    bob.accept(subscribe_answer(offer.sdp))
    assert meeting.carried(connection) == NOTHING


# codecs


def test_what_cannot_be_decoded_is_told_once_and_then_left_out(meeting, ada, bob):
    meeting.subscribe(bob, without=("vp8",))
    assert meeting.told(CodecUnsupported) == [CodecUnsupported("hall", "bob", "ada-cam", "VP8")]
    assert meeting.carried(subscribe_connection(meeting))["1"] is None
    assert bob.needs_offer()
    offer = meeting.subscribe(bob, without=("vp8",))
    assert [(s.audio_mid, s.video_mid) for s in offer.streams] == [("0", None)]
    assert len(meeting.told(CodecUnsupported)) == 1
    assert not bob.needs_offer()


def test_a_later_stream_in_a_codec_known_to_be_missing_is_told_at_once(meeting, ada, bob):
    meeting.subscribe(bob, without=("vp9",))
    carl = meeting.join("carl")
    meeting.publish(carl, Section("1", "vp9"), streams=[screen("slides", "1")])
    assert meeting.told(CodecUnsupported) == [CodecUnsupported("hall", "bob", "slides", "VP9")]
    assert [s.stream_id for s in bob.offer().streams] == ["ada-cam"]


def test_a_stream_that_changes_to_a_codec_that_can_be_decoded_is_offered_again(meeting, ada, bob):
    meeting.subscribe(bob, without=("vp8",))
    meeting.subscribe(bob, without=("vp8",))
    meeting.publish(ada, SOUND, Section("1", "vp9"))
    assert meeting.subscribe(bob, without=("vp8",)).streams[0].video_mid == "1"
    assert meeting.carried(subscribe_connection(meeting)) == meeting.router.intakes[0].feeds


def test_a_section_that_the_client_does_not_receive_carries_nothing(meeting, ada, bob):
    meeting.subscribe(bob, inactive=("1",))
    assert meeting.carried(subscribe_connection(meeting))["1"] is None
    assert meeting.told(CodecUnsupported) == []


# wishes


def test_what_is_not_wanted_any_more_is_silent_without_a_new_offer(meeting, ada, bob):
    meeting.subscribe(bob)
    bob.want(Wish(video=False), {})
    assert meeting.carried(subscribe_connection(meeting)) == {**camera_of(meeting, ada), "1": None}
    assert not bob.needs_offer()
    bob.want(Wish(), {})
    assert meeting.carried(subscribe_connection(meeting)) == camera_of(meeting, ada)


def test_what_was_never_wanted_has_no_slot_until_it_is(meeting, ada, bob):
    bob.want(Wish(video=False), {})
    assert [(s.audio_mid, s.video_mid) for s in meeting.subscribe(bob).streams] == [("0", None)]
    bob.want(Wish(video=False), {"ada-cam": Wish()})
    assert bob.needs_offer()
    assert meeting.subscribe(bob).streams[0].video_mid == "1"


SIMULCAST = Section("1", "vp8", rids=("f", "h", "q"))


def test_a_wish_for_a_size_chooses_the_layer(meeting, ada, bob):
    meeting.publish(ada, SOUND, SIMULCAST)
    meeting.router.sources[1].known_sizes = {0: (1280, 720), 1: (640, 360)}
    meeting.subscribe(bob)
    video = meeting.sinks(subscribe_connection(meeting))[1]
    assert video.layer == -1
    bob.want(Wish(max_width=640), {})
    assert video.layer == 1


def test_a_layer_that_starts_lets_everybody_choose_again(meeting, ada, bob):
    meeting.publish(ada, SOUND, SIMULCAST)
    source = meeting.router.sources[1]
    source.known_sizes = {1: (640, 360)}
    meeting.subscribe(bob)
    bob.want(Wish(max_width=960), {})
    video = meeting.sinks(subscribe_connection(meeting))[1]
    assert video.layer == 1
    source.known_sizes = {0: (960, 540), 1: (640, 360)}
    assert source.listener is not None
    source.listener(0)
    assert video.layer == 0
