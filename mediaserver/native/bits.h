/* Bits of a parameter set, most significant first. Past the end every bit is 0 and `failed` is set; look once, last. */
#ifndef FOLKMOOT_BITS_H
#define FOLKMOOT_BITS_H

#include <stddef.h>
#include <stdint.h>

struct bits {
    const uint8_t *data;
    size_t len;
    size_t byte;    /* the next bit lies here ... */
    unsigned bit;   /* ... 0: the most significant */
    unsigned zeros; /* zero bytes just before `byte` */
    int emulation;  /* H.264 section 7.4.1: a 3 behind two zero bytes is not part of the data */
    int failed;
};

static inline unsigned bits_one(struct bits *b) {
    if (b->bit == 0 && b->emulation && b->zeros >= 2 && b->byte < b->len && b->data[b->byte] == 3) {
        b->byte++;
        b->zeros = 0;
    }
    if (b->byte >= b->len) {
        b->failed = 1;
        return 0;
    }
    unsigned value = b->data[b->byte] >> (7 - b->bit) & 1u;
    if (++b->bit == 8) {
        b->zeros = b->data[b->byte] ? 0 : b->zeros + 1;
        b->byte++;
        b->bit = 0;
    }
    return value;
}

/* At most 32 bits. */
static inline uint32_t bits_read(struct bits *b, unsigned count) {
    uint32_t value = 0;
    while (count--) value = value << 1 | bits_one(b);
    return value;
}

/* Exp-Golomb ue(v) of H.264 section 9.1, and uvlc() of AV1 section 4.10.3: they are the same code. */
static inline uint32_t bits_golomb(struct bits *b) {
    unsigned zeros = 0;
    while (!b->failed && bits_one(b) == 0)
        if (++zeros == 32) b->failed = 1; /* longer than anything that is read here */
    if (b->failed) return 0;
    return (1u << zeros) - 1 + bits_read(b, zeros);
}

#endif
