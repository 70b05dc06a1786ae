/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the functions of a library that is loaded at run time. */
#ifndef IPSECBENCH_SHARED_OBJECT_H
#define IPSECBENCH_SHARED_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Looks up functions and stores them one after the other. `names` holds their names, each ended by a NUL and preceded
 * by '!' when the library is of no use without it or '?' when it may lack it; a further NUL ends the list. Returns the
 * first needed name that is missing, or NULL.
 *
 * `functions` is a struct of nothing but function pointers, in the order of the names.
 */
const char *find_functions(void *handle, const char *names, void *functions);

/* Writes the path of the file that the library was loaded from; `function` points to one of its functions. */
void find_path(const void *function, char *path, size_t capacity);

#endif
