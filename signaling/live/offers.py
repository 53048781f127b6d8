"""When the server offers on the `subscribe` connection: gathered, one in flight, given up after three tries.

Pure state for one participant: no SDP, no socket, no clock. Tell it what happens, ask it what is due and when to ask
again; `subscriber.py` makes and sends the offers. Sequence numbers count the offers of one connection, so the first
offer of a fresh connection has number 1: that is how a client knows to build a new peer connection.
All times are monotonic seconds.
"""

from dataclasses import dataclass
from enum import Enum

GATHER = 0.01  # seconds: changes that come together go into one offer
ANSWER_WITHIN = 20.0  # seconds
MAX_FAILURES = 3  # fresh connections in a row; then the participant is dropped


class Step(Enum):
    """What to do now."""

    OFFER = "offer"
    RESTART = "restart"
    """Offer with fresh ICE credentials."""
    RECONNECT = "reconnect"
    """Throw the connection away, then offer a fresh one."""
    GIVE_UP = "give up"


@dataclass(slots=True)
class Offers:
    """The offers to one participant. It starts without a listener: nothing is due before `attached`."""

    seq: int = 0
    _listening: bool = False
    _due_at: float | None = None
    _expires_at: float | None = None
    _wanted: Step | None = None
    _failures: int = 0
    _open: bool = False

    def attached(self, now: float, *, fresh: bool = False) -> None:
        """Somebody listens (again). `fresh`: with connections of its own, so those of before are of no use.

        Who comes back is offered again in any case: an offer in flight is lost, and a listener that has lost its
        connections without our knowing has something to answer.
        """
        self._listening = True
        self._expires_at = None
        if self.seq:
            self._want(Step.RECONNECT if fresh else Step.OFFER, now)

    def detached(self) -> None:
        """Nobody listens: offers wait."""
        self._listening = False

    def changed(self, now: float, *, restart: bool = False) -> None:
        """What the participant receives has changed, or it asks for fresh ICE credentials."""
        self._want(Step.RESTART if restart else Step.OFFER, now)

    def lost(self, now: float) -> None:
        """The connection is gone (no consent, failed handshake): a fresh one is due."""
        self._open = False
        self._failures += 1
        self._expires_at = None
        self._want(Step.RECONNECT, now)

    def renewed(self, now: float) -> None:
        """The client has thrown its connection away and asks for a fresh one."""
        self._open = False
        self._expires_at = None
        self._want(Step.RECONNECT, now)

    def opened(self) -> None:
        """The connection carries media."""
        self._open = True
        self._failures = 0

    def expects(self, seq: int) -> bool:
        """Whether `seq` is the offer in flight; an answer to any other is ignored."""
        return self._expires_at is not None and seq == self.seq

    def answered(self, now: float) -> None:
        """The offer in flight has been answered and the answer was of use."""
        self._expires_at = None
        if self._open:
            self._failures = 0
        if self._wanted:
            self._due_at = now + GATHER

    def take(self, now: float) -> Step | None:
        """What has to be done now; the offer that follows from it carries the number `seq`."""
        if not self._listening:
            return None
        if self._expires_at is not None:
            if now < self._expires_at:
                return None
            self._failures += 1
            self._expires_at = None
            self._want(Step.RECONNECT, now - GATHER)
        if self._due_at is None or now < self._due_at:
            return None
        return self._begin(now)

    def deadline(self) -> float | None:
        """When to call `take` again; None until something happens."""
        if not self._listening:
            return None
        return self._due_at if self._expires_at is None else self._expires_at

    def _begin(self, now: float) -> Step | None:
        step, self._wanted, self._due_at = self._wanted, None, None
        if step is Step.RECONNECT:
            if self._failures > MAX_FAILURES:
                self._listening = False
                return Step.GIVE_UP
            self.seq, self._open = 0, False
        self.seq += 1
        self._expires_at = now + ANSWER_WITHIN
        return step

    def _want(self, step: Step, now: float) -> None:
        strength = [None, Step.OFFER, Step.RESTART, Step.RECONNECT]
        self._wanted = max(self._wanted, step, key=strength.index)
        if self._due_at is None:
            self._due_at = now + GATHER
