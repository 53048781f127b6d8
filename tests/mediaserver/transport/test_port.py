"""The media port on real sockets: UDP and TCP, IPv4 and IPv6, peers and strangers."""

import asyncio
import os
import socket
from itertools import islice

import pytest

from mediaserver.clock import SystemClock
from mediaserver.config import MediaConfig
from mediaserver.transport import stun
from mediaserver.transport.connection import Lost, Opened, State
from mediaserver.transport.port import EVENTS_PER_WAKE, Port
from mediaserver.transport.sdp import RemoteTransport
from mediaserver.transport.tcp import MAX_PENDING
from mediaserver.transport.tcp_streams import MAX_STREAMS_OF_CONNECTION
from tests.support.dtls_peer import DtlsPeer
from tests.support.webrtc_peer import FINGERPRINT, OURS, THEIRS, World

PATIENCE = 5.0  # seconds until a test gives up
RETRANSMIT = 0.1  # seconds without an answer to a flight


class HeardPort(Port):
    """Rings when it has read what the core has to tell."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._bell = asyncio.Event()

    def pump(self):
        super().pump()
        self._bell.set()

    async def until(self, condition):
        """Waits for what the core's events bring about."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._bell.clear()
                await self._bell.wait()


@pytest.fixture
async def port():
    port = HeardPort(
        MediaConfig(
            udp_port=0, listen_ips=("127.0.0.1", "::1"), threads=2, max_tcp_streams=20, tcp_first_frame_timeout=0.3
        ),
        SystemClock(),
        OURS,
    )
    await port.start()
    yield port
    await port.aclose()


class UdpPeer:
    """A peer on a real socket."""

    def __init__(self, port, ip="127.0.0.1", **remote):
        self.events: asyncio.Queue = asyncio.Queue()
        self.connection = port.open(thread=0, on_event=self.events.put_nowait)
        self.dtls = DtlsPeer(THEIRS._cert, THEIRS._key)
        told = {"ufrag": "peer", "pwd": "p" * 24, "fingerprints": (FINGERPRINT,), "setup": "active"} | remote
        self.connection.remote(RemoteTransport(**told))
        self._to = ip, next(each.port for each in port.candidates if each.protocol == "udp")
        self._socket = self._fresh_socket()
        self._count = 0

    def _fresh_socket(self):
        made = socket.socket(socket.AF_INET6 if ":" in self._to[0] else socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.connect(self._to)
        return made

    def move(self):
        """Comes from another port from now on."""
        self._socket.close()
        self._socket = self._fresh_socket()

    @property
    def source(self):
        return self._socket.getsockname()[:2]

    def request(self, **changes):
        self._count += 1
        attributes = {"priority": 1, "controlling": 1, "use_candidate": True} | changes
        name = f"{self.connection.local_ufrag}:peer"
        return stun.request(self._count.to_bytes(12, "big"), name, self.connection.local_pwd.encode(), **attributes)

    async def check(self, **changes):
        await self.send(self.request(**changes))
        return stun.parse(await self.receive())

    async def connect(self):
        answer = await self.check()
        flight = self.dtls.step()
        while not self.dtls.connected:
            for datagram in flight:
                await self.send(datagram)
            flight = await self._answered(flight)
        assert await asyncio.wait_for(self.events.get(), PATIENCE) == Opened()
        return answer

    async def say_goodbye(self):
        """Until it is heard: one that comes right behind a first check may be faster than what the check changes."""
        farewell = self.dtls.close()
        async with asyncio.timeout(PATIENCE):
            while self.events.empty():
                for datagram in farewell:
                    await self.send(datagram)
                await asyncio.sleep(RETRANSMIT)

    async def _answered(self, flight):
        """The next flight; the last one again, as browsers do, if nothing comes upon it."""
        try:
            return self.dtls.step(await self.receive(RETRANSMIT)) or flight
        except TimeoutError:
            return flight

    async def send(self, datagram):
        await asyncio.get_running_loop().sock_sendall(self._socket, datagram)

    async def receive(self, patience=PATIENCE):
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 2000), patience)

    def close(self):
        self._socket.close()


