# The engine: threads and sockets, the rings to and from them, and moving it by hand.

class EventKind(IntEnum):
    STUN = 1
    DTLS = 2
    LAYER = 3
    STREAM_CLOSED = 4
    FEEDBACK = 5
    LEVELS = 6


FEEDBACK_RECORD = "=qqii"
LEVEL_RECORD = "=IBBBB"

_STUN, _DTLS, _LAYER, _STREAM_CLOSED, _FEEDBACK, _LEVELS = EventKind


cdef int64_t microseconds(double seconds):
    return <int64_t>(seconds * 1e6 + 0.5)


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

    cdef int64_t now(self):
        return self.now_us if self.simulated_ else monotonic_us()

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
        if command_is_urgent(c):
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
        if e.kind == EVENT_FEEDBACK:
            return _FEEDBACK, e.id, PyBytes_FromStringAndSize(<const char *>event_data(e), e.size)
        if e.kind == EVENT_LEVELS:
            return _LEVELS, PyBytes_FromStringAndSize(<const char *>event_data(e), e.size)
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
        if a.kind >= ADDRESS_TCP:
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
        cdef address a = make_address(ADDRESS_TCP, 0, peer[0], peer[1])
        return self.adopt(fd, thread, a)

    def adopt_local(self, int fd, int thread):
        cdef address a
        memset(&a, 0, sizeof(a))
        a.kind = ADDRESS_LOCAL
        return self.adopt(fd, thread, a)

    cdef bytes adopt(self, int fd, int thread, address a):
        cdef command c
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
