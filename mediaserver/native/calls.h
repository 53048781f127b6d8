/* What the files of the core offer each other and the face, by file. Included by core.h, whose structs they work on.
 * Functions with a `core` run in its packet thread; those that make and free run in the control side's. */
#ifndef FOLKMOOT_CALLS_H
#define FOLKMOOT_CALLS_H

/* address.c */
struct address_entry *address_find(const struct address_table *table, const struct address *address);
struct address_entry *address_insert(struct address_table *table, const struct address *address);
void address_unknow(struct address_entry *entry);
void address_remove(struct address_table *table, const struct address *address);
void address_from_sockaddr(struct address *out, uint8_t socket, const struct sockaddr_storage *from);
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_in6 *out);

/* events.c */
void event_datagram(struct core *core, enum event_kind kind, const struct address *address, const uint8_t *data,
                    size_t size, uint32_t conn_id);
void event_layer(struct core *core, const struct source *source);
void event_stream_closed(struct core *core, const struct address *address);
void event_records(struct core *core, enum event_kind kind, uint32_t id, const void *records, size_t size);
void retire(struct core *core, void *object, enum retired kind);
void retire_flush(struct core *core);

/* commands.c */
void command_apply(struct core *core, const struct command *command, int64_t now);
int command_is_urgent(const struct command *command);

/* demux.c */
void core_datagram(struct core *core, const struct address *address, uint8_t *data, size_t size, int64_t now);
void core_rtcp_plain(struct core *core, struct conn *conn, const uint8_t *data, size_t size, int64_t now);

/* cache.c */
struct packet *cache_find(const struct cache *cache, int64_t seq);
int cache_had(const struct cache *cache, int64_t seq);
struct packet *cache_store(struct cache *cache, int64_t seq, const uint8_t *descriptor, uint8_t descriptor_size,
                           const uint8_t *payload, uint16_t size);
static inline const uint8_t *cache_bytes(const struct cache *cache, const struct packet *packet) {
    return cache->bytes + (packet->position & (cache->capacity - 1));
}

/* source.c */
void source_restart(struct core *core, struct source *source, int64_t now);
int source_is_watched(const struct source *source);
int64_t source_unwrap(const struct source *source, uint16_t seq);
void source_packet(struct core *core, struct source *source, const struct section *section,
                   const struct rtp_header *h, const uint8_t *packet, uint16_t size, int recovered, int64_t now);
void source_arrived(struct core *core, struct conn *conn, struct ssrc_entry *entry, const struct section *section,
                    const struct rtp_header *header, const uint8_t *packet, size_t size, int64_t now);
struct section *receiver_section_of(struct receiver *receiver, const struct source *source);
struct ssrc_entry *receiver_find(struct receiver *receiver, uint32_t ssrc);
struct ssrc_entry *receiver_learn(struct core *core, struct conn *conn, struct ssrc_entry *entry,
                                  const struct rtp_header *header, const uint8_t *packet,
                                  const struct srtp_replay *replay, int64_t now);
void source_want_keyframe(struct core *core, struct source *source, int64_t now);
void receiver_unbind(struct core *core, struct receiver *receiver, struct track *track, int64_t now);

/* nack.c */
void nack_arrived(struct source *source, int64_t seq, int64_t now);
size_t nack_due(struct source *source, int64_t now, uint16_t *out, size_t cap);

/* forward.c */
void forward_add(struct core *core, struct source *source, int64_t seq, int64_t now);
void forward_pending(struct core *core, int64_t now);

/* levels.c */
void level_add(struct core *core, struct track *track, uint8_t level);
void level_forget(struct core *core, struct track *track);
void levels_tell(struct core *core, int64_t now);

/* layers.c */
void source_note_layers(struct source *source, struct packet *packet, const uint8_t *descriptor, uint8_t size);
void sink_limit(struct sink *sink);
void sink_level(struct sink *sink);
int sink_climbs(const struct sink *sink);
int sink_wants(struct sink *sink, const struct source *source, const struct packet *packet);
uint8_t sink_top(const struct sink *sink, const struct source *source, const struct packet *packet);

/* sink.c */
void sink_attach(struct core *core, struct sink *sink, struct track *track, int layer, int temporal, int64_t now);
void sink_detach(struct core *core, struct sink *sink, int64_t now);
void sink_forget(struct sink *sink, const struct source *source);
void sink_carry(struct core *core, struct sink *sink, struct source *source, struct packet *packet, int64_t now);
void sink_choose_layer(struct core *core, struct sink *sink, int64_t now);
const struct map *sink_map_for(const struct sink *sink, const struct source *source, int64_t seq);

/* Whether what this subscriber lost of a codec goes again by RTX (RFC 4588), else as it was, to the byte. */
static inline int sink_repairs(const struct sink *sink, uint8_t codec) {
    return sink->repair_ssrc && sink->profile.repair_type[codec] >= 0;
}

