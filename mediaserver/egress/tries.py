"""How often a target that refuses or breaks is tried again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

PROVEN = 60.0  # seconds: the end of a connection that has held so long is the first failure again


@dataclass(slots=True)
class Tries:
    """`pauses`: seconds before each further try."""

    pauses: Sequence[float]
    _failures: int = 0

    def failed(self, lasted: float) -> float | None:
        """A try is over that took `lasted` seconds; how long to wait before the next, None: it is given up."""
        self._failures = 1 if lasted >= PROVEN else self._failures + 1
        return self.pauses[self._failures - 1] if self._failures <= len(self.pauses) else None
