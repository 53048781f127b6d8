# Addresses between their 24 bytes and something to read.

ADDRESS_SIZE = sizeof(address)


cdef int read_address(bytes text, address *out) except -1:
    if len(text) != sizeof(address):
        raise ValueError(f"an address has {sizeof(address)} bytes, not {len(text)}")
    memcpy(out, PyBytes_AS_STRING(text), sizeof(address))
    return 0


cdef bytes address_bytes(const address *a):
    return PyBytes_FromStringAndSize(<const char *>a, sizeof(address))


cdef address make_address(int kind, int socket, str ip, int port) except *:
    cdef address a
    parsed = ipaddress.ip_address(ip)
    packed = parsed.packed
    if not 0 <= port <= 65535 or not 0 <= socket < MAX_SOCKETS:
        raise ValueError(f"no such port or socket: {port}, {socket}")
    memset(&a, 0, sizeof(a))
    a.kind = kind if kind else (ADDRESS_UDP4 if parsed.version == 4 else ADDRESS_UDP6)
    a.socket = socket
    a.port[0] = port >> 8
    a.port[1] = port & 0xFF
    memcpy(a.ip, PyBytes_AS_STRING(packed), len(packed))
    return a


def address_from(int socket, str ip, int port):
    cdef address a = make_address(0, socket, ip, port)
    return address_bytes(&a)


def address_text(bytes text):
    cdef address a
    read_address(text, &a)
    if a.kind == ADDRESS_LOCAL:
        return "", 0, "local"
    port = a.port[0] << 8 | a.port[1]
    ip = PyBytes_FromStringAndSize(<const char *>a.ip, 16)
    # A TCP peer's family is told by where its zeros are: an IPv4 address fills the first four bytes only.
    is4 = a.kind == ADDRESS_UDP4 or (a.kind == ADDRESS_TCP and ip[4:] == bytes(12) and ip[:4] != bytes(4))
    host = _socket.inet_ntop(_socket.AF_INET, ip[:4]) if is4 else _socket.inet_ntop(_socket.AF_INET6, ip)
    return host, port, "tcp" if a.kind == ADDRESS_TCP else "udp"
