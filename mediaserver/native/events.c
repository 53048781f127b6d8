/* What a packet thread tells Python: a ring with one writer and one reader, and an eventfd to wake the reader. */
#include <string.h>
#include <unistd.h>

#include "core.h"

static struct event *event_begin(struct core *core, uint32_t room) {
    uint32_t head = atomic_load_explicit(&core->events.head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&core->events.tail, memory_order_acquire);
    if (EVENT_SLOTS - (head - tail) <= room)
        return NULL;
    return &core->events.slots[head % EVENT_SLOTS];
}

static void event_end(struct core *core) {
    uint32_t head = atomic_load_explicit(&core->events.head, memory_order_relaxed);
    atomic_store_explicit(&core->events.head, head + 1, memory_order_seq_cst);
    /* The reader empties the ring after it has cleared the eventfd: a ring that was not empty has been told of. */
    if (atomic_load_explicit(&core->events.tail, memory_order_seq_cst) == head && core->event_fd >= 0) {
        uint64_t one = 1;
        ssize_t ignored = write(core->event_fd, &one, sizeof(one));
        (void)ignored;
    }
}

/* Strangers (conn_id 0) may fill half of the ring, connections all but what retiring needs. */
void event_datagram(struct core *core, enum event_kind kind, const struct address *address, const uint8_t *data,
                    size_t size, uint32_t conn_id) {
    struct event *event = event_begin(core, conn_id ? EVENT_SLOTS / 8 : EVENT_SLOTS / 2);
    if (!event) {
        count(core, dropped_events_full);
        return;
    }
    event->kind = (uint8_t)kind;
    event->address = *address;
    event->id = conn_id;
    event->size = (uint16_t)size;
    memcpy(event->data, data, size);
    event_end(core);
}

void event_layer(struct core *core, const struct source *source) {
    struct event *event = event_begin(core, EVENT_SLOTS / 16);
    if (!event) {
        count(core, dropped_events_full);
        return;
    }
    event->kind = EVENT_LAYER;
    event->id = source->track->id;
    event->layer = source->layer;
    event->codec = source->codec;
    event_end(core);
}

void event_stream_closed(struct core *core, const struct address *address) {
    struct event *event = event_begin(core, EVENT_SLOTS / 16);
    if (!event) {
        count(core, dropped_events_full);
        return;
    }
    event->kind = EVENT_STREAM_CLOSED;
    event->address = *address;
    event_end(core);
}

/* What is measured; it may not crowd out what must not be lost. */
void event_records(struct core *core, enum event_kind kind, uint32_t id, const void *records, size_t size) {
    struct event *event = event_begin(core, EVENT_SLOTS / 4);
    if (!event) {
        count(core, dropped_events_full);
        return;
    }
    event->kind = (uint8_t)kind;
    event->id = id;
    event->size = (uint16_t)size;
    memcpy(event->data, records, size);
    event_end(core);
}

static int retire_now(struct core *core, void *object, uint8_t kind) {
    struct event *event = event_begin(core, 0);
    if (!event)
        return 0;
    event->kind = EVENT_RETIRED;
    event->retired = kind;
    event->object = object;
    event_end(core);
    return 1;
}

/* This thread has let go of `object`; Python may free it. What finds no place now waits for the next tick. */
void retire(struct core *core, void *object, enum retired kind) {
    if (!object)
        return;
    if (core->backlog_count == 0 && retire_now(core, object, (uint8_t)kind))
        return;
    if (core->backlog_count < RETIRE_BACKLOG) {
        core->backlog[core->backlog_count].object = object;
        core->backlog[core->backlog_count++].kind = (uint8_t)kind;
    } /* else it is leaked: only a Python side that has not read for thousands of closings gets here */
}

void retire_flush(struct core *core) {
    int done = 0;
    while (done < core->backlog_count && retire_now(core, core->backlog[done].object, core->backlog[done].kind))
        done++;
    if (!done)
        return;
    core->backlog_count -= done;
    memmove(core->backlog, core->backlog + done, (size_t)core->backlog_count * sizeof(*core->backlog));
}
