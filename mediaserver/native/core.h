/* The forwarding core: its structs, and who owns each.
 *
 * One `struct core` per packet thread. Everything reachable from it is touched by that thread alone, but for
 *   - the command ring (Python writes, the thread reads) and the event ring (the other way round),
 *   - the handover rings (another packet thread writes),
 *   - counters, which anybody may read at any time (each is written by one thread).
 * Memory is made and freed by the control side (Python's thread): a command brings an object in, and when the thread
 * has let go of one it says so with a RETIRED event. A packet thread neither allocates nor locks.
 *
 * All times are int64 microseconds of the monotonic clock; sequence numbers are unwrapped to 64 bits on arrival.
 */
#ifndef FOLKMOOT_CORE_H
#define FOLKMOOT_CORE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "header.h"
#include "payload.h"
#include "srtp.h"

#define MAX_CORES 64
#define MAX_SOCKETS 16         /* listen addresses */
#define MAX_DATAGRAM 2048      /* bytes; anything longer is no packet of ours */
#define MAX_LAYERS 3
#define MAX_SECTIONS 16        /* receiving sections of one connection */
#define MAX_SSRCS 48           /* remembered per connection that publishes */
#define MAX_SINKS 512          /* outgoing streams of one connection */
#define MAX_HOLES 256          /* lost packets of a source that are asked for */
#define MAX_MAPS 64            /* numberings a sink remembers, for late and repeated packets: one for each frame that
                                  is left out */
#define MAX_SPATIAL 4          /* layers in one stream that are counted; more are counted as one of these */
#define LAYERS_ALL 255
#define MAX_PENDING 128        /* packets taken in before they are forwarded */
#define MAX_PATHS 16           /* addresses a connection is known by */
#define DEPARTURE_SLOTS 2048   /* packets of a connection that feedback may still tell of */
#define MAX_REDUNDANCY 3
#define TOLD_SLOTS 64          /* packets of a sink that may be repeated to the byte */
#define ALIVE_US 600000        /* a layer without a packet for this long has no media */

/* ---- addresses ---------------------------------------------------------------------------------------------- */

enum { NACK_PICTURE = 1, NACK_SOUND = 2 };

enum { ADDRESS_UDP4 = 1, ADDRESS_UDP6 = 2, ADDRESS_TCP = 3, ADDRESS_LOCAL = 4 }; /* from TCP on: of a stream */

struct address { /* compared as bytes; unused ones are zero */
    uint8_t kind;
    uint8_t socket;
    uint8_t port[2];
    uint8_t ip[16];
    uint32_t stream;
};

struct conn;
struct stream;

struct address_entry {
    struct address address;
    struct conn *conn; /* NULL: another thread's, or a stream without a connection yet */
    struct stream *stream;
    uint8_t owner; /* thread */
    uint8_t used;
};

#define ADDRESS_SLOTS (1 << 16)

struct address_table { /* open addressing, linear probing */
    struct address_entry *entries; /* ADDRESS_SLOTS */
    uint32_t count;
};

/* ---- counters ----------------------------------------------------------------------------------------------- */

#define COUNTERS(X)                                                                                                    \
    X(datagrams_received) X(datagrams_sent) X(bytes_received) X(bytes_sent) X(packets_received) X(packets_forwarded)   \
    X(packets_retransmitted) X(packets_recovered) X(packets_replayed_to_joiners) X(segment_runs) X(handed_over)         \
    X(rtcp_received) X(rtcp_sent) X(nacks_sent) X(nacks_received) X(keyframe_requests_sent)                            \
    X(keyframe_requests_received) X(transport_cc_received) X(stun_received) X(dtls_received)                           \
    X(dropped_empty) X(dropped_too_long) X(dropped_unknown_first_byte) X(dropped_unknown_address)                      \
    X(dropped_malformed_stun) X(dropped_events_full) X(dropped_handover_full) X(dropped_no_keys)                       \
    X(dropped_malformed_rtp) X(dropped_unauthentic) X(dropped_replayed) X(dropped_too_old) X(dropped_unknown_ssrc)     \
    X(dropped_unknown_payload_type) X(dropped_malformed_payload) X(dropped_duplicate) X(dropped_muted)                 \
    X(dropped_padding) X(dropped_malformed_rtcp) X(dropped_rtcp_unauthentic) X(dropped_retransmission)                 \
    X(dropped_send_failed) X(dropped_stream_full) X(dropped_awaiting_keyframe) X(dropped_superseded)             \
    X(dropped_codec_not_accepted) X(dropped_layer) X(dropped_local_full) X(packets_paced) X(packets_probed)

