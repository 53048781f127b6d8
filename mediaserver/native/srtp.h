/* SRTP framing over libcrypto's EVP: RFC 3711 (AES-CM, HMAC-SHA1-80), RFC 7714 (AES-GCM).
 *
 * A key is one direction of one connection; its cipher contexts are keyed once, only the IV changes per packet.
 * srtp_key_new and srtp_key_free allocate and belong to the control side; everything else runs in a packet thread,
 * allocates nothing and reads no byte beyond the lengths it is given.
 */
#ifndef FOLKMOOT_SRTP_H
#define FOLKMOOT_SRTP_H

#include <stddef.h>
#include <stdint.h>

enum srtp_profile { SRTP_AES128_CM_SHA1_80 = 1, SRTP_AEAD_AES_128_GCM = 7, SRTP_AEAD_AES_256_GCM = 8 };

enum srtp_error { /* negative return values; the counters' names follow them */
    SRTP_MALFORMED = -1,
    SRTP_REPLAYED = -2,
    SRTP_TOO_OLD = -3,
    SRTP_UNAUTHENTIC = -4,
    SRTP_NO_ROOM = -5
};

#define SRTP_MAX_OVERHEAD 24 /* bytes that protecting RTP or RTCP adds at most: tag of 16, SRTCP index of 4 */
#define SRTP_REPLAY_WINDOW 1024 /* packets */

struct srtp_key;

/* Master key and salt, one behind the other, as DTLS exports them (16+14, 16+12 or 32+12 bytes).
 * encrypt: 1 for sending, 0 for receiving. NULL for a wrong length, profile or no memory. */
struct srtp_key *srtp_key_new(enum srtp_profile profile, const uint8_t *master, size_t len, int encrypt);
void srtp_key_free(struct srtp_key *key);
size_t srtp_key_length(enum srtp_profile profile);

/* What a receiver remembers of one SSRC. All zero is a stream nothing was received of. */
struct srtp_replay {
    uint64_t highest;                            /* index: roll-over count << 16 | sequence number */
    uint64_t seen[SRTP_REPLAY_WINDOW / 64];      /* bit (index % window) */
    uint8_t started;
};

/* Takes the protection off in place. header_len: RTP header with CSRCs and extension (already checked by the caller
 * to lie within len). Only after authentication is `replay` changed. Returns the length without tag, `*index` the
 * packet's 48-bit index; or an srtp_error. */
int srtp_unprotect(struct srtp_key *key, struct srtp_replay *replay, uint8_t *packet, size_t len, size_t header_len,
                   uint64_t *index);

/* Writes the protected packet behind `dst`, where the header of header_len bytes stands already. The payload comes in
 * two pieces (`head` may be empty; a multiple of 16 bytes is fastest), so that a descriptor can be rewritten without
 * copying the rest. cap: bytes that dst can hold in all. Returns the length of the whole packet or SRTP_NO_ROOM. */
int srtp_protect(struct srtp_key *key, uint64_t index, uint8_t *dst, size_t cap, size_t header_len,
                 const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len);

/* SRTCP: whole compound packets, in place. `index`: the 31-bit counter of the sender (protect adds one);
 * the replay of RTCP is kept per connection, keyed by nothing else. */
int srtcp_protect(struct srtp_key *key, uint32_t *index, uint8_t *packet, size_t len, size_t cap);
int srtcp_unprotect(struct srtp_key *key, struct srtp_replay *replay, uint8_t *packet, size_t len);

#endif
