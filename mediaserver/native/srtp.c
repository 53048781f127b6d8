/* SRTP and SRTCP: key derivation, packet indexes, replay windows, ciphers. What the functions promise: srtp.h.
 *
 * RFC 3711 (AES-CM with HMAC-SHA1-80), RFC 6188 section 3 (key derivation with 256-bit keys), RFC 7714 (AES-GCM).
 * HMAC runs on plain SHA_CTX: the states after the inner and the outer padded key are computed once and copied per
 * packet. EVP_MAC and EVP_MD_CTX_copy_ex of OpenSSL 3.0 would allocate for each packet.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1_Init and friends: see above */

#include "srtp.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "header.h"

#define MAX_PACKET 65535 /* bytes of a UDP datagram; keeps every length within int */
#define RTP_FIXED 12
#define RTCP_FIXED 8 /* stays in the clear: first header and sender SSRC */
#define RTCP_INDEX 4 /* E bit and SRTCP index */
#define RTCP_ENCRYPTED 0x80000000u
#define RTCP_WINDOW 64 /* bits of srtcp_sender.seen */
#define AES_BLOCK 16
#define MAX_CIPHER_KEY 32
#define MAX_SALT 14
#define HMAC_KEY 20
#define HMAC_TAG 10
#define HMAC_BLOCK 64
#define GCM_TAG 16
#define GCM_IV 12

/* RFC 3711 section 4.3.2: what a session key is for; SRTCP's follow SRTP's. */
enum label { LABEL_CIPHER = 0, LABEL_HMAC = 1, LABEL_SALT = 2, LABELS_OF_RTCP = 3 };

struct profile {
    uint8_t key_len, salt_len, tag_len;
    const EVP_CIPHER *(*cipher)(void);
    const EVP_CIPHER *(*derivation)(void);
};

struct session { /* the session keys of RTP or of RTCP */
    EVP_CIPHER_CTX *cipher;
    SHA_CTX inner, outer; /* HMAC after its padded keys */
    uint8_t salt[MAX_SALT];
};

struct srtp_key {
    struct session rtp, rtcp;
    uint8_t plain, gcm, tag_len;
};

static const struct profile *profile_of(enum srtp_profile profile) {
    static const struct profile cm = {16, 14, HMAC_TAG, EVP_aes_128_ctr, EVP_aes_128_ecb};
    static const struct profile gcm_128 = {16, 12, GCM_TAG, EVP_aes_128_gcm, EVP_aes_128_ecb};
    static const struct profile gcm_256 = {32, 12, GCM_TAG, EVP_aes_256_gcm, EVP_aes_256_ecb};
    switch (profile) {
    case SRTP_AES128_CM_SHA1_80: return &cm;
    case SRTP_AEAD_AES_128_GCM: return &gcm_128;
    case SRTP_AEAD_AES_256_GCM: return &gcm_256;
    case SRTP_PLAIN: break;
    }
    return NULL;
}

size_t srtp_key_length(enum srtp_profile profile) {
    const struct profile *p = profile_of(profile);
    return p ? (size_t)p->key_len + p->salt_len : 0;
}

/* ---- keys ---- */

/* RFC 3711 section 4.3.3: AES in counter mode from (label << 48 XOR master salt) << 16. `kdf` is keyed with the master
 * key. A salt of 96 bits is padded with zeros on its right. */
static int derive(EVP_CIPHER_CTX *kdf, const uint8_t salt[MAX_SALT], int label, uint8_t *out, size_t len) {
    uint8_t blocks[3 * AES_BLOCK];
    int written;
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t *block = blocks + i * AES_BLOCK;
        memcpy(block, salt, MAX_SALT);
        block[7] ^= (uint8_t)label;
        block[14] = 0;
        block[15] = i;
    }
    if (!EVP_EncryptUpdate(kdf, blocks, &written, blocks, sizeof blocks)) return -1;
    memcpy(out, blocks, len);
    OPENSSL_cleanse(blocks, sizeof blocks);
    return 0;
}

