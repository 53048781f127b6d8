"""Deliveries in simulated time, over both databases; receivers answer when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from signaling.fetch import Fetcher
from signaling.services.webhooks import Webhook, Webhooks
from signaling.settings import Fetch
from signaling.settings import Webhooks as WebhookSettings
from signaling.store.database import Connection, Database
from signaling.tokens import digest
from signaling.webhooks import delivery
from signaling.webhooks.delivery import Deliveries
from signaling.webhooks.payloads import signature
from signaling.webhooks.schedule import State
from tests.support.receiver import PATIENCE, AwaitableTime, Post, Receivers

KEY, OTHER_KEY = "the first team's key", "the second team's key"
KINDS = ("room_update", "recording_update")
HOUR = 3600.0


class Office:
    """The service and its deliveries, as one server has them; `restarted` is the next server's on the same database."""

    def __init__(self, database: Database, time: AwaitableTime, keys: tuple[str, ...] = (KEY, OTHER_KEY)) -> None:
        self.database, self.time, self.receivers = database, time, Receivers()
        self.webhooks = Webhooks(database, Fetcher(Fetch(allow_private_addresses=True)), time.clock, keys)
        self.deliveries = Deliveries(
            database,
            self.receivers,
            settings=WebhookSettings(),
            clock=time.clock,
            scheduler=time,
            secret_of=self.webhooks.secret_of,
        )
        self.webhooks.wake = self.deliveries.wake

    async def register(self, key: str = KEY, url: str = "http://127.0.0.1/", **changes: Any) -> Webhook:
        given = {"kinds": KINDS, **changes}
        return await self.webhooks.register("rooms", f"team of {key}", digest(key), url=url, **given)

    async def tell(self, *names: str, key: str = KEY, kind: str = "room_update") -> None:
        for name in names:
            await self.database.writing(self._change, key, kind, name)

    def _change(self, connection: Connection, key: str, kind: str, name: str) -> None:
        now_ms = int(self.time.clock.wall() * 1000)
        self.webhooks.announce(connection, f"team of {key}", kind, {"name": name}, now_ms)

    async def next(self, name: str) -> Post:
        """The next request, which must be about that."""
        post = await self.receivers.next()
        assert told(post) == name
        return post

    async def log(self, hook: Webhook, key: str = KEY) -> list[tuple[State, int, int | None, str | None]]:
        """The newest first: state, tries, last status and what went wrong."""
        found = await self.webhooks.deliveries("rooms", digest(key), hook.id)
        return [(each.state, each.attempts, each.code, each.error) for each in found]


@pytest.fixture
def time() -> AwaitableTime:
    return AwaitableTime()


@pytest.fixture
async def office(database: Database, time: AwaitableTime) -> AsyncIterator[Office]:
    async with open_office(database, time) as office:
        yield office


@asynccontextmanager
async def open_office(database: Database, time: AwaitableTime, **options: Any) -> AsyncIterator[Office]:
    office = Office(database, time, **options)
    await office.deliveries.start()
    yield office
    await office.deliveries.aclose()


def told(post: Post) -> str:
    return post.json()["room"]["name"]


async def test_events_arrive_in_order_and_signed(office: Office):
    await office.register(url="http://127.0.0.1/hook")
    await office.tell("first", "second", "third")
    ids = set()
    for name in ("first", "second", "third"):
        post = await office.next(name)
        assert post.url == "http://127.0.0.1/hook"
        assert post.signed_with(KEY)
        assert post.headers["X-Webhook-Timestamp"] == str(int(office.time.clock.wall()))
        ids.add(post.id)
        post.answer(201)
    assert len(ids) == 3


async def test_the_next_is_not_sent_before_the_one_before_has_arrived(office: Office):
    await office.register()
    await office.tell("first", "second")
    first = await office.next("first")
    await office.tell("third")
    assert office.receivers.posts.empty()
    first.answer(500)
    assert await office.time.until_armed() == 1.0
    assert office.receivers.posts.empty()
    office.time.advance(1.0)
    (await office.next("first")).answer(200)
    (await office.next("second")).answer(204)
    await office.next("third")


