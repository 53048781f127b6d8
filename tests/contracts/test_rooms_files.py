"""Files of a meeting over the rooms API: each line of section 12 of its contract, and what attackers upload."""

import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from signaling.appkeys import ROOMS
from signaling.services.files import shown
from tests.support.clock import MovableClock
from tests.support.documents import encrypted_pdf, pdf, picture, png_that_claims, svg
from tests.support.hooks import hook
from tests.support.object_stores import s3
from tests.support.server import until
from tests.support.team import KEY, Team, team_server

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
BASE = "https://meet.example"
LIMIT = 3 << 20
PATIENCE = 30.0


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_200.0)


@pytest.fixture
async def team(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Team]:
    async with team_server(tmp_path, clock, files={"max_bytes": LIMIT, "max_pages": 20, "max_per_meeting": 4}) as team:
        yield team


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    return await team.enter()


def files_of(meeting: dict[str, Any]) -> str:
    return f"/rooms/{meeting['access_key']}/files"


def form(
    data: bytes, name: str = "file", filename: str = "report.pdf", media_type: str = "application/pdf"
) -> FormData:
    made = FormData(quote_fields=False)
    made.add_field(name, data, filename=filename, content_type=media_type)
    return made


async def upload(team: Team, meeting: dict[str, Any], data: bytes, **how: Any) -> tuple[int, Any]:
    return await team.ask("POST", files_of(meeting), data=form(data, **how))


async def settled(team: Team, meeting: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    """The file once it is converted, or has failed."""
    told = file

    async def is_settled() -> bool:
        nonlocal told
        _, told = await team.ask("GET", f"{files_of(meeting)}/{file['id']}")
        return told["converted"] or told["failed"]

    await until(is_settled, PATIENCE, "the file to be converted")
    return told


def kept(directory: Path) -> set[str]:
    """What lies in the object store or is on its way there."""
    return {path.name for folder in ("objects", "uploads") for path in (directory / folder).glob("*")}


async def follow(team: Team, link: str) -> tuple[int, bytes]:
    assert link.startswith(f"{BASE}/media/"), link
    response = await team.client.get(link.removeprefix(BASE))
    return response.status, await response.read()


async def test_a_meeting_begins_without_files(team: Team, ada: dict[str, Any]):
    assert await team.ask("GET", files_of(ada)) == (200, {"files": []})


async def test_a_document_becomes_slides(team: Team, ada: dict[str, Any]):
    sent = pdf(pages=3)
    status, file = await upload(team, ada, sent)
    assert status == 201
    assert file == {
        "id": file["id"],
        "name": "report.pdf",
        "type": "application/pdf",
        "converted": False,
        "conversion_progress": 0.0,
        "failed": False,
        "links": {
            "self": f"{BASE}{files_of(ada)}/{file['id']}",
            "slides": [],
            "thumbnails": [],
            "download": file["links"]["download"],
        },
    }
    done = await settled(team, ada, file)
    assert (done["converted"], done["conversion_progress"], done["failed"]) == (True, 1.0, False)
    assert await team.ask("GET", files_of(ada)) == (200, {"files": [done]})
    assert await follow(team, done["links"]["download"]) == (200, sent)
    colours = []
    for slide, thumbnail in zip(done["links"]["slides"], done["links"]["thumbnails"], strict=True):
        large, small = [Image.open(io.BytesIO((await follow(team, link))[1])) for link in (slide, thumbnail)]
        assert (large.format, max(large.size), small.format, max(small.size)) == ("PNG", 1920, "PNG", 240)
        colours.append(max(range(3), key=large.getpixel((700, 900)).__getitem__))
    assert colours == [0, 1, 2], "red, green and blue, in the order of the pages"


@pytest.mark.parametrize(
    ("kind", "media_type", "ending"),
    [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")],
)
async def test_a_picture_is_converted_at_once(team: Team, ada: dict[str, Any], kind: str, media_type: str, ending: str):
    sent = picture(kind, size=(3000, 1500))
    status, file = await upload(team, ada, sent, filename=f"a.{ending}", media_type=media_type)
    assert (status, file["type"], file["converted"], file["conversion_progress"]) == (201, media_type, True, 1.0)
    [slide], [thumbnail] = file["links"]["slides"], file["links"]["thumbnails"]
    assert Image.open(io.BytesIO((await follow(team, slide))[1])).size == (1920, 960)
    assert Image.open(io.BytesIO((await follow(team, thumbnail))[1])).size == (240, 120)
    assert await follow(team, file["links"]["download"]) == (200, sent)


@pytest.mark.parametrize("data", [b"%PDF-1.7 broken", b"not a document", encrypted_pdf(b"secret"), pdf(pages=21)])
async def test_a_document_that_cannot_be_shown_has_failed(team: Team, ada: dict[str, Any], data: bytes):
    status, file = await upload(team, ada, data)
    assert status == 201
    done = await settled(team, ada, file)
    assert (done["failed"], done["converted"]) == (True, False)
    assert done["links"]["slides"] == []
    assert await follow(team, done["links"]["download"]) == (200, data)


@pytest.mark.parametrize(
    ("data", "how"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"GIF89a", {"media_type": "image/gif", "filename": "a.gif"}, id="GIF"),
        pytest.param(svg(), {"media_type": "image/svg+xml", "filename": "a.svg"}, id="SVG"),
        pytest.param(b"<script>", {"media_type": "text/html", "filename": "a.html"}, id="a page"),
        pytest.param(b"MZ", {"media_type": "image/png", "filename": "a.png"}, id="a program that says it is a picture"),
        pytest.param(picture("PNG")[:50], {"media_type": "image/png"}, id="a broken picture"),
        pytest.param(png_that_claims(30_000, 30_000), {"media_type": "image/png"}, id="a picture of 900 megapixels"),
        pytest.param(pdf(), {"name": "document"}, id="under another name"),
    ],
)
async def test_what_is_no_file_to_show_is_400(team: Team, ada: dict[str, Any], data: bytes, how: dict[str, str]):
    assert (await upload(team, ada, data, **how))[0] == 400
    assert await team.ask("GET", files_of(ada)) == (200, {"files": []})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"json": {"file": "text"}}, id="JSON"),
        pytest.param({"data": {"file": "text"}}, id="a form"),
        pytest.param({"data": b"no parts", "headers": {"Content-Type": "multipart/form-data"}}, id="no boundary"),
        pytest.param({"data": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, id="broken"),
    ],
)
async def test_a_body_without_a_file_is_400(team: Team, ada: dict[str, Any], body: dict[str, Any]):
    assert await team.status("POST", files_of(ada), **body) == 400


