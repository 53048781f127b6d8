"""Secrets that others have entrusted to the server, as the database may hold them: encrypted.

The key is the installation's: from the settings, where several servers share a database, else from a file that only
the server's user can read, made by the first who needs it. Nobody who has the database alone can read them.
"""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

KEY_FILE = "secrets.key"
KEY_BYTES = 32
OWNER_ONLY = 0o600


class BrokenSeal(ValueError):
    """Not sealed with this key, or altered."""


class Seal:
    """`secret` "": that of the file. Reading and making the file is left to the first use."""

    def __init__(self, secret: str, file: Path) -> None:
        self._secret = secret.encode()
        self._file = file
        self._fernet: Fernet | None = None

    def close(self, values: Mapping[str, str]) -> str:
        return self._key().encrypt(json.dumps(dict(values)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        try:
            values: dict[str, str] = json.loads(self._key().decrypt(sealed.encode()))
        except InvalidToken:
            raise BrokenSeal("sealed with another key") from None
        return values

    def _key(self) -> Fernet:
        if self._fernet is None:
            digest = hashlib.sha256(self._secret or _kept(self._file)).digest()
            self._fernet = Fernet(base64.urlsafe_b64encode(digest))
        return self._fernet


def _kept(file: Path) -> bytes:
    """What the file has, written whole before anybody can find it."""
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as written:
            written.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(fresh, file)
        except FileExistsError:
            pass  # another was first
        finally:
            fresh.unlink()
    return file.read_bytes()
