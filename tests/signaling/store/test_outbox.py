import asyncio
from dataclasses import replace
from typing import Any

import pytest

from signaling.store import outbox
from signaling.store.database import Connection, Database, after_commit
from signaling.store.outbox import Attempt, DeliveryRecord, WebhookRecord
from signaling.webhooks.schedule import State

NOW = 1_772_440_500_123


async def webhook(database: Database, key_id: str = "key", **changes: Any) -> WebhookRecord:
    given = {"id": f"id of {key_id}", "family": "rooms", "owner": "team", "url": "http://a/", "kinds": "a,b"}
    return await database.writing(outbox.put, key_id=key_id, secret=None, now_ms=NOW, **{**given, **changes})


async def told(database: Database, hook: WebhookRecord, *names: str) -> None:
    for name in names:
        await database.writing(tell, hook.key, name)


def tell(connection: Connection, webhook_key: int, name: str, now_ms: int = NOW) -> int:
    return outbox.enqueue(
        connection, webhook_key=webhook_key, delivery_id=name, kind="a", body=name.encode(), now_ms=now_ms
    )


async def head(database: Database, hook: WebhookRecord) -> DeliveryRecord | None:
    found = await database.reading(outbox.head, hook.key)
    return None if found is None else found[0]


async def settle(database: Database, hook: WebhookRecord, state: State, **changes: Any) -> DeliveryRecord:
    delivery = await head(database, hook)
    assert delivery is not None
    attempt = replace(Attempt(NOW + 5, 200, None, state, NOW + 6), **changes)
    await database.writing(outbox.settle, delivery, attempt)
    return delivery


async def log(database: Database, hook: WebhookRecord, state: State | None = None) -> list[str]:
    records = await database.reading(outbox.log, hook.key, state=state, offset=0, limit=100)
    return [record.id for record in records]


async def test_a_webhook_comes_back_as_it_was_put(database: Database):
    hook = await webhook(database)
    assert hook == WebhookRecord(
        hook.key, "id of key", "rooms", "team", "key", "http://a/", "a,b", None, True, NOW, None, None
    )
    assert await database.reading(outbox.by_key, "rooms", "key") == hook
    assert await database.reading(outbox.by_key, "rooms", "other") is None
    assert await database.reading(outbox.by_key, "spaces", "key") is None
    assert [hook.wants(kind) for kind in ("a", "b", "a,b", "", "c")] == [True, True, False, False, False]


async def test_another_one_takes_its_place_and_tells_what_was_still_to_be_told(database: Database):
    old = await webhook(database)
    await told(database, old, "first", "second")
    await settle(database, old, State.DONE)
    new = await webhook(database, id="new", url="http://b/", kinds="c")
    assert (new.key, new.url, new.kinds, new.sent_ms, new.code) == (old.key, "http://b/", "c", None, None)
    found = await database.reading(outbox.head, new.key)
    assert found is not None
    assert (found[0].id, found[1]) == ("second", new)
    assert not await database.writing(outbox.remove, "rooms", "key", old.id)


async def test_a_removed_one_takes_everything_with_it(database: Database):
    hook = await webhook(database)
    await told(database, hook, "first")
    for wrong in (("rooms", "key", "other"), ("rooms", "other", hook.id), ("spaces", "key", hook.id)):
        assert not await database.writing(outbox.remove, *wrong)
    assert await database.writing(outbox.remove, "rooms", "key", hook.id)
    assert await database.reading(outbox.by_key, "rooms", "key") is None
    assert await database.reading(outbox.waiting) == []
    assert await log(database, hook) == []


async def test_all_active_webhooks_of_an_owner_listen(database: Database):
    hooks = [await webhook(database, key) for key in ("one", "two")]
    await webhook(database, "three", owner="other team")
    await webhook(database, "four", family="spaces")
    silent = await webhook(database, "five")
    await database.writing(outbox.change, silent, url="http://a/", active=False, secret=None)
    assert await database.writing(outbox.listening, "rooms", "team") == hooks


async def test_deliveries_are_told_in_order(database: Database):
    hook, other = await webhook(database), await webhook(database, "other")
    await told(database, hook, "first", "second", "third")
    await told(database, other, "another")
    order = []
    while await head(database, hook) is not None:
        order.append((await settle(database, hook, State.DONE)).id)
    assert order == ["first", "second", "third"]
    assert await database.reading(outbox.waiting) == [other.key]


