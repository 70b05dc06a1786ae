/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary interface of intel-ipsec-mb (libIPSec_MB), as far as the agent uses it, so that it can be built where the
 * library's header is not installed.
 *
 * Facts from intel-ipsec-mb.h of the releases 1.0, 1.1, 1.2, 1.2.1, 1.3, 1.4, 1.5, 2.0, 2.0.1 and 2.0.2, compared by
 * program: every offset and number here is the same in all of them (only what follows, and the size of the whole, is
 * not). The development version after 2.0 moves the GCM functions and the numbers of modes: it is not admitted.
 */
#ifndef IPSECBENCH_LIBRARY_IPSEC_MB_ABI_H
#define IPSECBENCH_LIBRARY_IPSEC_MB_ABI_H

#include <stddef.h>
#include <stdint.h>

enum mb_cipher_mode {
    MB_CIPHER_CBC = 1,
    MB_CIPHER_CTR = 2,
    MB_CIPHER_NULL = 3,
    MB_CIPHER_GCM = 5,
    MB_CIPHER_DES = 7,
    MB_CIPHER_CCM = 9,
    MB_CIPHER_3DES = 10,
    MB_CIPHER_CHACHA20_POLY1305 = 19
};

enum mb_hash {
    MB_HASH_HMAC_SHA1 = 1,
    MB_HASH_HMAC_SHA256 = 3,
    MB_HASH_HMAC_SHA384 = 4,
    MB_HASH_HMAC_SHA512 = 5,
    MB_HASH_XCBC = 6,
    MB_HASH_HMAC_MD5 = 7,
    MB_HASH_NULL = 8,
    MB_HASH_GCM = 9,
    MB_HASH_CCM = 11,
    MB_HASH_CMAC = 12,
    MB_HASH_GMAC_128 = 24,
    MB_HASH_GMAC_192 = 25,
    MB_HASH_GMAC_256 = 26,
    MB_HASH_CHACHA20_POLY1305 = 29
};

enum { MB_ENCRYPT = 1, MB_DECRYPT = 2 };
enum { MB_CIPHER_THEN_HASH = 1, MB_HASH_THEN_CIPHER = 2 };
enum { MB_STATUS_COMPLETED = 3 };

/* Flags of alloc_mb_mgr(). The one for GFNI differs between 1.3 to 1.5 and 2.0; 2.0 has none for AES-NI. */
enum { MB_FLAG_NO_SHANI = 1, MB_FLAG_1_NO_AESNI = 2, MB_FLAG_1_NO_GFNI = 4, MB_FLAG_2_NO_GFNI = 2 };

/* Bits of mb_manager.features. */
enum {
    MB_FEATURE_SHANI = 1 << 0,
    MB_FEATURE_AESNI = 1 << 1,
    MB_FEATURE_PCLMULQDQ = 1 << 2,
    MB_FEATURE_AVX = 1 << 5,
    MB_FEATURE_AVX2 = 1 << 6,
    MB_FEATURE_AVX512F = 1 << 7,
    MB_FEATURE_VAES = 1 << 12,
    MB_FEATURE_GFNI = 1 << 16,
    MB_FEATURE_1_AESNI_EMULATION = 1 << 19 /* 1.3 to 1.5 */
};

/* IMB_JOB. The library makes the jobs; what follows cipher_function is not touched. */
struct mb_job {
    const void *encrypt_key;
    const void *decrypt_key;
    uint64_t key_bytes;
    const uint8_t *source;
    uint8_t *destination; /* where the first octet of the output goes, whatever cipher_offset is */
    uint64_t cipher_offset;
    uint64_t cipher_bytes;
    uint64_t hash_offset;
    uint64_t hash_bytes;
    const uint8_t *iv;
    uint64_t iv_bytes;
    uint8_t *tag;
    uint64_t tag_bytes;
    union {
        struct {
            const uint8_t *inner, *outer;
        } hmac;
        struct {
            const void *key, *k2, *k3;
        } cmac; /* XCBC: K1 expanded, K2, K3; CMAC: K expanded, K1, K2 */
        struct {
            const uint8_t *data;
            uint64_t bytes;
            void *context;
        } aad;
        struct {
            const void *key, *iv;
            uint64_t iv_bytes;
        } gmac;
    } auth;
    uint32_t status;
    uint32_t cipher_mode;
    uint32_t direction;
    uint32_t hash;
    uint32_t order;
    void *user_data;
    void *user_data2;
    void (*cipher_function)(void);
    void (*hash_function)(void);
};

