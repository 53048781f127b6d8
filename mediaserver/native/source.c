/* One incoming RTP stream: which layer of which track it is, order, loss, jitter, its packets into the cache.
 * RFC 3550 appendix A, RFC 8852 (rid), RFC 4588 (retransmissions). */
#include <stdlib.h>
#include <string.h>

#include "core.h"

#define BOUND_FOR_US 10000000 /* a layer's SSRC is not forgotten before it has been silent for this long */

/* Whether anybody is shown this layer, or waits for it. */
int source_is_watched(const struct source *source) {
    for (const struct sink *sink = source->track->sinks; sink; sink = sink->next_of_track)
        if (sink->source == source || sink->target == source)
            return 1;
    return 0;
}

static void source_reset(struct source *source) {
    struct source fresh = {.track = source->track, .layer = source->layer, .codec = -1, .cache = source->cache};
    fresh.keyframe_seq = -1;
    fresh.keyframe_wanted = source->keyframe_wanted;
    fresh.plis = source->plis;
    fresh.pli_at = source->pli_at;
    memset(fresh.cache.packets, 0, sizeof(struct packet) * fresh.cache.slots);
    *source = fresh;
}

/* Numbers and times begin anew: nothing that was learnt or kept of the old ones may meet them. */
void source_restart(struct core *core, struct source *source, int64_t now) {
    forward_pending(core, now);
    if (!source->cache.slots)
        return;
    for (struct sink *sink = source->track->sinks; sink; sink = sink->next_of_track)
        pacer_flush(core, sink, now);
    source_reset(source);
    for (struct sink *sink = source->track->sinks; sink; sink = sink->next_of_track)
        sink_forget(sink, source);
}

struct ssrc_entry *receiver_find(struct receiver *receiver, uint32_t ssrc) {
    struct ssrc_entry *entry = &receiver->ssrcs[receiver->ssrc_last];
    if (entry->used && entry->ssrc == ssrc)
        return entry;
    for (int i = 0; i < MAX_SSRCS; i++) {
        entry = &receiver->ssrcs[i];
        if (entry->used && entry->ssrc == ssrc) {
            receiver->ssrc_last = i;
            return entry;
        }
    }
    return NULL;
}

/* A free entry, else the one longest silent among those not bound, else the longest silent of all; NULL while that one
 * is in use: with it would go what protects it from replayed packets. */
static struct ssrc_entry *entry_for_new(struct receiver *receiver, int64_t now) {
    struct ssrc_entry *best = NULL;
    for (int i = 0; i < MAX_SSRCS; i++) {
        struct ssrc_entry *entry = &receiver->ssrcs[i];
        if (!entry->used)
            return entry;
        if (!best || (best->source && !entry->source) ||
            (!best->source == !entry->source && entry->last_at < best->last_at))
            best = entry;
    }
    return best->source && now - best->last_at < BOUND_FOR_US ? NULL : best;
}

struct section *receiver_section_of(struct receiver *receiver, const struct source *source) {
    for (int i = 0; i < MAX_SECTIONS; i++) {
        if (receiver->sections[i] && receiver->sections[i]->track == source->track)
            return receiver->sections[i];
    }
    return NULL;
}

static int ext_equals(const uint8_t *packet, const struct ext_value *value, const char *text) {
    size_t len = strlen(text);
    return value->len == len && memcmp(packet + value->offset, text, len) == 0;
}

/* By mid, else by a named SSRC, else the only section that knows the payload type. */
static struct section *section_for(struct receiver *receiver, const struct rtp_header *h, const uint8_t *packet) {
    struct section *only = NULL;
    int matches = 0;
    for (int i = 0; i < MAX_SECTIONS; i++) {
        struct section *section = receiver->sections[i];
        if (!section)
            continue;
        if (h->ext[EXT_MID].len) {
            if (ext_equals(packet, &h->ext[EXT_MID], section->mid))
                return section;
            continue;
        }
        for (int k = 0; k < section->ssrc_count; k++)
            if (section->ssrcs[k] == h->ssrc)
                return section;
        for (int k = 0; k < section->repair_count; k++)
            if (section->repair_ssrcs[k] == h->ssrc)
                return section;
        if (section->codec_of[h->payload_type] >= 0 || section->repairs[h->payload_type] >= 0) {
            only = section;
            matches++;
        }
    }
    return matches == 1 ? only : NULL;
}

static int layer_for(const struct section *section, const struct rtp_header *h, const uint8_t *packet, int repair) {
    const struct ext_value *rid = &h->ext[repair ? EXT_REPAIRED_RID : EXT_RID];
    if (rid->len) {
        for (int i = 0; i < section->rid_count; i++)
            if (ext_equals(packet, rid, section->rids[i]))
                return i;
        return -1;
    }
    const uint32_t *ssrcs = repair ? section->repair_ssrcs : section->ssrcs;
    int known = repair ? section->repair_count : section->ssrc_count;
    for (int i = 0; i < known; i++)
        if (ssrcs[i] == h->ssrc)
            return i;
    return section->rid_count || known > 1 ? -1 : 0;
}

