/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the form that intel-ipsec-mb wants, and jobs that use them. */
#ifndef IPSECBENCH_LIBRARY_IPSEC_MB_JOBS_H
#define IPSECBENCH_LIBRARY_IPSEC_MB_JOBS_H

#include "library_ipsec_mb.h"

enum {
    MB_GCM_KEY_BYTES = 1280, /* struct gcm_key_data has 1008 to 1264 */
    MB_AES_ROUND_KEYS_BYTES = 15 * 16,
    MB_DES_SCHEDULE_WORDS = 16,
    MB_HASH_STATE_BYTES = 64,
    MB_AAD_BYTES_MAXIMUM = 12,
    MB_BLOCK_BYTES = 16
};

/*
 * The expanded keys of one SA. Jobs point into it: it stays where it is while it is in use. GCM and GMAC need nothing
 * but their own; of the others, what is needed more often comes first, so that mb_keys_bytes() can leave out the rest.
 */
struct mb_keys {
    union {
        _Alignas(64) uint8_t gcm[MB_GCM_KEY_BYTES];
        struct {
            _Alignas(16) uint8_t inner[MB_HASH_STATE_BYTES]; /* HMAC, after the block with ipad */
            _Alignas(16) uint8_t outer[MB_HASH_STATE_BYTES];
            _Alignas(16) uint8_t chacha20[32];
            _Alignas(16) uint8_t encrypt[MB_AES_ROUND_KEYS_BYTES];
            _Alignas(16) uint8_t decrypt[MB_AES_ROUND_KEYS_BYTES];
            _Alignas(16) uint8_t mac[MB_AES_ROUND_KEYS_BYTES]; /* XCBC: K1; CMAC: K */
            _Alignas(16) uint8_t mac_first[MB_BLOCK_BYTES];    /* XCBC: K2; CMAC: K1 */
            _Alignas(16) uint8_t mac_second[MB_BLOCK_BYTES];   /* XCBC: K3; CMAC: K2 */
            uint64_t des[3][MB_DES_SCHEDULE_WORDS];
            const void *des_schedules[3];
        };
    };
};

/* How much of it the keys of a suite take; `mac` may be NULL. */
size_t mb_keys_bytes(const struct cipher_algorithm *cipher, const struct mac_algorithm *mac);

/* False with FAILURE_UNSUPPORTED when the library has no such algorithm. */
bool mb_offers_cipher(const struct cipher_algorithm *algorithm, struct failure *failure);
bool mb_offers_mac(const struct mac_algorithm *algorithm, struct failure *failure);

/* The known answers of an integrity algorithm: library_ipsec_mb_check.c. */
bool mb_check_mac(const struct mac_algorithm *algorithm, struct failure *failure);

/* Expand a key of the algorithm's key_bytes. */
void mb_set_cipher_key(struct mb_manager *manager, const struct cipher_algorithm *algorithm, const uint8_t *key,
                       struct mb_keys *keys);
/* HMAC takes a key of any length; the others take key_bytes. */
bool mb_set_mac_key(struct mb_manager *manager, const struct mac_algorithm *algorithm, const uint8_t *key,
                    size_t key_bytes, struct mb_keys *keys, struct failure *failure);

/*
 * Fills in what does not change from packet to packet. `mac` is NULL for combined ciphers and for encryption alone,
 * `cipher` is NULL for a MAC alone. Left to do: source, destination, offsets, lengths, IV, AAD (GMAC: its IV), tag.
 */
void mb_job_template(struct mb_job *job, const struct cipher_algorithm *cipher, const struct mac_algorithm *mac,
                     bool encrypt, const struct mb_keys *keys);

/* Submits the job that was got last and waits for it. True when it was completed. */
bool mb_run_alone(struct mb_manager *manager);

#endif
