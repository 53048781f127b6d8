# What of the C core the face uses. Documented in core.h and srtp.h.

cdef extern from "sched.h" nogil:
    int sched_yield()


cdef extern from "unistd.h" nogil:
    int c_close "close"(int fd)
    ssize_t c_read "read"(int fd, void *buffer, size_t size)
    ssize_t c_write "write"(int fd, const void *buffer, size_t size)


cdef extern from "sys/eventfd.h" nogil:
    int eventfd(unsigned int start, int flags)
    int EFD_NONBLOCK
    int EFD_CLOEXEC


cdef extern from "sys/socket.h" nogil:
    ctypedef unsigned int socklen_t
    struct sockaddr:
        pass
    struct sockaddr_storage:
        pass
    ssize_t sendto(int fd, const void *data, size_t size, int flags, const sockaddr *to, socklen_t length)
    int MSG_DONTWAIT


cdef extern from "netinet/in.h" nogil:
    struct sockaddr_in6:
        pass


cdef extern from "core.h" nogil:
    enum: MAX_CORES, MAX_SOCKETS, MAX_DATAGRAM, MAX_LAYERS, MAX_SECTIONS, MAX_SINKS, CODEC_COUNT, EXT_COUNT, COUNTER_COUNT
    enum: MAX_REDUNDANCY
    enum: ADDRESS_UDP4, ADDRESS_UDP6, ADDRESS_TCP, ADDRESS_LOCAL
    enum: EVENT_STUN, EVENT_DTLS, EVENT_LAYER, EVENT_STREAM_CLOSED, EVENT_FEEDBACK, EVENT_LEVELS, EVENT_RETIRED
    enum: EXT_TRANSPORT_CC, NACK_PICTURE, NACK_SOUND
    enum: C_packets_forwarded, C_dropped_send_failed

    struct address:
        uint8_t kind
        uint8_t socket
        uint8_t port[2]
        uint8_t ip[16]
        uint32_t stream

    struct srtp_key:
        pass

    struct arrivals:
        pass

    struct departures:
        pass

    struct pacer:
        pass

    struct source:
        uint32_t ssrc
        uint8_t layer
        int8_t codec
        uint64_t received, bytes, recovered, duplicates, keyframes, plis, nacked, lost_given_up
        int64_t first, highest, last_at
        double jitter
        uint32_t clock_rate, rate_bps
        uint32_t layer_bps[4]
        uint8_t spatial_layers, temporal_layers
        double frame_rate
        uint16_t width, height

    struct track:
        uint32_t id
        uint8_t is_video
        source layers[3]

    struct section:
        track *track
        char mid[17]
        char rids[3][17]
        uint8_t rid_count
        int8_t codec_of[128]
        int8_t repairs[128]
        uint32_t clock_of[128]
        uint32_t ssrcs[3]
        uint32_t repair_ssrcs[3]
        uint8_t ssrc_count, repair_count

    struct sink_profile:
        int16_t payload_type[7]
        int16_t repair_type[7]
        uint8_t extension[8]
        uint8_t redundancy

    struct sink:
        uint32_t id
        uint8_t is_video
        uint32_t ssrc, repair_ssrc
        char cname[33]
        source *source
        sink_profile profile
        int64_t out_seq, repair_seq
        uint32_t out_ts, clock_rate, remote_jitter
        uint64_t packets, bytes, retransmitted, keyframe_requests
        uint8_t level_spatial, level_temporal
        uint8_t fraction_lost
        int cumulative_lost
        double round_trip

    struct receiver:
        pass

    struct conn:
        uint32_t id, local_ssrc, remb_bps
        uint64_t packets_received, bytes_received, packets_sent, bytes_sent, unauthentic, reported, reported_lost
        int64_t remb_at, report_at
        double round_trip

    struct stream:
        address address
        int fd

    enum op:
        OP_CONN_ADD, OP_CONN_CLOSE, OP_CONN_ALLOW, OP_ADDRESS_OWNER, OP_ADDRESS_FORGET, OP_CONN_PATH, OP_CONN_KEYS
        OP_CONN_KINDS, OP_CONN_RECEIVER, OP_CONN_FEEDBACK, OP_SECTION_SET, OP_SECTION_REMOVE, OP_TRACK_CLOSE
        OP_CONN_DEPARTURES, OP_CONN_PACE, OP_CONN_PROBE
        OP_TRACK_MUTE, OP_TRACK_KEYFRAME, OP_SINK_ADD, OP_SINK_ACCEPT, OP_SINK_ATTACH, OP_SINK_DETACH, OP_SINK_CLOSE
        OP_STREAM_ADD, OP_STREAM_CLOSE, OP_STREAM_SEND, OP_STREAM_FEED

    struct command:
        op op
        int number
        void *object
        void *extra
        void *more
        address address
        int64_t value

    struct event:
        uint8_t kind, retired, layer
        int8_t codec
        uint16_t size
        uint32_t id
        address address
        void *object
        uint8_t data[1]

    struct simulated:
        uint8_t *bytes
        size_t size

    struct core:
        int index, event_fd, socket_count
        int sockets[16]
        uint8_t segment_offload
        int64_t run_wait, wall_offset, tick_due
        conn *conns
        uint64_t counters[1]
        simulated simulated

    enum srtp_profile:
        SRTP_PLAIN, SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM

    srtp_key *srtp_key_new(srtp_profile profile, const uint8_t *master, size_t len, int encrypt)
    void srtp_key_free(srtp_key *key)

    socklen_t address_to_sockaddr(const address *a, sockaddr_in6 *out)
    void address_from_sockaddr(address *out, uint8_t socket, const sockaddr_storage *from_)

    void command_apply(core *c, const command *cmd, int64_t now)
    int command_is_urgent(const command *cmd)
    void core_datagram(core *c, const address *a, uint8_t *data, size_t size, int64_t now)
    void core_tick(core *c, int64_t now)
    int core_init(core *c, int index, int count, core *all, int simulated)
    void core_free(core *c)
    int core_push(core *c, const command *cmd)
    const event *core_event(const core *c)
    void core_event_done(core *c)
    void core_wake(core *c)
    int core_bind(core *c, const sockaddr_storage *a, int buffer_bytes)
    int core_start(core *c)
    void core_stop(core *c)
    void core_settle(core *c, int64_t now)
    void core_commands(core *c, int64_t now)
    double core_cpu_seconds(core *c)
    track *track_new(uint32_t id, int is_video)
    void track_free(track *t)
    conn *conn_new(uint32_t id)
    receiver *receiver_new()
    arrivals *arrivals_new()
    departures *departures_new()
    pacer *pacer_new()
    const char *counter_name(int c)
    void retired_free(void *object, int kind)
    int64_t monotonic_us()


