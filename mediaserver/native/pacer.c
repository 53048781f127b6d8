/* Pictures to a thin line leave no faster than it can take them: what is too much for now waits, as a number only, and
 * is written when its turn comes. Sound and repetitions do not wait. draft-ietf-rmcat-gcc-02 section 4.
 *
 * A connection that is not paced has none of this. What waits is bounded in count and in time: when either is full, the
 * oldest leaves at once. Nothing is ever dropped here. */
#include <stdlib.h>

#include "core.h"

#define WAITING 512         /* packets */
#define MAX_WAIT_US 500000  /* then the rate was wrong */
#define AHEAD_US 10000      /* of the rate may leave at once */
#define AHEAD_BYTES 3000    /* but never less than this */

struct waiting {
    struct sink *sink; /* NULL: it has left out of turn */
    int64_t seq;       /* as the sink numbers it */
    int64_t since;
};

struct pacer {
    uint32_t head, tail;
    struct waiting ring[WAITING];
    int64_t rate_bps;
    int64_t budget; /* bytes */
    int64_t at;
    uint64_t sent; /* by the connection, then */
};

struct pacer *pacer_new(void) { return calloc(1, sizeof(struct pacer)); }

static void fill(struct pacer *pacer, const struct conn *conn, int64_t now) {
    int64_t most = pacer->rate_bps * AHEAD_US / 8000000;
    pacer->budget += pacer->rate_bps * (now - pacer->at) / 8000000 - (int64_t)(conn->bytes_sent - pacer->sent);
    pacer->at = now;
    pacer->sent = conn->bytes_sent;
    if (most < AHEAD_BYTES)
        most = AHEAD_BYTES;
    if (pacer->budget > most)
        pacer->budget = most;
}

static void release(struct core *core, struct pacer *pacer, int64_t now) {
    struct waiting *entry = &pacer->ring[pacer->tail++ % WAITING];
    if (entry->sink)
        sink_write_again(core, entry->sink, entry->seq, now);
}

/* The oldest that waits leaves, whatever the rate; 0: none does. */
int pacer_release(struct core *core, struct conn *conn, int64_t now) {
    struct pacer *pacer = conn->pacer;
    if (pacer->head == pacer->tail)
        return 0;
    release(core, pacer, now);
    return 1;
}

/* What was sent since its last look goes on top of the rate. */
void pacer_spare(struct conn *conn) { conn->pacer->sent = conn->bytes_sent; }

/* Whether the packet waits; if not, it leaves now. */
int pacer_takes(struct core *core, struct sink *sink, int64_t seq, int64_t now) {
    struct conn *conn = sink->conn;
    struct pacer *pacer = conn->pacer;
    if (pacer->rate_bps == 0 || !sink->is_video)
        return 0;
    if (pacer->head == pacer->tail) {
        fill(pacer, conn, now);
        if (pacer->budget > 0)
            return 0;
    }
    if (pacer->head - pacer->tail == WAITING)
        release(core, pacer, now);
    pacer->ring[pacer->head++ % WAITING] = (struct waiting){.sink = sink, .seq = seq, .since = now};
    conn_hurry(core, conn, now + TICK_US);
    count(core, packets_paced);
    return 1;
}

/* Lets go what the line can take by now. 1: more is waiting. */
int pacer_due(struct core *core, struct conn *conn, int64_t now) {
    struct pacer *pacer = conn->pacer;
    while (pacer->head != pacer->tail) {
        fill(pacer, conn, now);
        if (pacer->rate_bps && pacer->budget <= 0 && now - pacer->ring[pacer->tail % WAITING].since < MAX_WAIT_US)
            return 1;
        release(core, pacer, now);
    }
    return 0;
}

/* What waits of this sink leaves now: its numbers are about to lose their meaning. */
void pacer_flush(struct core *core, struct sink *sink, int64_t now) {
    struct pacer *pacer = sink->conn ? sink->conn->pacer : NULL;
    for (uint32_t i = pacer ? pacer->tail : 0; pacer && i != pacer->head; i++) {
        struct waiting *entry = &pacer->ring[i % WAITING];
        if (entry->sink != sink)
            continue;
        sink_write_again(core, sink, entry->seq, now);
        entry->sink = NULL;
    }
}

/* 0: everything leaves at once, as without a pacer. */
void pacer_rate(struct core *core, struct conn *conn, int64_t rate_bps, int64_t now) {
    struct pacer *pacer = conn->pacer;
    if (pacer->rate_bps)
        fill(pacer, conn, now); /* at the rate that held until now */
    pacer->rate_bps = rate_bps;
    pacer->at = now;
    pacer->sent = conn->bytes_sent;
    if (!rate_bps)
        pacer_due(core, conn, now);
}
