/* What is rewritten reads back as what was written, and nothing else changes. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct payload_info info, after;
    int read = vp8_read(data, size, &info);
    check_payload(&info, read, size);
    if (read != 0) return 0;
    uint8_t *copy = copy_of(data, size);
    payload_rewrite(copy, &info, 0x5A5A, 0xC3);
    CHECK(vp8_read(copy, size, &after) == 0);
    CHECK(!info.picture_id_offset || after.picture_id == (info.picture_id_bits == 15 ? 0x5A5A : 0x5A));
    CHECK(!info.tl0_offset || after.tl0_picture_index == 0xC3);
    after.picture_id = info.picture_id;
    after.tl0_picture_index = info.tl0_picture_index;
    CHECK(memcmp(&info, &after, sizeof info) == 0);
    free(copy);
    return 0;
}
