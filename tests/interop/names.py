"""The names that strongSwan lists transforms under."""

from __future__ import annotations

import re

_ENCRYPTION = {"3des": "3DES_CBC", "des": "DES_CBC", "null": "NULL", "chacha20poly1305": "CHACHA20_POLY1305"}
_INTEGRITY = {
    "md5": "HMAC_MD5_96",
    "sha1": "HMAC_SHA1_96",
    "sha256": "HMAC_SHA2_256_128",
    "sha384": "HMAC_SHA2_384_192",
    "sha512": "HMAC_SHA2_512_256",
    "aesxcbc": "AES_XCBC_96",
    "aescmac": "AES_CMAC_96",
}
_PRF = {
    "prfmd5": "PRF_HMAC_MD5",
    "prfsha1": "PRF_HMAC_SHA1",
    "prfsha256": "PRF_HMAC_SHA2_256",
    "prfsha384": "PRF_HMAC_SHA2_384",
    "prfsha512": "PRF_HMAC_SHA2_512",
    "prfaesxcbc": "PRF_AES128_XCBC",
    "prfaescmac": "PRF_AES128_CMAC",
}
_GROUPS = {"x25519": "CURVE_25519", "x448": "CURVE_448"}


def encryption(token: str) -> str:
    """``aes128gcm16`` becomes ``AES_GCM_16-128``."""
    if token in _ENCRYPTION:
        return _ENCRYPTION[token]
    match = re.fullmatch(r"([a-z]+)(\d{3})(ctr|gcm|ccm|)(\d*)", token)
    assert match, token
    cipher, bits, mode, icv = match.groups()
    return "_".join(filter(None, (cipher.upper(), (mode or "cbc").upper(), icv))) + f"-{bits}"


def integrity(token: str | None) -> str:
    """Empty for none."""
    return _INTEGRITY[token] if token else ""


def prf(token: str) -> str:
    return _PRF[token]


def key_exchange(token: str | None) -> str:
    """``modp2048s256`` becomes ``MODP_2048_256``; empty for none."""
    if token is None:
        return ""
    if token.startswith("mlkem"):
        return token.replace("mlkem", "ML_KEM_")
    match = re.fullmatch(r"(modp|ecp)(\d+)(?:s(\d+)|(bp))?", token)
    return _GROUPS[token] if match is None else "_".join(filter(None, match.groups())).upper()
