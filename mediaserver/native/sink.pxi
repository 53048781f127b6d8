# An outgoing stream.

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

    def accept(self, codecs, extensions, int redundancy=0):
        cdef command c
        if not 0 <= redundancy <= MAX_REDUNDANCY:
            raise ValueError(f"at most {MAX_REDUNDANCY} packets go along with another")
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
        p.redundancy = redundancy
        if p.extension[<int>EXT_TRANSPORT_CC]:
            try:
                self.connection.ensure_departures()
            except BaseException:
                free(p)
                raise
        memset(&c, 0, sizeof(c))
        c.op = OP_SINK_ACCEPT
        c.extra = p
        self.command(&c)

    def attach(self, Track track, int layer=-1, int temporal=-1):
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
        c.value = temporal if 0 <= temporal < 8 else -1
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
            "layer": layer_of(p), "temporal": p.level_temporal if p.level_temporal != 255 else -1,
        }

    def close(self):
        cdef command c
        if self.ptr and not self.connection.engine.closed:
            memset(&c, 0, sizeof(c))
            c.op = OP_SINK_CLOSE
            self.command(&c)
            self.connection.sinks.remove(self)
        self.ptr = NULL


cdef int layer_of(const sink *p):
    """The layer it carries, best 0; -1: none."""
    cdef const source *s = p.source
    if not s:
        return -1
    if s.spatial_layers < 2 or p.level_spatial >= s.spatial_layers:
        return s.layer
    return s.spatial_layers - 1 - p.level_spatial
