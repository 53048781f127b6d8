/* The VP8 payload descriptor (RFC 7741 section 4.2) and a key frame's header (RFC 6386 section 9.1). */
#include <string.h>

#include "header.h"
#include "payload.h"

#define KEYFRAME_HEADER 10 /* frame tag, start code, width, height */
#define START_CODE 0x9D012A

static void read_frame_header(const uint8_t *frame, size_t len, struct payload_info *out) {
    out->keyframe = !(frame[0] & 1);
    if (!out->keyframe || len < KEYFRAME_HEADER || read24(frame + 3) != START_CODE) return;
    out->width = (uint16_t)((frame[7] << 8 | frame[6]) & 0x3FFF); /* the upper two bits ask for scaling */
    out->height = (uint16_t)((frame[9] << 8 | frame[8]) & 0x3FFF);
}

/* The optional bytes; the length of the whole descriptor, or 0 if it does not lie within len. */
static size_t read_extended(const uint8_t *payload, size_t len, struct payload_info *out) {
    if (len < 2) return 0;
    uint8_t present = payload[1];
    size_t at = 2;
    if (present & 0x80) { /* I */
        if (at >= len) return 0;
        out->picture_id_offset = (uint8_t)at;
        out->picture_id_bits = payload[at] & 0x80 ? 15 : 7;
        if (out->picture_id_bits == 15 && at + 1 >= len) return 0;
        out->picture_id = out->picture_id_bits == 15 ? read16(payload + at) & 0x7FFF : payload[at];
        at += out->picture_id_bits == 15 ? 2 : 1;
    }
    if (present & 0x40) { /* L */
        if (at >= len) return 0;
        out->tl0_offset = (uint8_t)at;
        out->tl0_picture_index = payload[at++];
    }
    if (present & 0x30) { /* T, K: they share a byte */
        if (at >= len) return 0;
        if (present & 0x20) {
            out->temporal_id = payload[at] >> 6;
            out->switch_up = payload[at] >> 5 & 1; /* Y */
        }
        at++;
    }
    return at;
}

static int read_descriptor(const uint8_t *payload, size_t len, struct payload_info *out) {
    if (len < 2) return -1;
    size_t at = payload[0] & 0x80 ? read_extended(payload, len, out) : 1;
    if (at == 0 || at >= len) return -1;
    out->descriptor_len = (uint8_t)at;
    out->discardable = payload[0] >> 5 & 1;
    out->frame_start = (payload[0] & 0x17) == 0x10; /* S, and partition 0 */
    if (out->frame_start) read_frame_header(payload + at, len - at, out);
    return 0;
}

int vp8_read(const uint8_t *payload, size_t len, struct payload_info *out) {
    memset(out, 0, sizeof *out);
    if (read_descriptor(payload, len, out) == 0) return 0;
    memset(out, 0, sizeof *out);
    return -1;
}
