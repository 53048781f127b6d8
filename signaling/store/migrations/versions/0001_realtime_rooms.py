"""Realtime rooms, their endpoints and the server's own secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "server_secrets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "realtime_rooms",
        sa.Column("id", sa.String(39), primary_key=True),
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("conference_type", sa.String(4), nullable=False),
        sa.Column("auto_upgrade_count", sa.Integer),
        sa.Column("max_participants", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("modified_ms", sa.BigInteger, nullable=False),
        sa.Column("room_token_ttl", sa.BigInteger, nullable=False),
        sa.Column("room_ttl", sa.BigInteger, nullable=False),
        sa.Column("endpoint_ttl", sa.BigInteger, nullable=False),
        sa.Column("token", sa.String(64), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("token_issued_ms", sa.BigInteger, nullable=False),
        sa.Column("removed_ms", sa.BigInteger),
    )
    op.create_index("realtime_rooms_by_key", "realtime_rooms", ["key_id", "created_ms", "id"])
    op.create_table(
        "realtime_endpoints",
        sa.Column("id", sa.String(39), primary_key=True),
        sa.Column(
            "room_id", sa.String(39), sa.ForeignKey("realtime_rooms.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("participant_id", sa.Text, nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
    )
