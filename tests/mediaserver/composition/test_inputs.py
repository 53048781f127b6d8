"""What comes into the composite and changes on its way: phones that are turned, films, listeners; with real codecs."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediaserver import Film, PlaybackEnded, PlaybackStarted, StreamEnded, StreamStarted, WorkerFailed
from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Scene, Tile
from mediaserver.media.codecs import VideoDecoder
from mediaserver.media.depacketize import Depacketizer
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import read_packet
from tests.mediaserver.composition.test_composite_recording import cut
from tests.mediaserver.composition.test_worker import talk
from tests.support.coded import number_of, pictures
from tests.support.desk import Room, Sender
from tests.support.films import film
from tests.support.studio import PATIENCE, Venue, Watcher, venue

WIDE, UPRIGHT = (320, 176), (176, 320)
WHOLE = Box(0, 0, *WIDE)
MIDDLE = Box(112, 0, 96, 176)
DARK = 40


def shown(room: Room, path: Path) -> av.VideoFrame:
    room.desk.snapshot({"id": "s", "path": str(path)})
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.VP9, CodecId.H264_BASELINE, CodecId.AV1])
def test_a_phone_that_is_turned_is_shown_whole(tmp_path: Path, codec: CodecId) -> None:
    room, phone = Room(), Sender("ada-camera", codec, 10)
    room.feed(phone, "show")
    tile = Tile(Box(*(0, 0), *WIDE, "contain"), "ada-camera")
    room.show(Scene(*WIDE, tiles=(tile,), show_names=False, fade=0.0))
    start, at = room.now, 0.0
    for size, box in ((WIDE, WHOLE), (UPRIGHT, MIDDLE), (WIDE, WHOLE)):
        for number in range(20):
            data, key = pictures(codec, 20, size)[number]
            room.run(start + at)
            room.send(phone.report(at), *phone.packets(data, at, key=key))
            at += 1 / 30
        room.run(start + at + 0.4)
        at += 0.4
        frame = shown(room, tmp_path / "s.jpg")
        assert number_of(cut(frame, box)) == 19
        beside = cut(frame, Box(224, 0, 96, 176)).to_ndarray(format="gray")
        assert (beside.max() < DARK) == (box is MIDDLE)


async def playing(here: Venue, path: Path) -> None:
    scene = Scene(320, 180, tiles=(Tile(Box(0, 0, 320, 180), Film("film", "").source),))
    here.conference.compose(scene)
    here.conference.play(Film("film", str(path), sound=True, loops=-1))
    assert (await here.event(PlaybackStarted)).picture


async def test_a_film_plays_in_the_process_and_ends_with_it(tmp_path: Path) -> None:
    async with venue() as here:
        await playing(here, film(tmp_path / "film.webm"))
        os.kill(here.worker_pid() or 0, signal.SIGKILL)
        assert (await here.event(WorkerFailed)).again
        ended = await here.event(PlaybackEnded)
        assert (ended.play_id, ended.why) == ("film", "worker failed")


async def test_a_film_is_a_stream_of_the_conference_as_long_as_it_plays(tmp_path: Path) -> None:
    numbers: set[int] = set()
    async with venue() as here:
        await playing(here, film(tmp_path / "film.webm"))
        here.conference.screen("film", picture=True, sound=True)
        started = await here.event(StreamStarted)
        assert (started.stream.label, started.participant_id) == ("playback", "film")
        assert (started.stream.video, started.stream.audio) == (True, True)
        (stream,) = here.conference.published()
        watcher = Watcher(here.conference, stream.tracks["video"].source)
        depacketizer, decoder = Depacketizer(CodecId.VP8), VideoDecoder(CodecId.VP8)
        while len(numbers) < 20:
            packet = read_packet(await watcher.packet())
            for frame in depacketizer.push(packet.payload, packet.timestamp, packet.marker):
                numbers.update(number_of(each) for each in decoder.decode(frame.data, 0.0))
        here.conference.stop_playing("film")
        await here.event(StreamEnded, lambda event: event.stream_id == stream.stream_id)
        assert here.conference.published() == []
        watcher.close()
    assert numbers <= set(range(30))


async def test_a_file_that_is_no_film_is_told_by_the_process(tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(1000))
    async with venue() as here:
        here.conference.play(Film("film", str(path)))
        assert (await here.event(PlaybackEnded)).why == "it cannot be read"


async def test_a_listener_hears_on_after_the_worker_has_been_replaced() -> None:
    async with venue() as here:
        ada = here.person("ada")
        here.conference.one_view(True)
        studio: Any = here.conference._studio
        track = studio.listen("ada", ("ada-camera",))
        watcher = Watcher(here.conference, track.source)

        async def hears() -> None:
            packets = [await watcher.packet() for _ in range(20)]
            assert {packet[1] & 0x7F for packet in packets} == {CODECS[CodecId.OPUS].payload_type}
            assert np.unique([packet[2:4] for packet in packets]).size == 20

        hearing = asyncio.create_task(hears())
        await asyncio.wait_for(talk(ada, hearing.done), PATIENCE)
        await hearing
        os.kill(here.worker_pid() or 0, signal.SIGKILL)
        await here.event(WorkerFailed)
        hearing = asyncio.create_task(hears())
        await asyncio.wait_for(talk(ada, hearing.done), PATIENCE)
        await hearing
        here.conference.one_view(False)
        watcher.close()
