/* A core with a publisher, a subscriber and what lies between, for targets that drive the whole of it. The core is made
 * once; whoever opens a meeting closes it, and nothing of it may be left then. */
#ifndef FOLKMOOT_MEETING_H
#define FOLKMOOT_MEETING_H

#include "core.h"
#include "fuzz.h"

#define VIDEO_SSRC 0x1000u /* and the two behind it, by layer; their repairs from 0x1100, sound at 0x1200 */
#define REPAIR_SSRC 0x1100u
#define AUDIO_SSRC 0x1200u
#define SINK_SSRC 0x2000u
#define SINK_REPAIR 0x2100u
#define SINK_AUDIO 0x2200u
#define INDEXES (1u << 14)

struct sent { /* what left under an SRTP index */
    uint64_t index;
    uint32_t ssrc;
    uint64_t hash;
    uint8_t used;
};

struct meeting {
    struct core core;
    struct conn *publisher, *subscriber;
    struct srtp_key *from_publisher, *from_subscriber; /* to protect what these two send */
    struct track *video, *audio;
    struct sink *video_sink, *audio_sink;
    struct address here, there;
    uint32_t publisher_reports, subscriber_reports; /* SRTCP indexes */
    int64_t now;
    int gcm;
    struct sent sent[INDEXES];
    int sent_count;
    uint64_t highest[3];
};

static inline struct srtp_key *key_of(uint8_t choice, uint8_t first, int encrypt) {
    static const enum srtp_profile profiles[] = {SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM};
    uint8_t master[44] = {first};
    struct srtp_key *key = srtp_key_new(profiles[choice % 3], master, srtp_key_length(profiles[choice % 3]), encrypt);
    CHECK(key);
    return key;
}

static inline void ask(struct meeting *m, enum op op, void *object, void *extra, void *more, int number) {
    struct command c = {.op = op, .object = object, .extra = extra, .more = more, .number = number, .value = -1};
    command_apply(&m->core, &c, m->now);
    core_settle(&m->core, m->now);
}

static inline void ask_address(struct meeting *m, enum op op, struct conn *conn, const struct address *address) {
    struct command c = {.op = op, .object = conn, .address = *address};
    command_apply(&m->core, &c, m->now);
}

static inline struct section *section_of(struct track *track, const char *mid, int video) {
    struct section *s = calloc(1, sizeof *s);
    CHECK(s);
    s->track = track;
    memset(s->codec_of, 0xFF, sizeof s->codec_of);
    memset(s->repairs, 0xFF, sizeof s->repairs);
    memcpy(s->mid, mid, strlen(mid));
    if (video) {
        static const uint8_t types[] = {96, 98, 100, 102};
        static const uint8_t codecs[] = {CODEC_VP8, CODEC_VP9, CODEC_H264_BASELINE, CODEC_AV1};
        for (int i = 0; i < 4; i++) {
            s->codec_of[types[i]] = (int8_t)codecs[i];
            s->clock_of[types[i]] = 90000;
            s->repairs[types[i] + 1] = (int8_t)types[i];
        }
        for (s->ssrc_count = s->repair_count = 0; s->ssrc_count < 3; s->ssrc_count++, s->repair_count++) {
            s->ssrcs[s->ssrc_count] = VIDEO_SSRC + s->ssrc_count;
            s->repair_ssrcs[s->repair_count] = REPAIR_SSRC + s->repair_count;
        }
    } else {
        s->codec_of[111] = CODEC_OPUS;
        s->codec_of[63] = CODEC_RED;
        s->clock_of[63] = s->clock_of[111] = 48000;
    }
    return s;
}

static inline struct sink_profile *profile_with(uint8_t choice) {
    struct sink_profile *p = calloc(1, sizeof *p);
    CHECK(p);
    for (int i = 0; i < CODEC_COUNT; i++) {
        p->payload_type[i] = (int16_t)(100 + i + 10 * (choice & 1));
        p->repair_type[i] = (choice & 2) ? -1 : (int16_t)(40 + i);
    }
    p->redundancy = choice & MAX_REDUNDANCY;
    if (choice & 4) p->extension[EXT_ABS_SEND_TIME] = (uint8_t)(1 + (choice >> 6));
    if (choice & 4) p->extension[EXT_TRANSPORT_CC] = 4;
    if (choice & 8) p->extension[EXT_AUDIO_LEVEL] = 5;
    if (choice & 16) p->extension[EXT_DEPENDENCY_DESCRIPTOR] = (choice & 32) ? 17 : 6;
    return p;
}

