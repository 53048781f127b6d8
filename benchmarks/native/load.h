/* A native load generator: many WebRTC endpoints in one epoll loop, each with a UDP socket of its own like a browser.
 *
 * It knows ICE, DTLS, SRTP and RTP, and nothing of signaling: whoever uses it (benchmarks/load.py) tells each client
 * its peer's credentials and address. Publishers send VP8 and Opus at a browser's pace; every packet's payload names
 * its publisher, counts, and tells when it was sent (CLOCK_MONOTONIC), so that subscribers can measure loss and
 * latency. Arrival is the kernel's time stamp: how busy this process is does not count.
 *
 * Threads: one runs the loop, pinned to a core; any other calls the functions of load.c. One mutex guards all, held
 * by the loop whenever it is not waiting.
 */
#ifndef FOLKMOOT_LOAD_H
#define FOLKMOOT_LOAD_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>

#include "../../mediaserver/native/header.h"
#include "../../mediaserver/native/srtp.h"

#define MAX_CLIENTS 8192
#define MAX_TRACKS 2   /* of a publisher: sound and picture */
#define MAX_PACKET 1500
#define MAX_BURST 64   /* packets given to the kernel at once */
#define KEYFRAME_FACTOR 3 /* a key frame has so many times the packets of another frame */
#define AUDIO_BYTES 80 /* of an Opus packet: 32 kbit/s */
#define AUDIO_NS 20000000
#define REPORT_NS 1000000000
#define CONSENT_NS 2500000000ll /* RFC 7675: every 2.5 s */
#define CHECK_NS 50000000       /* between two checks until one is answered */
#define CREDENTIAL 64
#define BUCKETS_PER_OCTAVE 32
#define BUCKETS (40 * BUCKETS_PER_OCTAVE) /* of a latency histogram: up to 2^40 ns */

enum state { CLIENT_FREE = 0, CLIENT_NEW = 1, CLIENT_CHECKING = 2, CLIENT_SECURING = 3, CLIENT_OPEN = 4, CLIENT_FAILED = 5 };

/* What is behind the VP8 descriptor and header, or the first bytes of an Opus packet, at MARK_OFFSET of the payload. */
#define MARK 0x6b63617274736574ull
#define MARK_OFFSET 16
struct mark {
    uint64_t magic;
    int64_t sent_ns;
    uint64_t counter;
    uint64_t publisher;
};

struct track { /* what a publisher sends */
    uint32_t ssrc, timestamp;
    uint8_t video, payload_type, mid_id, twcc_id;
    char mid[8];
    uint64_t index; /* roll-over count << 16 | sequence number */
    uint64_t counter;
    int64_t due;
    uint16_t picture;
    uint32_t frame; /* of the clip */
    uint8_t keyframe;
    uint32_t packets, octets; /* as sender reports tell them */
};

struct count { /* numbers that came, and how it was at the last load_measure */
    uint64_t highest, received, highest_then, received_then;
};

struct stream { /* what a subscriber receives under one SSRC */
    uint32_t ssrc;
    uint32_t publisher; /* its client's number plus one; 0: not known yet */
    struct srtp_replay replay;
    uint8_t started;
    uint64_t first;          /* sequence number, unwrapped */
    struct count sequences;  /* as the headers tell */
    struct count counters;   /* as the payloads tell */
    uint32_t report_expected, report_received;     /* at the last receiver report */
    uint32_t last_sr;                              /* middle of its NTP time */
    int64_t last_sr_at;
};

struct client {
    enum state state;
    int id, fd;
    uint8_t sampled; /* its packets are decrypted and measured; else only counted */
    char local_ufrag[CREDENTIAL], local_pwd[CREDENTIAL], remote_ufrag[CREDENTIAL], remote_pwd[CREDENTIAL];
    uint8_t transaction[12];
    int64_t check_due, answered_at, handshake_due, report_due;
    int64_t opened_at, connected_at, secured_at, media_at;
    struct ssl_st *ssl;
    const uint8_t *datagram; /* what the DTLS layer reads next */
    int datagram_len;
    struct srtp_key *send, *receive;
    int profile; /* of SRTP, as RFC 5764 and RFC 7714 number them; 0: not agreed yet */
    uint32_t rtcp_index;
    struct srtcp_replay rtcp_replay;
    struct track tracks[MAX_TRACKS];
    int track_count;
    uint16_t twcc;
    uint32_t rtcp_ssrc;
    struct stream *streams;
    int stream_count, stream_cap, stream_last;
};

struct totals { /* since the last load_measure; the order is that of benchmarks/load.py */
    uint64_t sent_packets, sent_bytes, received_packets, received_bytes, duplicates, unauthentic, keyframe_requests,
        nacks_heard, nacks_sent, send_failures, late_ns_max, receive_calls, rtcp_received;
};

struct clip {
    uint8_t *bytes;
    uint32_t *offsets; /* count + 1 of them */
    int count;
};

struct load {
    pthread_t thread;
    pthread_mutex_t lock;
    volatile int stop;
    int epoll, wake, news, core;
    struct ssl_ctx_st *tls;
    char fingerprint[100];
    struct client *clients; /* MAX_CLIENTS */
    int64_t *due;           /* when each client has something to do */
    int client_count;       /* one above the highest that was ever used */
    int64_t next_due, clock_offset; /* wall clock minus monotonic, ns */
    int64_t frame_ns, cpu_ns;
    int frame_packets, packet_bytes, nack, whole, mute;
    unsigned sample_every, sample_count; /* of the sampled clients' packets, one in so many is decrypted */
    int64_t paused_at;                   /* 0: publishers send */
    uint32_t timestamp_step;
    uint64_t random;
    struct clip clip;
    struct totals totals;
    uint64_t *latencies; /* BUCKETS */
    uint8_t *filler;
};

/* load_loop.c */
void *load_loop(void *load);
int64_t now_ns(void);
uint32_t random32(struct load *load);
void signal_fd(int fd);
void client_moved(struct load *load, struct client *client, enum state state);

/* load_ice.c */
void ice_check(struct load *load, struct client *client, int64_t now);
void ice_receive(struct load *load, struct client *client, const uint8_t *data, int len, int64_t now);

/* load_dtls.c */
int dtls_setup(struct load *load);
void dtls_start(struct load *load, struct client *client, int64_t now);
void dtls_receive(struct load *load, struct client *client, const uint8_t *data, int len, int64_t now);
void dtls_expired(struct load *load, struct client *client, int64_t now);
void dtls_close(struct client *client);
void dtls_teardown(struct load *load);
int dtls_profiles(struct load *load, const char *names);

/* load_send.c */
void send_due(struct load *load, struct client *client, int64_t now);
void send_reports(struct load *load, struct client *client, int64_t now);
void send_nack(struct load *load, struct client *client, uint32_t media_ssrc, uint16_t first, int count);

/* load_receive.c */
void receive(struct load *load, struct client *client, int64_t now);
void measure_again(struct client *client);
void sample_again(struct client *client);
int64_t lost_of(const struct count *count);

#endif
