/* More than there is to send, for an instant: whether a line carries it is seen in its feedback.
 *
 * What is sent on top goes by RTX (RFC 4588): the last packets of a picture once more, or padding where there is none.
 * Receivers drop both, and a lost packet may come back by it. Timers release a probe step by step. */
#include "core.h"

#define STEP_BYTES 65536 /* in one step, whatever the rate */
#define RECENT 48        /* packets of a stream that are sent once more, in turn */
#define PROBE_US 500000  /* no probe lasts longer */

/* A stream that can be repeated, else one that can carry padding. */
static struct sink *stream_for(const struct conn *conn) {
    struct sink *idle = NULL;
    for (int i = 0; i < conn->sink_count; i++) {
        struct sink *sink = conn->sinks[i];
        if (!sink->is_video || !sink->accepted || !sink->repair_ssrc || !sink->started)
            continue;
        if (sink->source && sink->map_count && !sink->need_key)
            return sink;
        idle = sink;
    }
    return idle;
}

static void probe_step(struct core *core, struct conn *conn, struct sink *sink, int64_t bytes, int64_t now) {
    uint64_t until = conn->bytes_sent + (uint64_t)(bytes < STEP_BYTES ? bytes : STEP_BYTES);
    for (int i = 0; conn->bytes_sent < until && i < 1024; i++) {
        uint64_t before = conn->bytes_sent;
        if (conn->pacer && pacer_release(core, conn, now))
            continue; /* there is something better than repetitions to fill it with */
        int64_t seq = sink->out_seq - conn->probe.turn++ % RECENT;
        if (!sink_repeat(core, sink, seq, now) || conn->bytes_sent == before)
            write_padding(core, sink, now);
        if (conn->bytes_sent == before)
            return; /* there is no way to send on it */
        count(core, packets_probed);
    }
    if (conn->pacer)
        pacer_spare(conn);
}

/* `rate_bps` with all that is sent besides, until `size` bytes have gone. */
void probe_begin(struct conn *conn, int64_t rate_bps, uint32_t size, int64_t now) {
    conn->probe = (struct probe){.rate_bps = rate_bps, .left = size, .began = now, .sent = conn->bytes_sent};
    conn->due = now;
}

/* 1: it goes on. */
int probe_due(struct core *core, struct conn *conn, int64_t now) {
    struct probe *probe = &conn->probe;
    struct sink *sink = stream_for(conn);
    int64_t passed = now - probe->began + TICK_US, sent = (int64_t)(conn->bytes_sent - probe->sent);
    int64_t due = probe->rate_bps * passed / 8000000;
    if (due > probe->left)
        due = probe->left;
    if (sink && due > sent && passed <= PROBE_US)
        probe_step(core, conn, sink, due - sent, now);
    if (!sink || passed > PROBE_US || (int64_t)(conn->bytes_sent - probe->sent) >= probe->left)
        probe->rate_bps = 0;
    return probe->rate_bps != 0;
}
