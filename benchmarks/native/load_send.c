/* What a publisher sends, when: frames of several packets in one go, sound every 20 ms, reports every second; and a
 * subscriber's feedback. RFC 3550, RFC 7741 (VP8), RFC 4585. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define EXTENSIONS 16 /* bytes at most: block header, mid, transport-wide number */
#define DESCRIPTOR 4  /* VP8: X, I, 15-bit picture id */
#define NTP_EPOCH 2208988800ull
#define MAX_BLOCKS 31 /* of one receiver report */

struct burst {
    struct mmsghdr messages[MAX_BURST];
    struct iovec parts[MAX_BURST];
    uint8_t bytes[MAX_BURST][MAX_PACKET + 64];
    int count;
};

static struct burst burst; /* the loop's: there is one */

static void flush(struct load *load, struct client *client) {
    int sent = 0;
    while (sent < burst.count) {
        int n = sendmmsg(client->fd, burst.messages + sent, (unsigned)(burst.count - sent), MSG_DONTWAIT);
        if (n <= 0) break;
        sent += n;
    }
    load->totals.send_failures += (uint64_t)(burst.count - sent);
    burst.count = 0;
}

/* Header with the extensions a browser sends; returns its length. */
static int write_header(uint8_t *p, struct client *client, struct track *track, int marker) {
    uint8_t number[2];
    struct ext_element elements[2];
    size_t count = 0;
    p[0] = 0x80;
    p[1] = (uint8_t)(marker << 7 | track->payload_type);
    write16(p + 2, (uint16_t)track->index);
    write32(p + 4, track->timestamp);
    write32(p + 8, track->ssrc);
    if (track->mid_id)
        elements[count++] = (struct ext_element){track->mid_id, (uint8_t)strlen(track->mid), (const uint8_t *)track->mid};
    if (track->twcc_id) {
        write16(number, client->twcc++);
        elements[count++] = (struct ext_element){track->twcc_id, 2, number};
    }
    int len = rtp_extensions_write(p + 12, EXTENSIONS, elements, count);
    if (len > 0) p[0] |= 0x10;
    return 12 + (len > 0 ? len : 0);
}

static void put(struct load *load, struct client *client, struct track *track, const uint8_t *payload, int len,
                int marker) {
    if (burst.count == MAX_BURST) flush(load, client);
    uint8_t *p = burst.bytes[burst.count];
    int header = write_header(p, client, track, marker);
    int size = srtp_protect(client->send, track->index, p, sizeof burst.bytes[0], (size_t)header, payload, 0, payload,
                            (size_t)len);
    if (size < 0) return;
    burst.parts[burst.count] = (struct iovec){p, (size_t)size};
    burst.messages[burst.count].msg_hdr = (struct msghdr){.msg_iov = &burst.parts[burst.count], .msg_iovlen = 1};
    burst.count++;
    track->index++;
    track->packets++;
    track->octets += (uint32_t)len;
    load->totals.sent_packets++;
    load->totals.sent_bytes += (uint64_t)size;
}

static void write_mark(uint8_t *payload, struct client *client, struct track *track) {
    struct mark mark = {MARK, now_ns(), track->counter++, (uint64_t)client->id};
    memcpy(payload + MARK_OFFSET, &mark, sizeof mark);
}

static void write_descriptor(uint8_t *payload, struct track *track, int first) {
    payload[0] = first ? 0x90 : 0x80;
    payload[1] = 0x80;
    write16(payload + 2, 0x8000 | track->picture);
}

/* A frame that nobody could decode, with marks in every packet. */
static void made_up_frame(struct load *load, struct client *client, struct track *track) {
    static const uint8_t key[] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}; /* 640 x 480 */
    static const uint8_t other[] = {0x11, 0x02, 0x00, 0, 0, 0, 0, 0, 0, 0};
    uint8_t payload[MAX_PACKET];
    int packets = load->frame_packets * (track->keyframe ? KEYFRAME_FACTOR : 1);
    memcpy(payload, load->filler, (size_t)load->packet_bytes);
    for (int i = 0; i < packets; i++) {
        write_descriptor(payload, track, i == 0);
        if (i == 0) memcpy(payload + DESCRIPTOR, track->keyframe ? key : other, sizeof key);
        write_mark(payload, client, track);
        put(load, client, track, payload, load->packet_bytes, i == packets - 1);
    }
}

/* The next frame of the clip, which begins with a key frame and starts again when one is wanted. */
static void clip_frame(struct load *load, struct client *client, struct track *track) {
    if (track->keyframe || track->frame >= (uint32_t)load->clip.count) track->frame = 0;
    const uint8_t *at = load->clip.bytes + load->clip.offsets[track->frame];
    const uint8_t *end = load->clip.bytes + load->clip.offsets[track->frame + 1];
    uint8_t payload[MAX_PACKET];
    for (int first = 1; at < end; first = 0) {
        int room = load->packet_bytes - DESCRIPTOR, n = (int)(end - at) < room ? (int)(end - at) : room;
        write_descriptor(payload, track, first);
        memcpy(payload + DESCRIPTOR, at, (size_t)n);
        at += n;
        put(load, client, track, payload, n + DESCRIPTOR, at == end);
    }
    track->frame++;
}

