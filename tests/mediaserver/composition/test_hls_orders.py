"""What workers are told of HLS streams, and what is made of what they tell."""

from pathlib import Path
from typing import Any

import pytest

from mediaserver.composition.hls_orders import MAX_PART, HlsStreams
from mediaserver.events import HlsBegun, HlsEnded, HlsPart, MediaEvent

FOLDER = Path("/data/hls/h")
PART = {
    "did": "hls", "id": "h", "event": "part", "file": "1-2.m4s", "offset": 5, "size": 7, "at": 10.0, "duration": 0.33,
    "independent": True, "first": True, "last": False,
}  # fmt: skip


class Server:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.told: list[MediaEvent] = []
        self.streams = HlsStreams("c", lambda **message: self.sent.append(message), self.told.append)


@pytest.fixture
def server() -> Server:
    server = Server()
    server.streams.add("h", FOLDER)
    server.streams.begin("h")
    return server


def test_each_worker_has_names_of_its_own_for_files(server: Server) -> None:
    server.streams.brief()
    assert server.sent == [
        {"do": "hls", "id": "h", "folder": "/data/hls/h", "prefix": "1-"},
        {"do": "hls", "id": "h", "folder": "/data/hls/h", "prefix": "2-"},
    ]


def test_what_is_written_is_told_with_its_place(server: Server) -> None:
    assert not server.streams.heard({"did": "hls", "id": "h", "event": "begun", "file": "1-1.mp4"})
    assert not server.streams.heard(PART)
    assert server.told == [
        HlsBegun("c", "", "h", "/data/hls/h/1-1.mp4"),
        HlsPart("c", "", "h", "/data/hls/h/1-2.m4s", 5, 7, 10.0, 0.33, independent=True, first=True, last=False),
    ]


@pytest.mark.parametrize("file", ["../../etc/passwd", "/etc/passwd", "a/../passwd"])
def test_no_worker_leads_out_of_the_folder(server: Server, file: str) -> None:
    server.streams.heard({**PART, "file": file, "size": 1 << 40})
    (part,) = server.told
    assert isinstance(part, HlsPart)
    assert (part.path, part.size) == ("/data/hls/h/passwd", MAX_PART)


def test_a_stream_ends_once(server: Server) -> None:
    server.streams.stop("h")
    server.streams.stop("h")
    assert server.sent[1:] == [{"do": "stop_hls", "id": "h"}]
    assert server.streams
    assert server.streams.heard({"did": "hls_over", "id": "h", "why": "stopped"})
    assert not server.streams.heard({"did": "hls_over", "id": "h", "why": "stopped"})
    assert server.told == [HlsEnded("c", "", "h", "stopped")]
    assert not server.streams


def test_a_worker_that_comes_too_late_is_told_to_stop_at_once(server: Server) -> None:
    server.streams.stop("h")
    server.streams.brief()
    assert server.sent[-1] == {"do": "stop_hls", "id": "h"}


@pytest.mark.parametrize(("over", "why"), [(False, "worker failed"), (True, "conference over")])
async def test_what_nobody_goes_on_with_has_ended(server: Server, over: bool, why: str) -> None:
    if over:
        server.streams.close()
    await server.streams.give_up()
    assert server.told == [HlsEnded("c", "", "h", why)]


def test_an_id_is_streamed_once(server: Server) -> None:
    with pytest.raises(ValueError, match="already"):
        server.streams.add("h", FOLDER)
