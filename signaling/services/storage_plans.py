"""What callers say of a store of theirs, as what is needed to open it; in the order and words of the contract. Pure.

Credentials may come from the settings. What ends up in the name of a host or a path is held to what such names can be:
nobody is led elsewhere by a region. Sessions contract, section 10.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from signaling.services.errors import Invalid, ServiceError

S3, AZURE = "AWSS3", "AZURE"
NO_FALLBACK, KEEP_HERE = "none", "opentok"
DEFAULT_REGION = "us-east-1"
DEFAULT_DOMAIN = "blob.core.windows.net"
_REGION = re.compile(r"[a-z0-9-]{1,32}")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_CONTAINER = re.compile(r"[a-z0-9$][a-z0-9-]{1,62}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_DOMAIN = re.compile(r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?")


class MissingCredentials(ServiceError):
    """Neither the caller nor the settings have any."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """As it was sent; "" is as good as nothing."""

    name: str | None = None
    region: str | None = None
    bucket: str | None = None
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    account_name: str | None = None
    domain: str | None = None
    container: str | None = None
    account_key: str | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Configured:
    """What the settings have where a caller gives none."""

    access_key: str = ""
    secret_key: str = ""
    account_key: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """`url` and `options` as of `objects.Objects`. `endpoint` is what has to be checked before it is connected to."""

    kind: str
    url: str
    options: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    fallback: str = NO_FALLBACK

    @property
    def endpoint(self) -> str | None:
        return self.options.get("endpoint")


def plan(wanted: Wanted, configured: Configured) -> Plan:
    if wanted.name == S3:
        return _s3(wanted, configured)
    if wanted.name == AZURE:
        return _azure(wanted, configured)
    raise Invalid("Unsupported storage type")


def _s3(wanted: Wanted, configured: Configured) -> Plan:
    access_key = wanted.access_key or configured.access_key
    secret_key = wanted.secret_key or configured.secret_key
    if not access_key or not secret_key:
        raise MissingCredentials("Missing AWS S3 credentials for setting upload target")
    if not wanted.bucket:
        raise Invalid("S3 bucket name is required")
    _check(_BUCKET, wanted.bucket, "S3 bucket name")
    region = wanted.region or DEFAULT_REGION
    _check(_REGION, region, "S3 region")
    options = {"region": region, "virtual_hosted_style_request": "false"}
    if wanted.endpoint:
        options["endpoint"] = wanted.endpoint.rstrip("/")
    secrets = {"access_key_id": access_key, "secret_access_key": secret_key}
    return Plan(S3, f"s3://{wanted.bucket}", options, secrets, wanted.fallback or NO_FALLBACK)


def _azure(wanted: Wanted, configured: Configured) -> Plan:
    account_key, container = wanted.account_key or configured.account_key, wanted.container or configured.container
    if not account_key or not container:
        raise MissingCredentials("Missing Azure credentials for setting upload target")
    if not wanted.account_name:
        raise Invalid("Azure account name is required")
    _check(_ACCOUNT, wanted.account_name, "Azure account name")
    _check(_CONTAINER, container, "Azure container")
    options = {
        "account_name": wanted.account_name,
        "endpoint": _azure_endpoint(wanted.account_name, wanted.domain or DEFAULT_DOMAIN),
    }
    return Plan(AZURE, f"az://{container}", options, {"account_key": account_key}, wanted.fallback or NO_FALLBACK)


def _azure_endpoint(account: str, domain: str) -> str:
    """Accounts are hosts of a domain; where a whole URL is given, as of an emulator, they are paths of it."""
    if "://" in domain:
        return f"{domain.rstrip('/')}/{account}"
    _check(_DOMAIN, domain, "Azure domain")
    return f"https://{account}.{domain}"


def _check(allowed: re.Pattern[str], value: str, what: str) -> None:
    if allowed.fullmatch(value) is None:
        raise Invalid(f"{what} cannot be used")