static void hmac_key(SHA_CTX *state, const uint8_t key[HMAC_KEY], uint8_t pad) {
    uint8_t block[HMAC_BLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < HMAC_KEY; i++) block[i] ^= key[i];
    SHA1_Init(state);
    SHA1_Update(state, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

static int session_open(struct session *s, const struct profile *p, EVP_CIPHER_CTX *kdf, const uint8_t salt[MAX_SALT],
                        int labels, int encrypt) {
    uint8_t key[MAX_CIPHER_KEY], auth[HMAC_KEY];
    int ok = (s->cipher = EVP_CIPHER_CTX_new()) && derive(kdf, salt, labels + LABEL_CIPHER, key, p->key_len) == 0 &&
             derive(kdf, salt, labels + LABEL_HMAC, auth, HMAC_KEY) == 0 &&
             derive(kdf, salt, labels + LABEL_SALT, s->salt, p->salt_len) == 0 &&
             EVP_CipherInit_ex(s->cipher, p->cipher(), NULL, key, NULL, encrypt);
    if (ok) {
        hmac_key(&s->inner, auth, 0x36);
        hmac_key(&s->outer, auth, 0x5c);
    }
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(auth, sizeof auth);
    return ok ? 0 : -1;
}

static struct srtp_key *plain_key(size_t len) {
    struct srtp_key *key = len ? NULL : calloc(1, sizeof *key);
    if (key) key->plain = 1;
    return key;
}

struct srtp_key *srtp_key_new(enum srtp_profile profile, const uint8_t *master, size_t len, int encrypt) {
    if (profile == SRTP_PLAIN) return plain_key(len);
    const struct profile *p = profile_of(profile);
    if (!p || len != srtp_key_length(profile)) return NULL;
    struct srtp_key *key = calloc(1, sizeof *key);
    EVP_CIPHER_CTX *kdf = EVP_CIPHER_CTX_new();
    uint8_t salt[MAX_SALT] = {0};
    memcpy(salt, master + p->key_len, p->salt_len);
    int ok = key && kdf && EVP_EncryptInit_ex(kdf, p->derivation(), NULL, master, NULL) &&
             session_open(&key->rtp, p, kdf, salt, 0, encrypt != 0) == 0 &&
             session_open(&key->rtcp, p, kdf, salt, LABELS_OF_RTCP, encrypt != 0) == 0;
    EVP_CIPHER_CTX_free(kdf);
    OPENSSL_cleanse(salt, sizeof salt);
    if (!ok) {
        srtp_key_free(key);
        return NULL;
    }
    key->gcm = profile != SRTP_AES128_CM_SHA1_80;
    key->tag_len = p->tag_len;
    return key;
}

void srtp_key_free(struct srtp_key *key) {
    if (!key) return;
    EVP_CIPHER_CTX_free(key->rtp.cipher);
    EVP_CIPHER_CTX_free(key->rtcp.cipher);
    OPENSSL_cleanse(key, sizeof *key);
    free(key);
}

/* ---- ciphers: one packet each; 0, or -1 if the packet is not authentic (or libcrypto refuses) ---- */

static void xor32(uint8_t *p, uint32_t v) { write32(p, read32(p) ^ v); }

static int start(EVP_CIPHER_CTX *cipher, const uint8_t *iv) {
    return EVP_CipherInit_ex(cipher, NULL, NULL, NULL, iv, -1);
}

/* RFC 7714 sections 8.1 and 9.1; for SRTCP `index` is the 31-bit index. */
static int gcm_start(const struct session *s, uint32_t ssrc, uint64_t index) {
    uint8_t iv[GCM_IV];
    memcpy(iv, s->salt, sizeof iv);
    xor32(iv + 2, ssrc);
    xor32(iv + 6, (uint32_t)(index >> 16));
    write16(iv + 10, read16(iv + 10) ^ (uint16_t)index);
    return start(s->cipher, iv);
}

/* RFC 3711 section 4.1.1. */
static int cm_start(const struct session *s, uint32_t ssrc, uint64_t index) {
    uint8_t iv[AES_BLOCK] = {0};
    memcpy(iv, s->salt, MAX_SALT);
    xor32(iv + 4, ssrc);
    xor32(iv + 8, (uint32_t)(index >> 16));
    write16(iv + 12, read16(iv + 12) ^ (uint16_t)index);
    return start(s->cipher, iv);
}

static int crypt(EVP_CIPHER_CTX *cipher, uint8_t *dst, const uint8_t *src, size_t len) {
    int written;
    return len == 0 || EVP_CipherUpdate(cipher, dst, &written, src, (int)len);
}

static int gcm_also(EVP_CIPHER_CTX *cipher, const uint8_t *aad, size_t len) {
    int written;
    return EVP_CipherUpdate(cipher, NULL, &written, aad, (int)len);
}

/* Parameters instead of EVP_CIPHER_CTX_ctrl: 20 ns a packet less. */
static int gcm_put_tag(EVP_CIPHER_CTX *cipher, uint8_t *tag) {
    OSSL_PARAM want[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, GCM_TAG), OSSL_PARAM_END};
    uint8_t none[AES_BLOCK];
    int written;
    return EVP_CipherFinal_ex(cipher, none, &written) && EVP_CIPHER_CTX_get_params(cipher, want);
}

static int gcm_check_tag(EVP_CIPHER_CTX *cipher, uint8_t *tag) {
    OSSL_PARAM given[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, GCM_TAG), OSSL_PARAM_END};
    uint8_t none[AES_BLOCK];
    int written;
    return EVP_CIPHER_CTX_set_params(cipher, given) && EVP_CipherFinal_ex(cipher, none, &written);
}

