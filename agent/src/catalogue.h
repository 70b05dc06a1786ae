/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of all families, and which of them have passed their known answers. */
#ifndef IPSECBENCH_CATALOGUE_H
#define IPSECBENCH_CATALOGUE_H

#include "registry.h"

struct catalogue_entry {
    const struct family *family;
    size_t family_number;
    size_t row;
};

/* Finds the row that an order names, and whether it offers the operation. */
bool catalogue_find(const struct order *order, struct catalogue_entry *entry, struct failure *failure);

/* Runs the known answers of a row, or says again how they ended: an implementation is asked once. */
bool catalogue_admit(const struct catalogue_entry *entry, struct failure *failure);

#endif