/* pacer.c */
struct pacer *pacer_new(void);
int pacer_takes(struct core *core, struct sink *sink, int64_t seq, int64_t now);
int pacer_takes_repeat(struct core *core, struct sink *sink, int64_t seq, int64_t now);
int pacer_due(struct core *core, struct conn *conn, int64_t now);
int pacer_release(struct core *core, struct conn *conn, int64_t now);
void pacer_spare(struct conn *conn);
void pacer_flush(struct core *core, struct sink *sink, int64_t now);
void pacer_drop(struct core *core, struct sink *sink);
int pacer_paces(const struct conn *conn);
void pacer_rate(struct core *core, struct conn *conn, int64_t rate_bps, int64_t now);

/* probe.c */
void probe_begin(struct conn *conn, int64_t rate_bps, uint32_t size, int64_t now);
int probe_due(struct core *core, struct conn *conn, int64_t now);

/* redundancy.c */
void redundancy_arrived(struct core *core, struct source *source, const struct section *section,
                        const struct rtp_header *header, const uint8_t *packet, uint16_t size, int64_t now);
static inline int sink_redundant(const struct sink *sink, const struct packet *packet) {
    return sink->profile.redundancy && packet->codec == CODEC_OPUS && sink->profile.payload_type[CODEC_RED] >= 0;
}

size_t redundancy_write(const struct sink *sink, const struct map *map, const struct packet *packet, uint8_t *out,
                        size_t cap);

/* retransmit.c */
int sink_repeat(struct core *core, struct sink *sink, int64_t seq, int64_t now);
void sink_write_again(struct core *core, struct sink *sink, int64_t seq, int64_t now);
void sink_repeat_lost(struct core *core, struct sink *sink, int64_t seq, int64_t now);
void sink_nacked(struct core *core, struct sink *sink, uint16_t pid, uint16_t blp, int64_t now);

/* write.c: a cached packet as one sink sends it */
void write_packet(struct core *core, struct sink *sink, const struct map *map, const struct packet *packet,
                  int64_t out_seq, int is_repair, int64_t now);
void write_padding(struct core *core, struct sink *sink, int64_t now);

/* rtcp.c */
struct rtcp_packet {
    uint8_t type, count;
    const uint8_t *body; /* behind the first 4 bytes */
    size_t size;
};
int rtcp_next(const uint8_t **cursor, const uint8_t *end, struct rtcp_packet *out);
struct rtcp_writer {
    uint8_t *bytes;
    size_t size, cap;
};
uint8_t *rtcp_begin(struct rtcp_writer *w, uint8_t type, uint8_t count, size_t body);
void rtcp_send(struct core *core, struct conn *conn, struct rtcp_writer *w);

/* arrivals.c: transport-wide feedback, receiving end */
struct arrivals *arrivals_new(void);
void arrivals_add(struct arrivals *a, uint16_t seq, int64_t now);
size_t arrivals_feedback(struct arrivals *a, uint32_t sender_ssrc, uint32_t media_ssrc, uint8_t *out, size_t cap);

/* departures.c: transport-wide feedback, sending end */
struct departures *departures_new(void);
uint16_t departures_next(const struct departures *d);
void departures_add(struct departures *d, size_t size, int64_t now);
void departures_repeat(struct departures *d, uint16_t number);
int departures_told(struct core *core, struct conn *conn, const uint8_t *body, size_t size, int64_t now);

/* timers.c */
void core_tick(struct core *core, int64_t now);
void conn_hurry(struct core *core, struct conn *conn, int64_t at);
#define TICK_US 5000

/* output.c */
uint8_t *output_reserve(struct core *core, size_t size);
void output_commit(struct core *core, struct conn *conn, uint8_t *at, size_t size);
void output_flush(struct core *core);

/* stream.c */
void stream_readable(struct core *core, struct stream *stream, int64_t now);
void stream_feed(struct core *core, struct stream *stream, const uint8_t *data, size_t size, int64_t now);
int stream_write(struct core *core, struct stream *stream, const uint8_t *data, size_t size);
void stream_writable(struct core *core, struct stream *stream);
void stream_end(struct core *core, struct stream *stream);
void streams_sweep(struct core *core);

/* local.c */
void local_readable(struct core *core, struct stream *stream, int64_t now);
void local_write(struct core *core, struct stream *stream, const uint8_t *data, size_t size);

/* core.c: made and freed by the control side */
int core_init(struct core *core, int index, int count_of_cores, struct core *all, int simulated);
void core_free(struct core *core);
int core_push(struct core *core, const struct command *command); /* 0: the ring is full */
const struct event *core_event(const struct core *core);         /* the oldest one, NULL: none */
void core_event_done(struct core *core);
void core_wake(struct core *core);
struct track *track_new(uint32_t id, int is_video);
void track_free(struct track *track);
struct conn *conn_new(uint32_t id);
void conn_free(struct conn *conn);
struct receiver *receiver_new(void);
void receiver_free(struct receiver *receiver);
const char *counter_name(int c);
void retired_free(void *object, int kind);

/* udp_loop.c */
int core_bind(struct core *core, const struct sockaddr_storage *address, int buffer_bytes);
int core_start(struct core *core);
void core_stop(struct core *core);
void core_settle(struct core *core, int64_t now);
void core_commands(struct core *core, int64_t now);
double core_cpu_seconds(struct core *core);
int64_t monotonic_us(void);

#endif
