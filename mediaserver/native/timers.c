/* What is due without a packet: NACK, PLI, transport-wide feedback, reports, the choice of layers.
 * RFC 3550 section 6.4, RFC 4585, draft-alvestrand-rmcat-remb. */
#include <string.h>

#include "core.h"

#define REPORT_US 1000000
#define FEEDBACK_US 50000   /* transport-wide feedback: often enough for a sender's ramp-up */
#define REMB_US 1000000
#define PLI_US 1000000      /* at most one a second and layer upstream, however many ask */
#define IDLE_US 100000
#define GRID_US 25000       /* what is not urgent is done for everybody at the same times: a thread sleeps in between */
#define STEP_US 5000
#define MAX_RTCP 1400

struct timer { /* one pass over one connection */
    struct core *core;
    struct conn *conn;
    int64_t now;
    struct rtcp_writer writer;
    uint8_t bytes[MAX_RTCP];
};

static void timer_flush(struct timer *t) {
    rtcp_send(t->core, t->conn, &t->writer);
    t->writer.size = 0;
}

/* Feedback goes in compound packets that begin with a report (RFC 3550 section 6.1); an empty one will do. */
static uint8_t *feedback_begin(struct timer *t, uint8_t type, uint8_t format, size_t body) {
    if (t->writer.size + 8 + 4 + body > t->writer.cap)
        timer_flush(t);
    if (t->writer.size == 0)
        write32(rtcp_begin(&t->writer, 201, 0, 4), t->conn->local_ssrc);
    uint8_t *at = rtcp_begin(&t->writer, type, format, body);
    if (at)
        write32(at, t->conn->local_ssrc);
    return at;
}

static void sort_sequences(uint16_t *list, size_t n) {
    for (size_t i = 1; i < n; i++) /* few, and nearly sorted */
        for (size_t k = i; k > 0 && (int16_t)(list[k] - list[k - 1]) < 0; k--) {
            uint16_t swap = list[k];
            list[k] = list[k - 1];
            list[k - 1] = swap;
        }
}

static void send_nacks(struct timer *t, struct source *source) {
    uint16_t lost[MAX_HOLES];
    uint8_t entries[4 * MAX_HOLES];
    size_t n = nack_due(source, t->now, lost, MAX_HOLES), size = 0;
    if (!n)
        return;
    sort_sequences(lost, n);
    for (size_t i = 0; i < n;) {
        uint16_t pid = lost[i++], blp = 0;
        while (i < n && (uint16_t)(lost[i] - pid) <= 16)
            blp |= (uint16_t)(1u << ((uint16_t)(lost[i++] - pid) - 1));
        write16(entries + size, pid);
        write16(entries + size + 2, blp);
        size += 4;
    }
    source->nacked += n;
    uint8_t *body = feedback_begin(t, 205, 1, 8 + size);
    if (!body)
        return;
    write32(body + 4, source->ssrc);
    memcpy(body + 8, entries, size);
    count(t->core, nacks_sent);
}

static int64_t send_pli(struct timer *t, struct source *source) {
    if (!source->keyframe_wanted || !source->ssrc || source->track->muted)
        return t->now + IDLE_US;
    if (!source_is_watched(source)) {
        source->keyframe_wanted = 0;
        return t->now + IDLE_US;
    }
    if (source->plis && t->now - source->pli_at < PLI_US)
        return source->pli_at + PLI_US;
    uint8_t *body = feedback_begin(t, 206, 1, 8);
    if (body)
        write32(body + 4, source->ssrc);
    source->pli_at = t->now;
    source->plis++;
    count(t->core, keyframe_requests_sent);
    return t->now + PLI_US;
}

static uint8_t fraction(int64_t lost, int64_t expected) {
    if (lost <= 0 || expected <= 0)
        return 0;
    return lost >= expected ? 255 : (uint8_t)(lost * 256 / expected);
}

/* RFC 3550 section 6.4.1 and appendix A.3. What came by RTX was lost: the sender's estimate lives from that. */
static void report_block_write(struct source *source, uint8_t *out, int64_t now) {
    int64_t expected = source->highest - source->first + 1;
    uint64_t received = source->received - source->recovered;
    int64_t lost = expected - (int64_t)received;
    int64_t expected_now = expected - source->expected_prior;
    int64_t lost_now = expected_now - (int64_t)(received - source->received_prior);
    source->expected_prior = expected;
    source->received_prior = received;
    write32(out, source->ssrc);
    out[4] = fraction(lost_now, expected_now);
    write24(out + 5, (uint32_t)(lost < 0 ? 0 : lost > 0x7FFFFF ? 0x7FFFFF : lost));
    write32(out + 8, (uint32_t)(source->highest - 65536)); /* cycles and number; unwrapping began at 65536 */
    write32(out + 12, (uint32_t)source->jitter);
    write32(out + 16, (uint32_t)(source->report_ntp >> 16));
    write32(out + 20, source->report_ntp ? (uint32_t)((now - source->report_at) * 65536 / 1000000) : 0);
}

