from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from signaling.api.files import Files
from signaling.services.errors import UnknownPath


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("not for you")
    pages = tmp_path / "pages"
    (pages / "ui").mkdir(parents=True)
    (pages / "room.html").write_text("<p>one</p>")
    (pages / "ui" / "dom.js").write_text("export {}")
    return pages


def ask(files: Files, name: str, **headers: str):
    return files.response(
        make_mocked_request("GET", "/", headers={k.replace("_", "-"): v for k, v in headers.items()}), name
    )


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [("room.html", b"<p>one</p>", "text/html"), ("ui/dom.js", b"export {}", "javascript")],
)
def test_a_file_is_sent_with_its_type(directory: Path, name: str, body: bytes, content_type: str):
    response = ask(Files(directory), name)
    assert response.body == body
    assert content_type in response.content_type
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("known", ["{}", '"another", {}', "W/{}", "*"])
def test_who_has_the_file_is_told_so(directory: Path, known: str):
    files = Files(directory)
    etag = ask(files, "room.html").headers["ETag"]
    response = ask(files, "room.html", If_None_Match=known.format(etag))
    assert (response.status, response.body) == (304, None)
    assert response.headers["ETag"] == etag


def test_a_file_that_has_changed_is_read_again(directory: Path):
    files = Files(directory)
    before = ask(files, "room.html")
    (directory / "room.html").write_text("<p>another</p>")
    after = ask(files, "room.html", If_None_Match=before.headers["ETag"])
    assert after.body == b"<p>another</p>"


def test_a_file_that_is_gone_is_unknown(directory: Path):
    files = Files(directory)
    ask(files, "room.html")
    (directory / "room.html").unlink()
    with pytest.raises(UnknownPath):
        ask(files, "room.html")


@pytest.mark.parametrize(
    "name", ["../secret.txt", "ui/../../secret.txt", "/etc/passwd", "ui", "none.js", "\0", "x" * 300]
)
def test_nothing_else_is_sent(directory: Path, name: str):
    with pytest.raises(UnknownPath):
        ask(Files(directory), name)
