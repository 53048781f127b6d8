"""Which checks we send, and which of the peer's addresses is the path: the side of ICE that asks and is in control.

For connections that we begin ourselves, to a server which tells in its answer where it waits. Its addresses are tried
one after the other, again and again, slower each time; the first that answers is nominated. From then on checks go to
the path alone, and each answer is consent for some time more. The peer's own checks are answered. Feed it parsed
messages; ask it what is due. Addresses that show in the peer's checks only are not tried: we send to nobody whom our
caller has not looked at. Pure. RFC 8445 sections 6 to 8, RFC 7675.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mediaserver.transport import stun
from mediaserver.transport.ice_lite import Agent, Credentials, Verdict
from mediaserver.transport.stun import Endpoint, Message

PACE = 0.05  # seconds between the first checks of two addresses
RETRY_AFTER = (0.3, 0.6, 1.2, 2.4, 4.8)  # seconds
CONSENT_EVERY = 4.0  # seconds: some may get lost before consent has run out
MAX_ADDRESSES = 32
MAX_ASKED = 64  # checks whose answers are still awaited
PRIORITY = (110 << 24) + (65535 << 8) + 255  # of a peer-reflexive candidate, RFC 8445 section 7.1.1
TIE_BREAKER_BYTES = 8
NONCE_BYTES = 8


@dataclass(slots=True)
class _Place:
    """An address of the peer's that is tried."""

    address: bytes
    due: float
    tries: int = 0


class Asker(Agent):
    """The ICE state of a connection we begin. `random`: so many bytes that nobody can guess.

    A transaction begins with our ufrag's bytes, so that whoever reads the answer knows whose it is.
    """

    def __init__(self, credentials: Credentials, random: Callable[[int], bytes]) -> None:
        super().__init__(credentials)
        self._random = random
        self._tie_breaker = int.from_bytes(random(TIE_BREAKER_BYTES), "big")
        self._remote: Credentials | None = None
        self._places: list[_Place] = []
        self._chosen: bytes | None = None  # answered first, to be nominated
        self._asked: dict[bytes, tuple[bytes, bool]] = {}  # address and whether it nominates, by transaction
        self._consent_due = float("inf")

    def ask(self, remote: Credentials, addresses: Sequence[bytes], now: float) -> None:
        """The peer may be reached at these addresses, the best first."""
        self._remote = remote
        self._places = [_Place(each, now + PACE * n) for n, each in enumerate(addresses[:MAX_ADDRESSES])]

    def due(self, now: float) -> Sequence[tuple[bytes, bytes]]:
        """Checks to be sent now, and where to."""
        if self.path is not None:
            if now < self._consent_due:
                return ()
            self._consent_due = now + CONSENT_EVERY
            return [(self.path, self._check(self.path))]
        checks = []
        for place in self._places:
            if now >= place.due:
                place.due = now + RETRY_AFTER[min(place.tries, len(RETRY_AFTER) - 1)]
                place.tries += 1
                checks.append((place.address, self._check(place.address)))
        return checks

    def deadline(self) -> float:
        if self.path is not None:
            return self._consent_due
        return min((place.due for place in self._places), default=float("inf"))

    def receive(
        self, message: Message, address: bytes, source: Endpoint, now: float, *, stream: bool = False
    ) -> Verdict:
        """Takes one message that came from `address`: a check of the peer's, or the answer to one of ours."""
        if message.kind == stun.REQUEST:
            return self._answer(message, source)
        asked, nominated = self._asked.pop(message.transaction, (None, False))
        if asked is None or self._remote is None or message.kind == stun.INDICATION:
            return Verdict(dropped="stun_not_asked")
        if asked != address or not stun.authentic(message, self._remote.pwd.encode()):
            return Verdict(dropped="stun_unauthentic")
        if message.kind != stun.SUCCESS:
            return Verdict(dropped="stun_refused")
        return self._answered(address, now, nominated=nominated)

    def _answer(self, message: Message, source: Endpoint) -> Verdict:
        generation = self._author(message)
        if generation is None:
            return Verdict(dropped="stun_unauthentic")
        key = generation.pwd.encode()
        if message.unknown:
            answer = stun.failure(message, stun.UNKNOWN_ATTRIBUTE, "Unknown Attribute", key)
            return Verdict(answer, dropped="stun_unknown_attribute")
        if message.controlling is not None:  # whoever offers controls, RFC 8445 section 6.1.1
            answer = stun.failure(message, stun.ROLE_CONFLICT, "Role Conflict", key)
            return Verdict(answer, dropped="stun_role_conflict")
        return Verdict(stun.success(message, source, key))

    def _answered(self, address: bytes, now: float, *, nominated: bool) -> Verdict:
        self.last_check = now
        proved = self._prove(address)
        if nominated and self.path is None:
            self.path = address
            self._consent_due = now + CONSENT_EVERY
            self._places, self._asked = [], {}
            return Verdict(proved=proved, moved=True)
        if self.path is None and self._chosen is None:
            self._chosen = address
            self._places = [_Place(address, now)]
        return Verdict(proved=proved)

    def _check(self, address: bytes) -> bytes:
        assert self._remote is not None, "nobody is asked before we know whom"
        nominates = self.path is None and address == self._chosen
        transaction = bytes.fromhex(self.credentials.ufrag)[:4] + self._random(NONCE_BYTES)
        self._asked[transaction] = (address, nominates)
        if len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        return stun.request(
            transaction,
            f"{self._remote.ufrag}:{self.credentials.ufrag}",
            self._remote.pwd.encode(),
            priority=PRIORITY,
            controlling=self._tie_breaker,
            use_candidate=nominates,
        )
