/* One outgoing RTP stream: which layer it carries, and in which numbers.
 *
 * A sink owns SSRC, sequence numbers, timestamps and VP8 picture ids; they run on whatever it carries. Each stretch of
 * one source is a `map`; the last few are kept, so that late packets and retransmissions find their numbers again
 * without a table per packet.
 */
#include <string.h>

#include "core.h"

#define REPLAY_PACKETS 128   /* since the last key frame; more, and a new key frame is cheaper for everybody */
#define REPLAY_BYTES 160000
#define MAX_JUMP 1000        /* numbers a source may leave out before the sink's begin anew without them: a receiver
                                follows at most 2^15, lost packets included */
#define ALIGN_S 1.0          /* layers' clocks that tell times further apart than that are not believed */
#define REPLAY_SHIFT 5       /* a replayed second takes 1/32 s: nothing waits for the past to be played */

static int64_t next_out_seq_of(const struct map *map) { return map->from + map->seq_offset; }

/* The numbering of a packet; NULL if it belongs to none (too old, or its source was left meanwhile). */
const struct map *sink_map_for(const struct sink *sink, const struct source *source, int64_t seq) {
    int64_t end = INT64_MAX; /* sequence numbers from here on belong to newer maps: one may begin below an older one, whose
                                first packets were lost and may still come */
    for (int i = sink->map_count - 1; i >= 0; i--) {
        const struct map *map = &sink->maps[i];
        if (map->source == source && map->from <= seq)
            return seq + map->seq_offset < end ? map : NULL;
        if (end > next_out_seq_of(map))
            end = next_out_seq_of(map);
    }
    return NULL;
}

static uint32_t next_timestamp(const struct sink *sink, int64_t now) {
    if (!sink->started)
        return sink->out_ts;
    int64_t ticks = (now - sink->out_at) * (int64_t)sink->clock_rate / 1000000;
    return sink->out_ts + (uint32_t)(ticks > 0 ? ticks : 1);
}

/* The same from the sender's own clock, if `packet` is of another layer of the track that was carried until now and
 * both layers' reports are known: what was captured together then stays together, however it travelled. */
static uint32_t aligned_timestamp(const struct sink *sink, const struct source *source, const struct packet *packet,
                                  int64_t now) {
    uint32_t by_arrival = next_timestamp(sink, now);
    const struct source *before = sink->source;
    const struct map *map = sink->map_count ? &sink->maps[sink->map_count - 1] : NULL;
    if (!sink->started || !map || map->source != before || map->ts_shift || before == source ||
        !before->report_at || !source->report_at)
        return by_arrival;
    uint32_t last_in = map->ts_in + (sink->out_ts - map->ts_out);
    double passed = (double)(int64_t)(source->report_ntp - before->report_ntp) / 4294967296.0 +
                    (double)(int32_t)(packet->timestamp - source->report_rtp) / source->clock_rate -
                    (double)(int32_t)(last_in - before->report_rtp) / before->clock_rate;
    double error = passed - (double)(int32_t)(by_arrival - sink->out_ts) / sink->clock_rate;
    if (error > ALIGN_S || error < -ALIGN_S)
        return by_arrival;
    int64_t ticks = (int64_t)(passed * sink->clock_rate + 0.5);
    return sink->out_ts + (uint32_t)(ticks > 0 ? ticks : 1);
}

static struct map *map_push(struct sink *sink) {
    if (sink->map_count == MAX_MAPS) {
        memmove(sink->maps, sink->maps + 1, sizeof(struct map) * (MAX_MAPS - 1));
        sink->map_count--;
    }
    return &sink->maps[sink->map_count++];
}

