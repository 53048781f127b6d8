"""Finds a port that is free for UDP and TCP on all addresses, and binds the listening TCP sockets.

The forwarding core binds with SO_REUSEPORT, which would let a second server share the port unnoticed; so each address
is tried without it first.
"""

import contextlib
import errno
import socket
from collections.abc import Sequence

PORT_TRIES = 32  # random ports that may be taken on another address before we give up


def bind(ips: Sequence[str], udp_port: int, tcp_port: int) -> tuple[int, list[socket.socket]]:
    """The UDP port to use (a free one for 0) and the TCP sockets, bound and non-blocking.

    `tcp_port` 0 is for none; with a free UDP port, TCP gets the same number. OSError says what is taken.
    """
    if udp_port:
        check_udp(ips, udp_port)
        return udp_port, _listen(ips, tcp_port) if tcp_port else []
    for attempt in range(PORT_TRIES):
        port = _free_udp_port(ips[0])
        try:
            check_udp(ips, port)
            return port, _listen(ips, port) if tcp_port else []
        except OSError as error:
            if error.errno != errno.EADDRINUSE or attempt == PORT_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def check_udp(ips: Sequence[str], port: int) -> None:
    """Raises OSError if somebody has the port on one of the addresses."""
    for ip in ips:
        _bound(ip, port, socket.SOCK_DGRAM).close()


def bindable(ip: str) -> bool:
    """Whether the address can be used now (one of IPv6 may still be tentative)."""
    try:
        _bound(ip, 0, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _listen(ips: Sequence[str], port: int) -> list[socket.socket]:
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(contextlib.closing(_bound(ip, port, socket.SOCK_STREAM))) for ip in ips]
        opened.pop_all()
    return sockets


def _free_udp_port(ip: str) -> int:
    with contextlib.closing(_bound(ip, 0, socket.SOCK_DGRAM)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _bound(ip: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        made.setblocking(False)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((ip, port))
    except OSError as error:
        made.close()
        protocol = "TCP" if kind == socket.SOCK_STREAM else "UDP"
        raise OSError(error.errno, f"cannot listen on {protocol} {ip} port {port}: {error.strerror}") from None
    return made
