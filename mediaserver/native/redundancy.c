/* Sound that carries the packets before it along, for a line that loses some: what is missing comes with the next one,
 * without a way there and back. What a publisher sends so is taken apart here; what a subscriber needs so is put
 * together anew. RFC 2198. */
#include <string.h>

#include "core.h"

#define BLOCK_HEADER 4 /* of each repetition; the newest block's has one byte */
#define MAX_BLOCK 1023
#define MAX_OFFSET 16383 /* of a timestamp */
#define MAX_BLOCKS 4     /* looked at in a packet */

/* Blocks bear no numbers: whether those before `seq` in a row go with them, as far as we know those packets. */
static int in_a_row(const struct source *source, int64_t seq, uint32_t timestamp, const struct red_block *blocks,
                    int count) {
    for (int back = 1; back <= count + 1; back++) {
        const struct packet *known = cache_find(&source->cache, seq - back);
        uint32_t at = back <= count ? timestamp - blocks[count - back].before : timestamp - blocks[0].before - 1;
        if (known && (back <= count ? known->timestamp != at : (int32_t)(at - known->timestamp) < 0))
            return 0;
    }
    return 1;
}

/* What did not come by itself is taken from what came along. */
static void recover(struct core *core, struct source *source, const struct section *section,
                    const struct rtp_header *header, const uint8_t *packet, int64_t now) {
    struct red_block blocks[MAX_BLOCKS];
    int count = red_blocks(packet + header->header_len, blocks, MAX_BLOCKS);
    int64_t seq = source_unwrap(source, header->sequence);
    if (!count || source->received == 0 || !in_a_row(source, seq, header->timestamp, blocks, count))
        return;
    for (int i = 0; i < count; i++) {
        int64_t missing = seq - (count - i);
        if (!blocks[i].size || missing < source->first || missing <= source->muted_to ||
            missing <= source->highest - source->cache.slots || cache_had(&source->cache, missing))
            continue;
        struct rtp_header plain = *header;
        plain.sequence = (uint16_t)missing;
        plain.timestamp -= blocks[i].before;
        plain.header_len = (uint16_t)(header->header_len + blocks[i].at);
        plain.marker = 0;
        plain.ext[EXT_AUDIO_LEVEL].len = 0; /* the newest block's */
        count(core, packets_recovered);
        source_packet(core, source, section, &plain, packet, blocks[i].size, 1, now);
    }
}

/* `size`: of the payload. What is malformed has a number all the same: without content sinks close the gap. */
void redundancy_arrived(struct core *core, struct source *source, const struct section *section,
                        const struct rtp_header *header, const uint8_t *packet, uint16_t size, int64_t now) {
    struct payload_info info = {0};
    struct rtp_header newest = *header;
    if (size && (red_read(packet + header->header_len, size, &info) < 0 ||
                 section->codec_of[info.primary_type] != CODEC_OPUS)) {
        count(core, dropped_malformed_payload);
        size = 0;
    } else if (size) {
        recover(core, source, section, header, packet, now);
        newest.header_len = (uint16_t)(header->header_len + info.primary);
        size = (uint16_t)(size - info.primary);
    }
    source_packet(core, source, section, &newest, packet, size, 0, now);
}

/* The packet `back` before this one, if the subscriber was to hear it and it fits a block; else NULL. */
static const struct packet *before(const struct map *map, const struct packet *packet, int back) {
    const struct packet *found =
        packet->seq - back < map->from ? NULL : cache_find(&map->source->cache, packet->seq - back);
    if (!found || found->codec != packet->codec || !found->size || found->size > MAX_BLOCK)
        return NULL;
    uint32_t offset = packet->timestamp - found->timestamp;
    return offset && offset <= MAX_OFFSET ? found : NULL;
}

/* What stands before the payload of a packet that is `sink_redundant`, if it goes as RED: headers, and as many of the packets before it as the subscriber
 * wants, are there, and fit; the oldest first. 0: it goes as it is. */
size_t redundancy_write(const struct sink *sink, const struct map *map, const struct packet *packet, uint8_t *out,
                        size_t cap) {
    const struct packet *blocks[MAX_REDUNDANCY];
    size_t count = 0, size = 1;
    for (int back = 1; back <= sink->profile.redundancy; back++) {
        const struct packet *found = before(map, packet, back);
        if (!found || size + BLOCK_HEADER + found->size + packet->size > cap)
            break;
        size += BLOCK_HEADER + found->size;
        blocks[count++] = found;
    }
    if (!count)
        return 0;
    uint8_t type = (uint8_t)sink->profile.payload_type[CODEC_OPUS], *header = out;
    uint8_t *data = out + count * BLOCK_HEADER + 1;
    while (count--) {
        const struct packet *block = blocks[count];
        write32(header, (uint32_t)(0x80 | type) << 24 | (packet->timestamp - block->timestamp) << 10 | block->size);
        memcpy(data, cache_bytes(&map->source->cache, block) + block->descriptor, block->size);
        header += BLOCK_HEADER;
        data += block->size;
    }
    *header = type;
    return size;
}
