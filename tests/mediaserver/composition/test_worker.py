"""The media worker as a process: killed, hung, starved or fed with garbage, it costs the meeting nothing."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import av
import pytest

from mediaserver import (
    BroadcastEnded,
    BroadcastEvent,
    BroadcastInterrupted,
    BroadcastStarted,
    RecordingClosed,
    RecordingStarted,
    RtmpTarget,
    SnapshotTaken,
    StreamEnded,
    StreamStarted,
    WorkerFailed,
)
from mediaserver.composition import process as process_module
from mediaserver.composition.layouts import Box
from mediaserver.composition.scene import Scene, Tile
from mediaserver.egress.chunks import DATA, PICTURE, SOUND
from mediaserver.media.codecs import VideoDecoder
from mediaserver.media.depacketize import Depacketizer
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import read_packet
from tests.support.coded import number_of, pictures, tones
from tests.support.rtmp_server import BAD_NAME, Server, Taking
from tests.support.studio import PATIENCE, Person, Venue, Watcher, venue

CLUSTER = b"\x1f\x43\xb6\x75"
LOST = 1.5  # seconds: one until the next flush, and a busy machine


def send(person: Person, begin: int, end: int) -> None:
    """Pictures 1/30 s apart with a key frame every third of a second, and sound beside them."""
    for i in range(begin, end):
        if person.codec is not None:
            data, key = pictures(person.codec, 30, key_every=10)[i % 30]
            person.show(data, i / 30, key=key)
        for k in range(i * 5 // 3, (i + 1) * 5 // 3):
            person.speak(tones(1.0)[k % 50], k * 0.02)


async def talk(person: Person, done: Callable[[], bool]) -> int:
    """Sends as time goes by; returns how many pictures."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while not done():
        due = int((loop.time() - began) * 30)
        send(person, sent, due)
        if due // 30 > sent // 30 or sent == 0:
            person.report()
        sent = max(sent, due)
        await asyncio.sleep(0.01)
    return sent


def length(path: Path) -> float:
    """Seconds that can be decoded, up to the last frame's end."""
    with av.open(str(path)) as container:
        stream = container.streams[0]
        times = [frame.time or 0.0 for frame in container.decode(stream)]
    return times[-1] + 0.033 if times else 0.0


