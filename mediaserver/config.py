"""Every limit and default of the media plane, with its unit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaConfig:
    udp_port: int = 7881
    tcp_port: int = 7881
    """Passive ICE over TCP; 0 is off."""
    listen_ips: tuple[str, ...] = ()
    """Empty: every address of this machine that is not link-local, loopback included."""
    announced_ips: tuple[str, ...] = ()
    """Told to clients instead of `listen_ips` (a NAT or a load balancer in front); empty: the listened ones."""
    threads: int = 0
    """Packet threads; 0 is one per core."""
    socket_buffer_bytes: int = 4 << 20
    run_wait: float = 0.0
    """Seconds (at most 0.001) that packets to one subscriber may wait for more to be sent along."""
    certificate_file: str | None = None
    private_key_file: str | None = None
    """PEM; a certificate is made at start where none is given."""
    handshake_timeout: float = 15.0
    consent_timeout: float = 30.0
    """Seconds without an authenticated check before a connection counts as lost (RFC 7675)."""
    max_participants: int = 1000
    """Per conference; the signaling side has its own, lower limits."""
    max_tcp_streams: int = 2000
    tcp_first_frame_timeout: float = 5.0
    publish_bitrate_cap_bps: int = 4_000_000
    """What REMB tells a publisher that does not understand transport-wide feedback."""
    worker_memory_bytes: int = 2 << 30
    """Address space of a media worker, in which what strangers send is decoded; 0 is without a limit."""
    worker_idle: float = 10.0
    """Seconds that a media worker without work is kept."""
    broadcast_pauses: tuple[float, ...] = (1.0, 4.0, 10.0)
    """Seconds before each further try of a platform that refuses a broadcast or breaks; then it is given up."""
    worker_socket_bytes: int = 4 << 20
    """Packets that may wait for a media worker; the kernel may allow less (net.core.wmem_max)."""
