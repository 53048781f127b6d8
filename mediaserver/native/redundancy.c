/* Sound that carries the packets before it along, for a line that loses some: what is missing comes with the next one,
 * without a way there and back. RFC 2198. */
#include <string.h>

#include "core.h"

#define BLOCK_HEADER 4 /* of each repetition; the newest block's has one byte */
#define MAX_BLOCK 1023
#define MAX_OFFSET 16383 /* of a timestamp */

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
