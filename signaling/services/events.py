"""What participants are told, in the words of the contract. Pure: from what is known to plain dictionaries."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mediaserver import LayersChanged, LayersWanted, QualityChanged, SpeakersChanged, StreamInfo, VoiceChanged
from signaling.services.members import Event, Member

OURS = frozenset(
    {
        *("room_setup", "room_ready", "room_update", "participant_update", "podium_update", "options_update"),
        *("recording_update", "broadcasts_update", "snapshot_update", "playback_update", "presentation_update"),
        *("slide", "files_update", "layer_update", "forward_update", "lock", "stfu", "voice_activity"),
        *("layers_update", "quality_update", "speakers_update", "mode_update", "mute_update", "hand_update"),
        *("attributes_update", "role_update", "terminated", "error", "joined", "ok", "pong", "ping"),
        *("endpoint_update", "data"),
        *("offer", "answer", "candidate", "close", "restart", "unpublish", "welcome", "disconnect"),
        *("confirm_subscription", "reject_subscription"),
    }
)
"""What the server says itself: nobody else may say something under these names."""


def iso(wall: float) -> str:
    """Unix seconds as `2026-03-02T08:30:00.000Z`."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def participant(room_id: str, member: Member, *, online: bool = True) -> dict[str, Any]:
    return {
        "id": member.id,
        "room_id": room_id,
        "name": member.name,
        "avatar": member.avatar,
        "guest": member.guest,
        "online": online,
        **({"platform": "whip"} if member.by_http else {}),
    }


def participant_update(room_id: str, member: Member, *, online: bool) -> Event:
    return {"type": "participant_update", "participant": participant(room_id, member, online=online)}


def mode_update(mode: str, reason: str) -> Event:
    """`reason` is auto_upgrade or request."""
    return {"type": "mode_update", "mode": mode, "reason": reason}


def mute_update(stream: StreamInfo) -> Event:
    return {
        "type": "mute_update",
        "user_id": stream.participant_id,
        "stream_id": stream.stream_id,
        "audio": stream.audio_muted,
        "video": stream.video_muted,
    }


def layers(event: LayersChanged | LayersWanted) -> Event:
    """For who receives pictures, or sends one in several layers."""
    return layers_update(event) if isinstance(event, LayersChanged) else layers_wanted(event)


def layers_update(event: LayersChanged) -> Event:
    return {
        "type": "layers_update",
        "streams": {
            each.stream_id: {
                "width": each.width,
                "height": each.height,
                "fps": each.fps,
                "paused": each.paused,
                "reason": each.reason,
            }
            for each in event.streams
        },
    }


def layers_wanted(event: LayersWanted) -> Event:
    """For who publishes: other layers of this picture nobody could want."""
    return {"type": "layers_wanted", "stream_id": event.stream_id, "rids": list(event.rids)}


def quality_update(event: QualityChanged) -> Event:
    return {
        "type": "quality_update",
        "user_id": event.participant_id,
        "score": event.score,
        "loss": event.loss,
        "rtt": event.round_trip,
    }


def speakers_update(event: SpeakersChanged) -> Event:
    return {
        "type": "speakers_update",
        "speakers": [{"user_id": user_id, "level": level} for user_id, level in event.speakers],
    }


def voice_activity(event: VoiceChanged) -> Event:
    return {"type": "voice_activity", "user_id": event.participant_id, "on": event.on}


def hand_update(member: Member) -> Event:
    return {"type": "hand_update", "user_id": member.id, "raised": member.raised}


def role_update(member: Member) -> Event:
    return {"type": "role_update", "user_id": member.id, "role": member.role.name.lower()}


def attributes_update(member: Member) -> Event:
    return {"type": "attributes_update", "user_id": member.id, "attributes": member.attributes}


def said(kind: str, user_id: str, content: Any, wall: float) -> Event:
    """A `chat` or `custom` message, or one of another kind that is no event of ours."""
    return {"type": kind, "content": content, "cid": user_id, "user_id": user_id, "created_at": iso(wall)}


def podium_update(podium: list[dict[str, Any]]) -> Event:
    return {"type": "podium_update", "podium": podium}


def layer_update(layers: Mapping[int, str | None]) -> Event:
    """Ids by z-index; None where there is no layer."""
    return {"type": "layer_update", "layers": {str(z_index): layer for z_index, layer in layers.items()}}


def options_update(options: dict[str, Any]) -> Event:
    return {"type": "options_update", "options": options}


def playback_update(playing: list[dict[str, Any]]) -> Event:
    return {"type": "playback_update", "playing": playing}


def recording_update(recording: dict[str, Any]) -> Event:
    return {"type": "recording_update", "recording": recording}


def broadcasts_update(broadcasts: list[dict[str, Any]]) -> Event:
    return {"type": "broadcasts_update", "broadcasts": broadcasts}


def snapshot_update(snapshot: dict[str, Any]) -> Event:
    return {"type": "snapshot_update", "snapshots": [snapshot]}


def stfu(room_id: str, member: Member) -> Event:
    return {"type": "stfu", "user": participant(room_id, member)}


def lock() -> Event:
    return {"type": "lock", "locked": True}


def terminated(reason: str) -> Event:
    return {"type": "terminated", "reason": reason}


def files_update(files: list[dict[str, Any]]) -> Event:
    return {"type": "files_update", "files": files}


def presentation_update(presentation: dict[str, Any] | None) -> Event:
    return {"type": "presentation_update", "presentation": presentation}


def slide(url: str) -> Event:
    """Empty at the end."""
    return {"type": "slide", "slide": url}


def forward_update(forwards: Sequence[Mapping[str, Any]]) -> Event:
    """Of all that is pushed elsewhere."""
    return {"type": "forward_update", "forwards": list(forwards)}
