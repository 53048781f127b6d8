/* The dependency descriptor: which layers a frame belongs to, and which of them need it.
 * AV1 RTP payload specification, appendix A.8. */
#include <string.h>

#include "bits.h"
#include "payload.h"

#define SHORT 3 /* bytes of a descriptor without extended fields */

/* A number below `limit`, in as few bits as that takes: ns(n). */
static uint32_t read_below(struct bits *b, uint32_t limit) {
    unsigned width = 0;
    for (uint32_t x = limit; x; x >>= 1) width++;
    uint32_t spare = (1u << width) - limit, value = bits_read(b, width - 1);
    return value < spare ? value : (value << 1) - spare + bits_one(b);
}

static int read_layers(struct bits *b, struct dd_structure *s) {
    uint8_t spatial = 0, temporal = 0;
    for (unsigned more = 0; more != 3;) {
        if (s->templates == MAX_TEMPLATES || spatial > 3 || temporal > 7 || b->failed) return -1;
        s->spatial[s->templates] = spatial;
        s->temporal[s->templates++] = temporal;
        if (spatial >= s->spatial_layers) s->spatial_layers = (uint8_t)(spatial + 1);
        if (temporal >= s->temporal_layers) s->temporal_layers = (uint8_t)(temporal + 1);
        more = bits_read(b, 2);
        if (more == 1) temporal++;
        if (more == 2) {
            temporal = 0;
            spatial++;
        }
    }
    return 0;
}

static uint64_t read_indications(struct bits *b, unsigned targets) {
    uint64_t all = 0;
    for (unsigned i = 0; i < targets; i++) all |= (uint64_t)bits_read(b, 2) << 2 * i;
    return all;
}

static void skip_frame_differences(struct bits *b, unsigned templates) {
    for (unsigned i = 0; i < templates; i++)
        while (bits_one(b)) bits_read(b, 4);
}

static void skip_chains(struct bits *b, const struct dd_structure *s) {
    uint32_t chains = read_below(b, s->targets + 1u);
    if (!chains) return;
    for (unsigned i = 0; i < s->targets; i++) read_below(b, chains);
    for (unsigned i = 0; i < s->templates && !b->failed; i++)
        for (unsigned k = 0; k < chains; k++) bits_read(b, 4);
}

/* The layers that a target shows: the highest ones of the frames in it. */
static void find_targets(struct dd_structure *s) {
    for (unsigned target = 0; target < s->targets; target++)
        for (unsigned i = 0; i < s->templates; i++) {
            if (dd_indication(s->indications[i], target) == DD_NOT_PRESENT) continue;
            if (s->spatial[i] > s->target_spatial[target]) s->target_spatial[target] = s->spatial[i];
            if (s->temporal[i] > s->target_temporal[target]) s->target_temporal[target] = s->temporal[i];
        }
}

static int read_structure(struct bits *b, struct dd_structure *s) {
    memset(s, 0, sizeof *s);
    s->offset = (uint8_t)bits_read(b, 6);
    s->targets = (uint8_t)(bits_read(b, 5) + 1);
    if (read_layers(b, s) < 0) return -1;
    for (unsigned i = 0; i < s->templates; i++) s->indications[i] = read_indications(b, s->targets);
    skip_frame_differences(b, s->templates);
    skip_chains(b, s);
    if (bits_one(b)) {
        for (unsigned i = 0; i < s->spatial_layers; i++) {
            s->width = (uint16_t)(bits_read(b, 16) + 1);
            s->height = (uint16_t)(bits_read(b, 16) + 1);
        }
    }
    find_targets(s);
    s->active = (uint32_t)((1ull << s->targets) - 1);
    return b->failed ? -1 : 0;
}

int dd_read(const uint8_t *data, size_t len, struct dd_structure *structure, struct dd_frame *out) {
    struct bits b = {.data = data, .len = len};
    struct dd_structure fresh;
    const struct dd_structure *s = structure;
    struct dd_frame frame = {.start = (uint8_t)bits_one(&b), .end = (uint8_t)bits_one(&b)};
    memset(out, 0, sizeof *out);
    unsigned template = bits_read(&b, 6);
    frame.number = (uint16_t)bits_read(&b, 16);
    unsigned flags = len > SHORT ? bits_read(&b, 5) : 0; /* structure, active targets, own indications, the rest */
    if (flags & 0x10) {
        if (read_structure(&b, &fresh) < 0) return -1;
        s = &fresh;
        frame.has_structure = 1;
    }
    uint32_t active = flags & 0x08 ? bits_read(&b, s->targets) : s->active;
    unsigned index = (template - s->offset) & 63;
    if (b.failed || index >= s->templates) return -1;
    frame.spatial = s->spatial[index];
    frame.temporal = s->temporal[index];
    frame.indications = flags & 0x04 ? read_indications(&b, s->targets) : s->indications[index];
    if (b.failed) return -1;
    if (frame.has_structure) *structure = fresh;
    structure->active = active;
    *out = frame;
    return 0;
}
