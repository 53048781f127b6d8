"""Makes and sends the offers of a participant's `subscribe` connection when `offers.py` says so.

Owns the one timer; decides nothing. While no socket is attached, changes are remembered and nothing is sent.
"""

from collections.abc import Callable

from mediaserver import (
    BadDescription,
    Clock,
    CodecUnsupported,
    ConnectionLost,
    ConnectionOpened,
    MediaEvent,
    Participant,
    SubscriptionsChanged,
)
from signaling.live.offers import Offers, Step
from signaling.live.protocol import LiveError, Message
from signaling.live.streams import rendered
from signaling.services.scheduler import Alarm, Scheduler

PC = "subscribe"


class Subscriber:
    """`send` takes messages to the participant; `given_up` is called when no answer ever comes."""

    def __init__(
        self,
        participant: Participant,
        *,
        send: Callable[[Message], None],
        given_up: Callable[[], None],
        clock: Clock,
        scheduler: Scheduler,
    ) -> None:
        self._participant = participant
        self._send = send
        self._given_up = given_up
        self._clock = clock
        self._offers = Offers()
        self._alarm = Alarm(scheduler)
        self._unproven = False
        """Somebody came back, and nothing tells yet that they still have their connections."""

    def attached(self, *, fresh: bool) -> None:
        """A socket is there (again); `fresh`: the page behind it is a new one."""
        now = self._clock.monotonic()
        self._offers.attached(now, fresh=fresh)
        self._unproven = self._offers.seq > 0
        if self._participant.needs_offer():
            self._offers.changed(now)
        self._rearm()

    def detached(self) -> None:
        self._offers.detached()
        self._rearm()

    def restart(self, *, fresh: bool) -> None:
        """The client asks for new ICE credentials, or for a whole new connection."""
        now = self._clock.monotonic()
        if fresh:
            self._offers.renewed(now)
        else:
            self._offers.changed(now, restart=True)
        self._rearm()

    def answered(self, seq: int, sdp: str) -> bool:
        """Whether the answer is to the offer in flight, any other is ignored; BadDescription if it is of no use."""
        if not self._offers.expects(seq):
            return False
        now = self._clock.monotonic()
        try:
            self._participant.accept(sdp)
        except BadDescription:
            if not self._unproven:
                raise
            self._offers.lost(now)  # who has come back has connections of their own
        else:
            self._offers.answered(now)
            if self._participant.needs_offer():
                self._offers.changed(now)
        self._unproven = False
        self._rearm()
        return True

    def heard(self, event: MediaEvent) -> None:
        """News of the participant's connections."""
        now = self._clock.monotonic()
        match event:
            case SubscriptionsChanged():
                self._offers.changed(now)
            case ConnectionOpened(pc=pc) if pc == PC:
                self._offers.opened()
            case ConnectionLost(pc=pc) if pc == PC:
                self._offers.lost(now)
            case CodecUnsupported(stream_id=stream_id, codec=codec):
                self._send(_unsupported(stream_id, codec))
        self._rearm()

    def _step(self) -> None:
        match self._offers.take(self._clock.monotonic()):
            case Step.GIVE_UP:
                return self._given_up()
            case Step.RECONNECT:
                self._participant.reconnect_subscribe()
                self._offer(restart=False)
            case Step.OFFER:
                self._offer(restart=False)
            case Step.RESTART:
                self._offer(restart=True)
        self._rearm()

    def _offer(self, *, restart: bool) -> None:
        description = self._participant.offer(restart=restart)
        seq, sdp = self._offers.seq, description.sdp
        self._send({"type": "offer", "pc": PC, "seq": seq, "sdp": sdp, "streams": rendered(description.streams)})

    def _rearm(self) -> None:
        deadline = self._offers.deadline()
        self._alarm.set(None if deadline is None else deadline - self._clock.monotonic(), self._step)


def _unsupported(stream_id: str, codec: str) -> Message:
    text = f"stream {stream_id} comes in {codec}, which this client does not decode"
    return LiveError(415, "codec_unsupported", text, stream_id=stream_id).render()
