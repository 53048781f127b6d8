from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from signaling.fetch import Fetcher
from signaling.services.errors import BadValue, Conflict, FetchRefused, Missing, NotFound
from signaling.services.webhooks import PAGE_SIZE, Webhook, Webhooks
from signaling.settings import Fetch
from signaling.store import outbox
from signaling.store.database import Connection, Database
from signaling.store.outbox import Attempt
from signaling.tokens import digest
from signaling.webhooks.schedule import State
from tests.support.clock import MovableClock

KEY = "the team's key"
OWN = ("rooms", digest(KEY))


async def resolve(host: str, port: int) -> Sequence[str]:
    known = {"example.org": ["93.184.215.14"], "inside.example.org": ["10.0.0.1"]}
    if host not in known:
        raise OSError
    return known[host]


@pytest.fixture
async def webhooks(database: Database) -> AsyncIterator[Webhooks]:
    fetcher = Fetcher(Fetch(), resolve)
    yield Webhooks(database, fetcher, MovableClock(), [KEY])
    await fetcher.aclose()


async def register(webhooks: Webhooks, **changes: Any) -> Webhook:
    given = {"url": "https://example.org/hook", "kinds": ["room_update", "recording_update"], **changes}
    return await webhooks.register("rooms", "team", digest(KEY), **given)


async def tell(database: Database, webhooks: Webhooks, count: int = 1) -> None:
    def change(connection: Connection) -> None:
        for n in range(count):
            webhooks.announce(connection, "team", "room_update", {"n": n}, 1000 + n)

    await database.writing(change)


async def settle(database: Database, state: State) -> str:
    """Ends the first that waits; returns its id."""
    [webhook_key] = await database.reading(outbox.waiting)
    found = await database.reading(outbox.head, webhook_key)
    assert found is not None
    await database.writing(outbox.settle, found[0], Attempt(2000, 500, None, state, 2000))
    return found[0].id


async def test_a_webhook_is_registered_read_and_deleted(webhooks: Webhooks):
    assert await webhooks.get(*OWN) is None
    made = await register(webhooks)
    assert (made.url, made.kinds) == ("https://example.org/hook", ("room_update", "recording_update"))
    assert (made.sent_at, made.code) == (None, None)
    assert await webhooks.get(*OWN) == made
    assert await webhooks.get("rooms", "another key") is None
    await webhooks.delete(*OWN, made.id)
    assert await webhooks.get(*OWN) is None
    with pytest.raises(NotFound):
        await webhooks.delete(*OWN, made.id)


async def test_registering_again_replaces_it(webhooks: Webhooks):
    first = await register(webhooks)
    second = await register(webhooks, url="https://example.org/other", kinds=["team_update", "team_update"])
    assert second.id != first.id
    assert await webhooks.get(*OWN) == second
    assert second.kinds == ("team_update",)
    with pytest.raises(NotFound):
        await webhooks.deliveries(*OWN, first.id)


@pytest.mark.parametrize(
    ("kinds", "error"),
    [([], Missing), (["room_update", "room"], BadValue), (["call_started"], BadValue), (["room_update,"], BadValue)],
)
async def test_unknown_types_are_refused(webhooks: Webhooks, kinds: list[str], error: type[Exception]):
    with pytest.raises(error):
        await register(webhooks, kinds=kinds)
    assert await webhooks.get(*OWN) is None


@pytest.mark.parametrize(
    "inside",
    ["ftp://example.org/", "http://127.0.0.1/", "http://2130706433/", "https://inside.example.org/", "http://a:b@c.d/"],
)
async def test_a_url_that_leads_inside_is_refused(webhooks: Webhooks, inside: str):
    with pytest.raises(FetchRefused):
        await register(webhooks, url=inside)
    await register(webhooks)
    with pytest.raises(FetchRefused):
        await webhooks.change(*OWN, url=inside)


async def test_a_name_that_is_not_known_yet_will_do(webhooks: Webhooks):
    assert (await register(webhooks, url="https://soon.example.org/")).url == "https://soon.example.org/"


