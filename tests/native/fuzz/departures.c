/* Transport-wide feedback about what left: whatever a peer tells, no more is told as received, or as lost, than
 * has left, no more is taken back than was told as lost, and no time that has not come yet. */
#include "core.h"
#include "fuzz.h"

static struct core core;
static struct conn conn;
static int64_t all_packets, all_bytes, told_packets[2], told_bytes[2];

static void check_records(const struct event *event, int64_t now) {
    struct feedback_record record;
    CHECK(event->kind == EVENT_FEEDBACK && event->id == 7 && event->size % sizeof record == 0 && event->size > 0);
    for (size_t at = 0; at < event->size; at += sizeof record) {
        memcpy(&record, event->data + at, sizeof record);
        int lost = record.arrived == -1;
        CHECK(record.packets <= DEPARTURE_SLOTS && record.packets >= -DEPARTURE_SLOTS && record.packets != 0);
        CHECK(record.bytes >= 0 && record.arrived >= -1 && (record.packets > 0 || (lost && record.bytes == 0)));
        CHECK(record.sent <= now && record.sent > 0);
        told_packets[lost] += record.packets;
        told_bytes[lost] += record.bytes;
    }
    CHECK(told_packets[0] <= all_packets && told_packets[1] <= all_packets && told_packets[1] >= 0);
    CHECK(told_bytes[0] <= all_bytes && told_bytes[1] <= all_bytes);
}

static void look(int64_t now) {
    const struct event *event;
    while ((event = core_event(&core))) {
        check_records(event, now);
        core_event_done(&core);
    }
}

/* A message that is right: every second or third of the last packets, at any pace. */
static void tell(uint8_t back, uint8_t step, int64_t now) {
    uint8_t body[16 + 2 * 256 + 2 * 256] = {0};
    uint16_t base = (uint16_t)(departures_next(conn.departures) - back);
    size_t at = 16;
    write16(body + 8, base);
    write16(body + 10, back);
    write24(body + 12, (uint32_t)(now / 64000));
    for (unsigned i = 0; i < back; i++, at += 2) write16(body + at, (uint16_t)((i % (1 + step % 4) ? 0 : 1) << 13 | 1));
    for (unsigned i = 0; i < back; i++)
        if (i % (1 + step % 4) == 0) body[at++] = step;
    int64_t before = told_packets[0];
    CHECK(departures_told(&core, &conn, body, at, now) == 1);
    look(now);
    CHECK(told_packets[0] - before <= back);
}

static void open_all(void) {
    if (!core.cores) {
        CHECK(core_init(&core, 0, 1, &core, 1) == 0);
        conn.id = 7;
    }
    free(conn.departures);
    conn.departures = departures_new();
    CHECK(conn.departures);
    all_packets = all_bytes = told_packets[0] = told_packets[1] = told_bytes[0] = told_bytes[1] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    open_all();
    int64_t now = (int64_t)take(&data, &size) << 30 | 1;
    while (size > 1) {
        uint8_t op = take(&data, &size), by = take(&data, &size);
        if (op % 4 == 0) {
            now += (int64_t)by << (op >> 4);
            departures_repeat(conn.departures, (uint16_t)(departures_next(conn.departures) - by));
        } else if (op % 4 == 1) {
            for (int i = 0; i <= by; i++, all_packets++, all_bytes += op * 4) {
                departures_add(conn.departures, op * 4u, now);
                now += op >> 5;
            }
        } else if (op % 4 == 2) {
            tell(by, op >> 2, now);
        } else {
            size_t part = by % 64u * 2;
            if (part > size) part = size;
            uint8_t *body = copy_of(data, part);
            departures_told(&core, &conn, body, part, now);
            look(now);
            free(body);
            data += part;
            size -= part;
        }
    }
    return 0;
}
