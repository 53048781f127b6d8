"""Webhooks of a real server that is killed again and again, to a receiver that fails, hangs and dies meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.support.hooks import Got, Hook, hook
from tests.support.postgresql import postgresql
from tests.support.server import RunningServer, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

KEY, OTHER_KEY = "the team's key", "the other team's key"
AT_ONCE = 5  # meetings that begin together
PATIENCE = 30.0  # seconds for everything to arrive


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    with postgresql() if kind == "postgresql" else nullcontext("") as url:
        yield {"database_url": url} if url else {}


@pytest_asyncio.fixture(loop_scope="session", params=["sqlite", "postgresql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningServer]:
    with database(request.param) as options:
        server = RunningServer(
            tmp_path,
            api_keys=[{"key": KEY, "team": "A"}, {"key": OTHER_KEY, "team": "B"}],
            fetch__allow_private_addresses="true",
            webhooks__backoff_seconds=[0.05, 0.2],
            webhooks__timeout_seconds=0.5,
            **options,
        )
        await server.start()
        yield server
        await server.aclose()


class Team:
    """Begins meetings, and knows which."""

    def __init__(self, server: RunningServer, key: str = KEY) -> None:
        self.server = server
        self.key = key
        self.begun: list[str] = []
        self.webhook: dict[str, Any] = {}

    async def register(self, url: str) -> None:
        self.webhook = await self._ask("POST", "/webhooks", json={"url": url, "types": "room_update"})

    async def begin(self, count: int = AT_ONCE) -> None:
        rooms = [f"room {len(self.begun) + n}" for n in range(count)]
        self.begun += rooms
        await asyncio.gather(*(self._begin(room) for room in rooms))

    async def _begin(self, room: str) -> None:
        await self._ask("POST", "/rooms", json={"id": room, "user": {"name": "Ada"}})

    async def log(self, state: str = "") -> list[str]:
        """Ids of deliveries in the order in which they were put into the outbox."""
        found: list[str] = []
        while True:
            query = {"page": len(found) // 25 + 1, **({"state": state} if state else {})}
            page = await self._ask("GET", f"/webhooks/{self.webhook['id']}/deliveries", params=query)
            found += [each["id"] for each in page]
            if len(page) < 25:
                return found[::-1]

    async def all_told(self) -> bool:
        return not await self.log("pending")

    async def _ask(self, method: str, path: str, **rest: Any) -> Any:
        async with (
            ClientSession(self.server.url, headers={"Authorization": self.key}) as session,
            session.request(method, path, **rest) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json()


async def test_a_failing_receiver_and_a_killed_server_lose_nothing(server: RunningServer) -> None:
    team = Team(server)
    async with hook() as receiver:
        await team.register(receiver.url)
        await team.begin()
        await receiver.until(lambda: receiver.accepted)
        await killed_while(server, team, receiver, lambda got: 500)
        await killed_while(server, team, receiver, lambda got: None)
        await killed_while(server, team, receiver, lambda got: 200 if len(receiver.got) % 2 else 503)
        await receiver.die()
        await team.begin()
        await server.kill()
        await server.start()
        await team.begin()
        await receiver.live()
        await until(team.all_told, PATIENCE, "everything to be told")
        check(team, receiver, await team.log())


async def killed_while(server: RunningServer, team: Team, receiver: Hook, answer: Any) -> None:
    """Some meetings begin while the receiver answers so; the server is killed in the middle of telling of them."""
    receiver.answer = answer
    await team.begin()
    heard = len(receiver.got)
    await receiver.until(lambda: len(receiver.got) > heard + 1)
    await server.kill()
    await server.start()
    receiver.answer = lambda got: 200


def check(team: Team, receiver: Hook, log: list[str]) -> None:
    assert all(got.signed_with(team.key) for got in receiver.got)
    assert first_heard(receiver.accepted) == log
    rooms = {got.json()["room"]["id"] for got in receiver.accepted}
    assert rooms == set(team.begun)
    for room in team.begun:
        told = [got.json()["room"]["shutdown"] for got in once(receiver.accepted) if got.json()["room"]["id"] == room]
        assert told == sorted(told)  # never alive after its end
    bodies: dict[str, bytes] = {}
    assert all(bodies.setdefault(got.id, got.body) == got.body for got in receiver.got)


def first_heard(accepted: list[Got]) -> list[str]:
    return list(dict.fromkeys(got.id for got in accepted))


def once(accepted: list[Got]) -> list[Got]:
    return list({got.id: got for got in reversed(accepted)}.values())[::-1]


async def test_a_receiver_that_never_answers_delays_no_other(server: RunningServer) -> None:
    team, other = Team(server), Team(server, OTHER_KEY)
    async with hook() as hanging, hook() as receiver:
        hanging.answer = lambda got: None
        await team.register(hanging.url)
        await other.register(receiver.url)
        await team.begin(20)
        await other.begin(20)
        await until(other.all_told, PATIENCE, "the other team's events")
        assert hanging.accepted == []
        assert len(first_heard(hanging.got)) == 1  # in order: nothing overtakes the first
        check(other, receiver, await other.log())
        hanging.answer = lambda got: 200
        await until(team.all_told, PATIENCE, "the first team's events")
        check(team, hanging, await team.log())
    told = await server.metrics()
    assert told["folkmoot_webhook_failures_total"] >= 1
    assert told["folkmoot_webhook_deliveries_total"] == len(await team.log("done")) + len(await other.log("done"))


async def test_a_server_that_is_stopped_still_tells_that_its_meetings_are_over(server: RunningServer) -> None:
    team = Team(server)
    async with hook() as receiver:
        await team.register(receiver.url)
        await team.begin()
        await until(team.all_told, PATIENCE, "everything to be told")
        assert await server.stop() == 0
        ended = {got.json()["room"]["id"] for got in receiver.accepted if got.json()["room"]["shutdown"]}
        assert ended == set(team.begun)