static inline struct sink *sink_for(struct meeting *m, int video) {
    struct sink *s = calloc(1, sizeof *s);
    CHECK(s);
    s->is_video = (uint8_t)video;
    s->ssrc = video ? SINK_SSRC : SINK_AUDIO;
    s->repair_ssrc = video ? SINK_REPAIR : 0;
    s->out_seq = s->repair_seq = 30000;
    s->round_trip = -1;
    s->clock_rate = 90000;
    s->wanted_layer = s->wanted_temporal = -1;
    sink_limit(s);
    sink_level(s);
    ask(m, OP_SINK_ADD, s, m->subscriber, NULL, 0);
    ask(m, OP_SINK_ACCEPT, s, profile_with(4 | 8 | 16), NULL, 0);
    return s;
}

static inline struct conn *conn_for(struct meeting *m, uint32_t id, uint8_t profile, uint8_t in, uint8_t out,
                                    struct address *address) {
    struct conn *conn = conn_new(id);
    CHECK(conn);
    conn->local_ssrc = id;
    *address = (struct address){.kind = ADDRESS_UDP4, .port = {1, (uint8_t)id}, .ip = {10, 0, 0, (uint8_t)id}};
    ask(m, OP_CONN_ADD, conn, NULL, NULL, 0);
    ask_address(m, OP_CONN_ALLOW, conn, address);
    ask_address(m, OP_CONN_PATH, conn, address);
    ask(m, OP_CONN_KEYS, conn, key_of(profile, in, 0), key_of(profile, out, 1), 0);
    return conn;
}

static inline struct meeting *meeting_open(uint8_t profile) {
    static struct meeting *m;
    if (!m) {
        m = calloc(1, sizeof *m);
        CHECK(m && core_init(&m->core, 0, 1, &m->core, 1) == 0);
    }
    m->now = 1000000;
    m->gcm = profile % 3 != 0;
    m->core.tick_due = m->core.levels_due = 0;
    m->sent_count = 0;
    m->publisher_reports = m->subscriber_reports = 0;
    memset(m->sent, 0, sizeof m->sent);
    memset(m->highest, 0, sizeof m->highest);
    m->publisher = conn_for(m, 1, profile, 1, 2, &m->here);
    m->subscriber = conn_for(m, 2, profile, 3, 4, &m->there);
    m->from_publisher = key_of(profile, 1, 1);
    m->from_subscriber = key_of(profile, 3, 1);
    m->video = track_new(3, 1);
    m->audio = track_new(4, 0);
    uint8_t *kinds = calloc(256, 1);
    CHECK(m->video && m->audio && kinds);
    for (uint8_t i = 1; i < EXT_COUNT; i++) kinds[i] = i;
    ask(m, OP_CONN_KINDS, m->publisher, kinds, NULL, 0);
    ask(m, OP_CONN_RECEIVER, m->publisher, receiver_new(), NULL, 0);
    ask(m, OP_CONN_FEEDBACK, m->publisher, arrivals_new(), NULL, NACK_PICTURE | NACK_SOUND);
    ask(m, OP_SECTION_SET, m->publisher, section_of(m->video, "v", 1), NULL, 0);
    ask(m, OP_SECTION_SET, m->publisher, section_of(m->audio, "a", 0), NULL, 0);
    ask(m, OP_CONN_DEPARTURES, m->subscriber, departures_new(), NULL, 0);
    m->video_sink = sink_for(m, 1);
    m->audio_sink = sink_for(m, 0);
    ask(m, OP_SINK_ATTACH, m->video_sink, m->video, NULL, -1);
    ask(m, OP_SINK_ATTACH, m->audio_sink, m->audio, NULL, -1);
    return m;
}

static inline uint64_t hash_of(const uint8_t *data, size_t size) {
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < size; i++) h = (h ^ data[i]) * 1099511628211u;
    return h;
}

/* Two different packets must never leave under one index: the cipher's nonce would be used twice. */
static inline void check_sent(struct meeting *m, const uint8_t *data, size_t size) {
    uint32_t ssrc = read32(data + 8);
    uint64_t *highest = &m->highest[ssrc == SINK_SSRC ? 0 : ssrc == SINK_REPAIR ? 1 : 2];
    CHECK(ssrc == SINK_SSRC || ssrc == SINK_REPAIR || ssrc == SINK_AUDIO);
    uint64_t index = *highest ? *highest + (uint64_t)(int64_t)(int16_t)(read16(data + 2) - (uint16_t)*highest)
                              : read16(data + 2);
    CHECK(*highest == 0 || index < *highest + 2000); /* or a receiver cannot follow the roll-over count */
    if (index > *highest) *highest = index;
    uint64_t hash = hash_of(data, size);
    uint32_t at = (uint32_t)(index * 31 + ssrc) % INDEXES;
    for (; m->sent[at].used; at = (at + 1) % INDEXES) {
        if (m->sent[at].index != index || m->sent[at].ssrc != ssrc) continue;
        CHECK(m->sent[at].hash == hash);
        return;
    }
    if (m->sent_count > (int)INDEXES / 2) return; /* enough for one input */
    m->sent_count++;
    m->sent[at] = (struct sent){.index = index, .ssrc = ssrc, .hash = hash, .used = 1};
}

