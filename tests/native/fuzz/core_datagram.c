/* Datagrams of every kind from the publisher, the subscriber and a stranger: as they are, or protected with the
 * sender's keys, so that what is behind authentication reads the input, too. */
#include "meeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct address stranger = {.kind = ADDRESS_UDP6, .port = {9, 9}, .ip = {1}};
    struct meeting *m = meeting_open(take(&data, &size));
    while (size > 2) {
        uint8_t kind = take(&data, &size);
        size_t part = take(&data, &size) * 5u;
        if (part > size) part = size;
        switch (kind % 8) {
        case 0: arrive(m, &stranger, data, part); break;
        case 1: arrive(m, &m->here, data, part); break;
        case 2: arrive(m, &m->there, data, part); break;
        case 3: arrive_rtcp(m, 0, data, part); break;
        case 4: arrive_rtcp(m, 1, data, part); break;
        default:
            if (part >= 12) arrive_rtp(m, data, part, read16(data + 2));
        }
        data += part;
        size -= part;
        if (kind & 0x80) meeting_wait(m, (kind >> 3 & 15) * 9000);
    }
    meeting_close(m);
    return 0;
}
