/* From a datagram to what it is: STUN, DTLS, RTP or RTCP by first byte and address (RFC 7983), authenticated where
 * it must be. Everything a stranger can send passes here first. */
#include <string.h>

#include "core.h"

#define STUN_COOKIE 0x2112A442u

static void count_srtp_error(struct core *core, struct conn *conn, int error, int rtcp) {
    if (error == SRTP_REPLAYED)
        count(core, dropped_replayed);
    else if (error == SRTP_TOO_OLD)
        count(core, dropped_too_old);
    else if (error == SRTP_MALFORMED && rtcp)
        count(core, dropped_malformed_rtcp);
    else if (error == SRTP_MALFORMED)
        count(core, dropped_malformed_rtp);
    else if (rtcp)
        count(core, dropped_rtcp_unauthentic);
    else
        count(core, dropped_unauthentic);
    if (error == SRTP_UNAUTHENTIC)
        conn->unauthentic++;
}

static void rtp_arrived(struct core *core, struct conn *conn, uint8_t *data, size_t size, int64_t now) {
    struct rtp_header header;
    struct srtp_replay fresh = {0};
    uint64_t index;
    struct receiver *receiver = conn->receiver;
    if (!receiver) {
        count(core, dropped_unknown_ssrc);
        return;
    }
    if (rtp_header_read(data, size, conn->kinds, &header) < 0) {
        count(core, dropped_malformed_rtp);
        return;
    }
    struct ssrc_entry *entry = receiver_find(receiver, header.ssrc);
    int plain = srtp_unprotect(conn->rx, entry ? &entry->replay : &fresh, data, size, header.header_len, &index);
    if (plain < 0) {
        count_srtp_error(core, conn, plain, 0);
        return;
    }
    count(core, packets_received);
    conn->packets_received++;
    conn->bytes_received += size;
    if (receiver->arrivals && header.ext[EXT_TRANSPORT_CC].len == 2)
        arrivals_add(receiver->arrivals, read16(data + header.ext[EXT_TRANSPORT_CC].offset), now);
    if (!entry || !entry->source)
        entry = receiver_learn(core, conn, entry, &header, data, &fresh, now);
    struct section *section = entry && entry->source ? receiver_section_of(receiver, entry->source) : NULL;
    if (!section) {
        count(core, dropped_unknown_ssrc);
        return;
    }
    source_arrived(core, conn, entry, section, &header, data, (size_t)plain, now);
}

static struct sink *sink_by_ssrc(struct conn *conn, uint32_t ssrc) {
    for (int i = 0; i < conn->sink_count; i++)
        if (conn->sink_ssrcs[i] == ssrc)
            return conn->sinks[i];
    return NULL;
}

static void keyframe_asked(struct core *core, struct conn *conn, uint32_t ssrc, int64_t now) {
    struct sink *sink = sink_by_ssrc(conn, ssrc);
    count(core, keyframe_requests_received);
    if (!sink || !sink->is_video || !sink->source)
        return;
    sink->keyframe_requests++;
    source_want_keyframe(core, sink->source, now);
}

static void sender_report(struct conn *conn, const struct rtcp_packet *packet, int64_t now, int64_t wall_offset) {
    struct receiver *receiver = conn->receiver;
    struct ssrc_entry *entry = receiver ? receiver_find(receiver, read32(packet->body)) : NULL;
    if (!entry || !entry->source || entry->is_repair)
        return;
    struct source *source = entry->source;
    source->report_ntp = (uint64_t)read32(packet->body + 4) << 32 | read32(packet->body + 8);
    source->report_rtp = read32(packet->body + 12);
    source->report_at = now;
    if (!receiver->ntp_known) {
        double seconds = (double)(now + wall_offset) / 1e6 + 2208988800.0;
        receiver->ntp_offset = (int64_t)((uint64_t)(seconds * 4294967296.0) - source->report_ntp);
        receiver->ntp_known = 1;
    }
}

/* RFC 3550 section 6.4.1: what the receiver of our stream says of it. */
static void report_block(struct conn *conn, const uint8_t *block, int64_t now) {
    struct sink *sink = sink_by_ssrc(conn, read32(block));
    if (!sink)
        return;
    sink->fraction_lost = block[4];
    conn->report_at = now;
    conn->reported += sink->packets - sink->packets_reported;
    conn->reported_lost += (sink->packets - sink->packets_reported) * block[4];
    sink->packets_reported = sink->packets;
    sink->cumulative_lost = (int32_t)(read24(block + 5) << 8) >> 8;
    sink->remote_jitter = read32(block + 12);
    uint32_t last = read32(block + 16);
    if (last == 0 || last != sink->report_ntp_mid)
        return;
    double delay = (double)read32(block + 20) / 65536.0;
    double trip = (double)(now - sink->report_sent_at) / 1e6 - delay;
    sink->round_trip = trip > 0 ? trip : 0;
    conn->round_trip = sink->round_trip;
}

static void report_blocks(struct conn *conn, const struct rtcp_packet *packet, size_t skip, int64_t now) {
    for (int i = 0; i < packet->count && skip + 24 <= packet->size; i++, skip += 24)
        report_block(conn, packet->body + skip, now);
}