async def test_an_event_is_tried_with_growing_pauses_under_the_same_id(office: Office):
    hook = await office.register()
    await office.tell("first")
    post = await office.next("first")
    first_id, pauses = post.id, []
    for code in (500, 404, 302, None, 429, 503, 500):
        if code is None:
            post.fail("it took more than 10 seconds")
        else:
            post.answer(code)
        pauses.append(await office.time.until_armed())
        office.time.advance(pauses[-1])
        post = await office.next("first")
        assert post.id == first_id
        assert post.signed_with(KEY)
        assert post.headers["X-Webhook-Timestamp"] == str(int(office.time.clock.wall()))
    assert pauses == [1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 3600.0]
    assert await office.log(hook) == [(State.PENDING, 7, 500, None)]


async def test_a_receiver_that_is_dead_for_an_hour_misses_nothing(office: Office):
    await office.register()
    start = office.time.clock.now
    await office.tell("first")
    tries = 0
    while office.time.clock.now < start + HOUR:
        (await office.next("first")).fail()
        tries += 1
        await office.tell(f"event {tries}")
        pause = await office.time.until_armed()
        while not office.time.armed.empty():  # each event has it look again
            pause = office.time.armed.get_nowait()
        office.time.advance(pause)
    for name in ("first", *(f"event {n + 1}" for n in range(tries))):
        (await office.next(name)).answer(200)


async def test_it_is_given_up_after_a_day_and_the_next_is_tried(office: Office):
    hook = await office.register()
    start = office.time.clock.now
    await office.tell("first")
    await office.tell("second")
    while (post := await office.receivers.next()) and told(post) == "first":
        post.fail("nothing answers there")
        pause = await _pause_or_next(office)
        office.time.advance(pause)
    assert office.time.clock.now - start <= 86400.0
    assert await office.log(hook) == [
        (State.PENDING, 0, None, None),
        (State.FAILED, 29, None, "nothing answers there"),
    ]
    post.answer(500)
    assert await office.time.until_armed() == 1.0
    assert office.deliveries.counts() == {"webhook_deliveries": 0, "webhook_failures": 30, "webhook_given_up": 1}


async def _pause_or_next(office: Office) -> float:
    """Until the next try of the same event; 0 if it is given up and another request is made."""
    armed = asyncio.ensure_future(office.time.until_armed())
    while not armed.done() and office.receivers.posts.empty():
        await asyncio.wait({armed}, timeout=0.01)
    if armed.done():
        return armed.result()
    armed.cancel()
    return 0.0


async def test_what_was_given_up_is_told_again_when_somebody_asks(office: Office):
    hook = await office.register()
    await office.tell("first")
    post = await office.next("first")
    first_id = post.id
    office.time.advance(2 * 86400.0)
    post.answer(500)
    await office.tell("second")
    (await office.next("second")).answer(200)
    await office.webhooks.replay("rooms", digest(KEY), hook.id, first_id)
    again = await office.next("first")
    assert again.id == first_id
    again.answer(500)
    assert await office.time.until_armed() == 1.0  # it has another day
    office.time.advance(1.0)
    (await office.next("first")).answer(200)


async def test_a_dead_receiver_harms_no_other(office: Office):
    await office.register()
    await office.register(OTHER_KEY)
    await office.tell("for one")
    hanging = await office.next("for one")
    for n in range(5):
        await office.tell(f"event {n}", key=OTHER_KEY)
        post = await office.next(f"event {n}")
        assert post.signed_with(OTHER_KEY)
        post.answer(200)
    hanging.answer(200)


async def test_so_many_are_under_way_at_a_time_and_the_others_wait(
    database: Database, time: AwaitableTime, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "MAX_UNDER_WAY", 1)
    async with open_office(database, time) as office:
        await office.register()
        await office.register(OTHER_KEY)
        await office.tell("one")
        one = await office.next("one")
        await office.tell("other", key=OTHER_KEY)
        assert office.receivers.posts.empty()
        one.answer(200)
        await office.next("other")


async def test_a_restart_loses_nothing_and_keeps_the_order(database: Database, time: AwaitableTime):
    async with open_office(database, time) as office:
        await office.register()
        await office.tell("first", "second", "third")
        (await office.next("first")).answer(200)
        second = await office.next("second")
    async with open_office(database, time) as office:
        again = await office.next("second")
        assert again.id == second.id
        again.answer(200)
        await office.next("third")


async def test_a_pause_goes_on_after_a_restart(database: Database, time: AwaitableTime):
    async with open_office(database, time) as office:
        await office.register()
        await office.tell("first")
        (await office.next("first")).answer(500)
        assert await time.until_armed() == 1.0
    time.advance(0.25)
    async with open_office(database, time) as office:
        assert await time.until_armed() == 0.75
        time.advance(0.75)
        await office.next("first")