/* Numbers go on from what was sent last; `packet` becomes the next one, at time `timestamp`. */
static struct map *sink_begin(struct core *core, struct sink *sink, struct source *source, const struct packet *packet,
                              uint32_t timestamp, int64_t now) {
    sink->clock_rate = source->clock_rate;
    struct map *map = map_push(sink);
    *map = (struct map){.source = source, .from = packet->seq, .ts_in = packet->timestamp};
    map->seq_offset = sink->out_seq + 1 - packet->seq;
    map->ts_out = timestamp;
    map->picture_offset = (uint16_t)(sink->out_picture + 1 - packet->info.picture_id);
    map->tl0_offset = (uint8_t)(sink->out_tl0 + 1 - packet->info.tl0_picture_index);
    sink->highest_in = packet->seq - 1;
    sink->source = source;
    sink->target = NULL;
    sink->need_key = 0;
    sink->resync = 0;
    sink_limit(sink);
    sink_level(sink);
    map->top = sink_top(sink, source, packet);
    sink->report_due = now; /* tell the new times at once */
    conn_hurry(core, sink->conn, now);
    return map;
}

/* Padding without content on the media SSRC: what follows moves up by one. 0: something that follows has left. */
static int sink_close_gap(struct sink *sink, const struct source *source, int64_t seq) {
    struct map *newest = &sink->maps[sink->map_count - 1];
    if (newest->source != source || seq <= sink->highest_in || newest->ts_shift)
        return 0;
    if (newest->from != seq) {
        struct map copy = *newest;
        newest = map_push(sink);
        *newest = copy;
    }
    newest->from = seq + 1;
    newest->seq_offset--;
    sink->highest_in = seq;
    return 1;
}

/* A packet of layers that are not wanted: as if it had never been. 0: it must go out, others have been numbered so. */
static int sink_leave_out(struct sink *sink, const struct source *source, const struct packet *packet) {
    if (!sink_close_gap(sink, source, packet->seq))
        return 0;
    if (packet->codec == CODEC_VP8 && packet->info.picture_id_offset &&
        sink->left_picture != packet->info.picture_id + 1) {
        sink->left_picture = (uint16_t)(packet->info.picture_id + 1);
        sink->maps[sink->map_count - 1].picture_offset--;
    }
    return 1;
}

/* The picture ends with another spatial layer than until now. */
static void sink_mark(struct sink *sink, const struct source *source, const struct packet *packet) {
    const struct map *newest = &sink->maps[sink->map_count - 1];
    uint8_t top = sink_top(sink, source, packet);
    if (newest->source != source || newest->top == top || packet->seq <= sink->highest_in || newest->ts_shift)
        return;
    struct map copy = *newest;
    copy.from = packet->seq;
    copy.top = top;
    *map_push(sink) = copy;
}

static void sink_sent(struct sink *sink, const struct map *map, const struct packet *packet, int64_t out_seq,
                      int64_t now) {
    if (packet->seq > sink->highest_in)
        sink->highest_in = packet->seq;
    if (sink->started && out_seq <= sink->out_seq)
        return;
    sink->started = 1;
    sink->out_seq = out_seq;
    sink->out_ts = map->ts_out + (uint32_t)((int32_t)(packet->timestamp - map->ts_in) >> map->ts_shift);
    sink->out_at = now;
    sink->out_picture = (uint16_t)(packet->info.picture_id + map->picture_offset);
    sink->out_tl0 = (uint8_t)(packet->info.tl0_picture_index + map->tl0_offset);
}

/* A key frame begins: what came before it need not be repeated, and what waits of another layer need not be sent. */
static void sink_key(struct core *core, struct sink *sink, const struct map *map, const struct packet *packet,
                     int64_t out_seq) {
    uint32_t timestamp = map->ts_out + (uint32_t)((int32_t)(packet->timestamp - map->ts_in) >> map->ts_shift);
    if (sink->has_key && (timestamp == sink->key_ts || out_seq < sink->key_seq))
        return;
    if (sink->has_key && sink->key_layer != map->source->layer && pacer_paces(sink->conn))
        pacer_drop(core, sink);
    sink->has_key = 1;
    sink->key_seq = out_seq;
    sink->key_ts = timestamp;
    sink->key_layer = map->source->layer;
}

