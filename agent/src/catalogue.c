/* SPDX-License-Identifier: Apache-2.0 */
#include "catalogue.h"

#include <stdlib.h>
#include <string.h>

enum { FAMILIES_MAXIMUM = 32 };

/* How the known answers of a row ended; a wrong answer's message is made anew by running them again. */
enum verdict { UNKNOWN = 0, ADMITTED, REFUSED };

static unsigned char *verdicts[FAMILIES_MAXIMUM];

/* FAILURE_LIBRARY when the row's library is not there, FAILURE_UNSUPPORTED when it is. */
static enum failure_code code_of_absence(const char *provider)
{
    for (size_t i = 0; registered_libraries[i] != NULL; i++) {
        const struct library *library = registered_libraries[i]();

        if (strcmp(library->provider, provider) == 0 && library->status != LIBRARY_LOADED)
            return FAILURE_LIBRARY;
    }
    return FAILURE_UNSUPPORTED;
}

static bool is_known(const char *name, bool tiers)
{
    for (size_t i = 0; registered_families[i] != NULL; i++) {
        if (strcmp(tiers ? registered_families[i]->tier : registered_families[i]->provider, name) == 0)
            return true;
    }
    return false;
}

static bool check_offered(const struct row *row, const struct order *order, struct failure *failure)
{
    if (row->operations == 0)
        return fail(failure, code_of_absence(order->provider), "%s", row->reason);
    if ((row->operations & (unsigned)order->operation) == 0)
        return fail(failure, FAILURE_UNSUPPORTED, "operation: %s has no operation '%s' in the tier %s",
                    order->algorithm, operation_name(order->operation), order->tier);
    return true;
}

bool catalogue_find(const struct order *order, struct catalogue_entry *entry, struct failure *failure)
{
    struct row row;

    if (!is_known(order->provider, false))
        return fail(failure, FAILURE_USAGE, "provider: there is no provider '%s'", order->provider);
    if (!is_known(order->tier, true))
        return fail(failure, FAILURE_USAGE, "tier: there is no tier '%s'", order->tier);
    for (size_t i = 0; registered_families[i] != NULL; i++) {
        const struct family *family = registered_families[i];

        if (strcmp(family->provider, order->provider) != 0 || strcmp(family->tier, order->tier) != 0)
            continue;
        for (size_t index = 0; index < family->rows(); index++) {
            family->describe(index, &row);
            if (strcmp(row.algorithm, order->algorithm) != 0)
                continue;
            entry->family = family;
            entry->family_number = i;
            entry->row = index;
            return check_offered(&row, order, failure);
        }
    }
    return fail(failure, FAILURE_USAGE, "algorithm: %s has no '%s' in the tier %s", order->provider, order->algorithm,
                order->tier);
}

bool catalogue_admit(const struct catalogue_entry *entry, struct failure *failure)
{
    unsigned char *verdict;

    if (entry->family_number >= FAMILIES_MAXIMUM)
        return fail(failure, FAILURE_MEMORY, "more than %d families", FAMILIES_MAXIMUM);
    if (verdicts[entry->family_number] == NULL)
        verdicts[entry->family_number] = calloc(entry->family->rows(), 1);
    if (verdicts[entry->family_number] == NULL)
        return fail(failure, FAILURE_MEMORY, "no memory for the catalogue");
    verdict = &verdicts[entry->family_number][entry->row];
    if (*verdict == ADMITTED)
        return true;
    if (!entry->family->check(entry->row, failure)) {
        *verdict = REFUSED;
        return false;
    }
    if (*verdict == REFUSED)
        return fail(failure, FAILURE_KNOWN_ANSWER, "gave a wrong answer before");
    *verdict = ADMITTED;
    return true;
}
