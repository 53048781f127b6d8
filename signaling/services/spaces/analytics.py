"""What a space's owner and moderators learn of its calls, and a room's moderators of those of the room.

Calls are remembered by `calls.py`. Spaces contract, section 10.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from signaling.services.errors import NotFound
from signaling.services.spaces.accounts import Caller
from signaling.services.spaces.calls import Calls
from signaling.services.spaces.report import Line, report
from signaling.services.spaces.spaces import SpacesService, find_room, find_space, require
from signaling.store import space_calls as store
from signaling.store.database import Connection, Database
from signaling.store.space_calls import PresenceRow

MAX_STAYS = 50_000  # in one report: the latest

CountedCall = store.CountedCall


class Analytics:
    def __init__(self, database: Database, spaces: SpacesService, calls: Calls) -> None:
        self._database = database
        self._spaces = spaces
        self._calls = calls

    async def finished(
        self, caller: Caller, space_id: str, *, room_id: str | None, day: date | None, least: int
    ) -> Sequence[CountedCall]:
        """Calls that ended on that day (UTC; None: today) and in which at least that many have met."""
        await self._calls.entered()
        begin = datetime.combine(day or self._today(), datetime.min.time(), UTC)
        since_ms, until_ms = (int(each.timestamp() * 1000) for each in (begin, begin + timedelta(days=1)))

        def work(connection: Connection) -> Sequence[CountedCall]:
            _check_may(connection, caller, space_id, room_id)
            return store.finished_between(connection, space_id, room_id, since_ms, until_ms, least=least)

        return await self._database.reading(work)

    async def report(
        self, caller: Caller, space_id: str, *, room_id: str | None, call_id: str | None
    ) -> Sequence[Line]:
        """A line for each person in these calls, also in one that runs."""
        await self._calls.entered()

        def work(connection: Connection) -> Sequence[PresenceRow]:
            _check_may(connection, caller, space_id, room_id)
            if call_id is not None and (not _plain(call_id) or not store.by_id(connection, space_id, call_id)):
                raise NotFound("call", call_id)
            return store.presences(connection, space_id, room_id, call_id, MAX_STAYS)

        return report(await self._database.reading(work), self._spaces.now_ms())

    def _today(self) -> date:
        return datetime.fromtimestamp(self._spaces.now_ms() / 1000, UTC).date()


def _check_may(connection: Connection, caller: Caller, space_id: str, room_id: str | None) -> None:
    if find_space(connection, caller, space_id).standing.manages_space:
        if room_id is not None and not _plain(room_id):
            raise NotFound("room", room_id)
        return
    require(room_id is not None and find_room(connection, caller, space_id, room_id).standing.moderates_room)


def _plain(id: str) -> bool:
    """A database may choke on anything else."""
    return id.isascii() and id.isprintable()
