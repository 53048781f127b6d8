"""Who wants to be woken when: a heap that many connections share, so that the event loop holds one timer. Pure."""

from heapq import heapify, heappop, heappush

SPARE_ENTRIES = 64  # outdated ones that are kept before the heap is made anew


class Deadlines:
    """One time for each key, monotonic seconds."""

    def __init__(self) -> None:
        self._times: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []  # also holds what is outdated

    def set(self, key: int, at: float) -> None:
        """Wakes `key` at this time, unless an earlier one is set already: then it is asked again after that."""
        if at >= self._times.get(key, float("inf")):
            return
        self._times[key] = at
        heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._times) + SPARE_ENTRIES:
            self._heap = [(time, each) for each, time in self._times.items()]
            heapify(self._heap)

    def drop(self, key: int) -> None:
        self._times.pop(key, None)

    def next(self) -> float | None:
        """The earliest time, None if nobody waits."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[int]:
        """Takes out the keys whose time has come, in order."""
        keys = []
        while (at := self.next()) is not None and at <= now:
            keys.append(heappop(self._heap)[1])
            del self._times[keys[-1]]
        return keys
