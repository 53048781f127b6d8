/* A cached packet as one sink sends it: new header, the extensions this subscriber knows, protected in one pass from
 * the cache into the subscriber's run. RFC 3550 section 5.1, RFC 8285, RFC 4588 section 4. */
#include <string.h>

#include "core.h"

#define MAX_EXTENSIONS 288 /* a block of level, time, number and a descriptor of 255 bytes, in two-byte form, padded */
#define PADDING 255
#define MAX_SOUND 1100 /* bytes of a packet of sound with all that goes along */
#define HEAD 64 /* payload bytes that are copied where a descriptor must change: whole cipher blocks */

static void write_abs_send_time(uint8_t *out, int64_t now) {
    /* 24 bits of seconds, 18 of them behind the point */
    write24(out, (uint32_t)((uint64_t)now * (1u << 18) / 1000000u) & 0xFFFFFF);
}

/* Now, and the next number. Sound has no RTX and is repeated as it was, to the byte, or its cipher's nonce would be used
 * twice: then it says what it said before. A picture without RTX says nothing, it may be repeated long after. 0: what
 * the packet said is not known any more, or what else was in it. */
static int sending_of(struct sink *sink, const struct packet *packet, int64_t sequence, int64_t now,
                      struct told *out) {
    const struct departures *departures = sink->conn->departures;
    *out = (struct told){.after = sequence + 1, .at = now, .number = departures ? departures_next(departures) : 0};
    if (sink_repairs(sink, packet->codec))
        return 1;
    out->nothing = sink->is_video;
    if (sink->is_video)
        return 1;
    struct told *told = &sink->told[(uint64_t)sequence % TOLD_SLOTS];
    if (told->after > out->after)
        return 0;
    if (told->after == out->after) {
        *out = *told;
        out->again = 1;
        return !told->redundant;
    }
    *told = *out;
    return 1;
}

/* Fills `red` with what goes along with a packet of sound; its size. */
static size_t write_redundancy(struct sink *sink, const struct map *map, const struct packet *packet, int64_t sequence,
                               const struct told *sending, uint8_t red[MAX_SOUND]) {
    size_t size = sending->again || !sink_redundant(sink, packet) ? 0 : redundancy_write(sink, map, packet, red, MAX_SOUND);
    if (size)
        sink->told[(uint64_t)sequence % TOLD_SLOTS].redundant = 1;
    return size;
}

static int tells_number(const struct sink *sink, const struct told *sending) {
    return sink->profile.extension[EXT_TRANSPORT_CC] && sink->conn->departures && !sending->nothing;
}

/* Frame numbers go on where another source's ended (AV1 RTP payload specification, appendix A.8.2). */
static const uint8_t *descriptor_of(const struct map *map, const struct packet *packet, uint8_t copy[255]) {
    const uint8_t *descriptor = cache_bytes(&map->source->cache, packet);
    if (!packet->has_indications || !map->picture_offset)
        return descriptor;
    memcpy(copy, descriptor, packet->descriptor);
    write16(copy + 1, (uint16_t)(packet->info.picture_id + map->picture_offset));
    return copy;
}

static size_t write_extensions(const struct sink *sink, const struct map *map, const struct packet *packet,
                               const struct told *sending, uint8_t *out, size_t cap) {
    struct ext_element elements[4];
    uint8_t copy[255];
    uint8_t sent_at[3], number[2];
    size_t n = 0;
    const uint8_t *ids = sink->profile.extension;
    if (ids[EXT_ABS_SEND_TIME] && !sending->nothing) {
        write_abs_send_time(sent_at, sending->at);
        elements[n++] = (struct ext_element){ids[EXT_ABS_SEND_TIME], 3, sent_at};
    }
    if (tells_number(sink, sending)) {
        write16(number, sending->number);
        elements[n++] = (struct ext_element){ids[EXT_TRANSPORT_CC], 2, number};
    }
    if (ids[EXT_AUDIO_LEVEL] && packet->has_level)
        elements[n++] = (struct ext_element){ids[EXT_AUDIO_LEVEL], 1, &packet->level};
    if (ids[EXT_DEPENDENCY_DESCRIPTOR] && packet->descriptor)
        elements[n++] = (struct ext_element){ids[EXT_DEPENDENCY_DESCRIPTOR], packet->descriptor,
                                             descriptor_of(map, packet, copy)};
    int written = rtp_extensions_write(out, cap, elements, n);
    return written < 0 ? 0 : (size_t)written;
}

static size_t write_header(const struct sink *sink, const struct map *map, const struct packet *packet,
                           uint8_t codec, int64_t sequence, int is_repair, const struct told *sending, uint8_t *out) {
    int16_t type = is_repair ? sink->profile.repair_type[codec] : sink->profile.payload_type[codec];
    size_t extensions = write_extensions(sink, map, packet, sending, out + 12, MAX_EXTENSIONS);
    int marker = packet->marker || (packet->info.frame_end && packet->info.spatial_id == map->top);
    out[0] = (uint8_t)(0x80 | (extensions ? 0x10 : 0));
    out[1] = (uint8_t)(marker << 7 | type);
    write16(out + 2, (uint16_t)sequence);
    write32(out + 4, map->ts_out + (uint32_t)((int32_t)(packet->timestamp - map->ts_in) >> map->ts_shift));
    write32(out + 8, is_repair ? sink->repair_ssrc : sink->ssrc);
    return 12 + extensions;
}