static void measure_rate(struct source *source, int64_t now) {
    int64_t span = now - source->rate_since;
    if (span <= 0)
        return;
    source->rate_bps = (uint32_t)(source->rate_bytes * 8 * 1000000 / (uint64_t)span);
    source->frame_rate = source->frames * 1e6 / (double)span;
    for (int i = 0; i < MAX_SPATIAL; i++) {
        source->layer_bps[i] = (uint32_t)(source->layer_bytes[i] * 8 * 1000000 / (uint64_t)span);
        source->layer_bytes[i] = 0;
    }
    source->frames = 0;
    source->rate_bytes = 0;
    source->rate_since = now;
}

static void send_receiver_report(struct timer *t) {
    struct source *sources[31];
    uint8_t n = 0;
    for (int i = 0; i < MAX_SECTIONS; i++) {
        struct section *section = t->conn->receiver->sections[i];
        for (int k = 0; section && k < MAX_LAYERS && n < 31; k++)
            if (section->track->layers[k].received && section->track->layers[k].ssrc)
                sources[n++] = &section->track->layers[k];
    }
    if (!n)
        return;
    timer_flush(t);
    uint8_t *body = rtcp_begin(&t->writer, 201, n, 4 + 24 * (size_t)n);
    write32(body, t->conn->local_ssrc);
    for (int i = 0; i < n; i++) {
        report_block_write(sources[i], body + 4 + 24 * i, t->now);
        measure_rate(sources[i], t->now);
    }
}

static void send_remb(struct timer *t) {
    uint32_t ssrcs[31], n = 0, rate = t->conn->receiver->remb_bps, exponent = 0;
    for (int i = 0; i < MAX_SECTIONS; i++) {
        struct section *section = t->conn->receiver->sections[i];
        for (int k = 0; section && section->track->is_video && k < MAX_LAYERS && n < 31; k++)
            if (section->track->layers[k].ssrc)
                ssrcs[n++] = section->track->layers[k].ssrc;
    }
    uint8_t *body = n ? feedback_begin(t, 206, 15, 16 + 4 * (size_t)n) : NULL;
    if (!body)
        return;
    while (rate >> exponent > 0x3FFFF)
        exponent++;
    memcpy(body + 8, "REMB", 4);
    body[12] = (uint8_t)n;
    write24(body + 13, exponent << 18 | rate >> exponent);
    for (uint32_t i = 0; i < n; i++)
        write32(body + 16 + 4 * i, ssrcs[i]);
}

