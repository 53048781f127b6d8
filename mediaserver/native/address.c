/* Addresses as keys, and the table from address to connection (open addressing, linear probing). */
#include <arpa/inet.h>
#include <string.h>

#include "core.h"

static uint32_t address_hash(const struct address *address) {
    uint64_t words[3];
    memcpy(words, address, sizeof(words));
    uint64_t h = words[0] * 0x9E3779B97F4A7C15u ^ words[1] * 0xC2B2AE3D27D4EB4Fu ^ words[2] * 0x165667B19E3779F9u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return (uint32_t)(h >> 32);
}

_Static_assert(sizeof(struct address) == 24, "addresses are hashed and compared as 24 bytes");

struct address_entry *address_find(const struct address_table *table, const struct address *address) {
    for (uint32_t i = address_hash(address);; i++) {
        struct address_entry *entry = &table->entries[i & (ADDRESS_SLOTS - 1)];
        if (!entry->used)
            return NULL;
        if (memcmp(&entry->address, address, sizeof(*address)) == 0)
            return entry;
    }
}

/* The entry of this address, made if need be; NULL when the table is three quarters full. */
struct address_entry *address_insert(struct address_table *table, const struct address *address) {
    struct address_entry *found = address_find(table, address);
    if (found)
        return found;
    if (table->count >= ADDRESS_SLOTS / 4 * 3)
        return NULL;
    uint32_t i = address_hash(address);
    while (table->entries[i & (ADDRESS_SLOTS - 1)].used)
        i++;
    struct address_entry *entry = &table->entries[i & (ADDRESS_SLOTS - 1)];
    memset(entry, 0, sizeof(*entry));
    entry->address = *address;
    entry->used = 1;
    table->count++;
    return entry;
}

/* The entry's connection is known by this address no longer. */
void address_unknow(struct address_entry *entry) {
    struct conn *conn = entry->conn;
    entry->conn = NULL;
    for (int i = 0; conn && i < conn->known_count; i++)
        if (memcmp(&conn->known[i], &entry->address, sizeof(struct address)) == 0)
            conn->known[i--] = conn->known[--conn->known_count];
}

/* Removes it and moves the entries behind it up, so that no probe ends early (Knuth 6.4, algorithm R). */
void address_remove(struct address_table *table, const struct address *address) {
    struct address_entry *entry = address_find(table, address);
    if (!entry)
        return;
    address_unknow(entry);
    uint32_t hole = (uint32_t)(entry - table->entries);
    for (uint32_t i = (hole + 1) & (ADDRESS_SLOTS - 1); table->entries[i].used; i = (i + 1) & (ADDRESS_SLOTS - 1)) {
        uint32_t home = address_hash(&table->entries[i].address) & (ADDRESS_SLOTS - 1);
        if (((i - home) & (ADDRESS_SLOTS - 1)) >= ((i - hole) & (ADDRESS_SLOTS - 1))) {
            table->entries[hole] = table->entries[i];
            hole = i;
        }
    }
    memset(&table->entries[hole], 0, sizeof(*entry));
    table->count--;
}

void address_from_sockaddr(struct address *out, uint8_t socket, const struct sockaddr_storage *from) {
    memset(out, 0, sizeof(*out));
    out->socket = socket;
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        out->kind = ADDRESS_UDP4;
        memcpy(out->port, &in->sin_port, 2);
        memcpy(out->ip, &in->sin_addr, 4);
    } else {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        out->kind = ADDRESS_UDP6;
        memcpy(out->port, &in6->sin6_port, 2);
        memcpy(out->ip, &in6->sin6_addr, 16);
    }
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_in6 *out) {
    memset(out, 0, sizeof(*out));
    if (address->kind == ADDRESS_UDP4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        memcpy(&in->sin_port, address->port, 2);
        memcpy(&in->sin_addr, address->ip, 4);
        return sizeof(*in);
    }
    out->sin6_family = AF_INET6;
    memcpy(&out->sin6_port, address->port, 2);
    memcpy(&out->sin6_addr, address->ip, 16);
    return sizeof(*out);
}
