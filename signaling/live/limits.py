"""How much one socket may say, and how long it may be silent. Pure; times are monotonic seconds."""

from collections import deque
from dataclasses import dataclass

MESSAGES = 100  # over the socket, within WINDOW
DATA_MESSAGES = 1000  # over the data channel, within WINDOW
WINDOW = 10.0  # seconds
PING_EVERY = 15.0  # seconds
PINGS_MISSED = 2  # then the connection is lost


class Flood:
    """Refuses what is one more than `limit` within `WINDOW`. Exact: it keeps the times of the last ones."""

    def __init__(self, limit: int = MESSAGES) -> None:
        self._times: deque[float] = deque(maxlen=limit)

    def allows(self, now: float) -> bool:
        if len(self._times) == self._times.maxlen and now - self._times[0] < WINDOW:
            return False
        self._times.append(now)
        return True

    def forgive(self) -> None:
        """The last message was asked for by us and does not count."""
        if self._times:
            self._times.pop()


@dataclass(slots=True)
class Silence:
    """Counts pings that nothing has followed. Ask `ping` every `PING_EVERY` seconds."""

    _unanswered: int = 0

    def heard(self) -> None:
        """Something came from the other side."""
        self._unanswered = 0

    def ping(self) -> bool:
        """Whether to send a ping now; False: the other side is gone."""
        if self._unanswered >= PINGS_MISSED:
            return False
        self._unanswered += 1
        return True