async def test_one_that_is_to_be_tried_again_stays_the_first(database: Database):
    hook = await webhook(database)
    await told(database, hook, "first", "second")
    await settle(database, hook, State.PENDING, code=500, error="status 500", next_ms=NOW + 1000)
    first = await head(database, hook)
    assert first is not None
    assert (first.id, first.attempts, first.next_ms, first.code) == ("first", 1, NOW + 1000, 500)
    assert (first.sent_ms, first.error, first.created_ms, first.since_ms) == (NOW + 5, "status 500", NOW, NOW)
    known = await database.reading(outbox.by_key, "rooms", "key")
    assert known is not None
    assert (known.sent_ms, known.code) == (NOW + 5, 500)


async def test_what_failed_is_told_again_at_the_end_of_the_queue(database: Database):
    hook = await webhook(database)
    await told(database, hook, "first", "second")
    await settle(database, hook, State.FAILED, code=500)
    failed = await database.reading(outbox.delivery, hook.key, "first")
    assert failed is not None
    again = await database.writing(outbox.replay, failed, NOW + 9000)
    assert again is not None
    assert (again.id, again.state, again.body, again.attempts) == ("first", State.PENDING, b"first", 0)
    assert (again.created_ms, again.since_ms, again.next_ms) == (NOW, NOW + 9000, NOW + 9000)
    assert await database.writing(outbox.replay, failed, NOW) is None
    assert [(await settle(database, hook, State.DONE)).id for _ in range(2)] == ["second", "first"]


async def test_an_inactive_webhook_waits(database: Database):
    hook = await webhook(database)
    await told(database, hook, "first")
    await database.writing(outbox.change, hook, url="http://a/", active=False, secret=None)
    assert await head(database, hook) is None
    assert await database.reading(outbox.waiting) == []
    await database.writing(outbox.change, hook, url="http://a/", active=True, secret="new")
    assert await database.reading(outbox.waiting) == [hook.key]


async def test_the_log_has_the_newest_first(database: Database):
    hook = await webhook(database)
    await told(database, hook, "first", "second", "third")
    await settle(database, hook, State.DONE)
    await settle(database, hook, State.FAILED)
    assert await log(database, hook) == ["third", "second", "first"]
    assert [await log(database, hook, state) for state in State] == [["third"], ["first"], ["second"]]
    part = await database.reading(outbox.log, hook.key, state=None, offset=1, limit=1)
    assert [record.id for record in part] == ["second"]
    assert await database.reading(outbox.delivery, hook.key + 1, "first") is None


async def test_when_too_many_wait_the_oldest_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outbox, "MAX_WAITING", 2)
    hook, other = await webhook(database), await webhook(database, "other")
    await told(database, other, *(f"other {n}" for n in range(2)))
    await told(database, hook, *"abcd")
    assert await log(database, hook, State.PENDING) == ["d", "c"]
    assert await log(database, hook, State.FAILED) == ["b", "a"]
    given_up = await database.reading(outbox.delivery, hook.key, "a")
    assert given_up is not None
    assert given_up.error == outbox.CROWDED_OUT
    assert await log(database, other) == ["other 1", "other 0"]


async def test_what_is_settled_is_kept_for_a_while_and_only_so_much_of_it(database: Database):
    hook, other = await webhook(database), await webhook(database, "other")
    await told(database, hook, *"abcdefg")
    await told(database, other, "other")
    for _ in range(3):
        await settle(database, hook, State.DONE)
    for _ in range(3):
        await settle(database, hook, State.FAILED)
    await settle(database, other, State.DONE)
    await database.writing(outbox.purge, NOW, (1, 2))
    assert (await log(database, hook), await log(database, other)) == (["g", "f", "e", "c"], ["other"])
    await database.writing(outbox.purge, NOW + 1)
    assert (await log(database, hook), await log(database, other)) == (["g"], [])


async def test_an_event_is_told_if_and_only_if_its_change_is_made(database: Database):
    hook, rung = await webhook(database), []

    def change(connection: Connection, *, fails: bool) -> None:
        tell(connection, hook.key, "failed" if fails else "made")
        after_commit(connection, lambda: rung.append(fails))
        if fails:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await database.writing(change, fails=True)
    assert (await log(database, hook), rung) == ([], [])
    await database.writing(change, fails=False)
    assert (await log(database, hook), rung) == (["made"], [False])


async def test_transactions_that_tell_the_same_webhook_take_turns(database: Database, url: str):
    """Whoever has a lower number has been committed earlier: nobody is overtaken after having been looked for."""
    hook, other = await webhook(database), Database(url)

    def event(connection: Connection, name: str) -> int:
        [found] = outbox.listening(connection, "rooms", "team")
        return tell(connection, found.key, name)

    numbers = await asyncio.gather(
        *(each.writing(event, f"{each is other} {n}") for n in range(10) for each in (database, other))
    )
    assert len(set(numbers)) == 20
    assert len(await log(database, hook)) == 20
    await other.aclose()
