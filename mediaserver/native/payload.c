/* From a codec's number to its reader. */
#include "payload.h"

#include <string.h>

int payload_read(enum codec_id codec, const uint8_t *payload, size_t len, struct payload_info *out) {
    switch (codec) {
    case CODEC_VP8: return vp8_read(payload, len, out);
    case CODEC_VP9: return vp9_read(payload, len, out);
    case CODEC_H264_BASELINE:
    case CODEC_H264_HIGH: return h264_read(payload, len, out);
    case CODEC_AV1: return av1_read(payload, len, out);
    case CODEC_OPUS:
    case CODEC_RED: memset(out, 0, sizeof *out); return 0;
    case CODEC_COUNT: break;
    }
    memset(out, 0, sizeof *out);
    return -1;
}
