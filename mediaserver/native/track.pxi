# A track as it arrives.

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
        now = self.engine.now()
        for i in range(MAX_LAYERS):
            if self.ptr.layers[i].ssrc:
                out += layer_stats(&self.ptr.layers[i], i, now)
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


cdef list layer_stats(const source *s, int layer, int64_t now):
    """One for the stream; of one that holds several spatial layers one for each, best first."""
    expected = s.highest - s.first + 1 if s.received else 0
    whole = {
        "layer": layer, "ssrc": s.ssrc, "codec": s.codec, "packets": s.received, "bytes": s.bytes,
        "lost": max(0, expected - <int64_t>s.received), "nacked": s.nacked, "recovered": s.recovered,
        "duplicates": s.duplicates, "jitter": s.jitter / s.clock_rate if s.clock_rate else 0.0,
        "rate_bps": s.rate_bps, "keyframes": s.keyframes, "plis": s.plis, "width": s.width, "height": s.height,
        "age": (now - s.last_at) / 1e6 if s.received else -1, "fps": s.frame_rate, "temporal_layers": s.temporal_layers,
    }
    if s.spatial_layers < 2:
        return [whole]
    out = []
    for below in range(min(s.spatial_layers, 4)):
        rate = sum(s.layer_bps[i] for i in range(s.spatial_layers - below))
        out.append(whole | {
            "layer": below, "rate_bps": rate, "width": s.width >> below, "height": s.height >> below,
        })
    return out