class TcpPeer(UdpPeer):
    """The same over a stream with frames."""

    def __init__(self, port, ip="127.0.0.1"):
        self._tcp = ip, next(each.port for each in port.candidates if each.protocol == "tcp")
        super().__init__(port, ip)

    def _fresh_socket(self):
        made = socket.create_connection(self._tcp)
        made.setblocking(False)
        return made

    async def send(self, datagram):
        await super().send(len(datagram).to_bytes(2, "big") + datagram)

    async def receive(self, patience=PATIENCE):
        loop, data = asyncio.get_running_loop(), b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            want = 2 - len(data) if len(data) < 2 else 2 + int.from_bytes(data[:2], "big") - len(data)
            part = await asyncio.wait_for(loop.sock_recv(self._socket, want), patience)
            if not part:
                raise ConnectionResetError("the stream has ended")
            data += part
        return data[2:]

    async def ended(self):
        """Waits for the end of the stream."""
        loop = asyncio.get_running_loop()
        try:
            while await asyncio.wait_for(loop.sock_recv(self._socket, 2000), PATIENCE):
                pass
        except ConnectionResetError:
            return


@pytest.fixture(params=[(UdpPeer, "127.0.0.1"), (UdpPeer, "::1"), (TcpPeer, "127.0.0.1"), (TcpPeer, "::1")])
def peer(request, port):
    kind, ip = request.param
    peer = kind(port, ip)
    yield peer
    peer.close()


async def test_a_peer_connects_and_says_goodbye(peer):
    answer = await peer.connect()
    assert answer.mapped == peer.source
    assert peer.connection.state is State.OPEN
    await peer.say_goodbye()
    assert peer.events.get_nowait() == Lost("closed by the peer")


async def test_our_goodbye_reaches_the_peer(peer):
    await peer.connect()
    peer.connection.close()
    async with asyncio.timeout(PATIENCE):
        while not peer.dtls.error:
            peer.dtls.step(await peer.receive())


async def test_a_peer_may_change_its_address(peer):
    await peer.connect()
    peer.move()
    assert (await peer.check()).mapped == peer.source
    await peer.say_goodbye()
    assert peer.events.get_nowait() == Lost("closed by the peer")
    assert peer.connection.stats()["path_changes"] == 2


async def test_a_handshake_that_is_never_finished_times_out():
    port = Port(
        MediaConfig(udp_port=0, listen_ips=("127.0.0.1",), threads=1, handshake_timeout=0.1), SystemClock(), OURS
    )
    await port.start()
    peer = UdpPeer(port)
    await peer.check()
    assert await asyncio.wait_for(peer.events.get(), PATIENCE) == Lost("the handshake took too long")
    peer.close()
    await port.aclose()
    await port.aclose()


async def test_strangers_are_counted_and_leave_nothing_behind(port):
    peer = UdpPeer(port)
    before = port.stats()["ufrags"]
    for number in range(500):
        await peer.send(stun.request(bytes(12), f"{number:08x}:x", b"guess", priority=1))
    await peer.send(stun.request(bytes(12), f"{peer.connection.local_ufrag}:x", b"guess", priority=1))
    await peer.send(bytes.fromhex("0001000021 12a442") + bytes(13))
    for datagram in peer.dtls.step():
        await peer.send(datagram)
    await port.until(lambda: port.stats().get("stun_unauthentic") == 1)
    assert port.stats()["stun_unknown_ufrag"] == 500
    assert port.stats()["ufrags"] == before
    assert peer.connection.state is State.CHECKING
    answer = await peer.check()
    assert answer.kind == stun.SUCCESS, "the first answer of all is the one to the first good check"
    peer.close()


async def test_a_flood_of_events_lets_others_in_between(port):
    peer = UdpPeer(port)
    for number in range(EVENTS_PER_WAKE * 4):
        peer._socket.send(stun.request(bytes(12), f"{number:08x}:x", b"guess", priority=1))
    turns = 0
    async with asyncio.timeout(PATIENCE):
        while port.stats().get("stun_unknown_ufrag", 0) < EVENTS_PER_WAKE * 4:
            await asyncio.sleep(0)
            turns += 1
    assert turns >= 4
    peer.close()


