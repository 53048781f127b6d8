"""Sessions and their attendee lists."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(64), nullable=False, unique=True),
        sa.Column("meeting_link", sa.String(16), nullable=False, unique=True),
        sa.Column("tenant", sa.Text),
        sa.Column("e2ee", sa.Boolean, nullable=False),
        sa.Column("is_scheduled", sa.Boolean, nullable=False),
        sa.Column("schedule_ms", sa.BigInteger, nullable=False),
        sa.Column("is_archived", sa.Boolean, nullable=False),
        sa.Column("archive_id", sa.String(64)),
        sa.Column("upload_target", sa.String(16)),
        sa.Column("start_ms", sa.BigInteger),
        sa.Column("end_ms", sa.BigInteger),
        sa.Column("ext_id", sa.Text),
        sa.Column("ext_metadata", sa.Text),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("modified_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("modified_by", sa.Text),
    )
    op.create_table(
        "session_attendees",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("session_id", sa.String(255), nullable=False),
        sa.Column("attendee", sa.String(1000), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("modified_ms", sa.BigInteger, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        sa.Column("ext_id", sa.Text),
        sa.Column("ext_metadata", sa.Text),
        sa.UniqueConstraint("session_id", "attendee", name="session_attendees_once"),
    )
