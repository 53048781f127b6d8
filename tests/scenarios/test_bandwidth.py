"""The core and the decisions together over a narrow line: its feedback, our estimate, the layer that is sent."""

from dataclasses import replace

import pytest

from mediaserver.conference.downlink import Downlink
from mediaserver.native import EventKind
from mediaserver.rtp.allocation import Request
from mediaserver.rtp.arrivals import read_records
from mediaserver.rtp.layers import TrackLayers
from tests.support.link import Weather
from tests.support.simulation import Simulation, microphone, simulcast

EVERY = 0.2
FEEDBACK_EVERY = 0.05
SETTLED = 15.0


class Watching:
    """Somebody who watches a simulcast camera; what a conference does about it a few times a second is done here."""

    def __init__(self, down: Weather, seed: int = 1, *, up: Weather | None = None) -> None:
        self.sim = Simulation(seed=seed)
        stage = self.sim.publish([*simulcast(), microphone(level=20)], declare=False)
        self.sim.run(1.0)
        self.track = stage.tracks["v"]
        self.seat = self.sim.subscribe(
            [self.track, stage.tracks["a"]], kinds=["video", "audio"], layer=2, up=up, down=down
        )
        self.line = self.seat.line
        self.downlink = Downlink(self.line.native)
        self.downlink.agree(transport_cc=True)
        self.measuring = TrackLayers()
        self.requests: tuple[Request, ...] = ()
        self.layer: int | None = 2
        self.seen: list[tuple[float, float, int | None]] = []
        self.sim.every(FEEDBACK_EVERY, self._listen)
        self.sim.every(1.0, self._measure)
        self.sim.every(EVERY, self._decide)

    def _listen(self) -> None:
        for event in self.sim.engine.poll():
            if event[0] is EventKind.FEEDBACK and event[1] == self.line.native.id:
                self.downlink.feedback(read_records(event[2]), self.sim.now)  # type: ignore[arg-type]

    def _measure(self) -> None:
        self.requests = (Request("camera", self.measuring.measured(self.track.layers(), self.sim.now)),)

    def _decide(self) -> None:
        if self.downlink.decide(self.requests, 50_000.0, self.sim.now):
            choice = self.downlink.choice("camera")
            assert choice is not None
            self.layer = choice.layer.spatial if choice.layer else None
            if choice.layer:
                self.seat.sinks[0].attach(self.track, choice.layer.spatial, choice.layer.temporal)
            else:
                self.seat.sinks[0].detach()
        self.seen.append((self.sim.now, self.downlink.estimate_bps, self.layer))

    def layers(self, seconds: float) -> list[int | None]:
        """Of the last so many seconds."""
        return [layer for at, _, layer in self.seen if at > self.sim.now - seconds]


@pytest.mark.parametrize("loss", [0.0, 0.02])
@pytest.mark.parametrize("delay", [0.02, 0.1])
@pytest.mark.parametrize(("rate_bps", "expected"), [(20_000_000, 0), (900_000, 1), (450_000, 2)])
def test_everybody_gets_the_layer_that_the_line_carries(
    rate_bps: float, expected: int, delay: float, loss: float
) -> None:
    watching = Watching(Weather(delay=delay, rate_bps=rate_bps, queue=0.5, loss=loss))
    watching.sim.run(SETTLED + 15)
    layers = watching.layers(15)
    assert layers.count(expected) >= 0.8 * len(layers)
    assert watching.seat.stream.shown[-1].at > watching.sim.now - 0.5


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("delay", [0.02, 0.1])
@pytest.mark.parametrize(("rate_bps", "loss"), [(3_000_000, 0.3), (3_000_000, 0.1), (2_000_000, 0.1)])
def test_a_line_that_loses_much_both_ways_whatever_is_sent_is_used_all_the_same(
    rate_bps: float, loss: float, delay: float, seed: int
) -> None:
    """Feedback is lost as well, and sound is sent again under the numbers it had."""
    watching = Watching(
        Weather(delay=delay, rate_bps=rate_bps, queue=0.5, loss=loss), seed, up=Weather(delay=delay, loss=loss)
    )
    watching.sim.run(SETTLED + 15)
    layers = watching.layers(15)
    assert layers.count(0) >= 0.8 * len(layers)


def test_a_line_that_becomes_narrow_and_wide_again_is_followed() -> None:
    wide = Weather(delay=0.02, rate_bps=3_000_000, queue=0.5)
    watching = Watching(wide)
    watching.sim.run(12)
    assert watching.layer == 0
    watching.line.down.weather = replace(wide, rate_bps=450_000)
    watching.sim.run(12)
    assert {0, 1}.isdisjoint(watching.layers(10)), "too much for this line"
    watching.line.down.weather = wide
    watching.sim.run(15)
    assert watching.layer == 0
    assert watching.seat.stream.shown[-1].at > watching.sim.now - 0.5


def test_sound_is_not_lost_on_a_narrow_line() -> None:
    watching = Watching(Weather(delay=0.02, rate_bps=450_000, queue=0.5))
    watching.sim.run(20)
    sound = watching.seat.peer.streams[1]
    before = len(sound.packets)
    watching.sim.run(10)
    assert len(sound.packets) - before >= 0.99 * 10 * 50
