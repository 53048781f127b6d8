"""Recordings and pictures of teams' meetings."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "room_recordings",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("kind", sa.String(9), nullable=False),
        sa.Column("room_key", sa.String(24), sa.ForeignKey("team_rooms.key"), nullable=False),
        sa.Column("meeting_id", sa.String(36), sa.ForeignKey("room_meetings.id"), nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("duration", sa.Integer),
        sa.Column("state", sa.String(9), nullable=False),
    )
    op.create_index("room_recordings_by_room", "room_recordings", ["room_key", "kind", "created_ms"])
    op.create_index("room_recordings_by_time", "room_recordings", ["created_ms"])
