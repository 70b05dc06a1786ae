/* SPDX-License-Identifier: Apache-2.0 */
#include "registry.h"

#define LIBRARY(function) const struct library *function(void);
#define FAMILY(object) extern const struct family object;
#include "registrations_symmetric.def"
#include "registrations_public_key.def"
#undef LIBRARY
#undef FAMILY

const library_function registered_libraries[] = {
#define LIBRARY(function) function,
#define FAMILY(object)
#include "registrations_symmetric.def"
#include "registrations_public_key.def"
#undef LIBRARY
#undef FAMILY
    NULL,
};

const struct family *const registered_families[] = {
#define LIBRARY(function)
#define FAMILY(object) &object,
#include "registrations_symmetric.def"
#include "registrations_public_key.def"
#undef LIBRARY
#undef FAMILY
    NULL,
};