async def test_the_log_tells_what_waits_and_what_became_of_the_rest(database: Database, webhooks: Webhooks):
    hook = await register(webhooks)
    await tell(database, webhooks, 2)
    first = await settle(database, State.DONE)
    newest, oldest = await webhooks.deliveries(*OWN, hook.id)
    assert (newest.state, newest.kind, newest.next_at, newest.sent_at) == (State.PENDING, "room_update", 1.001, None)
    assert (oldest.id, oldest.state, oldest.next_at, oldest.sent_at) == (first, State.DONE, None, 2.0)
    assert (oldest.attempts, oldest.code, oldest.created_at) == (1, 500, 1.0)
    assert await webhooks.deliveries(*OWN, hook.id, state=State.DONE) == [oldest]
    read = await webhooks.get(*OWN)
    assert read is not None
    assert (read.sent_at, read.code) == (2.0, 500)


async def test_the_log_has_pages(database: Database, webhooks: Webhooks):
    hook = await register(webhooks)
    await tell(database, webhooks, PAGE_SIZE + 1)
    assert len(await webhooks.deliveries(*OWN, hook.id)) == PAGE_SIZE
    assert [each.created_at for each in await webhooks.deliveries(*OWN, hook.id, page=2)] == [1.0]
    assert await webhooks.deliveries(*OWN, hook.id, page=3) == []


async def test_only_what_has_failed_is_told_again(database: Database, webhooks: Webhooks):
    hook, woken = await register(webhooks), []
    webhooks.wake = woken.append
    await tell(database, webhooks, 3)
    done, failed = [await settle(database, state) for state in (State.DONE, State.FAILED)]
    woken.clear()
    again = await webhooks.replay(*OWN, hook.id, failed)
    assert (again.id, again.state, again.attempts) == (failed, State.PENDING, 0)
    assert len(woken) == 1
    for known in (done, failed):
        with pytest.raises(Conflict):
            await webhooks.replay(*OWN, hook.id, known)
    for webhook_id, delivery_id in ((hook.id, "unknown"), ("unknown", failed)):
        with pytest.raises(NotFound):
            await webhooks.replay(*OWN, webhook_id, delivery_id)
    with pytest.raises(NotFound):
        await webhooks.replay("rooms", "another key", hook.id, failed)


async def test_all_that_was_given_up_is_told_again_in_order(
    database: Database, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("signaling.services.webhooks.REPLAYED_AT_ONCE", 2)
    hook = await register(webhooks)
    assert await webhooks.replay_all(*OWN, hook.id) == 0
    await tell(database, webhooks, 7)
    failed = [await settle(database, State.FAILED) for _ in range(5)]
    done = await settle(database, State.DONE)
    assert await webhooks.replay_all(*OWN, hook.id) == 5
    order = [await settle(database, State.DONE) for _ in range(6)]
    assert order[1:] == failed
    assert done not in order
    with pytest.raises(NotFound):
        await webhooks.replay_all(*OWN, "unknown")


async def test_deliveries_are_woken_once_the_change_is_made(database: Database, webhooks: Webhooks):
    await register(webhooks)
    woken: list[int] = []

    def change(connection: Connection) -> None:
        webhooks.announce(connection, "team", "room_update", {}, 1000)
        assert woken == []

    webhooks.wake = woken.append
    await database.writing(change)
    assert len(woken) == 1


async def test_what_nobody_wants_is_not_even_worded(database: Database, webhooks: Webhooks):
    await register(webhooks, kinds=["recording_update"])

    def change(connection: Connection) -> None:
        for owner in ("team", "nobody"):
            webhooks.emit(connection, family="rooms", owner=owner, kind="room_update", body=fail, now_ms=0)

    await database.writing(change)
    assert await database.reading(outbox.waiting) == []


def fail() -> bytes:
    raise AssertionError


async def test_an_inactive_webhook_hears_nothing_new(database: Database, webhooks: Webhooks):
    hook = await register(webhooks)
    await tell(database, webhooks)
    assert not (await webhooks.change(*OWN, active=False)).active
    await tell(database, webhooks)
    assert len(await webhooks.deliveries(*OWN, hook.id)) == 1
    changed = await webhooks.change(*OWN, active=True, url="https://example.org/other")
    assert (changed.url, changed.active, changed.id) == ("https://example.org/other", True, hook.id)
    with pytest.raises(NotFound):
        await webhooks.change("rooms", "another key", active=True)
