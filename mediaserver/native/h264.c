/* H.264 payloads: single NAL units, STAP-A and FU-A, which is all that packetization modes 0 and 1 allow.
 *
 * A key frame is seen by its sequence parameter set: an IDR picture without one in front of it gives a newcomer nothing
 * to decode it with. RFC 6184 sections 5.2 to 5.8; ITU-T H.264 sections 7.3.2.1.1 (parameter set), 7.3.3 (slice).
 */
#include <string.h>

#include "bits.h"
#include "header.h"
#include "payload.h"

#define MAX_MACROBLOCKS 4096 /* a side of 65536 luma samples is more than any level allows */
#define MAX_POC_CYCLE 255

enum nal { NAL_SLICE = 1, NAL_IDR = 5, NAL_SEI = 6, NAL_SPS = 7, NAL_PPS = 8, NAL_DELIMITER = 9, STAP_A = 24, FU_A = 28 };

static void skip_scaling_list(struct bits *b, int size) {
    int32_t last = 8, next = 8;
    for (int i = 0; i < size && !b->failed; i++) {
        if (next != 0) {
            uint32_t code = bits_golomb(b); /* se(v): 1, -1, 2, -2 ... as 1, 2, 3, 4 */
            int32_t delta = (int32_t)(code & 0x1FF) + 1;
            delta = code & 1 ? delta / 2 : -(delta / 2);
            next = (last + delta + 256) & 0xFF;
        }
        if (next != 0) last = next;
    }
}

static int has_chroma_format(uint32_t profile) {
    static const uint8_t profiles[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

/* ChromaArrayType: chroma_format_idc, but 0 for planes that are coded separately. */
static uint32_t read_chroma_format(struct bits *b) {
    uint32_t format = bits_golomb(b);
    uint32_t separate = format == 3 ? bits_one(b) : 0;
    bits_golomb(b); /* bit_depth_luma_minus8 */
    bits_golomb(b); /* bit_depth_chroma_minus8 */
    bits_one(b);
    if (bits_one(b))
        for (int i = 0; i < (format == 3 ? 12 : 8); i++)
            if (bits_one(b)) skip_scaling_list(b, i < 6 ? 16 : 64);
    return separate ? 0 : format;
}

static void skip_order_count(struct bits *b) {
    uint32_t type = bits_golomb(b);
    if (type == 0) bits_golomb(b);
    if (type != 1) return;
    bits_one(b);
    bits_golomb(b);
    bits_golomb(b);
    uint32_t cycle = bits_golomb(b);
    if (cycle > MAX_POC_CYCLE) b->failed = 1;
    for (uint32_t i = 0; i < cycle && !b->failed; i++) bits_golomb(b);
}

/* `sps` starts behind the NAL unit's header byte. Leaves the size 0 if it makes no sense. */
static void read_size(const uint8_t *sps, size_t len, struct payload_info *out) {
    struct bits b = {.data = sps, .len = len, .emulation = 1};
    uint32_t profile = bits_read(&b, 8);
    bits_read(&b, 16); /* constraints, level */
    bits_golomb(&b);   /* its id */
    uint32_t chroma = has_chroma_format(profile) ? read_chroma_format(&b) : 1;
    bits_golomb(&b); /* log2_max_frame_num_minus4 */
    skip_order_count(&b);
    bits_golomb(&b); /* max_num_ref_frames */
    bits_one(&b);
    uint32_t columns = bits_golomb(&b), rows = bits_golomb(&b), frames_only = bits_one(&b);
    if (b.failed || columns >= MAX_MACROBLOCKS || rows >= MAX_MACROBLOCKS / 2) return;
    if (!frames_only) bits_one(&b);
    bits_one(&b);
    uint64_t width = (columns + 1) * 16u, height = (rows + 1) * 16u * (2 - frames_only), cut_x = 0, cut_y = 0;
    if (bits_one(&b)) {
        cut_x = (uint64_t)bits_golomb(&b) + bits_golomb(&b);
        cut_y = (uint64_t)bits_golomb(&b) + bits_golomb(&b);
        cut_x *= chroma == 1 || chroma == 2 ? 2 : 1;
        cut_y *= (chroma == 1 ? 2 : 1) * (2 - frames_only);
    }
    if (b.failed || cut_x >= width || cut_y >= height || width > UINT16_MAX || height > UINT16_MAX) return;
    out->width = (uint16_t)(width - cut_x);
    out->height = (uint16_t)(height - cut_y);
}

static int is_slice(uint8_t type) { return type >= NAL_SLICE && type <= NAL_IDR; }

/* What a NAL unit, or its first fragment, tells. `body`: behind its header. */
static void read_nal(uint8_t type, const uint8_t *body, size_t len, struct payload_info *out) {
    if (is_slice(type) && len > 0 && body[0] & 0x80) out->frame_start = 1; /* first macroblock */
    if (type >= NAL_SEI && type <= NAL_DELIMITER) out->frame_start = 1;
    if (type != NAL_SPS) return;
    out->keyframe = 1;
    if (!out->width) read_size(body, len, out);
}

static int read_aggregate(const uint8_t *payload, size_t len, struct payload_info *out) {
    size_t at = 1;
    int slices = 0;
    if (len < 2) return -1;
    while (at < len) {
        if (len - at < 3) return -1;
        size_t size = read16(payload + at);
        at += 2;
        if (size == 0 || size > len - at) return -1;
        slices |= is_slice(payload[at] & 0x1F);
        read_nal(payload[at] & 0x1F, payload + at + 1, size - 1, out);
        at += size;
    }
    out->discardable = slices && !(payload[0] & 0x60); /* nal_ref_idc: the highest of those inside */
    return 0;
}

static int read_fragment(const uint8_t *payload, size_t len, struct payload_info *out) {
    if (len < 2) return -1;
    uint8_t type = payload[1] & 0x1F;
    out->discardable = is_slice(type) && !(payload[0] & 0x60);
    if (payload[1] & 0x80) read_nal(type, payload + 2, len - 2, out);
    return 0;
}

static int read_payload(const uint8_t *payload, size_t len, struct payload_info *out) {
    if (len == 0) return -1;
    uint8_t type = payload[0] & 0x1F;
    if (type == STAP_A) return read_aggregate(payload, len, out);
    if (type == FU_A) return read_fragment(payload, len, out);
    if (type == 0 || type >= STAP_A) return -1;
    out->discardable = is_slice(type) && !(payload[0] & 0x60);
    read_nal(type, payload + 1, len - 1, out);
    return 0;
}

int h264_read(const uint8_t *payload, size_t len, struct payload_info *out) {
    memset(out, 0, sizeof *out);
    if (read_payload(payload, len, out) == 0) return 0;
    memset(out, 0, sizeof *out);
    return -1;
}
