/* Every id means some extension here; what was read is written anew and must read the same. */
#include "fuzz.h"

static void write_again(const uint8_t *data, const struct rtp_header *header, const uint8_t kinds[256]) {
    struct ext_element elements[EXT_COUNT];
    struct rtp_header again;
    uint8_t packet[4096] = {0x90};
    size_t count = 0;
    for (uint8_t kind = 1; kind < EXT_COUNT; kind++)
        if (header->ext[kind].len)
            elements[count++] = (struct ext_element){kind, header->ext[kind].len, data + header->ext[kind].offset};
    int written = rtp_extensions_write(packet + 12, sizeof packet - 12, elements, count);
    CHECK(written >= 0 && written % 4 == 0 && (written == 0) == (count == 0));
    if (count == 0) return;
    CHECK(rtp_extensions_write(packet + 12, (size_t)written - 1, elements, count) == -1);
    CHECK(rtp_extensions_write(packet + 12, (size_t)written, elements, count) == written);
    CHECK(rtp_header_read(packet, 12 + (size_t)written, kinds, &again) == 0);
    for (int kind = 1; kind < EXT_COUNT; kind++) {
        struct ext_value before = header->ext[kind], after = again.ext[kind];
        CHECK(before.len == after.len && memcmp(data + before.offset, packet + after.offset, after.len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t kinds[256];
    struct rtp_header header;
    for (int i = 0; i < 256; i++) kinds[i] = (uint8_t)(i % EXT_COUNT);
    if (rtp_header_read(data, size, kinds, &header) != 0) return 0;
    CHECK(header.header_len >= 12 && header.header_len <= size);
    for (int kind = 0; kind < EXT_COUNT; kind++)
        CHECK(header.ext[kind].offset + header.ext[kind].len <= header.header_len);
    int payload = rtp_payload_length(data, size, &header);
    CHECK(payload >= -1 && payload + header.header_len <= (int)size);
    write_again(data, &header, kinds);
    return 0;
}
