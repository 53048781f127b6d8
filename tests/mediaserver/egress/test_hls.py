"""What an HLS output leaves in its folder, and tells."""

from pathlib import Path
from typing import Any

import pytest

from mediaserver.egress.hls import DISK_FULL, MAX_FILES, Hls
from mediaserver.egress.output import EncodedFrame
from tests.support.hls import BEGAN, FPS, heard, play, shown, together

WALL = 1_700_000_000.0


class Output:
    def __init__(self, folder: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.failed: list[str] = []
        self.folder = folder
        self.hls = Hls(folder, "a", WALL, self._tell, self.failed.append)
        self.read: list[bytes] = []
        """Each piece, as it is read when it is told."""

    def _tell(self, **message: Any) -> None:
        self.told.append(message)
        data = (self.folder / message["file"]).read_bytes()
        if message["event"] == "part":
            data = data[message["offset"] : message["offset"] + message["size"]]
            assert len(data) == message["size"]
        self.read.append(data)

    def take(self, video: list[EncodedFrame], audio: list[EncodedFrame]) -> None:
        for kind, frame in together(video, audio):
            self.hls.video(frame) if kind == "video" else self.hls.audio(frame)


def test_each_part_is_there_when_it_is_told(tmp_path: Path) -> None:
    output = Output(tmp_path)
    output.take(shown(150), heard(5.0))
    output.hls.close()
    assert play(b"".join(output.read)).numbers == list(range(150))
    assert [each["event"] for each in output.told] == ["begun", *["part"] * 15]
    assert output.told[1]["at"] == WALL + BEGAN


def test_a_segment_is_the_file_of_its_parts(tmp_path: Path) -> None:
    output = Output(tmp_path)
    output.take(shown(150), heard(5.0))
    files = {each["file"] for each in output.told if each["event"] == "part"}
    assert len(files) == 3
    for file in files:
        parts = [data for each, data in zip(output.told, output.read, strict=True) if each["file"] == file]
        assert (tmp_path / file).read_bytes() == b"".join(parts)


def test_only_the_newest_files_are_kept(tmp_path: Path) -> None:
    output = Output(tmp_path)
    key = shown(1)[0].data
    output.take([EncodedFrame(key, BEGAN + i / FPS, True, 1 / FPS) for i in range(100)], [])
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == MAX_FILES
    assert tmp_path / output.told[-1]["file"] in kept


@pytest.mark.parametrize("pictures", [1, 70])
def test_where_nothing_can_be_written_it_says_so_once(tmp_path: Path, pictures: int) -> None:
    output = Output(tmp_path / "gone")
    output.take(shown(pictures), [])
    output.hls.close()
    assert (output.failed, output.told) == ([DISK_FULL], [])
