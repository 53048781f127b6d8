# cython: language_level=3, boundscheck=False, wraparound=False
"""The thin face of the forwarding core: commands in, events out, nothing decided. Documented in `_native.pyi`."""

import ipaddress
from enum import IntEnum

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport INT64_MAX, int16_t, int64_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset, strlen

import os
import secrets
import socket as _socket


cdef extern from "sched.h" nogil:
    int sched_yield()


cdef extern from "unistd.h" nogil:
    int c_close "close"(int fd)
    ssize_t c_read "read"(int fd, void *buffer, size_t size)
    ssize_t c_write "write"(int fd, const void *buffer, size_t size)


cdef extern from "sys/eventfd.h" nogil:
    int eventfd(unsigned int start, int flags)
    int EFD_NONBLOCK
    int EFD_CLOEXEC


cdef extern from "sys/socket.h" nogil:
    ctypedef unsigned int socklen_t
    struct sockaddr:
        pass
    struct sockaddr_storage:
        pass
    ssize_t sendto(int fd, const void *data, size_t size, int flags, const sockaddr *to, socklen_t length)
    int MSG_DONTWAIT


cdef extern from "netinet/in.h" nogil:
    struct sockaddr_in6:
        pass


cdef extern from "core.h" nogil:
    enum: MAX_CORES, MAX_SOCKETS, MAX_DATAGRAM, MAX_LAYERS, MAX_SECTIONS, MAX_SINKS, CODEC_COUNT, EXT_COUNT, COUNTER_COUNT
    enum: ADDRESS_UDP4, ADDRESS_UDP6, ADDRESS_TCP
    enum: EVENT_STUN, EVENT_DTLS, EVENT_LAYER, EVENT_STREAM_CLOSED, EVENT_RETIRED
    enum: C_packets_forwarded, C_dropped_send_failed

    struct address:
        uint8_t kind
        uint8_t socket
        uint8_t port[2]
        uint8_t ip[16]
        uint32_t stream

    struct srtp_key:
        pass

    struct arrivals:
        pass

    struct source:
        uint32_t ssrc
        int8_t codec
        uint64_t received, bytes, recovered, duplicates, keyframes, plis, nacked, lost_given_up
        int64_t first, highest, last_at
        double jitter
        uint32_t clock_rate, rate_bps
        uint16_t width, height

    struct track:
        uint32_t id
        uint8_t is_video
        source layers[3]

    struct section:
        track *track
        char mid[17]
        char rids[3][17]
        uint8_t rid_count
        int8_t codec_of[128]
        int8_t repairs[128]
        uint32_t clock_of[128]
        uint32_t ssrcs[3]
        uint32_t repair_ssrcs[3]
        uint8_t ssrc_count, repair_count

    struct sink_profile:
        int16_t payload_type[7]
        int16_t repair_type[7]
        uint8_t extension[8]

    struct sink:
        uint32_t id
        uint8_t is_video
        uint32_t ssrc, repair_ssrc
        char cname[33]
        source *source
        sink_profile profile
        int64_t out_seq, repair_seq
        uint32_t out_ts, clock_rate, remote_jitter
        uint64_t packets, bytes, retransmitted, keyframe_requests
        uint8_t fraction_lost
        int cumulative_lost
        double round_trip

    struct receiver:
        pass

    struct conn:
        uint32_t id, local_ssrc, remb_bps
        uint64_t packets_received, bytes_received, packets_sent, bytes_sent, unauthentic
        double round_trip

    struct stream:
        address address
        int fd

    enum op:
        OP_CONN_ADD, OP_CONN_CLOSE, OP_CONN_ALLOW, OP_ADDRESS_OWNER, OP_ADDRESS_FORGET, OP_CONN_PATH, OP_CONN_KEYS
        OP_CONN_KINDS, OP_CONN_RECEIVER, OP_CONN_FEEDBACK, OP_SECTION_SET, OP_SECTION_REMOVE, OP_TRACK_CLOSE
        OP_TRACK_MUTE, OP_TRACK_KEYFRAME, OP_SINK_ADD, OP_SINK_ACCEPT, OP_SINK_ATTACH, OP_SINK_DETACH, OP_SINK_CLOSE
        OP_STREAM_ADD, OP_STREAM_CLOSE, OP_STREAM_SEND, OP_STREAM_FEED

    struct command:
        op op
        int number
        void *object
        void *extra
        void *more
        address address
        int64_t value

    struct event:
        uint8_t kind, retired, layer
        int8_t codec
        uint16_t size
        uint32_t id
        address address
        void *object
        uint8_t data[1]

    struct simulated:
        uint8_t *bytes
        size_t size

    struct core:
        int index, event_fd, socket_count
        int sockets[16]
        uint8_t segment_offload
        int64_t run_wait, wall_offset, tick_due
        conn *conns
        uint64_t counters[1]
        simulated simulated

    enum srtp_profile:
        SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM

    srtp_key *srtp_key_new(srtp_profile profile, const uint8_t *master, size_t len, int encrypt)
    void srtp_key_free(srtp_key *key)

    socklen_t address_to_sockaddr(const address *a, sockaddr_in6 *out)
    void address_from_sockaddr(address *out, uint8_t socket, const sockaddr_storage *from_)

    void command_apply(core *c, const command *cmd, int64_t now)
    void core_datagram(core *c, const address *a, uint8_t *data, size_t size, int64_t now)
    void core_tick(core *c, int64_t now)
    int core_init(core *c, int index, int count, core *all, int simulated)
    void core_free(core *c)
    int core_push(core *c, const command *cmd)
    const event *core_event(const core *c)
    void core_event_done(core *c)
    void core_wake(core *c)
    int core_bind(core *c, const sockaddr_storage *a, int buffer_bytes)
    int core_start(core *c)
    void core_stop(core *c)
    void core_settle(core *c, int64_t now)
    void core_commands(core *c, int64_t now)
    double core_cpu_seconds(core *c)
    track *track_new(uint32_t id, int is_video)
    void track_free(track *t)
    conn *conn_new(uint32_t id)
    receiver *receiver_new()
    arrivals *arrivals_new()
    const char *counter_name(int c)
    void retired_free(void *object, int kind)
    int64_t monotonic_us()


