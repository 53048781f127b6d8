/* Descriptors one after the other, as a stream brings them: nothing beyond the bounds of the last good structure. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct dd_structure structure = {0}, before;
    struct dd_frame frame;
    while (size > 0) {
        size_t part = take(&data, &size);
        if (part > size) part = size;
        uint8_t *copy = copy_of(data, part);
        before = structure;
        if (dd_read(copy, part, &structure, &frame) == 0) {
            CHECK(structure.targets > 0 && structure.targets <= MAX_TARGETS && structure.templates <= MAX_TEMPLATES);
            CHECK(frame.spatial < structure.spatial_layers && structure.spatial_layers <= 4);
            CHECK(frame.temporal < structure.temporal_layers && structure.temporal_layers <= 8);
            CHECK(structure.targets == 32 || frame.indications >> 2 * structure.targets == 0);
        } else {
            CHECK(memcmp(&before, &structure, sizeof before) == 0 && frame.indications == 0);
        }
        free(copy);
        data += part;
        size -= part;
    }
    return 0;
}
