/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of libcrypto's interface as far as the agent uses it. The library is loaded at run time and its headers are
 * not needed at build time; every type is opaque but OSSL_PARAM, whose layout is documented (OSSL_PARAM(3)).
 */
#ifndef IPSECBENCH_LIBCRYPTO_TYPES_H
#define IPSECBENCH_LIBCRYPTO_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef struct bignum_ctx BN_CTX;
typedef struct bignum_st BIGNUM;
typedef struct bn_gencb_st BN_GENCB;
typedef struct bn_mont_ctx_st BN_MONT_CTX;
typedef struct dh_st DH;
typedef struct ec_group_st EC_GROUP;
typedef struct ec_key_st EC_KEY;
typedef struct ec_point_st EC_POINT;
typedef struct engine_st ENGINE;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_kdf_ctx_st EVP_KDF_CTX;
typedef struct evp_kdf_st EVP_KDF;
typedef struct evp_mac_ctx_st EVP_MAC_CTX;
typedef struct evp_mac_st EVP_MAC;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct hmac_ctx_st HMAC_CTX;
typedef struct cmac_ctx_st CMAC_CTX;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
typedef struct ossl_param_bld_st OSSL_PARAM_BLD;
typedef struct ossl_provider_st OSSL_PROVIDER;
typedef struct rsa_st RSA;

/* OSSL_PARAM(3), OpenSSL 3.0 and later. */
typedef struct ossl_param_st {
    const char *key;
    unsigned int data_type;
    void *data;
    size_t data_size;
    size_t return_size;
} OSSL_PARAM;

enum {
    OSSL_PARAM_TYPE_INTEGER = 1,
    OSSL_PARAM_TYPE_UNSIGNED_INTEGER = 2,
    OSSL_PARAM_TYPE_UTF8_STRING = 4,
    OSSL_PARAM_TYPE_OCTET_STRING = 5
};

#endif
