"""Where archives go: what a caller may say of a store, and what arrives there. Real stores, exact messages."""

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from signaling import objects
from signaling.appkeys import RECORDINGS
from signaling.assembly import recording
from signaling.services.archive_views import project_of
from tests.support.api_server import Api, web_token
from tests.support.archives import Meeting, archiving, look, meeting
from tests.support.buckets import KEYS, Bucket, bucket
from tests.support.clock import MovableClock
from tests.support.object_stores import ACCOUNT, ACCOUNT_KEY, azure
from tests.support.object_stores import BUCKET as CONTAINER
from tests.support.sessions import NOW, ask, error

TARGET = "/archives/storage-target"
CONTENT = bytes(range(256)) * 40_000  # more than one part
NO_S3_KEYS = "Missing AWS S3 credentials for setting upload target"
NO_AZURE_KEYS = "Missing Azure credentials for setting upload target"
AZURE = {"name": "AZURE", "accountName": "acme", "accountKey": ACCOUNT_KEY, "container": "meetings"}


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


async def set_target(api: Api, bearer: str | None = None, **target: Any) -> None:
    response = await api.send(
        "PUT", TARGET, key=None, headers={"Authorization": f"Bearer {bearer or web_token()}"}, json=target
    )
    assert (response.status, await response.text()) == (200, "null")


async def archived(api: Api, bearer: str | None = None, content: bytes = CONTENT) -> tuple[Meeting, str]:
    """A session, and its archive after the first try to store it."""
    held = await meeting(api, bearer=bearer)
    async with held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.stop()
        await held.finished(content=content)
    return held, archive_id


async def swept(api: Api) -> None:
    await api.client.app[RECORDINGS].sweep()
    await api.client.app[RECORDINGS].aclose()


async def told(api: Api, archive_id: str) -> tuple[str, str | None]:
    """Its status and the reason."""
    metadata = (await look(api, archive_id))["metaData"]
    assert (metadata["url"] is not None) == (metadata["status"] == "available")
    return metadata["status"], metadata["reason"]


# what a caller may say


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, error(400, "Unsupported storage type")),
        ({"name": "FLOPPY"}, error(400, "Unsupported storage type")),
        ({"name": "awss3"}, error(400, "Unsupported storage type")),
        ({"name": "AWSS3"}, error(500, NO_S3_KEYS)),
        ({"name": "AWSS3", "bucket": "b", "accessKey": "a"}, error(500, NO_S3_KEYS)),
        ({"name": "AWSS3", "bucket": "b", "secretKey": "a"}, error(500, NO_S3_KEYS)),
        ({"name": "AWSS3", **KEYS}, error(400, "S3 bucket name is required")),
        ({"name": "AWSS3", "bucket": "", **KEYS}, error(400, "S3 bucket name is required")),
        ({"name": "AZURE"}, error(500, NO_AZURE_KEYS)),
        ({"name": "AZURE", "accountName": "acme", "accountKey": "a"}, error(500, NO_AZURE_KEYS)),
        ({"name": "AZURE", "accountName": "acme", "container": "c"}, error(500, NO_AZURE_KEYS)),
        ({**AZURE, "accountName": None}, error(400, "Azure account name is required")),
    ],
)
async def test_a_target_that_cannot_be_is_refused_in_these_words(api: Api, body: dict[str, Any], answer: Any):
    assert await ask(api, "PUT", TARGET, json=body) == answer


@pytest.mark.parametrize(
    "body",
    [
        {"name": "AWSS3", "bucket": "up/../there", **KEYS},
        {"name": "AWSS3", "bucket": "archives", "region": "evil.example/#", **KEYS},
        {"name": "AWSS3", "bucket": "archives", "endpoint": "ftp://store.example", **KEYS},
        {"name": "AWSS3", "bucket": "archives", "endpoint": "http://a:b@store.example", **KEYS},
        {**AZURE, "accountName": "acme.evil.example/"},
        {**AZURE, "container": "a/b"},
        {**AZURE, "domain": "evil.example/path"},
        {**AZURE, "accountKey": "no base64!"},
    ],
)
async def test_nothing_that_a_target_says_leads_elsewhere(api: Api, body: dict[str, Any]):
    assert (await ask(api, "PUT", TARGET, json=body))[0] == 400


@pytest.mark.parametrize("body", [{"fallback": "hope"}, {"bucket": 5}, {"name": []}, {"secretKey": "x" * 1025}])
async def test_a_field_of_a_wrong_type_is_named(api: Api, body: dict[str, Any]):
    status, answer = await ask(api, "PUT", TARGET, json={"name": "AWSS3", **KEYS, **body})
    assert (status, [each["path"] for each in answer["error"]["details"]]) == (422, [f"/{next(iter(body))}"])


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "http://169.254.169.254", "http://[::1]:80"])
async def test_a_target_inside_is_refused(tmp_path: Path, clock: MovableClock, endpoint: str):
    async with archiving(tmp_path, clock, fetch={}) as api:
        assert (await ask(api, "PUT", TARGET, json={"name": "AWSS3", "bucket": "b12", "endpoint": endpoint, **KEYS}))[
            0
        ] == 400


async def test_credentials_and_container_may_come_from_the_settings(tmp_path: Path, clock: MovableClock):
    given = {"access_key": "a", "secret_key": "b", "account_key": ACCOUNT_KEY, "container": "meetings"}
    async with archiving(tmp_path, clock, **given) as api:
        await set_target(api, name="AWSS3", bucket="archives", endpoint="http://127.0.0.1:9")
        await set_target(api, name="AZURE", accountName="acme", domain="http://127.0.0.1:9")


# what arrives


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


# secrets


def contents(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


async def test_secrets_are_kept_encrypted_and_told_to_nobody(
    tmp_path: Path, clock: MovableClock, s3: Bucket, capfd: pytest.CaptureFixture[str]
):
    secret = KEYS["secretKey"]
    async with archiving(tmp_path, clock) as api:
        await set_target(api, **s3.target())
        with s3.asking_for_credentials():
            _, archive_id = await archived(api)
        assert secret not in str(await look(api, archive_id))
    assert not any(secret.encode() in content for content in contents(tmp_path))
    assert stat.S_IMODE((tmp_path / "secrets.key").stat().st_mode) == 0o600
    said = capfd.readouterr()
    assert "recording not uploaded" in said.out + said.err
    assert secret not in said.out + said.err


async def test_secrets_of_another_key_are_as_good_as_none(tmp_path: Path, clock: MovableClock, s3: Bucket):
    async with archiving(tmp_path, clock) as api:
        await set_target(api, **s3.target(fallback="opentok"))
    (tmp_path / "secrets.key").write_bytes(b"another")
    async with archiving(tmp_path, clock) as api:
        _, archive_id = await archived(api)
        for pause in (120.0, 900.0):
            clock.advance(pause)
            await swept(api)
        assert await told(api, archive_id) == ("available", None)
    assert s3.arrivals() == []