cdef extern from *:
    """
    static void sockaddr_make(struct sockaddr_storage *out, int family, const unsigned char *ip, int port) {
        memset(out, 0, sizeof(*out));
        if (family == 4) {
            struct sockaddr_in *in = (struct sockaddr_in *)out;
            in->sin_family = AF_INET;
            in->sin_port = htons((uint16_t)port);
            memcpy(&in->sin_addr, ip, 4);
        } else {
            struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
            in6->sin6_family = AF_INET6;
            in6->sin6_port = htons((uint16_t)port);
            memcpy(&in6->sin6_addr, ip, 16);
        }
    }
    static int port_of(int fd) {
        struct sockaddr_storage s;
        socklen_t size = sizeof(s);
        if (getsockname(fd, (struct sockaddr *)&s, &size) < 0)
            return -1;
        return ntohs(s.ss_family == AF_INET ? ((struct sockaddr_in *)&s)->sin_port : ((struct sockaddr_in6 *)&s)->sin6_port);
    }
    static unsigned long long counter_read(const struct core *c, int i) {
        return atomic_load_explicit(&c->counters[i], memory_order_relaxed);
    }
    static struct core *core_at(struct core *cores, int i) { return &cores[i]; }
    static const uint8_t *event_data(const struct event *e) { return e->data; }
    static struct stream *stream_make(const struct address *a, int fd) {
        struct stream *s = calloc(1, sizeof(*s));
        if (s) { s->address = *a; s->fd = fd; }
        return s;
    }
    static struct sink *sink_make(void) {
        struct sink *s = calloc(1, sizeof(*s));
        if (s) { s->round_trip = -1; s->clock_rate = 90000; }
        return s;
    }
    """
    void sockaddr_make(sockaddr_storage *out, int family, const unsigned char *ip, int port) nogil
    int port_of(int fd) nogil
    unsigned long long counter_read(const core *c, int i) nogil
    core *core_at(core *cores, int i) nogil
    const uint8_t *event_data(const event *e) nogil
    stream *stream_make(const address *a, int fd) nogil
    sink *sink_make() nogil


ADDRESS_SIZE = sizeof(address)
MAX_ADDRESSES = 8  # of one connection

PROFILES = {
    "SRTP_AEAD_AES_128_GCM": SRTP_AEAD_AES_128_GCM,
    "SRTP_AEAD_AES_256_GCM": SRTP_AEAD_AES_256_GCM,
    "SRTP_AES128_CM_SHA1_80": SRTP_AES128_CM_SHA1_80,
}


class EventKind(IntEnum):
    STUN = 1
    DTLS = 2
    LAYER = 3
    STREAM_CLOSED = 4