enum counter {
#define X(name) C_##name,
    COUNTERS(X)
#undef X
        COUNTER_COUNT
};

/* ---- what arrives ------------------------------------------------------------------------------------------- */

struct packet { /* one received packet in a source's cache; its bytes: descriptor, then payload */
    int64_t seq;
    int64_t at;
    uint64_t position; /* of its bytes in the cache, counted from the first byte ever stored */
    uint32_t timestamp;
    uint16_t size;       /* payload bytes; 0: padding only, sinks close the gap */
    uint8_t descriptor;  /* bytes of dependency descriptor before the payload */
    uint8_t marker;
    uint8_t codec;
    uint8_t has_level;
    uint8_t level; /* RFC 6464, one byte as on the wire */
    uint8_t used;
    uint8_t has_indications; /* of a dependency descriptor; picture_id in `info` is then its frame number */
    uint64_t indications;
    struct payload_info info;
};

struct cache { /* the last packets of a source, for late joiners and retransmission; shared by all its sinks */
    struct packet *packets; /* slot = seq mod slots */
    uint8_t *bytes;
    uint32_t slots, capacity; /* powers of two */
    uint64_t head;            /* bytes ever stored */
};

struct hole {
    int64_t seq;
    int64_t ask_at;
    int64_t first_asked; /* 0: not yet */
    uint8_t tries;
};

struct track;

struct source { /* one layer of a track, as it arrives */
    struct track *track;
    uint32_t ssrc, repair_ssrc; /* 0: not bound */
    uint8_t layer;
    int8_t codec; /* -1: nothing came yet */
    uint8_t keyframe_wanted;
    uint32_t clock_rate;
    struct cache cache;

    int64_t first, highest; /* unwrapped numbers */
    int64_t last_at;
    uint64_t received, bytes, recovered, duplicates, keyframes, plis, nacked;
    uint64_t lost_given_up;
    int64_t keyframe_seq; /* first packet of the newest key frame, -1: none */
    int64_t expected_prior;
    uint64_t received_prior;
    double jitter; /* ticks */
    int64_t transit;
    uint16_t width, height;
    int64_t pli_at, fir_seq;
    uint64_t rate_bytes;
    int64_t rate_since;
    uint32_t rate_bps;

    uint8_t spatial_layers, temporal_layers; /* 0: nothing came yet */
    uint32_t frames;                         /* since rate_since, as are: */
    uint64_t layer_bytes[MAX_SPATIAL];
    uint32_t layer_bps[MAX_SPATIAL];
    double frame_rate;
    int64_t structure_seq; /* the packet that brought it */
    struct dd_structure structure;

    struct hole holes[MAX_HOLES];
    int hole_count;
    int64_t muted_to;    /* the last packet that nobody was to hear */
    int64_t repair_trip; /* from asking to having, smoothed; 0: unknown */

    uint64_t report_ntp; /* of the last sender report */
    uint32_t report_rtp;
    int64_t report_at;
};

struct sink;

struct loudness { /* of an audio track since it was last told of; packets 0: nothing came, and it is in no list */
    struct track *next; /* in core.loud */
    uint32_t total;
    uint16_t packets, voiced;
    uint8_t loudest;
};

struct track {
    uint32_t id;
    uint8_t is_video;
    uint8_t muted;
    struct conn *conn; /* NULL: no connection feeds it now */
    struct source layers[MAX_LAYERS];
    struct sink *sinks; /* list through next_of_track */
    struct loudness loudness;
    int pending_first, pending_last; /* in core.pending, -1: none */
    struct track *pending_next;
};

