/* What arrives at a client: runs of datagrams, told apart (RFC 7983); media is decrypted, counted and timed. */
#define _GNU_SOURCE
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define RUNS 8           /* taken from the kernel at once */
#define RUN_BYTES 65536
#define MAX_STREAMS 4096 /* of one client */
#define MAX_NACKED 17

static uint8_t bytes[RUNS][RUN_BYTES]; /* the loop's: there is one */
static const uint8_t no_extensions[256];

static struct stream *stream_of(struct client *client, uint32_t ssrc) {
    if (client->stream_last < client->stream_count && client->streams[client->stream_last].ssrc == ssrc)
        return &client->streams[client->stream_last];
    for (int i = 0; i < client->stream_count; i++)
        if (client->streams[i].ssrc == ssrc) return &client->streams[client->stream_last = i];
    if (client->stream_count == MAX_STREAMS) return NULL;
    if (client->stream_count == client->stream_cap) {
        client->stream_cap = client->stream_cap ? 2 * client->stream_cap : 2;
        client->streams = realloc(client->streams, (size_t)client->stream_cap * sizeof *client->streams);
    }
    struct stream *stream = &client->streams[client->stream_count];
    *stream = (struct stream){.ssrc = ssrc};
    client->stream_last = client->stream_count++;
    return stream;
}

/* Begins a new measurement: nothing was lost or received so far. */
void measure_again(struct client *client) {
    for (int i = 0; i < client->stream_count; i++)
        for (int k = 0; k < 2; k++) {
            struct count *count = k ? &client->streams[i].counters : &client->streams[i].sequences;
            count->highest_then = count->highest;
            count->received_then = count->received;
        }
}

/* The payloads' counters begin anew with the next that is read: a sample of them has holes. */
void sample_again(struct client *client) {
    for (int i = 0; i < client->stream_count; i++) client->streams[i].publisher = 0;
}

/* Since measure_again. */
int64_t lost_of(const struct count *count) {
    return (int64_t)(count->highest - count->highest_then) - (int64_t)(count->received - count->received_then);
}

static void count_first(struct count *count, uint64_t number) {
    *count = (struct count){.highest = number, .highest_then = number - 1};
}

static void count_sequence(struct load *load, struct client *client, struct stream *s, uint16_t sequence) {
    struct count *count = &s->sequences;
    if (!s->started) {
        s->first = (uint64_t)sequence + 65536;
        count_first(count, s->first);
        s->started = 1;
    }
    uint64_t number = count->highest + (uint64_t)(int64_t)(int16_t)(sequence - (uint16_t)count->highest);
    if (number > count->highest) {
        uint64_t gap = number - count->highest - 1;
        if (load->nack && gap && gap <= MAX_NACKED)
            send_nack(load, client, s->ssrc, (uint16_t)(count->highest + 1), (int)gap);
        count->highest = number;
    }
    count->received += number >= s->first;
}

