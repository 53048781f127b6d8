/* What Python asks a packet thread to do. Each command is applied between two batches; none allocates. */
#include <string.h>
#include <sys/epoll.h>

#include "core.h"

static void conn_add(struct core *core, struct conn *conn, int64_t now) {
    conn->next = core->conns;
    conn->prev = NULL;
    if (core->conns)
        core->conns->prev = conn;
    core->conns = conn;
    conn_hurry(core, conn, now);
}

static void address_forget(struct core *core, const struct address *address) {
    struct address_entry *entry = address_find(&core->addresses, address);
    if (!entry)
        return;
    if (entry->stream)
        address_unknow(entry); /* it stays until the stream ends */
    else
        address_remove(&core->addresses, address);
}

static void conn_allow(struct core *core, struct conn *conn, const struct address *address) {
    struct address_entry *entry = address_insert(&core->addresses, address);
    if (!entry)
        return;
    address_unknow(entry);
    if (conn->known_count == MAX_PATHS) { /* the face forgets old ones long before it comes to this */
        address_forget(core, address);
        return;
    }
    conn->known[conn->known_count++] = *address;
    entry->owner = (uint8_t)core->index;
    entry->conn = conn;
    if (entry->stream)
        entry->stream->conn = conn;
}

static void address_owner(struct core *core, const struct address *address, int owner) {
    struct address_entry *entry = address_insert(&core->addresses, address);
    if (!entry)
        return;
    address_unknow(entry);
    entry->owner = (uint8_t)owner;
}

static void conn_path(struct core *core, struct conn *conn, const struct address *address) {
    struct address_entry *entry = address_find(&core->addresses, address);
    conn->path = *address;
    conn->stream = entry ? entry->stream : NULL;
    if (address->kind >= ADDRESS_TCP) {
        if (!conn->stream)
            conn->path.kind = 0; /* it ended before we got here */
        return;
    }
    conn->peer_len = address_to_sockaddr(address, &conn->peer);
}

static void section_drop(struct core *core, struct conn *conn, int place, int64_t now) {
    struct section *section = conn->receiver->sections[place];
    receiver_unbind(core, conn->receiver, section->track, now);
    section->track->conn = NULL;
    conn->receiver->sections[place] = NULL;
    retire(core, section, RETIRED_PLAIN);
}

static void section_remove(struct core *core, struct conn *conn, const char *mid, int64_t now) {
    for (int i = 0; conn->receiver && i < MAX_SECTIONS; i++) {
        if (!conn->receiver->sections[i] || strcmp(conn->receiver->sections[i]->mid, mid) != 0)
            continue;
        section_drop(core, conn, i, now);
        return;
    }
}

/* Whatever section feeds the track does so no longer. */
static void track_unfeed(struct core *core, struct track *track, int64_t now) {
    struct conn *conn = track->conn;
    for (int i = 0; conn && i < MAX_SECTIONS; i++) {
        if (conn->receiver->sections[i] && conn->receiver->sections[i]->track == track) {
            section_drop(core, conn, i, now);
            return; /* there is never more than one */
        }
    }
}

/* A section that describes the track it had keeps what was learnt; another track starts from nothing. */
static void section_set(struct core *core, struct conn *conn, struct section *fresh, int64_t now) {
    struct receiver *receiver = conn->receiver;
    int free_place = -1;
    for (int i = 0; i < MAX_SECTIONS; i++) {
        struct section *old = receiver->sections[i];
        if (old && strcmp(old->mid, fresh->mid) == 0) {
            if (old->track != fresh->track)
                section_drop(core, conn, i, now);
            else
                retire(core, old, RETIRED_PLAIN);
            free_place = i;
            break;
        }
        if (!old && free_place < 0)
            free_place = i;
    }
    if (free_place < 0) {
        retire(core, fresh, RETIRED_PLAIN);
        return;
    }
    if (!receiver->sections[free_place])
        track_unfeed(core, fresh->track, now); /* another section has fed it until now */
    receiver->sections[free_place] = fresh;
    fresh->track->conn = conn;
}

