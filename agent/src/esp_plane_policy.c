/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_policy.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_AT_FIRST = 16, OPAQUE_START = 65535 };

static bool not_above(struct address left, struct address right)
{
    return left.high < right.high || (left.high == right.high && left.low <= right.low);
}

static bool within(struct address start, struct address address, struct address end)
{
    return not_above(start, address) && not_above(address, end);
}

static bool port_matches(uint16_t start, uint16_t end, uint16_t port, bool has_port)
{
    if (start == 0 && end == UINT16_MAX)
        return true;
    if (start == OPAQUE_START && end == 0)
        return !has_port;
    return has_port && start <= port && port <= end;
}

bool selector_matches(const struct selector *selector, const struct flow *flow)
{
    return selector->version == flow->version && (selector->protocol == 0 || selector->protocol == flow->protocol) &&
           within(selector->source_start, flow->source, selector->source_end) &&
           within(selector->destination_start, flow->destination, selector->destination_end) &&
           port_matches(selector->source_start_port, selector->source_end_port, flow->source_port,
                        flow->has_ports != 0) &&
           port_matches(selector->destination_start_port, selector->destination_end_port, flow->destination_port,
                        flow->has_ports != 0);
}

/* The octets of a number mixed so that each affects the whole (splitmix64's finisher, Steele et al., 2014). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
    value = (value ^ value >> 27) * 0x94D049BB133111EBU;
    return value ^ value >> 31;
}

uint64_t flow_hash(const struct flow *flow)
{
    uint64_t ends = (uint64_t)flow->source_port << 48 | (uint64_t)flow->destination_port << 32 |
                    (uint64_t)flow->protocol << 8 | flow->version;

    return mix(flow->source.high * 0x9E3779B97F4A7C15U ^ mix(flow->destination.high ^ ends) ^
               mix(flow->source.low + 0x632BE59BD9B4E019U * flow->destination.low));
}

static unsigned leading_equal_bits(uint64_t left, uint64_t right)
{
    return left == right ? 64 : (unsigned)__builtin_clzll(left ^ right);
}

/* Length of the longest prefix that holds a whole range. */
static uint8_t prefix_bits(unsigned version, struct address start, struct address end)
{
    unsigned bits = leading_equal_bits(start.high, end.high);

    if (bits == 64)
        bits += leading_equal_bits(start.low, end.low);
    if (version == 4 && bits > 32)
        bits = 32;
    return (uint8_t)bits;
}

static uint64_t cut64(uint64_t value, unsigned bits)
{
    return bits == 0 ? 0 : value & ~(uint64_t)0 << (64 - bits);
}

static struct address cut(struct address address, unsigned bits)
{
    struct address prefix = {cut64(address.high, bits > 64 ? 64 : bits), bits > 64 ? cut64(address.low, bits - 64) : 0};

    return prefix;
}

static uint32_t bucket_of(const struct policy_tuple *tuple, struct address source, struct address destination)
{
    struct flow prefixes;

    memset(&prefixes, 0, sizeof prefixes);
    prefixes.source = cut(source, tuple->source_bits);
    prefixes.destination = cut(destination, tuple->destination_bits);
    return (uint32_t)flow_hash(&prefixes) & tuple->bucket_mask;
}

static bool before(const struct policy *left, const struct policy *right)
{
    return left->priority < right->priority || (left->priority == right->priority && left->number < right->number);
}

const struct policy *policy_find(const struct policy_database *database, const struct flow *flow)
{
    const struct policy *best = NULL;

    for (uint32_t i = 0; i < database->tuple_count; i++) {
        const struct policy_tuple *tuple = &database->tuples[i];

        if (tuple->version != flow->version || tuple->entry_count == 0)
            continue;
        for (const struct policy_entry *entry = tuple->buckets[bucket_of(tuple, flow->source, flow->destination)];
             entry != NULL; entry = entry->next) {
            if (best != NULL && !before(entry->policy, best))
                break; /* the bucket is in order: nothing better follows */
            if (selector_matches(&entry->selector, flow)) {
                best = entry->policy;
                break;
            }
        }
    }
    return best;
}

static void put(struct policy_tuple *tuple, struct policy_entry *entry)
{
    struct policy_entry **place =
        &tuple->buckets[bucket_of(tuple, entry->selector.source_start, entry->selector.destination_start)];

    while (*place != NULL && before((*place)->policy, entry->policy))
        place = &(*place)->next;
    entry->next = *place;
    *place = entry;
}

/* Makes the table larger when it is full; a table that cannot grow only becomes slower. */
static void grow(struct policy_tuple *tuple)
{
    struct policy_entry **old = tuple->buckets;
    uint32_t count = tuple->bucket_mask + 1;
    struct policy_entry **buckets;

    if (tuple->entry_count < count)
        return;
    buckets = calloc((size_t)count * 2, sizeof *buckets);
    if (buckets == NULL)
        return;
    tuple->buckets = buckets;
    tuple->bucket_mask = count * 2 - 1;
    for (uint32_t i = 0; i < count; i++) {
        struct policy_entry *entry = old[i];

        while (entry != NULL) {
            struct policy_entry *next = entry->next;

            put(tuple, entry);
            entry = next;
        }
    }
    free(old);
}

