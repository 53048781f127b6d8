/* Transport-wide feedback, written for any order of arrivals: each message can be read, fits, and tells no time but
 * the one at which the packet came. */
#include "core.h"
#include "fuzz.h"

#define CAP 1400
#define TICK 250 /* us */
#define TOO_LATE 1024 /* packets behind the newest: nothing is told of them any more */

static int64_t came[65536]; /* by number, the last time */

static unsigned read_symbols(const uint8_t *message, size_t size, unsigned count, uint8_t *symbols, size_t *at) {
    unsigned n = 0;
    for (*at = 20; n < count; *at += 2) {
        CHECK(*at + 2 <= size);
        unsigned chunk = read16(message + *at);
        CHECK(!(chunk & 0x8000) || (chunk & 0x4000)); /* one-bit vectors are not written */
        unsigned run = chunk & 0x8000 ? 7 : chunk & 0x1FFF;
        CHECK(run > 0);
        for (unsigned i = 0; i < run && n < count; i++)
            symbols[n++] = (uint8_t)(chunk & 0x8000 ? chunk >> (12 - 2 * i) & 3 : chunk >> 13 & 3);
    }
    return n;
}

static void check_message(const uint8_t *message, size_t size) {
    uint8_t symbols[65536];
    size_t at;
    CHECK(size <= CAP && size % 4 == 0 && size >= 24 && read16(message + 2) == size / 4 - 1);
    CHECK(message[0] == 0x8F && message[1] == 205);
    unsigned base = read16(message + 12), count = read16(message + 14);
    CHECK(read_symbols(message, size, count, symbols, &at) == count && count > 0);
    int64_t now = (int64_t)read24(message + 16) * 64000 / TICK;
    for (unsigned i = 0; i < count; i++) {
        CHECK(symbols[i] < 3);
        if (symbols[i] == 0) continue;
        CHECK(at + symbols[i] <= size);
        now += symbols[i] == 1 ? message[at] : (int16_t)read16(message + at);
        at += symbols[i];
        CHECK(now == came[(base + i) & 0xFFFF] / TICK);
    }
    CHECK(size - at < 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arrivals *a = arrivals_new();
    CHECK(a);
    uint8_t message[CAP];
    uint8_t first = take(&data, &size);
    uint16_t seq = (uint16_t)(first << 8), highest = 0;
    int started = 0;
    int64_t now = 5000000;
    while (size > 1) {
        uint8_t op = take(&data, &size), by = take(&data, &size);
        switch (op % 8) {
        case 0: seq = (uint16_t)(seq + by * 16); break;
        case 1: seq = (uint16_t)(seq - by); break;
        case 2: now += by * 100000; break;
        case 3: {
            size_t len;
            for (int i = 0; (len = arrivals_feedback(a, 1, 2, message, sizeof message)) > 0; i++) {
                CHECK(i < 4096);
                check_message(message, len);
            }
            break;
        }
        default:
            for (int i = 0; i <= by % 32; i++) {
                seq = (uint16_t)(seq + 1 + (op >> 6));
                now += op >> 3 & 7 ? (op >> 3 & 7) * 90 : 0;
                int16_t ahead = (int16_t)(seq - highest);
                if (!started || ahead > 0) highest = seq;
                if (!started || ahead > -TOO_LATE) came[seq] = now;
                started = 1;
                arrivals_add(a, seq, now);
            }
        }
    }
    free(a);
    return 0;
}
