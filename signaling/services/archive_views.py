"""How an archive looks to back ends, and to those inside its session. Pure. Sessions contract, section 9."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from signaling.services.attendees import PROJECT
from signaling.services.recording.states import State
from signaling.store.recordings import RecordingRow

RESOLUTION = "1280x720"
FILE = "archive.webm"
_IN_A_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STATUS = {
    State.RUNNING: "started",
    State.STOPPED: "stopped",
    State.FINISHED: "available",
    State.UPLOADED: "uploaded",
    State.EXPIRED: "expired",
    State.FAILED: "failed",
}

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of it beside its row. `paused`: nobody sends anything; `over`: it has been kept long enough."""

    row: RecordingRow
    url: str | None
    paused: bool = False
    over: bool = False


def archive_view(seen: Seen) -> View:
    row = seen.row
    named = {} if (name := json.loads(row.about)["name"]) is None else {"name": name}
    metadata = {
        "id": row.id,
        **named,
        "sessionId": row.container,
        "projectId": project_of(row.owner),
        "status": status_of(seen),
        "createdAt": row.created_ms,
        "duration": row.duration or 0,
        "size": row.size_bytes or 0,
        "reason": row.reason,
        "hasAudio": True,
        "hasVideo": True,
        "outputMode": "composed",
        "resolution": RESOLUTION,
        "url": seen.url,
    }
    return {**named, "sessionId": row.container, "metaData": metadata}


def status_of(seen: Seen) -> str:
    state = State(seen.row.state)
    if state is State.RUNNING and seen.paused:
        return "paused"
    if state is State.FINISHED and seen.over:
        return _STATUS[State.EXPIRED]
    return _STATUS[state]


def told_inside(row: RecordingRow, base_url: str) -> View:
    """What participants are told of it: that, and how long. Its file is the back end's."""
    return {
        "id": row.id,
        "created_at": row.created_ms // 1000,
        "duration": row.duration,
        "links": {"self": f"{base_url}/archives/{row.id}", "download": None},
        "user": None,
        "room": {"id": row.container},
    }


def project_of(tenant: str) -> str:
    """A tenant as part of an object's name: as it is, if it can be, else what can be of it and a mark of the rest."""
    if not tenant:
        return PROJECT
    if _IN_A_KEY.fullmatch(tenant):
        return tenant
    legible = re.sub(r"[^A-Za-z0-9]+", "-", tenant).strip("-")[:32] or "tenant"
    return f"{legible}-{sha256(tenant.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def object_key(row: RecordingRow) -> str:
    """Of its file in a store of the tenant's."""
    return f"{project_of(row.owner)}/{row.id}/{FILE}"
