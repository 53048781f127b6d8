/* Strangers' packets, and good ones that were damaged: never accepted; the good one then still is. */
#include "fuzz.h"

static void strange(struct srtp_key *rx, const uint8_t *data, size_t size, size_t header_len) {
    struct srtp_replay replay = {0}, before = {0};
    uint64_t index;
    uint8_t *packet = copy_of(data, size);
    CHECK(srtp_unprotect(rx, &replay, packet, size, header_len, &index) < 0);
    CHECK(memcmp(&replay, &before, sizeof replay) == 0);
    free(packet);
}

static void damaged(struct fuzz_keys k, const uint8_t *data, size_t size, uint8_t damage, uint16_t where) {
    uint8_t packet[4096] = {0x80, 96, 0, 1};
    struct srtp_replay replay = {0};
    uint64_t index = 0;
    if (size > 2048) size = 2048;
    int len = srtp_protect(k.tx, 1, packet, sizeof packet, 12, data, size / 2, data + size / 2, size - size / 2);
    CHECK(len > 12 && (size_t)len <= 12 + size + SRTP_MAX_OVERHEAD);
    size_t at = where % (size_t)len;
    uint8_t *copy = copy_of(packet, (size_t)len);
    copy[at] ^= damage ? damage : 1;
    CHECK(srtp_unprotect(k.rx, &replay, copy, (size_t)len, 12, &index) < 0);
    CHECK(!replay.started);
    memcpy(copy, packet, (size_t)len);
    CHECK(srtp_unprotect(k.rx, &replay, copy, (size_t)len, 12, &index) == (int)(12 + size));
    CHECK(index == 1 && (size == 0 || memcmp(copy + 12, data, size) == 0));
    CHECK(srtp_unprotect(k.rx, &replay, packet, (size_t)len, 12, &index) == SRTP_REPLAYED);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_keys k = keys_for(take(&data, &size));
    uint8_t header_len = take(&data, &size), damage = take(&data, &size);
    uint16_t where = (uint16_t)(take(&data, &size) << 8 | damage);
    strange(k.rx, data, size, header_len);
    damaged(k, data, size, damage, where);
    return 0;
}