static void send_video(struct load *load, struct client *client, struct track *track) {
    if (load->clip.count)
        clip_frame(load, client, track);
    else
        made_up_frame(load, client, track);
    track->keyframe = 0;
    track->picture = (track->picture + 1) & 0x7fff;
    track->timestamp += load->timestamp_step;
}

static void send_audio(struct load *load, struct client *client, struct track *track) {
    static const uint8_t silence[] = {0xf8, 0xff, 0xfe};
    uint8_t payload[AUDIO_BYTES] = {0xf8};
    if (load->clip.count) {
        put(load, client, track, silence, sizeof silence, 0);
    } else {
        write_mark(payload, client, track);
        put(load, client, track, payload, sizeof payload, 0);
    }
    track->timestamp += 960;
}

/* Sends all that is due. A late frame is sent at once and the pace goes on from the time it was due. */
void send_due(struct load *load, struct client *client, int64_t now) {
    for (int i = 0; i < client->track_count; i++) {
        struct track *track = &client->tracks[i];
        int64_t interval = track->video ? load->frame_ns : AUDIO_NS;
        if (track->due > now) continue;
        if ((uint64_t)(now - track->due) > load->totals.late_ns_max) load->totals.late_ns_max = (uint64_t)(now - track->due);
        if (track->video)
            send_video(load, client, track);
        else if (!load->mute)
            send_audio(load, client, track);
        track->due = now - track->due > 10 * interval ? now + interval : track->due + interval;
    }
    flush(load, client);
}

static void send_rtcp(struct client *client, uint8_t *packet, int len, size_t cap) {
    int size = srtcp_protect(client->send, &client->rtcp_index, packet, (size_t)len, cap);
    if (size > 0) send(client->fd, packet, (size_t)size, MSG_DONTWAIT);
}

static int write_cname(uint8_t *p, uint32_t ssrc) {
    static const uint8_t item[] = {1, 4, 'l', 'o', 'a', 'd', 0, 0}; /* CNAME, length, text, end and padding */
    write32(p, 0x81ca0003);
    write32(p + 4, ssrc);
    memcpy(p + 8, item, sizeof item);
    return 16;
}

static void sender_report(struct load *load, struct client *client, struct track *track, int64_t now) {
    uint8_t p[128];
    uint64_t wall = (uint64_t)(now + load->clock_offset);
    write32(p, 0x80c80006);
    write32(p + 4, track->ssrc);
    write32(p + 8, (uint32_t)(wall / 1000000000 + NTP_EPOCH));
    write32(p + 12, (uint32_t)((wall % 1000000000 << 32) / 1000000000));
    write32(p + 16, track->timestamp);
    write32(p + 20, track->packets);
    write32(p + 24, track->octets);
    send_rtcp(client, p, 28 + write_cname(p + 28, track->ssrc), sizeof p);
}

/* RFC 3550 section 6.4.1 and appendix A.3. */
static void write_block(uint8_t *p, struct stream *stream, int64_t now) {
    uint32_t expected = (uint32_t)(stream->sequences.highest - stream->first + 1);
    uint32_t received = (uint32_t)stream->sequences.received;
    uint32_t due = expected - stream->report_expected, came = received - stream->report_received;
    uint32_t lost = due > came && due ? (due - came) * 256 / due : 0;
    int64_t all = (int64_t)expected - (int64_t)received;
    stream->report_expected = expected;
    stream->report_received = received;
    write32(p, stream->ssrc);
    p[4] = (uint8_t)(lost > 255 ? 255 : lost);
    write24(p + 5, (uint32_t)(all < 0 ? 0 : all > 0x7fffff ? 0x7fffff : all));
    write32(p + 8, (uint32_t)stream->sequences.highest);
    write32(p + 12, 0);
    write32(p + 16, stream->last_sr);
    write32(p + 20, stream->last_sr ? (uint32_t)((now - stream->last_sr_at) * 65536 / 1000000000) : 0);
}

static void receiver_reports(struct client *client, int64_t now) {
    for (int i = 0; i < client->stream_count; i += MAX_BLOCKS) {
        uint8_t p[MAX_PACKET];
        int n = client->stream_count - i < MAX_BLOCKS ? client->stream_count - i : MAX_BLOCKS;
        write32(p, (uint32_t)(0x80c90001 | n << 24) + 6u * (uint32_t)n);
        write32(p + 4, client->rtcp_ssrc);
        for (int k = 0; k < n; k++) write_block(p + 8 + 24 * k, &client->streams[i + k], now);
        int len = 8 + 24 * n;
        send_rtcp(client, p, len + write_cname(p + len, client->rtcp_ssrc), sizeof p);
    }
}

void send_reports(struct load *load, struct client *client, int64_t now) {
    for (int i = 0; i < client->track_count; i++)
        if (client->tracks[i].packets) sender_report(load, client, &client->tracks[i], now);
    receiver_reports(client, now);
    client->report_due = now + REPORT_NS;
}

/* Asks for `count` packets (at most 17) from `first`. RFC 4585 section 6.2.1. */
void send_nack(struct load *load, struct client *client, uint32_t media_ssrc, uint16_t first, int count) {
    uint8_t p[64];
    write32(p, 0x81cd0003);
    write32(p + 4, client->rtcp_ssrc);
    write32(p + 8, media_ssrc);
    write16(p + 12, first);
    write16(p + 14, (uint16_t)((1u << (count - 1)) - 1));
    send_rtcp(client, p, 16, sizeof p);
    load->totals.nacks_sent++;
}
