"""Which checks are ours, how they are answered, and which address our packets go to: the lite side of ICE.

Never asks, only answers; the peer controls. Feed it parsed messages; it returns the answer and what has become known
by the check, and says since when nobody has consented. Sending, and telling the forwarding core about addresses, is
`connection.py`'s. Pure. RFC 8445 (lite), RFC 7675 (consent: here the peer's checks).

An address is *proved* by a check that knew our password. The *path* is the proved address we send to: the first one
until the peer nominates, then the nominated one. A network change shows as a check from a new address: browsers of
the Chromium kind nominate it at once; others only go on checking, so a path that has gone silent gives way too.
A stream (TCP) that nobody has nominated gives way to the first datagram: it is a makeshift, and who is sent media over
it may take it for the better one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.transport import stun
from mediaserver.transport.stun import Endpoint, Message

PATH_SILENCE = 3.0  # seconds without a check: browsers send one each 2.5 (Chromium) to 6 (Firefox)
MAX_PROVED = 8  # addresses, as many as the forwarding core knows of a connection
MAX_GENERATIONS = 3  # of credentials: the one in use, and restarts that nobody followed


@dataclass(frozen=True, slots=True)
class Credentials:
    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check leads to."""

    answer: bytes | None = None
    """To be sent back to where it came from."""
    proved: bool = False
    """The address is new: packets from it belong to this connection from now on."""
    moved: bool = False
    """The path is this address now."""
    dropped: str | None = None
    """The name of the reason, for a counter."""


class Agent:
    """The ICE state of one connection. Addresses are opaque keys."""

    def __init__(self, credentials: Credentials) -> None:
        self.path: bytes | None = None
        self.last_check: float | None = None
        """When the peer last consented (monotonic)."""
        self._generations = [credentials]  # from old to new
        self._current: Credentials | None = None  # the newest that has nominated; older ones move nothing
        self._proved: OrderedDict[bytes, None] = OrderedDict()  # least recently checked first
        self._path_seen = float("-inf")
        self._makeshift = False  # the path is a stream, and not nominated

    @property
    def credentials(self) -> Credentials:
        """What belongs into our next description."""
        return self._generations[-1]

    @property
    def ufrags(self) -> tuple[str, ...]:
        """The names this agent answers to."""
        return tuple(generation.ufrag for generation in self._generations)

    def restart(self, credentials: Credentials) -> tuple[str, ...]:
        """Begins a new generation; the path stays as it is until that nominates. Returns ufrags given up."""
        self._generations.append(credentials)
        if len(self._generations) <= MAX_GENERATIONS:
            return ()
        spare = next(each for each in self._generations if each is not self._current)
        self._generations.remove(spare)
        return (spare.ufrag,)

    def authentic(self, message: Message) -> bool:
        """Whether the message is a request from somebody who knows a password of ours."""
        return message.kind == stun.REQUEST and self._author(message) is not None

    def receive(
        self, message: Message, address: bytes, source: Endpoint, now: float, *, stream: bool = False
    ) -> Verdict:
        """Takes one message that came from `address`, which the peer should know as `source`; perhaps by TCP."""
        if message.kind != stun.REQUEST:
            return Verdict(dropped="stun_no_request")
        generation = self._author(message)
        if generation is None:
            return Verdict(dropped="stun_unauthentic")
        key = generation.pwd.encode()
        if message.unknown:
            answer = stun.failure(message, stun.UNKNOWN_ATTRIBUTE, "Unknown Attribute", key)
            return Verdict(answer, dropped="stun_unknown_attribute")
        if message.controlled is not None:
            # RFC 8445 section 7.3.1.1: a lite agent cannot take over control, so the peer has to.
            answer = stun.failure(message, stun.ROLE_CONFLICT, "Role Conflict", key)
            return Verdict(answer, dropped="stun_role_conflict")
        answer = stun.success(message, source, key)
        if not self._counts(generation):
            return Verdict(answer)
        return Verdict(answer, self._prove(address), self._follow(message, generation, address, now, stream))

    def due(self, now: float) -> Sequence[tuple[bytes, bytes]]:
        """What is to be sent now, and where to: a lite agent never asks."""
        return ()

    def deadline(self) -> float:
        """When something is due."""
        return float("inf")

    def path_closed(self, address: bytes) -> None:
        """Nothing can be sent to `address` any more (a TCP stream ended): whoever checks next becomes the path."""
        self._proved.pop(address, None)
        if address == self.path:
            self._path_seen = float("-inf")

    def _author(self, message: Message) -> Credentials | None:
        """The generation whose name and password the message has."""
        ufrag, colon, _ = (message.username or "").partition(":")
        if not colon:
            return None
        for generation in reversed(self._generations):
            if generation.ufrag == ufrag:
                return generation if stun.authentic(message, generation.pwd.encode()) else None
        return None

    def _counts(self, generation: Credentials) -> bool:
        """Whether the generation is the one in use or a newer one."""
        if self._current is None:
            return True
        return self._generations.index(generation) >= self._generations.index(self._current)

    def _prove(self, address: bytes) -> bool:
        new = address not in self._proved
        self._proved[address] = None
        self._proved.move_to_end(address)
        while len(self._proved) > MAX_PROVED:
            self._proved.popitem(last=False)
        return new

    def _follow(self, message: Message, generation: Credentials, address: bytes, now: float, stream: bool) -> bool:
        """Notes consent; returns whether the path has moved to `address`."""
        self.last_check = now
        if message.use_candidate:
            self._current = generation
        gives_way = now - self._path_seen > PATH_SILENCE or (self._makeshift and not stream)
        moved = address != self.path and (message.use_candidate or gives_way)
        if moved:
            self.path = address
        if moved or message.use_candidate:
            self._makeshift = stream and not message.use_candidate
        if address == self.path:
            self._path_seen = now
        return moved
