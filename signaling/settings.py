"""Every setting, its default, its unit and its bounds. Reading files and environment is `configuration.py`'s.

A number quoted as a default by an API contract is a setting, so that tests and installations can change it. Durations
are seconds unless the name says otherwise. Settings of API families that are not served yet are checked and kept.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from signaling import objects
from signaling.setting_kinds import (
    Address,
    Bytes,
    Count,
    Days,
    HttpUrl,
    Number,
    Port,
    Seconds,
    Text,
    WholeSeconds,
    between,
)
from signaling.store.database import driver_url, sqlite_url

SQLITE_FILE = "folkmoot.db"
OBJECTS_FOLDER = "objects"
ANY_ADDRESS = ("", "0.0.0.0", "::")  # listened on, but nothing a link could name


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiKey(Section):
    key: Text
    team: Text


class Jwt(Section):
    secret: str = ""
    issuer: str = ""


class SpacesClient(Section):
    client_id: Text
    client_secret: Text


class Spaces(Section):
    clients: tuple[SpacesClient, ...] = ()
    token_secret: str = ""


class IceServer(Section):
    """Told to clients. A `turn:` URL without credentials gets time-limited ones if `turn.shared_secret` is set."""

    urls: tuple[Text, ...]
    username: str | None = None
    credential: str | None = None

    @field_validator("urls", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Turn(Section):
    shared_secret: str = ""
    ttl_seconds: WholeSeconds = 86400


class Media(Section):
    udp_port: Port = 7881
    """One port for all media."""
    tcp_port: Port = 7881
    """ICE over TCP for networks that block UDP; 0 is off."""
    listen_ips: tuple[Address, ...] = ()
    """Empty: every address of this machine."""
    announced_ips: tuple[Address, ...] = ()
    """What clients are told instead, behind a NAT; empty: the addresses listened on."""
    threads: Annotated[int, Number, between(0, 64)] = 0
    """Packet threads; 0 is one per core."""
    certificate_file: Path | None = None
    private_key_file: Path | None = None
    """PEM, of DTLS; a certificate is made at each start where none is given."""
    socket_buffer_bytes: Annotated[int, Number, between(65536, 1 << 30)] = 4 << 20
    run_wait_seconds: Annotated[float, Number, between(0, 0.001)] = 0.0
    """How long packets to one subscriber may wait for more to be sent along."""

    @model_validator(mode="after")
    def _pairs(self) -> "Media":
        if (self.certificate_file is None) != (self.private_key_file is None):
            raise ValueError("certificate_file and private_key_file must be given together")
        return self


class Recordings(Section):
    retention_days: Days = 14
    link_ttl_seconds: WholeSeconds = 3600


class Archives(Section):
    """Recordings of sessions, and the stores of tenants' to which they may go."""

    idle_seconds: Seconds = 60.0
    """How long nobody may send anything before one is over."""
    upload_pauses_seconds: tuple[Seconds, ...] = (120.0, 900.0)
    """Between tries to store one; there is one try more."""
    access_key: str = ""
    secret_key: str = ""
    """Of S3, where a caller gives none."""
    account_key: str = ""
    container: str = ""
    """Of Azure, likewise."""


class Snapshots(Section):
    retention_days: Days = 14


class ObjectStore(Section):
    """Where recordings, pictures and uploaded files are kept."""

    url: str | None = None
    """`s3://bucket/path`, `az://container/path`, `gs://bucket/path` or `file:///folder`; by default a folder of
    the data directory."""
    options: dict[str, str] = {}
    """Credentials and the like: `access_key_id`, `secret_access_key`, `region`, `endpoint` for S3, `account_name` and
    `account_key` for Azure, `service_account_key` for Google; what is not given is looked for in the environment."""

    @model_validator(mode="after")
    def _opens(self) -> "ObjectStore":
        if self.url is not None:
            objects.check(self.url, self.options)
        return self


class Files(Section):
    """What participants upload to show."""

    max_bytes: Bytes = 50 << 20
    max_pages: Count = 300
    """Of a document; one with more is not converted."""
    max_per_meeting: Count = 100


class Fetch(Section):
    """Of URLs that callers give."""

    allow_private_addresses: bool = False
    timeout_seconds: Seconds = 10.0
    max_bytes: Bytes = 20 << 20


