"""Work that waits for its turn."""

import asyncio
from collections.abc import Awaitable, Callable

from signaling.services.in_order import InOrder


def noting(what: str, done: list[str]) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        await asyncio.sleep(0)
        done.append(what)

    return work


async def test_it_is_done_in_the_order_in_which_it_was_put():
    order, done = InOrder(), []
    for what in "abc":
        order.put(noting(what, done))
    await order.done()
    assert done == ["a", "b", "c"]


async def test_who_waits_for_what_was_put_does_not_wait_for_what_follows():
    order, done, never = InOrder(), [], asyncio.Event()
    order.put(noting("before", done))
    waiting = asyncio.create_task(order.so_far())
    await asyncio.sleep(0)
    order.put(never.wait)
    order.put(noting("after", done))
    await waiting
    assert done == ["before"]
    never.set()
    await order.done()
    assert done == ["before", "after"]


async def test_nobody_waits_where_nothing_is_left():
    await InOrder().so_far()


async def test_what_fails_holds_up_nothing():
    async def fail() -> None:
        raise OSError("the store is away")

    order, done = InOrder(), []
    order.put(fail)
    order.put(noting("after", done))
    await order.so_far()
    assert done == ["after"]
