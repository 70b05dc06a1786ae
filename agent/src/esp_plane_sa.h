/* SPDX-License-Identifier: Apache-2.0 */
/* The SAD (RFC 4301 section 4.4.2): SAs by SPI, and outbound ones by the reqid that policies name. */
#ifndef IPSECBENCH_ESP_PLANE_SA_H
#define IPSECBENCH_ESP_PLANE_SA_H

#include <netinet/in.h>
#include <stdatomic.h>

#include "esp_plane_policy.h"
#include "esp_transform.h"
#include "library_ipsec_mb_packets.h"

enum { SA_BUCKETS = 16384, KEYMAT_BYTES_MAXIMUM = 64 + SALT_BYTES_MAXIMUM };

enum sa_mode { MODE_TUNNEL, MODE_TRANSPORT };
enum sa_layering { LAYERING_NONE, LAYERING_GRE, LAYERING_IPIP };
enum sa_fragmentation { DF_COPY, DF_SET, DF_CLEAR };

struct sa_limits {
    uint64_t soft_bytes, hard_bytes, soft_packets, hard_packets; /* UINT64_MAX: none */
    uint64_t soft_ms, hard_ms;
};

struct sa_settings {
    bool outbound;
    uint32_t spi, reqid;
    struct esp_suite suite;
    const struct symmetric_provider *provider;
    struct bytes encryption_key, integrity_key;
    enum sa_mode mode;
    enum sa_layering layering;
    enum sa_fragmentation dont_fragment;
    bool fragment_after, esn, copy_dscp, encapsulated;
    uint8_t version; /* of the outer packet */
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint32_t replay_window_packets;
    uint32_t path_mtu_bytes;
    uint32_t tfc_bytes;
    uint64_t sequence; /* the last number used, or the right edge of the window */
    struct sa_limits limits;
    uint32_t selector_count;
    const struct selector *selectors;
};

union socket_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

struct sa {
    struct sa *next_by_spi, *next_by_reqid;
    uint32_t spi, reqid;
    struct esp_suite suite;
    const struct symmetric_provider *provider;
    uint8_t mode, layering, dont_fragment, version;
    bool outbound, esn, copy_dscp, encapsulated, replay_protected, fragment_after;
    _Atomic uint8_t events_sent; /* a bit for each kind that comes once */
    uint8_t prefix_bytes; /* what layering puts before the inner packet */
    atomic_bool expired;  /* by time */
    bool shared;          /* there is more than one worker */
    atomic_flag lock;     /* of the window, where there is more than one worker */
    uint32_t path_mtu_bytes, tfc_bytes;
    uint32_t inner_mtu_bytes; /* outbound, tunnel: the longest inner packet that fits */
    uint32_t selector_count;
    struct selector *selectors;
    struct replay_window *window; /* inbound */
    _Atomic uint64_t sequence;    /* outbound: the last number used */
    _Atomic uint64_t packets, bytes, replayed, forged, last_ms;
    uint64_t added_ms;
    struct sa_limits *limits; /* NULL: none */
    struct address source, destination;
    union socket_address peer;        /* outbound: where to */
    struct address last_source;       /* inbound: where the last packet came from */
    uint16_t last_port;
    uint8_t encryption_key_bytes, integrity_key_bytes;
    uint8_t *keys;                    /* encryption key, then integrity key; NULL with `mb` */
    struct mb_sa *mb;                 /* where intel-ipsec-mb does the work; then there are no contexts */
    uint32_t payload_offset;          /* of an ESP packet: behind header and IV */
    unsigned context_count;
    struct esp_sa *contexts[];        /* one for each worker, made when it is needed */
};

struct sa_database {
    struct sa *by_spi[2][SA_BUCKETS]; /* [outbound] */
    struct sa *by_reqid[SA_BUCKETS];  /* outbound; the newest first */
    size_t count;
    size_t timed_count; /* with a limit in seconds */
};

static inline uint32_t sa_bucket(uint32_t number)
{
    return (number * 2654435761U) >> 18; /* 14 bits */
}

static inline struct sa *sa_find(const struct sa_database *database, bool outbound, uint32_t spi)
{
    struct sa *sa = database->by_spi[outbound][sa_bucket(spi)];

    while (sa != NULL && sa->spi != spi)
        sa = sa->next_by_spi;
    return sa;
}

static inline struct sa *sa_find_reqid(const struct sa_database *database, uint32_t reqid)
{
    struct sa *sa = database->by_reqid[sa_bucket(reqid)];

    while (sa != NULL && sa->reqid != reqid)
        sa = sa->next_by_reqid;
    return sa;
}

/*
 * Makes an SA for `context_count` workers. sa_make_context() then makes what the first of them needs, so that what the
 * library refuses shows at once. Its engine and source of IVs must be at rest.
 */
struct sa *sa_create(const struct sa_settings *settings, unsigned context_count, uint64_t now_ms,
                     struct failure *failure);
bool sa_make_context(struct sa *sa, const struct sa_settings *settings, struct mb_engine *engine,
                     struct iv_source *iv_source, struct failure *failure);
void sa_destroy(struct sa *sa);

/* A context for one worker; NULL with a failure. */
struct esp_sa *sa_new_context(const struct sa *sa, struct iv_source *iv_source, struct failure *failure);

/* While paused. */
void sa_insert(struct sa_database *database, struct sa *sa);
void sa_remove(struct sa_database *database, struct sa *sa);
void sa_clear(struct sa_database *database);

/* Other addresses and ports from now on; while paused. */
void sa_move(struct sa *sa, unsigned version, struct address source, struct address destination, bool encapsulated,
             uint16_t source_port, uint16_t destination_port);

/* Octets before the inner packet on the wire: outer IP header and UDP header. */
static inline uint32_t sa_outer_bytes(const struct sa *sa)
{
    return (sa->version == 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES) + (sa->encapsulated ? UDP_HEADER_BYTES : 0U);
}

#endif
