"""Calls in the rooms of spaces, and who was there."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "space_calls",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("room_id", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("finished_ms", sa.BigInteger),
        sa.Column("most", sa.Integer, nullable=False),
    )
    op.create_index("space_calls_by_space", "space_calls", ["space_id", "finished_ms"])
    op.create_index("space_calls_unfinished", "space_calls", ["finished_ms"])
    op.create_table(
        "space_presences",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("call_id", sa.String(36), sa.ForeignKey("space_calls.id", ondelete="CASCADE"), nullable=False),
        sa.Column("person", sa.String(300), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user_id", sa.String(24)),
        sa.Column("external_user_id", sa.String(255)),
        sa.Column("email", sa.String(320)),
        sa.Column("phone", sa.String(64)),
        sa.Column("role", sa.String(9), nullable=False),
        sa.Column("joined_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("left_ms", sa.BigInteger),
        sa.Column("messages", sa.Integer, nullable=False),
        sa.Column("speaking_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("space_presences_by_call", "space_presences", ["call_id", "joined_ms"])
