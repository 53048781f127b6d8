/* How loud the audio tracks are (RFC 6464): added up packet by packet, told to Python a few times a second, together. */
#include "core.h"

#define TELL_US 100000
#define SILENCE 127 /* -dBov */
#define VOICE 0x80
#define MAX_RECORDS (MAX_DATAGRAM / (int)sizeof(struct level_record))

/* One packet's level, as on the wire. */
void level_add(struct core *core, struct track *track, uint8_t level) {
    struct loudness *sum = &track->loudness;
    if (sum->packets == 0) {
        *sum = (struct loudness){.loudest = SILENCE, .next = core->loud};
        core->loud = track;
    }
    uint8_t value = level & SILENCE;
    sum->packets += sum->packets < UINT16_MAX;
    sum->total += value;
    sum->voiced += (level & VOICE) != 0;
    if (value < sum->loudest)
        sum->loudest = value;
}

/* The track is about to go. */
void level_forget(struct core *core, struct track *track) {
    for (struct track **at = &core->loud; *at; at = &(*at)->loudness.next) {
        if (*at == track) {
            *at = track->loudness.next;
            return;
        }
    }
}

static uint8_t small(uint32_t value) { return value > UINT8_MAX ? UINT8_MAX : (uint8_t)value; }

void levels_tell(struct core *core, int64_t now) {
    struct level_record records[MAX_RECORDS];
    size_t count = 0;
    if (now < core->levels_due)
        return;
    core->levels_due = now + TELL_US;
    while (core->loud) {
        struct track *track = core->loud;
        struct loudness *sum = &track->loudness;
        core->loud = sum->next;
        records[count++] = (struct level_record){track->id, small(sum->packets), small(sum->voiced), sum->loudest,
                                                 small(sum->total / sum->packets)};
        sum->packets = 0;
        if (count == MAX_RECORDS || !core->loud) {
            event_records(core, EVENT_LEVELS, 0, records, count * sizeof(records[0]));
            count = 0;
        }
    }
}
