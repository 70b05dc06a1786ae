/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_plane_sa.h"

#include <stdlib.h>
#include <string.h>

/* The least window that an SA with ESN needs to infer the upper half of a number, where no replay is refused. */
enum { INFERENCE_WINDOW_PACKETS = 64 };

static void set_socket_address(union socket_address *place, unsigned version, struct address address, uint16_t port)
{
    memset(place, 0, sizeof *place);
    if (version == 4) {
        place->ipv4.sin_family = AF_INET;
        place->ipv4.sin_port = htons(port);
        address_write(address, 4, (uint8_t *)&place->ipv4.sin_addr);
    } else {
        place->ipv6.sin6_family = AF_INET6;
        place->ipv6.sin6_port = htons(port);
        address_write(address, 6, (uint8_t *)&place->ipv6.sin6_addr);
    }
}

/* The longest inner packet whose outer one is not longer than the path MTU. */
static uint32_t inner_mtu(const struct sa *sa)
{
    uint32_t outer = sa_outer_bytes(sa);
    uint32_t inner = sa->path_mtu_bytes > outer ? sa->path_mtu_bytes - outer : 0;

    while (inner > 0 && outer + esp_packet_bytes(&sa->suite, inner) > sa->path_mtu_bytes)
        inner--;
    return inner > sa->prefix_bytes ? inner - sa->prefix_bytes : 0;
}

void sa_move(struct sa *sa, unsigned version, struct address source, struct address destination, bool encapsulated,
             uint16_t source_port, uint16_t destination_port)
{
    sa->version = (uint8_t)version;
    sa->source = source;
    sa->destination = destination;
    sa->encapsulated = encapsulated;
    set_socket_address(&sa->peer, version, destination, encapsulated ? destination_port : 0);
    sa->last_source = source;
    sa->last_port = encapsulated ? source_port : 0;
    sa->inner_mtu_bytes = inner_mtu(sa);
}

struct esp_sa *sa_new_context(const struct sa *sa, struct iv_source *iv_source, struct failure *failure)
{
    struct esp_sa_parameters parameters = {
        .suite = sa->suite,
        .outbound = sa->outbound,
        .spi = sa->spi,
        .esn = sa->esn,
        .encryption_key = sa->keys,
        .integrity_key = sa->keys + sa->encryption_key_bytes,
        .iv_source = iv_source,
    };
    struct esp_sa *context = malloc(sizeof *context);

    if (context == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for an SA");
        return NULL;
    }
    if (!esp_sa_create(context, sa->provider, &parameters, failure)) {
        free(context);
        return NULL;
    }
    return context;
}

bool sa_make_context(struct sa *sa, const struct sa_settings *settings, struct mb_engine *engine,
                     struct iv_source *iv_source, struct failure *failure)
{
    struct esp_sa_parameters parameters = {
        .suite = sa->suite,
        .outbound = sa->outbound,
        .spi = sa->spi,
        .esn = sa->esn,
        .encryption_key = settings->encryption_key.data,
        .integrity_key = settings->integrity_key.data,
    };

    if (sa->provider != &symmetric_ipsec_mb) {
        sa->contexts[0] = sa_new_context(sa, iv_source, failure);
        return sa->contexts[0] != NULL;
    }
    sa->mb = mb_sa_create(engine, &parameters, failure);
    return sa->mb != NULL;
}