async def test_two_ports_do_not_share_an_address(port):
    udp_port = port.candidates[0].port
    other = Port(MediaConfig(udp_port=udp_port, tcp_port=0, listen_ips=("127.0.0.1",)), SystemClock(), OURS)
    with pytest.raises(OSError, match=f"cannot listen on UDP 127.0.0.1 port {udp_port}"):
        await other.start()
    await other.aclose()


async def test_a_taken_tcp_port_is_named_and_nothing_stays_open(port):
    tcp_port = next(each.port for each in port.candidates if each.protocol == "tcp")
    free = _free_udp_port()
    other = Port(MediaConfig(udp_port=free, tcp_port=tcp_port, listen_ips=("127.0.0.1",)), SystemClock(), OURS)
    with pytest.raises(OSError, match=f"cannot listen on TCP 127.0.0.1 port {tcp_port}"):
        await other.start()


def _free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_announced_addresses_are_told_instead_of_our_own():
    config = MediaConfig(udp_port=0, listen_ips=("127.0.0.1",), announced_ips=("203.0.113.5", "2001:db8::5"), threads=1)
    port = Port(config, SystemClock(), OURS)
    await port.start()
    assert {each.address for each in port.candidates} == {"203.0.113.5", "2001:db8::5"}
    assert len({each.port for each in port.candidates}) == 1
    await port.aclose()


async def test_the_port_closes_everything_it_opened():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        port = Port(MediaConfig(udp_port=0, listen_ips=("127.0.0.1",), threads=2), SystemClock(), OURS)
        await port.start()
        peers = [UdpPeer(port), TcpPeer(port)]
        for peer in peers:
            await peer.connect()
        await port.aclose()
        for peer in peers:
            assert peer.connection.state is State.CLOSED
            peer.close()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(
    ("data", "counter"),
    [
        pytest.param(b"", "tcp_silent", id="nothing"),
        pytest.param(b"\0", "tcp_silent", id="half a length"),
        pytest.param(b"\0\x64" + bytes(20), "tcp_silent", id="half a frame"),
        pytest.param(b"\xff\xff" + bytes(20), "tcp_malformed", id="a frame longer than any check"),
        pytest.param(b"\0\0", "tcp_malformed", id="an empty frame"),
        pytest.param(b"\0\x14" + bytes(20), "tcp_malformed", id="no STUN"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "tcp_malformed", id="a browser gone astray"),
    ],
)
async def test_a_stream_without_a_check_is_closed(port, data, counter):
    peer = TcpPeer(port)
    peer._socket.send(data)
    await peer.ended()
    assert port.stats()[counter] == 1
    assert port.stats()["tcp_streams"] == 0
    peer.close()


async def test_a_stream_with_a_wrong_password_is_closed_without_an_answer(port):
    peer = TcpPeer(port)
    for name in (f"{peer.connection.local_ufrag}:peer", "nobody:peer"):
        peer.move()
        await peer.send(stun.request(bytes(12), name, b"guess", priority=1))
        assert await asyncio.get_running_loop().sock_recv(peer._socket, 100) == b""
    assert port.stats()["tcp_not_trusted"] == 2
    peer.close()


async def test_a_first_frame_may_come_in_pieces_and_with_others_behind_it(port):
    peer = TcpPeer(port)
    first, second = peer.request(), peer.request()
    frames = b"".join(len(each).to_bytes(2, "big") + each for each in (first, second))
    for start in range(0, len(frames), 37):
        await asyncio.get_running_loop().sock_sendall(peer._socket, frames[start : start + 37])
        for _ in range(3):  # turns, in which it is read
            await asyncio.sleep(0)
    answers = [stun.parse(await peer.receive()) for _ in range(2)]
    assert [answer.transaction for answer in answers] == [first[8:20], second[8:20]]
    peer.close()


