"""What becomes of files that strangers send: pictures of bounded size, or one word; at most a child is lost."""

import base64
import io
import json
import os
import platform
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
import resvg_py
from PIL import Image

from signaling.jail import confine
from signaling.jail.calls import program_for
from signaling.services import documents
from signaling.services.documents import Documents, Kind, Picture, Unreadable, kind_of
from tests.support.documents import (
    COLOURS,
    encrypted_pdf,
    pdf,
    pdf_in_itself,
    pdf_with_huge_picture,
    picture,
    png_that_claims,
    svg,
)


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    return tmp_path / "sent"


async def sheets(path: Path, data: bytes, kind: Kind = "document", max_pages: int = 20) -> list[documents.Sheet]:
    put(path, data)
    return [sheet async for sheet in Documents().sheets(path, kind, max_pages)]


async def why(path: Path, data: bytes, kind: Kind = "document", max_pages: int = 20) -> str:
    with pytest.raises(Unreadable) as raised:
        await sheets(path, data, kind, max_pages)
    return raised.value.why


def image(drawn: Picture) -> Image.Image:
    opened = Image.open(io.BytesIO(drawn.data))
    assert opened.size == (drawn.width, drawn.height)
    return opened


def near(one: object, other: object, distance: int = 12) -> bool:
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    return all(abs(a - b) <= distance for a, b in zip(one, other, strict=False))


async def test_a_document_becomes_a_slide_and_a_thumbnail_for_each_page_in_order(sent: Path):
    drawn = await sheets(sent, pdf(pages=4))
    assert [(sheet.number, sheet.pages) for sheet in drawn] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for sheet, colour in zip(drawn, COLOURS, strict=True):
        slide, thumbnail = image(sheet.slide), image(sheet.thumbnail)
        assert (slide.format, thumbnail.format) == ("PNG", "PNG")
        assert slide.size == (1357, 1920)
        assert max(thumbnail.size) == 240
        assert near(slide.getpixel((600, 900)), colour)
        assert near(thumbnail.getpixel((80, 120)), colour)


@pytest.mark.parametrize("size", [(30_000, 30_000), (1, 14_000), (14_000, 1), (3, 2), (0.001, 0.001), (10**9, 10**9)])
async def test_no_page_is_drawn_larger_than_a_slide(sent: Path, size: tuple[float, float]):
    try:
        [sheet] = await sheets(sent, pdf(size=size))
    except Unreadable:
        return
    assert max(sheet.slide.width, sheet.slide.height) <= 1920
    assert max(sheet.thumbnail.width, sheet.thumbnail.height) <= 240


@pytest.mark.parametrize(
    ("data", "word"),
    [
        pytest.param(b"", "broken", id="nothing"),
        pytest.param(b"%PDF-1.7 and nothing else", "broken", id="only a beginning"),
        pytest.param(b"not a document at all", "broken", id="something else"),
        pytest.param(encrypted_pdf(b"secret"), "encrypted", id="with a password"),
        pytest.param(encrypted_pdf(), "encrypted", id="encrypted without a password"),
        pytest.param(pdf(pages=21), "pages", id="more pages than allowed"),
    ],
)
async def test_a_document_that_cannot_be_shown_says_why(sent: Path, data: bytes, word: str):
    assert await why(sent, data) == word


async def test_a_truncated_document_fails_or_shows_what_there_is(sent: Path):
    whole = pdf(pages=2)
    for length in range(0, len(whole), 97):
        try:
            assert len(await sheets(sent, whole[:length])) <= 2
        except Unreadable:
            continue


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(pdf(size=(30_000, 30_000)), "document", id="a page of 30000 by 30000"),
        pytest.param(pdf_with_huge_picture(), "document", id="a huge picture in a document"),
        pytest.param(pdf_in_itself(), "document", id="a document that contains itself"),
        pytest.param(png_that_claims(30_000, 30_000), "photograph", id="a PNG of 30000 by 30000"),
        pytest.param(png_that_claims(2**31 - 1, 2**31 - 1), "photograph", id="a PNG of the largest size"),
        pytest.param(png_that_claims(7_000, 7_000), "photograph", id="a PNG with less than it says"),
        pytest.param(svg(size='width="40000" height="40000"'), "drawing", id="a drawing of 40000 by 40000"),
        pytest.param(
            svg("&l9;", before="<!DOCTYPE svg [<!ENTITY l0 'ha'>" + "".join(
                f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10)) + "]>"),
            "drawing",
            id="a billion laughs",
        ),
    ],
)  # fmt: skip
async def test_a_bomb_takes_no_more_than_its_child_may_have(sent: Path, data: bytes, kind: Kind):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    try:
        for sheet in await sheets(sent, data, kind):
            assert max(sheet.slide.width, sheet.slide.height) <= documents.SLIDE_SIDE
    except Unreadable:
        pass
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert after <= max(before, confine.MEMORY / 1024)
    assert len(await sheets(sent, pdf())) == 1, "the next file is converted as ever"


