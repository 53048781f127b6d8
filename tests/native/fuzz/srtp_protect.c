/* Any division of a packet into header, head and tail, any room: what fits comes back whole, what does not is refused. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fuzz_keys k = keys_for(take(&data, &size));
    size_t header_len = take(&data, &size), head = take(&data, &size), room = 4u * take(&data, &size);
    uint64_t index = (uint64_t)take(&data, &size) << 8 | take(&data, &size), found = 0;
    if (header_len > size) header_len = size;
    size_t payload = size - header_len;
    if (head > payload) head = payload;
    if (room < header_len) room = header_len;
    uint8_t *dst = malloc(room);
    CHECK(dst);
    if (header_len) memcpy(dst, data, header_len);
    if (header_len >= 12) write16(dst + 2, (uint16_t)index);
    const uint8_t *first = data + header_len;
    int len = srtp_protect(k.tx, index, dst, room, header_len, first, head, first + head, payload - head);
    if (header_len < 12) {
        CHECK(len == SRTP_MALFORMED);
    } else if (len < 0) {
        CHECK(len == SRTP_NO_ROOM && room < size + SRTP_MAX_OVERHEAD);
    } else {
        struct srtp_replay replay = {0};
        CHECK((size_t)len <= room && (size_t)len > size);
        CHECK(srtp_unprotect(k.rx, &replay, dst, (size_t)len, header_len, &found) == (int)size);
        CHECK(found == index && (payload == 0 || memcmp(dst + header_len, first, payload) == 0));
    }
    free(dst);
    return 0;
}