_STUN, _DTLS, _LAYER, _STREAM_CLOSED = EventKind


cdef int64_t microseconds(double seconds):
    return <int64_t>(seconds * 1e6 + 0.5)


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
    port = a.port[0] << 8 | a.port[1]
    ip = PyBytes_FromStringAndSize(<const char *>a.ip, 16)
    # A TCP peer's family is told by where its zeros are: an IPv4 address fills the first four bytes only.
    is4 = a.kind == ADDRESS_UDP4 or (a.kind == ADDRESS_TCP and ip[4:] == bytes(12) and ip[:4] != bytes(4))
    host = _socket.inet_ntop(_socket.AF_INET, ip[:4]) if is4 else _socket.inet_ntop(_socket.AF_INET6, ip)
    return host, port, "tcp" if a.kind == ADDRESS_TCP else "udp"


@cython.no_gc_clear  # what is made from it still asks it when all of them go at once
cdef class Engine:
    cdef core *cores
    cdef readonly int threads
    cdef readonly list sockets
    cdef bint simulated_, started, closed
    cdef int event_fd
    cdef int64_t now_us
    cdef uint32_t next_id, next_stream
    cdef dict address_owner
    cdef list sent_control

    def __cinit__(self, *, listen=(), int threads=1, bint simulated=False, double wall_offset=0.0,
                  int socket_buffer_bytes=4 << 20, bint segment_offload=True, double run_wait=0.0):
        if not 1 <= threads <= MAX_CORES or not 0 <= run_wait <= 0.001 or len(listen) > MAX_SOCKETS:
            raise ValueError("1 to 64 threads, 0 to 1 ms of waiting, at most 16 addresses")
        self.sockets = []
        self.address_owner = {}
        self.threads = 1 if simulated else threads
        self.simulated_ = simulated
        self.event_fd = -1
        self.cores = <core *>calloc(self.threads, sizeof(core))
        if not self.cores:
            raise MemoryError
        for i in range(self.threads):
            if core_init(core_at(self.cores, i), i, self.threads, self.cores, simulated) < 0:
                raise OSError("no memory or file descriptors for a packet thread")
            core_at(self.cores, i).segment_offload = segment_offload
            core_at(self.cores, i).run_wait = microseconds(run_wait)
            core_at(self.cores, i).wall_offset = microseconds(wall_offset)
        if simulated:
            return
        self.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)
        if self.event_fd < 0:
            raise OSError("no file descriptor left")
        for i in range(self.threads):
            core_at(self.cores, i).event_fd = self.event_fd
        for ip, port in listen:
            self.bind(ip, port, socket_buffer_bytes)

    cdef bind(self, str ip, int port, int buffer_bytes):
        cdef sockaddr_storage where
        parsed = ipaddress.ip_address(ip)
        cdef bytes packed = parsed.packed
        for i in range(self.threads):
            sockaddr_make(&where, parsed.version, <const unsigned char *>PyBytes_AS_STRING(packed), port)
            number = core_bind(core_at(self.cores, i), &where, buffer_bytes)
            if number < 0:
                raise OSError(-number, f"cannot listen on UDP {ip} port {port}: {os.strerror(-number)}")
            port = port_of(core_at(self.cores, i).sockets[number])
        self.sockets.append((ip, port))

    def start(self):
        if self.simulated_ or self.started:
            return
        self.started = True
        for i in range(self.threads):
            error = core_start(core_at(self.cores, i))
            if error:
                raise OSError(error, "cannot start a packet thread")

    def close(self):
        if self.closed:
            return
        cdef int i
        for i in range(self.threads):
            with nogil:
                core_stop(core_at(self.cores, i))
        for i in range(self.threads):
            core_commands(core_at(self.cores, i), monotonic_us())
        self.closed = True
        for i in range(self.threads):
            core_free(core_at(self.cores, i))
        if self.event_fd >= 0:
            c_close(self.event_fd)
            self.event_fd = -1

    def __dealloc__(self):
        if self.cores and not self.closed:
            for i in range(self.threads):
                core_stop(core_at(self.cores, i))
            for i in range(self.threads):
                core_free(core_at(self.cores, i))
            if self.event_fd >= 0:
                c_close(self.event_fd)
        free(self.cores)

    cdef int push(self, int thread, command *c) except -1:
        if self.closed:
            raise RuntimeError("the engine is closed")
        cdef core *to = core_at(self.cores, thread)
        if self.simulated_ or not self.started:
            # Without a thread nobody else touches the core.
            command_apply(to, c, self.now_us if self.simulated_ else monotonic_us())
            core_settle(to, self.now_us)
            return 0
        while not core_push(to, c):
            with nogil:
                core_wake(to)
                sched_yield()
        core_wake(to)
        return 0

    def fileno(self):
        return self.event_fd

    cdef object convert(self, const event *e):
        if e.kind == EVENT_STUN or e.kind == EVENT_DTLS:
            data = PyBytes_FromStringAndSize(<const char *>event_data(e), e.size)
            return _STUN if e.kind == EVENT_STUN else _DTLS, address_bytes(&e.address), data, e.id
        if e.kind == EVENT_LAYER:
            return _LAYER, e.id, e.layer, e.codec
        return _STREAM_CLOSED, address_bytes(&e.address)

    def poll(self, int limit=256):
        cdef list events = []
        cdef const event *e
        cdef uint64_t one = 1
        if self.closed:
            return events
        if self.event_fd >= 0:
            c_read(self.event_fd, &one, sizeof(one))
        for i in range(self.threads):
            while len(events) < limit:
                e = core_event(core_at(self.cores, i))
                if not e:
                    break
                if e.kind == EVENT_RETIRED:
                    retired_free(e.object, e.retired)
                else:
                    events.append(self.convert(e))
                core_event_done(core_at(self.cores, i))
        if len(events) == limit and self.event_fd >= 0:
            one = 1
            c_write(self.event_fd, &one, sizeof(one))  # there may be more: stay readable
        return events

    def send(self, bytes to, bytes data):
        cdef address a
        cdef sockaddr_in6 peer
        cdef socklen_t length
        cdef size_t size = len(data)
        read_address(to, &a)
        if self.closed:
            return False
        if self.simulated_:
            self.simulated_send(&a, data)
            return True
        if a.kind == ADDRESS_TCP:
            self.stream_command(OP_STREAM_SEND, &a, data)
            return True
        if a.socket >= self.cores[0].socket_count:
            raise ValueError("the address names a socket that does not exist")
        length = address_to_sockaddr(&a, &peer)
        cdef int fd = self.cores[0].sockets[a.socket]
        return sendto(fd, PyBytes_AS_STRING(data), size, MSG_DONTWAIT, <const sockaddr *>&peer, length) >= 0


    cdef simulated_send(self, const address *a, bytes data):
        if self.sent_control is None:
            self.sent_control = []
        self.sent_control.append((address_bytes(a), data))

    cdef stream_command(self, op what, const address *a, bytes data):
        cdef command c
        memset(&c, 0, sizeof(c))
        c.op = what
        c.address = a[0]
        c.value = len(data)
        c.object = malloc(len(data) + 1)
        if not c.object:
            raise MemoryError
        memcpy(c.object, PyBytes_AS_STRING(data), len(data))
        # Which thread has it is part of the stream's number.
        self.push(a.stream % self.threads, &c)

    def adopt_stream(self, int fd, int thread, peer):
        cdef command c
        cdef address a = make_address(ADDRESS_TCP, 0, peer[0], peer[1])
        check_thread(self, thread)
        if self.closed:
            raise RuntimeError("the engine is closed")
        self.next_stream += 1
        a.stream = self.next_stream * self.threads + thread
        memset(&c, 0, sizeof(c))
        c.op = OP_STREAM_ADD
        c.object = stream_make(&a, fd)
        if not c.object:
            raise MemoryError
        self.push(thread, &c)
        return address_bytes(&a)

    def close_stream(self, bytes at):
        cdef address a
        read_address(at, &a)
        if not self.closed:
            self.stream_command(OP_STREAM_CLOSE, &a, b"")

    def feed_stream(self, bytes at, bytes data):
        cdef address a
        read_address(at, &a)
        self.stream_command(OP_STREAM_FEED, &a, data)

    def load(self):
        if self.closed:
            return [0] * self.threads
        return [counter_read(core_at(self.cores, i), C_packets_forwarded) for i in range(self.threads)]

    def cpu_seconds(self):
        if self.closed:
            return [0.0] * self.threads
        return [core_cpu_seconds(core_at(self.cores, i)) for i in range(self.threads)]

    def stats(self):
        cdef int i, k
        out = {}
        for k in range(COUNTER_COUNT):
            total = 0
            if not self.closed:
                for i in range(self.threads):
                    total += counter_read(core_at(self.cores, i), k)
            out[counter_name(k).decode()] = total
        return out

    # -- simulated ----------------------------------------------------------------------------------------------

    cdef int check_simulated(self) except -1:
        if not self.simulated_ or self.closed:
            raise RuntimeError("only an open, simulated engine is moved by hand")
        return 0

    def receive(self, bytes source, bytes data, double now):
        cdef address a
        cdef uint8_t buffer[65536]
        self.check_simulated()
        read_address(source, &a)
        if len(data) > 65536:
            raise ValueError("no datagram is that long")
        memcpy(buffer, PyBytes_AS_STRING(data), len(data))
        self.now_us = microseconds(now)
        core_datagram(self.cores, &a, buffer, len(data), self.now_us)
        core_settle(self.cores, self.now_us)

    def advance(self, double now):
        self.check_simulated()
        self.now_us = microseconds(now)
        if self.now_us >= self.cores[0].tick_due:
            core_tick(self.cores, self.now_us)
            core_settle(self.cores, self.now_us)

    def next_deadline(self):
        self.check_simulated()
        return self.cores[0].tick_due / 1e6 if self.cores[0].conns else None

    def sent(self):
        self.check_simulated()
        cdef core *c = self.cores
        cdef size_t at = 0
        cdef uint32_t size
        out, self.sent_control = self.sent_control or [], None
        while at < c.simulated.size:
            to = address_bytes(<address *>(c.simulated.bytes + at))
            memcpy(&size, c.simulated.bytes + at + sizeof(address), 4)
            at += sizeof(address) + 4
            out.append((to, PyBytes_FromStringAndSize(<const char *>c.simulated.bytes + at, size)))
            at += size
        c.simulated.size = 0
        return out


