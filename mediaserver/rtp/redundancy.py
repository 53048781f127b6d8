"""How many packets of sound go along with the next one, so that what a line loses is heard all the same.

Pure. By loss: none on a good line, one where some is lost, two where much is: of independent losses their square and
their cube remain. Given up late, since loss comes and goes, and only taken where the line carries it. RFC 2198; what
goes out is written in the native core.
"""

from dataclasses import dataclass

STEPS = ((0.02, 0.01), (0.12, 0.08))  # loss from which one more goes along, and below which it does no more
KEEP = 10.0  # seconds of less loss
MOST = 0.5  # of what the line carries may be sound


@dataclass(slots=True)
class Redundancy:
    packets: int = 0
    """That go along now."""
    _enough_since: float | None = None
    """Since when fewer would do."""

    def update(self, loss: float, sound_bps: float, line_bps: float, now: float) -> int:
        """`loss`: 0 to 1, of late. `sound_bps`: without what goes along."""
        wanted = sum(loss >= above for above, _ in STEPS)
        if self.packets and loss >= STEPS[self.packets - 1][1]:
            wanted = max(wanted, self.packets)
        while wanted and (1 + wanted) * sound_bps > MOST * line_bps:
            wanted -= 1
        if wanted >= self.packets:
            self.packets, self._enough_since = wanted, None
        elif self._enough_since is None:
            self._enough_since = now
        elif now - self._enough_since >= KEEP:
            self.packets, self._enough_since = self.packets - 1, None
        return self.packets