struct section { /* a receiving section of a description */
    struct track *track;
    char mid[17];
    char rids[MAX_LAYERS][17];
    uint8_t rid_count;
    int8_t codec_of[128];     /* by payload type, -1: unknown */
    int8_t repairs[128];      /* RTX payload type to the one it repairs, -1: none */
    uint32_t clock_of[128];
    uint32_t ssrcs[MAX_LAYERS], repair_ssrcs[MAX_LAYERS];
    uint8_t ssrc_count, repair_count;
};

struct ssrc_entry {
    uint32_t ssrc;
    uint8_t used, is_repair;
    uint8_t superseded; /* another SSRC has taken its layer over */
    struct source *source; /* NULL: authenticated, but not known what it is */
    int64_t last_at;
    struct srtp_replay replay;
};

struct arrivals;

struct receiver { /* the part of a connection that only publishers need */
    struct section *sections[MAX_SECTIONS];
    struct ssrc_entry ssrcs[MAX_SSRCS];
    int ssrc_last; /* where the last packet's was found */
    struct arrivals *arrivals; /* transport-wide feedback; NULL: not negotiated */
    uint32_t remb_bps;
    uint8_t nack; /* of NACK_PICTURE, NACK_SOUND */
    int64_t report_due, feedback_due, remb_due;
    int64_t ntp_offset; /* our wall clock minus the sender's, in NTP units; set by its first report */
    uint8_t ntp_known;
};

/* ---- what leaves -------------------------------------------------------------------------------------------- */

struct map { /* from a source's numbers to a sink's, for packets from `from` on */
    struct source *source;
    int64_t from;
    int64_t seq_offset;
    uint32_t ts_in, ts_out;
    uint8_t ts_shift; /* a replay shrinks the distance of frames by 2^shift */
    uint8_t top; /* the end of a frame of this spatial layer is the end of the picture; LAYERS_ALL: as it came */
    uint8_t tl0_offset;
    uint16_t picture_offset;
};

struct sink_profile { /* what the subscriber accepted */
    int16_t payload_type[CODEC_COUNT]; /* -1: cannot decode it */
    int16_t repair_type[CODEC_COUNT];
    uint8_t extension[EXT_COUNT]; /* id on the wire, 0: not negotiated */
    uint8_t redundancy; /* so many packets before it go along with a packet of sound, if RED is accepted */
};

struct resent {
    uint16_t seq;
    uint16_t used;
    uint32_t at_ms;
};

#define RESENT_SLOTS 256

struct told { /* what a packet's header says of its sending */
    int64_t after; /* its sequence number and one; 0: no packet */
    int64_t at;
    uint16_t number; /* transport-wide */
    uint8_t nothing; /* it says nothing */
    uint8_t redundant; /* others went along, that may be others now: it is never repeated */
    uint8_t again;     /* it is said for the second time */
};

struct sink {
    uint32_t id;
    uint8_t is_video, accepted, need_key, started;
    uint8_t resync; /* the next packet starts a new numbering without a gap (after a mute) */
    int8_t wanted_layer; /* -1: best */
    int8_t wanted_temporal; /* the highest temporal layer; -1: all */
    uint8_t cap_spatial, cap_temporal, level_spatial, level_temporal; /* layers.c */
    uint16_t left_picture; /* picture id of the last VP8 frame that was left out, and one */
    uint32_t ssrc, repair_ssrc;
    char cname[33];
    struct conn *conn;
    struct track *track;
    struct source *source, *target; /* what is carried, what shall be (NULL: stay) */
    struct sink *next_of_track;
    struct sink_profile profile;

    struct map maps[MAX_MAPS];
    int map_count; /* newest last */
    int64_t highest_in;
    int64_t out_seq; /* of the last packet sent; unwrapped */
    int64_t key_seq; /* of the first packet of the newest key frame; its time and its layer */
    uint32_t key_ts;
    uint8_t has_key, key_layer;
    int64_t profile_from; /* earlier numbers were sent under another profile: never again without RTX */
    uint32_t out_ts;
    int64_t out_at;
    uint16_t out_picture;
    uint8_t out_tl0;
    int64_t repair_seq;
    uint32_t clock_rate;