/* HMAC-SHA1 over the packet and, where `extra` is given, four bytes that are not sent (the roll-over counter). */
static void hmac(const struct session *s, const uint8_t *data, size_t len, const uint8_t *extra, uint8_t out[20]) {
    SHA_CTX state = s->inner;
    SHA1_Update(&state, data, len);
    if (extra) SHA1_Update(&state, extra, 4);
    SHA1_Final(out, &state);
    state = s->outer;
    SHA1_Update(&state, out, 20);
    SHA1_Final(out, &state);
}

/* ---- which packet is this, and was it here before? ---- */

/* RFC 3711 section 3.3.1 and appendix A. Before the first and after the last index the result is above 2^48. */
static uint64_t guess_index(const struct srtp_replay *r, uint16_t sequence) {
    if (!r->started) return sequence;
    uint64_t roll_over = r->highest >> 16;
    uint16_t last = (uint16_t)r->highest;
    if (last < 0x8000 && sequence > last + 0x8000) roll_over--;
    if (last >= 0x8000 && sequence < last - 0x8000) roll_over++;
    return roll_over << 16 | sequence;
}

static int replay_check(const struct srtp_replay *r, uint64_t index) {
    if (index >> 48) return SRTP_TOO_OLD;
    if (!r->started || index > r->highest) return 0;
    if (r->highest - index >= SRTP_REPLAY_WINDOW) return SRTP_TOO_OLD;
    return r->seen[index % SRTP_REPLAY_WINDOW / 64] >> (index % 64) & 1 ? SRTP_REPLAYED : 0;
}

static void replay_add(struct srtp_replay *r, uint64_t index) {
    if (!r->started || (index > r->highest && index - r->highest >= SRTP_REPLAY_WINDOW)) {
        memset(r->seen, 0, sizeof r->seen);
        r->highest = index;
        r->started = 1;
    }
    for (; r->highest < index; r->highest++) {
        uint64_t next = r->highest + 1;
        r->seen[next % SRTP_REPLAY_WINDOW / 64] &= ~(1ull << (next % 64));
    }
    r->seen[index % SRTP_REPLAY_WINDOW / 64] |= 1ull << (index % 64);
}

/* The place of `ssrc`; NULL if it was not heard of. */
static struct srtcp_sender *sender_find(struct srtcp_replay *r, uint32_t ssrc) {
    for (size_t i = 0; i < SRTCP_SENDERS; i++)
        if (r->senders[i].ssrc == ssrc && r->senders[i].seen) return &r->senders[i];
    return NULL;
}

/* An empty place, or that of the sender heard of longest ago. */
static struct srtcp_sender *sender_replace(struct srtcp_replay *r) {
    struct srtcp_sender *oldest = &r->senders[0];
    for (size_t i = 0; i < SRTCP_SENDERS; i++) {
        if (!r->senders[i].seen) return &r->senders[i];
        if (r->clock - r->senders[i].heard > r->clock - oldest->heard) oldest = &r->senders[i];
    }
    return oldest;
}

