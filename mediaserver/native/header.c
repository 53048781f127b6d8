/* RTP headers: read, and the extension block written. What the functions promise: header.h.
 * RFC 3550 section 5.1, RFC 8285 sections 4.1 to 4.3.
 */
#include "header.h"

#include <string.h>

#define FIXED 12
#define BLOCK_HEADER 4 /* of the extension: what it is, and its length in words */
#define MAX_PACKET 65535
#define ONE_BYTE_FORM 0xBEDE
#define TWO_BYTE_FORM 0x1000 /* the last four bits are free for the application */
#define ONE_BYTE_MAX_ID 14
#define ONE_BYTE_MAX_LEN 16
#define ONE_BYTE_STOP 15

static void note(struct rtp_header *out, uint8_t kind, size_t offset, uint8_t len) {
    if (kind == EXT_NONE || kind >= EXT_COUNT || len == 0) return;
    out->ext[kind] = (struct ext_value){.offset = (uint16_t)offset, .len = len};
}

static void read_one_byte(const uint8_t *packet, size_t at, size_t end, const uint8_t *kinds, struct rtp_header *out) {
    while (at < end) {
        uint8_t id = packet[at] >> 4, len = (uint8_t)((packet[at] & 15) + 1);
        if (packet[at] == 0) { /* padding */
            at++;
            continue;
        }
        if (id == 0 || id == ONE_BYTE_STOP || len > end - at - 1) return;
        note(out, kinds[id], at + 1, len);
        at += 1u + len;
    }
}

static void read_two_byte(const uint8_t *packet, size_t at, size_t end, const uint8_t *kinds, struct rtp_header *out) {
    while (at < end) {
        uint8_t id = packet[at];
        if (id == 0) { /* padding */
            at++;
            continue;
        }
        if (end - at < 2 || packet[at + 1] > end - at - 2) return;
        note(out, kinds[id], at + 2, packet[at + 1]);
        at += 2u + packet[at + 1];
    }
}

/* Where the payload starts; 0 if that lies beyond len. */
static size_t read_extension(const uint8_t *packet, size_t len, size_t at, const uint8_t *kinds,
                             struct rtp_header *out) {
    if (len - at < BLOCK_HEADER) return 0;
    unsigned form = read16(packet + at);
    size_t size = read16(packet + at + 2) * 4u;
    at += BLOCK_HEADER;
    if (size > len - at) return 0;
    if (form == ONE_BYTE_FORM)
        read_one_byte(packet, at, at + size, kinds, out);
    else if ((form & 0xFFF0) == TWO_BYTE_FORM)
        read_two_byte(packet, at, at + size, kinds, out);
    return at + size;
}

int rtp_header_read(const uint8_t *packet, size_t len, const uint8_t kinds[256], struct rtp_header *out) {
    memset(out, 0, sizeof *out);
    if (len < FIXED || len > MAX_PACKET || packet[0] >> 6 != 2) return -1;
    size_t end = FIXED + (packet[0] & 15) * 4u;
    if (end > len) return -1;
    if (packet[0] & 0x10) end = read_extension(packet, len, end, kinds, out);
    if (end == 0) return -1;
    out->has_padding = packet[0] >> 5 & 1;
    out->marker = packet[1] >> 7;
    out->payload_type = packet[1] & 0x7F;
    out->sequence = read16(packet + 2);
    out->timestamp = read32(packet + 4);
    out->ssrc = read32(packet + 8);
    out->header_len = (uint16_t)end;
    return 0;
}

int rtp_payload_length(const uint8_t *packet, size_t len, const struct rtp_header *header) {
    if (len < header->header_len || len > MAX_PACKET) return -1;
    size_t payload = len - header->header_len;
    if (!header->has_padding) return (int)payload;
    if (payload == 0 || packet[len - 1] == 0 || packet[len - 1] > payload) return -1;
    return (int)(payload - packet[len - 1]);
}

static int fits_one_byte(const struct ext_element *elements, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (elements[i].id > ONE_BYTE_MAX_ID || elements[i].len == 0 || elements[i].len > ONE_BYTE_MAX_LEN) return 0;
    return 1;
}

int rtp_extensions_write(uint8_t *dst, size_t cap, const struct ext_element *elements, size_t count) {
    if (count == 0) return 0;
    size_t element_header = fits_one_byte(elements, count) ? 1 : 2, at = BLOCK_HEADER;
    for (size_t i = 0; i < count; i++) {
        const struct ext_element *e = &elements[i];
        if (e->id == 0 || at > cap || cap - at < element_header + e->len) return -1;
        if (element_header == 1) {
            dst[at] = (uint8_t)(e->id << 4 | (e->len - 1));
        } else {
            dst[at] = e->id;
            dst[at + 1] = e->len;
        }
        if (e->len) memcpy(dst + at + element_header, e->value, e->len);
        at += element_header + e->len;
    }
    size_t end = (at + 3) & ~(size_t)3;
    if (end > cap || end > MAX_PACKET) return -1;
    memset(dst + at, 0, end - at);
    write16(dst, element_header == 1 ? ONE_BYTE_FORM : TWO_BYTE_FORM);
    write16(dst + 2, (uint16_t)((end - BLOCK_HEADER) / 4));
    return (int)end;
}
