"""The composite from packets to file: who is in which box when, which tones, and lips with voices."""

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Scene, Tile
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import number_of, pictures, tones
from tests.support.desk import Room, Sender

WIDTH, HEIGHT = 640, 360
TONES = {"ada-camera": 440.0, "bob-camera": 880.0}
BOXES = {"ada-camera": Box(0, 90, 320, 180), "bob-camera": Box(320, 90, 320, 180)}
SCENE = Scene(
    WIDTH, HEIGHT, tiles=tuple(Tile(box, source) for source, box in BOXES.items()), show_names=False, fade=0.0
)


class Speaker:
    """Somebody whose picture shows a number that changes with every frame, and who has a tone of their own."""

    def __init__(
        self, room: Room, stream_id: str, codec: CodecId, ssrc: int, *, offset: float, drift: float = 0.0
    ) -> None:
        self.room = room
        self.picture = Sender(stream_id, codec, ssrc, offset=offset, drift=drift)
        self.sound = Sender(stream_id, CodecId.OPUS, ssrc + 1, offset=offset, drift=drift)
        self.frequency = TONES[stream_id]
        for sender in (self.picture, self.sound):
            room.feed(sender, "show")

    def second(self, number: int) -> list[tuple[float, bytes]]:
        """What leaves in one second, and when: pictures later than the sound that belongs to them."""
        out: list[tuple[float, bytes]] = []
        for i in range(number * 30, number * 30 + 30):
            data, key = pictures(self.picture.codec, 150, key_every=30)[i % 150]
            out += [(i / 30 + 0.06, packet) for packet in self.picture.packets(data, i / 30, key=key)]
        for k in range(number * 50, number * 50 + 50):
            packets = self.sound.packets(tones(1.0, self.frequency)[k % 50], k / 50)
            out += [(k / 50 + 0.01, packet) for packet in packets]
        out += [(number + 0.005, self.picture.report(number)), (number + 0.005, self.sound.report(number))]
        return out


def perform(room: Room, speakers: list[Speaker], seconds: int) -> None:
    start = room.now
    sent = sorted((each for s in speakers for n in range(seconds) for each in s.second(n)), key=lambda each: each[0])
    for at, packet in sent:
        room.run(start + at)
        room.send(packet)
    room.run(start + seconds + 0.5)


def boxes_of(path: Path) -> list[tuple[float, int, int]]:
    """(seconds, number in the left box, number in the right one) of every picture."""
    with av.open(str(path)) as container:
        return [
            (frame.time or 0.0, *(number_of(cut(frame, box)) for box in BOXES.values()))
            for frame in container.decode(video=0)
        ]  # type: ignore[misc]


def cut(frame: av.VideoFrame, box: Box) -> av.VideoFrame:
    luma = frame.to_ndarray(format="gray")
    inside = luma[box.top : box.top + box.height, box.left : box.left + box.width]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(inside), format="gray")


def loudness(path: Path, frequency: float) -> float:
    """Of one tone in the middle of the file."""
    with av.open(str(path)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    middle = samples[len(samples) // 4 : len(samples) * 3 // 4].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    place = round(frequency * len(middle) / 48000)
    return float(spectrum[place - 2 : place + 3].max() / spectrum.max())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("composite") / "r"
    room = Room()
    room.show(SCENE)
    room.record("r", path, "composite")
    speakers = [
        Speaker(room, "ada-camera", CodecId.VP8, 100, offset=50.0),
        Speaker(room, "bob-camera", CodecId.H264_BASELINE, 200, offset=-7000.0, drift=1e-4),
    ]
    perform(room, speakers, 5)
    closed = room.stop("r")
    assert closed["why"] == "stopped"
    assert closed["index"]["duration"] == pytest.approx(5.5, abs=0.1)
    return path / "recording.webm"


def test_everybody_is_in_their_box_with_every_picture_in_its_turn(recorded: Path) -> None:
    shown = boxes_of(recorded)
    assert len(shown) >= 150
    for box in (1, 2):
        numbers = [picture[box] for picture in shown if 1.0 <= picture[0] < 4.5]
        steps = [b - a for a, b in pairwise(numbers)]
        assert all(0 <= step <= 2 for step in steps)
        assert sum(steps) == pytest.approx(3.5 * 30, abs=3)


def test_people_with_clocks_of_their_own_are_shown_together(recorded: Path) -> None:
    differences = [left - right for at, left, right in boxes_of(recorded) if 1.0 <= at < 4.5]
    assert max(map(abs, differences)) <= 1


def test_both_tones_are_heard(recorded: Path) -> None:
    assert min(loudness(recorded, 440.0), loudness(recorded, 880.0)) > 0.5
    assert max(loudness(recorded, 660.0), loudness(recorded, 220.0)) < 0.05


def test_the_file_has_a_duration_and_can_be_sought_in(recorded: Path) -> None:
    with av.open(str(recorded)) as container:
        assert container.duration == pytest.approx(5_500_000, abs=100_000)
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        container.seek(2_000_000)
        assert next(container.decode(video=0)).time <= 2.0


def test_an_empty_composite_is_recorded_too(tmp_path: Path) -> None:
    room = Room()
    room.show(Scene(WIDTH, HEIGHT))
    room.record("r", tmp_path / "r", "composite")
    room.run(room.now + 2.5)
    assert room.stop("r")["index"]["duration"] == pytest.approx(2.5, abs=0.1)
    with av.open(str(tmp_path / "r" / "recording.webm")) as container:
        assert sum(1 for _ in container.decode(video=0)) == pytest.approx(75, abs=4)


def test_a_snapshot_shows_the_composite(tmp_path: Path) -> None:
    room = Room()
    room.show(SCENE)
    perform(room, [Speaker(room, "ada-camera", CodecId.VP8, 100, offset=0.0)], 1)
    room.desk.snapshot({"id": "s", "path": str(tmp_path / "s.jpg")})
    assert room.told[-1] == {"did": "snapshot", "id": "s", "why": None}
    with av.open(str(tmp_path / "s.jpg")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)


def test_garbage_for_pictures_and_sound_leaves_the_program_running(tmp_path: Path) -> None:
    room = Room()
    room.show(SCENE)
    room.record("r", tmp_path / "r", "composite")
    speaker = Speaker(room, "ada-camera", CodecId.VP8, 100, offset=0.0)
    noise = np.random.default_rng(4)
    for i in range(60):
        data, key = pictures(CodecId.VP8, 150, key_every=30)[i]
        room.send(*speaker.picture.packets(data[:10] + noise.bytes(len(data)), i / 30, key=key))
        room.send(*speaker.sound.packets(noise.bytes(80), i / 50))
        room.run(room.now + 1 / 30)
    assert room.stop("r")["index"]["duration"] > 1.0
