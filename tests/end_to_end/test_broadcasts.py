"""A meeting of two people on platforms that take RTMP: what a viewer there sees and hears, and what platforms do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.end_to_end.test_recording import hears
from tests.end_to_end.test_recordings import GREEN, HIGH, LOW, RED, Team, boxes_of, has_colour, standup
from tests.support.mesh_peer import MeshPeer
from tests.support.rtmp_platform import Platform, Terminator

KEY_SECONDS = 2.0  # between key frames
WATCHED = 5.0  # seconds
SECRET = "a-secret-key"

pytestmark = pytest.mark.slow


async def begin(team: Team, platform: str, url: str) -> None:
    await team.inside("POST", "broadcasts", data={"stream_url": url, "platform": platform})


def live(witness: MeshPeer) -> list[str]:
    """Platforms, as they were told last."""
    told = witness.told("broadcasts_update")
    assert told
    return [each["platform"] for each in told["broadcasts"]]


def pictures_of(file: Path) -> Iterator[np.ndarray]:
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def shows_both(file: Path, witness: MeshPeer) -> bool:
    boxes = boxes_of(witness)
    *_, last = pictures_of(file)
    return has_colour(last, boxes["ada"], RED) and has_colour(last, boxes["bob"], GREEN)


def check_coding(file: Path) -> None:
    """Of what viewers get: H.264 and AAC, key frames every two seconds, and times that only grow."""
    with av.open(str(file)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, audio.rate) == (1280, 720, 48000)
        packets = [packet for packet in container.demux(video, audio) if packet.size and packet.dts is not None]
        for stream in (video, audio):
            times = [float(packet.dts * packet.time_base) for packet in packets if packet.stream is stream]
            assert times == sorted(times)
        keys = [float(p.dts * p.time_base) for p in packets if p.stream is video and p.is_keyframe]
    assert len(keys) >= 2
    assert max(np.diff(keys)) <= KEY_SECONDS + 0.1


async def test_two_platforms_show_the_meeting_and_one_that_dies_is_found_again(tmp_path: Path) -> None:
    async with (
        standup(tmp_path, fetch__allow_private_addresses="true") as (team, ada, _),
        Platform(tmp_path / "one") as one,
        Platform(tmp_path / "two") as two,
    ):
        await begin(team, "one", one.url(SECRET))
        await begin(team, "two", two.url(SECRET))
        await ada.until(lambda: live(ada) == ["one", "two"], "both")
        files = [tmp_path / "one.mp4", tmp_path / "two.mp4"]
        await asyncio.gather(one.watch(SECRET, WATCHED, files[0]), two.watch(SECRET, WATCHED, files[1]))
        for file in files:
            check_coding(file)
            assert shows_both(file, ada)
            assert hears(file, LOW, HIGH)
        await two.die()
        await one.watch(SECRET, WATCHED, files[0])
        check_coding(files[0])
        await two.live()
        await two.watch(SECRET, WATCHED, files[1])
        assert shows_both(files[1], ada)
        assert live(ada) == ["one", "two"]
        await team.inside("DELETE", "broadcasts")
        await ada.until(lambda: live(ada) == [], "none")
    assert SECRET not in (tmp_path / "server.log").read_text()


async def test_a_platform_that_refuses_is_tried_again_and_then_leaves_the_list(tmp_path: Path) -> None:
    async with (
        standup(tmp_path, fetch__allow_private_addresses="true") as (team, ada, _),
        Platform(tmp_path / "platform") as platform,
    ):
        await begin(team, "refusing", platform.url(SECRET, app="closed"))
        await begin(team, "taking", platform.url(SECRET))
        await ada.until(lambda: live(ada) == ["refusing", "taking"], "both")
        await ada.until(lambda: live(ada) == ["taking"], "the one that takes it")
        assert platform.tries() == 1 + 4
        file = await platform.watch(SECRET, WATCHED, tmp_path / "file.mp4")
        check_coding(file)
    assert SECRET not in (tmp_path / "server.log").read_text()


async def test_rtmps_is_for_the_name_in_the_certificate(tmp_path: Path) -> None:
    async with Platform(tmp_path / "platform") as platform, Terminator(platform, tmp_path) as terminator:
        options = {"fetch__allow_private_addresses": "true", "broadcasts__ca_file": str(terminator.ca_file)}
        async with standup(tmp_path, **options) as (team, ada, _):
            await begin(team, "secure", terminator.url(SECRET))
            file = await platform.watch(SECRET, WATCHED, tmp_path / "file.mp4")
            assert shows_both(file, ada)
            assert set(terminator.names) == {"localhost"}
