/* Any RTCP, as if it were authentic, from a publisher and from a subscriber of a meeting with media in it. */
#include "meeting.h"

static void some_media(struct meeting *m) {
    for (uint16_t i = 0; i < 12; i++) {
        uint8_t packet[] = {0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0x90, 0xE0, 0x80, 1, 1, 0, i ? 1 : 0, 2, 3};
        write16(packet + 2, (uint16_t)(100 + i));
        write32(packet + 4, 3000u * i);
        arrive_rtp(m, packet, sizeof packet, 100u + i);
        meeting_wait(m, 30000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct meeting *m = meeting_open(take(&data, &size));
    struct conn *from = take(&data, &size) & 1 ? m->subscriber : m->publisher;
    some_media(m);
    uint64_t before = atomic_load(&m->core.counters[C_packets_retransmitted]);
    while (size > 0) {
        size_t part = take(&data, &size) * 4u;
        if (part > size) part = size;
        uint8_t *copy = copy_of(data, part);
        core_rtcp_plain(&m->core, from, copy, part, m->now);
        free(copy);
        data += part;
        size -= part;
        meeting_wait(m, 7000);
    }
    CHECK(atomic_load(&m->core.counters[C_packets_retransmitted]) - before <= 200u * (1 + (uint64_t)m->now / 100000));
    meeting_close(m);
    return 0;
}