async def test_what_nobody_was_told_because_nobody_asked_is_not_told_later(office: Office):
    await office.tell("before")
    await office.register(kinds=("recording_update",))
    await office.tell("not wanted")
    await office.tell("elsewhere", key=OTHER_KEY)
    await office.register()
    await office.tell("wanted")
    await office.next("wanted")


async def test_without_its_key_it_waits_for_the_key(database: Database, time: AwaitableTime):
    async with open_office(database, time) as office:
        hook = await office.register()
    async with open_office(database, time, keys=(OTHER_KEY,)) as office:
        await office.tell("first")
        assert await time.until_armed() == 1.0
        assert await office.log(hook) == [(State.PENDING, 1, None, delivery.UNSIGNED)]
    time.advance(1.0)
    async with open_office(database, time) as office:
        (await office.next("first")).answer(200)


async def test_a_database_that_is_gone_for_a_while_is_asked_again(
    database: Database, time: AwaitableTime, monkeypatch: pytest.MonkeyPatch
):
    async with open_office(database, time) as office:
        await office.register()
        await office.tell("first")
        post = await office.next("first")
        with monkeypatch.context() as gone:
            gone.setattr("signaling.store.outbox.settle", _gone)
            post.answer(200)
            assert await time.until_armed() == delivery.STORE_PAUSE
        time.advance(delivery.STORE_PAUSE)
        again = await office.next("first")  # at least once
        assert again.id == post.id
        again.answer(200)


async def test_what_cannot_be_sent_at_all_is_given_up_like_the_rest(office: Office):
    hook = await office.register()
    await office.tell("first", "second")
    (await office.next("first")).break_down()
    assert await office.time.until_armed() == 1.0
    assert (await office.log(hook))[1] == (State.PENDING, 1, None, delivery.UNSENT)
    office.time.advance(86400.0)
    (await office.next("first")).break_down()
    await office.next("second")


def _gone(*_: object) -> None:
    raise ConnectionRefusedError


async def test_what_nobody_was_woken_for_is_found(office: Office):
    await office.register()
    office.webhooks.wake = lambda webhook_key: None
    await office.tell("first")
    await office.deliveries.sweep()
    (await office.next("first")).answer(200)


async def test_a_sweep_disturbs_nobody(office: Office):
    await office.register()
    await office.tell("first")
    (await office.next("first")).answer(500)
    assert await office.time.until_armed() == 1.0
    await office.deliveries.sweep()
    assert office.time.armed.empty()


async def test_what_is_due_when_the_server_stops_still_goes_out(office: Office):
    await office.register()
    await office.tell("first", "second")
    first = await office.next("first")
    closing = asyncio.ensure_future(office.deliveries.aclose(patience=PATIENCE))
    first.answer(200)
    (await office.next("second")).answer(200)
    await closing


async def test_events_of_a_deleted_webhook_are_not_sent(office: Office):
    hook = await office.register()
    await office.tell("first", "second")
    first = await office.next("first")
    await office.webhooks.delete("rooms", digest(KEY), hook.id)
    first.answer(200)
    await office.register(url="http://127.0.0.1/new")
    await office.tell("third")
    assert (await office.next("third")).url == "http://127.0.0.1/new"


async def test_a_new_url_gets_what_the_old_one_did_not(office: Office):
    await office.register()
    await office.tell("first", "second")
    (await office.next("first")).answer(500)
    assert await office.time.until_armed() == 1.0
    await office.register(url="http://127.0.0.1/new", kinds=("recording_update",))
    office.time.advance(1.0)
    for name in ("first", "second"):
        post = await office.next(name)
        assert post.url == "http://127.0.0.1/new"
        post.answer(200)


async def test_a_space_signs_with_its_secret_of_the_moment(office: Office):
    kinds = ("call_started",)
    await office.webhooks.register("spaces", "space", "space", url="http://127.0.0.1/", kinds=kinds, secret="old")

    body, now_ms = b'{"a":1}', int(office.time.clock.wall() * 1000)

    def start(connection: Connection) -> None:
        office.webhooks.emit(
            connection, family="spaces", owner="space", kind="call_started", body=lambda: body, now_ms=now_ms
        )

    await office.database.writing(start)
    (await office.receivers.next()).answer(500)
    await office.time.until_armed()
    await office.webhooks.change("spaces", "space", secret="new")
    office.time.advance(1.0)
    post = await office.receivers.next()
    assert post.json() == {"signature": signature(b"new", body), "body": {"a": 1}}
