"""Where archives go: what a caller may say of a store, and what arrives there. Real stores, exact messages."""

import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from signaling import objects
from tests.support.api_server import Api
from tests.support.archives import TARGET, archived, archiving, look, set_target, swept, told
from tests.support.buckets import KEYS, Bucket, bucket
from tests.support.clock import MovableClock
from tests.support.object_stores import ACCOUNT_KEY
from tests.support.sessions import NOW, ask, error

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
