"""Rooms of teams, their meetings and users, and permalinks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "team_rooms",
        sa.Column("key", sa.String(24), primary_key=True),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("room_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("team", "room_id", name="team_rooms_by_id"),
    )
    _create_meetings()
    op.create_table(
        "room_users",
        sa.Column("meeting_id", sa.String(36), sa.ForeignKey("room_meetings.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("avatar", sa.Text),
        sa.Column("guest", sa.Boolean, nullable=False),
        sa.Column("locale", sa.String(2)),
        sa.Column("joined_ms", sa.BigInteger, nullable=False),
        sa.Column("access_key", sa.String(24), nullable=False),
        sa.Column("access_digest", sa.String(64), nullable=False, unique=True),
    )
    _create_permalinks()


def _create_meetings() -> None:
    op.create_table(
        "room_meetings",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("room_key", sa.String(24), sa.ForeignKey("team_rooms.key"), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("guest_token", sa.String(24), nullable=False),
        sa.Column("guest_digest", sa.String(64), unique=True),
        sa.Column("permalink_id", sa.String(24)),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("locked_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger),
    )
    op.create_index("room_meetings_by_room", "room_meetings", ["room_key", "started_ms"])
    running = sa.text("ended_ms IS NULL")
    op.create_index(
        "room_meetings_running",
        "room_meetings",
        ["room_key"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )


def _create_permalinks() -> None:
    op.create_table(
        "permalinks",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("room_key", sa.String(24), sa.ForeignKey("team_rooms.key"), nullable=False, unique=True),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("guest_token", sa.String(24), nullable=False),
        sa.Column("guest_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("deleted_ms", sa.BigInteger),
    )
    op.create_index("permalinks_by_team", "permalinks", ["team", "created_ms", "id"])
    op.create_table(
        "permalink_hosts",
        sa.Column("token_digest", sa.String(64), primary_key=True),
        sa.Column("token", sa.String(24), nullable=False),
        sa.Column(
            "permalink_id",
            sa.String(24),
            sa.ForeignKey("permalinks.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("avatar", sa.Text),
        sa.Column("joined_ms", sa.BigInteger, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
    )
