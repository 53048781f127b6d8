/* RTP header and its extensions: RFC 3550 section 5.1, RFC 8285. Reads what a stranger sent: every length is checked. */
#ifndef FOLKMOOT_HEADER_H
#define FOLKMOOT_HEADER_H

#include <stddef.h>
#include <stdint.h>

enum extension { /* the numbers of mediaserver/rtp/extensions.py */
    EXT_NONE = 0,
    EXT_MID = 1,
    EXT_RID = 2,
    EXT_REPAIRED_RID = 3,
    EXT_TRANSPORT_CC = 4,
    EXT_ABS_SEND_TIME = 5,
    EXT_AUDIO_LEVEL = 6,
    EXT_DEPENDENCY_DESCRIPTOR = 7,
    EXT_COUNT = 8
};

struct ext_value { /* a slice of the packet; len 0: not there */
    uint16_t offset;
    uint8_t len;
};

struct rtp_header {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t sequence;
    uint16_t header_len; /* fixed part, CSRCs and extension: where the payload starts */
    uint8_t payload_type;
    uint8_t marker;
    uint8_t has_padding;
    struct ext_value ext[EXT_COUNT];
};

static inline uint16_t read16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t read24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }
static inline uint32_t read32(const uint8_t *p) { return (uint32_t)p[0] << 24 | read24(p + 1); }
static inline void write16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static inline void write24(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 16); write16(p + 1, (uint16_t)v); }
static inline void write32(uint8_t *p, uint32_t v) { write16(p, (uint16_t)(v >> 16)); write16(p + 2, (uint16_t)v); }

/* kinds: for each id on the wire (1..255) the enum extension it means, 0 for none.
 * Returns 0, or -1 for bytes that are no RTP packet (shorter than 12, wrong version, CSRCs or extension beyond len).
 * A malformed element inside the extension ends reading of the extension, not of the packet. */
int rtp_header_read(const uint8_t *packet, size_t len, const uint8_t kinds[256], struct rtp_header *out);

/* The length of the payload after RTP padding is taken off (RFC 3550: last byte counts, itself included);
 * -1 if the padding is impossible. `len`: whole plain packet. */
int rtp_payload_length(const uint8_t *packet, size_t len, const struct rtp_header *header);

/* Writes an extension block (RFC 8285) of `count` elements behind a fixed header. One-byte form where every id is
 * 1..14 and every value 1..16 bytes long, else two-byte form. Returns bytes written (a multiple of 4, header of the
 * block included), 0 for no elements, -1 if cap is too small. */
struct ext_element {
    uint8_t id;
    uint8_t len;
    const uint8_t *value;
};
int rtp_extensions_write(uint8_t *dst, size_t cap, const struct ext_element *elements, size_t count);

#endif
