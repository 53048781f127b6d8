#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct payload_info info;
    int read = h264_read(data, size, &info);
    check_payload(&info, read, size);
    return 0;
}
