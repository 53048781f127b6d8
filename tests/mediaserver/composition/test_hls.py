"""The composite as files for HLS, by a real media worker: what is in them, and what happens when it dies."""

import os
import signal
from pathlib import Path

import pytest

from mediaserver import HlsBegun, HlsEnded, HlsPart
from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Scene, Tile
from tests.mediaserver.composition.test_worker import talk
from tests.support.hls import play
from tests.support.studio import Venue, venue

SCENE = Scene(320, 180, tiles=(Tile(Box(0, 0, 320, 180), "ada-camera"),))


class Reader:
    """Reads what the worker tells, as it tells it."""

    def __init__(self, here: Venue) -> None:
        self.here = here
        self.files: list[bytes] = []
        self.parts: list[HlsPart] = []
        self._seen = 0

    def read(self) -> int:
        """How many parts there have been."""
        events, self._seen = self.here.events[self._seen :], len(self.here.events)
        for event in events:
            if isinstance(event, HlsBegun):
                self.files.append(Path(event.path).read_bytes())
            elif isinstance(event, HlsPart):
                data = Path(event.path).read_bytes()[event.offset : event.offset + event.size]
                self.files[-1] += data
                self.parts.append(event)
        return len(self.parts)


async def test_the_composite_is_cut_into_parts_as_it_is_made(tmp_path: Path) -> None:
    async with venue() as here:
        ada, reader = here.person("ada"), Reader(here)
        here.conference.compose(SCENE)
        here.conference.hls("h", tmp_path)
        await talk(ada, lambda: reader.read() >= 10)
        here.conference.stop_hls("h")
        assert (await here.event(HlsEnded)).why == "stopped"
        reader.read()
    (file,) = reader.files
    played = play(file)
    assert max(played.numbers) > 0
    assert sum(part.duration for part in reader.parts) == pytest.approx(len(played.times) / 30, abs=0.5)
    assert [part.first for part in reader.parts].count(True) >= 2
    assert reader.parts[0].at == pytest.approx(ada.began, abs=5.0)


async def test_another_worker_goes_on_in_another_file(tmp_path: Path) -> None:
    async with venue() as here:
        ada, reader = here.person("ada"), Reader(here)
        here.conference.compose(SCENE)
        here.conference.hls("h", tmp_path)
        await talk(ada, lambda: reader.read() >= 3)
        os.kill(here.worker_pid() or 0, signal.SIGKILL)
        await talk(ada, lambda: reader.read() >= 8 and len(reader.files) == 2)
        here.conference.close()
        assert (await here.event(HlsEnded)).why in ("stopped", "conference over")
        reader.read()
    assert all(len(play(file).times) > 10 for file in reader.files)


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with venue() as here:
        here.conference.hls("h", tmp_path / "gone")
        assert (await here.event(HlsEnded)).why == "disk full"
        await here.until(lambda: not here.conference._studio.busy())  # type: ignore[union-attr, attr-defined]
