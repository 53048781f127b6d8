/* The heart: packets that were taken in, out to every sink of their track.
 *
 * A batch is gathered by track, then goes subscriber by subscriber, so that a subscriber's packets lie behind each
 * other and leave as one run (output.c). The packets themselves stay where they are, in their source's cache.
 */
#include "core.h"

static void carry_track(struct core *core, struct track *track, int64_t now) {
    for (struct sink *sink = track->sinks; sink; sink = sink->next_of_track) {
        if (sink->next_of_track)
            __builtin_prefetch(sink->next_of_track, 1);
        if (!sink->accepted || !sink->conn->tx || !sink->conn->path.kind)
            continue;
        if (!sink->source) {
            sink_choose_layer(core, sink, now);
            if (sink->map_count)
                continue; /* replayed, and what is pending with it: no packet may go twice */
        }
        for (int i = track->pending_first; i >= 0; i = core->pending[i].next) {
            struct source *source = core->pending[i].source;
            struct packet *packet = cache_find(&source->cache, core->pending[i].seq);
            if (packet && (source == sink->source || source == sink->target))
                sink_carry(core, sink, source, packet, now);
        }
    }
}

/* Notes a packet that is in its source's cache now. */
void forward_add(struct core *core, struct source *source, int64_t seq, int64_t now) {
    struct track *track = source->track;
    if (!track->sinks)
        return;
    if (core->pending_count == MAX_PENDING)
        forward_pending(core, now);
    if (core->pending_count == 0)
        core->pending_since = now;
    int at = core->pending_count++;
    core->pending[at] = (struct pending){.source = source, .seq = seq, .next = -1};
    if (track->pending_first < 0) {
        track->pending_first = at;
        track->pending_next = core->pending_tracks;
        core->pending_tracks = track;
    } else {
        core->pending[track->pending_last].next = at;
    }
    track->pending_last = at;
}

/* Sends everything noted. The caller flushes the output. */
void forward_pending(struct core *core, int64_t now) {
    while (core->pending_tracks) {
        struct track *track = core->pending_tracks;
        core->pending_tracks = track->pending_next;
        carry_track(core, track, now);
        track->pending_first = track->pending_last = -1;
        track->pending_next = NULL;
    }
    core->pending_count = 0;
}
