"""What a conference does about bandwidth and voices, as time goes by."""

import pytest

from mediaserver.conference.conference import Limits
from mediaserver.conference.demand import STOP_AFTER
from mediaserver.conference.participant import Participant
from mediaserver.conference.router import BEST_LAYER
from mediaserver.conference.wishes import Wish
from mediaserver.events import LayersChanged, LayersWanted, QualityChanged, SpeakersChanged, VoiceChanged
from tests.mediaserver.conference.conftest import Meeting, camera, screen
from tests.support.client_sdp import Section

RATES = ((0, 1280, 720, 1_500_000), (1, 640, 360, 500_000), (2, 320, 180, 150_000))
LAYERS = [
    {"layer": n, "width": width, "height": height, "rate_bps": rate, "age": 0.02, "fps": 30.0}
    for n, width, height, rate in RATES
]
SOUND = [{"layer": 0, "width": 0, "height": 0, "rate_bps": 40_000, "age": 0.02}]


class Hall:
    """A meeting in which time passes; everybody but `watcher` publishes."""

    def __init__(self, meeting: Meeting, *people: str) -> None:
        self.meeting = meeting
        self.now = 1000.0
        for person in people:
            meeting.publish(meeting.join(person))
        for source in meeting.router.sources:
            source.counters = LAYERS if source.kind == "video" else SOUND
        self.watcher: Participant = meeting.join("watcher")
        self.meeting.subscribe(self.watcher)
        self.connection = meeting.router.connections[-1]
        self.reported = self.reported_lost = 0.0

    def pass_(self, seconds: float) -> None:
        for _ in range(round(seconds * 5)):
            self.now += 0.2
            self.meeting.conference.tick(self.now)

    def tells(self, bps: int) -> None:
        """The watcher's client says what it can take."""
        self.connection.counters = {"remb_bps": bps, "remb_age": 0.1}

    def lose(self, share: float, seconds: int) -> None:
        """The watcher's client reports for so long that it misses this share."""
        for _ in range(seconds):
            self.reported += 500
            lost = {"reported": self.reported, "reported_lost": self.reported_lost + 500 * share}
            self.reported_lost = lost["reported_lost"]
            self.connection.counters = {**lost, "remb_bps": 3_000_000, "remb_age": 0.1}
            self.pass_(1.0)

    def pictures(self) -> list[int | None]:
        """Layers that are carried, None for paused."""
        sinks = [sink for sink in self.meeting.sinks(self.connection) if sink.slot.kind == "video"]
        return [sink.layer if sink.carried else None for sink in sinks]

    def sounds(self) -> list[bool]:
        return [sink.carried is not None for sink in self.meeting.sinks(self.connection) if sink.slot.kind == "audio"]


