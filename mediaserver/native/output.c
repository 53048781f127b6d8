/* What leaves in one batch: contiguous runs of packets to one peer, sent by sendmmsg and, where the packets of a run
 * are equally long, cut by the kernel or the card (UDP_SEGMENT). */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define MAX_RUN_BYTES 65000
#define MESSAGES 64 /* in one system call */

/* Room for one packet; sends what is waiting if there is none left. Valid until the next reserve. */
uint8_t *output_reserve(struct core *core, size_t size) {
    if (core->out.used + size > OUT_BYTES || core->out.run_count == OUT_RUNS)
        output_flush(core);
    return core->out.bytes + core->out.used;
}

static int run_takes(const struct core *core, const struct run *run, const struct conn *conn, uint32_t at,
                     size_t size) {
    return core->segment_offload && run->conn == conn && !run->closed && run->offset + run->size == at &&
           size <= run->segment && run->count < MAX_SEGMENTS && run->size + size <= MAX_RUN_BYTES;
}

/* The packet written at `at` (from output_reserve) goes to the connection's path. */
void output_commit(struct core *core, struct conn *conn, uint8_t *at, size_t size) {
    struct output *out = &core->out;
    uint32_t offset = (uint32_t)(at - out->bytes);
    count(core, datagrams_sent);
    count_many(core, bytes_sent, size);
    if (conn->path.kind == ADDRESS_LOCAL && !core->is_simulated) {
        local_write(core, conn->stream, at, size);
        return;
    }
    if (conn->stream && !core->is_simulated) {
        if (!stream_write(core, conn->stream, at, size))
            count(core, dropped_stream_full);
        return;
    }
    struct run *last = out->run_count ? &out->runs[out->run_count - 1] : NULL;
    if (last && run_takes(core, last, conn, offset, size)) {
        last->size += (uint32_t)size;
        last->count++;
        last->closed = size < last->segment;
    } else {
        out->runs[out->run_count++] = (struct run){
            .conn = conn, .offset = offset, .size = (uint32_t)size, .segment = (uint16_t)size, .count = 1};
    }
    out->used = offset + (uint32_t)size;
}

static void simulate(struct core *core, const struct run *run) {
    struct simulated *sim = &core->simulated;
    for (uint32_t at = 0; at < run->size;) {
        uint32_t size = run->size - at < run->segment ? run->size - at : run->segment;
        size_t need = sizeof(struct address) + 4 + size;
        if (sim->size + need > sim->capacity) {
            size_t capacity = (sim->capacity + need) * 2;
            uint8_t *bytes = realloc(sim->bytes, capacity); /* no packet thread comes here */
            if (!bytes)
                return;
            sim->bytes = bytes;
            sim->capacity = capacity;
        }
        uint8_t *to = sim->bytes + sim->size;
        memcpy(to, &run->conn->path, sizeof(struct address));
        memcpy(to + sizeof(struct address), &size, 4);
        memcpy(to + sizeof(struct address) + 4, core->out.bytes + run->offset + at, size);
        sim->size += need;
        at += size;
    }
}

struct messages {
    struct mmsghdr headers[MESSAGES];
    struct iovec parts[MESSAGES];
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } control[MESSAGES];
};

static void message_fill(struct messages *m, int i, struct core *core, const struct run *run) {
    struct msghdr *h = &m->headers[i].msg_hdr;
    memset(h, 0, sizeof(*h));
    h->msg_name = &run->conn->peer;
    h->msg_namelen = run->conn->peer_len;
    m->parts[i].iov_base = core->out.bytes + run->offset;
    m->parts[i].iov_len = run->size;
    h->msg_iov = &m->parts[i];
    h->msg_iovlen = 1;
    if (run->count > 1) {
        h->msg_control = m->control[i].bytes;
        h->msg_controllen = sizeof(m->control[i].bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(h);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
        memcpy(CMSG_DATA(c), &run->segment, sizeof(uint16_t));
    }
}

/* Packet by packet, for a run that the kernel would not cut (no offload, or larger than the device's MTU). */
static void send_singly(struct core *core, const struct run *run) {
    int fd = core->sockets[run->conn->path.socket];
    for (uint32_t at = 0; at < run->size;) {
        uint32_t size = run->size - at < run->segment ? run->size - at : run->segment;
        if (sendto(fd, core->out.bytes + run->offset + at, size, MSG_DONTWAIT,
                   (const struct sockaddr *)&run->conn->peer, run->conn->peer_len) < 0)
            count(core, dropped_send_failed);
        at += size;
    }
}

static void run_failed(struct core *core, const struct run *run, int error) {
    if (run->count > 1 && (error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP)) {
        if (error == EIO || error == EOPNOTSUPP)
            core->segment_offload = 0; /* this kernel or device cannot: plain sendmmsg from now on */
        send_singly(core, run);
        return;
    }
    count_many(core, dropped_send_failed, run->count);
}

/* Sends `n` runs that leave by the same socket. */
static void send_runs(struct core *core, const struct run *runs, int n, struct messages *m) {
    int fd = core->sockets[runs[0].conn->path.socket];
    for (int i = 0; i < n; i++) {
        message_fill(m, i, core, &runs[i]);
        if (runs[i].count > 1)
            count(core, segment_runs);
    }
    for (int done = 0; done < n;) {
        int sent = sendmmsg(fd, m->headers + done, (unsigned)(n - done), MSG_DONTWAIT);
        if (sent <= 0) {
            if (sent < 0 && errno == EINTR)
                continue;
            run_failed(core, &runs[done], errno); /* the error is the first one's; the others may still go */
            sent = 1;
        }
        done += sent;
    }
}

/* Sends all that was committed. */
void output_flush(struct core *core) {
    struct output *out = &core->out;
    struct messages m;
    for (int i = 0; i < out->run_count;) {
        int n = 1;
        if (core->is_simulated) {
            simulate(core, &out->runs[i]);
        } else {
            while (i + n < out->run_count && n < MESSAGES &&
                   out->runs[i + n].conn->path.socket == out->runs[i].conn->path.socket)
                n++;
            send_runs(core, &out->runs[i], n, &m);
        }
        i += n;
    }
    out->run_count = 0;
    out->used = 0;
}
