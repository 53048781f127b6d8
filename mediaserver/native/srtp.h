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

/* SRTP_PLAIN protects nothing (no master key, no bytes added): for a peer that is a process of ours, on a socket that
 * nobody else can reach. No handshake ever chooses it. */
enum srtp_profile { SRTP_PLAIN = 0, SRTP_AES128_CM_SHA1_80 = 1, SRTP_AEAD_AES_128_GCM = 7, SRTP_AEAD_AES_256_GCM = 8 };

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

/* What a receiver remembers of one SSRC's RTP. All zero is a stream nothing was received of. */
struct srtp_replay {
    uint64_t highest;                            /* index: roll-over count << 16 | sequence number */
    uint64_t seen[SRTP_REPLAY_WINDOW / 64];      /* bit (index % window) */
    uint8_t started;
};

/* Takes the protection off in place. header_len: RTP header with CSRCs and extension (already checked by the caller
 * to lie within len). Only after authentication is `replay` changed. Returns the length without tag, `*index` the
 * packet's 48-bit index; or an srtp_error, after which what stands in the packet is of no use. */
int srtp_unprotect(struct srtp_key *key, struct srtp_replay *replay, uint8_t *packet, size_t len, size_t header_len,
                   uint64_t *index);

/* Writes the protected packet behind `dst`, where the header of header_len bytes stands already. The payload comes in
 * two pieces (`head` may be empty; a multiple of 16 bytes is fastest), so that a descriptor can be rewritten without
 * copying the rest. cap: bytes that dst can hold in all. SSRC is read from the header; the low 16 bits of `index` must
 * be its sequence number. Returns the length of the whole packet; SRTP_NO_ROOM; SRTP_MALFORMED for an impossible
 * header_len. */
int srtp_protect(struct srtp_key *key, uint64_t index, uint8_t *dst, size_t cap, size_t header_len,
                 const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len);

/* SRTCP: whole compound packets, in place.
 *
 * Every sender SSRC (that of a compound packet's first packet) counts its own SRTCP index, from 0 or 1: so one window
 * for a whole connection would refuse the second SSRC. Browsers send RTCP from one SSRC per stream they send and, some
 * of them, per stream they receive. All zero: nothing was received. */
#define SRTCP_SENDERS 128 /* of one connection; one more, and the one heard of longest ago is forgotten */

struct srtcp_sender {
    uint64_t seen; /* bit n: `highest` - n was received; 0: an empty place */
    uint32_t ssrc;
    uint32_t highest;
    uint32_t heard; /* the value of `clock` then */
};

struct srtcp_replay {
    struct srtcp_sender senders[SRTCP_SENDERS];
    uint32_t clock; /* packets accepted */
};

/* `index`: the counter of one sending direction, which may serve all our SSRCs; start with 0, protect adds one. Returns
 * the protected length, or SRTP_NO_ROOM: cap is too small, or all 2^31 numbers are used up. */
int srtcp_protect(struct srtp_key *key, uint32_t *index, uint8_t *packet, size_t len, size_t cap);

/* Returns the length without index and tag, or an srtp_error. Packets that are not encrypted are SRTP_UNAUTHENTIC.
 * What stands in the packet after an error is of no use. Only after authentication is `replay` changed. */
int srtcp_unprotect(struct srtp_key *key, struct srtcp_replay *replay, uint8_t *packet, size_t len);

#endif
