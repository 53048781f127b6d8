/* Making and freeing of what the packet threads work on, and Python's ends of the rings. Runs in Python's thread. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core.h"

#define VIDEO_SLOTS 1024
#define VIDEO_BYTES (1 << 19)
#define AUDIO_SLOTS 64
#define AUDIO_BYTES (1 << 14)

static const char *const counter_names[COUNTER_COUNT] = {
#define X(name) #name,
    COUNTERS(X)
#undef X
};

const char *counter_name(int c) { return counter_names[c]; }

static int core_allocate(struct core *core) {
    core->commands = calloc(1, sizeof(*core->commands));
    core->events.slots = calloc(EVENT_SLOTS, sizeof(struct event));
    core->addresses.entries = calloc(ADDRESS_SLOTS, sizeof(struct address_entry));
    core->out.bytes = malloc(OUT_BYTES);
    core->backlog = calloc(RETIRE_BACKLOG, sizeof(*core->backlog));
    for (int i = 0; i < core->core_count; i++) {
        if (i == core->index)
            continue;
        core->handovers[i].slots = calloc(HANDOVER_SLOTS, sizeof(struct handover));
        if (!core->handovers[i].slots)
            return -1;
    }
    return core->commands && core->events.slots && core->addresses.entries && core->out.bytes && core->backlog ? 0
                                                                                                               : -1;
}

/* -1: no memory or no descriptors; core_free cleans up either way. */
int core_init(struct core *core, int index, int core_count, struct core *all, int simulated) {
    memset(core, 0, sizeof(*core));
    core->index = index;
    core->core_count = core_count;
    core->cores = all;
    core->is_simulated = (uint8_t)simulated;
    core->event_fd = core->wake_fd = core->epoll_fd = -1;
    if (core_allocate(core) < 0)
        return -1;
    if (simulated)
        return 0;
    core->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    core->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (core->wake_fd < 0 || core->epoll_fd < 0)
        return -1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &core->wake_fd};
    return epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, core->wake_fd, &event);
}

static void core_drain(struct core *core) {
    const struct event *event;
    while ((event = core_event(core))) {
        if (event->kind == EVENT_RETIRED)
            retired_free(event->object, event->retired);
        core_event_done(core);
    }
    for (int i = 0; i < core->backlog_count; i++)
        retired_free(core->backlog[i].object, core->backlog[i].kind);
    core->backlog_count = 0;
}

/* The thread has ended. Connections, sinks and streams that are still there go, too; tracks belong to the face. */
void core_free(struct core *core) {
    if (!core->cores)
        return; /* core_init has not come to this one */
    if (core->events.slots)
        core_drain(core);
    while (core->conns) {
        struct conn *conn = core->conns;
        core->conns = conn->next;
        for (int i = 0; i < conn->sink_count; i++)
            free(conn->sinks[i]);
        conn_free(conn);
    }
    while (core->streams) {
        struct stream *stream = core->streams;
        core->streams = stream->next;
        if (stream->fd >= 0)
            close(stream->fd);
        free(stream);
    }
    for (int i = 0; i < core->socket_count; i++)
        close(core->sockets[i]);
    if (core->wake_fd >= 0)
        close(core->wake_fd);
    if (core->epoll_fd >= 0)
        close(core->epoll_fd);
    for (int i = 0; i < core->core_count; i++)
        free(core->handovers[i].slots);
    free(core->commands);
    free(core->events.slots);
    free(core->addresses.entries);
    free(core->out.bytes);
    free(core->backlog);
    free(core->simulated.bytes);
    free(core->receive_buffer);
}

int core_push(struct core *core, const struct command *command) {
    struct command_ring *ring = core->commands;
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >= COMMAND_SLOTS)
        return 0;
    ring->slots[head % COMMAND_SLOTS] = *command;
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return 1;
}

void core_wake(struct core *core) {
    uint64_t one = 1;
    if (core->wake_fd >= 0) {
        ssize_t ignored = write(core->wake_fd, &one, sizeof(one));
        (void)ignored;
    }
}

const struct event *core_event(const struct core *core) {
    uint32_t tail = atomic_load_explicit(&core->events.tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&core->events.head, memory_order_seq_cst))
        return NULL;
    return &core->events.slots[tail % EVENT_SLOTS];
}

void core_event_done(struct core *core) {
    uint32_t tail = atomic_load_explicit(&core->events.tail, memory_order_relaxed);
    atomic_store_explicit(&core->events.tail, tail + 1, memory_order_seq_cst);
}

struct track *track_new(uint32_t id, int is_video) {
    struct track *track = calloc(1, sizeof(*track));
    if (!track)
        return NULL;
    track->id = id;
    track->is_video = (uint8_t)is_video;
    track->pending_first = track->pending_last = -1;
    for (int i = 0; i < (is_video ? MAX_LAYERS : 1); i++) {
        struct source *source = &track->layers[i];
        source->cache.slots = is_video ? VIDEO_SLOTS : AUDIO_SLOTS;
        source->cache.capacity = is_video ? VIDEO_BYTES : AUDIO_BYTES;
        source->cache.packets = calloc(source->cache.slots, sizeof(struct packet));
        source->cache.bytes = calloc(1, source->cache.capacity); /* pages come when they are written to */
        if (!source->cache.packets || !source->cache.bytes) {
            track_free(track);
            return NULL;
        }
    }
    for (int i = 0; i < MAX_LAYERS; i++) {
        track->layers[i].track = track;
        track->layers[i].layer = (uint8_t)i;
        track->layers[i].codec = -1;
        track->layers[i].keyframe_seq = -1;
    }
    return track;
}

void track_free(struct track *track) {
    for (int i = 0; track && i < MAX_LAYERS; i++) {
        free(track->layers[i].cache.packets);
        free(track->layers[i].cache.bytes);
    }
    free(track);
}

struct conn *conn_new(uint32_t id) {
    struct conn *conn = calloc(1, sizeof(*conn));
    if (conn) {
        conn->id = id;
        conn->round_trip = -1;
    }
    return conn;
}

void conn_free(struct conn *conn) {
    srtp_key_free(conn->rx);
    srtp_key_free(conn->tx);
    receiver_free(conn->receiver);
    free(conn->departures);
    free(conn->pacer);
    free(conn);
}

struct receiver *receiver_new(void) { return calloc(1, sizeof(struct receiver)); }

void receiver_free(struct receiver *receiver) {
    if (!receiver)
        return;
    for (int i = 0; i < MAX_SECTIONS; i++)
        free(receiver->sections[i]);
    free(receiver->arrivals);
    free(receiver);
}

/* Frees what a packet thread has let go of. */
void retired_free(void *object, int kind) {
    switch (kind) {
    case RETIRED_KEY: srtp_key_free(object); break;
    case RETIRED_CONN: conn_free(object); break;
    case RETIRED_TRACK: track_free(object); break;
    default: free(object); break;
    }
}
