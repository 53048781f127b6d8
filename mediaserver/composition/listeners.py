"""Who hears the program without themselves: a mix for each, encoded for each.

Pure of processes and sockets; runs in the media worker. Everybody else hears what is encoded once for all.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from mediaserver.composition.composer import Composer
from mediaserver.egress.output import EncodedFrame
from mediaserver.media.codecs import AudioEncoder

BITRATE = 64_000  # of one; speech, mostly


@dataclass(slots=True)
class _Listener:
    but: frozenset[str]
    hear: Callable[[EncodedFrame], None]
    encoder: AudioEncoder = field(default_factory=lambda: AudioEncoder(BITRATE))


class Listeners:
    """`composer` mixes."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._listeners: dict[str, _Listener] = {}

    def add(self, name: str, but: frozenset[str], hear: Callable[[EncodedFrame], None]) -> None:
        """`hear` is called with every 20 ms of what is heard without these sources."""
        self._listeners[name] = _Listener(but, hear)

    def remove(self, name: str) -> None:
        """Nothing happens to somebody who does not listen."""
        self._listeners.pop(name, None)

    def mix(self, at: float) -> None:
        """The next 20 ms of the program."""
        for each in list(self._listeners.values()):
            for frame in each.encoder.encode(self._composer.mix(at, but=each.but), at):
                each.hear(frame)
