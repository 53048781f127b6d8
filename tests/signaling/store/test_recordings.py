from dataclasses import replace

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from signaling.store import database as databases
from signaling.store import recordings, storage_targets
from signaling.store.database import Database
from signaling.store.recordings import RecordingRow, Wanted
from signaling.store.storage_targets import NewTarget
from tests.signaling.conftest import empty

ROW = RecordingRow("r1", "recording", "sessions", "acme", "s1", "s1", '{"name": null}', 1000, "running")
OURS = Wanted("recording", "sessions")
TARGET = NewTarget("sessions", "", "AWSS3", "s3://a", "{}", "sealed", "none", 5)


async def keep(database: Database, *rows: RecordingRow) -> None:
    for row in rows:
        await database.writing(recordings.insert, row)


async def test_a_recording_comes_back_as_it_was_kept_and_changed(database: Database):
    await keep(database, ROW)
    assert await database.reading(recordings.of_id, "r1") == ROW
    later = replace(ROW, state="stopped", duration=7, size_bytes=1 << 40, tries=2, next_try_ms=9, target_id=1)
    assert await database.writing(recordings.save, later)
    assert await database.reading(recordings.by_id, "r1", OURS) == later
    assert not await database.writing(recordings.save, replace(later, id="r2"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (OURS, ["r3", "r2", "r1"]),
        (replace(OURS, owner="acme"), ["r3", "r1"]),
        (replace(OURS, container="s2"), ["r2"]),
        (replace(OURS, states=("running",)), ["r3", "r2"]),
        (replace(OURS, conferences=("s1", "s3")), ["r3", "r1"]),
        (replace(OURS, since_ms=2000), ["r3", "r2"]),
        (replace(OURS, until_ms=2000), ["r2", "r1"]),
        (replace(OURS, kind="snapshot"), ["p1"]),
        (replace(OURS, family="rooms"), ["o1"]),
    ],
)
async def test_recordings_are_found_by_what_is_wanted_newest_first(
    database: Database, wanted: Wanted, found: list[str]
):
    await keep(
        database,
        replace(ROW, state="failed"),
        replace(ROW, id="r2", owner="", container="s2", conference_id="s2", created_ms=2000),
        replace(ROW, id="r3", container="s3", conference_id="s3", created_ms=3000),
        replace(ROW, id="p1", kind="snapshot"),
        replace(ROW, id="o1", family="rooms"),
    )
    page = await database.reading(recordings.page, wanted, limit=10, offset=0)
    assert [row.id for row in page] == found
    assert await database.reading(recordings.count, wanted) == len(found)
    part = await database.reading(recordings.page, wanted, limit=1, offset=1)
    assert [row.id for row in part] == found[1:2]


async def test_the_oldest_and_the_unfinished_are_found(database: Database):
    await keep(database, ROW, replace(ROW, id="r2", state="stopped", created_ms=500, family="rooms"))
    old = await database.reading(recordings.made_before, OURS, 1001, limit=5)
    assert [row.id for row in old] == ["r1"]
    assert await database.reading(recordings.made_before, OURS, 1000, limit=5) == []
    unfinished = await database.reading(recordings.unfinished, "recording", ("running", "stopped"))
    assert [row.id for row in unfinished] == ["r2", "r1"]
    assert await database.stating(recordings.delete, "r1")
    assert not await database.stating(recordings.delete, "r1")


async def test_an_owners_target_counts_before_everybodys_and_the_latest_before_others(database: Database):
    assert await database.reading(storage_targets.current, "sessions", "acme") is None
    for owner in ("", "acme", "", "acme"):
        await database.writing(storage_targets.insert, replace(TARGET, owner=owner))

    async def current(owner: str, family: str = "sessions") -> tuple[str, int] | None:
        found = await database.reading(storage_targets.current, family, owner)
        row = None if found is None else await database.reading(storage_targets.by_id, found)
        return None if row is None else (row.owner, row.id)

    assert (await current("acme"), await current("other"), await current("")) == (("acme", 4), ("", 3), ("", 3))
    assert await current("acme", "spaces") is None


async def test_a_target_that_was_replaced_stays_while_something_is_on_its_way_there(database: Database):
    await database.writing(storage_targets.insert, TARGET)
    await keep(database, replace(ROW, target_id=1))
    await database.writing(storage_targets.insert, replace(TARGET, url="s3://b"))
    assert await database.reading(storage_targets.by_id, 1)
    await database.writing(recordings.save, replace(ROW, target_id=1, state="uploaded", finished_ms=9))
    await database.writing(storage_targets.insert, replace(TARGET, url="s3://c"))
    assert [await database.reading(storage_targets.by_id, number) is None for number in (1, 2, 3)] == [
        True,
        True,
        False,
    ]


async def test_recordings_of_rooms_from_before_are_there_still(url: str):
    database = Database(url)
    if url.startswith("postgresql"):
        await database.writing(empty)
    await database.writing(_upgrade_to, "0008")
    await database.writing(_fill)
    await database.writing(_upgrade_to, "head")
    row = await database.reading(recordings.of_id, "r1")
    assert row == RecordingRow(
        "r1", "recording", "rooms", "My Company", "k1", "m1", '{"user": {"id": "ada"}, "room": {"id": "a"}}', 7,
        "finished", 60,
    )  # fmt: skip
    await database.aclose()


def _upgrade_to(connection: sa.Connection, revision: str) -> None:
    config = Config()
    migrations = str(databases.__file__).rpartition("/")[0] + "/migrations"
    config.set_main_option("script_location", migrations)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _fill(connection: sa.Connection) -> None:
    for statement in (
        "INSERT INTO team_rooms (key, team, room_id, created_ms) VALUES ('k1', 'My Company', 'a', 1)",
        "INSERT INTO room_meetings (id, room_key, options, guest_token, started_ms) VALUES ('m1', 'k1', '{}', 'g', 1)",
        'INSERT INTO room_recordings (id, kind, room_key, meeting_id, "user", room, created_ms, duration, state)'
        " VALUES ('r1', 'recording', 'k1', 'm1', '{\"id\": \"ada\"}', '{\"id\": \"a\"}', 7, 60, 'finished')",
    ):
        connection.execute(sa.text(statement.replace(":", r"\:")))
