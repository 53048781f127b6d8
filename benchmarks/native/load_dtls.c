/* The client's side of DTLS and the SRTP keys it yields. RFC 6347, RFC 5764.
 *
 * All clients show one certificate, made once. Nobody's fingerprint is checked: a generator trusts whom it is told to
 * connect to. OpenSSL reads the one datagram at hand and writes straight to the client's socket. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* OpenSSL has macros of the same names and numbers as srtp.h */
#undef SRTP_AES128_CM_SHA1_80
#undef SRTP_AEAD_AES_128_GCM
#undef SRTP_AEAD_AES_256_GCM

#include "load.h"

#define MTU 1200
#define RESEND_US 50000
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"

static BIO_METHOD *method;

static int bio_write(BIO *bio, const char *data, int len) {
    struct client *client = BIO_get_data(bio);
    ssize_t sent = send(client->fd, data, (size_t)len, MSG_DONTWAIT);
    return sent < 0 ? len : (int)sent; /* what the kernel refuses is lost, as anything may be */
}

static int bio_read(BIO *bio, char *out, int len) {
    struct client *client = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!client->datagram) {
        BIO_set_retry_read(bio);
        return -1;
    }
    int n = client->datagram_len < len ? client->datagram_len : len;
    memcpy(out, client->datagram, (size_t)n);
    client->datagram = NULL;
    return n;
}

static long bio_ctrl(BIO *bio, int command, long argument, void *pointer) {
    (void)bio, (void)argument, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static int fingerprint_of(X509 *certificate, char *out) {
    uint8_t digest[32];
    unsigned len = sizeof digest;
    if (!X509_digest(certificate, EVP_sha256(), digest, &len)) return 0;
    for (unsigned i = 0; i < len; i++) sprintf(out + 3 * i, i + 1 < len ? "%02X:" : "%02X", digest[i]);
    return 1;
}

static X509 *certificate_for(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 30 * 86400);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"load", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    return certificate;
}

/* The context of all clients; 0, or -1 if OpenSSL cannot do what is needed. */
int dtls_setup(struct load *load) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? certificate_for(key) : NULL;
    load->tls = SSL_CTX_new(DTLS_client_method());
    int ok = certificate && load->tls && fingerprint_of(certificate, load->fingerprint) &&
             SSL_CTX_use_certificate(load->tls, certificate) && SSL_CTX_use_PrivateKey(load->tls, key) &&
             SSL_CTX_set_tlsext_use_srtp(load->tls, PROFILES) == 0;
    SSL_CTX_set_options(load->tls, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
    if (!method) {
        method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagram");
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_ctrl(method, bio_ctrl);
        BIO_meth_set_create(method, bio_create);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ok ? 0 : -1;
}

static unsigned resend_after(SSL *ssl, unsigned previous_us) {
    (void)ssl;
    return previous_us ? previous_us * 2 : RESEND_US;
}

/* Client's key, server's key, client's salt, server's salt: RFC 5764 section 4.2. */
static int take_keys(struct client *client) {
    const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile(client->ssl);
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t material[88], ours[44], theirs[44];
    if (!chosen) return -1;
    enum srtp_profile profile = (enum srtp_profile)chosen->id;
    client->profile = (int)chosen->id;
    size_t len = srtp_key_length(profile), key = profile == SRTP_AEAD_AES_256_GCM ? 32 : 16, salt = len - key;
    if (!len || !SSL_export_keying_material(client->ssl, material, 2 * len, label, sizeof label - 1, NULL, 0, 0))
        return -1;
    memcpy(ours, material, key);
    memcpy(theirs, material + key, key);
    memcpy(ours + key, material + 2 * key, salt);
    memcpy(theirs + key, material + 2 * key + salt, salt);
    client->send = srtp_key_new(profile, ours, len, 1);
    client->receive = srtp_key_new(profile, theirs, len, 0);
    return client->send && client->receive ? 0 : -1;
}

static void proceed(struct load *load, struct client *client, int64_t now) {
    int done = SSL_do_handshake(client->ssl);
    if (done == 1) {
        client->secured_at = now;
        client->handshake_due = INT64_MAX;
        client->report_due = now + random32(load) % REPORT_NS;
        client_moved(load, client, take_keys(client) == 0 ? CLIENT_OPEN : CLIENT_FAILED);
    } else if (SSL_get_error(client->ssl, done) != SSL_ERROR_WANT_READ) {
        client_moved(load, client, CLIENT_FAILED);
    } else {
        client->handshake_due = now + RESEND_US * 1000ll;
    }
}

void dtls_start(struct load *load, struct client *client, int64_t now) {
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, client);
    client->ssl = SSL_new(load->tls);
    SSL_set_bio(client->ssl, bio, bio);
    SSL_set_mtu(client->ssl, MTU);
    DTLS_set_timer_cb(client->ssl, resend_after);
    SSL_set_connect_state(client->ssl);
    proceed(load, client, now);
}

void dtls_receive(struct load *load, struct client *client, const uint8_t *data, int len, int64_t now) {
    if (!client->ssl) return;
    client->datagram = data;
    client->datagram_len = len;
    if (client->state == CLIENT_SECURING) {
        proceed(load, client, now);
    } else if (client->state == CLIENT_OPEN) {
        char ignored[2048];
        if (SSL_read(client->ssl, ignored, sizeof ignored) <= 0 && SSL_get_shutdown(client->ssl) & SSL_RECEIVED_SHUTDOWN)
            client_moved(load, client, CLIENT_FAILED); /* the other side has said goodbye */
    }
    client->datagram = NULL;
}

void dtls_expired(struct load *load, struct client *client, int64_t now) {
    if (DTLSv1_handle_timeout(client->ssl) < 0) client_moved(load, client, CLIENT_FAILED);
    client->handshake_due = now + RESEND_US * 1000ll;
    (void)load;
}

/* Says goodbye, as a browser does, and frees everything. */
void dtls_close(struct client *client) {
    if (client->ssl) {
        if (client->state == CLIENT_OPEN) SSL_shutdown(client->ssl);
        SSL_free(client->ssl);
    }
    srtp_key_free(client->send);
    srtp_key_free(client->receive);
    client->ssl = NULL;
    client->send = client->receive = NULL;
}

/* What clients offer from now on, by OpenSSL's names with colons between; 0, or -1 if it knows none of these. */
int dtls_profiles(struct load *load, const char *names) {
    return SSL_CTX_set_tlsext_use_srtp(load->tls, names) == 0 ? 0 : -1;
}

void dtls_teardown(struct load *load) { SSL_CTX_free(load->tls); }
