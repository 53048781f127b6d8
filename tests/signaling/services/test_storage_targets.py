"""Where a tenant's store is when something goes there: looked up anew, and never somewhere inside."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from signaling.addresses import check_address
from signaling.objects import StoreFailed
from signaling.sealing import KEY_FILE, Seal
from signaling.services.errors import FetchRefused
from signaling.services.storage_plans import Configured, Wanted
from signaling.services.storage_targets import StorageTargets
from signaling.store.database import Database, sqlite_url
from tests.support.clock import MovableClock

OUTSIDE = "93.184.216.34"
S3 = Wanted(name="AWSS3", bucket="archives", access_key="a", secret_key="b")


class Names:
    """One name, and where it leads now."""

    address = OUTSIDE

    async def resolve(self, url: str) -> Sequence[str]:
        check_address(self.address)
        return [self.address]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(sqlite_url(tmp_path / "folkmoot.db"))
    await database.start()
    yield database
    await database.aclose()


@pytest.fixture
def targets(tmp_path: Path, database: Database, names: Names) -> StorageTargets:
    seal = Seal("", tmp_path / KEY_FILE)
    return StorageTargets(database, seal, names.resolve, MovableClock(), configured=Configured(), pin=True)


def wanted(endpoint: str) -> Wanted:
    return Wanted(**{**{name: getattr(S3, name) for name in Wanted.__dataclass_fields__}, "endpoint": endpoint})


@pytest.mark.parametrize(
    ("endpoint", "connected"),
    [
        ("http://store.example:9000", f"http://{OUTSIDE}:9000"),
        ("https://store.example:9000", "https://store.example:9000"),
    ],
)
async def test_a_name_is_not_looked_up_again_where_no_certificate_tells_who_answers(
    targets: StorageTargets, endpoint: str, connected: str
):
    await targets.set("sessions", "", wanted(endpoint))
    target = await targets.open(1)
    assert target is not None
    assert (target.kind, target.objects.options["endpoint"]) == ("AWSS3", connected)


async def test_a_name_that_leads_inside_later_is_not_used(targets: StorageTargets, names: Names):
    await targets.set("sessions", "", wanted("https://store.example"))
    names.address = "10.0.0.1"
    with pytest.raises(StoreFailed):
        await targets.open(1)
    with pytest.raises(FetchRefused):
        await targets.set("sessions", "", wanted("https://store.example"))


async def test_amazon_is_found_by_its_region(targets: StorageTargets, names: Names):
    names.address = "10.0.0.1"  # nothing has to be resolved
    await targets.set("sessions", "", S3)
    target = await targets.open(1)
    assert target is not None
    assert target.objects.options == {
        "region": "us-east-1",
        "virtual_hosted_style_request": "false",
        "access_key_id": "a",
        "secret_access_key": "b",
    }


async def test_there_is_none_where_none_was_set(targets: StorageTargets):
    assert await targets.open(7) is None
    assert await targets.fallback(7) is None
