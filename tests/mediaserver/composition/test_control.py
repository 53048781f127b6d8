"""Messages between server and worker, however they are cut."""

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.composition.control import MAX_MESSAGE_BYTES, BadMessage, Channel, Frames, Message, write


@given(st.lists(st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20))), st.integers(1, 50))
def test_messages_come_as_they_were_sent_in_pieces_of_any_size(messages: list[Message], size: int) -> None:
    data, frames = b"".join(map(write, messages)), Frames()
    assert [m for at in range(0, len(data), size) for m in frames.feed(data[at : at + size])] == messages


@pytest.mark.parametrize(
    "data",
    [
        pytest.param((MAX_MESSAGE_BYTES + 1).to_bytes(4), id="too long"),
        pytest.param(b"\0\0\0\3abc", id="no JSON"),
        pytest.param(b"\0\0\0\2[]", id="no object"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        Frames().feed(data)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ValueError, match="too long"):
        write({"text": "x" * MAX_MESSAGE_BYTES})


async def test_a_channel_carries_messages_both_ways_and_tells_when_the_other_end_is_gone() -> None:
    ours, theirs = socket.socketpair()
    got: asyncio.Queue[Message] = asyncio.Queue()
    lost: asyncio.Queue[str] = asyncio.Queue()
    here = Channel(ours, got.put_nowait, lost.put_nowait)
    there = Channel(theirs, lambda message: there.send(answer=message), lost.put_nowait)
    here.send(number=1, text="x" * 1_000_000)
    assert (await got.get())["answer"]["number"] == 1
    there.close()
    assert await lost.get() == "it has gone"
    here.send(number=2)
    here.close()


async def test_an_end_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaserver.composition.control.MAX_WAITING_BYTES", 100_000)
    ours, theirs = socket.socketpair()
    lost: asyncio.Queue[str] = asyncio.Queue()
    channel = Channel(ours, lambda _message: None, lost.put_nowait)
    for _ in range(60):
        channel.send(text="x" * 10_000)
        if not lost.empty():
            break
    assert lost.get_nowait() == "it does not read"
    theirs.close()
