"""Dependency descriptors as an encoder with temporal and spatial layers writes them.

AV1 RTP payload specification, appendix A.8. Only what a forwarder reads is right here: differences of frames and chains
are written, but say nothing true.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.bits import BitWriter

MEANING = {"-": 0, "D": 1, "S": 2, "R": 3}


@dataclass(frozen=True)
class Template:
    """A kind of frame: its layers, and for each decode target what it is to it, as in the specification's tables."""

    spatial: int
    temporal: int
    indications: str


@dataclass(frozen=True)
class Structure:
    templates: tuple[Template, ...]
    """In the order of their layers."""
    offset: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    chains: int = 0

    @property
    def targets(self) -> int:
        return len(self.templates[0].indications)


L1T3 = Structure(
    (Template(0, 0, "SSS"), Template(0, 0, "SSS"), Template(0, 1, "SS-"), Template(0, 2, "D--")), sizes=((640, 360),)
)
"""Targets from the best to the least: all frames, every other, every fourth."""

L3T3 = Structure(
    (
        Template(0, 0, "SSSSSSSSS"),
        Template(0, 0, "RRRRRRSSS"),
        Template(0, 1, "RR-RR-SS-"),
        Template(0, 2, "R--R--D--"),
        Template(1, 0, "SSSSSS---"),
        Template(1, 0, "RRRSSS---"),
        Template(1, 1, "RR-SS----"),
        Template(1, 2, "R--D-----"),
        Template(2, 0, "SSS------"),
        Template(2, 0, "SSS------"),
        Template(2, 1, "SS-------"),
        Template(2, 2, "D--------"),
    ),
    offset=60,
    sizes=((320, 180), (640, 360), (1280, 720)),
    chains=3,
)
"""Targets: three temporal ones for the best spatial layer, three for the middle one, three for the least."""

L3T3_KEY = Structure(
    tuple(
        Template(each.spatial, each.temporal, indications)
        for each, indications in zip(
            L3T3.templates,
            (
                "SSSSSSSSS",
                "------SSS",
                "------SS-",
                "------D--",
                "SSSSSS---",
                "---SSS---",
                "---SS----",
                "---D-----",
                "SSS------",
                "SSS------",
                "SS-------",
                "D--------",
            ),
            strict=True,
        )
    ),
    offset=5,
    chains=3,
)
"""Layers depend on lower ones in key pictures only."""


def descriptor(
    structure: Structure,
    template: int,
    number: int,
    *,
    start: bool = True,
    end: bool = True,
    with_structure: bool = False,
    own: str | None = None,
    active: int | None = None,
) -> bytes:
    """Of a frame like `template`; `own` are indications that differ from it."""
    bits = BitWriter().write(start).write(end).write((template + structure.offset) % 64, 6).write(number & 0xFFFF, 16)
    if with_structure or own is not None or active is not None:
        bits.write(with_structure).write(active is not None).write(own is not None).write(0, 2)
    if with_structure:
        _write_structure(bits, structure)
    if active is not None:
        bits.write(active, structure.targets)
    if own is not None:
        _write_indications(bits, own)
    return bits.filled()


def _write_structure(bits: BitWriter, structure: Structure) -> None:
    bits.write(structure.offset, 6).write(structure.targets - 1, 5)
    for this, following in zip(structure.templates, (*structure.templates[1:], None), strict=True):
        bits.write(_step(this, following), 2)
    for template in structure.templates:
        _write_indications(bits, template.indications)
    for i, _ in enumerate(structure.templates):
        bits.write(1).write(i, 4).write(0) if i else bits.write(0)
    write_below(bits, structure.chains, structure.targets + 1)
    if structure.chains:
        for target in range(structure.targets):
            write_below(bits, target % structure.chains, structure.chains)
        for i in range(len(structure.templates) * structure.chains):
            bits.write(i % 16, 4)
    bits.write(bool(structure.sizes))
    for width, height in structure.sizes:
        bits.write(width - 1, 16).write(height - 1, 16)


def _step(this: Template, following: Template | None) -> int:
    if following is None:
        return 3
    if following.spatial > this.spatial:
        return 2
    return 1 if following.temporal > this.temporal else 0


def _write_indications(bits: BitWriter, indications: Sequence[str]) -> None:
    for each in indications:
        bits.write(MEANING[each], 2)


def write_below(bits: BitWriter, value: int, limit: int) -> None:
    """ns(n): a number below `limit`."""
    width = limit.bit_length()
    spare = (1 << width) - limit
    if value < spare:
        bits.write(value, width - 1) if width > 1 else None
    else:
        bits.write(value + spare, width)
