#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct payload_info info;
    int read = red_read(data, size, &info);
    check_payload(&info, read, size);
    CHECK(read != 0 || (info.primary > 0 && info.primary < size && info.primary_type < 128));
    struct red_block blocks[4];
    for (int i = 0, count = read == 0 ? red_blocks(data, blocks, 4) : 0; i < count; i++) {
        CHECK(count <= 4 && blocks[i].at + blocks[i].size <= info.primary && blocks[i].before < 1 << 14);
        CHECK(i + 1 == count ? blocks[i].at + blocks[i].size == info.primary
                             : blocks[i].at + blocks[i].size == blocks[i + 1].at);
    }
    return 0;
}