static void sink_remove(struct core *core, struct sink *sink, int64_t now) {
    sink_detach(core, sink, now);
    struct conn *conn = sink->conn;
    for (int i = 0; conn && i < conn->sink_count; i++) {
        if (conn->sinks[i] != sink)
            continue;
        conn->sink_count--;
        conn->sinks[i] = conn->sinks[conn->sink_count];
        conn->sink_ssrcs[i] = conn->sink_ssrcs[conn->sink_count];
    }
    sink->conn = NULL;
    retire(core, sink, RETIRED_SINK);
}

static void conn_close(struct core *core, struct conn *conn, int64_t now) {
    while (conn->sink_count)
        sink_remove(core, conn->sinks[0], now);
    for (int i = 0; conn->receiver && i < MAX_SECTIONS; i++)
        if (conn->receiver->sections[i])
            section_drop(core, conn, i, now);
    while (conn->known_count) {
        struct address address = conn->known[0];
        address_forget(core, &address);
    }
    for (struct stream *stream = core->streams; stream; stream = stream->next) {
        if (stream->conn == conn) {
            stream->conn = NULL;
            stream_end(core, stream);
        }
    }
    if (conn->next)
        conn->next->prev = conn->prev;
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        core->conns = conn->next;
    retire(core, conn, RETIRED_CONN);
}

static void track_close(struct core *core, struct track *track, int64_t now) {
    while (track->sinks)
        sink_detach(core, track->sinks, now);
    track_unfeed(core, track, now);
    level_forget(core, track);
    retire(core, track, RETIRED_TRACK);
}

static void track_mute(struct core *core, struct track *track, int muted, int64_t now) {
    if (track->muted == muted)
        return;
    track->muted = (uint8_t)muted;
    for (struct sink *sink = track->sinks; sink; sink = sink->next_of_track) {
        sink->resync = 1;
        sink->need_key = sink->is_video && sink->source;
    }
    for (int i = 0; i < MAX_LAYERS && track->is_video; i++) {
        track->layers[i].keyframe_seq = -1; /* what came before the gap is no start for anybody */
        if (!muted && track->layers[i].ssrc)
            source_want_keyframe(core, &track->layers[i], now);
    }
}

static void sink_add(struct conn *conn, struct sink *sink) {
    sink->conn = conn;
    if (conn->sink_count == MAX_SINKS)
        return; /* the face refuses more before it comes to this */
    conn->sinks[conn->sink_count] = sink;
    conn->sink_ssrcs[conn->sink_count++] = sink->ssrc;
}

static void sink_accept(struct core *core, struct sink *sink, struct sink_profile *profile, int64_t now) {
    if (sink->started && memcmp(&sink->profile, profile, sizeof(*profile)) != 0) {
        pacer_flush(core, sink, now);
        sink->profile_from = sink->out_seq + 1;
    }
    sink->profile = *profile;
    sink->accepted = 1;
    retire(core, profile, RETIRED_PLAIN);
    if (!sink->source)
        sink_choose_layer(core, sink, now);
}

static void conn_keys(struct core *core, struct conn *conn, struct srtp_key *rx, struct srtp_key *tx, int64_t now) {
    retire(core, conn->rx, RETIRED_KEY);
    retire(core, conn->tx, RETIRED_KEY);
    conn->rx = rx;
    conn->tx = tx;
    conn_hurry(core, conn, now);
}

static void stream_add(struct core *core, struct stream *stream) {
    stream->next = core->streams;
    core->streams = stream;
    struct address_entry *entry = address_insert(&core->addresses, &stream->address);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = stream};
    if (!entry || (!core->is_simulated && epoll_ctl(core->epoll_fd, EPOLL_CTL_ADD, stream->fd, &event) < 0)) {
        stream_end(core, stream);
        return;
    }
    entry->owner = (uint8_t)core->index;
    entry->stream = stream;
}

static struct stream *stream_at(struct core *core, const struct address *address) {
    struct address_entry *entry = address_find(&core->addresses, address);
    return entry ? entry->stream : NULL;
}

static void stream_command(struct core *core, const struct command *c, int64_t now) {
    struct stream *stream = stream_at(core, &c->address);
    if (stream && c->op == OP_STREAM_CLOSE)
        stream_end(core, stream);
    else if (stream && c->op == OP_STREAM_SEND && !stream_write(core, stream, c->object, (size_t)c->value))
        count(core, dropped_stream_full);
    else if (stream && c->op == OP_STREAM_FEED)
        stream_feed(core, stream, c->object, (size_t)c->value, now);
    forward_pending(core, now); /* a command may replay to a sink what waits to be forwarded: never both */
    retire(core, c->object, RETIRED_PLAIN);
}

