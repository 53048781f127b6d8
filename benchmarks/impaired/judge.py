"""What the notes of pages say: how much of a line was used, how long pictures stood still, what was heard. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.impaired.cases import SETTLE, Case, Step

OVERHEAD = 1.05  # of a picture's bits: headers and tags
BEGIN = 3.0  # seconds after the first picture, from which on pictures and sound are judged
AT_DROP = 5.0  # seconds after a change of the line, that count as being at it
STAYS = 2.0  # seconds that a layer must last to have been reached

Notes = Mapping[str, Any]


@dataclass(frozen=True)
class Camera:
    """What a publisher sent: bits a picture and pictures a second by width, bits a second of its sound."""

    picture_bits: dict[int, float]
    fps: dict[int, float]
    sound_bps: float

    def rate_bps(self, width: int) -> float:
        return self.picture_bits[width] * self.fps[width]

    def usable_bps(self, carried: float) -> float:
        """The most that comes through: the dearest layer that fits beside the sound; 0.0: none does."""
        costs = [OVERHEAD * self.rate_bps(width) + self.sound_bps for width in self.picture_bits]
        return max((cost for cost in costs if cost <= carried), default=0.0)


@dataclass(frozen=True)
class Seen:
    """What somebody saw and heard during a step. Times in seconds."""

    width: int
    """That was shown most of the time, once settled."""
    fps: float
    received_bps: float
    usable_bps: float
    freeze: float
    """The longest time without a new picture,"""
    freeze_at_change: float
    """and at the change of the line with which the step began."""
    climbed: float | None
    """When the layer of the end was reached to stay; None: never."""
    concealed: float
    """Part of the sound that was made up."""

    @property
    def used(self) -> float:
        return self.received_bps / self.usable_bps if self.usable_bps else 1.0


def camera_of(notes: Notes, since: float, until: float) -> Camera:
    """From what its publisher noted between these times."""
    looks = _between(notes["looks"], since, until)
    bits: dict[int, float] = {}
    fps: dict[int, float] = {}
    first, last = looks[0], looks[-1]
    span = (last["at"] - first["at"]) / 1000
    for rid, end in last["sent"].items():
        begin = first["sent"].get(rid)
        frames = end["frames"] - begin["frames"] if begin else 0
        if frames > 0:
            bits[end["width"]] = (end["bytes"] - begin["bytes"]) * 8 / frames
            fps[end["width"]] = frames / span
    return Camera(bits, fps, (last["sentSound"] - first["sentSound"]) * 8 / span)


def seen(case: Case, began: float, notes: Notes, sent: Notes, *, behind: bool) -> list[Seen]:
    """Of each step; `began` is when the first one did, `sent` what the camera noted. `behind` the line is who watches;
    else it is the camera, and what it sends of all it could is what can be used."""
    found = []
    at = began
    for number, step in enumerate(case.steps):
        camera = camera_of(sent, began if behind else at, (began + case.seconds) if behind else at + step.seconds)
        usable = camera.usable_bps(step.rate_bps * (1 - step.loss) if behind else math.inf)
        found.append(_step(step, at, notes, camera, usable, changed=number > 0))
        at += step.seconds
    return found


def _step(step: Step, began: float, notes: Notes, camera: Camera, usable: float, *, changed: bool) -> Seen:
    until = began + step.seconds
    looks = _between(notes["looks"], began, until)
    settled = _between(notes["looks"], min(began + SETTLE, until - 5.0), until)
    first = (notes["first"] or until * 1000) / 1000
    judged = max(began, first + BEGIN)
    calm_from = began + AT_DROP if changed else judged
    width = _usual(look["picture"]["width"] for look in settled if look["picture"])
    return Seen(
        width=width,
        fps=_rate(settled, lambda look: look["picture"]["frames"]),
        received_bps=_received(settled, camera),
        usable_bps=usable,
        freeze=_longest(notes, calm_from, until),
        freeze_at_change=_longest(notes, began, began + AT_DROP) if changed else 0.0,
        climbed=_reached(looks, width, began),
        concealed=_concealed(_between(notes["looks"], judged, until)),
    )


def _between(looks: Iterable[Notes], since: float, until: float) -> list[Notes]:
    return [look for look in looks if since <= look["at"] / 1000 <= until]


def _usual(widths: Iterable[int]) -> int:
    found = list(widths)
    return max(set(found), key=found.count, default=0)


def _rate(looks: Sequence[Notes], value: Any) -> float:
    looks = [look for look in looks if look["picture"]]
    if len(looks) < 2:
        return 0.0
    return float(value(looks[-1]) - value(looks[0])) * 1000 / (looks[-1]["at"] - looks[0]["at"])


def _received(looks: Sequence[Notes], camera: Camera) -> float:
    """By what was shown: the bits that the publisher has put in such pictures, and its sound as far as it came."""
    looks = [look for look in looks if look["picture"]]
    if len(looks) < 2:
        return 0.0
    bits = 0.0
    for before, after in pairwise(looks):
        frames = after["picture"]["frames"] - before["picture"]["frames"]
        bits += OVERHEAD * frames * camera.picture_bits.get(after["picture"]["width"], 0.0)
    span = (looks[-1]["at"] - looks[0]["at"]) / 1000
    return bits / span + camera.sound_bps * (1 - _concealed(looks))


def _longest(notes: Notes, since: float, until: float) -> float:
    """Seconds without a picture that ended, or had not ended, between these times."""
    gaps = [gap["gap"] / 1000 for gap in notes["gaps"] if since <= gap["at"] / 1000 <= until + gap["gap"] / 1000]
    return max(gaps, default=0.0) if notes["first"] else until - since


def _reached(looks: Sequence[Notes], width: int, began: float) -> float | None:
    """When `width` was shown and went on to be shown for a while."""
    since: float | None = None
    for look in looks:
        at = look["at"] / 1000
        if not look["picture"] or look["picture"]["width"] != width:
            since = None
            continue
        since = since if since is not None else at
        if at - since >= STAYS:
            return since - began
    return None


def _concealed(looks: Sequence[Notes]) -> float:
    heard = [look["sound"] for look in looks if look["sound"]]
    if len(heard) < 2:
        return 1.0
    samples = heard[-1]["samples"] - heard[0]["samples"]
    return float((heard[-1]["concealed"] - heard[0]["concealed"]) / samples) if samples else 1.0
