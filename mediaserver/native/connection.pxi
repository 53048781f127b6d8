# A connection: its paths, keys and sections.

MAX_ADDRESSES = 8  # of one connection
MAX_PROBE_BPS = 1_000_000_000
MAX_PROBE_BYTES = 4_000_000

PROFILES = {
    "SRTP_AEAD_AES_128_GCM": SRTP_AEAD_AES_128_GCM,
    "SRTP_AEAD_AES_256_GCM": SRTP_AEAD_AES_256_GCM,
    "SRTP_AES128_CM_SHA1_80": SRTP_AES128_CM_SHA1_80,
}


@cython.no_gc_clear
cdef class Connection:
    cdef Engine engine
    cdef conn *ptr
    cdef readonly uint32_t id
    cdef readonly int thread
    cdef list addresses, sinks
    cdef set ssrcs  # ever sent from: a number sequence that began anew would use the cipher's nonces twice
    cdef bytes path
    cdef bint receives, numbers, paced

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
        if c.address.kind >= ADDRESS_TCP:
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
        if c.address.kind < ADDRESS_TCP and not self.engine.simulated_ and c.address.socket >= len(self.engine.sockets):
            raise ValueError("the address names a socket that does not exist")
        self.allow(where)
        c.op = OP_CONN_PATH
        self.command(&c)
        self.path = where

    def keys(self, str profile, bytes receive, bytes send):
        if profile not in PROFILES:
            raise ValueError(f"unknown SRTP profile {profile}")
        cdef int number = PROFILES[profile]
        cdef srtp_key *rx = srtp_key_new(<srtp_profile>number, <const uint8_t *>PyBytes_AS_STRING(receive), len(receive), 0)
        cdef srtp_key *tx = srtp_key_new(<srtp_profile>number, <const uint8_t *>PyBytes_AS_STRING(send), len(send), 1)
        if not rx or not tx:
            srtp_key_free(rx)
            srtp_key_free(tx)
            raise ValueError(f"keys of {len(receive)} and {len(send)} bytes do not fit {profile}")
        self.use_keys(rx, tx)

    def trust(self, bytes where):
        cdef srtp_key *rx
        cdef srtp_key *tx
        if where[0] != ADDRESS_LOCAL:
            raise ValueError("only a process of ours is trusted without keys")
        self.send_to(where)
        rx = srtp_key_new(SRTP_PLAIN, NULL, 0, 0)
        tx = srtp_key_new(SRTP_PLAIN, NULL, 0, 1)
        if not rx or not tx:
            srtp_key_free(rx)
            srtp_key_free(tx)
            raise MemoryError
        self.use_keys(rx, tx)

    cdef int use_keys(self, srtp_key *rx, srtp_key *tx) except -1:
        cdef command c
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_KEYS
        c.extra = rx
        c.more = tx
        return self.command(&c)

    cdef int ensure_departures(self) except -1:
        cdef command c
        if self.numbers:
            return 0
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_DEPARTURES
        c.extra = departures_new()
        if not c.extra:
            raise MemoryError
        self.command(&c)
        self.numbers = True
        return 0

    def pace(self, rate_bps):
        cdef command c
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_PACE
        c.value = max(0, min(int(rate_bps), 1 << 40))
        if not self.paced:
            if not c.value:
                return
            c.extra = pacer_new()
            if not c.extra:
                raise MemoryError
        self.command(&c)
        self.paced = True

    def probe(self, rate_bps, int size_bytes):
        cdef command c
        if not 0 < rate_bps <= MAX_PROBE_BPS or not 0 < size_bytes <= MAX_PROBE_BYTES:
            raise ValueError(f"a probe of {size_bytes} bytes at {rate_bps} bit/s")
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_PROBE
        c.value = int(rate_bps)
        c.number = size_bytes
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

    def send_feedback(self, *, bint nack=True, bint audio_nack=False, bint transport_cc=True, uint32_t remb_bps=0):
        cdef command c
        self.ensure_receiver()
        memset(&c, 0, sizeof(c))
        c.op = OP_CONN_FEEDBACK
        c.number = (NACK_PICTURE if nack else 0) | (NACK_SOUND if audio_nack else 0)
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
        cdef int64_t now = self.engine.now()
        return {
            "packets_received": p.packets_received, "bytes_received": p.bytes_received,
            "packets_sent": p.packets_sent, "bytes_sent": p.bytes_sent, "unauthentic": p.unauthentic,
            "round_trip": p.round_trip, "remb_bps": p.remb_bps, "remb_age": age(p.remb_at, now),
            "reported": p.reported, "reported_lost": p.reported_lost / 256.0, "report_age": age(p.report_at, now),
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


cdef double age(int64_t at, int64_t now):
    return (now - at) / 1e6 if at else -1.0


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
