/* What benchmarks/load.py calls. What the load generator is: load.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define SOCKET_BYTES (4 << 20)

static void lock(struct load *load) { pthread_mutex_lock(&load->lock); }

static void unlock(struct load *load) {
    load->next_due = 0; /* something may be due earlier than before */
    pthread_mutex_unlock(&load->lock);
    signal_fd(load->wake);
}

/* core -1: not pinned. whole: take runs of datagrams as one (UDP_GRO), as hardware does. NULL if it cannot be. */
struct load *load_new(int core, int whole, uint64_t seed) {
    struct load *load = calloc(1, sizeof *load);
    load->core = core;
    load->whole = whole;
    load->random = seed;
    load->clients = calloc(MAX_CLIENTS, sizeof *load->clients);
    load->due = calloc(MAX_CLIENTS, sizeof *load->due);
    load->latencies = calloc(BUCKETS, sizeof *load->latencies);
    load->filler = malloc(MAX_PACKET);
    for (int i = 0; i < MAX_PACKET; i++) load->filler[i] = (uint8_t)random32(load);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    load->news = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = MAX_CLIENTS};
    epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->wake, &event);
    pthread_mutex_init(&load->lock, NULL);
    load->frame_ns = 40000000;
    load->timestamp_step = 3600;
    load->frame_packets = 8;
    load->packet_bytes = 1100;
    load->sample_every = 1;
    if (dtls_setup(load) != 0 || pthread_create(&load->thread, NULL, load_loop, load) != 0) return NULL;
    return load;
}

const char *load_fingerprint(struct load *load) { return load->fingerprint; }

/* An eventfd: readable when some client's state has changed or its first media has come. */
int load_news(struct load *load) { return load->news; }

/* Bytes of a packet are its payload's. Keeps the phases of the publishers. */
void load_pace(struct load *load, double fps, int packets, int bytes) {
    lock(load);
    int64_t before = load->frame_ns, now = now_ns();
    load->frame_ns = (int64_t)(1e9 / fps);
    load->timestamp_step = (uint32_t)(90000 / fps);
    load->frame_packets = packets;
    load->packet_bytes = bytes;
    for (int i = 0; i < load->client_count; i++)
        for (int k = 0; k < load->clients[i].track_count; k++) {
            struct track *track = &load->clients[i].tracks[k];
            if (track->video && track->due > now) track->due = now + (track->due - now) * load->frame_ns / before;
            if (track->due < load->due[i]) load->due[i] = track->due;
        }
    unlock(load);
}

/* Publishers hold their breath, or go on where they stopped, with the phases they had. */
void load_pause(struct load *load, int on) {
    lock(load);
    int64_t now = now_ns(), paused = load->paused_at ? now - load->paused_at : 0;
    load->paused_at = on ? load->paused_at ? load->paused_at : now : 0;
    for (int i = 0; i < load->client_count && !on && paused; i++) {
        struct client *client = &load->clients[i];
        for (int k = 0; k < client->track_count; k++) {
            struct track *track = &client->tracks[k];
            if (!track->due || client->state != CLIENT_OPEN) continue;
            track->due += paused;
            if (track->due < load->due[i]) load->due[i] = track->due;
        }
    }
    unlock(load);
}

/* The loop comes before everything else on its core, as if the clients were on machines of their own; -1: not allowed. */
int load_first(struct load *load) {
    struct sched_param first = {.sched_priority = 1};
    return pthread_setschedparam(load->thread, SCHED_FIFO, &first) == 0 ? 0 : -1;
}

/* Publishers send no sound, or do again. */
void load_mute(struct load *load, int on) {
    lock(load);
    load->mute = on;
    unlock(load);
}

/* One in so many packets of sampled clients is decrypted, checked and timed; the others' numbers are read only. */
void load_sampling(struct load *load, int every) {
    lock(load);
    load->sample_every = (unsigned)every;
    for (int i = 0; i < load->client_count; i++) sample_again(&load->clients[i]);
    unlock(load);
}