static void transport_feedback(struct core *core, struct conn *conn, const struct rtcp_packet *packet, int64_t now) {
    if (packet->count == 15) {
        count(core, transport_cc_received);
        if (!departures_told(core, conn, packet->body, packet->size, now))
            count(core, dropped_malformed_rtcp);
    }
    if (packet->count != 1 || packet->size < 8)
        return;
    struct sink *sink = sink_by_ssrc(conn, read32(packet->body + 4));
    count(core, nacks_received);
    for (size_t at = 8; sink && at + 4 <= packet->size; at += 4)
        sink_nacked(core, sink, read16(packet->body + at), read16(packet->body + at + 2), now);
}

static void payload_feedback(struct core *core, struct conn *conn, const struct rtcp_packet *packet, int64_t now) {
    const uint8_t *body = packet->body;
    if (packet->size < 8)
        return;
    if (packet->count == 1)
        keyframe_asked(core, conn, read32(body + 4), now);
    if (packet->count == 4) /* FIR, RFC 5104 section 4.3.1: SSRCs are in its entries */
        for (size_t at = 8; at + 8 <= packet->size; at += 8)
            keyframe_asked(core, conn, read32(body + at), now);
    if (packet->count == 15 && packet->size >= 16 && memcmp(body + 8, "REMB", 4) == 0) {
        uint32_t mantissa = read24(body + 13) & 0x3FFFF;
        uint64_t rate = (uint64_t)mantissa << (body[13] >> 2);
        conn->remb_bps = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
        conn->remb_at = now;
    }
}

/* A compound packet without its protection. */
void core_rtcp_plain(struct core *core, struct conn *conn, const uint8_t *data, size_t size, int64_t now) {
    const uint8_t *cursor = data, *end = data + size;
    struct rtcp_packet packet;
    int more;
    while ((more = rtcp_next(&cursor, end, &packet)) > 0) {
        if (packet.type == 200 && packet.size >= 24) {
            sender_report(conn, &packet, now, core->wall_offset);
            report_blocks(conn, &packet, 24, now);
        } else if (packet.type == 201 && packet.size >= 4) {
            report_blocks(conn, &packet, 4, now);
        } else if (packet.type == 205) {
            transport_feedback(core, conn, &packet, now);
        } else if (packet.type == 206) {
            payload_feedback(core, conn, &packet, now);
        }
    }
    if (more < 0)
        count(core, dropped_malformed_rtcp);
}

static void rtcp_arrived(struct core *core, struct conn *conn, uint8_t *data, size_t size, int64_t now) {
    int plain = srtcp_unprotect(conn->rx, &conn->rtcp_replay, data, size);
    if (plain < 0) {
        count_srtp_error(core, conn, plain, 1);
        return;
    }
    count(core, rtcp_received);
    core_rtcp_plain(core, conn, data, (size_t)plain, now);
}

static void stun_arrived(struct core *core, const struct address *address, const uint8_t *data, size_t size,
                         uint32_t conn) {
    if (size < 20 || read32(data + 4) != STUN_COOKIE || (size_t)read16(data + 2) + 20 != size || size % 4) {
        count(core, dropped_malformed_stun);
        return;
    }
    count(core, stun_received);
    event_datagram(core, EVENT_STUN, address, data, size, conn);
}

static void hand_over(struct core *core, int to, const struct address *address, const uint8_t *data, size_t size) {
    struct handover_ring *ring = &core->cores[to].handovers[core->index];
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&ring->tail, memory_order_acquire) >= HANDOVER_SLOTS) {
        count(core, dropped_handover_full);
        return;
    }
    struct handover *slot = &ring->slots[head % HANDOVER_SLOTS];
    slot->address = *address;
    slot->size = (uint16_t)size;
    memcpy(slot->data, data, size);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    core->wake_mask |= 1ull << to;
    count(core, handed_over);
}

/* One datagram, in a buffer that may be written to. */
void core_datagram(struct core *core, const struct address *address, uint8_t *data, size_t size, int64_t now) {
    struct address_entry *entry = address_find(&core->addresses, address);
    if (entry && entry->owner != core->index && size > 0 && size <= MAX_DATAGRAM) {
        hand_over(core, entry->owner, address, data, size);
        return;
    }
    count(core, datagrams_received); /* by the thread that has it in the end */
    count_many(core, bytes_received, size);
    if (size == 0) {
        count(core, dropped_empty);
        return;
    }
    if (size > MAX_DATAGRAM) {
        count(core, dropped_too_long);
        return;
    }
    struct conn *conn = entry ? entry->conn : NULL;
    uint8_t first = data[0];
    if (first < 4) {
        stun_arrived(core, address, data, size, conn ? conn->id : 0);
    } else if (!(first >= 20 && first < 64) && !(first >= 128 && first < 192)) {
        count(core, dropped_unknown_first_byte);
    } else if (!conn) {
        count(core, dropped_unknown_address);
    } else if (first < 64) {
        count(core, dtls_received);
        event_datagram(core, EVENT_DTLS, address, data, size, conn->id);
    } else if (!conn->rx) {
        count(core, dropped_no_keys);
    } else if (size >= 2 && data[1] >= 192 && data[1] < 224) {
        rtcp_arrived(core, conn, data, size, now);
    } else {
        rtp_arrived(core, conn, data, size, now);
    }
}