async def test_a_file_that_is_too_large_is_413_and_leaves_nothing(team: Team, ada: dict[str, Any], tmp_path: Path):
    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.4'
        for _ in range(LIMIT // 65536 + 20):
            yield bytes(65536)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await upload(team, ada, b"%PDF-" + bytes(LIMIT)))[0] == 413
    assert await team.status("POST", files_of(ada), data=endless(), headers=headers) == 413
    assert await team.ask("GET", files_of(ada)) == (200, {"files": []})
    assert kept(tmp_path) == set()


async def test_a_file_of_the_largest_size_is_taken(team: Team, ada: dict[str, Any]):
    document = pdf()
    assert (await upload(team, ada, document + b"\n" * (LIMIT - len(document))))[0] == 201


async def test_a_flood_of_parts_is_refused(team: Team, ada: dict[str, Any], tmp_path: Path):
    many = FormData(default_to_multipart=True)
    for number in range(200):
        many.add_field(f"field{number}", "x")
    assert await team.status("POST", files_of(ada), data=many) == 400
    wide = FormData(default_to_multipart=True)
    wide.add_field("text", "x" * 200_000)
    assert await team.status("POST", files_of(ada), data=wide) == 413
    nested = b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\na\r\n--y--\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert await team.status("POST", files_of(ada), data=nested, headers=headers) == 400
    twice = FormData()
    for name in ("a.pdf", "b.pdf"):
        twice.add_field("file", pdf(), filename=name, content_type="application/pdf")
    assert await team.status("POST", files_of(ada), data=twice) == 400
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
    packed = head + b"Content-Encoding: gzip\r\n\r\na\r\n--x--"
    assert await team.status("POST", files_of(ada), data=packed, headers=headers) == 400
    assert kept(tmp_path) == set()


@pytest.mark.parametrize("path", ["files", "messages", "presentation"])
@pytest.mark.parametrize(
    "line", [pytest.param(b"\r\n", id="empty lines"), pytest.param(b"x" * 60 + b"\r\n", id="lines of text")]
)
async def test_what_stands_before_the_parts_is_bounded(team: Team, ada: dict[str, Any], path: str, line: bytes):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 50 << 20:
            yield line * 2000
            sent += len(line) * 2000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert await team.status("POST", f"/rooms/{ada['access_key']}/{path}", data=endless(), headers=headers) == 400
    assert sent < 50 << 20, "the answer came before the end"