/* SRTP profiles that new connections offer; -1 if OpenSSL does not know them. */
int load_profiles(struct load *load, const char *names) {
    lock(load);
    int result = dtls_profiles(load, names);
    unlock(load);
    return result;
}

/* From now on all publishers send these VP8 frames (the first a key frame) again and again, and silence. */
void load_clip(struct load *load, const uint8_t *data, const uint32_t *sizes, int count) {
    lock(load);
    free(load->clip.bytes);
    free(load->clip.offsets);
    uint32_t total = 0;
    load->clip.offsets = calloc((size_t)count + 1, sizeof *load->clip.offsets);
    for (int i = 0; i < count; i++) load->clip.offsets[i + 1] = total += sizes[i];
    load->clip.bytes = malloc(total);
    memcpy(load->clip.bytes, data, total);
    load->clip.count = count;
    unlock(load);
}

void load_nack(struct load *load, int on) { load->nack = on; }

static int open_socket(const char *ip, int whole) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, size = SOCKET_BYTES;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (fd < 0 || inet_pton(AF_INET, ip, &address.sin_addr) != 1 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (fd >= 0) close(fd);
        return -1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    if (whole) setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
    return fd;
}

static struct client *free_client(struct load *load) {
    for (int i = 0; i < MAX_CLIENTS; i++)
        if (load->clients[i].state == CLIENT_FREE) return &load->clients[i];
    return NULL;
}

/* A new client with a socket on this address; its number, or -1. `sampled` 0: its packets are counted, not decrypted. */
int load_open(struct load *load, const char *ip, const char *ufrag, const char *pwd, int sampled) {
    lock(load);
    struct client *client = free_client(load);
    int fd = client ? open_socket(ip, load->whole) : -1, id = -1;
    if (fd >= 0) {
        id = (int)(client - load->clients);
        *client = (struct client){.state = CLIENT_NEW, .id = id, .fd = fd, .sampled = sampled != 0, .opened_at = now_ns()};
        load->due[id] = client->check_due = client->handshake_due = client->report_due = INT64_MAX;
        client->rtcp_ssrc = random32(load);
        snprintf(client->local_ufrag, CREDENTIAL, "%s", ufrag);
        snprintf(client->local_pwd, CREDENTIAL, "%s", pwd);
        if (id >= load->client_count) load->client_count = id + 1;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)id};
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, fd, &event);
    }
    unlock(load);
    return id;
}

/* What the client will publish once it is open; extension ids are 0 for none. */
void load_publish(struct load *load, int id, int video, uint32_t ssrc, int payload_type, const char *mid, int mid_id,
                  int twcc_id) {
    lock(load);
    struct client *client = &load->clients[id];
    if (client->track_count < MAX_TRACKS) {
        struct track *track = &client->tracks[client->track_count++];
        *track = (struct track){.ssrc = ssrc,
                                .timestamp = random32(load),
                                .video = video != 0,
                                .payload_type = (uint8_t)payload_type,
                                .mid_id = (uint8_t)mid_id,
                                .twcc_id = (uint8_t)twcc_id,
                                .index = random32(load) & 0x7fff,
                                .picture = random32(load) & 0x7fff,
                                .keyframe = 1};
        snprintf(track->mid, sizeof track->mid, "%s", mid);
        if (client->state == CLIENT_OPEN) load->due[id] = track->due = now_ns();
    }
    unlock(load);
}

/* Starts checking, if it has not started; -1 if the address makes no sense or the client is closed. */
int load_connect(struct load *load, int id, const char *ufrag, const char *pwd, const char *ip, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, ip, &address.sin_addr) != 1) return -1;
    lock(load);
    struct client *client = &load->clients[id];
    int result = client->state == CLIENT_FREE ? -1 : 0;
    if (client->state == CLIENT_NEW) {
        result = connect(client->fd, (struct sockaddr *)&address, sizeof address);
        snprintf(client->remote_ufrag, CREDENTIAL, "%s", ufrag);
        snprintf(client->remote_pwd, CREDENTIAL, "%s", pwd);
        client->state = CLIENT_CHECKING;
        load->due[id] = client->check_due = 0;
    }
    unlock(load);
    return result;
}

