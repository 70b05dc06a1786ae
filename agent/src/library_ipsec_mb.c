/* SPDX-License-Identifier: Apache-2.0 */
#include "library_ipsec_mb.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared_object.h"

enum { WORD_BYTES = 16 };

/* What the mask forbids: one bit for each word, in this order. */
static const char mask_words[] = "aes\0vaes\0clmul\0sha\0avx512\0avx2\0";

enum { MASK_AES = 1, MASK_VAES = 2, MASK_CLMUL = 4, MASK_SHA = 8, MASK_AVX512 = 16, MASK_AVX2 = 32 };

typedef void (*initialise_function)(struct mb_manager *);

static struct {
    const char *(*imb_get_version_str)(void);
    int (*imb_get_errno)(struct mb_manager *);
    const char *(*imb_get_strerror)(int);
    struct mb_manager *(*alloc_mb_mgr)(uint64_t flags);
    void (*free_mb_mgr)(struct mb_manager *);
    void (*init_mb_mgr_auto)(struct mb_manager *, int *architecture);
    initialise_function init_mb_mgr_sse;
    initialise_function init_mb_mgr_avx2;
    initialise_function init_mb_mgr_avx; /* not in 2.0 */
} functions;

static const char function_names[] = "!imb_get_version_str\0!imb_get_errno\0!imb_get_strerror\0!alloc_mb_mgr\0"
                                     "!free_mb_mgr\0!init_mb_mgr_auto\0!init_mb_mgr_sse\0!init_mb_mgr_avx2\0"
                                     "?init_mb_mgr_avx\0";

static struct library found;
static bool tried, refused_mask;
static char short_version[64];
static uint64_t flags;
static initialise_function initialise; /* NULL: init_mb_mgr_auto() */

static void *open_library(void)
{
    static const char *const names[] = {"libIPSec_MB.so.2", "libIPSec_MB.so.1"};
    const char *chosen = getenv("IPSECBENCH_LIBIPSEC_MB");
    const char *error;
    void *handle = NULL;

    if (chosen != NULL && chosen[0] != '\0') {
        /* A library asked for by name is never replaced by another one. */
        handle = dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
        if (handle == NULL) {
            error = dlerror();
            (void)snprintf(found.note, sizeof found.note, "IPSECBENCH_LIBIPSEC_MB: %s", error ? error : chosen);
        }
        return handle;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0] && handle == NULL; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        copy_text(found.note, sizeof found.note, "no libIPSec_MB.so.2 or libIPSec_MB.so.1");
    return handle;
}

/* The releases whose header was compared: see library_ipsec_mb_abi.h. */
static bool is_admitted(unsigned major, unsigned minor)
{
    return (major == 1 && minor <= 5) || (major == 2 && minor == 0);
}

/* --- the mask ----------------------------------------------------------------------------------------------------- */

static bool read_mask(unsigned *mask)
{
    const char *text = getenv("IPSECBENCH_MASK");

    *mask = 0;
    while (text != NULL && *text != '\0') {
        size_t length = strcspn(text, ",");
        const char *word = mask_words;
        unsigned bit = 1;

        while (*word != '\0' && (strlen(word) != length || memcmp(word, text, length) != 0)) {
            word += strlen(word) + 1;
            bit <<= 1;
        }
        if (*word != '\0') {
            *mask |= bit;
        } else if (length != 0) {
            (void)snprintf(found.note, sizeof found.note, "IPSECBENCH_MASK: unknown word '%.*s'",
                           (int)(length < WORD_BYTES ? length : WORD_BYTES), text);
            return false;
        }
        text += length + (text[length] == ',');
    }
    return true;
}

static bool refuse(const char *word, const char *reason)
{
    (void)snprintf(found.note, sizeof found.note, "IPSECBENCH_MASK: %s cannot be kept from %s: %s", short_version,
                   word, reason);
    return false;
}

/* Turns the mask into flags and a choice of architecture. `features` is what the processor has. */
static bool apply_mask(unsigned mask, uint64_t features, unsigned major, unsigned minor)
{
    bool has_gfni_flag = major > 1 || minor >= 3;
    bool without_avx512 = (mask & (MASK_AVX512 | MASK_AVX2)) != 0;

    flags = 0;
    initialise = NULL;
    if ((mask & MASK_SHA) != 0 && (features & MB_FEATURE_SHANI) != 0)
        flags |= MB_FLAG_NO_SHANI;
    if ((mask & MASK_AES) != 0 && (features & MB_FEATURE_AESNI) != 0) {
        if (major > 1 || (features & MB_FEATURE_1_AESNI_EMULATION) == 0)
            return refuse("aes", "it needs AES-NI");
        flags |= MB_FLAG_1_NO_AESNI; /* this also takes away PCLMULQDQ and everything wider than SSE */
        return true;
    }
    if ((mask & MASK_CLMUL) != 0 && (features & MB_FEATURE_PCLMULQDQ) != 0)
        return refuse("clmul", "it wants it with AES-NI");
    if ((mask & MASK_VAES) != 0 && (features & MB_FEATURE_VAES) != 0) {
        /* All code with VAES wants GFNI too, and goes when that is switched off. */
        if (!has_gfni_flag && !without_avx512)
            return refuse("vaes", "1.3 is the first that can");
        if (has_gfni_flag)
            flags |= major == 1 ? MB_FLAG_1_NO_GFNI : MB_FLAG_2_NO_GFNI;
    }
    if ((mask & MASK_AVX2) != 0 && (features & MB_FEATURE_AVX2) != 0)
        initialise = functions.init_mb_mgr_avx != NULL ? functions.init_mb_mgr_avx : functions.init_mb_mgr_sse;
    else if (without_avx512 && (features & MB_FEATURE_AVX512F) != 0)
        initialise = functions.init_mb_mgr_avx2;
    return true;
}

