"""What a bad line's table says of the notes that pages have taken."""

from typing import Any

import pytest

from benchmarks.impaired.cases import Case, Step, batches
from benchmarks.impaired.judge import Camera, camera_of, seen
from benchmarks.impaired.table import Row, markdown

BEGAN = 1000.0  # seconds
STEP = Step(800_000, 0.0, 0.04, 35.0)
CASE = Case("a line", (STEP,))
LAYERS = {"f": (1280, 75_000), "h": (640, 25_000), "q": (320, 7_500)}  # width, bits of a picture
FPS, SOUND_BYTES = 20, 5_000  # a second


def looks(width: int, *, fps: float = FPS, concealed: float = 0.0, until: float = 35.0) -> list[dict[str, Any]]:
    """Of somebody who is shown so large a picture all the time, twice a second."""
    times = [n / 2 for n in range(int(until * 2) + 1)]
    return [
        {
            "at": (BEGAN + t) * 1000,
            "sent": {},
            "picture": {"width": width, "frames": int(t * fps)},
            "sound": {"samples": t * 48_000, "concealed": t * 48_000 * concealed},
        }
        for t in times
    ]


def watched(width: int, *, gaps: tuple[tuple[float, float], ...] = (), **how: Any) -> dict[str, Any]:
    told = [{"at": (BEGAN + at) * 1000, "gap": gap * 1000} for at, gap in gaps]
    return {"looks": looks(width, **how), "gaps": told, "first": BEGAN * 1000}


def sent() -> dict[str, Any]:
    times = [n / 2 for n in range(71)]
    return {
        "looks": [
            {
                "at": (BEGAN + t) * 1000,
                "sentSound": t * SOUND_BYTES,
                "sent": {
                    rid: {"width": width, "frames": int(t * FPS), "bytes": int(t * FPS) * bits / 8}
                    for rid, (width, bits) in LAYERS.items()
                },
            }
            for t in times
        ]
    }


def test_a_camera_is_known_by_what_it_sends() -> None:
    camera = camera_of(sent(), BEGAN, BEGAN + 35)
    assert camera.rate_bps(640) == pytest.approx(500_000, rel=0.01)
    assert camera.sound_bps == pytest.approx(40_000, rel=0.01)


@pytest.mark.parametrize(
    ("carried", "usable"),
    [
        pytest.param(2_000_000, 1_615_000, id="everything fits"),
        pytest.param(800_000, 565_000, id="the middle layer"),
        pytest.param(300_000, 197_500, id="the smallest"),
        pytest.param(100_000, 0.0, id="none"),
    ],
)
def test_what_can_be_used_is_the_dearest_layer_that_fits(carried: float, usable: float) -> None:
    camera = Camera({1280: 75_000.0, 640: 25_000.0, 320: 7_500.0}, dict.fromkeys((1280, 640, 320), 20.0), 40_000.0)
    assert camera.usable_bps(carried) == pytest.approx(usable, rel=0.01)


@pytest.mark.parametrize(
    ("notes", "used"),
    [
        pytest.param(watched(640), 1.0, id="what fits"),
        pytest.param(watched(320), 0.35, id="a smaller layer"),
        pytest.param(watched(640, fps=10), 0.53, id="half of the pictures"),
    ],
)
def test_how_much_of_a_line_is_used_is_told_by_what_is_shown(notes: dict[str, Any], used: float) -> None:
    (one,) = seen(CASE, BEGAN, notes, sent(), behind=True)
    assert one.used == pytest.approx(used, abs=0.02)
    assert one.climbed == pytest.approx(0.0, abs=0.6)


def test_freezes_and_made_up_sound_are_told() -> None:
    notes = watched(640, gaps=((1.0, 0.9), (20.0, 0.7), (30.0, 0.4)), concealed=0.08)
    (one,) = seen(CASE, BEGAN, notes, sent(), behind=True)
    assert one.freeze == pytest.approx(0.7), "the first seconds are not judged"
    assert one.concealed == pytest.approx(0.08, abs=0.001)


def test_who_never_saw_anything_has_a_freeze_as_long_as_it_lasted() -> None:
    notes = {"looks": [{"at": (BEGAN + t) * 1000, "picture": None, "sound": None} for t in range(36)], "gaps": []}
    (one,) = seen(CASE, BEGAN, {**notes, "first": None}, sent(), behind=True)
    assert (one.width, one.received_bps, one.climbed) == (0, 0.0, None)
    assert one.concealed == 1.0


def test_a_miss_is_bold_in_the_table() -> None:
    rows = Row.of_watcher(CASE, BEGAN, watched(320), sent(), watched(1280))
    text = markdown(rows)
    assert "**35%**" in text
    assert "1280 px, 0.00 s" in text


def test_every_line_is_measured() -> None:
    cases = [case for batch in batches(quick=False) for case in batch]
    assert len(cases) == 18 + 2 + 2
    assert all(len(batch) <= 3 for batch in batches(quick=False))
