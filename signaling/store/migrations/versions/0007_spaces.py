"""Spaces, their users, rooms, roles, invites and access tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _create_spaces_users()
    _create_spaces_personal_tokens()
    _create_spaces_used_tokens()
    _create_spaces()
    _create_space_rooms()
    _create_space_roles()
    _create_space_invites()
    _create_space_accesses()


def _create_spaces_users() -> None:
    op.create_table(
        "spaces_users",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_folded", sa.String(640), nullable=False, unique=True),
        sa.Column("username", sa.String(100), nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(64)),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )


def _create_spaces_personal_tokens() -> None:
    op.create_table(
        "spaces_personal_tokens",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("user_id", sa.String(24), sa.ForeignKey("spaces_users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("spaces_personal_tokens_by_user", "spaces_personal_tokens", ["user_id", "created_ms"])


def _create_spaces_used_tokens() -> None:
    op.create_table(
        "spaces_used_tokens",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_spaces_used_tokens_expires_ms", "spaces_used_tokens", ["expires_ms"])


def _create_spaces() -> None:
    op.create_table(
        "spaces",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("owner_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("logo", sa.Text),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("spaces_by_client", "spaces", ["client_id", "created_ms", "id"])


def _create_space_rooms() -> None:
    op.create_table(
        "space_rooms",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("alias", sa.String(10), nullable=False, unique=True),
        sa.Column("channel_id", sa.String(36), nullable=False, unique=True),
        sa.Column("creator_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("is_public", sa.Boolean, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("screen_allowed", sa.Boolean, nullable=False),
        sa.Column("chat_allowed", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_space_rooms_space_id", "space_rooms", ["space_id"])


def _create_space_roles() -> None:
    op.create_table(
        "space_roles",
        sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("room_id", sa.String(24), primary_key=True),
        sa.Column("user_id", sa.String(24), primary_key=True),
        sa.Column("role", sa.String(9), nullable=False),
    )


def _create_space_invites() -> None:
    op.create_table(
        "space_invites",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
        sa.Column("room_id", sa.String(24)),
        sa.Column("role", sa.String(11), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("activated_ms", sa.BigInteger),
        sa.Column("activated_by", sa.String(24)),
        sa.Column("deleted_ms", sa.BigInteger),
    )
    op.create_index("ix_space_invites_space_id", "space_invites", ["space_id"])


def _create_space_accesses() -> None:
    op.create_table(
        "space_accesses",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("room_id", sa.String(24), sa.ForeignKey("space_rooms.id", ondelete="CASCADE"), nullable=False),
        sa.Column("username", sa.String(255), nullable=False),
        sa.Column("role", sa.String(9), nullable=False),
        sa.Column("external_user_id", sa.String(255)),
        sa.Column("email", sa.String(320)),
        sa.Column("phone", sa.String(64)),
        sa.Column("permanent", sa.Boolean, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("used_ms", sa.BigInteger),
    )
    op.create_index("ix_space_accesses_room_id", "space_accesses", ["room_id"])