static void sink_write(struct core *core, struct sink *sink, const struct map *map, const struct packet *packet,
                       int64_t now) {
    int64_t out_seq = packet->seq + map->seq_offset;
    if (sink->is_video && packet->info.keyframe)
        sink_key(core, sink, map, packet, out_seq);
    if (!sink->conn->pacer || !pacer_takes(core, sink, out_seq, now))
        write_packet(core, sink, map, packet, out_seq, 0, now);
    sink_sent(sink, map, packet, out_seq, now);
}

/* Takes a packet of `source` to the subscriber, or drops it for a reason that is counted. */
void sink_carry(struct core *core, struct sink *sink, struct source *source, struct packet *packet, int64_t now) {
    int fresh = source != sink->source || sink->need_key || sink->resync || sink->map_count == 0;
    if (sink->profile.payload_type[packet->codec] < 0) {
        count(core, dropped_codec_not_accepted); /* it must not use up numbers */
        return;
    }
    if (!fresh && packet->seq - sink->highest_in > MAX_JUMP) {
        fresh = sink->resync = 1;
        sink->need_key = sink->is_video;
    }
    if (fresh) {
        if (sink->is_video && !packet->info.keyframe) {
            if (source == sink->source)
                count(core, dropped_awaiting_keyframe);
            return;
        }
        if (packet->size == 0)
            return;
        sink_begin(core, sink, source, packet, aligned_timestamp(sink, source, packet, now), now);
    } else if (packet->size == 0 && sink_close_gap(sink, source, packet->seq)) {
        return;
    } else if (!sink_wants(sink, source, packet)) {
        if (sink_leave_out(sink, source, packet)) {
            count(core, dropped_layer);
            return;
        }
    }
    sink_mark(sink, source, packet);
    const struct map *map = sink_map_for(sink, source, packet->seq);
    if (!map) {
        count(core, dropped_superseded);
        return;
    }
    sink_write(core, sink, map, packet, now);
}

/* The newest packet of a source if everything since its last key frame is there and short; else NULL. */
static struct packet *replayable(const struct source *source) {
    if (source->keyframe_seq < 0 || source->highest - source->keyframe_seq >= REPLAY_PACKETS)
        return NULL;
    struct packet *last = NULL;
    size_t bytes = 0;
    for (int64_t seq = source->keyframe_seq; seq <= source->highest; seq++) {
        struct packet *packet = cache_find(&source->cache, seq);
        if ((!packet && seq == source->keyframe_seq) || (packet && packet->size == 0))
            return NULL;
        if (packet) {
            bytes += packet->size;
            last = packet;
        }
    }
    return bytes <= REPLAY_BYTES ? last : NULL;
}

/* The replay goes on without this packet, under the map that is returned. */
static struct map *replay_leave_out(struct sink *sink, const struct packet *packet, struct map *live) {
    struct map next = sink->maps[sink->map_count - 1];
    next.from = packet->seq + 1;
    next.seq_offset--;
    live->seq_offset--;
    if (packet->codec == CODEC_VP8 && packet->info.frame_start) {
        next.picture_offset--;
        live->picture_offset--;
    }
    struct map *map = map_push(sink);
    *map = next;
    return map;
}

/* Sends what came since the last key frame, squeezed in time, so that a late joiner sees a picture at once. */
static int sink_replay(struct core *core, struct sink *sink, struct source *source, int64_t now) {
    struct packet *last = replayable(source);
    if (!last)
        return 0;
    struct packet *first = cache_find(&source->cache, source->keyframe_seq);
    struct map *map = sink_begin(core, sink, source, first, next_timestamp(sink, now), now);
    uint32_t span = last->timestamp - first->timestamp;
    map->ts_shift = REPLAY_SHIFT;
    map->ts_in = last->timestamp;
    map->ts_out += (span >> REPLAY_SHIFT) + 1;
    struct map live = *map;
    for (int64_t seq = source->keyframe_seq; seq <= source->highest; seq++) {
        struct packet *packet = cache_find(&source->cache, seq);
        if (!packet)
            continue;
        if (!sink_wants(sink, source, packet)) {
            map = replay_leave_out(sink, packet, &live);
            continue;
        }
        sink_write(core, sink, map, packet, now);
        count(core, packets_replayed_to_joiners);
    }
    live.from = source->highest + 1;
    live.ts_shift = 0;
    *map_push(sink) = live;
    return 1;
}

