/* Any order of packets, repairs, NACKs, switches, mutes, new SSRCs and profiles: no SRTP index protects two different
 * packets, no number leaps further than a receiver follows (meeting.h looks at all that leaves). */
#include "meeting.h"

struct sender { /* one layer's numbers as its publisher counts them */
    uint64_t index, repair_index;
    uint32_t ssrc, timestamp;
    uint8_t noise;
};

static void media(struct meeting *m, struct sender *s, int layer, uint64_t index, uint8_t how) {
    uint8_t packet[1300] = {0x90, 96};
    size_t at = 12;
    packet[1] |= how & 0x80;
    write16(packet + 2, (uint16_t)index);
    write32(packet + 4, s->timestamp);
    write32(packet + 8, s->ssrc);
    static const uint8_t block[] = {0xBE, 0xDE, 0, 2, 0x10, 'v', 0x31, 0, 0, 0x61, 5, 6};
    memcpy(packet + at, block, sizeof block);
    write16(packet + at + 7, (uint16_t)index);
    at += sizeof block;
    packet[at++] = 0x90;
    packet[at++] = 0xE0;
    write16(packet + at, (uint16_t)(0x8000 | (index & 0x7FFF)));
    packet[at + 2] = (uint8_t)index;
    packet[at + 3] = (uint8_t)(how << 2 & 0xE0); /* temporal layer, Y */
    at += 4;
    packet[at++] = how & 1 ? 0 : 1; /* a key frame, or not */
    packet[at++] = s->noise++;
    packet[at++] = (uint8_t)layer;
    size_t fill = how & 2 ? 1100 : how & 4 ? 300 : 1;
    if (how & 8) at = 12 + sizeof block; /* no payload at all: padding */
    arrive_rtp(m, packet, at + (how & 8 ? 0 : fill), index);
}

/* By RTX: any number of the past, any content. */
static void repair(struct meeting *m, struct sender *s, int layer, uint8_t back, uint8_t how) {
    uint8_t packet[1200] = {0x90, 97};
    static const uint8_t block[] = {0xBE, 0xDE, 0, 1, 0x10, 'v', 0, 0};
    write16(packet + 2, (uint16_t)s->repair_index);
    write32(packet + 4, s->timestamp);
    write32(packet + 8, REPAIR_SSRC + (uint32_t)layer);
    memcpy(packet + 12, block, sizeof block);
    uint8_t *payload = packet + 12 + sizeof block;
    write16(payload, (uint16_t)(s->index - (uint64_t)back * (how & 1 ? 5 : 1)));
    static const uint8_t descriptor[] = {0x90, 0xE0, 0x80, 1, 1, 0};
    memcpy(payload + 2, descriptor, sizeof descriptor);
    payload[8] = s->noise++;
    arrive_rtp(m, packet, 12 + sizeof block + 9 + (how & 2 ? 1000 : 0), s->repair_index++);
}

static void nack(struct meeting *m, uint8_t back, uint8_t mask) {
    uint8_t packet[16] = {0x81, 205, 0, 3, 0, 0, 0, 9};
    write32(packet + 8, SINK_SSRC);
    write16(packet + 12, (uint16_t)(m->video_sink->out_seq - back));
    write16(packet + 14, (uint16_t)(mask * 0x101));
    arrive_rtcp(m, 1, packet, sizeof packet);
}

/* Some sound, and again what of it is asked for: it has no RTX. */
static void sound(struct meeting *m, struct sender *s, uint8_t packets, uint8_t back) {
    for (int i = 0; i < packets % 16; i++) {
        uint8_t packet[] = {0x80, i & back & 1 ? 63 : 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, s->noise++, 1};
        write16(packet + 2, (uint16_t)++s->index);
        write32(packet + 4, s->timestamp += 960);
        write32(packet + 8, s->ssrc);
        arrive_rtp(m, packet, sizeof packet, s->index);
        meeting_wait(m, 3000);
    }
    uint8_t asking[16] = {0x81, 205, 0, 3, 0, 0, 0, 9};
    write32(asking + 8, SINK_AUDIO);
    write16(asking + 12, (uint16_t)(m->audio_sink->out_seq - back));
    write16(asking + 14, 0xFFFF);
    arrive_rtcp(m, 1, asking, sizeof asking);
}

static void attach(struct meeting *m, int layer, int temporal) {
    struct command c = {.op = OP_SINK_ATTACH, .object = m->video_sink, .extra = m->video, .number = layer};
    c.value = temporal;
    command_apply(&m->core, &c, m->now);
    core_settle(&m->core, m->now);
}

static void command(struct meeting *m, uint8_t what, uint8_t with) {
    switch (what % 8) {
    case 0: attach(m, with % 4 - 1, with / 4 % 5 - 1); break;
    case 1: ask(m, OP_SINK_DETACH, m->video_sink, NULL, NULL, 0); break;
    case 2: ask(m, OP_TRACK_MUTE, m->video, NULL, NULL, with & 1); break;
    case 3: ask(m, OP_SINK_ACCEPT, with & 128 ? m->audio_sink : m->video_sink, profile_with(with), NULL, 0); break;
    case 4: ask(m, OP_SECTION_SET, m->publisher, section_of(m->video, "v", 1), NULL, 0); break;
    case 5: {
        char *mid = calloc(1, 17);
        CHECK(mid);
        mid[0] = 'v';
        ask(m, OP_SECTION_REMOVE, m->publisher, mid, NULL, 0);
        ask(m, OP_SECTION_SET, m->publisher, section_of(m->video, "v", 1), NULL, 0);
        break;
    }
    case 6: ask(m, OP_TRACK_KEYFRAME, m->video, NULL, NULL, 0); break;
    default: ask_address(m, OP_CONN_PATH, m->subscriber, &m->there); break;
    }
    check_output(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct meeting *m = meeting_open(take(&data, &size));
    struct sender senders[3];
    for (uint32_t i = 0; i < 3; i++) senders[i] = (struct sender){.index = 65000 + i, .ssrc = VIDEO_SSRC + i};
    struct sender voice = {.index = 65500, .ssrc = AUDIO_SSRC};
    uint32_t fresh_ssrc = 0x5000;
    if (size > 900) size = 900;
    while (size > 2) {
        uint8_t op = take(&data, &size), a = take(&data, &size), b = take(&data, &size);
        struct sender *s = &senders[(op >> 4) % 3];
        int layer = (op >> 4) % 3;
        switch (op & 15) {
        case 0: nack(m, a, b); break;
        case 1: repair(m, s, layer, a, b); break;
        case 2: command(m, a, b); break;
        case 3: /* out of order: later what was left out */
            media(m, s, layer, s->index - 1 - a % 64, b);
            break;
        case 4: s->index += a * (b & 1 ? 120u : 1u); break; /* lost, or left out */
        case 5: meeting_wait(m, a * 4000 + b); break;
        case 13: pace_or_probe(m, a); break;
        case 14: sound(m, &voice, a, b); break;
        case 6: /* begins anew, with numbers it may have had before */
            if (a & 1) s->ssrc = fresh_ssrc++;
            if (b & 1 && s->ssrc >= 0x5000) s->index = 65000 + a;
            if (!(a & 1) && s->ssrc >= 0x5000) s->index += a;
            break;
        default:
            for (uint8_t i = 0; i <= a % 16; i++) {
                if ((op & 15) < 9 || i % 4 == 0) s->timestamp += 3000;
                media(m, s, layer, ++s->index, i == 0 ? b : b & 0xFE);
            }
            if (a & 0x80) meeting_wait(m, 5000);
        }
    }
    meeting_close(m);
    return 0;
}
