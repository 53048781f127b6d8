/* Passive ICE over TCP: frames of RFC 4571 in and out, on sockets that Python has accepted and authenticated. Sockets
 * to processes of ours are born and end the same way; what goes through them is local.c's.
 * A receiver that reads too slowly loses packets, as on UDP; it never makes anybody wait. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core.h"

/* Whole frames are taken off the front; what is left of a frame moves there. */
static void stream_frames(struct core *core, struct stream *stream, int64_t now) {
    uint32_t at = 0;
    while (!stream->dead && stream->in_len - at >= 2) {
        uint32_t size = read16(stream->in + at);
        if (size > MAX_DATAGRAM) {
            count(core, dropped_too_long);
            stream_end(core, stream);
            return;
        }
        if (stream->in_len - at < 2 + size)
            break;
        core_datagram(core, &stream->address, stream->in + at + 2, size, now);
        at += 2 + size;
    }
    memmove(stream->in, stream->in + at, stream->in_len - at);
    stream->in_len -= at;
}

/* Bytes as they were read; any number, cut anywhere. */
void stream_feed(struct core *core, struct stream *stream, const uint8_t *data, size_t size, int64_t now) {
    while (size && !stream->dead) {
        size_t room = sizeof(stream->in) - stream->in_len;
        size_t part = size < room ? size : room;
        memcpy(stream->in + stream->in_len, data, part);
        stream->in_len += (uint32_t)part;
        data += part;
        size -= part;
        stream_frames(core, stream, now);
    }
}

void stream_readable(struct core *core, struct stream *stream, int64_t now) {
    if (stream->address.kind == ADDRESS_LOCAL) {
        local_readable(core, stream, now);
        return;
    }
    for (int i = 0; i < 64 && !stream->dead; i++) { /* others want their turn, too */
        ssize_t got = read(stream->fd, stream->in + stream->in_len, sizeof(stream->in) - stream->in_len);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            stream_end(core, stream);
            return;
        }
        stream->in_len += (uint32_t)got;
        stream_frames(core, stream, now);
    }
}

static void stream_poll_out(struct core *core, struct stream *stream, int wanted) {
    if (stream->polled_out == wanted)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0u), .data.ptr = stream};
    epoll_ctl(core->epoll_fd, EPOLL_CTL_MOD, stream->fd, &event);
    stream->polled_out = (uint8_t)wanted;
}

void stream_writable(struct core *core, struct stream *stream) {
    while (stream->out_len && !stream->dead) {
        uint32_t part = STREAM_OUT - stream->out_head < stream->out_len ? STREAM_OUT - stream->out_head
                                                                        : stream->out_len;
        ssize_t sent = send(stream->fd, stream->out + stream->out_head, part, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (sent <= 0) {
            stream_end(core, stream);
            return;
        }
        stream->out_head = (stream->out_head + (uint32_t)sent) % STREAM_OUT;
        stream->out_len -= (uint32_t)sent;
    }
    if (!stream->dead)
        stream_poll_out(core, stream, stream->out_len > 0);
}

static void out_append(struct stream *stream, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size;) {
        uint32_t tail = (stream->out_head + stream->out_len) % STREAM_OUT;
        uint32_t part = STREAM_OUT - tail < size - i ? STREAM_OUT - tail : (uint32_t)(size - i);
        memcpy(stream->out + tail, data + i, part);
        stream->out_len += part;
        i += part;
    }
}

/* One packet as a frame; 0 if the receiver lags so far behind that it has no room. */
int stream_write(struct core *core, struct stream *stream, const uint8_t *data, size_t size) {
    if (stream->dead || stream->out_len + 2 + size > STREAM_OUT)
        return 0;
    uint8_t head[2];
    write16(head, (uint16_t)size);
    out_append(stream, head, 2);
    out_append(stream, data, size);
    if (!stream->polled_out)
        stream_writable(core, stream);
    return 1;
}

/* The stream is over. Its memory goes at the end of the batch: callers up the stack still hold it. */
void stream_end(struct core *core, struct stream *stream) {
    if (stream->dead)
        return;
    stream->dead = 1;
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
    address_remove(&core->addresses, &stream->address);
    if (stream->conn && stream->conn->stream == stream) {
        stream->conn->stream = NULL;
        stream->conn->path.kind = 0;
    }
    event_stream_closed(core, &stream->address);
}

void streams_sweep(struct core *core) {
    for (struct stream **at = &core->streams; *at;) {
        struct stream *stream = *at;
        if (!stream->dead) {
            at = &stream->next;
            continue;
        }
        *at = stream->next;
        retire(core, stream, RETIRED_STREAM);
    }
}
