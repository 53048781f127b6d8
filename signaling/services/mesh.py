"""What is known of a MESH conference's media: who sends which streams, and which answers are still to come.

Pure state for one conference: participants are connected in pairs, and all that is read of what passes between them
is the list of streams beside a description. A stream is there as long as one pair carries it; a participant who sends
to nobody just now keeps the streams last told. Passing on is `live/mesh.py`'s. WebSocket contract, section 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mediaserver import BadDescription, StreamDescription, StreamExists, StreamInfo

MAX_MUTED = 8  # streams of one participant whose mute state is remembered, whether they are sent or not
CANDIDATES = 30  # that come with one description without counting as a flood

Muted = tuple[bool, bool]
"""Whether its sound and its picture are."""


@dataclass(slots=True)
class _Sender:
    streams: dict[str, StreamInfo] = field(default_factory=dict)
    muted: dict[str, Muted] = field(default_factory=dict)
    carried: dict[str, frozenset[str]] = field(default_factory=dict)
    """The streams that go to each receiver."""
    unanswered: set[str] = field(default_factory=set)
    """Whose offers this one has not answered yet."""
    candidates: dict[str, int] = field(default_factory=dict)
    """How many more may come along, by receiver."""


class Mesh:
    """Participants and streams by their ids."""

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}

    def described(
        self, kind: str, sender_id: str, receiver_id: str, said: Sequence[StreamDescription]
    ) -> list[StreamInfo]:
        """Notes an offer or answer that says what the sender sends to the receiver; returns new streams that are muted.

        The newest word counts: a camera takes the place of another one that only older descriptions speak of. Raises
        what the media plane would: `StreamExists` for two with one label, `BadDescription` for somebody else's stream.
        """
        self._check(sender_id, said)
        sender = self._sender(sender_id)
        if kind == "offer":
            self._sender(receiver_id).unanswered.add(sender_id)
        sender.candidates[receiver_id] = CANDIDATES
        sender.carried[receiver_id] = frozenset(stream.stream_id for stream in said)
        before = sender.streams
        sender.streams = self._merged(sender, [self._info(sender, sender_id, stream) for stream in said])
        return [info for info in sender.streams.values() if info.stream_id not in before and _is_muted(info)]

    def expected(self, kind: str, sender_id: str, receiver_id: str) -> bool:
        """Whether a message was asked for: the answer to an offer, or a candidate that belongs to a description."""
        sender = self._sender(sender_id)
        if kind == "answer" and receiver_id in sender.unanswered:
            sender.unanswered.discard(receiver_id)
            return True
        if kind == "candidate" and sender.candidates.get(receiver_id, 0) > 0:
            sender.candidates[receiver_id] -= 1
            return True
        return False

    def parted(self, one_id: str, other_id: str) -> None:
        """The two are not connected any more."""
        for sender_id, receiver_id in ((one_id, other_id), (other_id, one_id)):
            if sender := self._senders.get(sender_id):
                sender.carried.pop(receiver_id, None)
                sender.candidates.pop(receiver_id, None)
                sender.unanswered.discard(receiver_id)

    def left(self, participant_id: str) -> None:
        """The participant is gone, and their streams with them."""
        for other_id in list(self._senders):
            self.parted(participant_id, other_id)
        self._senders.pop(participant_id, None)

    def ended(self, participant_id: str, stream_id: str) -> bool:
        """The participant's stream is over for everybody; False if there is none with this id."""
        sender = self._sender(participant_id)
        for receiver_id, carried in sender.carried.items():
            sender.carried[receiver_id] = carried - {stream_id}
        sender.muted.pop(stream_id, None)
        return sender.streams.pop(stream_id, None) is not None

    def handed_over(self, participant_id: str, stream_id: str) -> Muted:
        """The stream goes to the server from now on; returns what of it was muted here."""
        sender = self._sender(participant_id)
        sender.streams.pop(stream_id, None)
        return sender.muted.get(stream_id, (False, False))

    def streams(self) -> list[StreamInfo]:
        """What is sent now."""
        return [info for sender in self._senders.values() for info in sender.streams.values()]

    def owner(self, stream_id: str) -> str | None:
        """Who sends the stream."""
        return next((owner for owner, sender in self._senders.items() if stream_id in sender.streams), None)

    def mute(self, participant_id: str, stream_id: str, *, audio: bool | None, video: bool | None) -> StreamInfo | None:
        """Notes what is muted, None leaves it as it is; returns the stream if that changes what others know of it.

        It is remembered of streams that nobody knows yet, too: somebody who is alone has nobody to send them to.
        """
        sender = self._sender(participant_id)
        was_audio, was_video = sender.muted.get(stream_id, (False, False))
        muted = (was_audio if audio is None else audio, was_video if video is None else video)
        if len(sender.muted) >= MAX_MUTED and stream_id not in sender.muted:
            del sender.muted[next(iter(sender.muted))]
        sender.muted[stream_id] = muted
        known = sender.streams.get(stream_id)
        if known is None or (known.audio_muted, known.video_muted) == muted:
            return None
        sender.streams[stream_id] = replace(known, audio_muted=muted[0], video_muted=muted[1])
        return sender.streams[stream_id]

    def _sender(self, participant_id: str) -> _Sender:
        return self._senders.setdefault(participant_id, _Sender())

    def _info(self, sender: _Sender, sender_id: str, stream: StreamDescription) -> StreamInfo:
        audio_muted, video_muted = sender.muted.get(stream.stream_id, (False, False))
        has_audio, has_video = stream.audio_mid is not None, stream.video_mid is not None
        return StreamInfo(stream.stream_id, sender_id, stream.label, has_audio, has_video, audio_muted, video_muted)

    def _merged(self, sender: _Sender, said: Sequence[StreamInfo]) -> dict[str, StreamInfo]:
        """The streams that some pair carries, with what is `said` last."""
        labels = {stream.label: stream.stream_id for stream in said}
        carried = {stream_id for ids in sender.carried.values() for stream_id in ids}
        merged = {**sender.streams, **{stream.stream_id: stream for stream in said}}
        return {
            stream_id: stream
            for stream_id, stream in merged.items()
            if stream_id in carried and labels.get(stream.label, stream_id) == stream_id
        }

    def _check(self, sender_id: str, said: Sequence[StreamDescription]) -> None:
        if len({stream.stream_id for stream in said}) < len(said):
            raise BadDescription("a stream is listed twice")
        if len({stream.label for stream in said}) < len(said):
            raise StreamExists("there is at most one camera and one screen")
        for stream in said:
            if self.owner(stream.stream_id) not in (None, sender_id):
                raise BadDescription(f"stream {stream.stream_id} is somebody else's")


def _is_muted(stream: StreamInfo) -> bool:
    return stream.audio_muted or stream.video_muted
