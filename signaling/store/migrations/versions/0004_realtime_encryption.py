"""Realtime rooms whose participants encrypt what goes by the server."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("realtime_rooms", sa.Column("e2ee", sa.Boolean, nullable=False, server_default=sa.false()))
