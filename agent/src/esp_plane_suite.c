/* SPDX-License-Identifier: Apache-2.0 */
/* Which library serves a suite. */
#include <string.h>

#include "catalogue.h"
#include "esp_plane_orders.h"
#include "library_ipsec_mb.h"

/* Where the multi-buffer library is there it is the fastest by far; GMAC with ESN would need room before each packet. */
static bool may_serve(const struct symmetric_provider *provider, const char *only, const char *suite, bool esn)
{
    if (only[0] != '\0' && strcmp(only, provider->name) != 0)
        return false;
    return provider != &symmetric_ipsec_mb || !esn || strstr(suite, "gmac") == NULL;
}

/* The last answer: SAs of one suite come one after the other, and a search takes a while. */
static struct {
    char name[NAME_BYTES], only[NAME_BYTES];
    bool esn;
    struct esp_suite suite;
    const struct symmetric_provider *provider;
} last_found;

static bool found_before(const char *name, const char *only, struct sa_settings *settings)
{
    if (last_found.provider == NULL || strcmp(last_found.name, name) != 0 || strcmp(last_found.only, only) != 0 ||
        last_found.esn != settings->esn)
        return false;
    settings->suite = last_found.suite;
    settings->provider = last_found.provider;
    return true;
}

static void remember(const char *name, const char *only, const struct sa_settings *settings)
{
    copy_text(last_found.name, sizeof last_found.name, name);
    copy_text(last_found.only, sizeof last_found.only, only);
    last_found.esn = settings->esn;
    last_found.suite = settings->suite;
    last_found.provider = settings->provider;
}

bool settings_find_suite(const char *name, const char *only, struct sa_settings *settings, struct failure *failure)
{
    static const struct symmetric_provider *const providers[] = {&symmetric_ipsec_mb, &symmetric_libcrypto,
                                                                 &symmetric_libgcrypt};

    if (name != NULL && found_before(name, only, settings))
        return true;
    (void)fail(failure, FAILURE_USAGE, "provider: there is no '%.40s'", only);
    for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
        struct order order = {.operation = OPERATION_OUTBOUND};
        struct catalogue_entry entry;
        struct failure reason;

        if (name == NULL || !may_serve(providers[i], only, name, settings->esn))
            continue;
        copy_text(order.provider, sizeof order.provider, providers[i]->name);
        copy_text(order.tier, sizeof order.tier, "packet-loop");
        copy_text(order.algorithm, sizeof order.algorithm, name);
        if (catalogue_find(&order, &entry, &reason) && catalogue_admit(&entry, &reason)) {
            settings->suite = esp_suite_at(entry.row);
            settings->provider = providers[i];
            remember(name, only, settings);
            return true;
        }
        /* What libcrypto says about the suite is the answer when no library has it. */
        if (providers[i] == &symmetric_libcrypto || only[0] != '\0')
            *failure = reason;
    }
    return false;
}
