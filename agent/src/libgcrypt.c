/* SPDX-License-Identifier: Apache-2.0 */
#include "libgcrypt.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared_object.h"

struct libgcrypt libgcrypt;

static struct library found;
static bool tried;

static const char function_names[] =
#define REQUIRED(result, name, parameters) "!" #name "\0"
#include "libgcrypt.def"
#undef REQUIRED
    ;

const struct library *libgcrypt_library(void)
{
    const char *name = getenv("IPSECBENCH_LIBGCRYPT");
    const char *version, *error, *missing;
    void *handle;

    if (tried)
        return &found;
    tried = true;
    found.provider = "libgcrypt";
    found.status = LIBRARY_MISSING;
    handle = dlopen(name != NULL && name[0] != '\0' ? name : "libgcrypt.so.20", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        error = dlerror();
        copy_text(found.note, sizeof found.note, error != NULL ? error : "libgcrypt.so.20 cannot be opened");
        return &found;
    }
    found.status = LIBRARY_UNUSABLE;
    missing = find_functions(handle, function_names, &libgcrypt);
    if (missing != NULL) {
        (void)snprintf(found.note, sizeof found.note, "has no function %s: not libgcrypt 1.6 or later", missing);
        return &found;
    }
    find_path(&libgcrypt.gcry_check_version, found.path, sizeof found.path);
    version = libgcrypt.gcry_check_version(NULL);
    if (version == NULL) {
        copy_text(found.note, sizeof found.note, "does not initialise");
        return &found;
    }
    (void)snprintf(found.version, sizeof found.version, "libgcrypt %s", version);
    /* Keys here are test keys: locked memory would only make contexts slower to create. */
    (void)libgcrypt.gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    (void)libgcrypt.gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    found.status = LIBRARY_LOADED;
    return &found;
}

bool libgcrypt_ready(struct failure *failure)
{
    if (libgcrypt_library()->status == LIBRARY_LOADED)
        return true;
    return fail(failure, FAILURE_LIBRARY, "libgcrypt cannot be used: %s", found.note);
}

bool libgcrypt_fail(struct failure *failure, enum failure_code code, const char *what, unsigned error)
{
    return fail(failure, code, "%s: %s failed: %s", found.version, what, libgcrypt.gcry_strerror(error));
}