static struct ssrc_entry *entry_of(struct receiver *receiver, uint32_t ssrc, const struct source *source) {
    for (int i = 0; i < MAX_SSRCS && ssrc; i++)
        if (receiver->ssrcs[i].used && receiver->ssrcs[i].ssrc == ssrc && receiver->ssrcs[i].source == source)
            return &receiver->ssrcs[i];
    return NULL;
}

/* A sender may start over with a new SSRC; a straggler of the old one must not take the layer back. */
static void bind_layer(struct core *core, struct receiver *receiver, struct ssrc_entry *entry, struct source *source,
                       int repair, int64_t now) {
    uint32_t before = repair ? source->repair_ssrc : source->ssrc;
    struct ssrc_entry *old = before != entry->ssrc ? entry_of(receiver, before, source) : NULL;
    if (old && entry->superseded && now - old->last_at < ALIVE_US)
        return;
    if (old) {
        old->source = NULL;
        old->superseded = 1;
    }
    entry->superseded = 0;
    entry->source = source;
    entry->is_repair = (uint8_t)repair;
    if (repair) {
        source->repair_ssrc = entry->ssrc;
        return;
    }
    if (before && before != entry->ssrc)
        source_restart(core, source, now);
    source->ssrc = entry->ssrc;
}

/* Remembers an authenticated SSRC and finds out which layer it is, if its packet tells. NULL: there is no room. */
struct ssrc_entry *receiver_learn(struct core *core, struct conn *conn, struct ssrc_entry *entry,
                                  const struct rtp_header *h, const uint8_t *packet,
                                  const struct srtp_replay *replay, int64_t now) {
    struct receiver *receiver = conn->receiver;
    if (!entry) {
        entry = entry_for_new(receiver, now);
        if (!entry)
            return NULL;
        memset(entry, 0, sizeof(*entry));
        entry->used = 1;
        entry->ssrc = h->ssrc;
        entry->replay = *replay;
    }
    entry->last_at = now;
    struct section *section = section_for(receiver, h, packet);
    int repair = section && section->repairs[h->payload_type] >= 0;
    if (!section || (!repair && section->codec_of[h->payload_type] < 0))
        return entry; /* what cannot be read must not take a layer over */
    int layer = layer_for(section, h, packet, repair);
    if (layer >= 0 && section->track->layers[layer].cache.slots) /* sound has one layer */
        bind_layer(core, receiver, entry, &section->track->layers[layer], repair, now);
    return entry;
}

/* The track is fed from here no longer; its SSRCs are unknown again, their roll-over counts are kept. */
void receiver_unbind(struct core *core, struct receiver *receiver, struct track *track, int64_t now) {
    for (int i = 0; i < MAX_SSRCS; i++) {
        struct ssrc_entry *entry = &receiver->ssrcs[i];
        if (entry->used && entry->source && entry->source->track == track)
            entry->source = NULL;
    }
    for (int i = 0; i < MAX_LAYERS; i++)
        source_restart(core, &track->layers[i], now);
}

int64_t source_unwrap(const struct source *source, uint16_t seq) {
    if (source->received == 0)
        return (int64_t)seq + 65536;
    return source->highest + (int16_t)(seq - (uint16_t)source->highest);
}

static void note_jitter(struct source *source, uint32_t timestamp, int64_t now) {
    int64_t arrival = now * (int64_t)source->clock_rate / 1000000;
    int64_t transit = (int64_t)(int32_t)((uint32_t)arrival - timestamp);
    if (source->received > 1) {
        double d = (double)(int32_t)((uint32_t)transit - (uint32_t)source->transit);
        source->jitter += ((d < 0 ? -d : d) - source->jitter) / 16;
    }
    source->transit = transit;
}

/* Whether what is lost of it is asked for. */
static int source_repeats(const struct source *source) {
    const struct conn *conn = source->track->conn;
    int kind = source->track->is_video ? NACK_PICTURE : NACK_SOUND;
    return source->track->is_video || (conn && conn->receiver && conn->receiver->nack & kind);
}

static void keyframe_arrived(struct source *source, const struct packet *packet) {
    if (packet->seq <= source->keyframe_seq)
        return;
    source->keyframe_seq = packet->seq;
    source->keyframe_wanted = 0;
    source->keyframes++;
    if (packet->info.width) {
        source->width = packet->info.width;
        source->height = packet->info.height;
    }
}

static void first_packet(struct core *core, struct source *source, int codec, uint32_t clock_rate, int64_t seq,
                         int64_t now) {
    source->codec = (int8_t)codec;
    source->clock_rate = clock_rate ? clock_rate : 90000;
    source->first = seq;
    source->highest = seq - 1;
    source->keyframe_seq = -1;
    source->rate_since = now;
    event_layer(core, source);
}