class Broadcasts(Section):
    """Pushed to platforms over RTMP."""

    ca_file: Path | None = None
    """Certificates (PEM) that platforms may have besides those this machine trusts."""


class Hls(Section):
    """Meetings that anybody can watch who has the address."""

    max_waiting: Count = 10_000
    """Requests that are held until what they ask for is there, of all streams together."""
    keep_ended_seconds: Seconds = 300.0
    """How long a stream that is over can still be watched."""
    store_url: HttpUrl | None = None
    """Where players reach the object store, such as a CDN's address: with it, streams are copied there, below
    `hls/`."""


class Webhooks(Section):
    retry_for_seconds: Seconds = 86400.0
    backoff_seconds: tuple[Seconds, ...] = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0)
    """Pauses between tries; the last one repeats."""
    timeout_seconds: Seconds = 10.0


class Cors(Section):
    allowed_origins: tuple[Text, ...] = ("*",)


class Embed(Section):
    frame_ancestors: tuple[Text, ...] = ("*",)
    """Sites that may show the conference page in a frame."""


class Sessions(Section):
    time_to_start_minutes: Annotated[int, Number, between(0, 525_600)] = 0
    webhook_secret: str = ""


class RealtimeLimits(Section):
    """Online participants of a room, by its type when it is created."""

    mesh: Count = 4
    sfu: Count = 100

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return {str(name).lower(): limit for name, limit in value.items()} if isinstance(value, dict) else value


class Realtime(Section):
    max_participants: RealtimeLimits = RealtimeLimits()
    room_token_ttl_seconds: WholeSeconds = 86400
    room_ttl_seconds: WholeSeconds = 86400
    endpoint_ttl_seconds: WholeSeconds = 86400


class Whep(Section):
    """Players that watch over HTTP."""

    max_viewers: Count = 1000
    """Of one conference."""
    resume_seconds: Seconds = 30.0
    """How long a player may wait for a stream that is over to begin again."""


class Log(Section):
    format: Literal["auto", "terminal", "json"] = "auto"
    """`auto`: readable on a terminal, JSON lines otherwise."""
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    listen_host: str = "0.0.0.0"
    listen_port: Port = 8080
    public_base_url: HttpUrl | None = None
    """Begins every link; by default made of host and port."""
    data_dir: Path = Path("folkmoot-data")
    database_url: str | None = None
    """`postgresql://…`; by default SQLite in the data directory."""

    secrets_key: str = ""
    """What callers' credentials for their stores are encrypted with; by default a file of the data directory."""

    api_keys: tuple[ApiKey, ...] = ()
    realtime_keys: tuple[Text, ...] = ()
    jwt: Jwt = Jwt()
    spaces: Spaces = Spaces()
    sessions: Sessions = Sessions()
    realtime: Realtime = Realtime()

    media: Media = Media()
    ice_servers: tuple[IceServer, ...] = ()
    turn: Turn = Turn()

    empty_timeout_seconds: Seconds = 300.0
    departure_timeout_seconds: Seconds = 20.0
    reconnect_grace_seconds: Seconds = 15.0
    max_duration_seconds: Seconds = 0.0
    """0 is no limit."""
    max_participants: Count = 100
    shutdown_grace_seconds: Seconds = 20.0

    recordings: Recordings = Recordings()
    archives: Archives = Archives()
    snapshots: Snapshots = Snapshots()
    objects: ObjectStore = ObjectStore()
    files: Files = Files()
    fetch: Fetch = Fetch()
    whep: Whep = Whep()
    broadcasts: Broadcasts = Broadcasts()
    hls: Hls = Hls()
    webhooks: Webhooks = Webhooks()
    cors: Cors = Cors()
    embed: Embed = Embed()
    log: Log = Field(default=Log())

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None:
            driver_url(value)
        return value

    @property
    def base_url(self) -> str:
        """How links to this server begin, without a slash at the end."""
        if self.public_base_url is not None:
            return self.public_base_url
        host = "localhost" if self.listen_host in ANY_ADDRESS else self.listen_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.listen_port}"

    @property
    def database(self) -> str:
        return self.database_url or sqlite_url(self.data_dir / SQLITE_FILE)

    @property
    def objects_url(self) -> str:
        return self.objects.url or (self.data_dir.absolute() / OBJECTS_FOLDER).as_uri()
