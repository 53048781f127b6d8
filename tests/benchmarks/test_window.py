"""What a measurement says of a server: its loss, its cost, whose limit a rate has met."""

import math

import pytest

from benchmarks.load import BUCKETS, TOTALS, Figures
from benchmarks.versus.search import Verdict
from benchmarks.versus.window import Window, loss_of_all, median

FAN_OUT, PACKETS = 10, 5


def window(sent: int = 1000, received: int = 10_000, holes: int = 0, own_drops: int = 0, generator: float = 0.5):
    """A second in which 1,000 packets should have been sent to ten receivers each."""
    totals = dict.fromkeys(TOTALS, 0) | {"sent_packets": sent, "received_packets": received}
    figures = Figures(totals, holes, 0, 1, 0, (0,) * BUCKETS, 0.0)
    return Window(1.0, 1000.0 * FAN_OUT, FAN_OUT, FAN_OUT * PACKETS, 0.02, generator, figures, own_drops)


@pytest.mark.parametrize(
    ("seen", "loss"),
    [
        pytest.param(window(), 0.0, id="all came"),
        pytest.param(window(received=9900, holes=100), 0.01, id="holes in the numbers"),
        pytest.param(window(received=9850), 0.0, id="the last are still under way"),
        pytest.param(window(received=8000), 0.18, id="queued for long is not arrived"),
        pytest.param(window(received=10_100), 0.0, id="more than was sent, left over from before"),
        pytest.param(window(sent=0, received=0), 0.0, id="nothing was sent"),
    ],
)
def test_loss_is_what_has_not_come_in_time(seen, loss):
    assert seen.loss == pytest.approx(loss)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param(window(), Verdict.HELD, id="holds"),
        pytest.param(window(received=9960, holes=40), Verdict.HELD, id="loses less than the limit"),
        pytest.param(window(received=9900, holes=100), Verdict.LOST, id="the server loses"),
        pytest.param(window(sent=900, received=9000), Verdict.GENERATOR, id="publishers are too slow"),
        pytest.param(window(received=9900, holes=100, own_drops=50), Verdict.GENERATOR, id="our sockets overflow"),
        pytest.param(window(received=9900, holes=100, generator=0.99), Verdict.GENERATOR, id="our core is full"),
        pytest.param(window(own_drops=50), Verdict.HELD, id="a few drops of ours without loss"),
    ],
)
def test_a_rate_fails_by_the_server_or_by_the_generator(seen, verdict):
    assert seen.verdict is verdict


def test_cost_is_the_servers_cpu_per_packet_that_arrived():
    seen = window()
    assert (seen.us, seen.generator_us) == pytest.approx((2.0, 50.0))


def test_a_server_elsewhere_has_no_known_cost():
    seen = window()
    elsewhere = Window(1.0, 1.0, 1, 1, None, seen.generator, seen.figures, 0)
    assert math.isnan(elsewhere.us)


def test_several_windows_weigh_by_what_was_sent():
    few, many = window(sent=100, received=1000, holes=100), window(sent=900, received=9000)
    assert loss_of_all([few, many]) == pytest.approx(0.01)
    assert median([few, many, many], lambda w: w.rate) == 9000
