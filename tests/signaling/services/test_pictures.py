"""Pictures that callers bring: drawn anew as files of ours, whatever they were."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from signaling.services.documents import Documents, Unreadable
from signaling.services.errors import FetchRefused
from signaling.services.pictures import Pictures
from tests.support.documents import pdf, picture, png_that_claims, svg


class Web:
    """Follows `fetch.Fetcher`: each URL is the name of a picture."""

    def __init__(self, **pictures: bytes) -> None:
        self.pictures = pictures

    async def save(self, url: str, path: Path, **_: Any) -> None:
        if url not in self.pictures:
            raise FetchRefused("is not there")
        write(path, self.pictures[url])


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


async def pictures(folder: Path, **known: bytes) -> Pictures:
    made = Pictures(Documents(), Web(**known), folder)
    await made.start()
    return made


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_picture_by_url_is_kept_in_its_own_size_or_as_a_slide(folder: Path):
    made = await pictures(folder, large=picture("PNG", size=(2400, 600)))
    own, slide = await made.from_url("large"), await made.from_url("large", as_slide=True)
    assert [(kept.width, kept.height) for kept in (own, slide)] == [(2400, 600), (1920, 480)]
    assert [Image.open(kept.path).size for kept in (own, slide)] == [(2400, 600), (1920, 480)]
    assert files(folder) == sorted([own.path, slide.path])
    await made.forget(own)
    await made.forget(own)
    assert files(folder) == [slide.path]


async def test_an_upload_may_be_a_drawing_where_that_is_said(folder: Path, tmp_path: Path):
    made, sent = await pictures(folder), write(tmp_path / "sent", svg('<rect width="80" height="40" fill="red"/>'))
    kept = await made.from_file(sent, drawing=True)
    assert (kept.width, kept.height) == (80, 40)
    with Image.open(kept.path) as drawn:
        assert (drawn.format, drawn.getpixel((40, 20))) == ("PNG", (255, 0, 0, 255))
    with pytest.raises(Unreadable):
        await made.from_file(sent)
    assert sent.exists()


@pytest.mark.parametrize("drawing", [True, False])
@pytest.mark.parametrize(
    "data", [b"", b"nothing", pdf(), picture("PNG")[:40], png_that_claims(30_000, 30_000), b"<html></html>"]
)
async def test_what_is_no_picture_is_not_kept(folder: Path, data: bytes, drawing: bool):
    made = await pictures(folder, it=data)
    with pytest.raises(Unreadable):
        await made.from_url("it")
    sent = write(made.passing(), data)
    with pytest.raises(Unreadable):
        await made.from_file(sent, drawing=drawing)
    assert files(folder) == [sent]


async def test_a_url_that_cannot_be_fetched_leaves_nothing(folder: Path):
    made = await pictures(folder)
    with pytest.raises(FetchRefused):
        await made.from_url("missing")
    assert files(folder) == []


async def test_nothing_is_kept_over_a_restart(folder: Path):
    made = await pictures(folder, it=picture("JPEG"))
    await made.from_url("it")
    await pictures(folder)
    assert files(folder) == []
