"""Dependency descriptors: which layers a frame belongs to and which need it, read by the native core."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dependency import L1T3, L3T3, L3T3_KEY, Structure, Template, descriptor
from tests.support.native import Parsers

STRUCTURES = {"L1T3": L1T3, "L3T3": L3T3, "L3T3_KEY": L3T3_KEY}
TARGETS = {
    "L1T3": [(0, 2), (0, 1), (0, 0)],
    "L3T3": [(s, t) for s in (2, 1, 0) for t in (2, 1, 0)],
    "L3T3_KEY": [(s, t) for s in (2, 1, 0) for t in (2, 1, 0)],
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_each_template_tells_its_layers_and_who_needs_it(parsers: Parsers, name: str) -> None:
    structure = STRUCTURES[name]
    first, *rest = parsers.read_descriptors(
        [descriptor(structure, 0, 7, with_structure=True)]
        + [descriptor(structure, i, 100 + i) for i in range(len(structure.templates))]
    )
    assert first is not None
    assert first["has_structure"] == 1
    assert first["targets"] == TARGETS[name]
    assert first["size"] == (structure.sizes[-1] if structure.sizes else (0, 0))
    for i, (frame, template) in enumerate(zip(rest, structure.templates, strict=True)):
        assert frame is not None
        told = frame["spatial"], frame["temporal"], frame["indications"], frame["number"], frame["has_structure"]
        assert told == (template.spatial, template.temporal, template.indications, 100 + i, 0)


@pytest.mark.parametrize(("start", "end"), [(True, False), (False, False), (False, True), (True, True)])
def test_the_ends_of_a_frame_are_told(parsers: Parsers, start: bool, end: bool) -> None:
    _, frame = parsers.read_descriptors(
        [descriptor(L1T3, 0, 1, with_structure=True), descriptor(L1T3, 2, 0xFFFF, start=start, end=end)]
    )
    assert frame is not None
    assert (frame["start"], frame["end"], frame["number"]) == (start, end, 0xFFFF)


@pytest.mark.parametrize("active", [None, 0b111, 0b100])
def test_a_frames_own_indications_go_before_its_templates(parsers: Parsers, active: int | None) -> None:
    _, frame, same = parsers.read_descriptors(
        [
            descriptor(L1T3, 0, 1, with_structure=True),
            descriptor(L1T3, 2, 2, own="R-D", active=active),
            descriptor(L1T3, 2, 3),
        ]
    )
    assert frame is not None
    assert same is not None
    assert (frame["indications"], same["indications"]) == ("R-D", "SS-")
    assert frame["active"] == same["active"] == (0b111 if active is None else active)


def test_a_new_structure_takes_the_place_of_the_old_one(parsers: Parsers) -> None:
    frames = parsers.read_descriptors(
        [
            descriptor(L3T3, 0, 1, with_structure=True),
            descriptor(L1T3, 0, 2, with_structure=True),
            descriptor(L1T3, 3, 3),
            descriptor(L3T3, 11, 4),
        ]
    )
    assert frames[2] is not None
    assert frames[2]["temporal"] == 2
    assert frames[3] is None, "a template of the old structure is not known any more"


MANY = Structure(tuple(Template(0, 0, "S" * 32) for _ in range(64)), offset=63, chains=32)
WHOLE = descriptor(L3T3, 0, 7, with_structure=True)


def test_the_largest_structure_is_read(parsers: Parsers) -> None:
    frame, last = parsers.read_descriptors([descriptor(MANY, 0, 1, with_structure=True), descriptor(MANY, 63, 2)])
    assert frame is not None
    assert last is not None
    assert last["indications"] == "S" * 32


@pytest.mark.parametrize(
    "data",
    [b"", b"\xc0", b"\xc0\0", descriptor(L1T3, 0, 1), *[WHOLE[:n] for n in range(4, len(WHOLE) - 1, 5)]],
    ids=lambda data: f"{len(data)} bytes",
)
def test_what_is_cut_off_or_of_no_structure_is_refused(parsers: Parsers, data: bytes) -> None:
    assert parsers.read_descriptors([data]) == [None]


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_any_bytes_are_refused_or_read_within_bounds(parsers: Parsers, strange: list[bytes]) -> None:
    frames = parsers.read_descriptors([WHOLE, *strange, descriptor(L3T3, 0, 9, with_structure=True)])
    assert frames[-1] is not None
    for frame in frames:
        assert frame is None or (frame["spatial"] <= 3 and frame["temporal"] <= 7)  # type: ignore[operator]
