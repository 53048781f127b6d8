"""Which addresses the media port listens on, which it tells to clients, and with what priority.

Pure but for asking the system for its interfaces. RFC 8445 section 5.1, RFC 6544 section 4.2 (TCP).
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

from mediaserver.transport.sdp import Candidate

MAX_ADDRESSES = 16  # as many sockets has a packet thread

_HOST_UDP = 126  # type preferences
_HOST_TCP = 90  # below every UDP candidate: it is there for networks that block UDP
_PASSIVE = 4  # direction preference of TCP
_COMPONENT = 1  # RTP and RTCP are multiplexed


def interface_ips() -> list[str]:
    """The addresses of this machine that others may reach, loopback last."""
    found = [
        ip_address(each.ip if isinstance(each.ip, str) else each.ip[0])
        for adapter in ifaddr.get_adapters()
        for each in adapter.ips
    ]
    usable = sorted({each for each in found if not each.is_link_local}, key=_order)
    return [str(each) for each in usable]


def listened(ips: Sequence[str], available: Sequence[str]) -> list[str]:
    """What to bind. An unspecified address (0.0.0.0, ::) stands for all available ones of its family, no address for
    all; at most `MAX_ADDRESSES`. ValueError names what is no address."""
    chosen: list[str] = []
    for ip in ips or available:
        address = _address(ip)
        if address.is_unspecified:
            chosen += [each for each in available if _address(each).version == address.version]
        else:
            chosen.append(str(address))
    return list(dict.fromkeys(chosen))[:MAX_ADDRESSES]


def candidates(ips: Iterable[str], udp_port: int, tcp_port: int) -> tuple[Candidate, ...]:
    """Host candidates for our descriptions, best first. `tcp_port` 0 is for none."""
    ordered = sorted((_address(ip) for ip in ips), key=_order)
    udp = [
        Candidate(f"udp{index}", _COMPONENT, "udp", _priority(_HOST_UDP, 65535 - index), str(ip), udp_port)
        for index, ip in enumerate(ordered)
    ]
    if not tcp_port:
        return tuple(udp)
    tcp = [
        Candidate(
            f"tcp{index}",
            _COMPONENT,
            "tcp",
            _priority(_HOST_TCP, (_PASSIVE << 13) + (8191 - index)),
            str(ip),
            tcp_port,
            tcp_type="passive",
        )
        for index, ip in enumerate(ordered)
    ]
    return (*udp, *tcp)


def _priority(type_preference: int, local_preference: int) -> int:
    return (type_preference << 24) + (local_preference << 8) + 256 - _COMPONENT


def _order(address: IPv4Address | IPv6Address) -> tuple[bool, int, bytes]:
    return address.is_loopback, address.version, address.packed


def _address(ip: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(ip)
    except ValueError:
        raise ValueError(f"{ip!r} is no IP address") from None