cdef int check_thread(Engine engine, int thread) except -1:
    if not 0 <= thread < engine.threads:
        raise ValueError(f"no packet thread {thread}")
    return 0


cdef int copy_text(char *to, str text, int cap) except -1:
    data = text.encode("ascii")
    if len(data) >= cap or b"\0" in data:
        raise ValueError(f"too long or no plain text: {text!r}")
    memcpy(to, PyBytes_AS_STRING(data), len(data))
    return 0


@cython.no_gc_clear
cdef class Connection:
    cdef Engine engine
    cdef conn *ptr
    cdef readonly uint32_t id
    cdef readonly int thread
    cdef list addresses, sinks
    cdef set ssrcs  # ever sent from: a number sequence that began anew would use the cipher's nonces twice
    cdef bytes path
    cdef bint receives

    def __init__(self, Engine engine, int thread=0):
        cdef command c
        check_thread(engine, thread)
        if engine.closed:
            raise RuntimeError("the engine is closed")
        self.engine = engine
        self.thread = thread
        self.addresses = []
        self.sinks = []
        self.ssrcs = set()
        engine.next_id += 1
        self.id = engine.next_id
        self.ptr = conn_new(self.id)
        if not self.ptr:
            raise MemoryError
        self.ptr.local_ssrc = secrets.randbits(32)
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_ADD
        self.command(&c)

    cdef int command(self, command *c) except -1:
        if not self.ptr:
            raise RuntimeError("the connection is closed")
        c.object = self.ptr
        return self.engine.push(self.thread, c)

    def allow(self, bytes where):
        cdef command c
        if where in self.addresses:
            if self.engine.address_owner.get(where) == self.id:
                return
            self.addresses.remove(where)  # another connection has had it meanwhile
        memset(&c, 0, sizeof(c))
        read_address(where, &c.address)
        c.op = OP_CONN_ALLOW
        self.command(&c)
        self.tell_others(OP_ADDRESS_OWNER, where)
        self.engine.address_owner[where] = self.id
        self.addresses.append(where)
        if len(self.addresses) > MAX_ADDRESSES:
            self.forget(self.addresses.pop(self.addresses[0] == self.path))  # the oldest that is not in use

    cdef tell_others(self, op what, bytes where):
        cdef command c
        memset(&c, 0, sizeof(c))
        read_address(where, &c.address)
        if c.address.kind == ADDRESS_TCP:
            return  # nobody else ever sees it
        c.op = what
        c.number = self.thread
        for i in range(self.engine.threads):
            if i != self.thread:
                self.engine.push(i, &c)

    cdef forget(self, bytes where):
        cdef command c
        if self.engine.address_owner.get(where) != self.id:
            return  # another connection has taken it over
        del self.engine.address_owner[where]
        memset(&c, 0, sizeof(c))
        read_address(where, &c.address)
        c.op = OP_ADDRESS_FORGET
        self.engine.push(self.thread, &c)
        self.tell_others(OP_ADDRESS_FORGET, where)

    def send_to(self, bytes where):
        cdef command c
        memset(&c, 0, sizeof(c))
        read_address(where, &c.address)
        if c.address.kind != ADDRESS_TCP and not self.engine.simulated_ and c.address.socket >= len(self.engine.sockets):
            raise ValueError("the address names a socket that does not exist")
        self.allow(where)
        c.op = OP_CONN_PATH
        self.command(&c)
        self.path = where

    def keys(self, str profile, bytes receive, bytes send):
        cdef command c
        if profile not in PROFILES:
            raise ValueError(f"unknown SRTP profile {profile}")
        cdef int number = PROFILES[profile]
        cdef srtp_key *rx = srtp_key_new(<srtp_profile>number, <const uint8_t *>PyBytes_AS_STRING(receive), len(receive), 0)
        cdef srtp_key *tx = srtp_key_new(<srtp_profile>number, <const uint8_t *>PyBytes_AS_STRING(send), len(send), 1)
        if not rx or not tx:
            srtp_key_free(rx)
            srtp_key_free(tx)
            raise ValueError(f"keys of {len(receive)} and {len(send)} bytes do not fit {profile}")
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_KEYS
        c.extra = rx
        c.more = tx
        self.command(&c)

    cdef int ensure_receiver(self) except -1:
        cdef command c
        if self.receives:
            return 0
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_RECEIVER
        c.extra = receiver_new()
        if not c.extra:
            raise MemoryError
        self.command(&c)
        self.receives = True
        return 0

    def receive_extensions(self, ids):
        cdef command c
        for wire, kind in ids.items():
            if not 0 < wire < 256 or not 0 < kind < EXT_COUNT:
                raise ValueError(f"extension {kind} with id {wire}")
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_KINDS
        c.extra = calloc(256, 1)
        if not c.extra:
            raise MemoryError
        for wire, kind in ids.items():
            (<uint8_t *>c.extra)[<int>wire] = kind
        self.command(&c)

    def send_feedback(self, *, bint nack=True, bint transport_cc=True, uint32_t remb_bps=0):
        cdef command c
        self.ensure_receiver()
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_FEEDBACK
        c.number = nack
        c.value = remb_bps
        c.extra = arrivals_new() if transport_cc else NULL
        self.command(&c)

    def receive_track(self, Track track, *, str mid, payloads, retransmissions, rids=(), ssrcs=(), repair_ssrcs=()):
        cdef command c
        if track.thread != self.thread or track.engine is not self.engine:
            raise ValueError("a track lives in the thread of the connection that feeds it")
        if len(rids) > MAX_LAYERS or len(ssrcs) > MAX_LAYERS or len(repair_ssrcs) > MAX_LAYERS:
            raise ValueError("a track has at most three layers")
        if not track.ptr:
            raise RuntimeError("the track is closed")
        self.ensure_receiver()
        cdef section *s = <section *>calloc(1, sizeof(section))
        if not s:
            raise MemoryError
        try:
            fill_section(s, mid, payloads, retransmissions, rids, ssrcs, repair_ssrcs)
        except BaseException:
            free(s)
            raise
        s.track = track.ptr
        memset(&c, 0, sizeof(c))
        c.op = OP_SECTION_SET
        c.extra = s
        self.command(&c)

    def stop_receiving(self, str mid):
        cdef command c
        cdef char text[17]
        if not self.receives:
            return
        memset(text, 0, sizeof(text))
        copy_text(text, mid, 17)
        memset(&c, 0, sizeof(c))
        c.op = OP_SECTION_REMOVE
        c.extra = malloc(sizeof(text))
        if not c.extra:
            raise MemoryError
        memcpy(c.extra, text, sizeof(text))
        self.command(&c)

    def stats(self):
        if not self.ptr or self.engine.closed:
            return {}
        cdef conn *p = self.ptr
        return {
            "packets_received": p.packets_received, "bytes_received": p.bytes_received,
            "packets_sent": p.packets_sent, "bytes_sent": p.bytes_sent, "unauthentic": p.unauthentic,
            "round_trip": p.round_trip, "remb_bps": p.remb_bps,
        }

    def close(self):
        cdef command c
        if not self.ptr:
            return
        if not self.engine.closed:
            for where in self.addresses:
                self.forget(where)
            memset(&c, 0, sizeof(c))
            c.op = OP_CONN_CLOSE
            self.command(&c)
        for sink in self.sinks:
            (<Sink>sink).ptr = NULL  # gone with the connection
        self.sinks.clear()
        self.addresses.clear()
        self.ptr = NULL

    def __dealloc__(self):
        cdef command c
        if self.ptr and not self.engine.closed:
            for where in self.addresses:  # the core forgets what a collected list no longer tells
                self.forget(where)
            memset(&c, 0, sizeof(c))
            c.op = OP_CONN_CLOSE
            c.object = self.ptr
            self.engine.push(self.thread, &c)


