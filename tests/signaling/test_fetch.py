"""Fetching over real sockets, from an origin that means harm."""

import asyncio
import gzip
import os
import socket
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from signaling import fetch
from signaling.fetch import Answer, Fetcher
from signaling.services.errors import FetchRefused
from signaling.settings import Fetch
from tests.support.origin import Origin, origin, redirect, response

PUBLIC = "93.184.215.14"
MIB = 1 << 20
PICTURE = b"\x89PNG and so on"


class Names:
    """A resolver that says something else each time it is asked; the last answer repeats."""

    def __init__(self, **known: Sequence[Sequence[str]]) -> None:
        self.known = {name.replace("_", "."): list(answers) for name, answers in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.known:
            raise socket.gaierror
        answers = self.known[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
async def server() -> AsyncIterator[Origin]:
    async with origin() as server:
        yield server


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """One that may go to this machine."""
    fetcher = Fetcher(Fetch(allow_private_addresses=True))
    yield fetcher
    await fetcher.aclose()


@pytest.fixture
async def strict() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(Fetch())
    yield fetcher
    await fetcher.aclose()


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


# what is there


async def test_what_is_there_is_fetched(fetcher: Fetcher, server: Origin):
    server.answers["/a.png"] = response(PICTURE, media_type="image/png; charset=x")
    got = await fetcher.get(server.url("/a.png"), accept=("image/*",))
    assert (got.body, got.media_type, got.url) == (PICTURE, "image/png", server.url("/a.png"))


async def test_compressed_content_is_unpacked(fetcher: Fetcher, server: Origin):
    server.answers["/"] = response(gzip.compress(PICTURE), "Content-Encoding: gzip")
    assert (await fetcher.get(server.url())).body == PICTURE


async def test_what_is_there_is_saved_to_a_file(fetcher: Fetcher, server: Origin, tmp_path: Path):
    server.answers["/"] = response(bytes(MIB), length=False)
    saved = await fetcher.save(server.url(), tmp_path / "a", accept=("image/png",))
    assert (saved.size_bytes, saved.media_type, saved.path) == (MIB, "image/png", tmp_path / "a")
    assert saved.path.read_bytes() == bytes(MIB)


async def test_a_file_that_could_not_be_fetched_is_not_left(fetcher: Fetcher, server: Origin, tmp_path: Path):
    server.answers["/"] = response(bytes(MIB), length=False)
    with pytest.raises(FetchRefused):
        await fetcher.save(server.url(), tmp_path / "a", max_bytes=MIB - 1)
    assert os.listdir(tmp_path) == []


async def test_nothing_about_the_server_or_its_environment_is_told(
    fetcher: Fetcher, server: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answers["/"] = response(PICTURE, "Set-Cookie: a=b")
    await fetcher.get(server.url())
    await fetcher.get(server.url())
    names = {line.partition(":")[0].lower() for head in server.asked for line in head.splitlines()[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}


@pytest.mark.parametrize("media_type", ["text/html", "image", "", None])
async def test_another_media_type_is_refused(fetcher: Fetcher, server: Origin, media_type: str | None):
    server.answers["/"] = response(PICTURE, media_type=media_type)
    with pytest.raises(FetchRefused, match="none of image/png, image/jpeg"):
        await fetcher.get(server.url(), accept=("image/png", "image/jpeg"))


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "404 Not Found", "500 Oh", "304 Same"])
async def test_only_200_is_an_answer(fetcher: Fetcher, server: Origin, status: str):
    server.answers["/"] = response(status=status)
    with pytest.raises(FetchRefused, match=f"status {status[:3]}"):
        await fetcher.get(server.url())


# redirects


async def test_three_redirects_are_followed(fetcher: Fetcher, server: Origin):
    for n, status in enumerate(("301 Moved", "303 See Other", "308 Permanent")):
        server.answers[f"/{n}"] = redirect(f"/{n + 1}" if n else server.url("/1"), status)
    server.answers["/3"] = response(PICTURE)
    got = await fetcher.get(server.url("/0"))
    assert (got.body, got.url) == (PICTURE, server.url("/3"))


async def test_a_fourth_redirect_is_not_followed(fetcher: Fetcher, server: Origin):
    server.answers["/"] = redirect("/")
    with pytest.raises(FetchRefused, match="more than 3 times"):
        await fetcher.get(server.url())
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "place",
    ["file:///etc/passwd", "ftp://a/", "http://user:word@example.org/", "http://2130706433/", "//[", ""],
)
async def test_a_redirect_is_looked_at_like_what_was_given(fetcher: Fetcher, server: Origin, place: str):
    server.answers["/"] = redirect(place)
    with pytest.raises(FetchRefused):
        await fetcher.get(server.url())
    assert len(server.asked) == 1


async def test_a_redirect_to_the_clouds_metadata_is_refused(server: Origin, monkeypatch: pytest.MonkeyPatch):
    """The origin passes for a public one here, so that the redirect is what is judged."""
    special = fetch.special
    monkeypatch.setattr(fetch, "special", lambda address: None if address == "127.0.0.1" else special(address))
    check = fetch.check_address
    monkeypatch.setattr(fetch, "check_address", lambda address: None if address == "127.0.0.1" else check(address))
    fetcher = Fetcher(Fetch(), Names(metadata_example=[["169.254.169.254"]]))
    server.answers |= {
        "/": redirect("http://169.254.169.254/latest/meta-data/"),
        "/name": redirect("http://metadata.example/"),
    }
    for path in server.answers:
        with pytest.raises(FetchRefused, match="leads to a link-local address"):
            await fetcher.get(server.url(path))
    assert len(server.asked) == 2
    await fetcher.aclose()


# addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"])
async def test_addresses_of_this_machine_are_refused(strict: Fetcher, server: Origin, host: str):
    server.answers["/"] = response(PICTURE)
    with pytest.raises(FetchRefused, match="leads to"):
        await strict.get(server.url(host=host))
    with pytest.raises(FetchRefused, match="leads to"):
        await strict.send("POST", server.url(host=host))
    assert server.asked == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST"])
async def test_names_of_this_machine_are_refused(strict: Fetcher, server: Origin, host: str):
    with pytest.raises(FetchRefused, match="leads to a loopback address"):
        await strict.get(server.url(host=host))
    with pytest.raises(FetchRefused, match="leads to a loopback address"):
        await strict.check(server.url(host=host))
    assert server.asked == []


async def test_one_forbidden_address_among_others_is_enough(server: Origin):
    fetcher = Fetcher(Fetch(), Names(example_org=[[PUBLIC, "10.0.0.1"]]))
    with pytest.raises(FetchRefused, match="leads to a private address"):
        await fetcher.check("http://example.org/")
    await fetcher.aclose()


async def test_a_name_that_resolves_to_something_else_after_the_check_is_refused(server: Origin):
    server.answers["/"] = response(PICTURE)
    names = Names(rebinding_example=[[PUBLIC], ["127.0.0.1"]])
    fetcher = Fetcher(Fetch(), names)
    url = server.url(host="rebinding.example")
    assert await fetcher.check(url) == [PUBLIC]
    with pytest.raises(FetchRefused, match="leads to a loopback address"):
        await fetcher.get(url)
    assert server.asked == []
    await fetcher.aclose()


async def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(server: Origin):
    server.answers["/"] = response(PICTURE)
    names = Names(rebinding_example=[["127.0.0.1"], ["127.0.0.2"]])
    fetcher = Fetcher(Fetch(allow_private_addresses=True), names)
    assert (await fetcher.get(server.url(host="rebinding.example"))).body == PICTURE
    assert names.asked == ["rebinding.example"]
    assert f"Host: rebinding.example:{server.port}" in server.asked[0]
    await fetcher.aclose()


async def test_the_socket_is_looked_at_even_if_nothing_else_was(server: Origin, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fetch, "check_address", lambda address: None)
    fetcher = Fetcher(Fetch(), Names(example_org=[["127.0.0.1"], ["127.0.0.1", "::1"]]))
    for host in ("127.0.0.1", "example.org", "example.org"):
        with pytest.raises(FetchRefused):
            await fetcher.get(server.url(host=host))
    assert server.asked == []
    await fetcher.aclose()


async def test_an_unknown_host_is_refused():
    fetcher = Fetcher(Fetch(), Names(empty_example=[[]]))
    for host in ("unknown.example", "empty.example"):
        with pytest.raises(FetchRefused, match="its host is unknown"):
            await fetcher.get(f"http://{host}/")
    await fetcher.aclose()


# limits


@pytest.mark.parametrize("known", [True, False], ids=["length told", "length not told"])
async def test_what_is_too_large_is_refused(fetcher: Fetcher, server: Origin, known: bool):
    server.answers["/"] = response(bytes(1001), length=known)
    with pytest.raises(FetchRefused, match="larger than 1000 bytes"):
        await fetcher.get(server.url(), max_bytes=1000)
    assert len((await fetcher.get(server.url(), max_bytes=1001)).body) == 1001


async def test_a_bomb_is_given_up_before_it_has_unfolded(fetcher: Fetcher, server: Origin):
    server.answers["/"] = response(gzip.compress(bytes(256 * MIB), 1), "Content-Encoding: gzip")
    tracemalloc.start()
    try:
        with pytest.raises(FetchRefused, match=f"larger than {MIB} bytes"):
            await fetcher.get(server.url(), max_bytes=MIB)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * MIB


async def test_broken_compression_is_refused(fetcher: Fetcher, server: Origin):
    server.answers["/"] = response(b"no gzip", "Content-Encoding: gzip")
    with pytest.raises(FetchRefused):
        await fetcher.get(server.url())


@pytest.mark.parametrize("header", ["X-Long: " + "x" * 100_000, "\r\n".join(["X: y"] * 10_000)], ids=["long", "many"])
async def test_huge_headers_are_refused(fetcher: Fetcher, server: Origin, header: str):
    server.answers["/"] = response(PICTURE, header)
    with pytest.raises(FetchRefused):
        await fetcher.get(server.url())


@pytest.mark.parametrize(
    "answer",
    [b"", b"\x16\x03\x01", b"HTTP/1.1 200", b"220 mail.example.org ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9"],
)
async def test_what_is_no_http_is_refused(fetcher: Fetcher, server: Origin, answer: bytes):
    server.answers["/"] = answer
    with pytest.raises(FetchRefused, match="nothing that can be understood"):
        await fetcher.get(server.url())


async def test_half_of_what_was_promised_is_nothing(fetcher: Fetcher, server: Origin):
    server.answers["/"] = response(PICTURE)[:-3]
    with pytest.raises(FetchRefused):
        await fetcher.get(server.url())


async def test_the_time_limit_is_over_everything(server: Origin):
    """An answer that never comes, one that comes byte by byte, and a name that nobody resolves."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", "X: y", length=False))
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0)

    async def never(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"] if host == "known.example" else await asyncio.Future()

    fetcher = Fetcher(Fetch(allow_private_addresses=True, timeout_seconds=0.05, max_bytes=1 << 40), never)
    server.answers |= {"/hang": hang, "/drip": drip, "/redirect": redirect("/hang")}
    urls = [server.url(path, "known.example") for path in server.answers]
    for url in (*urls, "http://slow.example/"):
        with pytest.raises(FetchRefused, match=r"more than 0\.05 seconds"):
            await fetcher.get(url)
    await fetcher.aclose()


# sending


async def test_what_is_sent_arrives_and_the_answer_comes_back(fetcher: Fetcher, server: Origin):
    server.answers["/"] = response(b"fine", "Location: /a", status="201 Created")
    answer = await fetcher.send("POST", server.url(), body=b"{}", headers={"X-Signed": "yes"}, max_bytes=4)
    assert (answer.status, answer.body, answer.headers["location"]) == (201, b"fine", "/a")
    assert server.asked[0].startswith("POST / HTTP/1.1\r\n")
    assert "X-Signed: yes" in server.asked[0]


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Oh"])
async def test_any_status_is_an_answer_and_no_redirect_is_followed(fetcher: Fetcher, server: Origin, status: str):
    server.answers["/"] = response(b"x" * MIB, "Location: /other", status=status)
    assert await fetcher.send("POST", server.url()) == Answer(
        int(status[:3]),
        {"location": "/other", "connection": "close", "content-type": "image/png", "content-length": str(MIB)},
        b"",
    )
    assert len(server.asked) == 1


async def test_who_does_not_answer_has_had_their_time(fetcher: Fetcher, server: Origin):
    server.answers["/"] = hang
    with pytest.raises(FetchRefused, match=r"more than 0\.05 seconds"):
        await fetcher.send("POST", server.url(), within=0.05)
