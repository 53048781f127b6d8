"""The keys of a development server: one for each API family, made at its start and gone with it."""

import secrets
from collections.abc import Mapping

from signaling import jwts
from signaling.services.session_callers import PERMISSIONS

FAMILIES = ("realtime", "rooms", "sessions", "spaces")
ISSUER = "folkmoot-dev"
"""Of the sessions family's web tokens, where none is configured."""
CLIENT = "development"
"""The spaces family's client."""


def new_dev_keys() -> dict[str, str]:
    """By family: an API key, the secret web tokens are signed with, a client's secret."""
    return {family: secrets.token_hex(16) for family in FAMILIES}


def shown(dev_keys: Mapping[str, str]) -> Mapping[str, str]:
    """What a developer sends, by what it is called."""
    told = {f"{family} key": dev_keys[family] for family in ("realtime", "rooms") if family in dev_keys}
    if "sessions" in dev_keys:
        claims = {"iss": ISSUER, "sub": "developer", "permissions": list(PERMISSIONS)}
        told["sessions token"] = jwts.write(dev_keys["sessions"].encode(), claims)
    if "spaces" in dev_keys:
        told[f"spaces secret of the client {CLIENT!r}"] = dev_keys["spaces"]
    return told