cdef int fill_section(section *s, str mid, payloads, retransmissions, rids, ssrcs, repair_ssrcs) except -1:
    copy_text(s.mid, mid, 17)
    memset(s.codec_of, 0xFF, 128)
    memset(s.repairs, 0xFF, 128)
    for payload_type, (codec, clock_rate) in payloads.items():
        if not 0 <= payload_type < 128 or not 0 <= codec < CODEC_COUNT:
            raise ValueError(f"codec {codec} with payload type {payload_type}")
        s.codec_of[<int>payload_type] = codec
        s.clock_of[<int>payload_type] = clock_rate
    for repair, payload_type in retransmissions.items():
        if not 0 <= payload_type < 128 or not 0 <= repair < 128:
            raise ValueError(f"payload type {repair} cannot repair {payload_type}")
        s.repairs[<int>repair] = payload_type
    for i, rid in enumerate(rids):
        copy_text(s.rids[i], rid, 17)
    s.rid_count = len(rids)
    for i, ssrc in enumerate(ssrcs):
        s.ssrcs[i] = ssrc
    s.ssrc_count = len(ssrcs)
    for i, ssrc in enumerate(repair_ssrcs):
        s.repair_ssrcs[i] = ssrc
    s.repair_count = len(repair_ssrcs)
    return 0


