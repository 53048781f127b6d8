/* The loop of the load generator: waits, reads, and does what is due. */
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define EVENTS 256
#define LONGEST_SLEEP 100000000 /* ns */

int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wall_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint32_t random32(struct load *load) { /* splitmix64 */
    uint64_t z = load->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (uint32_t)(z >> 32);
}

void signal_fd(int fd) {
    uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0) return; /* full: it is signalled already */
}

/* Notes when this client has something to do next. */
static void settle(struct load *load, struct client *client) {
    int64_t due = client->state >= CLIENT_CHECKING && client->state <= CLIENT_OPEN ? client->check_due : INT64_MAX;
    if (client->state == CLIENT_SECURING && client->handshake_due < due) due = client->handshake_due;
    if (client->state == CLIENT_OPEN) {
        if (client->report_due < due) due = client->report_due;
        for (int i = 0; i < client->track_count && !load->paused_at; i++)
            if (client->tracks[i].due < due) due = client->tracks[i].due;
    }
    load->due[client->id] = due;
    if (due < load->next_due) load->next_due = due;
}

/* Puts the client into a state and tells whoever waits for it. */
void client_moved(struct load *load, struct client *client, enum state state) {
    client->state = state;
    if (state == CLIENT_OPEN)
        for (int i = 0; i < client->track_count; i++)
            if (!client->tracks[i].due) client->tracks[i].due = now_ns() + random32(load) % load->frame_ns;
    signal_fd(load->news);
}

static void act(struct load *load, struct client *client, int64_t now) {
    if (client->check_due <= now) ice_check(load, client, now);
    if (client->state == CLIENT_SECURING && client->handshake_due <= now) dtls_expired(load, client, now);
    if (client->state == CLIENT_OPEN) {
        if (!load->paused_at) send_due(load, client, now);
        if (client->report_due <= now) send_reports(load, client, now);
    }
}

static void act_all(struct load *load, int64_t now) {
    load->next_due = INT64_MAX;
    for (int i = 0; i < load->client_count; i++) {
        if (load->due[i] <= now) {
            act(load, &load->clients[i], now);
            settle(load, &load->clients[i]);
        } else if (load->due[i] < load->next_due) {
            load->next_due = load->due[i];
        }
    }
}

static void wait_for(struct load *load, struct epoll_event *events, int *count) {
    int64_t left = load->next_due - now_ns();
    if (left > LONGEST_SLEEP) left = LONGEST_SLEEP;
    struct timespec timeout = {0, left > 0 ? left : 0};
    pthread_mutex_unlock(&load->lock);
    *count = epoll_pwait2(load->epoll, events, EVENTS, &timeout, NULL);
    pthread_mutex_lock(&load->lock);
}

void *load_loop(void *argument) {
    struct load *load = argument;
    struct epoll_event events[EVENTS];
    cpu_set_t cores;
    int count;
    CPU_ZERO(&cores);
    CPU_SET(load->core, &cores);
    if (load->core >= 0) pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);
    pthread_setname_np(pthread_self(), "load");
    pthread_mutex_lock(&load->lock);
    while (!load->stop) {
        wait_for(load, events, &count);
        int64_t now = now_ns();
        load->clock_offset = wall_ns() - now_ns();
        for (int i = 0; i < count; i++) {
            uint64_t ignored;
            if (events[i].data.u32 == MAX_CLIENTS) {
                if (read(load->wake, &ignored, sizeof ignored) < 0) continue;
            } else if (load->clients[events[i].data.u32].state != CLIENT_FREE) {
                struct client *client = &load->clients[events[i].data.u32];
                receive(load, client, now);
                settle(load, client);
            }
            /* pictures are not to wait until everything has been read */
            if (load->next_due <= (now = now_ns())) act_all(load, now);
        }
        if (load->next_due <= now_ns()) act_all(load, now_ns());
        struct timespec cpu;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
        load->cpu_ns = (int64_t)cpu.tv_sec * 1000000000 + cpu.tv_nsec;
    }
    pthread_mutex_unlock(&load->lock);
    return NULL;
}