static void conn_feedback(struct core *core, struct conn *conn, struct arrivals *arrivals, int nack, uint32_t remb) {
    struct receiver *receiver = conn->receiver;
    receiver->nack = (uint8_t)nack;
    receiver->remb_bps = remb;
    if (receiver->arrivals && arrivals) {
        retire(core, arrivals, RETIRED_PLAIN); /* numbers go on */
        return;
    }
    retire(core, receiver->arrivals, RETIRED_PLAIN);
    receiver->arrivals = arrivals;
}

static void track_keyframe(struct core *core, struct track *track, int64_t now) {
    for (int i = 0; i < MAX_LAYERS; i++)
        if (track->is_video && track->layers[i].ssrc)
            source_want_keyframe(core, &track->layers[i], now);
}

static void conn_command(struct core *core, const struct command *c, int64_t now) {
    struct conn *conn = c->object;
    switch (c->op) {
    case OP_CONN_ADD: conn_add(core, conn, now); break;
    case OP_CONN_CLOSE: conn_close(core, conn, now); break;
    case OP_CONN_ALLOW: conn_allow(core, conn, &c->address); break;
    case OP_CONN_PATH: conn_path(core, conn, &c->address); break;
    case OP_CONN_KEYS: conn_keys(core, conn, c->extra, c->more, now); break;
    case OP_CONN_KINDS:
        memcpy(conn->kinds, c->extra, sizeof(conn->kinds));
        retire(core, c->extra, RETIRED_PLAIN);
        break;
    case OP_CONN_RECEIVER: conn->receiver = c->extra; break;
    case OP_CONN_PACE:
        if (c->extra)
            conn->pacer = c->extra;
        pacer_rate(core, conn, c->value, now);
        break;
    case OP_CONN_PROBE: probe_begin(conn, c->value, (uint32_t)c->number, now); break;
    case OP_CONN_DEPARTURES: conn->departures = c->extra; break;
    case OP_CONN_FEEDBACK: conn_feedback(core, conn, c->extra, c->number, (uint32_t)c->value); break;
    case OP_SECTION_SET: section_set(core, conn, c->extra, now); break;
    case OP_SECTION_REMOVE:
        section_remove(core, conn, c->extra, now);
        retire(core, c->extra, RETIRED_PLAIN);
        break;
    default: break;
    }
}

void command_apply(struct core *core, const struct command *c, int64_t now) {
    switch (c->op) {
    case OP_ADDRESS_OWNER: address_owner(core, &c->address, c->number); break;
    case OP_ADDRESS_FORGET: address_forget(core, &c->address); break;
    case OP_TRACK_CLOSE: track_close(core, c->object, now); break;
    case OP_TRACK_MUTE: track_mute(core, c->object, c->number, now); break;
    case OP_TRACK_KEYFRAME: track_keyframe(core, c->object, now); break;
    case OP_SINK_ADD: sink_add(c->extra, c->object); break;
    case OP_SINK_ACCEPT: sink_accept(core, c->object, c->extra, now); break;
    case OP_SINK_ATTACH: sink_attach(core, c->object, c->extra, c->number, (int)c->value, now); break;
    case OP_SINK_DETACH: sink_detach(core, c->object, now); break;
    case OP_SINK_CLOSE: sink_remove(core, c->object, now); break;
    case OP_STREAM_ADD: stream_add(core, c->object); break;
    case OP_STREAM_CLOSE:
    case OP_STREAM_SEND:
    case OP_STREAM_FEED: stream_command(core, c, now); break;
    default: conn_command(core, c, now); break;
    }
}

/* Whether something is to be sent because of the command. Whatever else it changes is seen by the next packet in time,
 * because commands come before packets; waking a thread costs more than most commands. */
int command_is_urgent(const struct command *c) {
    switch (c->op) {
    case OP_SINK_ATTACH:
    case OP_TRACK_KEYFRAME:
    case OP_STREAM_ADD:
    case OP_STREAM_CLOSE:
    case OP_STREAM_SEND:
    case OP_STREAM_FEED: return 1;
    default: return 0;
    }
}
