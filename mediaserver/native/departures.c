/* Transport-wide feedback, the sending end: what left a connection under which number, and what its peer says of it.
 *
 * Reads what a stranger sent: every length is checked. Packets are told of in groups that left within a few
 * milliseconds of each other, because that is what an estimate of the line works with, and because a record costs
 * Python more than a packet costs us. draft-holmer-rmcat-transport-wide-cc-extensions-01, draft-ietf-rmcat-gcc-02
 * section 5.2. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define GROUP_US 5000
#define TICK 250             /* us: what arrivals are told in */
#define REFERENCE_US 64000
#define MAX_RECORDS ((int)(MAX_DATAGRAM / sizeof(struct feedback_record)))

enum state { UNSENT, SENT, LOST, RECEIVED };

struct departure {
    uint32_t at; /* us, the low bits */
    uint16_t size;
    uint8_t state;
    uint8_t repeated; /* the same number was sent again: the peer missed the first of them */
};

struct departures {
    struct departure slots[DEPARTURE_SLOTS]; /* by number */
    uint16_t next;
    int64_t reference; /* of the last message, without wraps, in REFERENCE_US */
};

struct departures *departures_new(void) { return calloc(1, sizeof(struct departures)); }

uint16_t departures_next(const struct departures *d) { return d->next; }

/* The packet that bears the next number has left. */
void departures_add(struct departures *d, size_t size, int64_t now) {
    d->slots[d->next++ % DEPARTURE_SLOTS] =
        (struct departure){.at = (uint32_t)now, .size = (uint16_t)size, .state = SENT};
}

static struct departure *departure_find(struct departures *d, uint16_t number) {
    uint16_t age = (uint16_t)(d->next - number);
    if (age == 0 || age > DEPARTURE_SLOTS)
        return NULL;
    struct departure *found = &d->slots[number % DEPARTURE_SLOTS];
    return found->state == UNSENT ? NULL : found;
}

/* The packet that bears this number has left once more. */
void departures_repeat(struct departures *d, uint16_t number) {
    struct departure *packet = departure_find(d, number);
    if (packet)
        packet->repeated = 1;
}

struct symbols { /* sections 3.1.3 and 3.1.4: runs, vectors of one bit and of two */
    const uint8_t *at, *end;
    unsigned chunk, left;
};

/* The next symbol, -1 where the message ends too early. */
static int symbol_next(struct symbols *s) {
    while (s->left == 0) { /* a run may be empty */
        if (s->end - s->at < 2)
            return -1;
        s->chunk = read16(s->at);
        s->at += 2;
        s->left = !(s->chunk & 0x8000) ? s->chunk & 0x1FFF : s->chunk & 0x4000 ? 7 : 14;
    }
    s->left--;
    if (!(s->chunk & 0x8000))
        return (int)(s->chunk >> 13 & 3);
    return (int)(s->chunk & 0x4000 ? s->chunk >> 2 * s->left & 3 : s->chunk >> s->left & 1);
}

/* Where the times begin: behind the chunk with the last symbol; NULL: there are too few chunks. */
static const uint8_t *times_after(struct symbols s, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (symbol_next(&s) < 0)
            return NULL;
    return s.at;
}

struct times {
    const uint8_t *at, *end;
    int64_t now; /* us of the peer's clock */
};

/* Moves to the time of a packet that was received; 0: it is missing, or of no known size. */
static int time_next(struct times *t, int symbol) {
    int size = symbol;
    if (size > 2 || t->end - t->at < size)
        return 0;
    t->now += TICK * (size == 1 ? *t->at : (int16_t)read16(t->at));
    t->at += size;
    return 1;
}

struct report { /* records in the making */
    struct core *core;
    struct conn *conn;
    int64_t began; /* when the first packet of the group left */
    int open;
    struct feedback_record received, lost, late; /* late: those called lost before, counted down */
    struct feedback_record records[MAX_RECORDS];
    int count;
};

static void report_send(struct report *r) {
    if (r->count)
        event_records(r->core, EVENT_FEEDBACK, r->conn->id, r->records, (size_t)r->count * sizeof(r->records[0]));
    r->count = 0;
}

static void group_close(struct report *r) {
    if (r->count + 3 > MAX_RECORDS)
        report_send(r);
    if (r->received.packets)
        r->records[r->count++] = r->received;
    if (r->lost.packets)
        r->records[r->count++] = r->lost;
    if (r->late.packets)
        r->records[r->count++] = r->late;
    r->received = r->lost = r->late = (struct feedback_record){0};
    r->open = 0;
}

static void group_at(struct report *r, int64_t sent) {
    if (r->open && (sent < r->began || sent - r->began > GROUP_US))
        group_close(r);
    if (!r->open)
        r->began = sent;
    r->open = 1;
}

static void group_late(struct report *r, int64_t sent) {
    group_at(r, sent);
    r->late = (struct feedback_record){.sent = sent, .arrived = -1, .packets = r->late.packets - 1};
}

static void group_add(struct report *r, int64_t sent, int64_t arrived, uint16_t size) {
    group_at(r, sent);
    struct feedback_record *record = arrived < 0 ? &r->lost : &r->received;
    record->arrived = record->packets && record->arrived > arrived ? record->arrived : arrived;
    record->sent = sent;
    record->bytes += size;
    record->packets++;
}

/* What was asked for again was lost once, whatever has come of it since, and when. */
static void packet_told(struct report *r, struct departures *d, uint16_t number, int64_t arrived, int64_t now) {
    struct departure *packet = departure_find(d, number);
    if (packet && packet->repeated)
        arrived = -1;
    if (!packet || packet->state == RECEIVED || (arrived < 0 && packet->state == LOST))
        return;
    int64_t sent = now - (uint32_t)((uint32_t)now - packet->at);
    if (packet->state == LOST)
        group_late(r, sent);
    else
        group_add(r, sent, arrived, packet->size);
    packet->state = arrived < 0 ? LOST : RECEIVED;
    if (arrived >= 0)
        r->conn->answer_us = (uint32_t)((uint32_t)now - packet->at);
}

/* The peer's clock without the wraps of its 24 bits; far enough from 0 for whatever a message subtracts. */
static int64_t reference_of(struct departures *d, uint32_t told) {
    d->reference += (int32_t)((told - (uint32_t)d->reference) << 8) >> 8;
    if (d->reference < 1 << 24 || d->reference > (int64_t)1 << 40) /* the first message, or a clock that makes fun */
        d->reference = (1 << 24) + (int64_t)told;
    return d->reference;
}

/* `body`: behind the RTCP header. 0: it is malformed; what stood before that place has been told. */
int departures_told(struct core *core, struct conn *conn, const uint8_t *body, size_t size, int64_t now) {
    struct departures *d = conn->departures;
    if (size < 16 || read16(body + 10) > DEPARTURE_SLOTS)
        return 0;
    if (!d)
        return 1;
    unsigned base = read16(body + 8), count = read16(body + 10);
    struct symbols symbols = {.at = body + 16, .end = body + size};
    struct times times = {.at = times_after(symbols, count), .end = body + size};
    if (!times.at)
        return 0;
    times.now = reference_of(d, read24(body + 12)) * REFERENCE_US;
    struct report report = {.core = core, .conn = conn};
    int fine = 1;
    for (unsigned i = 0; i < count && fine; i++) {
        int symbol = symbol_next(&symbols);
        fine = symbol == 0 || time_next(&times, symbol);
        if (fine)
            packet_told(&report, d, (uint16_t)(base + i), symbol ? times.now : -1, now);
    }
    group_close(&report);
    report_send(&report);
    return fine;
}
