"""The estimate without transport-wide feedback."""

import pytest

from mediaserver.rtp.congestion import MIN_BPS, START_BPS
from mediaserver.rtp.report_estimate import AHEAD, ReportEstimate


class Reports:
    """A receiver that reports once a second."""

    def __init__(self) -> None:
        self.estimate = ReportEstimate()
        self.now = 10.0
        self.reported = self.lost = 0
        self.owed = 0.0

    def run(
        self,
        seconds: int,
        *,
        sent: float | None = None,
        line: float = float("inf"),
        loss: float = 0.0,
        remb: float | None = None,
        age: float = 0.5,
    ) -> float:
        for _ in range(seconds):
            self.now += 1.0
            rate = self.estimate.rate_bps if sent is None else min(sent, self.estimate.rate_bps)
            packets = round(rate / 8000)
            self.owed += packets * (1 - (1 - loss) * min(1.0, line / rate))
            gone, self.owed = int(self.owed), self.owed % 1
            self.reported, self.lost = self.reported + packets, self.lost + gone
            self.estimate.reports(
                sent_bps=rate, reported=self.reported, lost=self.lost, remb_bps=remb, remb_age=age, now=self.now
            )
        return self.estimate.rate_bps


def test_what_the_receiver_tells_is_believed() -> None:
    assert Reports().run(3, remb=1_500_000) == 1_500_000
    assert Reports().run(3, remb=100_000) == 100_000


def test_what_it_told_long_ago_is_not() -> None:
    assert Reports().run(1, remb=5_000_000, age=30.0) <= START_BPS
    assert Reports().run(1, remb=None, age=-1.0) <= START_BPS


def test_grows_while_nothing_is_lost() -> None:
    assert Reports().run(20) > 4 * START_BPS


def test_does_not_get_far_ahead_of_what_is_sent() -> None:
    assert Reports().run(60, sent=200_000) == pytest.approx(AHEAD * 200_000)


@pytest.mark.parametrize("line", [400_000, 1_000_000, 3_000_000])
def test_loss_that_grows_with_the_rate_bounds_it(line: float) -> None:
    reports = Reports()
    reports.run(60, line=line)
    rates = [reports.run(1, line=line) for _ in range(60)]
    assert 0.7 * line < sum(rates) / 60 < 1.3 * line


def test_loss_bounds_what_the_receiver_tells() -> None:
    reports = Reports()
    reports.run(10, remb=1_000_000)
    assert reports.run(10, remb=4_000_000, line=1_000_000) < 1_500_000


def test_without_reports_nothing_changes_and_there_are_no_probes() -> None:
    estimate = ReportEstimate()
    for now in range(20):
        estimate.reports(sent_bps=0.0, reported=0, lost=0, remb_bps=None, remb_age=-1, now=float(now))
        assert estimate.probe(float(now)) is None
    assert estimate.rate_bps == START_BPS


def test_counters_that_begin_anew_do_no_harm() -> None:
    reports = Reports()
    reports.run(10)
    reports.reported = reports.lost = 0
    assert reports.run(5) >= MIN_BPS