def test_with_room_for_all_everybody_gets_the_best(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    hall.pass_(3.0)
    assert hall.pictures() == [BEST_LAYER, BEST_LAYER]


def test_on_a_thin_line_layers_are_lowered_then_paused_and_sound_stays(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    hall.tells(900_000)
    hall.pass_(6.0)
    assert hall.pictures() == [1, 2]
    hall.tells(290_000)
    hall.pass_(3.0)
    assert hall.pictures() == [2, None]
    hall.tells(90_000)
    hall.pass_(3.0)
    assert hall.pictures() == [None, None]
    assert hall.sounds() == [True, True]
    hall.tells(20_000_000)
    hall.pass_(15.0)
    assert hall.pictures() == [BEST_LAYER, BEST_LAYER]


def test_what_the_line_is_thought_to_carry_is_among_the_stats(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    hall.tells(300_000)
    hall.pass_(3.0)
    line = hall.watcher.stats().line
    assert line["estimate_bps"] == 300_000
    assert 0 < line["cost_bps"] <= 300_000
    assert line["held_back"] == 0.5
    assert meeting.join("newcomer").stats().line == {}


def test_where_sound_is_lost_the_packets_before_go_along(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    sound, picture = meeting.sinks(hall.connection)
    hall.lose(0.0, 5)
    assert sound.redundancy == 0
    hall.lose(0.3, 12)
    assert (sound.redundancy, picture.redundancy) == (2, 0)
    meeting.publish(meeting.join("bob"))
    meeting.subscribe(hall.watcher)
    assert [sink.redundancy for sink in meeting.sinks(hall.connection)] == [2, 0, 2, 0]
    hall.lose(0.0, 60)
    assert sound.redundancy == 0


def test_nothing_goes_along_with_what_is_encrypted_from_end_to_end(meeting: Meeting) -> None:
    meeting.conference.limits = Limits(5, encrypted=True)
    hall = Hall(meeting, "ada")
    hall.lose(0.3, 12)
    assert [sink.redundancy for sink in meeting.sinks(hall.connection)] == [0, 0]


def test_few_frames_come_before_a_pause(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    slow = [{**each, "temporal_layers": 3} for each in LAYERS]
    for source in meeting.router.sources:
        source.counters = slow if source.kind == "video" else SOUND
    hall.tells(150_000)
    hall.pass_(3.0)
    [sink] = [sink for sink in meeting.sinks(hall.connection) if sink.slot.kind == "video"]
    assert (sink.carried is not None, sink.layer, sink.temporal) == (True, 2, 0)


def test_what_a_muted_or_ended_picture_took_goes_to_the_others(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    hall.tells(900_000)
    hall.pass_(6.0)
    assert hall.pictures() == [1, 2]
    ada, bob = (meeting.conference.participant(name) for name in ("ada", "bob"))
    ada.mute("ada-cam", video=True)
    hall.pass_(6.0)
    assert hall.pictures()[1] == 1
    ada.mute("ada-cam", video=False)
    hall.pass_(6.0)
    assert hall.pictures() == [1, 2]
    bob.leave()
    hall.tells(2_000_000)
    hall.pass_(6.0)
    assert hall.pictures() == [BEST_LAYER, None]


def test_the_client_is_told_once_as_long_as_nothing_changes(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    hall.tells(900_000)
    hall.pass_(8.0)
    told = len(meeting.told(LayersChanged))
    hall.pass_(10.0)
    assert len(meeting.told(LayersChanged)) == told > 0


def test_wishes_say_who_comes_first(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    hall.tells(900_000)
    hall.watcher.want(Wish(), {"bob-cam": Wish(priority=255)})
    hall.pass_(5.0)
    assert hall.pictures() == [2, 1]
    hall.watcher.want(Wish(), {"bob-cam": Wish(priority=255, max_height=180)})
    hall.pass_(5.0)
    assert hall.pictures() == [1, 2]


def test_the_client_is_told_what_it_receives_and_why(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    hall.tells(900_000)
    hall.pass_(6.0)
    hall.tells(100_000)
    hall.pass_(3.0)
    told = [each for event in meeting.told(LayersChanged) for each in event.streams]  # type: ignore[attr-defined]
    assert {event.participant_id for event in meeting.told(LayersChanged)} == {"watcher"}
    assert [(each.height, each.paused, each.reason) for each in told][-2:] == [
        (360, False, "bandwidth"),
        (0, True, "bandwidth"),
    ]


def test_quality_is_told_every_five_seconds_while_it_changes(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    hall.pass_(21.0)
    first = len(meeting.told(QualityChanged))
    assert first == 1
    hall.tells(290_000)
    hall.pass_(10.0)
    scores = [event.score for event in meeting.told(QualityChanged)]  # type: ignore[attr-defined]
    assert scores[0] == 5.0
    assert scores[-1] < 4.5
    assert len(scores) <= 3


def test_feedback_of_a_connection_is_heard_until_it_ends(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada")
    assert hall.connection.listener is not None
    hall.connection.listener([(1_000_000, 2_000_000, 1200, 1)], hall.now)
    hall.watcher.leave()
    assert hall.connection.listener is None


def test_a_screen_comes_before_a_camera(meeting: Meeting) -> None:
    ada = meeting.join("ada")
    meeting.publish(
        ada, Section("0", "vp8"), Section("1", "vp8"), streams=[camera("cam", None, "0"), screen("scr", "1")]
    )
    for source in meeting.router.sources:
        source.counters = LAYERS
    watcher = meeting.join("watcher")
    offer = meeting.subscribe(watcher)
    connection = meeting.router.connections[-1]
    connection.counters = {"remb_bps": 900_000, "remb_age": 0.1}
    for n in range(30):
        meeting.conference.tick(100 + n / 5)
    mids = {stream.stream_id: stream.video_mid for stream in offer.streams}
    layers = {sink.slot.mid: sink.layer for sink in meeting.sinks(connection)}
    assert (layers[mids["scr"]], layers[mids["cam"]]) == (1, 2)  # type: ignore[index]


def speak(hall: Hall, who: int, seconds: float) -> None:
    sounds = [source for source in hall.meeting.router.sources if source.kind == "audio"]
    for n in range(round(seconds * 10)):
        assert sounds[who].level_listener is not None
        sounds[who].level_listener(5, 5, 20, hall.now + n / 10)
        if n % 2:
            hall.pass_(0.2)
            hall.now -= 0.2
    hall.now += seconds


def test_who_speaks_is_told(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    speak(hall, 1, 2.0)
    hall.pass_(4.0)
    speakers = [
        [name for name, _ in event.speakers]  # type: ignore[attr-defined]
        for event in meeting.told(SpeakersChanged)
    ]
    assert speakers[0] == ["bob"]
    assert speakers[-1] == []
    voices = [(event.participant_id, event.on) for event in meeting.told(VoiceChanged)]  # type: ignore[attr-defined]
    assert voices == [("bob", True), ("bob", False)]


def test_only_those_who_spoke_last_are_seen_where_that_is_wished(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    meeting.conference.limits = Limits(5, last_speakers=1)
    hall.pass_(1.0)
    assert hall.pictures() == [BEST_LAYER, None], "nobody has spoken: who was there first"
    assert hall.sounds() == [True, True]
    speak(hall, 1, 2.0)
    hall.pass_(2.0)
    assert hall.pictures() == [None, BEST_LAYER]
    told = meeting.told(LayersChanged)[-1].streams  # type: ignore[attr-defined]
    assert {each.stream_id: (each.paused, each.reason) for each in told}["ada-cam"] == (True, "speakers")
    meeting.conference.limits = Limits(5)
    hall.pass_(2.0)
    assert hall.pictures() == [BEST_LAYER, BEST_LAYER]


def test_who_spoke_last_sees_who_spoke_before_and_screens_are_always_seen(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    meeting.conference.limits = Limits(5, last_speakers=1)
    carl = meeting.join("carl")
    meeting.publish(carl, Section("0", "vp8"), streams=[screen("scr", "0")])
    meeting.router.sources[-1].counters = LAYERS
    meeting.subscribe(hall.watcher)
    speak(hall, 1, 2.0)
    hall.pass_(3.0)
    assert hall.pictures() == [None, BEST_LAYER, BEST_LAYER]
    bob = meeting.conference.participant("bob")
    meeting.subscribe(bob)
    hall.pass_(3.0)
    seen = meeting.carried(meeting.router.connections[-1])
    assert sum(source is not None and source.kind == "video" for source in seen.values()) == 2


def test_whoever_stops_publishing_stops_speaking(meeting: Meeting) -> None:
    hall = Hall(meeting, "ada", "bob")
    speak(hall, 0, 2.0)
    meeting.conference.participant("ada").leave()
    hall.pass_(0.4)
    assert meeting.told(SpeakersChanged)[-1].speakers == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize("ticks", [0, 1, 50])
def test_time_passes_in_an_empty_conference_too(meeting: Meeting, ticks: int) -> None:
    for n in range(ticks):
        meeting.conference.tick(float(n))
    assert meeting.events == []


# what publishers need not encode


def simulcast(meeting: Meeting) -> Participant:
    ada = meeting.join("ada")
    offer = Section("0", "vp8", rids=("f", "h", "q"))
    meeting.publish(ada, offer, streams=[camera("cam", None, "0")])
    meeting.router.sources[-1].counters = LAYERS
    return ada


def wanted(meeting: Meeting) -> list[tuple[str, ...]]:
    return [event.rids for event in meeting.told(LayersWanted)]  # type: ignore[attr-defined]


def pass_(meeting: Meeting, since: float, seconds: float) -> None:
    for n in range(round(seconds * 5)):
        meeting.conference.tick(since + n / 5)


def test_what_nobody_could_want_may_rest_and_is_back_at_once(meeting: Meeting) -> None:
    simulcast(meeting)
    pass_(meeting, 100.0, STOP_AFTER)
    assert wanted(meeting) == []
    pass_(meeting, 100.0 + STOP_AFTER, 2.0)
    assert wanted(meeting) == [("q",)]
    bob = meeting.join("bob")
    bob.want(Wish(max_width=640), {})
    assert wanted(meeting)[1:] == [("h", "q")]
    bob.want(Wish(), {})
    assert wanted(meeting)[2:] == [("f", "h", "q")]
    bob.want(Wish(max_width=320), {})
    pass_(meeting, 107.0, STOP_AFTER - 1)
    bob.want(Wish(), {})
    pass_(meeting, 112.0, 2 * STOP_AFTER)
    assert len(wanted(meeting)) == 3


def test_who_wants_no_picture_wants_no_layer(meeting: Meeting) -> None:
    simulcast(meeting)
    bob = meeting.join("bob")
    bob.want(Wish(video=False), {})
    pass_(meeting, 100.0, STOP_AFTER + 2)
    assert wanted(meeting) == [("q",)]
