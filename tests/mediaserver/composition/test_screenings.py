"""Films as streams of their own: their pictures in their time, and their sound alone."""

from pathlib import Path

import numpy as np
import pytest

from mediaserver.composition.composer import Composer
from mediaserver.composition.films import Film
from mediaserver.composition.playbacks import Playbacks
from mediaserver.composition.scene import Scene
from mediaserver.composition.screenings import Screenings
from mediaserver.egress.output import EncodedFrame
from mediaserver.media.codecs import AudioDecoder, VideoDecoder
from mediaserver.media.depacketize import Depacketizer
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import read_packet
from tests.mediaserver.composition.test_listeners import loud
from tests.support.coded import number_of
from tests.support.desk import Room
from tests.support.films import film

FPS = 30


class Show:
    """A film of a second, and what is sent of it."""

    def __init__(self, folder: Path, size: tuple[int, int] = (320, 180)) -> None:
        self.composer = Composer(Scene(320, 180))
        self.screenings = Screenings(self.composer, FPS)
        self.playbacks = Playbacks(self.composer)
        self.pictures: list[EncodedFrame] = []
        self.sounds: list[EncodedFrame] = []
        self.over: list[str] = []
        path = film(folder / "film.webm", tone_hz=1000.0, size=size)
        self.playbacks.play(Film("f", str(path), sound=True), 0.0, lambda _picture: None, self.over.append)

    def run(self, begin: float, end: float) -> None:
        for frame in range(round(begin * FPS), round(end * FPS)):
            self.playbacks.advance(frame / FPS)
            self.screenings.render(frame / FPS)
        for block in range(round(begin * 50), round(end * 50)):
            self.screenings.mix(block * 0.02)


def test_each_picture_is_sent_once_and_the_sound_without_that_of_others(tmp_path: Path) -> None:
    show = Show(tmp_path)
    times = np.arange(48_000) / 48_000
    other = (0.5 * np.sin(2 * np.pi * 400 * times)).astype(np.float32)
    show.composer.sound("ada-camera", np.stack([other, other], axis=1), 0.0)
    show.screenings.add("playback:f", show.pictures.append, show.sounds.append)
    show.run(0.0, 0.9)
    decoder = VideoDecoder(CodecId.VP8)
    numbers = [number_of(each) for frame in show.pictures for each in decoder.decode(frame.data, frame.at)]
    assert numbers == list(range(27))
    hearer = AudioDecoder()
    heard = np.concatenate([hearer.decode(frame.data) for frame in show.sounds])[9600:]
    assert loud(heard, 1000.0)
    assert not loud(heard, 400.0)


def test_a_key_frame_is_made_for_who_comes_late_even_of_a_picture_that_stands_still(tmp_path: Path) -> None:
    show = Show(tmp_path)
    show.screenings.add("playback:f", show.pictures.append, None)
    show.run(0.0, 0.5)
    assert [frame.key for frame in show.pictures].count(True) == 1
    at = show.pictures[-1].at
    show.screenings.need_key()
    show.screenings.render(at)
    assert show.pictures[-1].key
    show.screenings.render(at)
    assert [frame.key for frame in show.pictures].count(True) == 2
    assert show.sounds == []


def test_nothing_is_sent_of_what_is_not_screened_any_more(tmp_path: Path) -> None:
    show = Show(tmp_path)
    show.screenings.add("playback:f", show.pictures.append, show.sounds.append)
    show.run(0.0, 0.2)
    sent = len(show.pictures), len(show.sounds)
    for _ in range(2):
        show.screenings.remove("playback:f")
    show.run(0.2, 0.5)
    assert (len(show.pictures), len(show.sounds)) == sent


@pytest.mark.parametrize(
    ("size", "sent"), [((1920, 1080), (1280, 720)), ((400, 1000), (288, 720)), ((64, 48), (64, 48))]
)
def test_a_large_film_is_sent_smaller(tmp_path: Path, size: tuple[int, int], sent: tuple[int, int]) -> None:
    show = Show(tmp_path, size)
    show.screenings.add("playback:f", show.pictures.append, None)
    show.run(0.0, 0.1)
    (picture, *_) = VideoDecoder(CodecId.VP8).decode(show.pictures[0].data, 0.0)
    assert (picture.width, picture.height) == sent


def test_the_desk_sends_a_film_as_a_stream_until_it_is_stopped(tmp_path: Path) -> None:
    sent: list[bytes] = []
    room = Room(send=sent.append)
    room.show(Scene(320, 180))
    path = film(tmp_path / "film.webm", seconds=2.0)
    room.desk.play({"id": "f", "path": str(path), "sound": True, "loops": 0})
    room.desk.screen({"id": "f", "video_ssrc": 5, "audio_ssrc": 6})
    room.run(room.now + 1.0)
    packets = [read_packet(data) for data in sent if not 192 <= data[1] < 224]
    assert {packet.ssrc for packet in packets} == {5, 6}
    depacketizer, decoder = Depacketizer(CodecId.VP8), VideoDecoder(CodecId.VP8)
    pictures = [packet for packet in packets if packet.ssrc == 5]
    frames = [f for p in pictures for f in depacketizer.push(p.payload, p.timestamp, p.marker)]
    numbers = [number_of(each) for frame in frames for each in decoder.decode(frame.data, 0.0)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 15
    assert len([packet for packet in packets if packet.ssrc == 6]) > 30
    room.desk.stop_playing({"id": "f"})
    before = len(sent)
    room.run(room.now + 0.5)
    assert len(sent) == before
