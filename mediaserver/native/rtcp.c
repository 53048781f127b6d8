/* RTCP: walking a compound packet, and writing one. RFC 3550 section 6, RFC 4585. What is done with them: demux.c
 * (incoming), timers.c (outgoing). */
#include <string.h>

#include "core.h"

/* 1 and the next packet of a compound; 0 at its end; -1 where it is malformed. */
int rtcp_next(const uint8_t **cursor, const uint8_t *end, struct rtcp_packet *out) {
    const uint8_t *p = *cursor;
    size_t left = (size_t)(end - p);
    if (left == 0)
        return 0;
    if (left < 4 || p[0] >> 6 != 2)
        return -1;
    size_t size = ((size_t)read16(p + 2) + 1) * 4;
    if (size > left)
        return -1;
    size_t body = size - 4;
    if (p[0] & 0x20) { /* padding, counted by the last byte */
        uint8_t padding = p[size - 1];
        if (padding == 0 || padding > body)
            return -1;
        body -= padding;
    }
    out->type = p[1];
    out->count = p[0] & 0x1F;
    out->body = p + 4;
    out->size = body;
    *cursor = p + size;
    return 1;
}

/* Opens a packet with a body of `body` bytes (a multiple of 4) and returns where the body goes; NULL: no room. */
uint8_t *rtcp_begin(struct rtcp_writer *w, uint8_t type, uint8_t count, size_t body) {
    if (w->size + 4 + body > w->cap)
        return NULL;
    uint8_t *p = w->bytes + w->size;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = type;
    write16(p + 2, (uint16_t)(body / 4));
    w->size += 4 + body;
    memset(p + 4, 0, body);
    return p + 4;
}

/* Protects what was written and puts it among the outgoing packets of this batch. */
void rtcp_send(struct core *core, struct conn *conn, struct rtcp_writer *w) {
    if (!conn->tx || !conn->path.kind || w->size == 0)
        return;
    uint8_t *at = output_reserve(core, w->size + SRTP_MAX_OVERHEAD);
    memcpy(at, w->bytes, w->size);
    int size = srtcp_protect(conn->tx, &conn->rtcp_index, at, w->size, w->size + SRTP_MAX_OVERHEAD);
    if (size < 0)
        return;
    output_commit(core, conn, at, (size_t)size);
    count(core, rtcp_sent);
}
