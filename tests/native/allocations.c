/* Prints how often making keys and handling packets allocated: malloc and its kin of the whole process, libcrypto's
 * calls included, are counted here. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "header.h"
#include "srtp.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

enum { KEYS, PACKETS, NOTHING };
static volatile int counting = NOTHING, counted[3];

void *malloc(size_t size) {
    counted[counting]++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    counted[counting]++;
    return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
    counted[counting]++;
    return __libc_realloc(old, size);
}

static int exchange(enum srtp_profile profile) {
    static const uint8_t master[44] = {1, 2, 3};
    static uint8_t payload[1100], packet[1500] = {0x80}, report[1500] = {0x80, 200};
    static struct srtcp_replay reports;
    struct srtp_replay replay = {0};
    counting = KEYS;
    struct srtp_key *tx = srtp_key_new(profile, master, srtp_key_length(profile), 1);
    struct srtp_key *rx = srtp_key_new(profile, master, srtp_key_length(profile), 0);
    uint64_t index;
    uint32_t count = 0;
    int failed = 0;
    memset(&reports, 0, sizeof reports);
    counting = PACKETS;
    for (uint16_t i = 0; i < 1000; i++) {
        write16(packet + 2, i);
        int len = srtp_protect(tx, i, packet, sizeof packet, 12, payload, 64, payload + 64, sizeof payload - 64);
        failed += srtp_unprotect(rx, &replay, packet, (size_t)len, 12, &index) < 0;
        len = srtcp_protect(tx, &count, report, 100, sizeof report);
        report[20] ^= i % 2; /* half of them are not authentic */
        failed += srtcp_unprotect(rx, &reports, report, (size_t)len) != (i % 2 ? SRTP_UNAUTHENTIC : 100);
    }
    counting = NOTHING;
    srtp_key_free(tx);
    srtp_key_free(rx);
    return failed;
}

int main(void) {
    int failed = exchange(SRTP_AEAD_AES_128_GCM) + exchange(SRTP_AEAD_AES_256_GCM) + exchange(SRTP_AES128_CM_SHA1_80);
    printf("%d %d\n", counted[KEYS], counted[PACKETS]);
    return failed != 0;
}
