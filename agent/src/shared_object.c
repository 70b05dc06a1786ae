/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* dladdr */
#include "shared_object.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "operation.h"

/* POSIX wants a pointer to a function to look like one to data; ISO C does not, so they are copied and never cast. */
_Static_assert(sizeof(void (*)(void)) == sizeof(void *), "dlsym() needs pointers of one size");

const char *find_functions(void *handle, const char *names, void *functions)
{
    unsigned char *next = functions;

    for (; *names != '\0'; names += strlen(names) + 1) {
        void *symbol = dlsym(handle, names + 1);

        if (symbol == NULL && names[0] == '!')
            return names + 1;
        memcpy(next, &symbol, sizeof symbol);
        next += sizeof symbol;
    }
    return NULL;
}

void find_path(const void *function, char *path, size_t capacity)
{
    Dl_info information;
    void *address;
    char *resolved;

    memcpy(&address, function, sizeof address);
    if (dladdr(address, &information) == 0 || information.dli_fname == NULL)
        return;
    resolved = realpath(information.dli_fname, NULL);
    /* The name that was opened stays when it does not resolve, for example in a chroot. */
    copy_text(path, capacity, resolved != NULL ? resolved : information.dli_fname);
    free(resolved);
}
