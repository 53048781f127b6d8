"""Adding up sound: what all are heard saying, and the same without some of them.

Sound is float32 (samples, 2) at 48 kHz, -1.0 to 1.0. Sources bring samples with a time; small errors of these times
are smoothed over, gaps are silent, and what comes after its moment has been mixed is lost. A mix is asked for in
blocks of 20 ms; limiters keep the sum from clipping. No clock: times are arguments.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

RATE = 48_000
BLOCK = 960  # samples: 20 ms
HELD = 2 * RATE  # samples: what a source may be ahead of the mix
SLACK = RATE // 50  # samples: a time this far from where the last sound ended means "right after it"
CEILING = 0.89  # -1 dB: louder than this is turned down
ATTACK = 96  # samples: 2 ms
RELEASE = 0.1  # of what is missing to full loudness, each block: about 200 ms


class Mixer:
    """The sound of a conference. Silent until sources bring some."""

    def __init__(self) -> None:
        self.gains: Mapping[str, float] = {}
        """Loudness by source, 1.0 for those not named; a change is heard over one block."""
        self._tracks: dict[str, _Track] = {}
        self._limiters: dict[frozenset[str], Limiter] = {}
        """By who is left out."""
        self._position: int | None = None
        self._blocks: dict[str, Sound] = {}
        self._mixes: dict[frozenset[str], Sound] = {}
        self._total = silence()

    def add(self, source: str, samples: Sound, at: float) -> None:
        """Sound of `source` whose first sample belongs at `at`, in seconds."""
        track = self._tracks.setdefault(source, _Track())
        track.write(samples, round(at * RATE), self._position)

    def remove(self, source: str) -> None:
        self._tracks.pop(source, None)
        self._limiters = {out: limiter for out, limiter in self._limiters.items() if source not in out}

    def mix(self, at: float, *, but: Collection[str] = ()) -> Sound:
        """The 20 ms from `at` on, (960, 2); `but`: of everybody but these sources. Not to be written to."""
        position = round(at * RATE)
        if position != self._position:
            self._advance(position)
        out = frozenset(source for source in but if source in self._blocks)
        if out not in self._mixes:
            rest = self._total - sum(self._blocks[source] for source in out) if out else self._total
            self._mixes[out] = self._limiters.setdefault(out, Limiter()).limit(rest)
        return self._mixes[out]

    def alone(self, source: str, at: float) -> Sound:
        """The 20 ms of one source from `at` on, as loud as it is in the mix. Not to be written to."""
        position = round(at * RATE)
        if position != self._position:
            self._advance(position)
        block = self._blocks.get(source)
        return silence() if block is None else block

    def _advance(self, position: int) -> None:
        self._position = position
        self._blocks, self._mixes, self._total = {}, {}, silence()
        for source, track in self._tracks.items():
            block = track.read(position, self.gains.get(source, 1.0))
            if block is not None:
                self._blocks[source] = block
                self._total += block


@dataclass(slots=True)
class Limiter:
    """Turns loud stretches down within 2 ms and up again slowly; what still is too loud is bent, never cut."""

    _gain: float = 1.0

    def limit(self, block: Sound) -> Sound:
        """The block (960, 2), no sample beyond 1.0."""
        peak = float(np.abs(block).max(initial=0.0))
        wanted = CEILING / peak if peak > CEILING else 1.0
        if wanted == self._gain == 1.0:
            return block.copy()
        former, self._gain = self._gain, min(wanted, self._gain + (1 - self._gain) * RELEASE)
        if self._gain > 0.999:
            self._gain = 1.0
        return _bent(block * _ramp(former, self._gain, ATTACK if self._gain < former else BLOCK))


@dataclass(slots=True)
class _Track:
    """What one source has brought for [begin, end), in samples of the timeline, in a ring."""

    _ring: Sound = field(default_factory=lambda: np.zeros((HELD, 2), np.float32))
    _begin: int = 0
    _end: int = 0
    _gain: float | None = None

    def write(self, samples: Sound, start: int, mixed: int | None) -> None:
        floor = 0 if mixed is None else mixed + BLOCK
        if self._end > self._begin and abs(start - self._end) <= SLACK:
            start = self._end
        if start < floor:
            samples, start = samples[floor - start :], floor
        ceiling = max(floor, self._begin) + HELD
        samples = samples[: max(0, ceiling - start)]
        if not len(samples):
            return
        self._keep(start, floor)
        self._copy(start, samples)
        self._end = start + len(samples)

    def read(self, position: int, gain: float) -> Sound | None:
        """The block from `position` on, and forgets what lies before; None if there is nothing in it."""
        former, self._gain = (gain if self._gain is None else self._gain), gain
        first, last = max(position, self._begin), min(position + BLOCK, self._end)
        self._begin = max(self._begin, min(position + BLOCK, self._end))
        if first >= last or former == gain == 0.0:
            return None
        block = silence()
        index = np.arange(first, last) % HELD
        block[first - position : last - position] = self._ring[index]
        if former == gain == 1.0:
            return block
        return block * _ramp(former, gain, BLOCK)

    def _keep(self, start: int, floor: int) -> None:
        """Makes [begin, end) end at `start`: silence in a gap, nothing of what the new sound replaces."""
        self._begin = max(self._begin, floor)
        if self._begin >= self._end or start < self._begin or start >= self._begin + HELD:
            self._begin = start
        elif start > self._end:
            self._copy(self._end, np.zeros((start - self._end, 2), np.float32))

    def _copy(self, start: int, samples: Sound) -> None:
        offset = start % HELD
        head = min(len(samples), HELD - offset)
        self._ring[offset : offset + head] = samples[:head]
        self._ring[: len(samples) - head] = samples[head:]


def silence() -> Sound:
    return np.zeros((BLOCK, 2), np.float32)


def _ramp(former: float, gain: float, over: int) -> Sound:
    ramp = np.full((BLOCK, 1), gain, np.float32)
    ramp[:over, 0] = np.linspace(former, gain, over, dtype=np.float32)
    return ramp


def _bent(block: Sound) -> Sound:
    over = np.abs(block) > CEILING
    if over.any():
        loud = block[over]
        room = 1 - CEILING
        block[over] = np.sign(loud) * (CEILING + room * np.tanh((np.abs(loud) - CEILING) / room))
    return block