@cython.no_gc_clear
cdef class Track:
    cdef Engine engine
    cdef track *ptr
    cdef readonly uint32_t id
    cdef readonly int thread

    def __init__(self, Engine engine, str kind, int thread=0):
        check_thread(engine, thread)
        if kind not in ("audio", "video"):
            raise ValueError(f"a track is audio or video, not {kind}")
        self.engine = engine
        self.thread = thread
        engine.next_id += 1
        self.id = engine.next_id
        self.ptr = track_new(self.id, kind == "video")
        if not self.ptr:
            raise MemoryError

    cdef int command(self, op what, int number) except -1:
        cdef command c
        if not self.ptr:
            raise RuntimeError("the track is closed")
        memset(&c, 0, sizeof(c))
        c.op = what
        c.number = number
        c.object = self.ptr
        return self.engine.push(self.thread, &c)

    def mute(self, bint muted):
        self.command(OP_TRACK_MUTE, muted)

    def request_keyframe(self):
        self.command(OP_TRACK_KEYFRAME, 0)

    def layers(self):
        out = []
        if not self.ptr or self.engine.closed:
            return out
        now = self.engine.now_us if self.engine.simulated_ else monotonic_us()
        for i in range(MAX_LAYERS):
            if self.ptr.layers[i].ssrc:
                out.append(layer_stats(&self.ptr.layers[i], i, now))
        return out

    def close(self):
        if self.ptr and not self.engine.closed:
            self.command(OP_TRACK_CLOSE, 0)
        elif self.ptr:
            track_free(self.ptr)
        self.ptr = NULL

    def __dealloc__(self):
        cdef command c
        if not self.ptr:
            return
        if self.engine.closed:
            track_free(self.ptr)
            return
        memset(&c, 0, sizeof(c))
        c.op = OP_TRACK_CLOSE
        c.object = self.ptr
        self.engine.push(self.thread, &c)


