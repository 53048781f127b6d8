"""Real clients are recorded, each by itself and all together: what the files show and sound like is what they sent."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from mediaserver import RecordingClosed, RecordingStarted
from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Scene, Tile
from tests.support.peer import COLOUR_TOLERANCE, SAMPLE_RATE, TONE_TOLERANCE_HZ, Colour, Stage

RED, GREEN = (210, 40, 40), (40, 180, 60)
LOW, HIGH = 330.0, 880.0
BOXES = {"ada-cam": Box(0, 60, 320, 240), "bob-cam": Box(320, 60, 320, 240)}
SCENE = Scene(640, 360, tiles=tuple(Tile(box, source) for source, box in BOXES.items()), show_names=False)
CLUSTER = b"\x1f\x43\xb6\x75"
ENOUGH = 3  # clusters of a second

pytestmark = pytest.mark.slow


def colours(path: Path, box: Box | None = None) -> list[Colour]:
    """The middle of the picture, or of a box of it, frame by frame."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    if box:
        frames = [frame[box.top : box.bottom, box.left : box.right] for frame in frames]
    return [tuple(map(round, frame[20:-20, 40:-40].mean(axis=(0, 1)))) for frame in frames]  # type: ignore[misc]


def has_colour(seen: list[Colour], colour: Colour) -> bool:
    """At the end."""
    return all(abs(a - b) < COLOUR_TOLERANCE for a, b in zip(seen[-5], colour, strict=True))


def hears(path: Path, *wanted: float) -> bool:
    """Whether these tones are the loudest ones in some half second of the file: a busy machine leaves gaps."""
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)
    half = SAMPLE_RATE // 2
    return any(loudest(heard[at : at + half], wanted) for at in range(0, len(heard) - half, half // 2))


def loudest(heard: np.ndarray, wanted: tuple[float, ...]) -> bool:
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    near = np.zeros(len(spectrum), bool)
    for tone in wanted:
        place = round(tone * len(heard) / SAMPLE_RATE)
        width = round(TONE_TOLERANCE_HZ * len(heard) / SAMPLE_RATE)
        near[place - width : place + width + 1] = True
    each = [spectrum[round(tone * len(heard) / SAMPLE_RATE) + d] for tone in wanted for d in (-1, 0, 1)]
    quietest = min(max(each[i : i + 3]) for i in range(0, len(each), 3))
    return bool(spectrum[~near].max() < quietest > 0.3 * spectrum.max())


def grown(folder: Path, files: int) -> bool:
    """Whether so many files have been flushed often enough."""
    found = [path.read_bytes().count(CLUSTER) for path in folder.glob("*.*") if path.suffix in (".webm", ".mkv")]
    return len(found) == files and min(found) >= ENOUGH


async def test_people_are_recorded_by_themselves_and_together(tmp_path: Path) -> None:
    async with Stage() as stage:
        ada, bob = stage.join("ada"), stage.join("bob")
        stage.conference.compose(SCENE)
        recordings = [
            stage.conference.record("single", tmp_path / "single", "individual", {"ada": "Ada", "bob": "Bob"}),
            stage.conference.record("all", tmp_path / "all"),
        ]
        await ada.publish("ada-cam", RED, LOW)
        await bob.publish("bob-cam", GREEN, HIGH, "H264")
        await stage.until(lambda: sum(isinstance(e, RecordingStarted) for e in stage.events) == 2, "both begin")
        await stage.until(lambda: grown(tmp_path / "single", 4) and grown(tmp_path / "all", 1), "files grow")
        for recording in recordings:
            recording.stop()
        await stage.until(lambda: sum(isinstance(e, RecordingClosed) for e in stage.events) == 2, "both end")
    index = json.loads((tmp_path / "single" / "index.json").read_text())
    for name, colour, tone in (("ada", RED, LOW), ("bob", GREEN, HIGH)):
        files = {
            track["kind"]: tmp_path / "single" / track["file"]
            for track in index["tracks"]
            if track["participant_id"] == name
        }
        assert has_colour(colours(files["video"]), colour)
        assert hears(files["audio"], tone)
    whole = tmp_path / "all" / "recording.webm"
    assert has_colour(colours(whole, BOXES["ada-cam"]), RED)
    assert has_colour(colours(whole, BOXES["bob-cam"]), GREEN)
    assert hears(whole, LOW, HIGH)
