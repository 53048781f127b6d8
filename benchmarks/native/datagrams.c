/* For benchmarks: datagrams at a pace, and what a plain sendto costs. Built at run time (benchmarks/native_build.py). */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

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