cdef extern from *:
    """
    static void sockaddr_make(struct sockaddr_storage *out, int family, const unsigned char *ip, int port) {
        memset(out, 0, sizeof(*out));
        if (family == 4) {
            struct sockaddr_in *in = (struct sockaddr_in *)out;
            in->sin_family = AF_INET;
            in->sin_port = htons((uint16_t)port);
            memcpy(&in->sin_addr, ip, 4);
        } else {
            struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
            in6->sin6_family = AF_INET6;
            in6->sin6_port = htons((uint16_t)port);
            memcpy(&in6->sin6_addr, ip, 16);
        }
    }
    static int port_of(int fd) {
        struct sockaddr_storage s;
        socklen_t size = sizeof(s);
        if (getsockname(fd, (struct sockaddr *)&s, &size) < 0)
            return -1;
        return ntohs(s.ss_family == AF_INET ? ((struct sockaddr_in *)&s)->sin_port : ((struct sockaddr_in6 *)&s)->sin6_port);
    }
    static unsigned long long counter_read(const struct core *c, int i) {
        return atomic_load_explicit(&c->counters[i], memory_order_relaxed);
    }
    static struct core *core_at(struct core *cores, int i) { return &cores[i]; }
    static const uint8_t *event_data(const struct event *e) { return e->data; }
    static struct stream *stream_make(const struct address *a, int fd) {
        struct stream *s = calloc(1, sizeof(*s));
        if (s) { s->address = *a; s->fd = fd; }
        return s;
    }
    static struct sink *sink_make(void) {
        struct sink *s = calloc(1, sizeof(*s));
        if (!s) return NULL;
        s->round_trip = -1;
        s->clock_rate = 90000;
        s->wanted_layer = s->wanted_temporal = -1;
        sink_limit(s);
        sink_level(s);
        return s;
    }
    """
    void sockaddr_make(sockaddr_storage *out, int family, const unsigned char *ip, int port) nogil
    int port_of(int fd) nogil
    unsigned long long counter_read(const core *c, int i) nogil
    core *core_at(core *cores, int i) nogil
    const uint8_t *event_data(const event *e) nogil
    stream *stream_make(const address *a, int fd) nogil
    sink *sink_make() nogil
