"""The tables as the queries see them; `migrations` makes them, and a test compares the two.

Times are integer unix milliseconds (`_ms`), durations whole seconds. Of credentials only digests are kept, except
those that the API gives out again on every read: a realtime room's token, access keys, guest and permalink tokens.
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
    sa.Column("e2ee", sa.Boolean, nullable=False, server_default=sa.false()),
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

team_rooms = sa.Table(
    "team_rooms",
    metadata,
    sa.Column("key", sa.String(24), primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("room_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("team", "room_id", name="team_rooms_by_id"),
)
"""`room_id` is what the team calls it."""

room_meetings = sa.Table(
    "room_meetings",
    metadata,
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
    sa.Index("room_meetings_by_room", "room_key", "started_ms"),
)
"""`guest_digest` is null where the guest token is a permalink's."""

sa.Index(
    "room_meetings_running",
    room_meetings.c.room_key,
    unique=True,
    sqlite_where=room_meetings.c.ended_ms.is_(None),
    postgresql_where=room_meetings.c.ended_ms.is_(None),
)

room_users = sa.Table(
    "room_users",
    metadata,
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

permalinks = sa.Table(
    "permalinks",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("room_key", sa.String(24), sa.ForeignKey("team_rooms.key"), nullable=False, unique=True),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("guest_token", sa.String(24), nullable=False),
    sa.Column("guest_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sa.Column("deleted_ms", sa.BigInteger),
    sa.Index("permalinks_by_team", "team", "created_ms", "id"),
)

permalink_hosts = sa.Table(
    "permalink_hosts",
    metadata,
    sa.Column("token_digest", sa.String(64), primary_key=True),
    sa.Column("token", sa.String(24), nullable=False),
    sa.Column(
        "permalink_id", sa.String(24), sa.ForeignKey("permalinks.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("avatar", sa.Text),
    sa.Column("joined_ms", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("key", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("family", sa.String(16), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("key_id", sa.String(64), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.Text, nullable=False),
    sa.Column("secret", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("sent_ms", sa.BigInteger),
    sa.Column("code", sa.Integer),
    sa.UniqueConstraint("family", "key_id", name="webhooks_by_key"),
    sa.Index("webhooks_by_owner", "family", "owner"),
)
"""`owner` is whose events it tells, `key_id` whose it is: the digest of an API key, or the owner once more. `secret` is
what it signs with, where that is not in the settings. `kinds` are the events it wants, separated by commas."""

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("webhook_key", sa.Integer, sa.ForeignKey("webhooks.key", ondelete="CASCADE"), nullable=False),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
    sa.Column("next_ms", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("sent_ms", sa.BigInteger),
    sa.Column("code", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Index("webhook_deliveries_by_state", "webhook_key", "state", "number"),
)
"""In order of `number`. `since_ms` is when its tries began to be allowed: when it was made, or told to try again."""

meeting_files = sa.Table(
    "meeting_files",
    metadata,
    sa.Column("id", sa.String(24), primary_key=True),
    sa.Column("meeting_id", sa.String(36), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.String(32), nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("slide_type", sa.String(32), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
"""A row stays until everything that belongs to it has left the object store: no foreign key makes it go earlier."""

sessions = sa.Table(
    "sessions",
    metadata,
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
    sa.Column("archived_ms", sa.BigInteger),
)
"""`archived_ms` is when its archive began by itself, which it does once."""

session_attendees = sa.Table(
    "session_attendees",
    metadata,
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

recordings = sa.Table(
    "recordings",
    metadata,
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
    sa.Index("recordings_by_container", "family", "container", "kind", "created_ms"),
    sa.Index("recordings_by_owner", "family", "owner", "kind", "created_ms"),
    sa.Index("recordings_by_time", "created_ms"),
)
"""What is made of the composite and kept, in every family: recordings and pictures. `owner` is whose it is: a team, a
tenant (empty: nobody's in particular), a space; `container` the room or session that it is listed with; `about` what
else the family tells of it, in JSON. It outlives all of these: there are no foreign keys."""

storage_targets = sa.Table(
    "storage_targets",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("family", sa.String(16), nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text, nullable=False),
    sa.Column("fallback", sa.String(16), nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Index("storage_targets_by_owner", "family", "owner", "id"),
)
"""Where an owner's recordings go once they are finished; the latest counts, older ones stay while something is still on
its way there. `options` is JSON without secrets; `sealed` are the secrets, encrypted."""
