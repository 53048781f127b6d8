"""Links that open one stored file for a while, for whoever holds them: no header, no account.

A link carries when it ends and a signature over that and the file's name, made with a secret that all servers on one
database share. Whether the file is still there is not a link's business. Pure: `now` is an argument, the secret is
handed in once it is known.
"""

import hashlib
import hmac
import re

from signaling.services.errors import Refused

PATH = "/media"
KEPT_AS = "media links"  # the name of the secret in the database
SECRET_BYTES = 32
_EXPIRES = re.compile(r"[0-9]{1,12}")  # unix seconds
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class Links:
    """Links below `base_url`. `open` must come before the first one."""

    def __init__(self, base_url: str) -> None:
        self._prefix = f"{base_url}{PATH}/"
        self._secret = b""

    def open(self, secret: bytes) -> None:
        self._secret = secret

    def url(self, name: str, expires_at: float) -> str:
        """A link to the file of that name (its key, without directories) until `expires_at`, unix seconds."""
        expires = str(int(expires_at))
        return f"{self._prefix}{name}?expires={expires}&signature={self._signature(name, expires)}"

    def check(self, name: str, expires: str, signature: str, now: float) -> None:
        """Refused if the link has been altered, was never made or is over."""
        if not _EXPIRES.fullmatch(expires) or not _SIGNATURE.fullmatch(signature):
            raise Refused(text="The link is not complete.")
        if not hmac.compare_digest(self._signature(name, expires), signature):
            raise Refused(text="The link has been altered.")
        if int(expires) <= now:
            raise Refused(text="The link has expired.")

    def name_in(self, url: str) -> str | None:
        """Which file a link of ours leads to, whether or not it still opens it; None for any other URL."""
        if not url.startswith(self._prefix):
            return None
        name = url.removeprefix(self._prefix).partition("?")[0]
        return name if name and "/" not in name else None

    def _signature(self, name: str, expires: str) -> str:
        assert self._secret, "links are made before their secret is known"
        return hmac.digest(self._secret, f"{name}\n{expires}".encode(), hashlib.sha256).hex()
