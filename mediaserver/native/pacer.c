/* Pictures to a thin line leave no faster than it can take them: what is too much for now waits, as a number only, and
 * is written when its turn comes. Sound does not wait. draft-ietf-rmcat-gcc-02 section 4.
 *
 * A connection that is not paced has none of this. Repetitions go before new pictures, within a part of the rate: a line
 * that loses much because too much is sent must not be given all of it once more. What waits is bounded in count and in
 * time: when either is full, the oldest picture leaves at once, while a repetition is dropped. So is what waits of a
 * layer that was left: the key frame behind it makes it worthless. */
#include <stdlib.h>

#include "core.h"

#define WAITING 512         /* packets */
#define REPEATS 256         /* of those that were lost */
#define MAX_WAIT_US 500000  /* then the rate was wrong; or a repetition comes too late */
#define AHEAD_US 10000      /* of the rate may leave at once */
#define AHEAD_BYTES 3000    /* but never less than this */
#define REPEATS_PERCENT 40  /* of the rate */
#define REPEATS_AHEAD_US 100000

struct waiting {
    struct sink *sink; /* NULL: it has left out of turn, or is not wanted any more */
    int64_t seq;       /* as the sink numbers it */
    int64_t since;
};

struct pacer {
    uint32_t head, tail, repeats_head, repeats_tail;
    struct waiting ring[WAITING], repeats[REPEATS];
    int64_t rate_bps;
    int64_t budget, repeats_budget; /* bytes */
    int64_t at;
    uint64_t sent; /* by the connection, then */
};

struct pacer *pacer_new(void) { return calloc(1, sizeof(struct pacer)); }

static int64_t bytes_of(int64_t rate_bps, int64_t us) { return rate_bps * us / 8000000; }

static int64_t bounded(int64_t budget, int64_t most) {
    if (most < AHEAD_BYTES)
        most = AHEAD_BYTES;
    return budget < most ? budget : most;
}

static void fill(struct pacer *pacer, const struct conn *conn, int64_t now) {
    int64_t repeats_bps = pacer->rate_bps * REPEATS_PERCENT / 100;
    pacer->budget += bytes_of(pacer->rate_bps, now - pacer->at) - (int64_t)(conn->bytes_sent - pacer->sent);
    pacer->budget = bounded(pacer->budget, bytes_of(pacer->rate_bps, AHEAD_US));
    pacer->repeats_budget += bytes_of(repeats_bps, now - pacer->at);
    pacer->repeats_budget = bounded(pacer->repeats_budget, bytes_of(repeats_bps, REPEATS_AHEAD_US));
    pacer->at = now;
    pacer->sent = conn->bytes_sent;
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

/* Repetitions leave within their part of the rate, those that have waited too long are dropped. 1: some wait. */
static int repeats_due(struct core *core, struct conn *conn, int64_t now) {
    struct pacer *pacer = conn->pacer;
    while (pacer->repeats_head != pacer->repeats_tail) {
        struct waiting *entry = &pacer->repeats[pacer->repeats_tail % REPEATS];
        int late = now - entry->since > MAX_WAIT_US;
        if (entry->sink && !late) {
            fill(pacer, conn, now);
            if (pacer->rate_bps && (pacer->budget <= 0 || pacer->repeats_budget <= 0))
                return 1;
            sink_repeat_lost(core, entry->sink, entry->seq, now);
            pacer->repeats_budget -= (int64_t)(conn->bytes_sent - pacer->sent);
        } else if (entry->sink) {
            count(core, dropped_retransmission);
        }
        pacer->repeats_tail++;
    }
    return 0;
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

/* A lost packet is to be sent again: it waits, unless too many do. 0: the connection is not paced. */
int pacer_takes_repeat(struct core *core, struct sink *sink, int64_t seq, int64_t now) {
    struct pacer *pacer = sink->conn->pacer;
    if (!pacer || pacer->rate_bps == 0)
        return 0;
    if (pacer->repeats_head - pacer->repeats_tail == REPEATS) {
        count(core, dropped_retransmission);
        return 1;
    }
    pacer->repeats[pacer->repeats_head++ % REPEATS] = (struct waiting){.sink = sink, .seq = seq, .since = now};
    repeats_due(core, sink->conn, now);
    if (pacer->repeats_head != pacer->repeats_tail)
        conn_hurry(core, sink->conn, now + TICK_US);
    return 1;
}

/* Lets go what the line can take by now. 1: more is waiting. */
int pacer_due(struct core *core, struct conn *conn, int64_t now) {
    struct pacer *pacer = conn->pacer;
    int repeats = repeats_due(core, conn, now);
    while (pacer->head != pacer->tail) {
        fill(pacer, conn, now);
        if (pacer->rate_bps && pacer->budget <= 0 && now - pacer->ring[pacer->tail % WAITING].since < MAX_WAIT_US)
            return 1;
        release(core, pacer, now);
    }
    return repeats;
}

static void forget_repeats(struct pacer *pacer, const struct sink *sink) {
    for (uint32_t i = pacer->repeats_tail; i != pacer->repeats_head; i++)
        if (pacer->repeats[i % REPEATS].sink == sink)
            pacer->repeats[i % REPEATS].sink = NULL;
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
    if (pacer)
        forget_repeats(pacer, sink);
}

/* What waits of this sink is not needed any more: a key frame of another layer follows. */
void pacer_drop(struct core *core, struct sink *sink) {
    struct pacer *pacer = sink->conn->pacer;
    for (uint32_t i = pacer->tail; i != pacer->head; i++) {
        struct waiting *entry = &pacer->ring[i % WAITING];
        if (entry->sink != sink)
            continue;
        entry->sink = NULL;
        count(core, dropped_superseded);
    }
    forget_repeats(pacer, sink);
}

int pacer_paces(const struct conn *conn) { return conn->pacer && conn->pacer->rate_bps; }

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
