/* The last packets of a source in a ring of bytes: for whoever joins, and for whoever lost one.
 *
 * Shared by all sinks of the source, so a subscriber costs no packet memory. Slot = sequence number modulo slots; a
 * packet's bytes are valid until the ring has been written once around. Payloads lie contiguous.
 */
#include <string.h>

#include "core.h"

struct packet *cache_find(const struct cache *cache, int64_t seq) {
    struct packet *packet = &cache->packets[(uint64_t)seq & (cache->slots - 1)];
    if (!packet->used || packet->seq != seq)
        return NULL;
    if (packet->position + cache->capacity < cache->head)
        return NULL; /* overwritten */
    return packet;
}

/* Whether it was stored, be its bytes there still or not. Only for numbers less than `slots` behind the newest. */
int cache_had(const struct cache *cache, int64_t seq) {
    const struct packet *packet = &cache->packets[(uint64_t)seq & (cache->slots - 1)];
    return packet->used && packet->seq == seq;
}

/* NULL: the packet is too large to ever fit. `payload` may be NULL for size 0. */
struct packet *cache_store(struct cache *cache, int64_t seq, const uint8_t *descriptor, uint8_t descriptor_size,
                           const uint8_t *payload, uint16_t size) {
    uint32_t need = (uint32_t)size + descriptor_size;
    if (need > MAX_DATAGRAM)
        return NULL;
    uint32_t at = (uint32_t)(cache->head & (cache->capacity - 1));
    if (at + need > cache->capacity)
        cache->head += cache->capacity - at; /* no packet spans the seam */
    struct packet *packet = &cache->packets[(uint64_t)seq & (cache->slots - 1)];
    packet->used = 1;
    packet->seq = seq;
    packet->position = cache->head;
    packet->size = size;
    packet->descriptor = descriptor_size;
    uint8_t *bytes = cache->bytes + (cache->head & (cache->capacity - 1));
    if (descriptor_size)
        memcpy(bytes, descriptor, descriptor_size);
    if (size)
        memcpy(bytes + descriptor_size, payload, size);
    cache->head += need;
    return packet;
}
