/* From a codec's number to its reader; what VP8 and VP9 have in common. */
#include <string.h>

#include "header.h"
#include "payload.h"

#define RED_HEADER 4 /* of each repetition; the newest block's has one byte */

void payload_rewrite(uint8_t *payload, const struct payload_info *info, uint16_t picture_id,
                     uint8_t tl0_picture_index) {
    uint8_t *at = payload + info->picture_id_offset;
    if (info->picture_id_offset && info->picture_id_bits == 15) write16(at, picture_id | 0x8000);
    if (info->picture_id_offset && info->picture_id_bits == 7) *at = picture_id & 0x7F;
    if (info->tl0_offset) payload[info->tl0_offset] = tl0_picture_index;
}

int red_read(const uint8_t *payload, size_t len, struct payload_info *out) {
    size_t at = 0, repeated = 0;
    memset(out, 0, sizeof *out);
    for (; at < len && payload[at] & 0x80; at += RED_HEADER) {
        if (len - at < RED_HEADER) return -1;
        repeated += read16(payload + at + 2) & 0x3FF;
    }
    if (at >= len || at + 1 + repeated >= len || at + 1 + repeated > UINT16_MAX) return -1;
    out->primary_type = payload[at] & 0x7F;
    out->primary = (uint16_t)(at + 1 + repeated);
    return 0;
}

int red_blocks(const uint8_t *payload, struct red_block *out, int most) {
    int count = 0, written = 0;
    while (payload[RED_HEADER * count] & 0x80) count++;
    size_t at = (size_t)RED_HEADER * count + 1;
    for (int i = 0; i < count; i++, payload += RED_HEADER) {
        uint16_t size = read16(payload + 2) & 0x3FF;
        if (i >= count - most)
            out[written++] = (struct red_block){(uint16_t)(read16(payload + 1) >> 2), (uint16_t)at, size};
        at += size;
    }
    return written;
}

int payload_read(enum codec_id codec, const uint8_t *payload, size_t len, struct payload_info *out) {
    switch (codec) {
    case CODEC_VP8: return vp8_read(payload, len, out);
    case CODEC_VP9: return vp9_read(payload, len, out);
    case CODEC_H264_BASELINE:
    case CODEC_H264_HIGH: return h264_read(payload, len, out);
    case CODEC_AV1: return av1_read(payload, len, out);
    case CODEC_RED: return red_read(payload, len, out);
    case CODEC_OPUS: memset(out, 0, sizeof *out); return 0;
    case CODEC_COUNT: break;
    }
    memset(out, 0, sizeof *out);
    return -1;
}