static bool set_window(struct sa *sa, const struct sa_settings *settings, struct failure *failure)
{
    uint32_t size = settings->replay_window_packets;

    sa->replay_protected = size > 0;
    if (size == 0 && settings->esn)
        size = INFERENCE_WINDOW_PACKETS;
    if (size == 0)
        return true;
    sa->window = malloc(replay_window_bytes(size));
    if (sa->window == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for an anti-replay window");
    replay_window_initialise(sa->window, size);
    if (settings->sequence > 0)
        replay_window_reset(sa->window, settings->sequence);
    return true;
}

static bool set_limits(struct sa *sa, const struct sa_limits *limits, struct failure *failure)
{
    static const struct sa_limits none = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

    if (memcmp(limits, &none, sizeof none) == 0)
        return true;
    sa->limits = malloc(sizeof *sa->limits);
    if (sa->limits == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for limits");
    *sa->limits = *limits;
    return true;
}

static bool set_selectors(struct sa *sa, const struct sa_settings *settings, struct failure *failure)
{
    if (settings->selector_count == 0)
        return true;
    sa->selectors = calloc(settings->selector_count, sizeof *sa->selectors);
    if (sa->selectors == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for selectors");
    memcpy(sa->selectors, settings->selectors, settings->selector_count * sizeof *sa->selectors);
    sa->selector_count = settings->selector_count;
    return true;
}

static bool set_keys(struct sa *sa, const struct sa_settings *settings, struct failure *failure)
{
    size_t encryption = settings->encryption_key.length, integrity = settings->integrity_key.length;

    if (sa->provider == &symmetric_ipsec_mb)
        return true;
    sa->keys = malloc(encryption + integrity + 1);
    if (sa->keys == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for keys");
    memcpy(sa->keys, settings->encryption_key.data, encryption);
    memcpy(sa->keys + encryption, settings->integrity_key.data, integrity);
    sa->encryption_key_bytes = (uint8_t)encryption;
    sa->integrity_key_bytes = (uint8_t)integrity;
    return true;
}

struct sa *sa_create(const struct sa_settings *settings, unsigned context_count, uint64_t now_ms,
                     struct failure *failure)
{
    bool shared = context_count > 1;
    struct sa *sa;

    if (settings->provider == &symmetric_ipsec_mb)
        context_count = 0;
    sa = calloc(1, sizeof *sa + context_count * sizeof sa->contexts[0]);
    if (sa == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory for an SA");
        return NULL;
    }
    sa->spi = settings->spi;
    sa->reqid = settings->reqid;
    sa->suite = settings->suite;
    sa->provider = settings->provider;
    sa->mode = (uint8_t)settings->mode;
    sa->layering = (uint8_t)settings->layering;
    sa->prefix_bytes = settings->layering == LAYERING_GRE ? 4 : 0;
    sa->dont_fragment = (uint8_t)settings->dont_fragment;
    sa->outbound = settings->outbound;
    sa->fragment_after = settings->fragment_after;
    sa->esn = settings->esn;
    sa->copy_dscp = settings->copy_dscp;
    sa->path_mtu_bytes = settings->path_mtu_bytes;
    sa->tfc_bytes = settings->tfc_bytes;
    sa->payload_offset = ESP_HEADER_BYTES + (uint32_t)settings->suite.cipher->iv_bytes;
    sa->context_count = context_count;
    sa->shared = shared;
    sa->added_ms = now_ms;
    atomic_init(&sa->sequence, settings->sequence);
    atomic_init(&sa->last_ms, now_ms);
    atomic_flag_clear(&sa->lock);
    sa_move(sa, settings->version, settings->source, settings->destination, settings->encapsulated,
            settings->source_port, settings->destination_port);
    if (!set_keys(sa, settings, failure) || (!sa->outbound && !set_window(sa, settings, failure)) ||
        !set_limits(sa, &settings->limits, failure) || !set_selectors(sa, settings, failure)) {
        sa_destroy(sa);
        return NULL;
    }
    return sa;
}

/* Keys are overwritten in a way that a compiler does not leave out. */
static void wipe(uint8_t *octets, size_t length)
{
    volatile uint8_t *place = octets;

    while (length-- > 0)
        *place++ = 0;
}

void sa_destroy(struct sa *sa)
{
    if (sa == NULL)
        return;
    for (unsigned i = 0; i < sa->context_count; i++) {
        if (sa->contexts[i] != NULL) {
            esp_sa_destroy(sa->contexts[i]);
            free(sa->contexts[i]);
        }
    }
    mb_sa_destroy(sa->mb);
    if (sa->keys != NULL)
        wipe(sa->keys, (size_t)sa->encryption_key_bytes + sa->integrity_key_bytes);
    free(sa->keys);
    free(sa->window);
    free(sa->limits);
    free(sa->selectors);
    free(sa);
}

static bool is_timed(const struct sa *sa)
{
    return sa->limits != NULL && (sa->limits->soft_ms != UINT64_MAX || sa->limits->hard_ms != UINT64_MAX);
}

void sa_insert(struct sa_database *database, struct sa *sa)
{
    struct sa **bucket = &database->by_spi[sa->outbound][sa_bucket(sa->spi)];

    sa->next_by_spi = *bucket;
    *bucket = sa;
    if (sa->outbound) {
        bucket = &database->by_reqid[sa_bucket(sa->reqid)];
        sa->next_by_reqid = *bucket;
        *bucket = sa;
    }
    database->count++;
    database->timed_count += is_timed(sa);
}

void sa_remove(struct sa_database *database, struct sa *sa)
{
    struct sa **place = &database->by_spi[sa->outbound][sa_bucket(sa->spi)];

    while (*place != sa)
        place = &(*place)->next_by_spi;
    *place = sa->next_by_spi;
    if (sa->outbound) {
        place = &database->by_reqid[sa_bucket(sa->reqid)];
        while (*place != sa)
            place = &(*place)->next_by_reqid;
        *place = sa->next_by_reqid;
    }
    database->count--;
    database->timed_count -= is_timed(sa);
}

void sa_clear(struct sa_database *database)
{
    for (int outbound = 0; outbound < 2; outbound++) {
        for (size_t i = 0; i < SA_BUCKETS; i++) {
            while (database->by_spi[outbound][i] != NULL) {
                struct sa *sa = database->by_spi[outbound][i];

                sa_remove(database, sa);
                sa_destroy(sa);
            }
        }
    }
}
