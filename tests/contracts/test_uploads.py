"""Archives on their way to tenants' stores: what arrives, when, and what is told meanwhile. Real stores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from signaling import objects
from signaling.assembly import recording
from signaling.services.archive_views import project_of
from tests.support.api_server import Api, web_token
from tests.support.archives import CONTENT, archived, archiving, meeting, set_target, swept, told
from tests.support.buckets import KEYS, Bucket, bucket
from tests.support.clock import MovableClock
from tests.support.object_stores import ACCOUNT, ACCOUNT_KEY, azure
from tests.support.object_stores import BUCKET as CONTAINER
from tests.support.sessions import NOW, ask


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=NOW)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with archiving(tmp_path, clock) as api:
        yield api


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A request that fails is not repeated here: tries are what the tests are about."""
    monkeypatch.setattr(objects, "RETRIES", 0)
    with bucket() as found:
        yield found


async def test_an_archive_goes_to_s3(api: Api, s3: Bucket):
    await set_target(api, **s3.target())
    held, archive_id = await archived(api)
    assert await told(api, archive_id) == ("uploaded", None)
    assert (await held.session()).upload_target == "AWSS3"
    key = f"folkmoot/{archive_id}/archive.webm"
    assert s3.arrivals() == [key]
    assert await s3.objects().read(key) == CONTENT
    assert not held.recordings_path.exists()


async def test_an_archive_goes_to_azure(tmp_path: Path, api: Api):
    with azure() as container:
        domain = container.options["endpoint"].removesuffix(f"/{ACCOUNT}")
        target = {"name": "AZURE", "accountName": ACCOUNT, "accountKey": ACCOUNT_KEY, "container": CONTAINER}
        await set_target(api, **target, domain=domain)
        held, archive_id = await archived(api)
        assert await told(api, archive_id) == ("uploaded", None)
        assert (await held.session()).upload_target == "AZURE"
        assert await container.read(f"folkmoot/{archive_id}/archive.webm") == CONTENT


async def test_an_archive_reaches_a_store_that_was_gone_for_ten_minutes(api: Api, s3: Bucket, clock: MovableClock):
    await set_target(api, **s3.target())
    s3.go()
    held, archive_id = await archived(api)
    for _ in range(10):
        assert await told(api, archive_id) == ("stopped", None)
        assert (await held.session()).upload_target is None
        assert (held.recordings_path / "recording.webm").read_bytes() == CONTENT
        clock.advance(60.0)
        await swept(api)
    s3.come_back()
    clock.advance(900.0)
    await swept(api)
    assert await told(api, archive_id) == ("uploaded", None)
    assert (await held.session()).upload_target == "AWSS3"
    assert s3.arrivals() == [f"folkmoot/{archive_id}/archive.webm"]
    assert await s3.objects().read(s3.arrivals()[0]) == CONTENT
    assert not held.recordings_path.exists()


@pytest.mark.parametrize(
    ("fallback", "last"),
    [
        ({}, ("failed", "The file could not be uploaded in 3 tries.")),
        ({"fallback": "none"}, ("failed", "The file could not be uploaded in 3 tries.")),
        ({"fallback": "opentok"}, ("available", None)),
    ],
)
async def test_wrong_credentials_are_tried_three_times(
    api: Api, s3: Bucket, clock: MovableClock, fallback: dict[str, str], last: tuple[str, str | None]
):
    await set_target(api, **s3.target(**fallback))
    with s3.asking_for_credentials():
        held, archive_id = await archived(api)
        for pause in (120.0, 900.0):
            assert await told(api, archive_id) == ("stopped", None)
            assert held.recordings_path.exists()
            clock.advance(pause)
            await swept(api)
    assert await told(api, archive_id) == last
    assert (await held.session()).upload_target is None
    assert s3.arrivals() == []


async def test_a_target_holds_for_what_is_finished_later(api: Api, s3: Bucket, clock: MovableClock):
    _, before = await archived(api)
    await set_target(api, **s3.target())
    await swept(api)
    _, after = await archived(api)
    assert [(await told(api, each))[0] for each in (before, after)] == ["available", "uploaded"]


