"""The two messages that tell a client where it is: `room_setup` at the door, `joined` inside. Pure."""

from mediaserver import StreamInfo
from signaling.live.protocol import Message
from signaling.services import events
from signaling.services.conferences import Conferences
from signaling.services.doors import Endpoint
from signaling.services.ice_servers import ice_servers
from signaling.services.lifecycle import State
from signaling.services.meeting import Meeting
from signaling.services.members import Member, Visitor

ONE_VIEW = "one_view"  # the label of the stream that shows everybody; who is given it is told by an offer


def room_setup(visitor: Visitor) -> Message:
    if visitor.admitted.setup is not None:
        return {"type": "room_setup", "content": dict(visitor.admitted.setup)}
    meeting = visitor.meeting
    conference = {
        "id": meeting.id,
        "name": meeting.name,
        "mode": meeting.mode,
        "ready": meeting.lifecycle.state in (State.READY, State.ACTIVE),
        "started_at": None if meeting.started_at is None else events.iso(meeting.started_at),
        "max_participants": meeting.max_participants,
    }
    participant = {
        "id": visitor.participant_id,
        "name": visitor.name,
        "role": visitor.role.name.lower(),
        "guest": visitor.admitted.guest,
    }
    content = {"conference": conference, "participant": participant, "options": dict(meeting.venue.options)}
    return {"type": "room_setup", "content": content}


def joined(conferences: Conferences, meeting: Meeting, member: Member, wall: float) -> Message:
    return {
        "type": "joined",
        "participant": {
            "id": member.id,
            "name": member.name,
            "role": member.role.name.lower(),
            "guest": member.guest,
            "joined_at": events.iso(member.joined_at),
        },
        "mode": meeting.mode,
        "participants": [_present(meeting.room_id, other) for other in meeting.members.values()],
        "streams": [_stream(stream) for stream in meeting.streams() if stream.label != ONE_VIEW],
        "ice_servers": ice_servers(conferences.settings, member.id, wall),
        "options": dict(meeting.venue.options),
        **({"endpoint": endpoint(member.endpoint)} if member.endpoint else {}),
        **({"recording": meeting.recording} if meeting.recording else {}),
        "e2ee": meeting.mode == "MESH" or meeting.venue.e2ee,
        "max_bitrate": conferences.media.config.publish_bitrate_cap_bps,
    }


def endpoint(endpoint: Endpoint) -> Message:
    return {"id": endpoint.id, "token": endpoint.token, "expires_at": round(endpoint.expires_at * 1000)}


def _present(room_id: str, member: Member) -> Message:
    return {
        **events.participant(room_id, member),
        "role": member.role.name.lower(),
        "joined_at": events.iso(member.joined_at),
        "raised": member.raised,
        "attributes": member.attributes,
    }


def _stream(stream: StreamInfo) -> Message:
    return {
        "stream_id": stream.stream_id,
        "user_id": stream.participant_id,
        "label": stream.label,
        "audio": stream.audio,
        "video": stream.video,
        "muted": {"audio": stream.audio_muted, "video": stream.video_muted},
    }