static void count_latency(struct load *load, int64_t ns) {
    uint64_t v = ns < 1 ? 1 : (uint64_t)ns;
    int octave = 63 - __builtin_clzll(v);
    uint64_t part = octave < 5 ? (v << (5 - octave)) & 31 : v >> (octave - 5) & 31;
    int bucket = octave * BUCKETS_PER_OCTAVE + (int)part;
    load->latencies[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static const uint8_t *find_mark(const uint8_t *payload, int len) {
    uint64_t magic;
    for (int at = MARK_OFFSET, i = 0; i < 24; i++, at = 4 + i) {
        if (at + (int)sizeof(struct mark) > len) continue;
        memcpy(&magic, payload + at, 8);
        if (magic == MARK) return payload + at;
    }
    return NULL;
}

static void read_mark(struct load *load, struct stream *s, const uint8_t *payload, int len, int64_t arrived) {
    struct mark mark;
    const uint8_t *at = find_mark(payload, len);
    if (!at) return;
    memcpy(&mark, at, sizeof mark);
    count_latency(load, arrived - mark.sent_ns);
    if (load->sample_every > 1) return;
    if (s->publisher != (uint32_t)mark.publisher + 1) { /* the slot carries another track now */
        s->publisher = (uint32_t)mark.publisher + 1;
        count_first(&s->counters, mark.counter);
    }
    if (mark.counter > s->counters.highest) s->counters.highest = mark.counter;
    s->counters.received++;
}

static void media(struct load *load, struct client *client, uint8_t *packet, int len, int64_t arrived) {
    struct rtp_header header;
    uint64_t index;
    if (!client->receive || rtp_header_read(packet, (size_t)len, no_extensions, &header) != 0) return;
    struct stream *stream = stream_of(client, header.ssrc);
    if (!stream) return;
    if (!client->media_at) {
        client->media_at = arrived;
        client_moved(load, client, client->state);
    }
    load->totals.received_packets++;
    load->totals.received_bytes += (uint64_t)len;
    if (client->sampled && ++load->sample_count >= load->sample_every) {
        load->sample_count = 0;
        int size = srtp_unprotect(client->receive, &stream->replay, packet, (size_t)len, header.header_len, &index);
        load->totals.duplicates += size == SRTP_REPLAYED || size == SRTP_TOO_OLD;
        load->totals.unauthentic += size == SRTP_UNAUTHENTIC;
        if (size < 0) return;
        read_mark(load, stream, packet + header.header_len, size - header.header_len, arrived);
    }
    count_sequence(load, client, stream, header.sequence);
}

static void want_keyframe(struct load *load, struct client *client, uint32_t ssrc) {
    for (int i = 0; i < client->track_count; i++) {
        if (client->tracks[i].ssrc != ssrc || !client->tracks[i].video) continue;
        client->tracks[i].keyframe = 1;
        load->totals.keyframe_requests++;
    }
}

static void one_rtcp(struct load *load, struct client *client, const uint8_t *p, int len, int64_t now) {
    int form = p[0] & 31, type = p[1];
    if (type == 200 && len >= 28) {
        struct stream *stream = stream_of(client, read32(p + 4));
        if (stream) stream->last_sr = read16(p + 10) << 16 | read16(p + 12), stream->last_sr_at = now;
    }
    if (type == 206 && form == 1 && len >= 12) want_keyframe(load, client, read32(p + 8));
    if (type == 206 && form == 4)
        for (int at = 12; at + 8 <= len; at += 8) want_keyframe(load, client, read32(p + at));
    load->totals.nacks_heard += type == 205 && form == 1;
}

static void rtcp(struct load *load, struct client *client, uint8_t *packet, int len, int64_t now) {
    if (!client->receive) return;
    len = srtcp_unprotect(client->receive, &client->rtcp_replay, packet, (size_t)len);
    load->totals.rtcp_received += len > 0;
    for (int at = 0; at + 8 <= len;) {
        int size = 4 * (read16(packet + at + 2) + 1);
        if (at + size > len) break;
        one_rtcp(load, client, packet + at, size, now);
        at += size;
    }
}

static void datagram(struct load *load, struct client *client, uint8_t *data, int len, int64_t arrived, int64_t now) {
    if (len < 2) return;
    if (data[0] < 4)
        ice_receive(load, client, data, len, now);
    else if (data[0] >= 20 && data[0] < 64)
        dtls_receive(load, client, data, len, now);
    else if (data[0] >> 6 == 2 && data[1] >= 192 && data[1] < 224)
        rtcp(load, client, data, len, now);
    else if (data[0] >> 6 == 2)
        media(load, client, data, len, arrived);
}

/* The kernel's arrival time on our clock, and the size of each datagram of a run. */
static void read_control(const struct load *load, struct msghdr *m, int64_t *arrived, int *size) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            *arrived = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec - load->clock_offset;
        }
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) memcpy(size, CMSG_DATA(c), sizeof *size);
    }
}

/* Takes what has come to this client's socket, at most RUNS runs: the others want their turn. */
void receive(struct load *load, struct client *client, int64_t now) {
    struct mmsghdr messages[RUNS];
    struct iovec parts[RUNS];
    char control[RUNS][128];
    for (int i = 0; i < RUNS; i++) {
        parts[i] = (struct iovec){bytes[i], RUN_BYTES};
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &parts[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
    }
    int n = recvmmsg(client->fd, messages, RUNS, MSG_DONTWAIT, NULL);
    load->totals.receive_calls++;
    for (int i = 0; i < n; i++) {
        int64_t arrived = now;
        int len = (int)messages[i].msg_len, size = len;
        read_control(load, &messages[i].msg_hdr, &arrived, &size);
        for (int at = 0; at < len && client->state != CLIENT_FREE; at += size)
            datagram(load, client, bytes[i] + at, len - at < size ? len - at : size, arrived, now);
    }
}
