"""`folkmoot doctor`: is this machine ready, and if not, what to do.

Each check looks at one thing and answers with a `Finding`; nothing stays changed. What fails keeps the server from
working, what is only warned about makes it work worse or for fewer people.
"""

import asyncio
import errno
import ipaddress
import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

import ifaddr

from signaling.objects import Objects, StoreFailed
from signaling.settings import Settings

FEW_BYTES = 100 << 20  # of free space: too little to start
SOME_BYTES = 2 << 30  # of free space: too little for recordings
FEW_FILES = 4096  # open files that the process may have; every socket is one
SHORT_KEY = 16  # characters: shorter ones can be guessed
UDP_SEGMENT, UDP_GRO = 103, 104  # linux/udp.h
PATIENCE = 20.0  # seconds for the object store
PROBE = "folkmoot-doctor-probe"
SYSCTL = Path("/proc/sys/net/core")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Level(Enum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice` says what to do, where there is something."""

    level: Level
    subject: str
    text: str
    advice: str = ""


Check = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings) -> Sequence[Finding]:
    """What all checks find, in the order of the report."""
    return [finding for check in CHECKS for finding in check(settings)]


def failed(findings: Sequence[Finding]) -> bool:
    return any(finding.level is Level.FAIL for finding in findings)


def report(findings: Sequence[Finding], *, colours: bool = False) -> str:
    """A line for each finding, and below it what to do."""
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        mark = f"{finding.level.value:<4}"
        if colours:
            mark = f"\x1b[{ {Level.OK: 32, Level.WARN: 33, Level.FAIL: 31}[finding.level] }m{mark}\x1b[0m"
        lines.append(f"{mark}  {finding.subject:<{width}}  {finding.text}")
        if finding.advice:
            lines.append(f"{'':<{width + 8}}-> {finding.advice}")
    return "\n".join(lines)


def check_core(_: Settings) -> Iterator[Finding]:
    try:
        import mediaserver  # noqa: F401
    except ImportError as error:
        yield Finding(Level.FAIL, "core", f"does not load: {error}", "install again: pip install .")
    else:
        yield Finding(Level.OK, "core", "loads")


def check_ports(settings: Settings) -> Iterator[Finding]:
    media = settings.media
    hosts = media.listen_ips or ("0.0.0.0",)
    yield _port("HTTP port", settings.listen_host, settings.listen_port, socket.SOCK_STREAM, "listen_port")
    for host in hosts:
        yield _port("media UDP port", host, media.udp_port, socket.SOCK_DGRAM, "media.udp_port")
        if media.tcp_port:
            yield _port("media TCP port", host, media.tcp_port, socket.SOCK_STREAM, "media.tcp_port")
    if not media.tcp_port:
        advice = "set media.tcp_port, so that networks which block UDP can take part"
        yield Finding(Level.WARN, "media TCP port", "is off", advice)


def check_addresses(settings: Settings) -> Iterator[Finding]:
    subject = "addresses"
    announced = settings.media.announced_ips
    told = announced or settings.media.listen_ips or _own_addresses()
    names = ", ".join(told) or "none"
    origin = "announced" if announced else "of this machine"
    public = [address for address in told if ipaddress.ip_address(address).is_global]
    if public:
        yield Finding(Level.OK, subject, f"{names} ({origin})")
    else:
        advice = "to be reached from elsewhere, set media.announced_ips to the public address"
        yield Finding(Level.WARN, subject, f"{names} ({origin}): none is public", advice)


def check_certificate(settings: Settings) -> Iterator[Finding]:
    media, subject = settings.media, "certificate"
    if media.certificate_file is None or media.private_key_file is None:
        yield Finding(Level.OK, subject, "made at each start")
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(media.certificate_file, media.private_key_file)
    except (OSError, ssl.SSLError) as error:
        why = getattr(error, "strerror", None) or error
        advice = "give PEM files that belong together in media.certificate_file and media.private_key_file"
        yield Finding(Level.FAIL, subject, f"cannot be used: {why}", advice)
    else:
        yield Finding(Level.OK, subject, str(media.certificate_file))


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    subject, directory = "data directory", settings.data_dir.absolute()
    existing = next(parent for parent in (directory, *directory.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Finding(Level.FAIL, subject, f"{directory} cannot be written", "change its owner, or set data_dir")
        return
    free = shutil.disk_usage(existing).free
    level = Level.FAIL if free < FEW_BYTES else Level.WARN if free < SOME_BYTES else Level.OK
    advice = "" if level is Level.OK else "make room, or set data_dir to a larger disk"
    yield Finding(level, subject, f"{directory}, {free / (1 << 30):.1f} GiB free", advice)


def check_object_store(settings: Settings) -> Iterator[Finding]:
    subject = "object store"
    if settings.objects.url is None:
        yield Finding(Level.OK, subject, "in the data directory")
        return
    try:
        asyncio.run(_try(Objects(settings.objects.url, settings.objects.options)))
    except (StoreFailed, TimeoutError) as error:
        advice = "set objects.url to a bucket that exists, and objects.options to credentials that may write to it"
        yield Finding(Level.FAIL, subject, f"{settings.objects.url}: {error or 'does not answer'}", advice)
    else:
        yield Finding(Level.OK, subject, f"{settings.objects.url} can be written")


def check_buffers(settings: Settings) -> Iterator[Finding]:
    wanted = settings.media.socket_buffer_bytes
    for name in ("rmem_max", "wmem_max"):
        subject = f"net.core.{name}"
        allowed = _sysctl(name)
        if allowed is None:
            yield Finding(Level.WARN, subject, "cannot be read on this system")
        elif allowed < wanted:
            advice = f"sysctl -w {subject}={wanted}, and keep it in /etc/sysctl.d/folkmoot.conf"
            yield Finding(Level.WARN, subject, f"{allowed}: bursts of packets may be lost", advice)
        else:
            yield Finding(Level.OK, subject, str(allowed))


def check_offload(_: Settings) -> Iterator[Finding]:
    for subject, option in (("UDP segmentation", UDP_SEGMENT), ("UDP coalescing", UDP_GRO)):
        if _takes(option):
            yield Finding(Level.OK, subject, "available")
        else:
            advice = "works without, at about three times the cost; Linux 5.0 or newer has both"
            yield Finding(Level.WARN, subject, "not available", advice)


def check_open_files(_: Settings) -> Iterator[Finding]:
    import resource

    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FEW_FILES:
        yield Finding(Level.WARN, "open files", f"at most {soft}", "ulimit -n 65536, or LimitNOFILE=65536 in the unit")
    else:
        yield Finding(Level.OK, "open files", f"at most {soft}")


def check_page(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.base_url)
    if url.scheme == "https" or url.hostname in _LOCAL_HOSTS:
        yield Finding(Level.OK, "page", settings.base_url)
    else:
        advice = "put a proxy with TLS in front and set public_base_url: browsers give cameras to https pages only"
        yield Finding(Level.WARN, "page", settings.base_url, advice)


def check_keys(settings: Settings) -> Iterator[Finding]:
    subject, keys = "realtime keys", settings.realtime_keys
    if not keys:
        yield Finding(Level.WARN, subject, "none: every request is refused", "set realtime_keys, or use serve --dev")
    elif any(len(key) < SHORT_KEY for key in keys):
        advice = "make them with: python3 -c 'import secrets; print(secrets.token_hex(16))'"
        yield Finding(Level.WARN, subject, f"some are shorter than {SHORT_KEY} characters", advice)
    else:
        yield Finding(Level.OK, subject, str(len(keys)))


CHECKS: Sequence[Check] = (
    check_core,
    check_ports,
    check_addresses,
    check_certificate,
    check_data_dir,
    check_object_store,
    check_buffers,
    check_offload,
    check_open_files,
    check_page,
    check_keys,
)


def _port(subject: str, host: str, port: int, kind: socket.SocketKind, setting: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            if kind is socket.SOCK_STREAM:
                probe.listen(1)
        except OSError as error:
            return Finding(
                Level.FAIL, subject, f"{host} {port}: {error.strerror or error}", _port_advice(error, setting)
            )
    return Finding(Level.OK, subject, f"{host} {port} is free")


def _port_advice(error: OSError, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"stop what uses it (a server that runs already?), or set {setting}"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have the address: listen on one it has and announce the other"
    if error.errno == errno.EACCES:
        return f"ports below 1024 need a privilege: set {setting} to another one"
    return f"set {setting} to another one"


async def _try(objects: Objects) -> None:
    """Puts something there and takes it away."""
    async with asyncio.timeout(PATIENCE):
        await objects.put(b"a probe", PROBE)
        await objects.delete(PROBE)


def _own_addresses() -> Sequence[str]:
    found = [str(ip.ip if ip.is_IPv4 else ip.ip[0]) for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return [text for text in found if not _is_local(text)]


def _is_local(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return address.is_loopback or address.is_link_local


def _sysctl(name: str) -> int | None:
    try:
        return int((SYSCTL / name).read_text())
    except (OSError, ValueError):
        return None


def _takes(option: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.IPPROTO_UDP, option, 1200 if option == UDP_SEGMENT else 1)
        except OSError:
            return False
    return True