async def test_waiting_streams_are_bounded_and_the_oldest_gives_way(port):
    peer = TcpPeer(port)
    idle = []
    for _ in range(MAX_PENDING + 5):
        idle.append(peer._fresh_socket())
        await asyncio.sleep(0)
    peer.move()
    answer = await peer.check()
    assert answer.kind == stun.SUCCESS
    loop = asyncio.get_running_loop()
    ends = [asyncio.create_task(loop.sock_recv(each, 1)) for each in idle]  # the kernel may hand them over in any order
    for end in islice(asyncio.as_completed(ends, timeout=PATIENCE), 5):
        assert await end == b""
    assert port.stats()["tcp_pushed_out"] >= 5
    for end in ends:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
    for each in idle:
        each.close()
    peer.close()


async def test_one_peer_cannot_take_all_streams_and_keeps_the_one_in_use(port):
    peer = TcpPeer(port)
    streams = []
    for number in range(MAX_STREAMS_OF_CONNECTION + 1):
        await peer.check(use_candidate=number == 0)
        streams.append(peer._socket)
        peer._socket = peer._fresh_socket()
    assert port.stats()["tcp_streams"] == MAX_STREAMS_OF_CONNECTION
    assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(streams[1], 100), PATIENCE) == b""
    assert peer.connection.stats()["path_changes"] == 1
    peer.connection.close()
    assert port.stats()["tcp_streams"] == 0
    for each in streams:
        each.close()
    peer.close()


async def test_all_peers_together_have_a_bound_too(port):
    peers = [TcpPeer(port) for _ in range(21)]
    for peer in peers[:20]:
        await peer.check()
    late = TcpPeer(port)
    await late.ended()
    assert port.stats()["tcp_no_room"] >= 1
    for peer in (*peers, late):
        peer.close()
    await port.until(lambda: port.stats()["tcp_streams"] == 0)


async def test_a_stream_that_ends_gives_way_to_a_new_one_at_once(port):
    peer = TcpPeer(port)
    await peer.connect()
    peer._socket.close()
    await port.until(lambda: port.stats()["tcp_streams"] == 0)
    peer._socket = peer._fresh_socket()
    await peer.check(use_candidate=False)
    assert peer.connection.stats()["path_changes"] == 2
    peer.close()


def test_conferences_are_spread_over_threads_that_have_nothing_to_do():
    port = Port(MediaConfig(), World().clock, OURS, engine=_Threads(3))
    assert [port.pick_thread() for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_a_busy_thread_is_spared():
    world, engine = World(), _Threads(3)
    port = Port(MediaConfig(), world.clock, OURS, engine=engine)
    port.pick_thread()
    world.clock.advance(10.0)
    engine.sent = [50_000, 0, 90_000]
    assert [port.pick_thread() for _ in range(3)] == [1, 1, 1]


class _Threads:
    """As much of an engine as the choice of a thread needs."""

    def __init__(self, count):
        self.threads = count
        self.sent = [0] * count

    def load(self):
        return self.sent


@pytest.mark.parametrize("setup", ["passive", "active"])
@pytest.mark.parametrize("ip", ["127.0.0.1", "::1"])
async def test_a_connection_that_asks_opens_with_one_that_waits(port, ip, setup):
    heard: dict[str, asyncio.Queue] = {"caller": asyncio.Queue(), "waiting": asyncio.Queue()}
    caller = port.open(thread=0, on_event=heard["caller"].put_nowait, asks=True)
    other = Port(MediaConfig(udp_port=0, tcp_port=0, listen_ips=(ip,), threads=1), SystemClock(), OURS)
    await other.start()
    waiting = other.open(thread=0, on_event=heard["waiting"].put_nowait)
    theirs = "active" if setup == "passive" else "passive"
    waiting.remote(RemoteTransport(caller.local_ufrag, caller.local_pwd, (OURS.fingerprint,), theirs))
    udp = next(each.port for each in other.candidates if each.protocol == "udp")
    remote = RemoteTransport(waiting.local_ufrag, waiting.local_pwd, (OURS.fingerprint,), setup)
    caller.call(remote, [("127.0.0.1", 9), (ip, udp)])
    async with asyncio.timeout(PATIENCE):
        for events in heard.values():
            assert await events.get() == Opened()
    assert caller.stats()["srtp_profile"] == waiting.stats()["srtp_profile"] != ""
    await other.aclose()
    async with asyncio.timeout(PATIENCE):
        assert await heard["caller"].get() == Lost("closed by the peer")