/* Looks at what would have been sent, and forgets it. */
static inline void check_output(struct meeting *m) {
    struct simulated *out = &m->core.simulated;
    for (size_t at = 0; at < out->size;) {
        struct address to;
        uint32_t size;
        memcpy(&to, out->bytes + at, sizeof to);
        memcpy(&size, out->bytes + at + sizeof to, 4);
        const uint8_t *data = out->bytes + at + sizeof to + 4;
        at += sizeof to + 4 + size;
        CHECK(size >= 12 && size <= MAX_DATAGRAM + 400);
        if (!(data[1] >= 192 && data[1] < 224) && memcmp(&to, &m->there, sizeof to) == 0) check_sent(m, data, size);
    }
    out->size = 0;
}

static inline void meeting_wait(struct meeting *m, int64_t us) {
    m->now += us;
    if (m->now >= m->core.tick_due) core_tick(&m->core, m->now);
    core_settle(&m->core, m->now);
    check_output(m);
}

/* Packets to the subscriber wait for their turn, or not any more; or a probe is sent. */
static inline void pace_or_probe(struct meeting *m, uint8_t how) {
    struct command c = {.op = how & 1 ? OP_CONN_PROBE : OP_CONN_PACE, .object = m->subscriber};
    c.value = how & 2 ? (1 + how) * 40000 : 0;
    c.number = how * 200;
    if (c.op == OP_CONN_PACE && !m->subscriber->pacer) c.extra = pacer_new();
    if (c.op == OP_CONN_PROBE && !c.value) c.value = 3000000;
    command_apply(&m->core, &c, m->now);
    core_settle(&m->core, m->now);
    check_output(m);
}

static inline void arrive(struct meeting *m, const struct address *from, const uint8_t *data, size_t size) {
    uint8_t *copy = copy_of(data, size);
    core_datagram(&m->core, from, copy, size, m->now);
    core_settle(&m->core, m->now);
    free(copy);
    check_output(m);
}

/* `plain` is a whole packet that is read as RTP; protected under `index`. */
static inline void arrive_rtp(struct meeting *m, const uint8_t *plain, size_t size, uint64_t index) {
    struct rtp_header header;
    uint8_t packet[MAX_DATAGRAM + SRTP_MAX_OVERHEAD];
    if (size > MAX_DATAGRAM || rtp_header_read(plain, size, m->publisher->kinds, &header) < 0) return;
    memcpy(packet, plain, header.header_len);
    int len = srtp_protect(m->from_publisher, index, packet, sizeof packet, header.header_len, NULL, 0,
                           plain + header.header_len, size - header.header_len);
    if (len > 0) arrive(m, &m->here, packet, (size_t)len);
}

static inline void arrive_rtcp(struct meeting *m, int subscriber, const uint8_t *plain, size_t size) {
    uint8_t packet[MAX_DATAGRAM + SRTP_MAX_OVERHEAD];
    if (size < 8 || size > MAX_DATAGRAM) return;
    memcpy(packet, plain, size);
    int len = srtcp_protect(subscriber ? m->from_subscriber : m->from_publisher,
                            subscriber ? &m->subscriber_reports : &m->publisher_reports, packet, size, sizeof packet);
    if (len > 0) arrive(m, subscriber ? &m->there : &m->here, packet, (size_t)len);
}

static inline void meeting_close(struct meeting *m) {
    const struct event *event;
    ask(m, OP_TRACK_CLOSE, m->audio, NULL, NULL, 0);
    ask(m, OP_CONN_CLOSE, m->publisher, NULL, NULL, 0);
    ask(m, OP_CONN_CLOSE, m->subscriber, NULL, NULL, 0);
    ask(m, OP_TRACK_CLOSE, m->video, NULL, NULL, 0);
    check_output(m);
    while ((event = core_event(&m->core)) || m->core.backlog_count) {
        if (!event) {
            retire_flush(&m->core);
            continue;
        }
        if (event->kind == EVENT_RETIRED) retired_free(event->object, event->retired);
        core_event_done(&m->core);
    }
    CHECK(m->core.addresses.count == 0 && m->core.conns == NULL && m->core.pending_count == 0);
    srtp_key_free(m->from_publisher);
    srtp_key_free(m->from_subscriber);
}

#endif
