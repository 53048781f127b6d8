"""Who wants to come in: reading the query of /rt. Pure; whether the credential is good is decided by a service.

Exactly one credential is needed; a space's room is named beside the token, or alone where it is open to everybody.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from signaling.live.fields import MAX_ID, MAX_NAME, encodes
from signaling.live.protocol import Refusal, malformed
from signaling.services.doors import Credential

MAX_CREDENTIAL = 4096  # characters
_KINDS = ("access_key", "room_id", "token", "room")
_WELCOME = re.compile(rf"[A-Za-z0-9._:@+-]{{1,{MAX_ID}}}")


@dataclass(frozen=True, slots=True)
class Knock:
    """A credential, and what its bearer wants to be called. `id` None: any will do.

    `observed` names the room that somebody wants to observe, with a key that does not stand in the query alone.
    """

    credential: Credential
    name: str
    id: str | None
    observed: str | None = None


def read_query(query: Mapping[str, Sequence[str]]) -> Knock:
    """What the query says; raises the Refusal it deserves."""
    given = {name: _single(query, name) for name in (*_KINDS, "name", "id")}
    observed = given["room_id"] or None
    return Knock(_credential(given), _name(given["name"]), _id(given["id"]), observed)


def _credential(given: Mapping[str, str]) -> Credential:
    kinds = [kind for kind in _KINDS if given[kind]]
    if any(len(given[kind]) > MAX_CREDENTIAL for kind in kinds):
        raise forbidden()
    match kinds:
        case []:
            raise Refusal(401, "no_credential", "a credential is needed")
        case ["access_key"]:
            return Credential("access_key", given["access_key"])
        case ["token"]:
            return Credential("token", given["token"])
        case ["room"] | ["token", "room"]:
            return Credential("alias", given["token"], alias=given["room"])
        case ["room_id"]:
            return Credential("bearer", "")
        case _:
            raise malformed("exactly one credential is needed")


def forbidden() -> Refusal:
    return Refusal(403, "forbidden", "the credential is unknown or has expired")


def _single(query: Mapping[str, Sequence[str]], name: str) -> str:
    values = query.get(name, ())
    if len(values) > 1:
        raise malformed(f"{name} is given more than once")
    return values[0] if values else ""


def _name(name: str) -> str:
    if len(name) > MAX_NAME or not encodes(name):
        raise malformed(f"name is longer than {MAX_NAME} characters or no text")
    return name


def _id(given: str) -> str | None:
    if not given:
        return None
    if not _WELCOME.fullmatch(given):
        raise malformed(f"id is not of 1 to {MAX_ID} letters, digits or ._:@+-")
    return given
