/* Strangers' reports, and good ones that were damaged: never accepted; the good one then still is. */
#include "fuzz.h"

static void strange(struct srtp_key *rx, const uint8_t *data, size_t size) {
    static const struct srtcp_replay nothing;
    static struct srtcp_replay replay;
    uint8_t *packet = copy_of(data, size);
    CHECK(srtcp_unprotect(rx, &replay, packet, size) < 0);
    CHECK(memcmp(&replay, &nothing, sizeof replay) == 0);
    free(packet);
}

static void damaged(struct fuzz_keys k, const uint8_t *data, size_t size, uint32_t index, uint8_t damage) {
    uint8_t packet[4096];
    struct srtcp_replay replay = {0};
    uint32_t next = index &= 0x7FFFFFFF;
    if (size < 8) return;
    if (size > 2048) size = 2048;
    memcpy(packet, data, size);
    int len = srtcp_protect(k.tx, &next, packet, size, sizeof packet);
    CHECK(len > 0 && (size_t)len <= size + SRTP_MAX_OVERHEAD && next == index + 1);
    uint8_t *copy = copy_of(packet, (size_t)len);
    copy[index % (uint32_t)len] ^= damage ? damage : 1;
    CHECK(srtcp_unprotect(k.rx, &replay, copy, (size_t)len) < 0);
    memcpy(copy, packet, (size_t)len);
    CHECK(srtcp_unprotect(k.rx, &replay, copy, (size_t)len) == (int)size);
    CHECK(memcmp(copy, data, size) == 0);
    CHECK(srtcp_unprotect(k.rx, &replay, packet, (size_t)len) == SRTP_REPLAYED);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_keys k = keys_for(take(&data, &size));
    uint8_t damage = take(&data, &size);
    uint32_t index = (uint32_t)take(&data, &size) << 24 | (uint32_t)take(&data, &size) << 16;
    index |= (uint32_t)take(&data, &size) << 8 | take(&data, &size);
    strange(k.rx, data, size);
    damaged(k, data, size, index, damage);
    return 0;
}