static int sender_check(const struct srtcp_sender *sender, uint32_t index) {
    if (!sender || index > sender->highest) return 0;
    uint32_t age = sender->highest - index;
    if (age >= RTCP_WINDOW) return SRTP_TOO_OLD;
    return sender->seen >> age & 1 ? SRTP_REPLAYED : 0;
}

static void sender_add(struct srtcp_replay *r, struct srtcp_sender *sender, uint32_t ssrc, uint32_t index) {
    if (!sender) {
        sender = sender_replace(r);
        *sender = (struct srtcp_sender){.seen = 0, .ssrc = ssrc, .highest = index};
    }
    if (index > sender->highest) {
        uint32_t ahead = index - sender->highest;
        sender->seen = ahead < RTCP_WINDOW ? sender->seen << ahead : 0;
        sender->highest = index;
    }
    sender->seen |= 1ull << (sender->highest - index);
    sender->heard = r->clock++;
}

/* ---- RTP ---- */

static int gcm_open(const struct session *s, uint8_t *packet, size_t end, size_t header_len, uint64_t index) {
    return gcm_start(s, read32(packet + 8), index) && gcm_also(s->cipher, packet, header_len) &&
           crypt(s->cipher, packet + header_len, packet + header_len, end - header_len) &&
           gcm_check_tag(s->cipher, packet + end);
}

static int cm_open(const struct session *s, uint8_t *packet, size_t end, size_t header_len, uint64_t index) {
    uint8_t roll_over[4], tag[20];
    write32(roll_over, (uint32_t)(index >> 16));
    hmac(s, packet, end, roll_over, tag);
    return CRYPTO_memcmp(tag, packet + end, HMAC_TAG) == 0 && cm_start(s, read32(packet + 8), index) &&
           crypt(s->cipher, packet + header_len, packet + header_len, end - header_len);
}

int srtp_unprotect(struct srtp_key *key, struct srtp_replay *replay, uint8_t *packet, size_t len, size_t header_len,
                   uint64_t *index) {
    if (header_len < RTP_FIXED || len > MAX_PACKET || len < key->tag_len || header_len > len - key->tag_len)
        return SRTP_MALFORMED;
    uint64_t guess = guess_index(replay, read16(packet + 2));
    int refused = replay_check(replay, guess);
    if (refused) return refused;
    size_t end = len - key->tag_len;
    int ok = key->plain || (key->gcm ? gcm_open(&key->rtp, packet, end, header_len, guess)
                                     : cm_open(&key->rtp, packet, end, header_len, guess));
    if (!ok) return SRTP_UNAUTHENTIC;
    replay_add(replay, guess);
    *index = guess;
    return (int)end;
}

/* The whole packet, as it is. */
static int plain_write(uint8_t *payload, const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len,
                       size_t end) {
    if (head_len) memcpy(payload, head, head_len);
    if (tail_len) memcpy(payload + head_len, tail, tail_len);
    return (int)end;
}

int srtp_protect(struct srtp_key *key, uint64_t index, uint8_t *dst, size_t cap, size_t header_len,
                 const uint8_t *head, size_t head_len, const uint8_t *tail, size_t tail_len) {
    if (header_len < RTP_FIXED || header_len > MAX_PACKET) return SRTP_MALFORMED;
    if (head_len > MAX_PACKET || tail_len > MAX_PACKET) return SRTP_NO_ROOM;
    size_t end = header_len + head_len + tail_len;
    if (end + key->tag_len > cap || end + key->tag_len > MAX_PACKET) return SRTP_NO_ROOM;
    if (key->plain) return plain_write(dst + header_len, head, head_len, tail, tail_len, end);
    const struct session *s = &key->rtp;
    uint32_t ssrc = read32(dst + 8);
    int ok = key->gcm ? gcm_start(s, ssrc, index) && gcm_also(s->cipher, dst, header_len) : cm_start(s, ssrc, index);
    ok = ok && crypt(s->cipher, dst + header_len, head, head_len) &&
         crypt(s->cipher, dst + header_len + head_len, tail, tail_len);
    if (ok && key->gcm) {
        ok = gcm_put_tag(s->cipher, dst + end);
    } else if (ok) {
        uint8_t roll_over[4], tag[20];
        write32(roll_over, (uint32_t)(index >> 16));
        hmac(s, dst, end, roll_over, tag);
        memcpy(dst + end, tag, HMAC_TAG);
    }
    return ok ? (int)end + key->tag_len : SRTP_MALFORMED;
}

