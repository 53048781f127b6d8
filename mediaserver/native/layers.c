/* Which packets of a layered stream a sink takes: temporal layers, and spatial ones that one stream holds (SVC).
 *
 * A sink has caps (what is wanted) and levels (what it takes now). Levels fall at the next picture, rise at a key frame
 * or where the stream says that it may be done: VP8 by Y (RFC 7741), VP9 by U and P (RFC 9628), AV1 and H.264 by the
 * dependency descriptor's switch indications (AV1 RTP payload specification, appendix A). */
#include "core.h"

static uint8_t less(uint8_t a, uint8_t b) { return a < b ? a : b; }

/* A cap that leaves nothing out is none. */
static uint8_t cap_of(int wanted, uint8_t layers) {
    return wanted < 0 || wanted + 1 >= layers ? LAYERS_ALL : (uint8_t)wanted;
}

/* The caps, from what is wanted and what the source has at present. Layer 0 is the best, spatial layer 0 the least. */
void sink_limit(struct sink *sink) {
    const struct source *source = sink->source;
    uint8_t spatial = source ? source->spatial_layers : 0;
    int lowered = spatial - 1 - sink->wanted_layer;
    sink->cap_spatial = sink->wanted_layer < 0 ? LAYERS_ALL : cap_of(lowered < 0 ? 0 : lowered, spatial);
    if (spatial > 1 && source->structure.targets && sink->cap_spatial == LAYERS_ALL)
        sink->cap_spatial = (uint8_t)(spatial - 1); /* lower layers may not be needed for it (L3T3_KEY) */
    sink->cap_temporal = cap_of(sink->wanted_temporal, source ? source->temporal_layers : 0);
}

/* Everything that is wanted is taken: at a start, or a key frame. */
void sink_level(struct sink *sink) {
    sink->level_spatial = sink->cap_spatial;
    sink->level_temporal = sink->cap_temporal;
}

/* Whether only a key frame brings the spatial layer that is wanted. */
int sink_climbs(const struct sink *sink) {
    return sink->source && sink->level_spatial < sink->cap_spatial && sink->source->spatial_layers > 1;
}

/* The decode target that shows most within these levels. */
static unsigned target_within(const struct dd_structure *s, uint8_t spatial, uint8_t temporal) {
    unsigned best = s->targets - 1u;
    int found = 0;
    for (unsigned i = 0; i < s->targets; i++) {
        if (!(s->active >> i & 1) || s->target_spatial[i] > spatial || s->target_temporal[i] > temporal)
            continue;
        if (!found || s->target_spatial[i] > s->target_spatial[best] ||
            (s->target_spatial[i] == s->target_spatial[best] && s->target_temporal[i] > s->target_temporal[best]))
            best = i;
        found = 1;
    }
    return best;
}

static int may_rise(const struct sink *sink, const struct source *source, const struct packet *packet) {
    const struct payload_info *info = &packet->info;
    if (sink->level_temporal >= sink->cap_temporal)
        return 0;
    if (!packet->has_indications)
        return info->switch_up && info->temporal_id == sink->level_temporal + 1;
    unsigned target = target_within(&source->structure, sink->level_spatial, sink->cap_temporal);
    return dd_indication(packet->indications, target) == DD_SWITCH;
}

/* The levels from the first packet of a frame on. */
static void step(struct sink *sink, const struct source *source, const struct packet *packet) {
    const struct payload_info *info = &packet->info;
    if (info->keyframe) {
        sink_level(sink);
        return;
    }
    if (info->spatial_id == 0) {
        sink->level_spatial = less(sink->level_spatial, sink->cap_spatial);
        sink->level_temporal = less(sink->level_temporal, sink->cap_temporal);
    }
    if (may_rise(sink, source, packet)) {
        sink->level_temporal = packet->has_indications ? sink->cap_temporal : info->temporal_id;
        if (sink->level_temporal + 1 >= source->temporal_layers)
            sink->level_temporal = sink->cap_temporal;
    }
    if (packet->codec == CODEC_VP9 && !info->inter_picture && sink->level_spatial < sink->cap_spatial &&
        info->spatial_id == sink->level_spatial + 1)
        sink->level_spatial = info->spatial_id + 1 >= source->spatial_layers ? sink->cap_spatial : info->spatial_id;
}

/* Whether the sink takes this packet of its source. `source->structure` is the one the packet was read with, or newer. */
int sink_wants(struct sink *sink, const struct source *source, const struct packet *packet) {
    if ((sink->cap_spatial & sink->cap_temporal & sink->level_spatial & sink->level_temporal) == LAYERS_ALL)
        return 1;
    if (packet->info.frame_start && packet->seq > sink->highest_in)
        step(sink, source, packet);
    if (!packet->has_indications || !source->structure.targets)
        return packet->info.spatial_id <= sink->level_spatial && packet->info.temporal_id <= sink->level_temporal;
    unsigned target = target_within(&source->structure, sink->level_spatial, sink->level_temporal);
    return dd_indication(packet->indications, target) != DD_NOT_PRESENT;
}

/* The spatial layer with which a picture ends for this sink, LAYERS_ALL: where the sender says. */
uint8_t sink_top(const struct sink *sink, const struct source *source, const struct packet *packet) {
    if (sink->level_spatial == LAYERS_ALL || source->spatial_layers < 2)
        return LAYERS_ALL;
    if (!packet->has_indications)
        return sink->level_spatial;
    return source->structure.target_spatial[target_within(&source->structure, sink->level_spatial,
                                                          sink->level_temporal)];
}

/* A packet's dependency descriptor; what it says goes before what the payload says. */
static void note_descriptor(struct source *source, struct packet *packet, const uint8_t *descriptor, uint8_t size) {
    struct dd_frame frame;
    struct dd_structure late, *structure = &source->structure;
    struct payload_info *info = &packet->info;
    if (packet->seq < source->structure_seq) { /* what it brings may be older than what is known */
        late = *structure;
        structure = &late;
    }
    if (dd_read(descriptor, size, structure, &frame) < 0)
        return;
    if (frame.has_structure && structure != &late) {
        source->structure_seq = packet->seq;
        source->spatial_layers = structure->spatial_layers;
        source->temporal_layers = structure->temporal_layers;
    }
    packet->has_indications = 1;
    packet->indications = frame.indications;
    info->picture_id = frame.number;
    info->frame_start = frame.start;
    info->frame_end = frame.end;
    info->spatial_id = frame.spatial;
    info->temporal_id = frame.temporal;
}

/* What an arrived packet tells of its layers; `size` 0: it brought no descriptor. */
void source_note_layers(struct source *source, struct packet *packet, const uint8_t *descriptor, uint8_t size) {
    const struct payload_info *info = &packet->info;
    packet->has_indications = 0;
    if (size && packet->codec != CODEC_VP8 && packet->codec != CODEC_VP9)
        note_descriptor(source, packet, descriptor, size);
    if (info->keyframe && info->layers)
        source->spatial_layers = info->layers;
    if (source->spatial_layers <= info->spatial_id)
        source->spatial_layers = (uint8_t)(info->spatial_id + 1);
    if (source->temporal_layers <= info->temporal_id)
        source->temporal_layers = (uint8_t)(info->temporal_id + 1);
    source->frames += packet->marker;
    source->layer_bytes[info->spatial_id & (MAX_SPATIAL - 1)] += packet->size;
}
