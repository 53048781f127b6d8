/* For benchmarks: datagrams at a pace, and what a plain sendto costs. Built at run time (benchmarks/native_build.py). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#define MAX_PUBLISHERS 64
#define MAX_STREAMS 4 /* of one publisher */

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pace(struct timespec *next, int64_t interval_ns) {
    next->tv_nsec += interval_ns;
    while (next->tv_nsec >= 1000000000) {
        next->tv_nsec -= 1000000000;
        next->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* The floor that a forwarder is measured against: `burst` sendto calls to each of `n` receivers, every interval.
 * Returns the CPU seconds that this thread used. */
double bare_sendto(int fd, const struct sockaddr_in *to, int n, const uint8_t *packet, int size, int burst, int rounds,
                   int64_t interval_ns) {
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    double before = cpu_seconds();
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < n; i++)
            for (int k = 0; k < burst; k++)
                sendto(fd, packet, (size_t)size, 0, (const struct sockaddr *)&to[i], sizeof(to[i]));
        pace(&next, interval_ns);
    }
    return cpu_seconds() - before;
}

/* One kind of stream of a publisher: so many packets of this size in one go, every interval. */
struct stream {
    int size, packets;
    int64_t interval_ns;
};

struct cost { /* what bare_streams has seen */
    double cpu, seconds;
    int64_t sent, failed;
};

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(int64_t ns) {
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    if (ns > monotonic_ns()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* A frame to all receivers but `skipped` (-1: to all). */
static void send_frame(int fd, const struct sockaddr_in *to, int n, int skipped, const struct stream *stream,
                       const uint8_t *packet, struct cost *out) {
    for (int i = 0; i < n; i++)
        for (int k = 0; k < stream->packets && i != skipped; k++) {
            ssize_t sent =
                sendto(fd, packet, (size_t)stream->size, 0, (const struct sockaddr *)&to[i], sizeof(to[i]));
            out->sent += sent >= 0;
            out->failed += sent < 0;
        }
}

/* What a conference costs that only sends: `publishers`, each with these streams (at most MAX_STREAMS) and with phases
 * spread over the interval, to all `n` receivers but the one of the publisher's number (`self` 0: to all). Each packet
 * is one sendto. Late is late: if the pace is too high, there are no pauses. */
void bare_streams(int fd, const struct sockaddr_in *to, int n, int publishers, int self, const struct stream *streams,
                  int kinds, const uint8_t *packet, int64_t duration_ns, struct cost *out) {
    int64_t begin = monotonic_ns(), due[MAX_PUBLISHERS][MAX_STREAMS], next = 0;
    double before = cpu_seconds();
    *out = (struct cost){0};
    for (int p = 0; p < publishers; p++)
        for (int k = 0; k < kinds; k++) due[p][k] = begin + streams[k].interval_ns * (2 * p + k) / (2 * publishers);
    while (next < begin + duration_ns && monotonic_ns() < begin + duration_ns) {
        next = INT64_MAX;
        for (int p = 0; p < publishers; p++)
            for (int k = 0; k < kinds; k++) {
                if (due[p][k] <= monotonic_ns()) {
                    send_frame(fd, to, n, self ? p : -1, &streams[k], packet, out);
                    due[p][k] += streams[k].interval_ns;
                }
                if (due[p][k] < next) next = due[p][k];
            }
        sleep_until(next);
    }
    out->cpu = cpu_seconds() - before;
    out->seconds = (double)(monotonic_ns() - begin) / 1e9;
}

/* Sends `count` packets of `size` bytes, which lie `stride` apart, in bursts; fd is connected. */
void pump(int fd, const uint8_t *packets, int count, int size, int stride, int burst, int64_t interval_ns) {
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int at = 0; at < count;) {
        struct mmsghdr messages[64];
        struct iovec parts[64];
        int n = 0;
        for (; n < burst && n < 64 && at < count; n++, at++) {
            parts[n] = (struct iovec){(void *)(packets + (int64_t)at * stride), (size_t)size};
            messages[n].msg_hdr = (struct msghdr){.msg_iov = &parts[n], .msg_iovlen = 1};
        }
        sendmmsg(fd, messages, (unsigned)n, 0);
        pace(&next, interval_ns);
    }
}

/* Reads and forgets whatever arrives on the sockets until `stop` is set: receivers that keep up. */
void drain(const int *fds, int n, const volatile int *stop) {
    static uint8_t bytes[65536];
    while (!*stop) {
        int got = 0;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < 64 && recv(fds[i], bytes, sizeof(bytes), MSG_DONTWAIT) >= 0; k++)
                got = 1;
        if (!got) {
            struct timespec nap = {0, 200000};
            nanosleep(&nap, NULL);
        }
    }
}