/* IMB_MGR, from its start to the functions that expand GCM keys. */
struct mb_manager {
    uint64_t flags;
    uint64_t features;
    uint64_t reserved[6]; /* in the last: the architecture, and the error, which imb_get_errno() returns */
    struct mb_job *(*get_next_job)(struct mb_manager *);
    struct mb_job *(*submit_job)(struct mb_manager *);
    struct mb_job *(*submit_job_nocheck)(struct mb_manager *);
    struct mb_job *(*get_completed_job)(struct mb_manager *);
    struct mb_job *(*flush_job)(struct mb_manager *);
    uint32_t (*queue_size)(struct mb_manager *);
    void (*expand_key_128)(const void *key, void *encrypt, void *decrypt);
    void (*expand_key_192)(const void *key, void *encrypt, void *decrypt);
    void (*expand_key_256)(const void *key, void *encrypt, void *decrypt);
    void (*cmac_subkeys_128)(const void *expanded, void *k1, void *k2);
    void (*xcbc_expand)(const void *key, void *k1, void *k2, void *k3);
    int (*des_schedule)(uint64_t *schedule, const void *key);
    void (*sha1_one_block)(const void *block, void *state);
    void (*sha224_one_block)(const void *block, void *state);
    void (*sha256_one_block)(const void *block, void *state);
    void (*sha384_one_block)(const void *block, void *state);
    void (*sha512_one_block)(const void *block, void *state);
    void (*md5_one_block)(const void *block, void *state);
    void (*sha1)(const void *data, uint64_t length, void *digest);
    void (*sha224)(const void *data, uint64_t length, void *digest);
    void (*sha256)(const void *data, uint64_t length, void *digest);
    void (*sha384)(const void *data, uint64_t length, void *digest);
    void (*sha512)(const void *data, uint64_t length, void *digest);
    void (*unused[25])(void);
    void (*gcm_pre_128)(const void *key, void *expanded);
    void (*gcm_pre_192)(const void *key, void *expanded);
    void (*gcm_pre_256)(const void *key, void *expanded);
};

#if defined(__x86_64__) && !defined(__ILP32__)
#define MB_HAS_ABI 1
_Static_assert(offsetof(struct mb_job, auth) == 104, "IMB_JOB.u");
_Static_assert(offsetof(struct mb_job, status) == 128, "IMB_JOB.status");
_Static_assert(offsetof(struct mb_job, order) == 144, "IMB_JOB.chain_order");
_Static_assert(offsetof(struct mb_job, user_data) == 152, "IMB_JOB.user_data");
_Static_assert(offsetof(struct mb_job, hash_function) == 176, "IMB_JOB.hash_func");
_Static_assert(offsetof(struct mb_manager, get_next_job) == 64, "IMB_MGR.get_next_job");
_Static_assert(offsetof(struct mb_manager, expand_key_128) == 112, "IMB_MGR.keyexp_128");
_Static_assert(offsetof(struct mb_manager, des_schedule) == 152, "IMB_MGR.des_key_sched");
_Static_assert(offsetof(struct mb_manager, md5_one_block) == 200, "IMB_MGR.md5_one_block");
_Static_assert(offsetof(struct mb_manager, gcm_pre_128) == 448, "IMB_MGR.gcm128_pre");
#else
#define MB_HAS_ABI 0
#endif

#endif