/* Fills `head` with what stands before the untouched rest of the payload: the original sequence number of a
 * retransmission, a VP8 descriptor with new numbers. Returns its length; `*taken` payload bytes are in it. */
static size_t write_head(const struct map *map, const struct packet *packet, const uint8_t *payload, int64_t out_seq,
                         int is_repair, uint8_t head[HEAD], size_t *taken) {
    size_t start = is_repair ? 2 : 0;
    int rewrite = packet->info.picture_id_offset && (map->picture_offset || map->tl0_offset);
    *taken = 0;
    if (is_repair)
        write16(head, (uint16_t)out_seq);
    if (!rewrite)
        return start;
    *taken = packet->size < HEAD - start ? packet->size : HEAD - start;
    memcpy(head + start, payload, *taken);
    payload_rewrite(head + start, &packet->info, (uint16_t)(packet->info.picture_id + map->picture_offset),
                    (uint8_t)(packet->info.tl0_picture_index + map->tl0_offset));
    return start + *taken;
}

static void written(struct core *core, struct sink *sink, const struct told *sending, uint8_t *out, size_t size,
                    int64_t now) {
    struct conn *conn = sink->conn;
    if (tells_number(sink, sending)) {
        if (sending->number == departures_next(conn->departures))
            departures_add(conn->departures, size, now);
        else
            departures_repeat(conn->departures, sending->number);
    }
    output_commit(core, conn, out, size);
    conn->packets_sent++;
    conn->bytes_sent += size;
}

/* out_seq: the number the packet has, or had when it was first sent (is_repair: it goes by RTX under a number of that
 * stream). A sink whose subscriber cannot decode the codec sends nothing. */
void write_packet(struct core *core, struct sink *sink, const struct map *map, const struct packet *packet,
                  int64_t out_seq, int is_repair, int64_t now) {
    struct conn *conn = sink->conn;
    if (!conn->tx || !conn->path.kind || sink->profile.payload_type[packet->codec] < 0)
        return;
    int64_t number = is_repair ? sink->repair_seq + 1 : out_seq;
    struct told sending;
    if (!sending_of(sink, packet, number, now, &sending)) {
        count(core, dropped_retransmission);
        return;
    }
    uint8_t head[MAX_SOUND];
    size_t taken = 0, head_size = is_repair ? 0 : write_redundancy(sink, map, packet, number, &sending, head);
    size_t cap = 12 + MAX_EXTENSIONS + 2 + head_size + packet->size + SRTP_MAX_OVERHEAD;
    uint8_t *out = output_reserve(core, cap);
    uint8_t codec = head_size ? CODEC_RED : packet->codec;
    size_t header = write_header(sink, map, packet, codec, number, is_repair, &sending, out);
    const uint8_t *payload = cache_bytes(&map->source->cache, packet) + packet->descriptor;
    if (!head_size)
        head_size = write_head(map, packet, payload, out_seq, is_repair, head, &taken);
    int size = srtp_protect(conn->tx, (uint64_t)number, out, cap, header, head, head_size, payload + taken,
                            packet->size - taken);
    if (size < 0)
        return;
    written(core, sink, &sending, out, (size_t)size, now);
    if (is_repair) {
        sink->repair_seq = number;
        sink->retransmitted++;
        return;
    }
    sink->packets++;
    sink->bytes += (uint64_t)size;
    sink->octets_payload += packet->size;
    count(core, packets_forwarded);
}

/* An RTX packet of nothing but padding (RFC 3550 section 5.1), for receivers to drop. */
void write_padding(struct core *core, struct sink *sink, int64_t now) {
    static const uint8_t padding[PADDING] = {[PADDING - 1] = PADDING};
    struct conn *conn = sink->conn;
    int codec = 0;
    while (codec < CODEC_COUNT && sink->profile.repair_type[codec] < 0)
        codec++;
    if (!conn->tx || !conn->path.kind || codec == CODEC_COUNT || !sink->repair_ssrc)
        return;
    struct packet nothing = {.codec = (uint8_t)codec, .timestamp = sink->out_ts};
    struct map map = {.ts_in = sink->out_ts, .ts_out = sink->out_ts, .top = LAYERS_ALL};
    int64_t number = sink->repair_seq + 1;
    struct told sending;
    if (!sending_of(sink, &nothing, number, now, &sending))
        return;
    size_t cap = 12 + MAX_EXTENSIONS + PADDING + SRTP_MAX_OVERHEAD;
    uint8_t *out = output_reserve(core, cap);
    size_t header = write_header(sink, &map, &nothing, (uint8_t)codec, number, 1, &sending, out);
    out[0] |= 0x20;
    int size = srtp_protect(conn->tx, (uint64_t)number, out, cap, header, padding, PADDING, NULL, 0);
    if (size < 0)
        return;
    sink->repair_seq = number;
    written(core, sink, &sending, out, (size_t)size, now);
}
