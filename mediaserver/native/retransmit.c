/* Answering a subscriber's NACKs from the source's cache; how fast, on a thin line, is pacer.c's. RFC 4585 section
 * 6.2.1, RFC 4588. */
#include "core.h"

#define AGAIN_MS 15          /* the same packet is not sent more often than this */
#define BUDGET 200           /* retransmissions of one sink in */
#define BUDGET_US 100000     /* this time: a NACK is small, what it asks for is not */

/* Whoever asks cannot know yet that it was sent again: half a round trip has not passed since. Where feedback tells how
 * long an answer takes now, queues included, that is what counts. */
static int resent_lately(const struct sink *sink, uint16_t seq, int64_t now) {
    const struct resent *entry = &sink->resent[seq % RESENT_SLOTS];
    uint32_t ms = (uint32_t)(now / 1000);
    uint32_t pause = AGAIN_MS;
    if (sink->conn->answer_us)
        pause = (uint32_t)(sink->conn->answer_us / 8 * 7 / 1000);
    else if (sink->round_trip > 0 && sink->round_trip < 0.5)
        pause += (uint32_t)(sink->round_trip * 500);
    return entry->used && entry->seq == seq && ms - entry->at_ms < pause;
}

static void note_resent(struct sink *sink, int64_t seq, int64_t now) {
    sink->resent[(uint16_t)seq % RESENT_SLOTS] =
        (struct resent){.seq = (uint16_t)seq, .used = 1, .at_ms = (uint32_t)(now / 1000)};
}

/* What came before the last key frame is of no use behind it; on a line whose rate is known that is worth sparing. */
static int outdated(const struct sink *sink, int64_t seq) {
    return sink->has_key && seq < sink->key_seq && pacer_paces(sink->conn);
}

static int within_budget(struct sink *sink, int64_t now) {
    if (now - sink->resent_budget_at >= BUDGET_US) {
        sink->resent_budget_at = now;
        sink->resent_budget = BUDGET;
    }
    return sink->resent_budget-- > 0;
}

/* The map under which sequence number `out` was sent, NULL if it is forgotten. */
static const struct map *map_of_sent(const struct sink *sink, int64_t out) {
    for (int i = sink->map_count - 1; i >= 0; i--)
        if (out >= sink->maps[i].from + sink->maps[i].seq_offset)
            return &sink->maps[i];
    return NULL;
}

static void resend(struct core *core, struct sink *sink, uint16_t seq, int64_t now) {
    int64_t out = sink->out_seq + (int16_t)(seq - (uint16_t)sink->out_seq);
    const struct map *map = out <= sink->out_seq ? map_of_sent(sink, out) : NULL;
    struct packet *packet = map ? cache_find(&map->source->cache, out - map->seq_offset) : NULL;
    int by_rtx = packet && sink_repairs(sink, packet->codec);
    if (!packet || (!by_rtx && out < sink->profile_from) || (by_rtx && outdated(sink, out)) ||
        resent_lately(sink, seq, now) || !within_budget(sink, now)) {
        count(core, dropped_retransmission);
        return;
    }
    note_resent(sink, out, now);
    if (by_rtx && pacer_takes_repeat(core, sink, out, now))
        return;
    write_packet(core, sink, map, packet, out, by_rtx, now);
    count(core, packets_retransmitted);
}

/* The turn of a lost packet that has waited: it goes by RTX, unless it is of no use by now. */
void sink_repeat_lost(struct core *core, struct sink *sink, int64_t seq, int64_t now) {
    const struct map *map = map_of_sent(sink, seq);
    struct packet *packet = map ? cache_find(&map->source->cache, seq - map->seq_offset) : NULL;
    if (!packet || outdated(sink, seq)) {
        count(core, dropped_retransmission);
        return;
    }
    note_resent(sink, seq, now);
    write_packet(core, sink, map, packet, seq, 1, now);
    count(core, packets_retransmitted);
}

/* A packet that has left goes once more by RTX, asked for or not; 0: it cannot. */
int sink_repeat(struct core *core, struct sink *sink, int64_t seq, int64_t now) {
    const struct map *map = seq <= sink->out_seq ? map_of_sent(sink, seq) : NULL;
    struct packet *packet = map ? cache_find(&map->source->cache, seq - map->seq_offset) : NULL;
    if (!packet || !packet->size || !sink_repairs(sink, packet->codec))
        return 0;
    uint64_t asked_for = sink->retransmitted;
    write_packet(core, sink, map, packet, seq, 1, now);
    sink->retransmitted = asked_for;
    return 1;
}

/* A packet that has its number leaves, unless it is gone. */
void sink_write_again(struct core *core, struct sink *sink, int64_t seq, int64_t now) {
    const struct map *map = map_of_sent(sink, seq);
    struct packet *packet = map ? cache_find(&map->source->cache, seq - map->seq_offset) : NULL;
    if (packet)
        write_packet(core, sink, map, packet, seq, 0, now);
}

/* One entry of a NACK: the packet `pid` and those of the 16 behind it whose bit is set. */
void sink_nacked(struct core *core, struct sink *sink, uint16_t pid, uint16_t blp, int64_t now) {
    if (!sink->started)
        return;
    resend(core, sink, pid, now);
    for (int i = 0; blp; i++, blp >>= 1)
        if (blp & 1)
            resend(core, sink, (uint16_t)(pid + 1 + i), now);
}
