/* SPDX-License-Identifier: Apache-2.0 */
/* What the orders of the command `traffic` may say (docs/agent-traffic.md). */
#ifndef IPSECBENCH_TRAFFIC_SETTINGS_H
#define IPSECBENCH_TRAFFIC_SETTINGS_H

#include "json.h"
#include "operation.h"
#include "traffic_payload.h"

enum { TRAFFIC_NAME_BYTES = 32 };

/* A thread that runs where the kernel likes. */
#define NO_CORE UINT32_MAX

enum traffic_source_kind { SOURCE_UDP, SOURCE_DEVICE, SOURCE_ESP, SOURCE_TCP };
enum traffic_sink_kind { SINK_UDP, SINK_DEVICE, SINK_TCP };

/* What differs between flows. */
enum traffic_vary { VARY_DESTINATION, VARY_DESTINATION_PORT, VARY_SOURCE, VARY_SOURCE_PORT };

enum esp_transport { TRANSPORT_UDP, TRANSPORT_RAW };
enum esp_packets { PACKETS_SEALED, PACKETS_FORGED, PACKETS_MALFORMED, PACKETS_GIVEN };

struct traffic_address {
    uint8_t version; /* 4, 6; 0: none */
    uint8_t octets[16];
};

/* The packets of a source, inside: what is on the way from the generator to the sink. */
struct traffic_packets {
    struct traffic_address source, destination;
    uint16_t source_port, destination_port;
    uint32_t size_bytes; /* of the whole IP packet; 0: the mix */
    int mix;             /* 1: 7:4:1 of 64, 570 and 1518 octets */
    uint32_t flows;
    int vary;
    uint32_t segments;   /* packets in one call of the kernel */
    uint8_t stream;
};

struct traffic_settings {
    const char *name;
    int kind;
    uint32_t core;
    struct traffic_packets packets;
    bool wait;           /* when a queue is full wait, instead of counting a refused packet */
    bool dont_fragment;
    const char *device;
    struct bytes mac;
    /* ESP */
    int transport, esp_packets;
    struct traffic_address outer_source, outer_destination;
    uint16_t outer_source_port, outer_destination_port;
    uint32_t spi, prepared_packets;
    uint64_t sequence;
    bool esn;
    const char *suite;
    struct bytes encryption_key, integrity_key;
    uint32_t given;      /* node of an array of strings */
    /* TCP */
    uint32_t write_bytes, interval_ms;
    /* sinks */
    struct traffic_address address;
    uint16_t port;
    uint32_t protocol;
    bool outgoing;
};

/* Reads the order that opens a source or a sink. What it leaves out has its default. */
bool traffic_read_source(const struct json_document *document, struct traffic_settings *settings,
                         struct failure *failure);
bool traffic_read_sink(const struct json_document *document, struct traffic_settings *settings,
                       struct failure *failure);

/* One run of a source. */
struct traffic_plan {
    const char *name;
    uint64_t packets_per_second; /* 0: as many as can be */
    uint64_t count;              /* of packets; 0: until the time is over */
    uint32_t milliseconds;       /* 0: until the count is reached */
    uint32_t stream;             /* STREAM_KEPT: as before */
    bool spin;                   /* wait busily: to the microsecond, for a whole core */
    bool replay;                 /* ESP: the same packets again and again */
};

enum { STREAM_KEPT = STREAM_MAXIMUM + 1 };

bool traffic_read_plan(const struct json_document *document, struct traffic_plan *plan, struct failure *failure);

/* Orders about a source or a sink that is there. */
struct traffic_question {
    const char *name;
    uint32_t timeout_ms;
    uint32_t stream;
    bool histogram;
};

bool traffic_read_question(const struct json_document *document, struct traffic_question *question,
                           struct failure *failure);

enum { IDENTITY_KEPT = 0 }; /* root is nobody to become */

struct traffic_identity {
    uint32_t uid, gid;
};

bool traffic_read_identity(const struct json_document *document, struct traffic_identity *identity,
                           struct failure *failure);

#endif