async def test_a_meeting_has_so_many_files_at_most(team: Team, ada: dict[str, Any]):
    for _ in range(4):
        assert (await upload(team, ada, picture("PNG")))[0] == 201
    assert (await upload(team, ada, picture("PNG")))[0] == 413


@pytest.mark.parametrize(
    ("filename", "told"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\ada\\Report.pdf", "Report.pdf"),
        ("%2e%2e%2fa.pdf", "%2e%2e%2fa.pdf"),
        ("..", ".."),
        ("Bericht über uns.pdf", "Bericht über uns.pdf"),
        ("a\u202eb.pdf", "ab.pdf"),
        ("x" * 400 + ".pdf", "x" * 255),
    ],
)
async def test_no_name_leads_anywhere(team: Team, ada: dict[str, Any], tmp_path: Path, filename: str, told: str):
    status, file = await upload(team, ada, pdf(), filename=filename)
    assert (status, file["name"]) == (201, told)
    await settled(team, ada, file)
    assert kept(tmp_path) == {f"{file['id']}.pdf", f"{file['id']}-1.png", f"{file['id']}-1-small.png"}


async def test_a_file_is_deleted_with_its_slides(team: Team, ada: dict[str, Any], tmp_path: Path):
    _, file = await upload(team, ada, picture("PNG"))
    path = f"{files_of(ada)}/{file['id']}"
    assert await team.ask("DELETE", path) == (200, None)
    assert await team.status("DELETE", path) == 404
    assert await team.status("GET", path) == 404
    assert await team.ask("GET", files_of(ada)) == (200, {"files": []})
    for link in (*file["links"]["slides"], *file["links"]["thumbnails"], file["links"]["download"]):
        assert (await follow(team, link))[0] == 404
    assert kept(tmp_path) == set()


async def test_a_file_that_is_being_converted_can_be_deleted(team: Team, ada: dict[str, Any], tmp_path: Path):
    _, file = await upload(team, ada, pdf(pages=20))
    assert await team.status("DELETE", f"{files_of(ada)}/{file['id']}") == 200
    assert await team.ask("GET", files_of(ada)) == (200, {"files": []})
    assert kept(tmp_path) == set()


@pytest.mark.parametrize("file_id", ["nothing", "..%2F..%2Fetc", "0" * 24, "%00"])
async def test_an_unknown_file_is_404(team: Team, ada: dict[str, Any], file_id: str):
    assert await team.status("GET", f"{files_of(ada)}/{file_id}") == 404
    assert await team.status("DELETE", f"{files_of(ada)}/{file_id}") == 404


async def test_another_meetings_file_is_404(team: Team, ada: dict[str, Any]):
    _, file = await upload(team, ada, picture("PNG"))
    eve = await team.enter("another")
    assert await team.status("GET", f"{files_of(eve)}/{file['id']}") == 404
    assert await team.status("DELETE", f"{files_of(eve)}/{file['id']}") == 404
    assert await team.status("GET", f"{files_of(ada)}/{file['id']}") == 200


async def test_guests_and_others_of_the_meeting_see_the_same_files(team: Team, ada: dict[str, Any]):
    _, file = await upload(team, ada, picture("PNG"))
    gus = await team.guest(ada)
    _, listed = await team.ask("GET", files_of(gus))
    [seen] = listed["files"]
    assert seen["links"].pop("self") == f"{BASE}{files_of(gus)}/{file['id']}"
    assert seen["links"] == {name: link for name, link in file["links"].items() if name != "self"}


REQUESTS = [("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x")]


@pytest.mark.parametrize(("method", "rest"), REQUESTS)
async def test_a_key_that_was_never_issued_is_404(team: Team, method: str, rest: str):
    assert await team.status(method, f"/rooms/{NEVER_ISSUED}/files{rest}") == 404


@pytest.mark.parametrize(("method", "rest"), REQUESTS)
async def test_a_key_of_an_ended_meeting_is_410(team: Team, ada: dict[str, Any], method: str, rest: str):
    await team.end()
    assert await team.status(method, f"{files_of(ada)}{rest}") == 410


async def test_the_files_go_with_the_meeting(team: Team, ada: dict[str, Any], tmp_path: Path):
    _, file = await upload(team, ada, picture("PNG"))
    await upload(team, ada, pdf(pages=20))
    await team.end()
    await until(lambda: not kept(tmp_path), PATIENCE, "the files to go")
    assert (await follow(team, file["links"]["download"]))[0] == 404
    again = await team.enter()
    assert await team.ask("GET", files_of(again)) == (200, {"files": []})


