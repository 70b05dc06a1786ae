/* SPDX-License-Identifier: Apache-2.0 */
#include "libcrypto.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared_object.h"

struct libcrypto libcrypto;

/* OpenSSL_version(3), OPENSSL_info(3) and OPENSSL_init_crypto(3). */
enum { VERSION_STRING = 0, INFO_CPU_SETTINGS = 1008, INIT_NO_ATEXIT = 0x00080000 };

static struct library found;
static bool tried;
static char short_version[64];

/* Why a library that is there could not be loaded; that there is none is said in other words. */
static void keep_reason(const char *name)
{
    const char *error = dlerror();
    char absent[64];

    if (error == NULL || found.note[0] != '\0')
        return;
    /* How glibc and musl say that there is none; if one is missing that the library needs, they name that one. */
    (void)snprintf(absent, sizeof absent, "%s: cannot open shared object file", name);
    if (strncmp(error, absent, strlen(absent)) == 0)
        return;
    (void)snprintf(absent, sizeof absent, "Error loading shared library %s: No such file", name);
    if (strncmp(error, absent, strlen(absent)) != 0)
        (void)snprintf(found.note, sizeof found.note, "%s cannot be loaded: %s", name, error);
}

static void *open_library(void)
{
    static const char *const names[] = {"libcrypto.so.4", "libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.so"};
    const char *chosen = getenv("IPSECBENCH_LIBCRYPTO");
    const char *error;
    void *handle;

    if (chosen != NULL && chosen[0] != '\0') {
        /* A library asked for by name is never replaced by another one: the figures would be of the wrong library. */
        handle = dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL) {
            error = dlerror();
            (void)snprintf(found.note, sizeof found.note, "IPSECBENCH_LIBCRYPTO: %s", error ? error : chosen);
        }
        return handle;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (handle != NULL) {
            found.note[0] = '\0';
            return handle;
        }
        keep_reason(names[i]);
    }
    if (found.note[0] == '\0')
        copy_text(found.note, sizeof found.note,
                  "no libcrypto.so.4, libcrypto.so.3 or libcrypto.so.1.1 on this box: install OpenSSL's library");
    return NULL;
}

static const char function_names[] =
#define REQUIRED(result, name, parameters) "!" #name "\0"
#define OPTIONAL(result, name, parameters) "?" #name "\0"
#include "libcrypto_public_key.def"
#include "libcrypto_symmetric.def"
#undef REQUIRED
#undef OPTIONAL
    ;

static void load_providers(void)
{
    size_t count = 0;

    if (libcrypto.OSSL_PROVIDER_load == NULL) {
        libcrypto.has_legacy_provider = true;
        return;
    }
    /* Loading any provider by name switches off the automatic loading of "default": both are named. */
    if (libcrypto.OSSL_PROVIDER_load(NULL, "default") != NULL)
        found.modules[count++] = "default";
    if (libcrypto.OSSL_PROVIDER_load(NULL, "legacy") != NULL) {
        found.modules[count++] = "legacy";
        libcrypto.has_legacy_provider = true;
    } else {
        copy_text(found.note, sizeof found.note,
                  "its legacy provider (legacy.so) was not found: no DES, Blowfish or CAST5");
    }
    libcrypto.ERR_clear_error();
}

static void describe_version(void)
{
    const char *version = libcrypto.OpenSSL_version(VERSION_STRING);
    const char *settings = NULL;
    unsigned long number = libcrypto.OpenSSL_version_num();

    libcrypto.version_number = number;
    libcrypto.major = (unsigned)(number >> 28);
    copy_text(found.version, sizeof found.version, version != NULL ? version : "unknown");
    (void)snprintf(short_version, sizeof short_version, "libcrypto %lu.%lu.%lu", number >> 28 & 0xF,
                   number >> 20 & 0xFF, number >> (libcrypto.major >= 3 ? 4 : 12) & 0xFF);
    if (libcrypto.OPENSSL_info != NULL)
        settings = libcrypto.OPENSSL_info(INFO_CPU_SETTINGS);
    if (settings != NULL)
        copy_text(found.cpu_settings, sizeof found.cpu_settings, settings);
}

const struct library *libcrypto_library(void)
{
    const char *missing;
    void *handle;

    if (tried)
        return &found;
    tried = true;
    found.provider = "libcrypto";
    found.status = LIBRARY_MISSING;
    handle = open_library();
    if (handle == NULL)
        return &found;
    found.status = LIBRARY_UNUSABLE;
    missing = find_functions(handle, function_names, &libcrypto);
    if (missing != NULL) {
        (void)snprintf(found.note, sizeof found.note, "has no function %s: not OpenSSL 1.1.1 or later", missing);
        return &found;
    }
    /* What is fetched is kept until the end: tearing the library down at exit is of no use, and takes time. */
    if (libcrypto.OPENSSL_init_crypto != NULL)
        (void)libcrypto.OPENSSL_init_crypto(INIT_NO_ATEXIT, NULL);
    find_path(&libcrypto.OpenSSL_version_num, found.path, sizeof found.path);
    describe_version();
    if (libcrypto.version_number < 0x10101000UL) {
        (void)snprintf(found.note, sizeof found.note, "%s is older than 1.1.1", short_version);
        return &found;
    }
    load_providers();
    if (libcrypto.major >= 3 && found.modules[0] == NULL) {
        copy_text(found.note, sizeof found.note, "its default provider cannot be loaded");
        return &found;
    }
    found.status = LIBRARY_LOADED;
    return &found;
}

bool libcrypto_ready(struct failure *failure)
{
    if (libcrypto_library()->status == LIBRARY_LOADED)
        return true;
    return fail(failure, FAILURE_LIBRARY, "libcrypto cannot be used: %s", found.note);
}

const char *libcrypto_short_version(void)
{
    return short_version[0] != 0 ? short_version : "libcrypto";
}

bool libcrypto_fail(struct failure *failure, enum failure_code code, const char *what)
{
    char reason[160] = "no reason given";
    unsigned long error = libcrypto.ERR_get_error();

    if (error != 0)
        libcrypto.ERR_error_string_n(error, reason, sizeof reason);
    libcrypto.ERR_clear_error();
    return fail(failure, code, "%s: %s failed: %s", short_version, what, reason);
}