    uint64_t packets, bytes, retransmitted, keyframe_requests, octets_payload;
    uint64_t packets_reported;
    int64_t report_due;
    uint32_t report_ntp_mid; /* middle of the last NTP time told */
    int64_t report_sent_at;
    struct resent resent[RESENT_SLOTS];
    struct told told[TOLD_SLOTS]; /* by seq; of sound, which is repeated without RTX */
    int resent_budget;
    int64_t resent_budget_at;

    uint8_t fraction_lost;
    int32_t cumulative_lost;
    uint32_t remote_jitter;
    double round_trip; /* seconds, -1: unknown */
};

struct probe {
    int64_t rate_bps; /* 0: none is under way */
    int64_t left;     /* bytes that it takes in all */
    int64_t began;
    uint64_t sent; /* by the connection, then */
    uint32_t turn;
};

struct conn {
    uint32_t id;
    struct srtp_key *rx, *tx;
    uint32_t rtcp_index;
    uint32_t local_ssrc;
    struct srtcp_replay rtcp_replay;
    uint8_t kinds[256]; /* extension ids the peer sends */
    struct address known[MAX_PATHS]; /* in the address table */
    uint8_t known_count;
    struct address path; /* kind 0: none yet */
    struct sockaddr_in6 peer;
    socklen_t peer_len;
    struct stream *stream; /* path over TCP */

    struct receiver *receiver;
    struct sink *sinks[MAX_SINKS];
    uint32_t sink_ssrcs[MAX_SINKS];
    int sink_count;
    struct pacer *pacer;           /* NULL: everything leaves at once */
    struct probe probe;
    struct departures *departures; /* NULL: the peer has not agreed to transport-wide feedback */
    int64_t answer_us; /* from sending to hearing of it, by transport-wide feedback, as it was last; 0: unknown */

    int64_t due;
    uint32_t remb_bps; /* what the peer told */
    int64_t remb_at, report_at; /* when; 0: never */
    uint64_t reported, reported_lost; /* by receiver reports: packets sent, and 1/256 packets lost of them */
    uint64_t packets_received, bytes_received, packets_sent, bytes_sent, unauthentic;
    double round_trip;
    struct conn *next, *prev;
};

/* ---- TCP, and sockets to processes of ours --------------------------------------------------------------------- */

#define STREAM_OUT 65536 /* bytes that may wait for a slow receiver */

struct stream { /* address.kind ADDRESS_LOCAL: no frames but packets, in and out as they are (local.c) */
    struct address address;
    int fd;
    struct conn *conn;
    uint8_t dead, polled_out;
    uint32_t in_len, out_head, out_len;
    uint8_t in[2 + MAX_DATAGRAM];
    uint8_t out[STREAM_OUT];
    struct stream *next;
};

/* ---- rings to and from Python ------------------------------------------------------------------------------- */

enum op {
    OP_CONN_ADD = 1, OP_CONN_CLOSE, OP_CONN_ALLOW, OP_ADDRESS_OWNER, OP_ADDRESS_FORGET, OP_CONN_PATH, OP_CONN_KEYS,
    OP_CONN_KINDS, OP_CONN_RECEIVER, OP_CONN_FEEDBACK, OP_CONN_DEPARTURES, OP_CONN_PACE, OP_CONN_PROBE, OP_SECTION_SET, OP_SECTION_REMOVE, OP_TRACK_CLOSE,
    OP_TRACK_MUTE, OP_TRACK_KEYFRAME, OP_SINK_ADD, OP_SINK_ACCEPT, OP_SINK_ATTACH, OP_SINK_DETACH, OP_SINK_CLOSE,
    OP_STREAM_ADD, OP_STREAM_CLOSE, OP_STREAM_SEND, OP_STREAM_FEED
};

struct command {
    enum op op;
    int32_t number;
    void *object, *extra, *more;
    struct address address;
    int64_t value;
};

enum retired { RETIRED_PLAIN = 1, RETIRED_KEY, RETIRED_CONN, RETIRED_TRACK, RETIRED_SINK, RETIRED_STREAM };

