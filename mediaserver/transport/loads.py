"""Which packet thread has the least to do, from counters that only grow and the connections there are. Pure."""

from collections.abc import Iterable, Sequence

LOAD_WINDOW = 2.0  # seconds over which a thread's load is looked at
CONNECTION_LOAD = 50.0  # packets per second that a connection counts for at least: it may have just begun


class Loads:
    """How much each thread sends, and whose turn it is among equals."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._sent: list[int] = []
        self._rates: list[float] = []
        self._last = -1

    def pick(self, sent: list[int], connections: Iterable[int], now: float) -> int:
        """The thread for a new conference. `sent`: packets so far, by thread; `connections`: the thread of each."""
        weights = self._packet_rates(sent, now)
        for thread in connections:
            weights[thread] += CONNECTION_LOAD
        return self._lightest(weights)

    def _packet_rates(self, sent: list[int], now: float) -> list[float]:
        """Packets per second of each thread."""
        if not self._sent:
            self._rates = [0.0] * len(sent)
        elif now - self._at >= LOAD_WINDOW:
            self._rates = [(new - old) / (now - self._at) for new, old in zip(sent, self._sent, strict=True)]
        else:
            return [*self._rates]
        self._sent, self._at = sent, now
        return [*self._rates]

    def _lightest(self, weights: Sequence[float]) -> int:
        """Among equals the one after the last that was picked."""
        count = len(weights)
        self._last = min(range(count), key=lambda thread: (weights[thread], (thread - self._last - 1) % count))
        return self._last
