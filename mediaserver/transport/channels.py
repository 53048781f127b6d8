"""The data channels of one connection, from being agreed upon to its end: they start as soon as both are there, what
was negotiated and the encryption that carries them. What they are is `datachannel.py`'s.
"""

from collections.abc import Callable, Iterable

from mediaserver.transport.datachannel import DataChannels, Encryption
from mediaserver.transport.sdp import SctpParameters


class Channels:
    """`flush` is called when the encryption has something to be sent, `on_text` with what came on `events`."""

    def __init__(self, flush: Callable[[], None], on_text: Callable[[str], None]) -> None:
        self.unheard = 0
        """Messages for which there was no channel."""
        self._flush = flush
        self._on_text = on_text
        self._agreed: SctpParameters | None = None
        self._encryption: Encryption | None = None
        self._channels: DataChannels | None = None
        self._closed = False

    def agree(self, sctp: SctpParameters) -> None:
        """The peer wants data channels; a second call changes nothing."""
        if self._agreed is None:
            self._agreed = sctp
            self._start()

    def carry(self, encryption: Encryption) -> None:
        """The handshake is over."""
        if not self._closed:
            self._encryption = encryption
            self._start()

    def receive(self, messages: Iterable[bytes]) -> None:
        """Takes decrypted messages."""
        for message in messages:
            if self._channels is None:
                self.unheard += 1
            else:
                self._channels.receive(message)

    def send_text(self, text: str) -> bool:
        """Sends on the data channel `events`; False if there is none open or its reader is too slow."""
        return self._channels is not None and self._channels.send_text(text)

    @property
    def dropped(self) -> int:
        """Messages that were too long or not to be understood."""
        return self._channels.dropped if self._channels else 0

    def close(self) -> None:
        """Says goodbye. Nothing starts any more, whatever is agreed upon or carried."""
        self._closed = True
        self._encryption = None
        if self._channels is not None:
            self._channels.close()

    def _start(self) -> None:
        if self._channels is None and self._agreed is not None and self._encryption is not None:
            self._channels = DataChannels(
                self._encryption,
                self._flush,
                self._on_text,
                remote_port=self._agreed.port,
                max_message_bytes=self._agreed.max_message_size,
            )