async def test_what_is_on_its_way_goes_where_it_was_to_go(api: Api, s3: Bucket, clock: MovableClock):
    await set_target(api, **s3.target())
    s3.go()
    _, archive_id = await archived(api)
    await set_target(api, **s3.target(bucket="another"))
    s3.come_back()
    clock.advance(120.0)
    await swept(api)
    assert s3.arrivals() == [f"folkmoot/{archive_id}/archive.webm"]


async def test_each_tenant_has_its_own_target_and_the_others_the_servers(api: Api, s3: Bucket):
    a, b = web_token(tenantId="a"), web_token(tenantId="Tenants & Söhne")
    await set_target(api, bearer=a, **s3.target())
    _, of_b = await archived(api, bearer=b)
    _, of_a = await archived(api, bearer=a)
    assert [(await told(api, each))[0] for each in (of_b, of_a)] == ["available", "uploaded"]
    await set_target(api, **s3.target())
    await archived(api, bearer=b)
    projects = {key.split("/")[0] for key in s3.arrivals()}
    assert projects == {"a", project_of("Tenants & Söhne")}


async def test_a_target_outlives_a_restart(tmp_path: Path, clock: MovableClock, s3: Bucket):
    async with archiving(tmp_path, clock) as api:
        await set_target(api, **s3.target())
    async with archiving(tmp_path, clock) as api:
        _, archive_id = await archived(api)
        assert await told(api, archive_id) == ("uploaded", None)


async def test_an_upload_is_gone_on_with_after_a_restart(tmp_path: Path, clock: MovableClock, s3: Bucket):
    async with archiving(tmp_path, clock) as api:
        await set_target(api, **s3.target())
        s3.go()
        _, archive_id = await archived(api)
    s3.come_back()
    clock.advance(120.0)
    async with archiving(tmp_path, clock) as api:
        await swept(api)
        assert await told(api, archive_id) == ("uploaded", None)
    assert s3.arrivals() == [f"folkmoot/{archive_id}/archive.webm"]


async def test_a_server_that_stops_does_not_wait_for_a_store_that_says_nothing(
    tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recording, "LAST_UPLOADS", 0.05)
    asked = asyncio.Event()
    store = await asyncio.start_server(lambda *_: asked.set(), "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{store.sockets[0].getsockname()[1]}"
    async with archiving(tmp_path, clock) as api:
        await set_target(api, name="AWSS3", bucket="archives", endpoint=endpoint, **KEYS)
        async with await meeting(api) as held:
            archive_id = (await held.begin())["metaData"]["id"]
            await held.stop()
            written = held.recordings[-1]
            written.close(content=CONTENT)
            await asyncio.wait_for(asked.wait(), 5)
            assert await told(api, archive_id) == ("stopped", None)
    assert (written.path / "recording.webm").read_bytes() == CONTENT
    async with archiving(tmp_path, clock) as api:
        assert await told(api, archive_id) == ("stopped", None)
    store.close()


async def test_one_that_is_deleted_stays_in_the_tenants_store(api: Api, s3: Bucket):
    await set_target(api, **s3.target())
    held, archive_id = await archived(api)
    assert await ask(api, "DELETE", f"/archives/{archive_id}") == (200, None)
    assert (await held.session()).archive_id is None
    assert await s3.objects().exists(f"folkmoot/{archive_id}/archive.webm")


async def test_one_that_is_deleted_on_its_way_never_arrives(api: Api, s3: Bucket, clock: MovableClock):
    await set_target(api, **s3.target())
    s3.go()
    held, archive_id = await archived(api)
    assert await ask(api, "DELETE", f"/archives/{archive_id}") == (200, None)
    s3.come_back()
    clock.advance(120.0)
    await swept(api)
    assert s3.arrivals() == []
    assert not held.recordings_path.exists()
