"""One stream pushed to another server, packet for packet: our offer, its answer, and the connection that we begin.

How the two descriptions travel is the caller's. `ViewerPlaying` tells that media flows, `ViewerEnded` that it is over:
the other side is gone, or the stream is. It never waits for another stream.
"""

from collections.abc import Callable, Collection, Iterator
from ipaddress import ip_address

from mediaserver.conference.outflow import Outflow
from mediaserver.conference.router import Router
from mediaserver.conference.stream import KINDS, Kind, Stream
from mediaserver.errors import MediaError, UnfitDescription
from mediaserver.events import MediaEvent, ViewerPlaying
from mediaserver.transport.publish_offer import offer_stream
from mediaserver.transport.sdp import SessionDescription, parse, write
from mediaserver.transport.stun import Endpoint
from mediaserver.transport.subscribe_offer import read_subscribe_answer

Allowed = Callable[[str], bool]
"""Whether something may be sent to this ip address."""


class Forward(Outflow):
    """`offer` is for the other server; media flows some time after `accept`."""

    def __init__(
        self,
        conference_id: str,
        forward_id: str,
        stream: Stream,
        router: Router,
        kinds: Collection[Kind],
        *,
        tell: Callable[[MediaEvent], None],
        on_closed: Callable[[str], None],
    ) -> None:
        """Of the stream's tracks those of `kinds`, of which it has at least one."""
        super().__init__(conference_id, forward_id, stream, router, tell=tell, on_closed=on_closed, asks=True)
        self._source = stream
        wanted = {kind: stream.tracks[kind].section.codec for kind in KINDS if kind in kinds and kind in stream.tracks}
        self._wanted = self._slots({kind: str(n) for n, kind in enumerate(wanted)}, stream)
        sections = [(slot, wanted[kind]) for kind, slot in self._wanted.items()]
        self.offer = write(offer_stream(sections, self._link.next_local()))

    def accept(self, sdp: str, allowed: Allowed) -> None:
        """The other server's answer; nothing is sent to addresses that are not `allowed`.

        `BadDescription` if it cannot be used: it is closed then, without a word.
        """
        if self._closed:
            return
        try:
            answer = parse(sdp)
            slots = list(self._wanted.values())
            read = read_subscribe_answer(answer, slots, asked=True)
            if not all(section.receiving for section in read.sections):
                raise UnfitDescription("it does not take all that is offered")
            self._agree(self._source, self._wanted, read.sections)
            places = [place for place in _places(answer) if allowed(place[0])]
            if not places:
                raise UnfitDescription("it names no address that may be used")
        except MediaError:
            self.close()
            raise
        self._link.call(read.remote, places)

    def _over(self) -> None:
        self.end("its stream is over")

    def _opened(self) -> None:
        self._tell(ViewerPlaying(self._conference_id, self.id))


def _places(answer: SessionDescription) -> Iterator[Endpoint]:
    """Where the answer says that it can be reached by UDP, the best first; names are passed over."""
    lines = [answer.transport, *(section.transport for section in answer.sections)]
    found = {
        (str(ip_address(each.address)), each.port): each.priority
        for line in lines
        for each in line.candidates
        if each.protocol.lower() == "udp" and each.component == 1 and _is_address(each.address)
    }
    yield from sorted(found, key=lambda place: -found[place])


def _is_address(text: str) -> bool:
    try:
        return not ip_address(text).is_unspecified
    except ValueError:
        return False
