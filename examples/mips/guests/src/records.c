/* A hash table of records: as many insertions, and twice as many searches, as the input asks for. */
#include "guest.h"

struct record {
    u32 key, count;
    struct record *next;
};

#define BUCKETS 1024
#define KEYS 4096

static struct record *buckets[BUCKETS];
static struct record storage[KEYS];

static struct record *find(u32 key)
{
    struct record *record = buckets[(key * 2654435761u) >> 22];
    while (record && record->key != key)
        record = record->next;
    return record;
}

int main(void)
{
    u32 rounds = read_rounds(64);
    u32 state = 7, found = 0, records = 0;
    for (u32 round = 0; round < rounds; round++) {
        u32 key = next_random(&state) % KEYS;
        struct record *record = find(key);
        if (!record) {
            struct record **bucket = &buckets[(key * 2654435761u) >> 22];
            record = &storage[records++];
            record->key = key;
            record->next = *bucket;
            *bucket = record;
        }
        record->count++;
        for (u32 search = 0; search < 2; search++) {
            struct record *other = find(next_random(&state) % KEYS);
            found += other ? other->count : 0;
        }
    }
    put_decimal(records);
    put(" ");
    put_decimal(found);
    put("\n");
    return 0;
}