def check_files(folder: Path, index: dict[str, list[dict[str, object]]]) -> None:
    """Every file can be read to its end, has a duration, and can be sought in."""
    for track in index["tracks"]:
        path = folder / str(track["file"])
        with av.open(str(path)) as container:
            assert container.duration is not None
            assert container.duration > 0
            container.seek(container.duration // 2)
            next(container.decode(container.streams[0]))
        assert length(path) == pytest.approx(track["duration"], abs=0.1)


async def record(here: Venue, path: Path) -> None:
    here.conference.record("r", path, "individual")
    await here.event(RecordingStarted)


async def say_something(here: Venue, person: Person) -> None:
    """A second of sound and picture. The first packets come alone: of a burst, joiners get its newest key frame."""
    before = here.server.port.engine.stats()["packets_forwarded"]
    send(person, 0, 1)
    await here.forwarded(before + 2)
    send(person, 1, 30)
    await here.forwarded(before + 75)


def clusters(folder: Path) -> int:
    """How often the file has been flushed that was flushed least, of two."""
    files = [path.read_bytes().count(CLUSTER) for path in folder.glob("*.webm")]
    return min(files) if len(files) == 2 else 0


async def test_a_killed_worker_is_replaced_and_its_files_go_on(tmp_path: Path) -> None:
    loop, folder = asyncio.get_running_loop(), tmp_path / "r"
    async with venue() as here:
        ada = here.person("ada")
        recording = here.conference.record("r", folder, "individual")
        await here.event(RecordingStarted)
        began, flushed, killed_at = loop.time(), 0, 0.0

        def done() -> bool:
            nonlocal flushed, killed_at
            if not killed_at and clusters(folder) >= 2:
                flushed, killed_at = clusters(folder), loop.time()
                os.kill(here.worker_pid() or 0, signal.SIGKILL)
            return bool(killed_at) and clusters(folder) >= flushed + 2

        await asyncio.wait_for(talk(ada, done), PATIENCE)
        recording.stop()
        closed = await here.event(RecordingClosed)
        assert (await here.event(WorkerFailed)).again
    assert closed.why == "stopped"
    assert len(closed.index["tracks"]) == 2, "the same files, written on"
    assert len(closed.index["interruptions"]) == 1
    check_files(folder, closed.index)
    for track in closed.index["tracks"]:
        with av.open(str(folder / track["file"])) as container:
            times = [frame.time or 0.0 for frame in container.decode(container.streams[0])]
        kept = [time for time in times if time < killed_at - began]
        assert kept[-1] > killed_at - began - LOST, "lost: a second at most"
        assert times[-1] > killed_at - began


async def test_a_worker_that_dies_again_and_again_is_given_up_and_its_files_are_finished(tmp_path: Path) -> None:
    async with venue() as here:
        ada = here.person("ada")
        await record(here, tmp_path / "r")
        await say_something(here, ada)
        for _ in range(process_module.MAX_FAILURES):
            failures = len([event for event in here.events if isinstance(event, WorkerFailed)])
            await here.until(lambda: here.worker_pid() is not None)
            os.kill(here.worker_pid() or 0, signal.SIGKILL)
            await here.until(
                lambda n=failures: len([e for e in here.events if isinstance(e, WorkerFailed)]) > n  # type: ignore[misc]
            )
        closed = await here.event(RecordingClosed)
        assert (await here.event(WorkerFailed, lambda event: not event.again)).again is False
    assert closed.why == "worker failed"
    assert closed.index is not None
    assert not (tmp_path / "r" / "journal.jsonl").exists()


async def test_the_end_of_the_conference_ends_its_recordings(tmp_path: Path) -> None:
    async with venue() as here:
        ada = here.person("ada")
        await record(here, tmp_path / "r")
        await say_something(here, ada)
        here.conference.close()
        closed = await here.event(RecordingClosed)
        assert (closed.why, len(closed.index["tracks"])) == ("conference over", 2)
        await here.until(lambda: not here.server._workers)
    check_files(tmp_path / "r", closed.index)


async def test_a_server_that_goes_away_leaves_finished_files(tmp_path: Path) -> None:
    """The worker notices that nobody is there any more."""
    async with venue() as here:
        ada = here.person("ada")
        await record(here, tmp_path / "r")
        await say_something(here, ada)
        studio = here.conference._studio
        assert studio is not None
        worker = studio.process.link  # type: ignore[attr-defined]
        worker.channel.close()  # as the kernel does for a server that is killed
        await worker.process.wait()
        assert worker.process.returncode == 0
        assert (tmp_path / "r" / "index.json").exists()


async def test_what_a_kill_of_both_left_behind_is_finished_at_the_next_start(tmp_path: Path) -> None:
    async with venue() as here:
        ada = here.person("ada")
        folder = tmp_path / "all" / "r"
        await record(here, folder)
        await asyncio.wait_for(talk(ada, lambda: clusters(folder) >= 2), PATIENCE)
        studio = here.conference._studio
        assert studio is not None
        studio.close = lambda: None  # type: ignore[method-assign]
        studio.process.connect = lambda: None  # type: ignore[attr-defined]
        os.kill(here.worker_pid() or 0, signal.SIGKILL)
    assert (tmp_path / "all" / "r" / "journal.jsonl").exists()
    async with venue() as later:
        (closed,) = await later.server.repair_recordings(tmp_path / "all")
    assert closed.path == str(tmp_path / "all" / "r")
    assert (closed.why, len(closed.index["tracks"])) == ("server gone", 2)
    check_files(tmp_path / "all" / "r", closed.index)


def spoiled(payload: bytes, random: Random) -> bytes:
    """With some bytes changed, the later ones more often: most still looks like a frame."""
    broken = bytearray(payload)
    for _ in range(random.randrange(8)):
        broken[max(random.randrange(len(broken)), random.randrange(len(broken)))] = random.randrange(256)
    return bytes(broken)


@pytest.mark.parametrize("codec", [CodecId.VP8, CodecId.H264_BASELINE, CodecId.AV1, CodecId.VP9])
async def test_hostile_bitstreams_cost_at_most_the_worker(tmp_path: Path, codec: CodecId) -> None:
    random = Random(int(codec))
    scene = Scene(320, 180, tiles=(Tile(Box(0, 0, 320, 180), "eve-camera"),))
    async with venue() as here:
        eve, ada = here.person("eve", codec), here.person("ada")
        here.conference.compose(scene)
        recording = here.conference.record("r", tmp_path / "r", "individual")
        await here.event(RecordingStarted)
        frames = pictures(codec, 30, key_every=10)
        for i in range(60):
            data, key = frames[i % 30]
            eve.show(data, i / 30, key=key, spoil=lambda payload: spoiled(payload, random))
            eve.speak(random.randbytes(random.randrange(1, 200)), i / 30)
        await say_something(here, ada)
        recording.stop()
        closed = await here.event(RecordingClosed)
    tracks = {(track["participant_id"], track["kind"]) for track in closed.index["tracks"]}
    assert {("ada", "video"), ("ada", "audio")} <= tracks


async def test_a_hung_worker_is_killed_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "SILENCE", 2.5)
    async with venue() as here:
        await record(here, tmp_path / "r")
        pid = here.worker_pid() or 0
        os.kill(pid, signal.SIGSTOP)
        assert (await here.event(WorkerFailed)).again
        await here.until(lambda: here.worker_pid() not in (None, pid))


