"""Data channels: aiortc's SCTP over our DTLS, with bounds it lacks.

Text that comes in on the channel labelled `events` goes to a callback; `send_text` sends on it. The peer opens the
channel. aiortc never waits inside its methods (its timers are the event loop's), so they are run here step by step
instead of as tasks: order is kept and nothing piles up. A peer that goes beyond the bounds, or makes aiortc stumble
too often, loses its data channels and nothing else. RFC 8831, RFC 8832.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

LABEL = "events"
MAX_MESSAGE_BYTES = 65536  # either way; our descriptions say so
MAX_BUFFERED_BYTES = 4 * MAX_MESSAGE_BYTES  # waiting to be sent: a slower reader misses messages
RECEIVE_WINDOW_BYTES = 4 * MAX_MESSAGE_BYTES  # of messages that are not complete yet
MAX_STREAMS = 16  # channels of one peer
MAX_OUT_OF_ORDER = 1024  # pieces that wait for earlier ones
MAX_FAULTS = 16  # messages that made aiortc stumble
LOCAL_PORT = 5000


class Encryption(Protocol):
    """What carries the channels: a DTLS association that is connected."""

    client: bool

    def send(self, message: bytes) -> None: ...


class DataChannels:
    """The data channels of one connection."""

    def __init__(
        self,
        encryption: Encryption,
        flush: Callable[[], None],
        on_text: Callable[[str], None],
        *,
        remote_port: int,
        max_message_bytes: int,
    ) -> None:
        """`flush` is called when the encryption has something to be sent; `max_message_bytes`: what the peer takes,
        0 for any size."""
        self.open = True
        self.dropped = 0
        """Messages that were too long or not to be understood."""
        self._on_text = on_text
        self._texts: list[str] = []  # heard, not yet told
        self._faults = 0
        self._channel: RTCDataChannel | None = None
        self._carrier = _Carrier(encryption, flush)
        self._sctp = RTCSctpTransport(cast(RTCDtlsTransport, self._carrier), LOCAL_PORT)
        self._sctp._advertised_rwnd = RECEIVE_WINDOW_BYTES
        self._sctp._inbound_streams_max = MAX_STREAMS
        self._sctp.on("datachannel", self._opened)
        _run(self._sctp.start(RTCSctpCapabilities(max_message_bytes), remote_port))

    def receive(self, packet: bytes) -> None:
        """Takes one decrypted message."""
        if not self.open:
            return
        try:
            _run(self._sctp._handle_data(packet))
        except Exception:  # whatever the peer has sent: aiortc checks with assertions and indices
            self.dropped += 1
            self._faults += 1
        if self._beyond_bounds():
            self.close()
        texts, self._texts = self._texts, []
        for text in texts:
            self._on_text(text)

    def send_text(self, text: str) -> bool:
        """Whether the text was taken; False if the peer has no such channel open or does not keep up."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        size = len(text.encode())
        limit = self._sctp._remote_max_message_size or MAX_MESSAGE_BYTES
        if size > min(limit, MAX_MESSAGE_BYTES) or channel.bufferedAmount + size > MAX_BUFFERED_BYTES:
            return False
        channel.send(text)
        return True

    def close(self) -> None:
        """Ends the association. May be called twice."""
        if self.open:
            self.open = False
            self._channel = None
            _run(self._sctp.stop())
            self._carrier.end()

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL or self._channel_is_open():
            return
        self._channel = channel
        channel.on("message", self._heard)

    def _channel_is_open(self) -> bool:
        return self._channel is not None and self._channel.readyState == "open"

    def _heard(self, message: str | bytes) -> None:
        if isinstance(message, str) and len(message.encode()) <= MAX_MESSAGE_BYTES:
            self._texts.append(message)
        else:
            self.dropped += 1

    def _beyond_bounds(self) -> bool:
        sctp = self._sctp
        return (
            self._faults > MAX_FAULTS
            or sctp._advertised_rwnd < -MAX_MESSAGE_BYTES
            or len(sctp._inbound_streams) > MAX_STREAMS
            or len(sctp._sack_misordered) > MAX_OUT_OF_ORDER
        )


class _Carrier:
    """What `RTCSctpTransport` asks of its DTLS transport, and no more."""

    state = "connected"

    def __init__(self, encryption: Encryption, flush: Callable[[], None]) -> None:
        self._role = "client" if encryption.client else "server"
        self._encryption: Encryption | None = encryption
        self._flush = flush

    async def _send_data(self, data: bytes) -> None:
        if self._encryption is not None:
            self._encryption.send(data)
            self._flush()

    def _register_data_receiver(self, receiver: object) -> None:
        """Received messages are handed over by `DataChannels.receive`."""

    def _unregister_data_receiver(self, receiver: object) -> None:
        """Nothing was registered."""

    def end(self) -> None:
        self._encryption = None


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("SCTP has waited for something")
