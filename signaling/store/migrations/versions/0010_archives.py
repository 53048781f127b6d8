"""Recordings and pictures of every family in one table; where recordings of a session go."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"

_old = sa.table(
    "room_recordings",
    *(sa.column(name) for name in ("id", "kind", "room_key", "meeting_id", "user", "room", "created_ms")),
    sa.column("duration"),
    sa.column("state"),
)
_rooms = sa.table("team_rooms", sa.column("key"), sa.column("team"))


def upgrade() -> None:
    new = op.create_table(
        "recordings",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("family", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("container", sa.String(64), nullable=False),
        sa.Column("conference_id", sa.String(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("duration", sa.Integer),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("finished_ms", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.Column("target_id", sa.Integer),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_try_ms", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_index("recordings_by_container", "recordings", ["family", "container", "kind", "created_ms"])
    op.create_index("recordings_by_owner", "recordings", ["family", "owner", "kind", "created_ms"])
    op.create_index("recordings_by_time", "recordings", ["created_ms"])
    op.execute(_moved(new))
    op.drop_table("room_recordings")
    op.create_table(
        "storage_targets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("family", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("fallback", sa.String(16), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("storage_targets_by_owner", "storage_targets", ["family", "owner", "id"])
    op.add_column("sessions", sa.Column("archived_ms", sa.BigInteger))


def _moved(new: sa.Table) -> sa.Insert:
    """What was there, with its team as the owner; whom it is about as one JSON object."""
    about = sa.literal('{"user": ') + _old.c.user + sa.literal(', "room": ') + _old.c.room + sa.literal("}")
    rows = sa.select(
        _old.c.id,
        _old.c.kind,
        sa.literal("rooms"),
        _rooms.c.team,
        _old.c.room_key,
        _old.c.meeting_id,
        about,
        _old.c.created_ms,
        _old.c.state,
        _old.c.duration,
    ).select_from(_old.join(_rooms, _rooms.c.key == _old.c.room_key))
    names = ["id", "kind", "family", "owner", "container", "conference_id", "about", "created_ms", "state", "duration"]
    return sa.insert(new).from_select(names, rows)
