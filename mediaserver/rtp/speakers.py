"""Who speaks, and who spoke last, from how loud each one's sound is.

Pure. Fed about ten times a second with the levels of sound that came (RFC 6464), asked as often what has changed. A
voice counts after it has been heard for a moment, and for a while after it has stopped; of two people the louder one
comes first, but only if that is clear: who talk in turns faster than that keep their places.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

SILENCE = 127  # -dBov
QUIETEST, LOUDEST = 60, 10  # -dBov that are 0.0 and 1.0 of a level
SURE = 35  # -dBov: so loud is a voice, even if the client does not say so
VOICED_PART = 0.3  # of the packets, that must have a voice in them
HEARD = 0.25  # seconds of voice until it counts
REMEMBERED = 0.5  # seconds of voice at most
FORGET = 0.5  # seconds of voice forgotten per second of silence
RISE, FALL = 0.15, 2.0  # seconds in which a level follows
CLEAR = 0.15  # of level, by which one must be louder to come first
NOTABLE = 0.1  # of level: less of a change is not told
STEP = 0.3  # seconds of silence that count at once,
WORD = 0.1  # and of a voice: what one record tells of
QUIET_AFTER = 0.15  # seconds without a word of somebody
TELL_EVERY = 0.2  # seconds: five times a second
MAX_CHANGES = 5  # of voice activity per second


@dataclass(frozen=True, slots=True)
class Speaker:
    """`level` is from 0.0 to 1.0."""

    id: str
    level: float


@dataclass(slots=True)
class _Voice:
    at: float
    level: float = 0.0
    presence: float = 0.0
    talking: bool = False

    def hear(self, level: float, voiced: bool, now: float) -> None:
        step = min(max(now - self.at, 0.0), STEP)
        self.at = now
        pace = RISE if level > self.level else FALL
        self.level += (level - self.level) * (1 - math.exp(-step / pace))
        if voiced:
            self.presence = min(self.presence + min(step, WORD), REMEMBERED)
        else:
            self.presence = max(self.presence - FORGET * step, 0.0)


def level_of(dbov: int) -> float:
    """From -dBov (0 is the loudest, 127 silence) to 0.0 to 1.0."""
    return min(max((QUIETEST - dbov) / (QUIETEST - LOUDEST), 0.0), 1.0)


@dataclass(slots=True)
class Speakers:
    """Of one conference."""

    _voices: dict[str, _Voice] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)
    """Who talks, the loudest first."""
    _recent: list[str] = field(default_factory=list)
    """Everybody, who began to talk last first."""
    _told: tuple[Speaker, ...] = ()
    _told_at: float = -math.inf
    _active: set[str] = field(default_factory=set)
    """Who is told to have a voice."""
    _changes: list[float] = field(default_factory=list)

    def heard(self, speaker: str, packets: int, voiced: int, loudest: int, now: float) -> None:
        """What came of somebody's sound since the last time; `loudest` in -dBov."""
        voice = self._voices.get(speaker)
        if voice is None:
            voice = self._voices[speaker] = _Voice(now - TELL_EVERY / 2)
            self._recent.append(speaker)
        spoken = voiced >= VOICED_PART * packets and loudest < QUIETEST
        voice.hear(level_of(loudest), spoken or loudest <= SURE, now)

    def left(self, speaker: str) -> None:
        """Gone, or muted."""
        if self._voices.pop(speaker, None):
            self._recent.remove(speaker)
            if speaker in self._order:
                self._order.remove(speaker)

    def update(self, now: float) -> tuple[Speaker, ...] | None:
        """Who speaks, the loudest first, if that is to be told now; else None."""
        self._listen(now)
        self._rank()
        speakers = tuple(Speaker(each, round(self._voices[each].level, 2)) for each in self._order)
        if now - self._told_at < TELL_EVERY or not self._notable(speakers):
            return None
        self._told, self._told_at = speakers, now
        return speakers

    def voices(self, now: float) -> list[tuple[str, bool]]:
        """Whose voice began or ended since the last time; what is too much at once is told later."""
        self._changes = [at for at in self._changes if now - at < 1.0]
        talking = set(self._order)
        changed = sorted(self._active ^ talking)[: MAX_CHANGES - len(self._changes)]
        self._active ^= set(changed)
        self._changes += [now] * len(changed)
        return [(speaker, speaker in talking) for speaker in changed]

    def last(self, number: int, of: Sequence[str]) -> list[str]:
        """The `number` of these who spoke last, the latest first; those who never spoke come after, in their order."""
        place = {speaker: n for n, speaker in enumerate(self._recent)}
        return sorted(of, key=lambda speaker: place.get(speaker, len(place)))[:number]

    def _listen(self, now: float) -> None:
        for speaker, voice in self._voices.items():
            if now - voice.at > QUIET_AFTER:
                voice.hear(0.0, False, now)
            if voice.talking and not voice.presence:
                voice.talking = False
                self._order.remove(speaker)
            elif not voice.talking and voice.presence >= HEARD:
                voice.talking = True
                self._order.append(speaker)
                self._recent.remove(speaker)
                self._recent.insert(0, speaker)

    def _rank(self) -> None:
        """Lets whoever is clearly louder pass the one in front."""
        order, voices = self._order, self._voices
        for at in range(1, len(order)):
            for n in range(at, 0, -1):
                if voices[order[n]].level <= voices[order[n - 1]].level + CLEAR:
                    break
                order[n - 1], order[n] = order[n], order[n - 1]

    def _notable(self, speakers: tuple[Speaker, ...]) -> bool:
        if [each.id for each in speakers] != [each.id for each in self._told]:
            return True
        return any(abs(new.level - old.level) >= NOTABLE for new, old in zip(speakers, self._told, strict=True))
