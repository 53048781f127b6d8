"""Estimate and allocation of one connection together."""

from dataclasses import dataclass, field

import pytest

from mediaserver.conference.downlink import PATIENCE, Downlink, score
from mediaserver.events import StreamLayers
from mediaserver.rtp.allocation import RESERVE, Reason, Request
from mediaserver.rtp.arrivals import Record
from mediaserver.rtp.congestion import PACING
from mediaserver.rtp.layers import Layer
from mediaserver.rtp.report_estimate import NO_LIMIT_BPS
from tests.support.estimation import simulcast

EVERY = 0.2

FIRST = 300_000 / RESERVE + 1.0  # two small pictures


@dataclass
class Line:
    """A downlink, and a connection that answers: at 0.1 s what it got, each second a report."""

    transport_cc: bool = True
    answers: bool = True
    counters: dict[str, int | float] = field(default_factory=dict)
    requests: tuple[Request, ...] = (Request("a", simulcast()), Request("b", simulcast()))
    now: float = 100.0
    pads: bool = True
    padding: tuple[float, int] | None = None
    probes: list[tuple[float, float]] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.downlink = Downlink(self)
        self.downlink.agree(transport_cc=self.transport_cc)
        self.downlink.decide(self.requests, 0.0, self.now)

    # the native connection

    def stats(self) -> dict[str, int | float]:
        return self.counters

    def probe(self, rate_bps: float, size_bytes: int) -> None:
        """Pads what is sent next, if anything can be padded."""
        self.probes.append((self.now, rate_bps))
        if self.pads:
            self.padding = rate_bps, size_bytes

    def pace(self, rate_bps: float) -> None:
        self.paces.append(rate_bps)

    def run(self, seconds: float, *, growth: float = 0.0) -> None:
        """`growth`: seconds that the queue on the line grows in a second."""
        queue = 0.0
        for _ in range(round(seconds / EVERY)):
            size = round(self.sent_bps() / 8 * 0.01)
            records: list[Record] = []
            rate, left = self.padding or (0.0, 0)
            self.padding = None
            for n in range(40):
                sent = self.now + 0.06 + n / 200
                if left > 0:
                    left -= round(rate / 1600)
                    records.append((round(sent * 1e6), round((sent + queue) * 1e6), round(rate / 1600), 2))
                    continue
                queue += growth * 0.005
                records.append((round(sent * 1e6), round((sent + queue) * 1e6), size // 2, 2))
            self.now += EVERY
            self.counters["bytes_sent"] = self.counters.get("bytes_sent", 0) + 20 * size
            if self.answers:
                self.downlink.feedback(records, self.now + 0.055)
            self.downlink.decide(self.requests, 0.0, self.now)

    def sent_bps(self) -> float:
        return 40_000 + sum(choice.rate_bps for r in self.requests if (choice := self.downlink.choice(str(r.key))))

    def layers(self) -> list[int | None]:
        chosen = [self.downlink.choice(str(r.key)) for r in self.requests]
        return [None if choice is None or choice.layer is None else choice.layer.spatial for choice in chosen]


def test_begins_with_everybodys_smallest_picture_and_climbs_while_all_is_well() -> None:
    line = Line()
    assert line.downlink.estimate_bps == FIRST
    assert line.layers() == [2, 2]
    line.run(10.0)
    assert line.layers() == [0, 0]


def test_probes_find_what_the_line_carries() -> None:
    line = Line()
    line.run(2.0)
    assert line.probes[0][1] == 3 * FIRST
    assert line.layers() == [0, 0]


def test_where_probes_go_nowhere_better_layers_are_tried() -> None:
    line = Line(pads=False)
    line.run(2.0)
    assert 0 not in line.layers()
    line.run(8.0)
    assert line.layers() == [0, 0]


def test_what_is_sent_is_paced_by_the_estimate() -> None:
    line = Line()
    assert line.paces == [PACING * FIRST]
    line.run(10.0)
    assert line.paces[-1] == pytest.approx(PACING * line.downlink.estimate_bps, rel=0.1)
    assert len(line.paces) < 20
    free = Line(transport_cc=False)
    free.run(2.0)
    assert free.paces == []


def test_a_single_large_picture_is_shown_before_anything_is_known() -> None:
    large = Layer(0, 1280, 720, 30.0, 2_500_000.0)
    line = Line(requests=(Request("a", (large,)),))
    assert line.layers() == [0]
    line.run(3.0)
    assert line.layers() == [0]


def test_a_queue_takes_it_down() -> None:
    line = Line()
    line.run(10.0)
    line.run(2.0, growth=0.5)
    assert line.layers() != [0, 0]
    assert line.downlink.held_back > 0


def test_a_line_that_falls_far_does_not_wait_to_be_shared_out() -> None:
    line = Line()
    line.run(10.0)
    assert not line.downlink.pressed
    records = [(round((line.now + n / 50) * 1e6), round((line.now + n / 10) * 1e6), 1200, 1) for n in range(12)]
    for part in (records[:6], records[6:]):
        line.downlink.feedback(part, line.now + 1.3)
    assert line.downlink.pressed
    line.downlink.decide(line.requests, 0.0, line.now)
    assert not line.downlink.pressed


def test_without_any_feedback_nobody_is_held_back() -> None:
    line = Line(transport_cc=False)
    assert line.downlink.estimate_bps == NO_LIMIT_BPS
    line.run(2.0)
    assert line.layers() == [0, 0]


def test_who_agrees_to_feedback_and_gives_none_is_not_held_back_for_long() -> None:
    line = Line(answers=False)
    line.run(PATIENCE / 2)
    assert line.layers() == [2, 2]
    line.run(PATIENCE)
    assert line.layers() == [0, 0]


def test_what_a_client_tells_it_can_take_is_followed() -> None:
    line = Line(transport_cc=False)
    line.counters = {"remb_bps": 700_000, "remb_age": 0.3, "reported": 0, "reported_lost": 0, "round_trip": 0.08}
    line.run(3.0)
    assert line.layers() == [1, 2] or line.layers() == [2, 2]
    assert line.downlink.estimate_bps == 700_000
    assert line.downlink.round_trip == 0.08


def test_a_line_that_says_nothing_any_more_is_given_up_only_if_something_is_sent() -> None:
    line = Line()
    line.run(5.0)
    before = line.downlink.estimate_bps
    line.answers = False
    line.run(5.0)
    assert line.downlink.estimate_bps < before / 2
    quiet = Line(requests=(Request("a", ()),))
    quiet.run(5.0)
    before = quiet.downlink.estimate_bps
    for n in range(20):
        quiet.downlink.decide(quiet.requests, 0.0, quiet.now + n)
    assert quiet.downlink.estimate_bps == before


def test_tells_what_has_changed_at_most_once_a_second() -> None:
    line = Line()
    first = line.downlink.changes(line.now)
    assert first == (
        StreamLayers("a", 320, 180, 30.0, False, Reason.BANDWIDTH.value),
        StreamLayers("b", 320, 180, 30.0, False, Reason.BANDWIDTH.value),
    )
    line.run(0.8)
    assert line.downlink.changes(line.now) == ()
    line.run(10.0)
    assert line.downlink.changes(line.now) == (
        StreamLayers("a", 1280, 720, 30.0, False, Reason.PUBLISHER.value),
        StreamLayers("b", 1280, 720, 30.0, False, Reason.PUBLISHER.value),
    )
    line.run(5.0)
    assert line.downlink.changes(line.now) == ()


def test_pictures_that_never_came_are_not_told() -> None:
    line = Line(requests=(Request("a", ()), Request("b", simulcast())))
    assert [each.stream_id for each in line.downlink.changes(line.now)] == ["b"]


def test_a_picture_that_its_publisher_stops_is_paused() -> None:
    line = Line()
    line.downlink.changes(line.now)
    line.requests = (Request("a", ()), Request("b", simulcast()))
    line.run(2.0)
    [a, *_] = line.downlink.changes(line.now)
    assert a == StreamLayers("a", 0, 0, 0.0, True, "publisher")


@pytest.mark.parametrize(
    ("loss", "round_trip", "held_back", "expected"),
    [
        (0.0, 0.02, 0.0, 5.0),
        (0.02, 0.1, 0.0, 4.5),
        (0.0, 0.4, 0.0, 4.5),
        (0.0, 0.05, 0.5, 4.2),
        (0.5, 3.0, 1.0, 1.0),
    ],
)
def test_scores_a_connection(loss: float, round_trip: float, held_back: float, expected: float) -> None:
    assert score(loss, round_trip, held_back) == expected