cdef dict layer_stats(const source *s, int layer, int64_t now):
    expected = s.highest - s.first + 1 if s.received else 0
    return {
        "layer": layer, "ssrc": s.ssrc, "codec": s.codec, "packets": s.received, "bytes": s.bytes,
        "lost": max(0, expected - <int64_t>s.received), "nacked": s.nacked, "recovered": s.recovered,
        "duplicates": s.duplicates, "jitter": s.jitter / s.clock_rate if s.clock_rate else 0.0,
        "rate_bps": s.rate_bps, "keyframes": s.keyframes, "plis": s.plis, "width": s.width, "height": s.height,
        "age": (now - s.last_at) / 1e6 if s.received else -1,
    }


@cython.no_gc_clear
cdef class Sink:
    cdef Connection connection
    cdef sink *ptr
    cdef readonly uint32_t id

    def __init__(self, Connection connection, str kind, *, uint32_t ssrc, uint32_t repair_ssrc, int sequence,
                 uint32_t timestamp, str cname):
        cdef command c
        if kind not in ("audio", "video"):
            raise ValueError(f"a sink is audio or video, not {kind}")
        if not 0 <= sequence < 1 << 15:
            raise ValueError("the first sequence number lies below 2**15")
        if len(connection.sinks) >= MAX_SINKS or not connection.ptr:
            raise RuntimeError("the connection is closed, or has all the sinks it can have")
        if ssrc in connection.ssrcs or (repair_ssrc and (repair_ssrc == ssrc or repair_ssrc in connection.ssrcs)):
            raise ValueError("this connection has sent from this SSRC before")
        self.connection = connection
        connection.engine.next_id += 1
        self.id = connection.engine.next_id
        self.ptr = sink_make()
        if not self.ptr:
            raise MemoryError
        self.ptr.id = self.id
        self.ptr.is_video = kind == "video"
        self.ptr.ssrc = ssrc
        self.ptr.repair_ssrc = repair_ssrc
        self.ptr.out_seq = sequence - 1
        self.ptr.repair_seq = sequence
        self.ptr.out_ts = timestamp
        try:
            copy_text(self.ptr.cname, cname, 33)
        except BaseException:
            free(self.ptr)
            self.ptr = NULL
            raise
        memset(&c, 0, sizeof(c))
        c.op = OP_SINK_ADD
        c.extra = connection.ptr
        self.command(&c)
        connection.sinks.append(self)
        connection.ssrcs.update((ssrc, repair_ssrc or ssrc))

    cdef int command(self, command *c) except -1:
        if not self.ptr:
            raise RuntimeError("the sink is closed")
        c.object = self.ptr
        return self.connection.engine.push(self.connection.thread, c)

    def accept(self, codecs, extensions):
        cdef command c
        cdef sink_profile *p = <sink_profile *>calloc(1, sizeof(sink_profile))
        if not p:
            raise MemoryError
        memset(p.payload_type, 0xFF, sizeof(p.payload_type))
        memset(p.repair_type, 0xFF, sizeof(p.repair_type))
        for codec, (payload_type, repair_type) in codecs.items():
            if 0 <= codec < CODEC_COUNT and 0 <= payload_type < 128 and -1 <= repair_type < 128:
                p.payload_type[<int>codec] = payload_type
                p.repair_type[<int>codec] = repair_type
        for kind, wire in extensions.items():
            if 0 < kind < EXT_COUNT and 0 < wire < 256:
                p.extension[<int>kind] = wire
        memset(&c, 0, sizeof(c))
        c.op = OP_SINK_ACCEPT
        c.extra = p
        self.command(&c)

    def attach(self, Track track, int layer=-1):
        cdef command c
        if track.thread != self.connection.thread or track.engine is not self.connection.engine:
            raise ValueError("a sink carries tracks of its own thread")
        if not track.ptr:
            raise RuntimeError("the track is closed")
        if self.ptr and track.ptr.is_video != self.ptr.is_video:
            raise ValueError("a sink carries tracks of its own kind")
        memset(&c, 0, sizeof(c))
        c.op = OP_SINK_ATTACH
        c.extra = track.ptr
        c.number = layer if 0 <= layer < MAX_LAYERS else -1
        self.command(&c)

    def detach(self):
        cdef command c
        memset(&c, 0, sizeof(c))
        c.op = OP_SINK_DETACH
        self.command(&c)

    def stats(self):
        if not self.ptr or self.connection.engine.closed:
            return {}
        cdef sink *p = self.ptr
        return {
            "packets": p.packets, "bytes": p.bytes, "retransmitted": p.retransmitted, "lost": p.cumulative_lost,
            "fraction_lost": p.fraction_lost / 256.0, "round_trip": p.round_trip,
            "jitter": p.remote_jitter / p.clock_rate if p.clock_rate else 0.0,
            "keyframes_requested": p.keyframe_requests,
        }

    def close(self):
        cdef command c
        if self.ptr and not self.connection.engine.closed:
            memset(&c, 0, sizeof(c))
            c.op = OP_SINK_CLOSE
            self.command(&c)
            self.connection.sinks.remove(self)
        self.ptr = NULL
