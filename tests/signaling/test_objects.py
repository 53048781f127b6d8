"""Files in a folder and in real stores: what is kept comes back, and what a store cannot do is said."""

import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import objects
from signaling.objects import PART_BYTES, PIECE_BYTES, BadStore, NoSuchObject, Objects, StoreFailed, is_key
from tests.support.buckets import bucket
from tests.support.object_stores import azure, s3


@pytest.fixture(scope="module")
def s3_bucket() -> Iterator[Objects]:
    with s3() as store:
        yield store


@pytest.fixture(scope="module")
def azure_container() -> Iterator[Objects]:
    with azure() as store:
        yield store


@pytest.fixture(params=["a folder", "s3_bucket", "azure_container"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "a folder":
        return Objects((tmp_path / "a folder").as_uri())
    found: Objects = request.getfixturevalue(request.param)
    return found


@contextmanager
def flaky_store(failures: int, told_size: int = 3) -> Iterator[tuple[Objects, list[str]]]:
    """A bucket whose server fails first, and what it answered."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(503 if len(seen) < failures else 200, 0)

        def do_HEAD(self) -> None:
            self.reply(200, told_size)

        def reply(self, status: int, size: int) -> None:
            seen.append(f"{self.command} {status}")
            self.send_response(status)
            self.send_header("ETag", '"1"')
            self.send_header("Last-Modified", "Sun, 22 Nov 2026 08:00:00 GMT")
            self.send_header("Content-Length", str(size))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        keys = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
        try:
            yield Objects("s3://bucket", {**keys, "endpoint": endpoint}), seen
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def content() -> bytes:
    """Of two whole parts and the beginning of a third."""
    return random.Random(1).randbytes(2 * PART_BYTES + 7)


@pytest.fixture
def big_file(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "big"
    path.write_bytes(content)
    return path


async def test_a_file_of_several_parts_comes_back_byte_for_byte(
    store: Objects, big_file: Path, content: bytes, tmp_path: Path
):
    stored = await store.put(big_file, "recordings/one.webm", "video/webm")
    assert (stored.size_bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await store.size("recordings/one.webm") == len(content)
    assert await store.sha256("recordings/one.webm") == stored.sha256
    await store.fetch("recordings/one.webm", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        pytest.param(0, 1, id="the first byte"),
        pytest.param(5, PIECE_BYTES + 5, id="over the edge of a piece"),
        pytest.param(2 * PIECE_BYTES - 1, None, id="up to the end"),
        pytest.param(3, 3, id="nothing"),
    ],
)
async def test_a_part_of_an_object_is_read(store: Objects, start: int, stop: int | None):
    content = random.Random(2).randbytes(2 * PIECE_BYTES + 3)
    await store.put(content, "a.bin")
    assert b"".join([piece async for piece in store.get("a.bin", start, stop)]) == content[start:stop]


async def test_an_object_is_replaced_and_deleted_once_or_twice(store: Objects):
    await store.put(b"first", "a.bin")
    await store.put(b"second", "a.bin")
    assert await store.read("a.bin") == b"second"
    assert await store.exists("a.bin")
    await store.delete("a.bin")
    await store.delete("a.bin")
    assert not await store.exists("a.bin")


async def test_what_is_not_there_is_told_from_what_fails(store: Objects):
    with pytest.raises(NoSuchObject):
        await store.size("never.bin")
    with pytest.raises(NoSuchObject):
        await store.read("never.bin")
    with pytest.raises(NoSuchObject):
        [piece async for piece in store.get("never.bin", 0, 10)]


async def test_reading_past_the_end_fails(store: Objects):
    await store.put(b"short", "a.bin")
    with pytest.raises(StoreFailed):
        [piece async for piece in store.get("a.bin", 0, 10)]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "a//b",
        "a/",
        ".hidden",
        "a/.b",
        "a\\b",
        "a\0",
        "a b",
        "ä",
    ],
)
async def test_what_is_no_key_reaches_no_store(tmp_path: Path, key: str):
    store = Objects((tmp_path / "in").as_uri())
    (tmp_path / "a").write_bytes(b"not yours")
    assert not is_key(key)
    for attempt in (store.put(b"", key), store.size(key), store.delete(key), store.read(key)):
        with pytest.raises(ValueError, match="no key"):
            await attempt
    assert (tmp_path / "a").read_bytes() == b"not yours"


@given(st.text(alphabet="./\\a~%0:\0 ", max_size=20))
def test_no_key_leads_out_of_the_folder(key: str):
    if is_key(key):
        root = Path("/srv/objects")
        inside = Path(f"{root}/{key}")
        assert inside.is_relative_to(root)
        assert ".." not in inside.parts


@pytest.mark.parametrize(
    ("url", "options"),
    [
        pytest.param("http://example.org/a", {}, id="no store"),
        pytest.param("/srv/folkmoot", {}, id="no URL"),
        pytest.param("s3:///path", {}, id="no bucket"),
        pytest.param("file://host/path", {}, id="folder of another machine"),
        pytest.param("s3://bucket/../other", {}, id="climbing path"),
        pytest.param("s3://key@bucket", {}, id="credential in the URL"),
        pytest.param("s3://bucket", {"no_such_option": "1"}, id="unknown option"),
    ],
)
def test_what_names_no_store_is_refused(url: str, options: dict[str, str]):
    with pytest.raises(BadStore):
        objects.check(url, options)


async def test_wrong_credentials_and_a_missing_bucket_fail(s3_bucket: Objects):
    with pytest.raises(BadStore):
        Objects("az://box", {"account_name": "a", "account_key": "not base64!"})
    options = dict(s3_bucket.options)
    with pytest.raises(StoreFailed):
        await Objects("s3://another", options).put(b"a", "a.bin")


async def test_a_request_that_fails_is_made_again():
    with flaky_store(failures=2) as (store, seen):
        stored = await store.put(b"abc", "a.bin")
    assert stored.size_bytes == 3
    assert seen == ["PUT 503", "PUT 503", "PUT 200", "HEAD 200"]


async def test_an_object_of_another_length_is_no_success():
    with flaky_store(failures=0, told_size=2) as (store, _), pytest.raises(StoreFailed, match="2 bytes"):
        await store.put(b"abc", "a.bin")


async def test_what_is_there_already_is_not_sent_again():
    with bucket() as found:
        store = found.objects()
        first = await store.put_once(b"archive", "a/b.webm", "video/webm")
        again = await store.put_once(b"archive", "a/b.webm", "video/webm")
        assert first == again
        assert found.arrivals() == ["a/b.webm"]
        await store.put_once(b"another", "a/b.webm")
        assert await store.read("a/b.webm") == b"another"


async def test_what_is_put_once_comes_back_byte_for_byte(store: Objects, big_file: Path, content: bytes):
    for _ in range(2):
        stored = await store.put_once(big_file, "once.webm", "video/webm")
        assert (stored.size_bytes, stored.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert await store.sha256("once.webm") == stored.sha256
