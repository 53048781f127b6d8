"""The `streams` beside a session description: to and from plain lists. Pure."""

from collections.abc import Iterable

from mediaserver import StreamDescription
from signaling.live.fields import MAX_ID, maybe_text, objects, one_of, stream_id
from signaling.live.protocol import Message

LABELS = ("camera", "screen")
MAX_MID = 64  # characters


def rendered(streams: Iterable[StreamDescription]) -> list[Message]:
    return [
        {
            "stream_id": stream.stream_id,
            "label": stream.label,
            "user_id": stream.user_id,
            "audio_mid": stream.audio_mid,
            "video_mid": stream.video_mid,
        }
        for stream in streams
    ]


def read_streams(message: Message, user_id: str) -> list[StreamDescription]:
    """What a client says about its offer; whatever it says about whose streams these are, they are its own."""
    return [
        StreamDescription(
            stream_id=stream_id(entry),
            label=one_of(entry, "label", LABELS),
            user_id=user_id,
            audio_mid=maybe_text(entry, "audio_mid", MAX_MID),
            video_mid=maybe_text(entry, "video_mid", MAX_MID),
            replace=maybe_text(entry, "replace", MAX_ID),
        )
        for entry in objects(message, "streams")
    ]
