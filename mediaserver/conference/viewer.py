"""Somebody who watches one stream and is no participant: nobody hears of them, they have one connection and no say.

Answers the viewer's offer; `outflow.py` carries the stream in its sections. When the stream is over the viewer waits,
and goes on as soon as the same participant publishes under the same label again. How long it may wait is the caller's.
"""

from collections.abc import Callable

from mediaserver.conference.outflow import Outflow
from mediaserver.conference.publication import Changes
from mediaserver.conference.router import Router
from mediaserver.conference.stream import Kind, Stream
from mediaserver.errors import MediaError
from mediaserver.events import MediaEvent, ViewerPlaying, ViewerWaiting
from mediaserver.rtp.codecs import CodecId
from mediaserver.transport.fragment import IceFragment
from mediaserver.transport.one_stream import OneStream, check_one_stream
from mediaserver.transport.play_answer import PlayAnswer, answer_play
from mediaserver.transport.sdp import parse, write


class Viewer(Outflow):
    """`answer` is for the viewer's offer."""

    def __init__(
        self,
        conference_id: str,
        viewer_id: str,
        stream: Stream,
        router: Router,
        sdp: str,
        *,
        tell: Callable[[MediaEvent], None],
        on_closed: Callable[[str], None],
    ) -> None:
        super().__init__(conference_id, viewer_id, stream, router, tell=tell, on_closed=on_closed)
        self._publisher = (stream.participant_id, stream.label)
        try:
            answer = self._answer(sdp, stream)
        except MediaError:
            self._link.close()
            raise
        self.answer = write(answer.description)
        self._link.meet(answer.remote)  # last: the connection may open, or end, while it is told

    def restart(self, fragment: IceFragment) -> str:
        """New ICE credentials of the viewer's; returns ours. The path stays until the viewer nominates another."""
        return self._link.restart(fragment)

    def others_changed(self, changes: Changes) -> None:
        super().others_changed(changes)
        for stream in changes.started:
            if self._stream is None and (stream.participant_id, stream.label) == self._publisher:
                self._stream = stream
                self._route()
                self._tell(ViewerPlaying(self._conference_id, self.id))

    def _over(self) -> None:
        self._tell(ViewerWaiting(self._conference_id, self.id))

    def _answer(self, sdp: str, stream: Stream) -> PlayAnswer:
        offer = parse(sdp)
        slots = self._slots(_mids(check_one_stream(offer, "play")), stream)
        sent: dict[str, CodecId] = {kind: track.section.codec for kind, track in stream.tracks.items()}
        layered = any(track.layer_count > 1 for track in stream.tracks.values())
        local, by_mid = self._link.next_local(), {slot.mid: slot for slot in slots.values()}
        answer = answer_play(offer, by_mid, local, sent, feedback=layered)
        self._agree(stream, slots, answer.sections)
        return answer


def _mids(found: OneStream) -> dict[Kind, str]:
    mids: dict[Kind, str | None] = {"audio": found.audio_mid, "video": found.video_mid}
    return {kind: mid for kind, mid in mids.items() if mid is not None}