static struct policy_tuple *tuple_for(struct policy_database *database, const struct selector *selector, bool make)
{
    uint8_t source_bits = prefix_bits(selector->version, selector->source_start, selector->source_end);
    uint8_t destination_bits = prefix_bits(selector->version, selector->destination_start, selector->destination_end);
    struct policy_tuple *tuples, *tuple;

    for (uint32_t i = 0; i < database->tuple_count; i++) {
        tuple = &database->tuples[i];
        if (tuple->version == selector->version && tuple->source_bits == source_bits &&
            tuple->destination_bits == destination_bits)
            return tuple;
    }
    if (!make)
        return NULL;
    tuples = realloc(database->tuples, (database->tuple_count + 1) * sizeof *tuples);
    if (tuples == NULL)
        return NULL;
    database->tuples = tuples;
    tuple = &tuples[database->tuple_count];
    memset(tuple, 0, sizeof *tuple);
    tuple->buckets = calloc(BUCKETS_AT_FIRST, sizeof(struct policy_entry *));
    if (tuple->buckets == NULL)
        return NULL;
    tuple->version = selector->version;
    tuple->source_bits = source_bits;
    tuple->destination_bits = destination_bits;
    tuple->bucket_mask = BUCKETS_AT_FIRST - 1;
    database->tuple_count++;
    return tuple;
}

static void take_out(struct policy_tuple *tuple, const struct policy_entry *entry)
{
    struct policy_entry **place =
        &tuple->buckets[bucket_of(tuple, entry->selector.source_start, entry->selector.destination_start)];

    while (*place != NULL && *place != entry)
        place = &(*place)->next;
    if (*place != NULL) {
        *place = entry->next;
        tuple->entry_count--;
    }
}

static void withdraw(struct policy_database *database, struct policy *policy, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct policy_tuple *tuple = tuple_for(database, &policy->entries[i].selector, false);

        if (tuple != NULL)
            take_out(tuple, &policy->entries[i]);
    }
    free(policy->entries);
    free(policy);
}

/* The policy that is the same; by the table, because a walk over all of them would make adding many slow. */
static struct policy *find_same(struct policy_database *database, enum policy_action action, uint32_t reqid,
                                uint32_t priority, const struct selector *selectors, uint32_t count)
{
    struct policy_tuple *tuple = count > 0 ? tuple_for(database, &selectors[0], false) : NULL;

    if (tuple == NULL)
        return NULL;
    for (struct policy_entry *entry =
             tuple->buckets[bucket_of(tuple, selectors[0].source_start, selectors[0].destination_start)];
         entry != NULL; entry = entry->next) {
        struct policy *policy = entry->policy;
        bool same = policy->action == action && policy->reqid == reqid && policy->priority == priority &&
                    policy->selector_count == count;

        for (uint32_t i = 0; same && i < count; i++)
            same = memcmp(&policy->entries[i].selector, &selectors[i], sizeof selectors[i]) == 0;
        if (same)
            return policy;
    }
    return NULL;
}

bool policy_add(struct policy_database *database, enum policy_action action, uint32_t reqid, uint32_t priority,
                const struct selector *selectors, uint32_t selector_count, struct failure *failure)
{
    struct policy *policy;

    if (find_same(database, action, reqid, priority, selectors, selector_count) != NULL)
        return fail(failure, FAILURE_USAGE, "this policy is there already");
    policy = calloc(1, sizeof *policy);
    if (policy != NULL)
        policy->entries = calloc(selector_count, sizeof *policy->entries);
    if (policy == NULL || policy->entries == NULL) {
        free(policy);
        return fail(failure, FAILURE_MEMORY, "no memory for a policy");
    }
    policy->action = action;
    policy->reqid = reqid;
    policy->priority = priority;
    policy->selector_count = selector_count;
    policy->number = database->additions;
    for (uint32_t i = 0; i < selector_count; i++) {
        struct policy_tuple *tuple = tuple_for(database, &selectors[i], true);

        if (tuple == NULL) {
            withdraw(database, policy, i);
            return fail(failure, FAILURE_MEMORY, "no memory for a policy");
        }
        policy->entries[i].policy = policy;
        policy->entries[i].selector = selectors[i];
        grow(tuple);
        put(tuple, &policy->entries[i]);
        tuple->entry_count++;
    }
    database->additions++;
    policy->next = database->first;
    policy->place = &database->first;
    if (policy->next != NULL)
        policy->next->place = &policy->next;
    database->first = policy;
    return true;
}

bool policy_remove(struct policy_database *database, enum policy_action action, uint32_t reqid, uint32_t priority,
                   const struct selector *selectors, uint32_t selector_count)
{
    struct policy *policy = find_same(database, action, reqid, priority, selectors, selector_count);

    if (policy == NULL)
        return false;
    *policy->place = policy->next;
    if (policy->next != NULL)
        policy->next->place = policy->place;
    withdraw(database, policy, policy->selector_count);
    return true;
}

void policy_clear(struct policy_database *database)
{
    while (database->first != NULL) {
        struct policy *policy = database->first;

        database->first = policy->next;
        withdraw(database, policy, policy->selector_count);
    }
    for (uint32_t i = 0; i < database->tuple_count; i++)
        free(database->tuples[i].buckets);
    free(database->tuples);
    database->tuples = NULL;
    database->tuple_count = 0;
}
