/* What the targets share. A target is one file here that defines LLVMFuzzerTestOneInput; its name is the file's. */
#ifndef FOLKMOOT_FUZZ_H
#define FOLKMOOT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "header.h"
#include "payload.h"
#include "srtp.h"

/* Something that must hold whatever came in. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly `size` bytes, so that the sanitizer sees every byte beyond. The caller frees it. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size);
    CHECK(copy);
    if (size) memcpy(copy, data, size);
    return copy;
}

/* The next byte of the input, 0 when there are none left. */
static inline uint8_t take(const uint8_t **data, size_t *size) {
    if (*size == 0) return 0;
    --*size;
    return *(*data)++;
}

/* What holds for each codec's payload. */
static inline void check_payload(const struct payload_info *info, int read, size_t size) {
    static const struct payload_info nothing;
    if (read != 0) CHECK(memcmp(info, &nothing, sizeof nothing) == 0);
    CHECK(info->descriptor_len <= size && info->picture_id_offset <= size && info->tl0_offset <= size);
    CHECK(!info->keyframe || info->frame_start);
    CHECK(info->keyframe || (info->width == 0 && info->height == 0));
    CHECK(info->temporal_id < 8 && info->spatial_id < 8);
}

/* One key per profile and direction, made once; input chooses among them. */
struct fuzz_keys {
    struct srtp_key *tx, *rx;
};

static inline struct fuzz_keys keys_for(uint8_t choice) {
    static const enum srtp_profile profiles[] = {SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM};
    static const uint8_t master[44] = {1, 2, 3, 4};
    static struct fuzz_keys keys[3];
    struct fuzz_keys *k = &keys[choice % 3];
    enum srtp_profile profile = profiles[choice % 3];
    if (!k->tx) k->tx = srtp_key_new(profile, master, srtp_key_length(profile), 1);
    if (!k->rx) k->rx = srtp_key_new(profile, master, srtp_key_length(profile), 0);
    CHECK(k->tx && k->rx);
    return *k;
}

#endif
