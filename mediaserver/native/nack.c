/* Which lost packets of a source to ask for again, and when. RFC 4585 section 6.2.1. */
#include "core.h"

#define RETRY_US 40000    /* before the round trip is known */
#define MIN_RETRY_US 20000
#define MAX_RETRY_US 400000
#define MAX_TRIES 6       /* each waits half as long again as the one before; then the packet is given up */
#define REORDER_US 4000   /* a hole this young may be mere reordering */

/* RFC 6298's smoothing. A repair that was asked for twice counts from the first time: too long rather than too short. */
static void note_trip(struct source *source, const struct hole *hole, int64_t now) {
    if (!hole->first_asked)
        return;
    int64_t trip = now - hole->first_asked;
    source->repair_trip = source->repair_trip ? source->repair_trip + (trip - source->repair_trip) / 8 : trip;
}

static void holes_fill(struct source *source, int64_t seq, int64_t now) {
    for (int i = 0; i < source->hole_count; i++) {
        if (source->holes[i].seq == seq) {
            note_trip(source, &source->holes[i], now);
            source->holes[i] = source->holes[--source->hole_count];
            return;
        }
    }
}

/* Notes packet `seq`; call before `highest` is moved. Past MAX_HOLES one key frame is cheaper than the repeats. */
void nack_arrived(struct source *source, int64_t seq, int64_t now) {
    if (seq <= source->highest) {
        holes_fill(source, seq, now);
        return;
    }
    int64_t lost = seq - source->highest - 1;
    if (lost + source->hole_count > MAX_HOLES) {
        source->lost_given_up += (uint64_t)(lost + source->hole_count);
        source->hole_count = 0;
        source->keyframe_wanted |= source->track->is_video;
        return;
    }
    for (int64_t s = source->highest + 1; s < seq; s++) {
        struct hole *hole = &source->holes[source->hole_count++];
        hole->seq = s;
        hole->tries = 0;
        hole->first_asked = 0;
        hole->ask_at = now + REORDER_US;
    }
}

static int64_t pause_after(const struct source *source, int tries) {
    int64_t pause = source->repair_trip ? source->repair_trip + source->repair_trip / 4 : RETRY_US;
    if (pause < MIN_RETRY_US)
        pause = MIN_RETRY_US;
    for (int i = 1; i < tries; i++)
        pause += pause / 2;
    return pause < MAX_RETRY_US ? pause : MAX_RETRY_US;
}

/* Writes the sequence numbers to ask for now, oldest first as they were noted; returns how many. */
size_t nack_due(struct source *source, int64_t now, uint16_t *out, size_t cap) {
    size_t asked = 0;
    for (int i = 0; i < source->hole_count && asked < cap;) {
        struct hole *hole = &source->holes[i];
        if (hole->ask_at > now) {
            i++;
            continue;
        }
        if (hole->tries == MAX_TRIES) {
            source->lost_given_up++;
            source->keyframe_wanted |= source->track->is_video;
            *hole = source->holes[--source->hole_count];
            continue;
        }
        hole->tries++;
        if (!hole->first_asked)
            hole->first_asked = now;
        hole->ask_at = now + pause_after(source, hole->tries);
        out[asked++] = (uint16_t)hole->seq;
        i++;
    }
    return asked;
}
