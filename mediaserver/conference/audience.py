"""Those outside of a conference to whom one of its streams goes: viewers, and servers it is pushed to.

Nobody inside hears of them. What each of them gets is `outflow.py`'s.
"""

from collections.abc import Callable, Collection, Mapping

from mediaserver.conference.forward import Forward
from mediaserver.conference.outflow import Outflow
from mediaserver.conference.publication import Changes
from mediaserver.conference.router import Router
from mediaserver.conference.stream import Kind, Stream
from mediaserver.conference.viewer import Viewer
from mediaserver.errors import NoSuchStream
from mediaserver.events import MediaEvent
from mediaserver.stats import ViewerStats


class Audience:
    """`streams`: what is published now, by id; only read."""

    def __init__(
        self, conference_id: str, streams: Mapping[str, Stream], router: Router, tell: Callable[[MediaEvent], None]
    ) -> None:
        self._conference_id = conference_id
        self._streams = streams
        self._router = router
        self._tell = tell
        self._outflows: dict[str, Outflow] = {}

    def __len__(self) -> int:
        return len(self._outflows)

    def view(self, viewer_id: str, sdp: str, stream_id: str) -> Viewer:
        stream = self._stream(stream_id)
        viewer = Viewer(
            self._conference_id, viewer_id, stream, self._router, sdp, tell=self._tell, on_closed=self._forget
        )
        self._outflows[viewer_id] = viewer
        return viewer

    def forward(self, forward_id: str, stream_id: str, kinds: Collection[Kind]) -> Forward:
        stream = self._stream(stream_id)
        if not any(kind in stream.tracks for kind in kinds):
            raise NoSuchStream(f"stream {stream_id} has nothing of what is wanted")
        forward = Forward(
            self._conference_id, forward_id, stream, self._router, kinds, tell=self._tell, on_closed=self._forget
        )
        self._outflows[forward_id] = forward
        return forward

    def changed(self, changes: Changes) -> None:
        """What is published has changed."""
        for outflow in list(self._outflows.values()):
            outflow.others_changed(changes)

    def tick(self, now: float) -> None:
        for outflow in self._outflows.values():
            outflow.tick(now)

    def stats(self) -> tuple[ViewerStats, ...]:
        return tuple(outflow.stats() for outflow in self._outflows.values())

    def end(self, why: str) -> None:
        """It is over for all of them."""
        for outflow in list(self._outflows.values()):
            outflow.end(why)

    def _stream(self, stream_id: str) -> Stream:
        if stream_id not in self._streams:
            raise NoSuchStream(f"there is no stream {stream_id}")
        return self._streams[stream_id]

    def _forget(self, outflow_id: str) -> None:
        self._outflows.pop(outflow_id, None)