@pytest.mark.parametrize(
    ("data", "size", "media_type"),
    [
        pytest.param(picture("PNG"), (64, 48), "image/png", id="PNG"),
        pytest.param(picture("JPEG"), (64, 48), "image/jpeg", id="JPEG"),
        pytest.param(picture("WEBP", lossless=True), (64, 48), "image/png", id="WebP"),
        pytest.param(picture("JPEG", mode="CMYK"), (64, 48), "image/jpeg", id="CMYK"),
        pytest.param(picture("PNG", size=(4000, 2000)), (1920, 960), "image/png", id="large"),
        pytest.param(picture("JPEG", size=(2000, 4000)), (960, 1920), "image/jpeg", id="large and upright"),
        pytest.param(picture("PNG", size=(20_000, 1)), (1920, 1), "image/png", id="flat"),
        pytest.param(
            picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
            (48, 64),
            "image/jpeg",
            id="taken with the camera on its side",
        ),
    ],
)
async def test_a_picture_is_its_own_slide(sent: Path, data: bytes, size: tuple[int, int], media_type: str):
    [sheet] = await sheets(sent, data, "photograph")
    slide = image(sheet.slide).convert("RGB")
    assert (slide.size, sheet.slide.media_type) == (size, media_type)
    assert max(sheet.thumbnail.width, sheet.thumbnail.height) <= 240
    assert near(slide.getpixel((size[0] // 2, size[1] // 2)), (255, 0, 0))


async def test_what_is_transparent_stays_so(sent: Path):
    [sheet] = await sheets(sent, picture("PNG", mode="RGBA"), "photograph")
    assert image(sheet.slide).getpixel((5, 5)) == (255, 0, 0, 0)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_broken_picture_says_so(sent: Path, kind: str):
    data = picture(kind, size=(640, 480))
    assert await why(sent, data[: len(data) // 2], "photograph") == "broken"
    assert await why(sent, b"GIF89a" + data, "photograph") == "broken"


async def test_a_picture_for_the_composite_keeps_its_size(sent: Path):
    put(sent, picture("PNG", size=(2500, 10)))
    drawn = await Documents().picture(sent, "photograph")
    assert image(drawn).size == (2500, 10)


async def test_a_drawing_is_drawn_in_its_own_size(sent: Path):
    put(sent, svg('<rect width="40" height="40" fill="#00ff00"/>'))
    drawn = image(await Documents().picture(sent, "drawing"))
    assert drawn.size == (80, 40)
    assert drawn.getpixel((20, 20)) == (0, 255, 0, 255)
    assert drawn.getpixel((60, 20)) == (0, 0, 0, 0)


@pytest.fixture
def other() -> Iterator[Path]:
    """A picture that the child may read, as far as its user goes."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "other.png"
        path.write_bytes(picture("PNG", size=(80, 40)))
        path.parent.chmod(0o755)
        yield path


OUTSIDE = '<image {} x="0" y="0" width="80" height="40"/>'


def test_the_renderer_itself_would_follow_a_path(other: Path):
    """Without which the test below would show nothing."""
    outside = svg(OUTSIDE.format(f'href="{other}"')).decode()
    drawn = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=outside)))
    assert drawn.getpixel((40, 20)) == (255, 0, 0, 255)


@pytest.mark.parametrize(
    ("inside", "before"),
    [
        pytest.param(OUTSIDE.format('xlink:href="{path}"'), "", id="a path"),
        pytest.param(OUTSIDE.format('href="{path}"'), "", id="a path, by the newer name"),
        pytest.param(OUTSIDE.format('href="file://{path}"'), "", id="a file URL"),
        pytest.param(OUTSIDE.format('href="  {path}"'), "", id="a path behind blanks"),
        pytest.param(OUTSIDE.format('href="/proc/self/../../{path}"'), "", id="a path with turns"),
        pytest.param('<filter id="f"><feImage href="{path}"/></filter><rect width="80" height="40" filter="url(#f)"/>',
                     "", id="by a filter"),
        pytest.param('<image href="data:image/svg+xml;utf8,&lt;svg xmlns=\'http://www.w3.org/2000/svg\' width=\'80\' '
                     'height=\'40\'&gt;&lt;image href=\'{path}\' width=\'80\' height=\'40\'/&gt;&lt;/svg&gt;" '
                     'width="80" height="40"/>', "", id="by a drawing within"),
        pytest.param(OUTSIDE.format('href="&outside;"'), '<!DOCTYPE svg [<!ENTITY outside "{path}">]>',
                     id="by an entity"),
        pytest.param("<text>&outside;</text>", '<!DOCTYPE svg [<!ENTITY outside SYSTEM "file://{path}">]>',
                     id="by an external entity"),
        pytest.param('<use href="{path}#a"/>', "", id="by use"),
        pytest.param("", '<?xml-stylesheet href="file://{path}"?>', id="by a style sheet"),
    ],
)  # fmt: skip
async def test_a_drawing_shows_nothing_that_lies_outside_it(other: Path, sent: Path, inside: str, before: str):
    put(sent, svg(inside.replace("{path}", str(other)), before=before.replace("{path}", str(other))))
    try:
        drawn = image(await Documents().picture(sent, "drawing"))
    except Unreadable:
        return
    assert drawn.getextrema()[3] == (0, 0), "something has been drawn"  # type: ignore[index]


async def test_a_picture_inside_a_drawing_is_shown(sent: Path):
    inside = base64.b64encode(picture("PNG", size=(80, 40))).decode()
    put(sent, svg(f'<image href="data:image/png;base64,{inside}" width="80" height="40"/>'))
    assert near(image(await Documents().picture(sent, "drawing")).getpixel((40, 20)), (255, 0, 0))


def saying(*lines: object) -> Documents:
    """With a child that says these lines."""
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    return Documents((sys.executable, "-c", f"import sys; sys.stdout.write({text!r})"))


SLIDE = {"page": 1, "kind": "slide", "type": "image/png", "size": 1, "width": 1, "height": 1}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((), id="nothing"),
        pytest.param(("no JSON\n",), id="no JSON"),
        pytest.param(("[1]\n",), id="no object"),
        pytest.param(("x" * 100_000,), id="an endless line"),
        pytest.param(({"pages": 10**9},), id="more pages than allowed"),
        pytest.param(({"pages": 0},), id="no pages"),
        pytest.param(({"pages": "1"},), id="pages that are no number"),
        pytest.param(({"pages": 1},), id="no picture"),
        pytest.param(({"pages": 1}, SLIDE | {"size": 1 << 40}), id="a picture of a terabyte"),
        pytest.param(({"pages": 1}, SLIDE | {"size": -1}), id="a picture of negative size"),
        pytest.param(({"pages": 1}, SLIDE | {"type": "text/html"}, "a"), id="a picture that is a page"),
        pytest.param(({"pages": 1}, SLIDE | {"page": 2}, "a"), id="another page"),
        pytest.param(({"pages": 1}, SLIDE | {"width": -5}, "a"), id="a negative width"),
        pytest.param(({"pages": 1}, SLIDE | {"size": 10}, "short"), id="less than announced"),
        pytest.param(({"pages": 1}, SLIDE, "a", SLIDE | {"kind": "thumbnail"}, "a"), id="no end"),
        pytest.param(({"failed": "x" * 3000},), id="a long reason"),
    ],
)
async def test_a_child_that_has_been_taken_over_is_not_believed(sent: Path, lines: tuple[object, ...]):
    put(sent, b"")
    with pytest.raises(Unreadable) as raised:
        [sheet async for sheet in saying(*lines).sheets(sent, "document", max_pages=3)]
    assert len(str(raised.value)) < 100


async def test_a_child_that_hangs_is_ended(sent: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(documents, "STEP_TIMEOUT", 0.05)
    put(sent, b"")
    hanging = Documents((sys.executable, "-c", "import signal; signal.pause()"))
    with pytest.raises(Unreadable, match="time"):
        await hanging.only_sheet(sent, "document")


async def test_a_child_learns_no_secrets(sent: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FOLKMOOT_JWT__SECRET", "a secret")
    put(sent, b"")
    code = "import os, json; print(json.dumps({'failed': os.environ.get('FOLKMOOT_JWT__SECRET', 'nothing')}))"
    with pytest.raises(Unreadable, match="nothing"):
        await Documents((sys.executable, "-c", code)).only_sheet(sent, "document")


CONFINED = """
import os, resource, socket, sys
from signaling.jail import confine
from signaling.jail.calls import program_for
confine.enter(os.getppid())
confine.close(cpu_seconds=20)
{}
print("done")
"""


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param("open('/etc/passwd')", id="open a file"),
        pytest.param("open('/tmp/written', 'w')", id="write a file"),
        pytest.param("socket.socket()", id="make a connection"),
        pytest.param("os.fork()", id="start a process"),
        pytest.param("os.execv('/bin/true', ['true'])", id="become another program"),
        pytest.param("bytearray(2 << 30)", id="take two gigabytes"),
        pytest.param("os.mkdir('/tmp/made-by-a-confined-child')", id="make a directory"),
        pytest.param("os.pipe()", id="make a pipe"),
        pytest.param("os.kill(os.getpid(), 0)", id="signal a process"),
        pytest.param("resource.setrlimit(resource.RLIMIT_NOFILE, (9, 9))", id="lift a limit"),
        pytest.param("os.setuid(0)" if os.geteuid() == 0 else "os.setuid(1)", id="become root"),
        pytest.param("os.kill(os.getppid(), 0)" if os.geteuid() == 0 else "os.chroot('/')", id="reach the parent"),
        pytest.param("confine.next_step(0)\nwhile True: pass", id="never end"),
    ],
)
def test_the_child_cannot(attempt: str):
    assert confined(attempt) == (True, "")


@pytest.mark.parametrize("attempt", ["pass", "bytearray(100 << 20)", "os.read(0, 1)", "confine.next_step(5)"])
def test_the_child_can(attempt: str):
    assert confined(attempt) == (False, "done\n")


def test_the_kernel_knows_the_filter():
    assert platform.machine() not in ("x86_64", "aarch64") or confined("os.kill(os.getpid(), 0)") == (True, "")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_jumps_nowhere_but_forward_and_always_ends(machine: str):
    program = program_for(machine)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    assert len(program) == 8 * len(steps)
    assert steps[-1][0] == 6, "a return"
    assert all(at + 1 + max(yes, no) < len(steps) for at, (_, yes, no, _) in enumerate(steps[:-1]))


def confined(attempt: str) -> tuple[bool, str]:
    """Whether it failed, and what it said."""
    code = CONFINED.format(attempt)
    run = subprocess.run(
        [sys.executable, "-c", code], input="", check=False, capture_output=True, text=True, timeout=60
    )
    return run.returncode != 0, run.stdout


def test_a_child_without_its_parent_ends():
    code = "from signaling.jail import confine\nconfine.enter(1)\nprint('alive')"
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (1, "")


@pytest.mark.parametrize(
    ("beginning", "media_type", "name", "kind"),
    [
        (picture("PNG"), "text/html", "a.pdf", ("photograph", "image/png")),
        (picture("JPEG"), "", "", ("photograph", "image/jpeg")),
        (picture("WEBP"), "", "", ("photograph", "image/webp")),
        (pdf(), "", "", ("document", "application/pdf")),
        (b"\n\n" + pdf(), "text/plain", "", ("document", "application/pdf")),
        (b"broken", "application/pdf", "", ("document", "application/pdf")),
        (b"broken", "", "Report.PDF", ("document", "application/pdf")),
        (svg(), "image/svg+xml", "", ("drawing", "image/svg+xml")),
        (svg(), "", "a.svg", ("drawing", "image/svg+xml")),
        (svg(), "image/png", "a.png", None),
        (b"GIF89a", "image/gif", "a.gif", None),
        (b"MZ", "image/png", "a.png", None),
        (b"", "", "", None),
    ],
)
def test_a_file_is_what_it_begins_with(beginning: bytes, media_type: str, name: str, kind: object):
    assert kind_of(beginning, media_type, name) == kind


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    before = set(psutil.Process().children())
    yield
    assert set(psutil.Process().children()) <= before
