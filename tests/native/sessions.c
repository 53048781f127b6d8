/* srtp.c with a second way in: session keys as they are, which is what the RFCs' vectors give. */
#include "srtp.c"

struct srtp_key *session_key_new(enum srtp_profile profile, const uint8_t *cipher, const uint8_t *salt, int encrypt) {
    const struct profile *p = profile_of(profile);
    struct srtp_key *key = calloc(1, sizeof *key);
    struct session *sessions[] = {&key->rtp, &key->rtcp};
    for (int i = 0; i < 2; i++) {
        static const uint8_t no_hmac_key[HMAC_KEY];
        sessions[i]->cipher = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(sessions[i]->cipher, p->cipher(), NULL, cipher, NULL, encrypt);
        memcpy(sessions[i]->salt, salt, p->salt_len);
        hmac_key(&sessions[i]->inner, no_hmac_key, 0x36);
        hmac_key(&sessions[i]->outer, no_hmac_key, 0x5c);
    }
    key->gcm = profile != SRTP_AES128_CM_SHA1_80;
    key->tag_len = p->tag_len;
    return key;
}

int derive_key(const uint8_t *master, const uint8_t salt[MAX_SALT], int label, uint8_t *out, size_t len) {
    EVP_CIPHER_CTX *kdf = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(kdf, EVP_aes_128_ecb(), NULL, master, NULL);
    int failed = derive(kdf, salt, label, out, len);
    EVP_CIPHER_CTX_free(kdf);
    return failed;
}
