/* ICE as far as one candidate pair needs it: checks with nomination, consent, answers to the peer's checks.
 * We control. RFC 8445, RFC 8489, RFC 7675. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define COOKIE 0x2112a442u
#define BINDING_REQUEST 0x0001
#define BINDING_SUCCESS 0x0101
#define USERNAME 0x0006
#define MESSAGE_INTEGRITY 0x0008
#define XOR_MAPPED_ADDRESS 0x0020
#define PRIORITY 0x0024
#define USE_CANDIDATE 0x0025
#define FINGERPRINT 0x8028
#define ICE_CONTROLLING 0x802a
#define HEADER 20
#define HOST_PRIORITY 2130706431u

static uint32_t crc32_of(const uint8_t *data, int len) {
    uint32_t crc = 0xffffffffu;
    for (int i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static int begin(uint8_t *m, int type, const uint8_t transaction[12]) {
    write16(m, (uint16_t)type);
    write32(m + 4, COOKIE);
    memcpy(m + 8, transaction, 12);
    return HEADER;
}

static int attribute(uint8_t *m, int at, int type, const void *value, int len) {
    write16(m + at, (uint16_t)type);
    write16(m + at + 2, (uint16_t)len);
    memset(m + at + 4, 0, (size_t)(len + 3) / 4 * 4);
    memcpy(m + at + 4, value, (size_t)len);
    return at + 4 + (len + 3) / 4 * 4;
}

/* Adds MESSAGE-INTEGRITY and FINGERPRINT; the length field counts each before it is computed. */
static int finish(uint8_t *m, int at, const char *password) {
    uint8_t mac[20], crc[4];
    unsigned len = sizeof mac;
    write16(m + 2, (uint16_t)(at + 24 - HEADER));
    HMAC(EVP_sha1(), password, (int)strlen(password), m, (size_t)at, mac, &len);
    at = attribute(m, at, MESSAGE_INTEGRITY, mac, sizeof mac);
    write16(m + 2, (uint16_t)(at + 8 - HEADER));
    write32(crc, crc32_of(m, at) ^ 0x5354554eu);
    return attribute(m, at, FINGERPRINT, crc, sizeof crc);
}

/* Sends a check (which is consent, once there was an answer) and sets when the next is due. */
void ice_check(struct load *load, struct client *client, int64_t now) {
    uint8_t m[256], number[8];
    char name[2 * CREDENTIAL + 2];
    for (int i = 0; i < 12; i += 4) write32(client->transaction + i, random32(load));
    int at = begin(m, BINDING_REQUEST, client->transaction);
    int len = snprintf(name, sizeof name, "%s:%s", client->remote_ufrag, client->local_ufrag);
    at = attribute(m, at, USERNAME, name, len);
    write32(number, HOST_PRIORITY);
    at = attribute(m, at, PRIORITY, number, 4);
    write32(number, (uint32_t)client->id);
    write32(number + 4, client->rtcp_ssrc);
    at = attribute(m, at, ICE_CONTROLLING, number, 8);
    at = attribute(m, at, USE_CANDIDATE, "", 0);
    at = finish(m, at, client->remote_pwd);
    send(client->fd, m, (size_t)at, MSG_DONTWAIT);
    client->check_due = now + (client->state == CLIENT_CHECKING ? CHECK_NS : CONSENT_NS);
}

static void answer(struct client *client, const uint8_t *request) {
    uint8_t m[128], mapped[8] = {0, 1};
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    if (getpeername(client->fd, (struct sockaddr *)&peer, &size) < 0) return;
    int at = begin(m, BINDING_SUCCESS, request + 8);
    write16(mapped + 2, (uint16_t)(ntohs(peer.sin_port) ^ COOKIE >> 16));
    write32(mapped + 4, ntohl(peer.sin_addr.s_addr) ^ COOKIE);
    at = attribute(m, at, XOR_MAPPED_ADDRESS, mapped, sizeof mapped);
    at = finish(m, at, client->local_pwd);
    send(client->fd, m, (size_t)at, MSG_DONTWAIT);
}

void ice_receive(struct load *load, struct client *client, const uint8_t *data, int len, int64_t now) {
    if (len < HEADER || read32(data + 4) != COOKIE) return;
    if (read16(data) == BINDING_REQUEST) answer(client, data);
    if (read16(data) != BINDING_SUCCESS || memcmp(data + 8, client->transaction, 12) != 0) return;
    client->answered_at = now;
    if (client->state != CLIENT_CHECKING) return;
    client->connected_at = now;
    client->check_due = now + CONSENT_NS;
    client_moved(load, client, CLIENT_SECURING);
    dtls_start(load, client, now);
}