static void send_arrivals(struct timer *t) {
    struct receiver *receiver = t->conn->receiver;
    uint32_t media = 0;
    for (int i = 0; i < MAX_SSRCS && !media; i++)
        if (receiver->ssrcs[i].used)
            media = receiver->ssrcs[i].ssrc;
    for (;;) {
        uint8_t message[MAX_RTCP];
        size_t size = arrivals_feedback(receiver->arrivals, t->conn->local_ssrc, media, message, sizeof(message));
        if (!size)
            return;
        if (t->writer.size + 8 + size > t->writer.cap)
            timer_flush(t);
        if (t->writer.size == 0)
            write32(rtcp_begin(&t->writer, 201, 0, 4), t->conn->local_ssrc);
        if (t->writer.size + size > t->writer.cap)
            return;
        memcpy(t->writer.bytes + t->writer.size, message, size);
        t->writer.size += size;
    }
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t receiver_due(struct timer *t) {
    struct receiver *receiver = t->conn->receiver;
    int64_t due = t->now + IDLE_US;
    for (int i = 0; i < MAX_SECTIONS; i++) {
        struct section *section = receiver->sections[i];
        for (int k = 0; section && k < MAX_LAYERS; k++) {
            struct source *source = &section->track->layers[k];
            if (source->hole_count && receiver->nack & (section->track->is_video ? NACK_PICTURE : NACK_SOUND)) {
                send_nacks(t, source);
                due = earlier(due, t->now + STEP_US);
            }
            due = earlier(due, send_pli(t, source));
        }
    }
    if (receiver->arrivals && t->now >= receiver->feedback_due) {
        send_arrivals(t);
        receiver->feedback_due = (t->now / FEEDBACK_US + 1) * FEEDBACK_US;
    }
    if (t->now >= receiver->report_due) {
        send_receiver_report(t);
        receiver->report_due = t->now + REPORT_US;
    }
    if (receiver->remb_bps && !receiver->arrivals && t->now >= receiver->remb_due) {
        send_remb(t);
        receiver->remb_due = t->now + REMB_US;
    }
    if (receiver->arrivals)
        due = earlier(due, receiver->feedback_due);
    return earlier(due, receiver->report_due);
}

/* The publisher's clock and the stream's, told on in the sink's timestamps and our wall clock. All tracks of one
 * publisher share one offset, so that lips and voice stay together. False: the publisher has not reported yet. */
static int sink_clock(const struct sink *sink, int64_t now, uint64_t *ntp, uint32_t *rtp) {
    const struct source *source = sink->source;
    if (!source || !source->report_at || !sink->map_count || !source->track->conn || !source->track->conn->receiver)
        return 0;
    const struct map *map = &sink->maps[sink->map_count - 1];
    if (map->source != source || map->ts_shift)
        return 0;
    int64_t since = now - source->report_at;
    double seconds = (double)since / 1e6;
    *ntp = source->report_ntp + (uint64_t)source->track->conn->receiver->ntp_offset +
           (uint64_t)(int64_t)(seconds * 4294967296.0);
    uint32_t in = source->report_rtp + (uint32_t)(int64_t)(seconds * source->clock_rate);
    *rtp = map->ts_out + (in - map->ts_in);
    return 1;
}

static void send_sender_report(struct timer *t, struct sink *sink) {
    uint64_t ntp;
    uint32_t rtp;
    if (!sink->started || !sink_clock(sink, t->now, &ntp, &rtp)) {
        sink->report_due = t->now + IDLE_US;
        return;
    }
    size_t name = strlen(sink->cname), chunk = (4 + 2 + name + 1 + 3) & ~(size_t)3;
    if (t->writer.size + 28 + 4 + chunk > t->writer.cap)
        timer_flush(t);
    uint8_t *body = rtcp_begin(&t->writer, 200, 0, 24);
    write32(body, sink->ssrc);
    write32(body + 4, (uint32_t)(ntp >> 32));
    write32(body + 8, (uint32_t)ntp);
    write32(body + 12, rtp);
    write32(body + 16, (uint32_t)sink->packets);
    write32(body + 20, (uint32_t)sink->octets_payload);
    body = rtcp_begin(&t->writer, 202, 1, chunk);
    write32(body, sink->ssrc);
    body[4] = 1; /* CNAME */
    body[5] = (uint8_t)name;
    memcpy(body + 6, sink->cname, name);
    sink->report_ntp_mid = (uint32_t)(ntp >> 16);
    sink->report_sent_at = t->now;
    sink->report_due = t->now + REPORT_US;
    timer_flush(t);
}

static int64_t sinks_due(struct timer *t) {
    int64_t due = t->now + IDLE_US;
    for (int i = 0; i < t->conn->sink_count; i++) {
        struct sink *sink = t->conn->sinks[i];
        if (!sink->track)
            continue;
        sink_choose_layer(t->core, sink, t->now);
        sink_limit(sink);
        if ((sink->need_key || sink_climbs(sink)) && sink->source && !sink->source->keyframe_wanted && !sink->track->muted)
            source_want_keyframe(t->core, sink->source, t->now);
        if (t->now >= sink->report_due)
            send_sender_report(t, sink);
        due = earlier(due, sink->report_due);
    }
    return due;
}

static void conn_timers(struct core *core, struct conn *conn, int64_t now) {
    struct timer t = {.core = core, .conn = conn, .now = now};
    t.writer = (struct rtcp_writer){.bytes = t.bytes, .cap = MAX_RTCP};
    conn->due = now + IDLE_US;
    if (!conn->tx || !conn->path.kind)
        return;
    int64_t due = conn->due;
    if (conn->receiver)
        due = earlier(due, receiver_due(&t));
    timer_flush(&t);
    due = earlier(due, sinks_due(&t));
    timer_flush(&t);
    if (conn->pacer && pacer_due(core, conn, now))
        due = now + STEP_US;
    if (conn->probe.rate_bps && probe_due(core, conn, now))
        due = now + STEP_US;
    if (due <= now)
        due = now + STEP_US;
    if (due > now + STEP_US)
        due = (due + GRID_US - 1) / GRID_US * GRID_US;
    /* a key frame that a sink of this pass asked for may have set an earlier time: keep it */
    conn->due = conn->due <= now ? now + STEP_US : earlier(due, conn->due);
}

/* There is something to do then; not more often than every TICK_US. */
static void core_hurry(struct core *core, int64_t at) {
    if (at < core->ticked_at + TICK_US)
        at = core->ticked_at + TICK_US;
    core->tick_due = earlier(core->tick_due, at);
}

/* Something of the connection is due at that time, or it may be looked at earlier. */
void conn_hurry(struct core *core, struct conn *conn, int64_t at) {
    conn->due = earlier(conn->due, at);
    core_hurry(core, conn->due);
}

/* Lets everything that is due act. The caller flushes the output. */
void core_tick(struct core *core, int64_t now) {
    core->ticked_at = now;
    core->tick_due = now + IDLE_US;
    levels_tell(core, now);
    core_hurry(core, core->levels_due);
    for (struct conn *conn = core->conns; conn; conn = conn->next) {
        if (conn->due <= now)
            conn_timers(core, conn, now);
        core_hurry(core, conn->due);
    }
    streams_sweep(core); /* not earlier: while events are served, one of them may still name a stream that ended */
    retire_flush(core);
}