async def test_an_idle_worker_is_ended(tmp_path: Path) -> None:
    async with venue(worker_idle=0.1) as here:
        recording = here.conference.record("r", tmp_path / "r", "individual")
        await here.event(RecordingStarted)
        recording.stop()
        await here.event(RecordingClosed)
        await here.until(lambda: not here.server._workers)
        assert not [event for event in here.events if isinstance(event, WorkerFailed)]
        await record(here, tmp_path / "again")


async def test_the_composite_is_recorded_and_pictured_by_the_process(tmp_path: Path) -> None:
    scene = Scene(320, 180, tiles=(Tile(Box(0, 0, 320, 180), "ada-camera"),))
    loop = asyncio.get_running_loop()
    async with venue() as here:
        ada = here.person("ada")
        here.conference.compose(scene)
        recording = here.conference.record("r", tmp_path / "r")
        await here.event(RecordingStarted)
        until = loop.time() + 2.5
        await talk(ada, lambda: loop.time() > until)
        here.conference.snapshot("s", tmp_path / "s.jpg")
        assert (await here.event(SnapshotTaken)).failed is None
        recording.stop()
        closed = await here.event(RecordingClosed)
    assert closed.duration > 1.5
    check_files(tmp_path / "r", closed.index)
    with av.open(str(tmp_path / "s.jpg")) as container:
        assert 0 < number_of(next(container.decode(video=0))) < 30


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "r").write_text("a file")
    async with venue() as here:
        here.conference.record("r", tmp_path / "r", "individual")
        closed = await here.event(RecordingClosed)
    assert closed.index is None
    assert "r" in closed.why


async def test_a_composite_recording_beside_a_running_one_needs_no_scene(tmp_path: Path) -> None:
    async with venue(worker_idle=0.1) as here:
        first = here.conference.record("a", tmp_path / "a", "individual")
        await here.event(RecordingStarted, lambda event: event.recording_id == "a")
        second = here.conference.record("b", tmp_path / "b")
        await here.event(RecordingStarted, lambda event: event.recording_id == "b")
        file = tmp_path / "b" / "recording.webm"
        await here.until(lambda: file.exists() and file.stat().st_size > 1000)
        for recording in (first, second):
            recording.stop()
        closed = await here.event(RecordingClosed, lambda event: event.recording_id == "b")
        await here.until(lambda: not here.server._workers)
    check_files(tmp_path / "b", closed.index)