async def test_what_a_server_left_behind_goes_at_the_next_start(tmp_path: Path, clock: MovableClock):
    dead = tmp_path / "as it was when the server was killed"
    async with team_server(tmp_path / "living", clock) as team:
        await upload(team, await team.enter(), picture("PNG"))
        await team.client.server.app[ROOMS].aclose()  # type: ignore[attr-defined]
        shutil.copytree(tmp_path / "living", dead)
    (dead / "uploads" / "half").touch()
    assert len(kept(dead)) == 4
    async with team_server(dead, clock):
        await until(lambda: not kept(dead), PATIENCE, "the files to go")


async def test_links_are_good_as_long_as_the_meeting_goes_on(team: Team, ada: dict[str, Any], clock: MovableClock):
    _, file = await upload(team, ada, picture("PNG"))
    clock.advance(30 * 86400)
    assert (await follow(team, file["links"]["slides"][0]))[0] == 200


async def test_files_are_kept_in_an_object_store_as_well(tmp_path: Path, clock: MovableClock):
    with s3() as store:
        objects = {"url": store.url, "options": store.options}
        async with team_server(tmp_path, clock, objects=objects) as team:
            ada = await team.enter()
            _, file = await upload(team, ada, pdf(pages=2))
            done = await settled(team, ada, file)
            assert len(done["links"]["slides"]) == 2
            for link in (*done["links"]["slides"], done["links"]["download"]):
                path = link.removeprefix(BASE)
                whole = await (await team.send("GET", path)).read()
                part = await team.send("GET", path, headers={"Range": "bytes=10-99"})
                assert (part.status, await part.read()) == (206, whole[10:100])
            assert await team.status("DELETE", f"{files_of(ada)}/{file['id']}") == 200
            assert (await follow(team, done["links"]["download"]))[0] == 404
        assert kept(tmp_path) == set()


async def test_while_the_object_store_is_away_nothing_is_kept_and_nothing_breaks(
    team: Team, ada: dict[str, Any], tmp_path: Path
):
    _, file = await upload(team, ada, picture("PNG"))
    away = tmp_path / "away"
    (tmp_path / "objects").rename(away)
    (tmp_path / "objects").touch()
    status, told = await upload(team, ada, picture("PNG"))
    assert (status, told) == (503, {"error": "Service Unavailable"})
    (tmp_path / "objects").unlink()
    away.rename(tmp_path / "objects")
    assert (await follow(team, file["links"]["download"]))[0] == 200
    assert (await upload(team, ada, picture("PNG")))[0] == 201


# what everybody hears


async def test_everybody_hears_of_start_progress_end_and_deletion(team: Team, ada: dict[str, Any]):
    talker, observer = await team.join(ada), await team.observe()
    _, file = await upload(team, ada, pdf(pages=20))
    told = []
    while not told or not told[-1]["converted"]:
        update = await talker.until("files_update")
        assert update == await observer.until("files_update")
        told.append(update["files"][0])
    steps = [each["conversion_progress"] for each in told]
    assert steps == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert {each["id"] for each in told} == {file["id"]}
    assert [len(each["links"]["slides"]) for each in told] == [0] * 10 + [20]
    assert told[-1]["links"]["self"] is None, "an access key is one user's own"
    await team.send("DELETE", f"{files_of(ada)}/{file['id']}")
    assert (await talker.until("files_update"))["files"] == []


async def test_everybody_hears_of_a_failure(team: Team, ada: dict[str, Any]):
    talker = await team.join(ada)
    await upload(team, ada, b"%PDF-broken")
    assert (await talker.until("files_update"))["files"][0]["failed"] is False
    assert (await talker.until("files_update"))["files"][0]["failed"] is True


async def test_the_team_hears_of_documents(team: Team, ada: dict[str, Any]):
    async with hook() as receiver:
        wanted = {"url": receiver.url, "types": "document_update"}
        assert await team.status("POST", "/webhooks", key=KEY, json=wanted) == 201
        _, file = await upload(team, ada, pdf())
        await receiver.until(lambda: len(receiver.got) == 2)
        await team.send("DELETE", f"{files_of(ada)}/{file['id']}")
        await receiver.until(lambda: len(receiver.got) == 3)
    bodies = [got.json() for got in receiver.got]
    assert [body["type"] for body in bodies] == ["document_update"] * 3
    assert [[each["converted"] for each in body["files"]] for body in bodies] == [[False], [True], []]
    assert all(got.signed_with(KEY) for got in receiver.got)


@given(st.text(max_size=300))
def test_no_name_is_more_than_a_name(name: str):
    made = shown(name)
    assert 0 < len(made) <= 255
    assert not set(made) & {"/", "\\", "\0", "\n"}
    assert made.encode()
