/* A packet thread: receives in batches (recvmmsg, UDP_GRO), has them forwarded, sends what came of it, applies
 * commands between two batches. It never takes the GIL. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "core.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#define BATCH 16           /* messages in one recvmmsg */
#define MESSAGE_BYTES 65536 /* a coalesced message may be this long */
#define ROUNDS 4           /* recvmmsg calls before other sockets and commands get their turn */
#define READY 32
#define IDLE_MS 200        /* without connections nothing is due */

int64_t monotonic_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Opens one more socket on `address`, as every thread does (SO_REUSEPORT). Its number, or -errno. */
int core_bind(struct core *core, const struct sockaddr_storage *address, int buffer_bytes) {
    int one = 1;
    if (core->socket_count == MAX_SOCKETS)
        return -EMFILE;
    int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    socklen_t size = address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
    if (address->ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (core->segment_offload)
        setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)); /* an old kernel says no: datagrams come singly */
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &core->sockets[core->socket_count]};
    if (bind(fd, (const struct sockaddr *)address, size) < 0 ||
        epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    core->sockets[core->socket_count] = fd;
    return core->socket_count++;
}

static uint32_t segment_size(struct msghdr *h, uint32_t whole) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            return size > 0 ? (uint32_t)size : whole;
        }
    }
    return whole;
}

static void message_arrived(struct core *core, int socket, struct msghdr *h, uint8_t *bytes, uint32_t size,
                            int64_t now) {
    struct address address;
    address_from_sockaddr(&address, (uint8_t)socket, h->msg_name);
    uint32_t segment = segment_size(h, size);
    if (size == 0)
        core_datagram(core, &address, bytes, 0, now);
    for (uint32_t at = 0; at < size; at += segment)
        core_datagram(core, &address, bytes + at, size - at < segment ? size - at : segment, now);
}

struct inbox {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control[BATCH];
};

static int receive_batch(struct core *core, int socket, struct inbox *in, int64_t now) {
    for (int i = 0; i < BATCH; i++) {
        in->parts[i] = (struct iovec){core->receive_buffer + (size_t)i * MESSAGE_BYTES, MESSAGE_BYTES};
        in->headers[i].msg_hdr = (struct msghdr){.msg_name = &in->from[i], .msg_namelen = sizeof(in->from[i]),
            .msg_iov = &in->parts[i], .msg_iovlen = 1, .msg_control = in->control[i].bytes,
            .msg_controllen = sizeof(in->control[i].bytes)};
    }
    int got = recvmmsg(core->sockets[socket], in->headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++)
        message_arrived(core, socket, &in->headers[i].msg_hdr, in->parts[i].iov_base, in->headers[i].msg_len, now);
    return got;
}

static void receive_socket(struct core *core, int socket, struct inbox *in, int64_t now) {
    for (int round = 0; round < ROUNDS; round++) {
        int got = receive_batch(core, socket, in, now);
        if (core->run_wait == 0)
            core_settle(core, now);
        if (got < BATCH)
            return;
    }
}

static void take_handovers(struct core *core, int64_t now) {
    for (int from = 0; from < core->core_count; from++) {
        struct handover_ring *ring = &core->handovers[from];
        if (from == core->index)
            continue;
        uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
        while (tail != atomic_load_explicit(&ring->head, memory_order_acquire)) {
            struct handover *slot = &ring->slots[tail % HANDOVER_SLOTS];
            core_datagram(core, &slot->address, slot->data, slot->size, now);
            atomic_store_explicit(&ring->tail, ++tail, memory_order_release);
        }
    }
}

/* Applies what Python has asked for; packets that were taken in before go out first. */
void core_commands(struct core *core, int64_t now) {
    struct command_ring *ring = core->commands;
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
        return;
    core_settle(core, now);
    while (tail != atomic_load_explicit(&ring->head, memory_order_acquire)) {
        command_apply(core, &ring->slots[tail % COMMAND_SLOTS], now);
        output_flush(core); /* runs point to connections: the next command may close one */
        atomic_store_explicit(&ring->tail, ++tail, memory_order_release);
    }
}

/* Ends a batch: everything taken in leaves, neighbours hear of what they were handed. */
void core_settle(struct core *core, int64_t now) {
    forward_pending(core, now);
    output_flush(core);
    for (int i = 0; core->wake_mask; i++) {
        if (core->wake_mask & 1ull << i)
            core_wake(&core->cores[i]);
        core->wake_mask &= ~(1ull << i);
    }
}

static void serve(struct core *core, struct epoll_event *event, struct inbox *in, int64_t now) {
    void *what = event->data.ptr;
    if (what == &core->wake_fd) {
        uint64_t ignored;
        ssize_t got = read(core->wake_fd, &ignored, sizeof(ignored));
        (void)got;
    } else if ((int *)what >= core->sockets && (int *)what < core->sockets + core->socket_count) {
        receive_socket(core, (int)((int *)what - core->sockets), in, now);
    } else {
        struct stream *stream = what;
        if (!stream->dead && event->events & EPOLLOUT)
            stream_writable(core, stream);
        if (!stream->dead && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            stream_readable(core, stream, now);
    }
}

static int wait_ms(const struct core *core, int64_t now) {
    if (core->pending_count)
        return 1;
    if (core->backlog_count)
        return TICK_US / 1000;
    if (!core->conns)
        return IDLE_MS;
    return now >= core->tick_due ? 0 : (int)((core->tick_due - now + 999) / 1000);
}

static void *core_thread(void *argument) {
    struct core *core = argument;
    struct epoll_event ready[READY];
    struct inbox inbox;
    while (atomic_load_explicit(&core->running, memory_order_acquire)) {
        int n = epoll_wait(core->epoll_fd, ready, READY, wait_ms(core, monotonic_us()));
        int64_t now = monotonic_us();
        core_commands(core, now); /* before the packets: a peer that was just allowed may have sent already */
        for (int i = 0; i < n; i++)
            serve(core, &ready[i], &inbox, now);
        take_handovers(core, now);
        if (now >= core->tick_due || now - core->pending_since >= core->run_wait)
            core_settle(core, now);
        core_commands(core, now);
        if (now >= core->tick_due) {
            core_tick(core, now);
            core_settle(core, now);
        }
    }
    return NULL;
}

/* 0, or an errno. All signals stay with Python's threads. */
int core_start(struct core *core) {
    sigset_t all, before;
    core->receive_buffer = malloc((size_t)BATCH * MESSAGE_BYTES);
    if (!core->receive_buffer)
        return ENOMEM;
    atomic_store(&core->running, 1);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&core->thread, NULL, core_thread, core);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error) {
        char name[16]; /* what top and profilers show */
        snprintf(name, sizeof(name), "packets-%d", core->index);
        pthread_setname_np(core->thread, name);
    }
    core->started = error == 0;
    return error;
}

void core_stop(struct core *core) {
    if (!core->started)
        return;
    atomic_store(&core->running, 0);
    core_wake(core);
    pthread_join(core->thread, NULL);
    core->started = 0;
}

/* CPU time the thread has used, seconds; 0 if it does not run. */
double core_cpu_seconds(struct core *core) {
    clockid_t clock;
    struct timespec t;
    if (!core->started || pthread_getcpuclockid(core->thread, &clock) || clock_gettime(clock, &t))
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