async def test_the_composite_comes_back_as_a_stream(tmp_path: Path) -> None:
    scene = Scene(320, 180, tiles=(Tile(Box(0, 0, 320, 180), "ada-camera"),))
    numbers: list[int] = []
    async with venue() as here:
        ada = here.person("ada")
        here.conference.compose(scene)
        here.conference.one_view(True)
        started = await here.event(StreamStarted, lambda event: event.stream.label == "one_view")
        assert (started.stream.audio, started.stream.video) == (True, True)
        (stream,) = [each for each in here.conference.published() if each.label == "one_view"]
        picture, sound = (Watcher(here.conference, stream.tracks[kind].source) for kind in ("video", "audio"))

        async def watch() -> None:
            depacketizer, decoder = Depacketizer(CodecId.VP8), VideoDecoder(CodecId.VP8)
            while len(set(numbers)) < 20:
                packet = read_packet(await picture.packet())
                for frame in depacketizer.push(packet.payload, packet.timestamp, packet.marker):
                    numbers.extend(number_of(each) for each in decoder.decode(frame.data, 0.0))

        watching = asyncio.create_task(watch())
        await asyncio.wait_for(talk(ada, watching.done), PATIENCE)
        await watching
        assert (await sound.packet())[1] & 0x7F == CODECS[CodecId.OPUS].payload_type
        here.conference.one_view(False)
        await here.event(StreamEnded, lambda event: event.stream_id == started.stream.stream_id)
        picture.close()
        sound.close()
    assert set(numbers) <= set(range(30))


async def test_a_broadcast_goes_on_with_the_next_worker_and_ends_when_it_is_told_to() -> None:
    with Server() as platform:
        async with venue(worker_idle=0.1) as here:
            here.conference.broadcast("b", RtmpTarget(platform.url(), ("127.0.0.1",)))
            await here.event(BroadcastStarted)
            first = platform.come.get_nowait()
            await here.until(lambda: first.media)
            os.kill(here.worker_pid() or 0, signal.SIGKILL)
            await here.event(BroadcastStarted, lambda _event: told(here, BroadcastStarted) == 2)
            second = platform.come.get_nowait()
            await here.until(lambda: second.media)
            here.conference.stop_broadcast("b")
            await here.until(lambda: not here.server._workers)
        assert [each.kind for each in second.media[:3]] == [DATA, PICTURE, SOUND]
        assert told(here, BroadcastEnded) == 0, "who has it ended knows"


async def test_what_a_platform_refuses_for_good_is_told_and_nothing_goes_on() -> None:
    with Server(lambda: Taking(answer=BAD_NAME)) as platform:
        async with venue(worker_idle=0.1, broadcast_pauses=(0.0, 0.0, 0.0)) as here:
            here.conference.broadcast("b", RtmpTarget(platform.url(), ("127.0.0.1",)))
            ended = await here.event(BroadcastEnded)
            await here.until(lambda: not here.server._workers)
        assert (ended.broadcast_id, ended.why) == ("b", "NetStream.Publish.BadName")
        assert told(here, BroadcastInterrupted) == 3
        assert platform.count == 4


async def test_the_end_of_the_conference_ends_its_broadcasts() -> None:
    with Server() as platform:
        async with venue() as here:
            for number in range(2):
                here.conference.broadcast(f"b{number}", RtmpTarget(platform.url(), ("127.0.0.1",)))
            await here.until(lambda: told(here, BroadcastStarted) == 2)
            here.conference.close()
            await here.until(lambda: not here.server._workers)


async def test_an_order_that_starts_the_worker_is_given_once(tmp_path: Path) -> None:
    async with venue(worker_idle=0.1) as here:
        here.conference.snapshot("s", tmp_path / "s.jpg")
        recording = here.conference.record("r", tmp_path / "r")
        await here.event(RecordingStarted)
        await here.event(SnapshotTaken)
        recording.stop()
        closed = await here.event(RecordingClosed)
        await here.until(lambda: not here.server._workers)
        assert sum(isinstance(event, SnapshotTaken) for event in here.events) == 1
    assert not closed.index.get("interruptions")


def told(here: Venue, kind: type[BroadcastEvent]) -> int:
    return sum(isinstance(event, kind) for event in here.events)
