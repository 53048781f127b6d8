#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct payload_info info;
    int read = red_read(data, size, &info);
    check_payload(&info, read, size);
    CHECK(read != 0 || (info.primary > 0 && info.primary < size && info.primary_type < 128));
    return 0;
}
