"""Many tracks on one clock: from RTP timestamps to our monotonic seconds.

A sender report ties a track's timestamps to its sender's clock (RFC 3550 section 6.4.1), so that sound and picture of
one participant stay together; when reports arrive ties the sender's clock to ours, so that participants stay together
though their clocks drift apart. Until the first report a track's time is that of its first packet's arrival.

Pure: feed it what came and when. Corrections are slow enough not to be seen or heard, unless they are so large that
a jump is the smaller evil.
"""

from collections import deque
from dataclasses import dataclass, field

from mediaserver.rtp.sequence import TIMESTAMP_BITS, unwrap

NTP_UNIT = 2.0**-32  # seconds
NTP_EPOCH = 2208988800.0  # seconds from 1900 to 1970
JUMP = 0.08  # seconds that a track is put right at once; less is made up for slowly
SLEW = 0.02  # seconds in a second of media
DRIFT_WINDOW = 30  # reports of one sender whose quickest tells how far its clock is from ours
CLOCK_SLEW = 0.002  # seconds in a second: a sender's clock that is followed faster would follow its line's jitter
CLOCK_JUMP = 0.5  # seconds between two clocks that tell that one of them was set


def ntp_seconds(ntp: int, wall_offset: float) -> float:
    """The NTP time of a report (64 bits) as seconds of the clock that is `wall_offset` behind the wall's."""
    return ntp * NTP_UNIT - NTP_EPOCH - wall_offset


@dataclass(slots=True)
class SenderClock:
    """How far one participant's clock is from ours; shared by all its tracks."""

    offset: float | None = None
    """To be added to the sender's time. None: it has not reported yet."""
    _delays: deque[float] = field(default_factory=lambda: deque(maxlen=DRIFT_WINDOW))
    _heard_at: float = 0.0

    def heard(self, sent: float, now: float) -> None:
        """A report that says `sent` came now. The one that was quickest on its way is nearest to the truth."""
        self._delays.append(now - sent)
        target = min(self._delays)
        if self.offset is None or abs(now - sent - self.offset) > CLOCK_JUMP:
            self._delays.clear()
            self._delays.append(now - sent)
            self.offset = now - sent
        else:
            most = (now - self._heard_at) * CLOCK_SLEW
            self.offset += max(-most, min(most, target - self.offset))
        self._heard_at = now


@dataclass(slots=True)
class TrackClock:
    """Times of one stream of RTP timestamps. They never run backwards faster than the timestamps do."""

    rate: int
    sender: SenderClock
    _near: int | None = None
    """The newest timestamp, unwrapped."""
    _anchor: tuple[int, float] | None = None
    """A timestamp, and its time by the last report (or by arrival)."""
    _reported: tuple[int, float] | None = None
    """The same in the sender's clock."""
    _error: float = 0.0
    """What is added so that a correction is not seen; shrinks with every second of media."""
    _corrected: int = 0
    """The timestamp that `_error` belongs to."""

    def report(self, timestamp: int, sent: float, now: float) -> None:
        """A sender report: at `sent` (seconds of the sender's clock) the stream was at `timestamp`."""
        self.sender.heard(sent, now)
        if self._near is None:
            self._near = timestamp
        at = unwrap(timestamp, self._near, TIMESTAMP_BITS)
        self._reported = (at, sent)
        self._put_right(at)

    def time(self, timestamp: int, now: float) -> float:
        """Our seconds at which a packet's content was captured; `now`: when it came, for want of anything better."""
        if self._near is None:
            self._near = timestamp
        at = unwrap(timestamp, self._near, TIMESTAMP_BITS)
        self._near = max(self._near, at)
        if self._anchor is None:
            self._anchor = (at, now)
            self._corrected = at
        elif self._reported is None and abs(self._line(at) - now) > CLOCK_JUMP:
            self._anchor = (at, now)  # it was silent, and nothing tells for how long but the clock on the wall
            self._error, self._corrected = 0.0, at
        return self._line(at) + self._remaining(at)

    def _put_right(self, at: int) -> None:
        """Follows the last report from here on."""
        assert self._reported is not None
        assert self.sender.offset is not None
        told = (self._reported[0], self._reported[1] + self.sender.offset)
        if self._anchor is None:
            self._anchor, self._corrected = told, at
            return
        near = self._near if self._near is not None else at
        before = self._line(near) + self._remaining(near)
        self._anchor = told
        error = before - self._line(near)
        self._error = error if abs(error) <= JUMP else 0.0
        self._corrected = near

    def _line(self, at: int) -> float:
        assert self._anchor is not None
        return self._anchor[1] + (at - self._anchor[0]) / self.rate

    def _remaining(self, at: int) -> float:
        """What is left of the error at a timestamp."""
        made_up = max(0, at - self._corrected) / self.rate * SLEW
        if abs(self._error) <= made_up:
            return 0.0
        return self._error - made_up if self._error > 0 else self._error + made_up