void load_close(struct load *load, int id) {
    lock(load);
    struct client *client = &load->clients[id];
    if (client->state != CLIENT_FREE) {
        dtls_close(client);
        close(client->fd);
        free(client->streams);
        *client = (struct client){.state = CLIENT_FREE};
        load->due[id] = INT64_MAX;
    }
    unlock(load);
}

/* The SRTP profile a client has agreed on; 0 before that. */
int load_profile(struct load *load, int id) { return load->clients[id].profile; }

/* The UDP port of a client's socket; -1 if it has none. */
int load_port(struct load *load, int id) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    lock(load);
    int result = getsockname(load->clients[id].fd, (struct sockaddr *)&address, &size);
    unlock(load);
    return result < 0 ? -1 : ntohs(address.sin_port);
}

int load_state(struct load *load, int id) { return load->clients[id].state; }

/* When it was opened, connected, secured, and got its first media: CLOCK_MONOTONIC ns, 0 for not yet. */
void load_times(struct load *load, int id, int64_t out[4]) {
    lock(load);
    struct client *client = &load->clients[id];
    out[0] = client->opened_at;
    out[1] = client->connected_at;
    out[2] = client->secured_at;
    out[3] = client->media_at;
    unlock(load);
}

/* Starts a measurement: counters and the histogram begin at zero. */
void load_measure(struct load *load) {
    lock(load);
    for (int i = 0; i < load->client_count; i++)
        if (load->clients[i].state != CLIENT_FREE) measure_again(&load->clients[i]);
    load->totals = (struct totals){0};
    memset(load->latencies, 0, BUCKETS * sizeof *load->latencies);
    unlock(load);
}

static uint64_t kernel_drops(int fd) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size);
    return info[SK_MEMINFO_DROPS];
}

/* Since load_measure: out gets {lost by sequence numbers, lost by the publishers' counters (sampled clients only),
 * streams that got something, what our own sockets dropped since they were opened}. */
void load_losses(struct load *load, int64_t out[4]) {
    lock(load);
    memset(out, 0, 4 * sizeof *out);
    for (int i = 0; i < load->client_count; i++) {
        struct client *client = &load->clients[i];
        if (client->state == CLIENT_FREE) continue;
        for (int k = 0; k < client->stream_count; k++) {
            struct stream *s = &client->streams[k];
            out[0] += lost_of(&s->sequences);
            out[1] += lost_of(&s->counters);
            out[2] += s->sequences.received > s->sequences.received_then;
        }
        out[3] += (int64_t)kernel_drops(client->fd);
    }
    unlock(load);
}

void load_totals(struct load *load, struct totals *out) {
    lock(load);
    *out = load->totals;
    unlock(load);
}

/* Streams that this client has received anything of since load_measure. */
int load_receiving(struct load *load, int id) {
    int count = 0;
    lock(load);
    for (int k = 0; k < load->clients[id].stream_count; k++) {
        struct count *s = &load->clients[id].streams[k].sequences;
        count += s->received > s->received_then;
    }
    unlock(load);
    return count;
}

/* Bucket b holds latencies of 2^(b / 32) * (1 + b % 32 / 32) ns and above. */
void load_latencies(struct load *load, uint64_t *out) {
    lock(load);
    memcpy(out, load->latencies, BUCKETS * sizeof *out);
    unlock(load);
}

/* CPU seconds that the loop has used. */
double load_cpu(struct load *load) { return (double)load->cpu_ns / 1e9; }

void load_stop(struct load *load) {
    load->stop = 1;
    signal_fd(load->wake);
    pthread_join(load->thread, NULL);
    for (int i = 0; i < load->client_count; i++) load_close(load, i);
    close(load->epoll);
    close(load->wake);
    close(load->news);
    dtls_teardown(load);
    free(load->clip.bytes);
    free(load->clip.offsets);
    free(load->clients);
    free(load->due);
    free(load->latencies);
    free(load->filler);
    free(load);
}
