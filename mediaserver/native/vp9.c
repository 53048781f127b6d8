/* The VP9 payload descriptor, flexible mode or not, with its scalability structure: RFC 9628 section 4.2. */
#include <string.h>

#include "header.h"
#include "payload.h"

#define MAX_REFERENCES 3

enum descriptor_bit { I = 0x80, P = 0x40, L = 0x20, F = 0x10, B = 0x08, E = 0x04, V = 0x02 };

struct cursor { /* reads bytes; past the end zeros, and `failed` */
    const uint8_t *data;
    size_t len, at;
    int failed;
};

static uint8_t next(struct cursor *c) {
    if (c->at >= c->len) {
        c->failed = 1;
        return 0;
    }
    return c->data[c->at++];
}

static void read_picture_id(struct cursor *c, struct payload_info *out) {
    out->picture_id_offset = (uint8_t)c->at;
    uint8_t high = next(c);
    out->picture_id_bits = high & 0x80 ? 15 : 7;
    out->picture_id = high & 0x7F;
    if (out->picture_id_bits == 15) out->picture_id = (uint16_t)(out->picture_id << 8 | next(c));
}

static void read_layer(struct cursor *c, int flexible, struct payload_info *out) {
    uint8_t layer = next(c);
    out->temporal_id = layer >> 5;
    out->switch_up = layer >> 4 & 1;
    out->spatial_id = layer >> 1 & 7;
    if (flexible) return;
    out->tl0_offset = (uint8_t)c->at;
    out->tl0_picture_index = next(c);
}

static void skip_references(struct cursor *c) {
    for (int i = 0; i < MAX_REFERENCES; i++)
        if (!(next(c) & 1)) return;
    c->failed = 1; /* a fourth one is announced */
}

/* Sizes by spatial layer, and the pictures of a group. The last layer is the largest. */
static void read_structure(struct cursor *c, struct payload_info *out) {
    uint8_t first = next(c);
    out->layers = (uint8_t)((first >> 5) + 1);
    for (int layers = (first >> 5) + 1; first & 0x10 && layers > 0; layers--) {
        uint8_t high = next(c);
        out->width = (uint16_t)(high << 8 | next(c));
        high = next(c);
        out->height = (uint16_t)(high << 8 | next(c));
    }
    for (int pictures = first & 0x08 ? next(c) : 0; pictures > 0; pictures--)
        for (int references = next(c) >> 2 & 3; references > 0; references--) next(c);
}

static int read_descriptor(const uint8_t *payload, size_t len, struct payload_info *out) {
    struct cursor c = {.data = payload, .len = len};
    uint8_t bits = next(&c);
    if (bits & I) read_picture_id(&c, out);
    if (bits & L) read_layer(&c, bits & F, out);
    if ((bits & F) && (bits & P)) skip_references(&c);
    if (bits & V) read_structure(&c, out);
    if (c.failed || c.at >= len || c.at > UINT8_MAX) return -1;
    out->descriptor_len = (uint8_t)c.at;
    out->frame_start = (bits & B) != 0;
    out->frame_end = (bits & E) != 0;
    out->inter_picture = (bits & P) != 0;
    out->keyframe = out->frame_start && !(bits & P) && out->spatial_id == 0;
    if (!out->keyframe) out->width = out->height = out->layers = 0;
    return 0;
}

int vp9_read(const uint8_t *payload, size_t len, struct payload_info *out) {
    memset(out, 0, sizeof *out);
    if (read_descriptor(payload, len, out) == 0) return 0;
    memset(out, 0, sizeof *out);
    return -1;
}
