"""Where the composite of one conference goes out to the public, as its media worker does it: pushes and files for HLS.

Pure of sockets and clocks. Each is an `Output` that is known by an id, added to the program and removed from it by
whoever has that; what becomes of it is told.
"""

from collections.abc import Callable
from pathlib import Path

from mediaserver.composition.control import Message
from mediaserver.egress.hls import Hls
from mediaserver.egress.output import Output

OVER = "over"  # the state of a push that has been given up

MakePush = Callable[[Message, Callable[[str, str], None]], Output]
"""Gets the order, and what is to be called with a state and why it is that; ValueError or OSError if it cannot be."""


class Outlets:
    """`add` and `remove` are the program's."""

    def __init__(
        self,
        wall_offset: float,
        *,
        tell: Callable[[Message], None],
        add: Callable[[Output], None],
        remove: Callable[[Output], None],
        make_push: MakePush,
    ) -> None:
        self._wall_offset = wall_offset
        self._tell = tell
        self._add = add
        self._remove = remove
        self._make_push = make_push
        self._hls: dict[str, Hls] = {}
        self._pushes: dict[str, Output] = {}

    def hls(self, message: Message) -> None:
        """The composite as files for HLS, from now on."""
        hls_id = str(message["id"])
        output = Hls(
            Path(message["folder"]),
            message["prefix"],
            self._wall_offset,
            lambda **written: self._tell({"did": "hls", "id": hls_id, **written}),
            lambda why: self.stop_hls(hls_id, why),
        )
        self._hls[hls_id] = output
        self._add(output)

    def stop_hls(self, hls_id: str, why: str) -> None:
        """No more; what has come is written."""
        output = self._hls.pop(hls_id, None)
        if output:
            self._remove(output)
            self._tell({"did": "hls_over", "id": hls_id, "why": why})

    def push(self, message: Message) -> None:
        """The composite to a server, from now on."""
        push_id = str(message["id"])
        try:
            output = self._make_push(message, lambda state, why: self._pushed(push_id, state, why))
        except (ValueError, OSError) as error:
            self._tell({"did": "push", "id": push_id, "state": OVER, "why": str(error)})
            return
        self._pushes[push_id] = output
        self._add(output)

    def stop_push(self, push_id: str) -> None:
        """Who has it stopped knows; nothing is told of it any more."""
        output = self._pushes.pop(push_id, None)
        if output:
            self._remove(output)

    def stop_all(self, why: str) -> None:
        for hls_id in list(self._hls):
            self.stop_hls(hls_id, why)
        for push_id in list(self._pushes):
            self.stop_push(push_id)

    def _pushed(self, push_id: str, state: str, why: str) -> None:
        if push_id in self._pushes:
            self._tell({"did": "push", "id": push_id, "state": state, "why": why})
            if state == OVER:
                self.stop_push(push_id)
