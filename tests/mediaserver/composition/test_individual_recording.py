"""Individual recordings from end to end: packets of people, through a packet thread and a worker, to files."""

import json
from pathlib import Path

import av
import pytest

from mediaserver import RecordingClosed, RecordingStarted
from mediaserver.rtp.codecs import CodecId
from tests.support.coded import number_of, pictures, tones
from tests.support.studio import Person, venue


def send(person: Person, begin: int, end: int) -> None:
    """Pictures 1/30 s apart that show their numbers, and sound beside them."""
    for i in range(begin, end):
        if person.codec is not None:
            data, key = pictures(person.codec, 90, key_every=30)[i]
            person.show(data, i / 30, key=key)
        for k in range(i * 5 // 3, (i + 1) * 5 // 3):
            person.speak(tones(3.0)[k], k * 0.02)


def shown(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        return [(round((frame.time or 0.0) * 30), number_of(frame)) for frame in container.decode(video=0)]


async def test_every_track_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    async with venue() as here:
        ada, bob = here.person("ada"), here.person("bob", CodecId.H264_BASELINE)
        recording = here.conference.record("r1", tmp_path / "r1", "individual", {"ada": "Ada"})
        await here.event(RecordingStarted)
        for person in (ada, bob):
            send(person, 0, 1)
        await here.forwarded(6)
        for person in (ada, bob):
            person.report()
        await here.settled(ada, bob)
        for person in (ada, bob):
            send(person, 1, 90)
        recording.note({"type": "chat", "text": "hello"})
        await here.forwarded(90 * 2 + 150 * 2)
        recording.stop()
        closed = await here.event(RecordingClosed)
    assert (closed.recording_id, closed.why) == ("r1", "stopped")
    index = json.loads((tmp_path / "r1" / "index.json").read_text())
    assert index == closed.index
    tracks = {(track["participant_id"], track["kind"]): track for track in index["tracks"]}
    assert set(tracks) == {("ada", "audio"), ("ada", "video"), ("bob", "audio"), ("bob", "video")}
    assert tracks["ada", "video"]["name"] == "Ada"
    assert tracks["bob", "video"]["file"].endswith(".mkv")
    assert index["events"][0]["text"] == "hello"
    for person in ("ada", "bob"):
        path = tmp_path / "r1" / tracks[person, "video"]["file"]
        assert shown(path) == [(i, i) for i in range(90)]
        assert abs(tracks[person, "video"]["offset"] - tracks[person, "audio"]["offset"]) <= 0.04
        with av.open(str(tmp_path / "r1" / tracks[person, "audio"]["file"])) as container:
            assert [bytes(packet) for packet in container.demux(audio=0) if packet.size] == list(tones(3.0))
    assert index["duration"] == pytest.approx(max(track["offset"] for track in index["tracks"]) + 3.0, abs=0.1)
    assert not (tmp_path / "r1" / "journal.jsonl").exists()
