"""Pushing from a thread: what is tried again, what is given up, and that the name in a certificate counts."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from mediaserver.composition.encoding import Encoding
from mediaserver.egress import chunks
from mediaserver.egress.output import Coding
from mediaserver.egress.rtmp import RtmpPush
from tests.support.pictures import coded, tone
from tests.support.rtmp_platform import certificate
from tests.support.rtmp_server import BAD_NAME, PATIENCE, Server, Taking

NO_PAUSES = (0.0, 0.0, 0.0)
LIVE, WAITING, OVER = "live", "waiting", "over"


class Pushing:
    def __init__(
        self, url: str, addresses: tuple[str, ...], ca_file: str | None, pauses: tuple[float, ...] = NO_PAUSES
    ) -> None:
        self.told: Queue[tuple[str, str]] = Queue()
        self.push = RtmpPush(url, addresses, lambda *told: self.told.put(told), ca_file=ca_file, pauses=pauses)
        self.encoding = Encoding(Coding.BROADCAST, 30)
        self.encoding.add(self.push)
        self.at = 0.0

    def play(self, seconds: float, size: tuple[int, int] = (320, 180)) -> None:
        """As much program, at once."""
        for _ in range(round(seconds * 30)):
            self.encoding.picture(coded(1, *size, at=self.at))
            self.encoding.sound(tone(440, self.at), self.at)
            self.at += 1 / 30

    def next(self) -> tuple[str, str]:
        return self.told.get(timeout=PATIENCE)


@contextmanager
def pushing(
    server: Server, addresses: tuple[str, ...] = ("127.0.0.1",), ca_file: str | None = None, **url: str
) -> Iterator[Pushing]:
    there = Pushing(server.url(**url), addresses, ca_file)
    try:
        yield there
    finally:
        there.push.close()


def test_a_program_arrives_from_a_key_frame_on() -> None:
    with Server() as server, pushing(server) as there:
        assert there.next() == (LIVE, "")
        there.play(2.5)
        taking = server.come.get(timeout=PATIENCE)
        server.until(lambda: len([each for each in taking.media if each.kind == chunks.PICTURE]) > 30)
        pictures = [each for each in taking.media if each.kind == chunks.PICTURE]
        assert [each.body[:2] for each in pictures[:2]] == [b"\x17\0", b"\x17\1"]
        assert (pictures[1].time_ms, pictures[2].time_ms) == (0, 33)


def test_another_size_is_told_ahead_of_its_first_picture() -> None:
    with Server() as server, pushing(server) as there:
        there.next()
        there.play(2.2)
        there.play(2.2, (640, 360))
        taking = server.come.get(timeout=PATIENCE)
        server.until(lambda: len([each for each in taking.media if each.body[:2] == b"\x17\0"]) == 2)


def test_a_connection_that_breaks_is_made_again_and_begins_with_a_key_frame() -> None:
    with Server() as server, pushing(server) as there:
        there.next()
        server.come.get(timeout=PATIENCE)
        server.hang_up()
        assert there.next()[0] == WAITING
        assert there.next() == (LIVE, "")
        there.play(2.5)
        taking = server.come.get(timeout=PATIENCE)
        server.until(lambda: taking.media)
        assert taking.media[1].body[:2] == b"\x17\0"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda: Taking(answer=BAD_NAME), "NetStream.Publish.BadName", id="refuses"),
        pytest.param(None, "the server has closed the connection", id="hangs up"),
    ],
)
def test_who_does_not_take_it_is_tried_three_times_more(make: Callable[[], Taking] | None, why: str) -> None:
    with Server(make or Taking, refuse=make is None) as server, pushing(server) as there:
        told = [there.next() for _ in range(4)]
        assert [state for state, _ in told] == [WAITING, WAITING, WAITING, OVER]
        assert server.count == 4
        assert all("secret" not in text for _, text in told)
        if make:
            assert told[-1][1] == why


def test_where_nobody_listens_it_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    there = Pushing(f"rtmp://live.example:{port}/live/secret-key", ("127.0.0.1",), None)
    assert [there.next() for _ in range(4)][-1] == (OVER, "Connection refused")


def test_who_ends_it_does_not_wait_for_the_next_try() -> None:
    with Server(refuse=True) as server:
        there = Pushing(server.url(), ("127.0.0.1",), None, pauses=(PATIENCE * 10,))
        (thread,) = [each for each in threading.enumerate() if each.name == "rtmp" and each.is_alive()][-1:]
        assert there.next()[0] == WAITING
        there.push.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert there.told.empty()


def test_only_the_addresses_that_were_checked_are_connected_to() -> None:
    with Server() as server, pushing(server, ("127.0.0.2", "127.0.0.1"), host="anything.example") as there:
        assert there.next() == (LIVE, "")
        taking = server.come.get(timeout=PATIENCE)
        assert taking.commands[0][2]["tcUrl"] == f"rtmp://anything.example:{server.port}/live"


@pytest.mark.parametrize(
    ("host", "trusted", "state"),
    [
        pytest.param("localhost", True, LIVE, id="its name"),
        pytest.param("other.example", True, WAITING, id="another name"),
        pytest.param("localhost", False, WAITING, id="a certificate that nobody trusts"),
    ],
)
def test_the_name_in_the_certificate_counts(tmp_path: Path, host: str, trusted: bool, state: str) -> None:
    file, key_file = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file, key_file)
    ca_file = str(file) if trusted else None
    with Server(tls=tls) as server, pushing(server, ca_file=ca_file, scheme="rtmps", host=host) as there:
        told, why = there.next()
        assert told == state
        assert bool(why) == (state == WAITING)