/* --- loading ------------------------------------------------------------------------------------------------------ */

static void describe_settings(uint64_t features)
{
    const char *code = initialise == NULL                          ? "best"
                       : initialise == functions.init_mb_mgr_avx2  ? "AVX2"
                       : initialise == functions.init_mb_mgr_sse   ? "SSE"
                                                                   : "AVX";

    (void)snprintf(found.cpu_settings, sizeof found.cpu_settings, "features=0x%llx flags=0x%llx code=%s",
                   (unsigned long long)features, (unsigned long long)flags, code);
}

/* A first manager shows what the processor has; a second one, whether the settings work. */
static bool try_manager(unsigned major, unsigned minor)
{
    struct failure failure;
    unsigned mask;
    struct mb_manager *manager;
    uint64_t features;

    manager = functions.alloc_mb_mgr(0);
    if (manager == NULL) {
        copy_text(found.note, sizeof found.note, "no memory");
        return false;
    }
    features = manager->features;
    functions.free_mb_mgr(manager);
    if (!read_mask(&mask) || !apply_mask(mask, features, major, minor)) {
        refused_mask = true;
        return false;
    }
    manager = ipsec_mb_new_manager(&failure);
    if (manager == NULL) {
        copy_text(found.note, sizeof found.note, failure.message);
        return false;
    }
    describe_settings(manager->features);
    ipsec_mb_free_manager(manager);
    return true;
}

const struct library *ipsec_mb_library(void)
{
    unsigned major = 0, minor = 0, patch = 0;
    const char *version, *missing;
    void *handle;

    if (tried)
        return &found;
    tried = true;
    found.provider = "libipsec-mb";
    found.status = LIBRARY_MISSING;
    if (!MB_HAS_ABI) {
        copy_text(found.note, sizeof found.note, "exists for x86-64 only");
        return &found;
    }
    handle = open_library();
    if (handle == NULL)
        return &found;
    found.status = LIBRARY_UNUSABLE;
    missing = find_functions(handle, function_names, &functions);
    if (missing != NULL) {
        (void)snprintf(found.note, sizeof found.note, "has no function %s", missing);
        return &found;
    }
    find_path(&functions.imb_get_version_str, found.path, sizeof found.path);
    version = functions.imb_get_version_str();
    (void)snprintf(found.version, sizeof found.version, "intel-ipsec-mb %s", version);
    (void)snprintf(short_version, sizeof short_version, "libipsec-mb %.20s", version);
    /* A development version, such as "2.1.0-dev", promises nothing. */
    if (sscanf(version, "%u.%u.%u", &major, &minor, &patch) != 3 || strchr(version, '-') != NULL ||
        !is_admitted(major, minor)) {
        (void)snprintf(found.note, sizeof found.note,
                       "%s: unknown binary interface (known: 1.0 to 1.5 and 2.0)",
                       short_version);
        return &found;
    }
    /* A mask that it cannot honour leaves it loaded, with nothing to offer. */
    if (try_manager(major, minor) || refused_mask)
        found.status = LIBRARY_LOADED;
    return &found;
}

bool ipsec_mb_ready(struct failure *failure)
{
    if (ipsec_mb_library()->status == LIBRARY_LOADED)
        return !refused_mask || fail(failure, FAILURE_UNSUPPORTED, "%s", found.note);
    return fail(failure, FAILURE_LIBRARY, "libipsec-mb cannot be used: %s", found.note);
}

const char *ipsec_mb_short_version(void)
{
    return short_version;
}

struct mb_manager *ipsec_mb_new_manager(struct failure *failure)
{
    struct mb_manager *manager = functions.alloc_mb_mgr(flags);
    int architecture = 0;

    if (manager == NULL) {
        (void)fail(failure, FAILURE_MEMORY, "no memory");
        return NULL;
    }
    if (initialise != NULL)
        initialise(manager);
    else
        functions.init_mb_mgr_auto(manager, &architecture);
    if (functions.imb_get_errno(manager) == 0 && manager->submit_job != NULL)
        return manager;
    (void)ipsec_mb_fail(manager, "initialising", failure);
    functions.free_mb_mgr(manager);
    return NULL;
}

void ipsec_mb_free_manager(struct mb_manager *manager)
{
    if (manager != NULL)
        functions.free_mb_mgr(manager);
}

bool ipsec_mb_fail(struct mb_manager *manager, const char *what, struct failure *failure)
{
    int error = functions.imb_get_errno(manager);

    return fail(failure, FAILURE_FAILED, "%s: %s failed: %s", short_version, what,
                error != 0 ? functions.imb_get_strerror(error) : "no reason given");
}
