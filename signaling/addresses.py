"""Which of callers' URLs the server will use, and which addresses it will connect to on their behalf.

Pure tables and one reading of a URL: resolving names and connecting is `fetch.py`'s. An address may be used if nothing
of this installation, its network or its cloud can answer there: RFC 6890 and the registries of special-purpose
addresses. IPv6 forms that carry an IPv4 address inside are refused whole, whatever is inside: whether and where
somebody translates them cannot be known here.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from signaling.services.errors import FetchRefused

MAX_URL = 2048  # characters
HTTP = ("http", "https")
PORTS = {"http": 80, "https": 443, "rtmp": 1935, "rtmps": 443}

_SPECIAL = [
    (ipaddress.ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an unspecified"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a shared"),
        ("127.0.0.0/8", "a loopback"),
        ("168.63.129.16/32", "a platform's"),  # Azure's services for its machines, though it looks public
        ("169.254.0.0/16", "a link-local"),
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmarking"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
        ("::/128", "an unspecified"),
        ("::1/128", "a loopback"),
        ("::ffff:0:0/96", "an IPv4-mapped"),
        ("64:ff9b::/96", "a NAT64"),
        ("64:ff9b:1::/48", "a NAT64"),
        ("2001::/32", "a Teredo"),
        ("2001::/23", "a reserved"),
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a 6to4"),
        ("3fff::/20", "a documentation"),
        ("fc00::/7", "a private"),
        ("fe80::/10", "a link-local"),
        ("ff00::/8", "a multicast"),
    )
]
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")  # all that is given out; the rest is reserved
_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `host` is a name, or an address without brackets."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def is_address(self) -> bool:
        return _address(self.host) is not None


def read_target(url: str, schemes: Collection[str] = HTTP, *, credentials: bool = False) -> Target:
    """What `url` names, if everybody who reads it will read the same; FetchRefused otherwise.

    `credentials` allows user and password in it.
    """
    if len(url) > MAX_URL:
        raise FetchRefused(f"it is longer than {MAX_URL} characters")
    if _NOT_IN_A_URL.search(url):
        raise FetchRefused("it has characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchRefused("it is no URL") from None
    if parts.scheme not in schemes:
        raise FetchRefused(f"it does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if "@" in parts.netloc and not credentials:
        raise FetchRefused("it has a user name or a password in it")
    if port == 0:
        raise FetchRefused("it has no usable port")
    return Target(url, parts.scheme, _host(parts), port or PORTS[parts.scheme])


def pinned(target: Target, address: str) -> str:
    """The URL with the address in place of the name, for programs that would resolve it again."""
    parts = urlsplit(target.url)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    host = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=f"{user}{host}:{target.port}").geturl()


def check_address(address: str) -> None:
    """FetchRefused for an address that callers must not reach by us."""
    what = special(address)
    if what is not None:
        raise FetchRefused(f"it leads to {what} address")


def special(address: str) -> str | None:
    """What makes the address one of those, such as `a private`; None if it is an ordinary one."""
    parsed = _address(address)
    if parsed is None:
        return "an unreadable"
    for network, what in _SPECIAL:
        if parsed in network:
            return what
    return "a reserved" if parsed.version == 6 and parsed not in _GLOBAL_IPV6 else None


def _host(parts: SplitResult) -> str:
    """The host in lower case and ASCII. An IPv4 address has four decimal parts: other spellings are refused."""
    host = parts.hostname or ""
    if parts.netloc.rpartition("@")[2].startswith("["):
        if "%" in host or _address(host) is None:
            raise FetchRefused("its host is no address")
        return host
    try:
        name = host.encode("idna").decode("ascii").lower() if not host.isascii() else host
    except UnicodeError:
        raise FetchRefused("its host is no name") from None
    name = name.removesuffix(".")
    if _NAME.fullmatch(name) is None:
        raise FetchRefused("its host is no name")
    if _NUMBER.fullmatch(name.rpartition(".")[2]) and _address(name) is None:
        raise FetchRefused("its host is neither a name nor an address")
    return name


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
