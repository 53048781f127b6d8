"""The sockets that benchmarks open by the thousand: whole texts are told, however they come."""

import asyncio

import pytest

from benchmarks.sockets import close_all, open_many

LONG = b"x" * 300
HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
FIRST, SECOND = b"\x81\x05hello", b"\x81\x7e\x01\x2c" + LONG


async def told(*pieces: bytes, expected: int) -> tuple[list[bytes], bytes]:
    """What is heard of a server that answers with these pieces, and what it is answered."""
    heard: list[bytes] = []
    answered = bytearray()
    complete, closed = asyncio.Event(), asyncio.Event()

    def hear(text: bytes) -> None:
        heard.append(text)
        if len(heard) == expected:
            complete.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while data := await reader.read(100):
            answered.extend(data)
        writer.close()
        closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        readers = await open_many("127.0.0.1", port, ["/rt"], "key", hear)
        async with asyncio.timeout(5.0):
            if expected:
                await complete.wait()
            close_all(readers)
            await closed.wait()
    return heard, bytes(answered)


@pytest.mark.parametrize("cut", [1, 3, len(HEAD) + 1, len(HEAD) + 7, len(HEAD) + 9, len(HEAD) + 50])
async def test_texts_are_heard_whole_however_they_are_cut(cut: int):
    stream = HEAD + FIRST + SECOND
    assert (await told(stream[:cut], stream[cut:], expected=2))[0] == [b"hello", LONG]


async def test_a_ping_is_answered():
    assert (await told(HEAD + b"\x89\x00" + FIRST, expected=1))[1] == b"\x8a\x80\0\0\0\0"


async def test_a_refused_upgrade_is_an_error():
    with pytest.raises(ConnectionError):
        await told(b"HTTP/1.1 403 Forbidden\r\n\r\n", expected=0)
