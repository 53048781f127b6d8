/* What a forwarder needs to know about the first bytes of a video payload, by codec: RFC 7741 (VP8), RFC 9628 (VP9),
 * RFC 6184 (H.264), AV1 RTP payload specification. Reads what a stranger sent: every length is checked. */
#ifndef FOLKMOOT_PAYLOAD_H
#define FOLKMOOT_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

enum codec_id { /* the numbers of mediaserver/rtp/codecs.py */
    CODEC_OPUS = 0,
    CODEC_RED = 1,
    CODEC_VP8 = 2,
    CODEC_VP9 = 3,
    CODEC_H264_BASELINE = 4,
    CODEC_H264_HIGH = 5,
    CODEC_AV1 = 6,
    CODEC_COUNT = 7
};

struct payload_info {
    uint8_t keyframe;      /* the FIRST packet, and no other, of a picture that needs no earlier one. H.264: it has
                              (or begins) a sequence parameter set; AV1: the N bit and a sequence header; SVC: of the
                              lowest spatial layer */
    uint8_t frame_start;   /* first packet of a frame (VP9, AV1: of a layer frame). H.264 does not tell: of each
                              parameter set, SEI and first slice */
    uint8_t temporal_id;   /* 0 where the payload does not tell */
    uint8_t spatial_id;
    uint8_t discardable;   /* VP8 N bit and the like: no other frame refers to it */
    uint16_t width, height; /* of a key frame where the first packet tells (VP8, VP9 with scalability structure: its
                               largest layer, H.264 SPS, AV1 sequence header); else 0 */
    /* VP8 and VP9 descriptor, for rewriting; offsets into the payload, 0: not there */
    uint8_t picture_id_offset;
    uint8_t picture_id_bits; /* 7 or 15 */
    uint16_t picture_id;
    uint8_t tl0_offset;
    uint8_t tl0_picture_index;
    uint8_t descriptor_len; /* VP8, VP9, AV1: bytes before the codec's own */
    /* VP8 and VP9: what layers may be left out, and taken in again */
    uint8_t frame_end;     /* VP9: last packet of a layer frame */
    uint8_t switch_up;     /* VP8: needs nothing of its own or a higher temporal layer; VP9: nothing that follows needs
                              anything of a higher temporal layer than its own from before it */
    uint8_t inter_picture; /* VP9: needs pictures before its own */
    uint8_t layers;        /* VP9: spatial ones, of a key frame with a scalability structure; else 0 */
    /* RED: what is left without the repetitions of earlier sound */
    uint8_t primary_type; /* payload type */
    uint16_t primary;     /* where it begins */
};

/* 0, or -1 for a payload that is malformed; `out` is zeroed first either way, and stays so for Opus. A payload without
 * a byte behind its descriptor (padding only) is malformed. */
int vp8_read(const uint8_t *payload, size_t len, struct payload_info *out);
int vp9_read(const uint8_t *payload, size_t len, struct payload_info *out);
int h264_read(const uint8_t *payload, size_t len, struct payload_info *out);
int av1_read(const uint8_t *payload, size_t len, struct payload_info *out);
int red_read(const uint8_t *payload, size_t len, struct payload_info *out); /* RFC 2198 section 3 */

struct red_block { /* a repetition of earlier sound */
    uint16_t before; /* by so much of a timestamp */
    uint16_t at, size;
};

/* The newest repetitions, at most `most`, the oldest of them first, of a payload that `red_read` finds right; how many. */
int red_blocks(const uint8_t *payload, struct red_block *out, int most);
int payload_read(enum codec_id codec, const uint8_t *payload, size_t len, struct payload_info *out);

/* Overwrites picture id (modulo its bits) and TL0PICIDX in a copy of the descriptor that `info` was read from. */
void payload_rewrite(uint8_t *payload, const struct payload_info *info, uint16_t picture_id,
                     uint8_t tl0_picture_index);

/* ---- dependency descriptor: AV1 RTP payload specification, appendix A ---- */

#define MAX_TEMPLATES 64
#define MAX_TARGETS 32

struct dd_structure { /* what a key frame says of the frames that follow; valid: targets > 0 */
    uint8_t offset, templates, targets;
    uint8_t spatial[MAX_TEMPLATES], temporal[MAX_TEMPLATES]; /* by template */
    uint64_t indications[MAX_TEMPLATES];                     /* two bits for each target, the first one lowest */
    uint8_t target_spatial[MAX_TARGETS], target_temporal[MAX_TARGETS];
    uint8_t spatial_layers, temporal_layers;
    uint16_t width, height; /* of the best layer; 0: not told */
    uint32_t active;        /* a bit for each target that is sent at present */
};

enum indication { DD_NOT_PRESENT, DD_DISCARDABLE, DD_SWITCH, DD_REQUIRED };

struct dd_frame {
    uint8_t start, end; /* first, last packet of a frame */
    uint8_t spatial, temporal;
    uint8_t has_structure; /* it was replaced by this packet */
    uint16_t number;
    uint64_t indications;
};

/* 0, or -1 for a descriptor that is malformed or of no known template: then neither is changed but for `out` zeroed.
 * `structure` follows what the stream says of it. */
int dd_read(const uint8_t *data, size_t len, struct dd_structure *structure, struct dd_frame *out);

static inline enum indication dd_indication(uint64_t indications, unsigned target) {
    return (enum indication)(indications >> 2 * target & 3);
}

#endif
