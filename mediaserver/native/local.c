/* A socket to a process of ours (SOCK_SEQPACKET): plain packets, one datagram each. What a sink sends there is read by a
 * recorder or a decoder, what comes from there is a source like any other. A process that does not read loses packets,
 * as the network would: nothing here waits. The bound of what it may lag behind is the socket's send buffer. */
#include <errno.h>
#include <sys/socket.h>

#include "core.h"

#define ROUND 64 /* packets before others get their turn */

void local_readable(struct core *core, struct stream *stream, int64_t now) {
    for (int i = 0; i < ROUND && !stream->dead; i++) {
        ssize_t got = recv(stream->fd, stream->in, sizeof(stream->in), MSG_DONTWAIT | MSG_TRUNC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            stream_end(core, stream); /* the process is gone */
            return;
        }
        if ((size_t)got > sizeof(stream->in))
            count(core, dropped_too_long);
        else
            core_datagram(core, &stream->address, stream->in, (size_t)got, now);
    }
}

void local_write(struct core *core, struct stream *stream, const uint8_t *data, size_t size) {
    if (stream->dead || send(stream->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        count(core, dropped_local_full);
}
