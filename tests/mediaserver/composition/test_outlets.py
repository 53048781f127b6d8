"""Pushes as the media worker keeps them, and as the server does: known by an id, told of, ended once."""

from collections.abc import Callable
from typing import Any

from mediaserver import BroadcastEnded, BroadcastInterrupted, BroadcastStarted, MediaEvent, RtmpTarget
from mediaserver.composition.outlets import Outlets
from mediaserver.composition.pushes import Pushes
from mediaserver.egress.output import Coding, EncodedFrame

TARGET = RtmpTarget("rtmp://live.example/app/secret-key", ("192.0.2.1",))


class Push:
    coding = Coding.BROADCAST

    def __init__(self, order: dict[str, Any], report: Callable[[str, str], None]) -> None:
        self.order, self.report = order, report

    def video(self, frame: EncodedFrame) -> None:
        raise AssertionError("nothing is encoded here")

    audio = video

    def close(self) -> None:
        """Whoever removes it does that."""


class Worker:
    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.made: list[Push] = []
        self.outputs: list[Any] = []
        self.outlets = Outlets(
            0.0, tell=self.told.append, add=self.outputs.append, remove=self.outputs.remove, make_push=self._make
        )

    def _make(self, order: dict[str, Any], report: Callable[[str, str], None]) -> Push:
        if not order["addresses"]:
            raise ValueError("no address of a stream")
        self.made.append(Push(order, report))
        return self.made[-1]


def test_a_push_takes_the_program_until_it_is_stopped() -> None:
    worker = Worker()
    worker.outlets.push({"id": "b", "addresses": ["192.0.2.1"]})
    assert worker.outputs == worker.made
    worker.made[0].report("live", "")
    worker.outlets.stop_push("b")
    worker.outlets.stop_push("b")
    worker.made[0].report("waiting", "too late")
    assert worker.outputs == []
    assert worker.told == [{"did": "push", "id": "b", "state": "live", "why": ""}]


def test_a_push_that_was_given_up_takes_nothing_any_more() -> None:
    worker = Worker()
    for name in ("a", "b"):
        worker.outlets.push({"id": name, "addresses": ["192.0.2.1"]})
    worker.made[0].report("over", "refused")
    assert worker.outputs == worker.made[1:]
    assert worker.told == [{"did": "push", "id": "a", "state": "over", "why": "refused"}]
    worker.outlets.stop_all("stopped")
    assert worker.outputs == []


def test_a_push_that_cannot_be_made_is_told_as_over() -> None:
    worker = Worker()
    worker.outlets.push({"id": "b", "addresses": []})
    assert worker.told == [{"did": "push", "id": "b", "state": "over", "why": "no address of a stream"}]


class Conference:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.told: list[MediaEvent] = []
        self.pushes = Pushes("c", lambda **message: self.sent.append(message), self.told.append, (1.0, 2.0))
        self.pushes.add("b", TARGET)
        self.pushes.begin("b")

    def hears(self, state: str, why: str = "") -> bool:
        return self.pushes.heard({"did": "push", "id": "b", "state": state, "why": why})


def test_what_becomes_of_a_push_is_told() -> None:
    conference = Conference()
    over = [conference.hears(state, why) for state, why in (("live", ""), ("behind", "x"), ("waiting", "broken"))]
    assert over == [False] * 3
    assert conference.hears("over", "refused")
    assert not conference.hears("live")
    assert conference.told == [
        BroadcastStarted("c", "", "b"),
        BroadcastInterrupted("c", "", "b", "broken"),
        BroadcastEnded("c", "", "b", "refused"),
    ]
    assert not conference.pushes


def test_every_worker_is_told_of_what_goes_on() -> None:
    conference = Conference()
    conference.pushes.brief()
    first, again = conference.sent
    assert first == again
    assert (again["do"], again["url"], again["addresses"], again["pauses"]) == (
        *("push", TARGET.url),
        *(["192.0.2.1"], [1.0, 2.0]),
    )
    conference.pushes.stop("b")
    conference.pushes.stop("b")
    assert [message["do"] for message in conference.sent] == ["push", "push", "stop_push"]


async def test_without_another_worker_pushes_are_over() -> None:
    conference = Conference()
    await conference.pushes.give_up()
    assert conference.told == [BroadcastEnded("c", "", "b", "worker failed")]
    assert not conference.pushes


def test_where_it_goes_is_shown_to_nobody() -> None:
    assert "secret" not in repr(TARGET)
