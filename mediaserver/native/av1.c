/* AV1 payloads: the aggregation header, the OBUs that begin in a packet, the sequence header's size.
 *
 * AV1 RTP payload specification sections 4.2 to 4.5; AV1 bitstream specification sections 5.3.2 (OBU header), 5.5
 * (sequence header), 4.10.5 (leb128).
 */
#include <string.h>

#include "bits.h"
#include "payload.h"

#define MAX_LEB128 8 /* bytes */

enum aggregation_bit { Z = 0x80, N = 0x08 }; /* continues the last packet's OBU; starts a coded video sequence */
enum obu { OBU_SEQUENCE_HEADER = 1, OBU_FRAME_HEADER = 3, OBU_FRAME = 6 };

/* Reads a length at *at and moves behind it; 0, or -1 if it is longer than what is left. */
static int read_length(const uint8_t *payload, size_t len, size_t *at, size_t *value) {
    uint64_t v = 0;
    for (unsigned i = 0; i < MAX_LEB128 && *at < len; i++) {
        uint8_t byte = payload[(*at)++];
        v |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        if (v > len - *at) return -1;
        *value = (size_t)v;
        return 0;
    }
    return -1;
}

static void skip_timing(struct bits *b, int *decoder_model, unsigned *delay_bits) {
    bits_read(b, 32);
    bits_read(b, 32);
    if (bits_one(b)) bits_golomb(b);
    *decoder_model = (int)bits_one(b);
    if (!*decoder_model) return;
    *delay_bits = bits_read(b, 5) + 1;
    bits_read(b, 32);
    bits_read(b, 10);
}

static void skip_operating_points(struct bits *b) {
    int decoder_model = 0;
    unsigned delay_bits = 0;
    if (bits_one(b)) skip_timing(b, &decoder_model, &delay_bits);
    unsigned display_delay = bits_one(b);
    unsigned points = bits_read(b, 5) + 1;
    for (unsigned i = 0; i < points && !b->failed; i++) {
        bits_read(b, 12); /* operating_point_idc */
        if (bits_read(b, 5) > 7) bits_one(b); /* level, tier */
        if (decoder_model && bits_one(b)) {
            bits_read(b, delay_bits);
            bits_read(b, delay_bits);
            bits_one(b);
        }
        if (display_delay && bits_one(b)) bits_read(b, 4);
    }
}

static void read_size(const uint8_t *header, size_t len, struct payload_info *out) {
    struct bits b = {.data = header, .len = len};
    bits_read(&b, 4); /* profile, still_picture */
    if (bits_one(&b))
        bits_read(&b, 5); /* reduced_still_picture_header: one level and nothing else */
    else
        skip_operating_points(&b);
    unsigned width_bits = bits_read(&b, 4) + 1, height_bits = bits_read(&b, 4) + 1;
    uint32_t width = bits_read(&b, width_bits) + 1, height = bits_read(&b, height_bits) + 1;
    if (b.failed || width > UINT16_MAX || height > UINT16_MAX) return;
    out->width = (uint16_t)width;
    out->height = (uint16_t)height;
}

/* What an OBU tells that begins in this packet; it may end in a later one. Returns 1 for a sequence header, 0 for
 * others, -1 if the OBU's own header is cut off. */
static int read_obu(const uint8_t *obu, size_t len, struct payload_info *out) {
    if (len == 0) return 0;
    uint8_t type = obu[0] >> 3 & 15;
    size_t at = 1;
    if (obu[0] & 4) {
        if (len < 2) return -1;
        if (type != OBU_SEQUENCE_HEADER) {
            out->temporal_id = obu[1] >> 5;
            out->spatial_id = obu[1] >> 3 & 3;
        }
        at = 2;
    }
    if (type == OBU_SEQUENCE_HEADER || type == OBU_FRAME_HEADER || type == OBU_FRAME) out->frame_start = 1;
    size_t body = len - at;
    if (obu[0] & 2 && read_length(obu, len, &at, &body) != 0) body = len - at; /* continues in the next packet */
    if (type == OBU_SEQUENCE_HEADER) read_size(obu + at, body, out);
    return type == OBU_SEQUENCE_HEADER;
}

static int read_payload(const uint8_t *payload, size_t len, struct payload_info *out) {
    if (len < 2 || (payload[0] & Z && payload[0] & N)) return -1;
    unsigned announced = payload[0] >> 4 & 3; /* elements; 0: each has a length, however many there are */
    size_t at = 1, size;
    int sequence_header = 0;
    for (unsigned i = 1; at < len || i <= announced; i++) {
        if (i == announced)
            size = len - at;
        else if (read_length(payload, len, &at, &size) != 0)
            return -1;
        int found = i == 1 && payload[0] & Z ? 0 : read_obu(payload + at, size, out);
        if (found < 0) return -1;
        sequence_header |= found;
        at += size;
    }
    out->descriptor_len = 1;
    out->keyframe = sequence_header && payload[0] & N;
    if (!out->keyframe) out->width = out->height = 0;
    return 0;
}

int av1_read(const uint8_t *payload, size_t len, struct payload_info *out) {
    memset(out, 0, sizeof *out);
    if (read_payload(payload, len, out) == 0) return 0;
    memset(out, 0, sizeof *out);
    return -1;
}