/* ---- RTCP: GCM puts its tag before the index word, HMAC-SHA1 behind it ---- */

static void rtcp_aad(uint8_t aad[RTCP_FIXED + RTCP_INDEX], const uint8_t *packet, uint32_t word) {
    memcpy(aad, packet, RTCP_FIXED);
    write32(aad + RTCP_FIXED, word);
}

int srtcp_protect(struct srtp_key *key, uint32_t *index, uint8_t *packet, size_t len, size_t cap) {
    if (len < RTCP_FIXED) return SRTP_MALFORMED;
    if (key->plain) return len > MAX_PACKET ? SRTP_NO_ROOM : (int)len;
    if (len > MAX_PACKET || len + RTCP_INDEX + key->tag_len > cap || *index >= RTCP_ENCRYPTED) return SRTP_NO_ROOM;
    const struct session *s = &key->rtcp;
    uint32_t ssrc = read32(packet + 4), word = *index | RTCP_ENCRYPTED;
    int ok;
    if (key->gcm) {
        uint8_t aad[RTCP_FIXED + RTCP_INDEX];
        rtcp_aad(aad, packet, word);
        ok = gcm_start(s, ssrc, *index) && gcm_also(s->cipher, aad, sizeof aad) &&
             crypt(s->cipher, packet + RTCP_FIXED, packet + RTCP_FIXED, len - RTCP_FIXED) &&
             gcm_put_tag(s->cipher, packet + len);
        write32(packet + len + GCM_TAG, word);
    } else {
        uint8_t tag[20];
        ok = cm_start(s, ssrc, *index) &&
             crypt(s->cipher, packet + RTCP_FIXED, packet + RTCP_FIXED, len - RTCP_FIXED);
        write32(packet + len, word);
        hmac(s, packet, len + RTCP_INDEX, NULL, tag);
        memcpy(packet + len + RTCP_INDEX, tag, HMAC_TAG);
    }
    if (!ok) return SRTP_MALFORMED;
    ++*index;
    return (int)(len + RTCP_INDEX + key->tag_len);
}

static int rtcp_open(const struct srtp_key *key, uint8_t *packet, size_t end, uint32_t word) {
    const struct session *s = &key->rtcp;
    uint32_t ssrc = read32(packet + 4), index = word & ~RTCP_ENCRYPTED;
    uint8_t *body = packet + RTCP_FIXED;
    if (key->gcm) {
        uint8_t aad[RTCP_FIXED + RTCP_INDEX];
        rtcp_aad(aad, packet, word);
        return gcm_start(s, ssrc, index) && gcm_also(s->cipher, aad, sizeof aad) &&
               crypt(s->cipher, body, body, end - RTCP_FIXED) && gcm_check_tag(s->cipher, packet + end);
    }
    uint8_t tag[20];
    hmac(s, packet, end + RTCP_INDEX, NULL, tag);
    return CRYPTO_memcmp(tag, packet + end + RTCP_INDEX, HMAC_TAG) == 0 && cm_start(s, ssrc, index) &&
           crypt(s->cipher, body, body, end - RTCP_FIXED);
}

int srtcp_unprotect(struct srtp_key *key, struct srtcp_replay *replay, uint8_t *packet, size_t len) {
    if (key->plain) return len < RTCP_FIXED || len > MAX_PACKET ? SRTP_MALFORMED : (int)len;
    if (len > MAX_PACKET || len < (size_t)RTCP_FIXED + RTCP_INDEX + key->tag_len) return SRTP_MALFORMED;
    size_t end = len - RTCP_INDEX - key->tag_len;
    uint32_t word = read32(packet + (key->gcm ? len - RTCP_INDEX : end));
    if (!(word & RTCP_ENCRYPTED)) return SRTP_UNAUTHENTIC;
    uint32_t ssrc = read32(packet + 4), index = word & ~RTCP_ENCRYPTED;
    struct srtcp_sender *sender = sender_find(replay, ssrc);
    int refused = sender_check(sender, index);
    if (refused) return refused;
    if (!rtcp_open(key, packet, end, word)) return SRTP_UNAUTHENTIC;
    sender_add(replay, sender, ssrc, index);
    return (int)end;
}
