"""The tables of the spaces family."""

import sqlalchemy as sa

from signaling.store.tables import metadata

spaces_users = sa.Table(
    "spaces_users",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("email_folded", sa.String(640), nullable=False, unique=True),
    sa.Column("username", sa.String(100), nullable=False),
    sa.Column("password", sa.String(200), nullable=False),
    sa.Column("phone", sa.String(64)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

spaces_personal_tokens = sa.Table(
    "spaces_personal_tokens",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("user_id", sa.String(24), sa.ForeignKey("spaces_users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Index("spaces_personal_tokens_by_user", "user_id", "created_ms"),
)

spaces_used_tokens = sa.Table(
    "spaces_used_tokens",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
)
"""Refresh tokens that have been used, until they would have expired anyway."""

spaces = sa.Table(
    "spaces",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("owner_id", sa.String(24), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("logo", sa.Text),
    sa.Column("is_public", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Index("spaces_by_client", "client_id", "created_ms", "id"),
)

space_rooms = sa.Table(
    "space_rooms",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
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

space_roles = sa.Table(
    "space_roles",
    metadata,
    sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("room_id", sa.String(24), primary_key=True),
    sa.Column("user_id", sa.String(24), primary_key=True),
    sa.Column("role", sa.String(9), nullable=False),
)
"""`room_id` is empty for a role in the whole space."""

space_invites = sa.Table(
    "space_invites",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("room_id", sa.String(24)),
    sa.Column("role", sa.String(11), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("activated_ms", sa.BigInteger),
    sa.Column("activated_by", sa.String(24)),
    sa.Column("deleted_ms", sa.BigInteger),
)

space_accesses = sa.Table(
    "space_accesses",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
    sa.Column(
        "room_id", sa.String(24), sa.ForeignKey("space_rooms.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("username", sa.String(255), nullable=False),
    sa.Column("role", sa.String(9), nullable=False),
    sa.Column("external_user_id", sa.String(255)),
    sa.Column("email", sa.String(320)),
    sa.Column("phone", sa.String(64)),
    sa.Column("permanent", sa.Boolean, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("used_ms", sa.BigInteger),
)

space_calls = sa.Table(
    "space_calls",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("space_id", sa.String(24), sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("room_id", sa.String(24), nullable=False),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("most", sa.Integer, nullable=False),
    sa.Index("space_calls_by_space", "space_id", "finished_ms"),
    sa.Index("space_calls_unfinished", "finished_ms"),
)
"""A room that is deleted leaves its calls behind; a space takes them along."""

space_presences = sa.Table(
    "space_presences",
    metadata,
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
    sa.Index("space_presences_by_call", "call_id", "joined_ms"),
)
"""Each stay of somebody in a call; `seen_ms` is when it was last known to be true."""