/* Takes one plain packet's payload in: numbers, cache, queue for forwarding. */
static void source_store(struct core *core, struct source *source, int64_t seq, int codec, const struct rtp_header *h,
                         const uint8_t *packet, uint16_t size, int64_t now) {
    struct payload_info info = {0};
    const uint8_t *payload = packet + h->header_len;
    if (size && codec != CODEC_OPUS && payload_read((enum codec_id)codec, payload, size, &info) < 0) {
        count(core, dropped_malformed_payload);
        size = 0; /* it has a number all the same: without content sinks close the gap */
    }
    const struct ext_value *dd = &h->ext[EXT_DEPENDENCY_DESCRIPTOR];
    struct packet *stored =
        cache_store(&source->cache, seq, packet + dd->offset, size ? dd->len : 0, payload, size);
    if (!stored)
        return;
    stored->at = now;
    stored->timestamp = h->timestamp;
    stored->marker = h->marker;
    stored->codec = (uint8_t)codec;
    stored->info = info;
    source_note_layers(source, stored, packet + dd->offset, size ? dd->len : 0);
    stored->has_level = !source->track->is_video && h->ext[EXT_AUDIO_LEVEL].len > 0;
    stored->level = stored->has_level ? packet[h->ext[EXT_AUDIO_LEVEL].offset] : 0;
    if (stored->has_level)
        level_add(core, source->track, stored->level);
    if (stored->info.keyframe)
        keyframe_arrived(source, stored);
    forward_add(core, source, seq, now);
}

/* One packet's payload, which stands at `h->header_len`; of RED the newest block's, or one that was `recovered`. */
void source_packet(struct core *core, struct source *source, const struct section *section,
                   const struct rtp_header *h, const uint8_t *packet, uint16_t size, int recovered, int64_t now) {
    int codec = section->codec_of[h->payload_type];
    if (codec == CODEC_RED)
        codec = CODEC_OPUS;
    if (codec < 0 || (codec >= CODEC_VP8) != source->track->is_video) {
        count(core, dropped_unknown_payload_type);
        if (source->received == 0)
            return;
        codec = source->codec; /* it has a number all the same: without content sinks close the gap */
        size = 0;
    }
    int64_t seq = source_unwrap(source, h->sequence);
    if (source->received == 0)
        first_packet(core, source, codec, section->clock_of[h->payload_type], seq, now);
    if (cache_had(&source->cache, seq) || seq <= source->highest - source->cache.slots) {
        source->duplicates++;
        count(core, dropped_duplicate);
        return;
    }
    source->codec = (int8_t)codec;
    source->received++;
    source->bytes += size;
    source->rate_bytes += size;
    source->last_at = now;
    if (recovered)
        source->recovered++;
    else if (seq > source->highest)
        note_jitter(source, h->timestamp, now);
    if (source_repeats(source))
        nack_arrived(source, seq, now);
    if (seq > source->highest)
        source->highest = seq;
    if (source->track->muted) {
        source->muted_to = source->highest;
        count(core, dropped_muted);
        return;
    }
    source_store(core, source, seq, codec, h, packet, size, now);
}

/* An RTX packet (RFC 4588): the original sequence number, then the original payload. Padding and probes have none. */
static void source_repair(struct core *core, struct source *source, const struct section *section,
                          const struct rtp_header *header, const uint8_t *packet, size_t payload, int64_t now) {
    if (payload < 2 || !source->ssrc || source->received == 0) {
        count(core, dropped_padding);
        return;
    }
    if (section->repairs[header->payload_type] < 0) {
        count(core, dropped_unknown_payload_type);
        return;
    }
    struct rtp_header original = *header;
    original.sequence = read16(packet + header->header_len);
    original.ssrc = source->ssrc;
    original.payload_type = (uint8_t)section->repairs[header->payload_type];
    original.header_len = (uint16_t)(header->header_len + 2);
    int64_t seq = source_unwrap(source, original.sequence);
    if (seq > source->highest || cache_had(&source->cache, seq)) {
        count(core, dropped_duplicate); /* a probe repeats what came, or what will come by itself */
        return;
    }
    count(core, packets_recovered);
    source_packet(core, source, section, &original, packet, (uint16_t)(payload - 2), 1, now);
}

/* `packet`: plain, `size` bytes with padding; authenticated as coming from this connection. */
void source_arrived(struct core *core, struct conn *conn, struct ssrc_entry *entry, const struct section *section,
                    const struct rtp_header *header, const uint8_t *packet, size_t size, int64_t now) {
    int payload = rtp_payload_length(packet, size, header);
    if (payload < 0) {
        count(core, dropped_malformed_rtp);
        return;
    }
    entry->last_at = now;
    if (entry->is_repair)
        source_repair(core, entry->source, section, header, packet, (size_t)payload, now);
    else if (section->codec_of[header->payload_type] == CODEC_RED && !entry->source->track->is_video)
        redundancy_arrived(core, entry->source, section, header, packet, (uint16_t)payload, now);
    else
        source_packet(core, entry->source, section, header, packet, (uint16_t)payload, 0, now);
    if (entry->source->hole_count || entry->source->keyframe_wanted)
        conn_hurry(core, conn, now);
}

/* Somebody waits for a key frame of this layer; timers.c asks for it, at most once in a while. */
void source_want_keyframe(struct core *core, struct source *source, int64_t now) {
    source->keyframe_wanted = 1;
    if (source->track->conn)
        conn_hurry(core, source->track->conn, now);
}