enum event_kind {
    EVENT_STUN = 1,
    EVENT_DTLS = 2,
    EVENT_LAYER = 3,
    EVENT_STREAM_CLOSED = 4,
    EVENT_FEEDBACK = 5,
    EVENT_LEVELS = 6,
    EVENT_RETIRED = 7
};

struct level_record {
    uint32_t track;
    uint8_t packets, voiced, loudest, mean;
};

struct feedback_record { /* a group of packets as a peer tells of them; times in us */
    int64_t sent;    /* the last of them, our clock */
    int64_t arrived; /* the last of them, the peer's clock; -1: they were lost */
    int32_t bytes, packets;
};

struct event {
    uint8_t kind, retired;
    uint8_t layer;
    int8_t codec;
    uint16_t size;
    uint32_t id;
    struct address address;
    void *object;
    uint8_t data[MAX_DATAGRAM];
};

#define COMMAND_SLOTS 4096
#define EVENT_SLOTS 1024
#define HANDOVER_SLOTS 512

struct command_ring {
    _Atomic uint32_t head, tail;
    struct command slots[COMMAND_SLOTS];
};

struct event_ring {
    _Atomic uint32_t head, tail;
    struct event *slots;
};

struct handover { /* a datagram that another thread received for us */
    struct address address;
    uint16_t size;
    uint8_t data[MAX_DATAGRAM];
};

struct handover_ring {
    _Atomic uint32_t head, tail;
    struct handover *slots;
};

/* RETIRED must never be lost: what the ring cannot take waits here. */
#define RETIRE_BACKLOG 8192
struct retire_entry { void *object; uint8_t kind; };

/* ---- sending ------------------------------------------------------------------------------------------------ */

#define OUT_BYTES (1 << 20)
#define OUT_RUNS 512
#define MAX_SEGMENTS 57

struct run { /* contiguous packets to one peer; all of `segment` bytes but the last, which may be shorter */
    struct conn *conn;
    uint32_t offset, size;
    uint16_t segment, count;
    uint8_t closed;
};

struct output {
    uint8_t *bytes; /* OUT_BYTES */
    uint32_t used;
    struct run runs[OUT_RUNS];
    int run_count;
};

struct pending {
    struct source *source;
    int64_t seq;
    int next; /* of the same track, -1: last */
};

struct simulated { /* a core without sockets keeps what it would send */
    uint8_t *bytes;
    size_t size, capacity;
};

struct core {
    int index, core_count;
    struct core *cores; /* all of them; neighbours only for their handover rings and wake-ups */
    uint8_t is_simulated;
    _Atomic int running;

    struct command_ring *commands;
    struct event_ring events;
    int event_fd;   /* tells Python; shared by all cores */
    int wake_fd;    /* tells this thread */
    int epoll_fd;
    struct handover_ring handovers[MAX_CORES]; /* [from] */

    int sockets[MAX_SOCKETS];
    int socket_count;
    uint8_t segment_offload;
    int64_t run_wait;
    int64_t wall_offset;

    struct address_table addresses;
    struct conn *conns;
    struct stream *streams;

    struct pending pending[MAX_PENDING];
    int pending_count;
    struct track *pending_tracks;
    struct output out;
    struct simulated simulated;

    struct retire_entry *backlog;
    int backlog_count;
    int64_t ticked_at, tick_due, levels_due;
    struct track *loud; /* those with packets since their levels were told */
    pthread_t thread;
    uint8_t started;

    int64_t pending_since;
    uint64_t wake_mask; /* threads that were handed something in this batch */
    uint8_t *receive_buffer;
    _Atomic uint64_t counters[COUNTER_COUNT];
};

static inline void count_n(struct core *core, enum counter c, uint64_t n) {
    /* one writer: a plain load and store is enough, and cheaper than a locked add */
    uint64_t v = atomic_load_explicit(&core->counters[c], memory_order_relaxed);
    atomic_store_explicit(&core->counters[c], v + n, memory_order_relaxed);
}
#define count(core, name) count_n(core, C_##name, 1)
#define count_many(core, name, n) count_n(core, C_##name, n)

#include "calls.h"

#endif
