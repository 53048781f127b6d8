/* Which lost packets of a source to ask for again, and when. RFC 4585 section 6.2.1. */
#include "core.h"

#define RETRY_US 40000    /* before the round trip is known */
#define MAX_TRIES 6       /* then the packet is given up */
#define REORDER_US 4000   /* a hole this young may be mere reordering */

static void holes_fill(struct source *source, int64_t seq) {
    for (int i = 0; i < source->hole_count; i++) {
        if (source->holes[i].seq == seq) {
            source->holes[i] = source->holes[--source->hole_count];
            return;
        }
    }
}

/* Notes packet `seq`; call before `highest` is moved. Past MAX_HOLES one key frame is cheaper than the repeats. */
void nack_arrived(struct source *source, int64_t seq, int64_t now) {
    if (seq <= source->highest) {
        holes_fill(source, seq);
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
        hole->ask_at = now + REORDER_US;
    }
}

/* Writes the sequence numbers to ask for now, oldest first as they were noted; returns how many. */
size_t nack_due(struct source *source, int64_t now, int64_t round_trip, uint16_t *out, size_t cap) {
    size_t asked = 0;
    int64_t pause = round_trip > 0 ? round_trip + round_trip / 2 : RETRY_US;
    if (pause < 20000)
        pause = 20000;
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
        hole->ask_at = now + pause;
        out[asked++] = (uint16_t)hole->seq;
        i++;
    }
    return asked;
}