static int alive(const struct source *source, int64_t now) {
    return source->codec >= 0 && now - source->last_at <= ALIVE_US;
}

/* The best layer with media at or below the wish; above it, the worst; with no media at all, what there was. */
static struct source *best_layer(struct track *track, int wanted, int64_t now) {
    int from = wanted < 0 ? 0 : wanted;
    for (int i = from; i < MAX_LAYERS; i++)
        if (alive(&track->layers[i], now))
            return &track->layers[i];
    for (int i = from - 1; i >= 0; i--)
        if (alive(&track->layers[i], now))
            return &track->layers[i];
    return NULL;
}

static void sink_start(struct core *core, struct sink *sink, struct source *source, int64_t now) {
    sink->source = source;
    sink->target = NULL;
    if (!sink->is_video) {
        sink->resync = 1;
        return;
    }
    sink->need_key = 1;
    if (!sink_replay(core, sink, source, now))
        source_want_keyframe(core, source, now);
}

/* Starts with whatever layer has media, climbs or falls to the best there is. */
void sink_choose_layer(struct core *core, struct sink *sink, int64_t now) {
    if (!sink->track || !sink->accepted || !sink->conn || !sink->conn->tx || !sink->conn->path.kind ||
        sink->track->muted)
        return;
    struct source *best = best_layer(sink->track, sink->wanted_layer, now);
    if (!best || best == sink->source) {
        sink->target = NULL;
        return;
    }
    if (!sink->source || !alive(sink->source, now)) {
        sink_start(core, sink, best, now);
    } else if (best != sink->target) {
        sink->target = best;
        source_want_keyframe(core, best, now);
    } else if (sink->target && !sink->target->keyframe_wanted) {
        source_want_keyframe(core, best, now); /* the key frame that was asked for was lost on its way */
    }
}

/* Carries `track` from now on; numbers go on where they are. */
void sink_attach(struct core *core, struct sink *sink, struct track *track, int layer, int temporal, int64_t now) {
    sink->wanted_layer = (int8_t)layer;
    sink->wanted_temporal = (int8_t)temporal;
    if (sink->track != track) {
        sink_detach(core, sink, now);
        sink->track = track;
        sink->next_of_track = track->sinks;
        track->sinks = sink;
    }
    sink_choose_layer(core, sink, now);
    sink_limit(sink);
    if (sink_climbs(sink))
        source_want_keyframe(core, sink->source, now);
}

/* `source` begins anew: no old number of it may be looked up in what it holds now. */
void sink_forget(struct sink *sink, const struct source *source) {
    int kept = 0;
    for (int i = 0; i < sink->map_count; i++)
        if (sink->maps[i].source != source)
            sink->maps[kept++] = sink->maps[i];
    sink->map_count = kept;
    if (sink->source == source) {
        sink->need_key = sink->is_video;
        sink->resync = 1;
    }
}

/* Parks the slot. The maps go too: their sources may be gone by the time somebody asks for a retransmission. */
void sink_detach(struct core *core, struct sink *sink, int64_t now) {
    if (!sink->track)
        return;
    pacer_flush(core, sink, now);
    for (struct sink **at = &sink->track->sinks; *at; at = &(*at)->next_of_track) {
        if (*at == sink) {
            *at = sink->next_of_track;
            break;
        }
    }
    sink->track = NULL;
    sink->next_of_track = NULL;
    sink->source = sink->target = NULL;
    sink->map_count = 0;
    sink->need_key = 0;
}
