/* Transport-wide feedback, the receiving end: when each packet of a connection arrived, told to its sender.
 * draft-holmer-rmcat-transport-wide-cc-extensions-01. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define ARRIVAL_SLOTS 2048
#define MAX_REPORTED 300 /* packets in one feedback message: 20 bytes, a chunk or less each, two bytes of time each */
#define MAX_LEADING 100  /* lost packets told of before the first that came */

struct arrivals {
    int64_t at[ARRIVAL_SLOTS]; /* 0: not received */
    int64_t base;              /* first number the next message tells of */
    int64_t highest;
    uint8_t started, fresh, count;
};

struct arrivals *arrivals_new(void) { return calloc(1, sizeof(struct arrivals)); }

void arrivals_add(struct arrivals *a, uint16_t seq, int64_t now) {
    if (!a->started) {
        a->started = 1;
        a->base = a->highest = (int64_t)seq + 65536;
        a->highest--;
    }
    int64_t full = a->highest + (int16_t)(seq - (uint16_t)a->highest);
    if (full <= a->highest - ARRIVAL_SLOTS / 2)
        return; /* too late to matter */
    if (full > a->highest) {
        if (full - a->highest >= ARRIVAL_SLOTS) {
            memset(a->at, 0, sizeof(a->at));
            a->base = full;
        }
        for (int64_t s = a->highest + 1; s < full && s > full - ARRIVAL_SLOTS; s++)
            a->at[s & (ARRIVAL_SLOTS - 1)] = 0;
        a->highest = full;
        if (a->highest - a->base >= ARRIVAL_SLOTS)
            a->base = a->highest - ARRIVAL_SLOTS + 1;
    } else if (full < a->base) {
        a->base = full; /* it was told as lost: tell again from here */
    }
    a->at[full & (ARRIVAL_SLOTS - 1)] = now > 0 ? now : 1;
    a->fresh = 1;
}

/* One packet's symbol: 0 not received, 1 small delta, 2 large or negative delta (of 250 us). */
static int symbol_of(const struct arrivals *a, int64_t seq, int64_t *last, int32_t *delta) {
    int64_t at = a->at[seq & (ARRIVAL_SLOTS - 1)];
    if (at == 0)
        return 0;
    int64_t ticks = at / 250 - *last;
    if (ticks < -32768 || ticks > 32767)
        return -1;
    *last += ticks;
    *delta = (int32_t)ticks;
    return ticks >= 0 && ticks <= 255 ? 1 : 2;
}

/* The chunks (section 3.1.3, 3.1.4): runs of equal symbols, else seven symbols of two bits. */
static size_t write_chunks(const uint8_t *symbols, int count, uint8_t *out, size_t cap) {
    size_t used = 0;
    for (int i = 0; i < count;) {
        int run = 1;
        while (i + run < count && symbols[i + run] == symbols[i] && run < 8191)
            run++;
        if (used + 2 > cap)
            return 0;
        if (run >= 7 || i + run == count) {
            write16(out + used, (uint16_t)(symbols[i] << 13 | run));
            i += run;
        } else {
            uint16_t chunk = 0xC000;
            for (int k = 0; k < 7; k++)
                chunk |= (uint16_t)((i + k < count ? symbols[i + k] : 0) << (12 - 2 * k));
            write16(out + used, chunk);
            i += 7;
        }
        used += 2;
    }
    return used;
}

/* Writes one whole RTCP packet about what came since the last one; 0: nothing new, or no room. */
size_t arrivals_feedback(struct arrivals *a, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t *out, size_t cap) {
    uint8_t symbols[MAX_REPORTED];
    int32_t deltas[MAX_REPORTED];
    if (!a->fresh || cap < 20 + 2 * MAX_REPORTED + 2 * MAX_REPORTED + 4)
        return 0;
    int64_t came = a->base;
    while (came <= a->highest && a->at[came & (ARRIVAL_SLOTS - 1)] == 0)
        came++;
    a->fresh = 0;
    if (came > a->highest)
        return 0;
    int64_t first = came - a->base > MAX_LEADING ? came - MAX_LEADING : a->base;
    int64_t reference = a->at[came & (ARRIVAL_SLOTS - 1)] / 64000; /* of 64 ms */
    int64_t last = reference * 256;
    int count = 0;
    for (int64_t seq = first; seq <= a->highest && count < MAX_REPORTED; seq++) {
        int symbol = symbol_of(a, seq, &last, &deltas[count]);
        if (symbol < 0)
            break; /* too far apart for one message */
        symbols[count++] = (uint8_t)symbol;
    }
    a->base = first + count;
    if (a->base <= a->highest)
        a->fresh = 1;
    write32(out + 4, sender_ssrc);
    write32(out + 8, media_ssrc);
    write16(out + 12, (uint16_t)first);
    write16(out + 14, (uint16_t)count);
    write24(out + 16, (uint32_t)reference & 0xFFFFFF);
    out[19] = a->count++;
    size_t size = 20 + write_chunks(symbols, count, out + 20, 2 * MAX_REPORTED);
    for (int i = 0; i < count; i++) {
        if (symbols[i] == 1) {
            out[size++] = (uint8_t)deltas[i];
        } else if (symbols[i] == 2) {
            write16(out + size, (uint16_t)deltas[i]);
            size += 2;
        }
    }
    while (size % 4)
        out[size++] = 0;
    out[0] = 0x80 | 15;
    out[1] = 205;
    write16(out + 2, (uint16_t)(size / 4 - 1));
    return size;
}
