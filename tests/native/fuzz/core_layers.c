/* Streams of VP9 and AV1 with any layers and any dependency descriptors, before a sink whose wishes change: no SRTP
 * index protects two different packets, numbers stay in reach of each other (meeting.h looks at all that leaves). */
#include "meeting.h"

struct stream_state {
    uint64_t index;
    uint32_t timestamp;
    uint8_t noise;
};

static void vp9(struct meeting *m, struct stream_state *s, uint8_t bits, uint8_t layer) {
    uint8_t packet[64] = {0x80, 98};
    size_t at = 12;
    write16(packet + 2, (uint16_t)++s->index);
    write32(packet + 4, s->timestamp += bits & 0x01 ? 3000 : 0);
    write32(packet + 8, VIDEO_SSRC);
    packet[1] |= bits & 0x80;
    packet[at++] = (uint8_t)(0xA0 | (bits & 0x4C)); /* I, L; P, B, E as they come */
    write16(packet + at, (uint16_t)(0x8000 | (s->timestamp / 3000 & 0x7FFF)));
    at += 2;
    packet[at++] = layer;
    packet[at++] = s->noise;
    packet[at++] = ++s->noise;
    arrive_rtp(m, packet, at + 10, s->index);
}

static void av1(struct meeting *m, struct stream_state *s, uint8_t bits, const uint8_t *descriptor, uint8_t size) {
    uint8_t packet[400] = {0x90, 102, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0};
    size_t words = (2u + size + 3) / 4, at = 16 + words * 4;
    write16(packet + 2, (uint16_t)++s->index);
    write32(packet + 4, s->timestamp += bits & 0x01 ? 3000 : 0);
    write32(packet + 8, VIDEO_SSRC);
    packet[1] |= bits & 0x80;
    write16(packet + 14, (uint16_t)words);
    packet[16] = EXT_DEPENDENCY_DESCRIPTOR;
    packet[17] = size;
    memcpy(packet + 18, descriptor, size);
    static const uint8_t key[] = {0x18, 0x0A, 0x00}, delta[] = {0x10, 0x30, 0x00};
    memcpy(packet + at, bits & 0x02 ? key : delta, 3);
    packet[at + 3] = s->noise++;
    arrive_rtp(m, packet, at + 12, s->index);
}

static void wish(struct meeting *m, uint8_t wanted) {
    struct command c = {.op = OP_SINK_ATTACH, .object = m->video_sink, .extra = m->video};
    c.number = wanted % 4 - 1;
    c.value = wanted / 4 % 5 - 1;
    command_apply(&m->core, &c, m->now);
    core_settle(&m->core, m->now);
    check_output(m);
}

static void nack(struct meeting *m, uint8_t back) {
    uint8_t packet[16] = {0x81, 205, 0, 3, 0, 0, 0, 9};
    write32(packet + 8, SINK_SSRC);
    write16(packet + 12, (uint16_t)(m->video_sink->out_seq - back));
    write16(packet + 14, 0xFFFF);
    arrive_rtcp(m, 1, packet, sizeof packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct meeting *m = meeting_open(take(&data, &size));
    struct stream_state s = {.index = 65000};
    if (size > 1200) size = 1200;
    while (size > 1) {
        uint8_t op = take(&data, &size), a = take(&data, &size);
        switch (op % 8) {
        case 0: wish(m, a); break;
        case 1: nack(m, a); break;
        case 2: meeting_wait(m, a * 3000); break;
        case 3:
            s.index += a % 8; /* lost */
            if (a & 0x80) pace_or_probe(m, a & 0x7F);
            break;
        case 4:
        case 5: vp9(m, &s, a, take(&data, &size)); break;
        default: {
            uint8_t part = a % 128 < size ? a % 128 : (uint8_t)size;
            av1(m, &s, op, data, part);
            data += part;
            size -= part;
        }
        }
    }
    meeting_close(m);
    return 0;
}
