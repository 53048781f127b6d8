/* Any order of packets: no index is accepted twice, and an index that is new and in the window always is. */
#include "fuzz.h"

#define SPAN (1u << 18) /* indexes that are looked at */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t seen[SPAN];
    struct fuzz_keys k = keys_for(take(&data, &size));
    struct srtp_replay replay = {0};
    uint64_t index = 0x6000, found;
    if (size > 300) size = 300;
    memset(seen, 0, sizeof seen);
    while (size > 0) {
        uint8_t packet[64] = {0x80, 96}, step = take(&data, &size);
        /* mostly near, sometimes far: up to 20000 ahead, 2000 behind */
        int64_t move = step < 128 ? step - 20 : step < 192 ? (step - 128) * 300 : (192 - step) * 31;
        int64_t next = (int64_t)index + move;
        if (next < 0x6000 || next >= SPAN) continue;
        index = (uint64_t)next;
        write16(packet + 2, (uint16_t)index);
        int len = srtp_protect(k.tx, index, packet, sizeof packet, 12, NULL, 0, data, 0);
        struct srtp_replay before = replay;
        int got = srtp_unprotect(k.rx, &replay, packet, (size_t)len, 12, &found);
        int fresh = !before.started || index + SRTP_REPLAY_WINDOW > before.highest;
        CHECK((got == 12) == (fresh && !seen[index]));
        CHECK(got == 12 ? found == index : memcmp(&before, &replay, sizeof replay) == 0);
        if (got == 12) seen[index] = 1;
    }
    return 0;
}
