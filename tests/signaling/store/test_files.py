from dataclasses import replace

import sqlalchemy as sa

from signaling.store import files, team_rooms
from signaling.store.database import Database
from signaling.store.files import FileRow
from signaling.store.team_rooms import MeetingRow, RoomRow

FILE = FileRow("f1", "m1", "Report.pdf", "application/pdf", 3_000_000_000, "converting", 0, "image/png", 5)


async def keep(database: Database, *rows: FileRow) -> None:
    for row in rows:
        await database.writing(files.insert, row)


async def test_a_file_comes_back_as_it_was_kept(database: Database):
    await keep(database, FILE)
    assert await database.reading(files.by_id, "m1", "f1") == FILE
    assert await database.reading(files.by_id, "m2", "f1") is None
    assert await database.reading(files.by_id, "m1", "f2") is None


async def test_a_meetings_files_are_listed_in_the_order_in_which_they_came(database: Database):
    later, removed = replace(FILE, id="f0", created_ms=6), replace(FILE, id="f2", state="removed")
    await keep(database, later, FILE, removed, replace(FILE, id="f3", meeting_id="m2"))
    assert await database.reading(files.of_meeting, "m1", ["converting"]) == [FILE, later]
    assert await database.reading(files.of_meeting, "m1") == [FILE, removed, later]
    assert await database.reading(files.count, "m1", ["converting", "removed"]) == 3


async def test_a_file_changes_only_from_where_it_was(database: Database):
    await keep(database, FILE)
    assert await database.stating(files.change, "f1", ["converting"], {"state": "converted", "pages": 3})
    assert not await database.stating(files.change, "f1", ["converting"], {"state": "failed"})
    assert await database.reading(files.by_id, "m1", "f1") == replace(FILE, state="converted", pages=3)


async def test_what_is_removed_or_of_a_meeting_that_is_over_is_left_over(database: Database):
    await database.writing(begin, "m1")
    await keep(database, FILE, replace(FILE, id="f2", state="removed"), replace(FILE, id="f3", meeting_id="m2"))
    found = await database.reading(files.left_over, "removed", 10)
    assert sorted(row.id for row in found) == ["f2", "f3"]
    assert len(await database.reading(files.left_over, "removed", 1)) == 1
    await database.stating(files.delete, "f3")
    assert [row.id for row in await database.reading(files.left_over, "removed", 10)] == ["f2"]


def begin(connection: sa.Connection, meeting_id: str) -> None:
    room = team_rooms.add_room(connection, RoomRow("r1", "Team", "standup", None, 0))
    row = MeetingRow(meeting_id, room.key, None, "{}", "token", None, 0, None, None, "Team", "standup")
    team_rooms.add_meeting(connection, row, "digest")
