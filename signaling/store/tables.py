"""The tables as the queries see them; `migrations` makes them, and a test compares the two.

Times are integer unix milliseconds (`_ms`), durations whole seconds. Of credentials only digests are kept, except a
room's token: the API gives it out again on every read.
"""

import sqlalchemy as sa

metadata = sa.MetaData()

server_secrets = sa.Table(
    "server_secrets",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

realtime_rooms = sa.Table(
    "realtime_rooms",
    metadata,
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
    sa.Index("realtime_rooms_by_key", "key_id", "created_ms", "id"),
)

realtime_endpoints = sa.Table(
    "realtime_endpoints",
    metadata,
    sa.Column("id", sa.String(39), primary_key=True),
    sa.Column(
        "room_id", sa.String(39), sa.ForeignKey("realtime_rooms.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("participant_id", sa.Text, nullable=False),
    sa.Column("token_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("expires_ms", sa.BigInteger, nullable=False, index=True),
)
