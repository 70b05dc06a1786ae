"""What other tools' names of algorithms mean: the one table of names for every importer.

An algorithm that this project has a token for gets that token, so that figures of different tools meet in one row of
a comparison; all
others keep the tool's name in lower case. Curves: OpenSSL's ``nistp256`` is SECG's ``secp256r1``, ANSI's
``prime256v1`` and IKE's ``ecp256``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Primitive:
    """What one call of a named primitive does."""

    operation: str
    """``encrypt``, ``digest``, ``authenticate`` or ``generate`` (of random octets)."""
    algorithm: str
    """Token of this project, else the tool's name in lower case."""
    block_bytes: int = 1
    """A call takes whole multiples of this; 1 where it takes any length."""
    is_aead: bool = False
    """Whether it encrypts and authenticates, so that it matters whether a call is a whole record."""


_AES_KEYS = ("128", "192", "256")


def _ciphers() -> dict[str, Primitive]:
    """Ciphers by their normalised name."""
    found: dict[str, Primitive] = {}

    def put(token: str, block_bytes: int, is_aead: bool, *names: str) -> None:
        found.update(dict.fromkeys(names, Primitive("encrypt", token, block_bytes, is_aead)))

    for bits in _AES_KEYS:
        put(f"aes{bits}", 16, False, f"aes-{bits}-cbc", f"aes{bits}", f"aes-{bits}", f"aes{bits}-cbc")
        put(f"aes{bits}ctr", 1, False, f"aes-{bits}-ctr", f"aes{bits}-ctr")
        put(f"aes{bits}gcm16", 1, True, f"aes-{bits}-gcm", f"id-aes{bits}-gcm", f"aes{bits}-gcm")
        put(f"aes{bits}ccm16", 1, True, f"aes-{bits}-ccm", f"id-aes{bits}-ccm", f"aes{bits}-ccm")
        put(f"aes-{bits}-ocb", 1, True, f"aes-{bits}-ocb")
        put(f"aes-{bits}-siv", 1, True, f"aes-{bits}-siv")
        put(f"aes-{bits}-gcm-siv", 1, True, f"aes-{bits}-gcm-siv")
        put(f"aes-{bits}-ecb", 16, False, f"aes-{bits}-ecb")
        put(f"aes-{bits}-ige", 16, False, f"aes-{bits}-ige")
        put(f"camellia{bits}", 16, False, f"camellia-{bits}-cbc", f"camellia{bits}", f"camellia{bits}-cbc")
        for digest in ("sha1", "sha256"):
            put(f"aes-{bits}-cbc-hmac-{digest}", 16, False, f"aes-{bits}-cbc-hmac-{digest}")
    put("chacha20poly1305", 1, True, "chacha20-poly1305", "chacha20poly1305")
    put("des", 8, False, "des-cbc", "des")
    put("3des", 8, False, "des-ede3", "des-ede3-cbc", "3des", "des3", "3des-cbc")
    put("blowfish128", 8, False, "blowfish", "blowfish-cbc", "bf-cbc", "bf")
    put("cast128", 8, False, "cast-cbc", "cast5-cbc", "cast", "cast5")
    put("null", 1, False, "null")
    for name in ("idea-cbc", "rc2-cbc", "rc5-cbc", "rc5-32/12-cbc"):
        put(name, 8, False, name)
    for name in ("seed-cbc", "sm4-cbc", "aria-128-cbc", "aria-192-cbc", "aria-256-cbc"):
        put(name, 16, False, name)
    for name in ("rc4", "chacha20", "aes-128-xts", "aes-256-xts"):
        put(name, 1, False, name)
    return found


_CIPHERS: Mapping[str, Primitive] = MappingProxyType(_ciphers())
_DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        **{
            name: name
            for name in (
                "md2",
                "md4",
                "md5",
                "mdc2",
                "sha1",
                "sha224",
                "sha256",
                "sha384",
                "sha512",
                "whirlpool",
                "sm3",
            )
        },
        "sha": "sha1",
        "sha-1": "sha1",
        "sha2-256": "sha256",
        "sha2-384": "sha384",
        "sha2-512": "sha512",
        "sha-256": "sha256",
        "sha-384": "sha384",
        "sha-512": "sha512",
        "rmd160": "ripemd160",
        "ripemd": "ripemd160",
        "ripemd160": "ripemd160",
        "blake2s256": "blake2s256",
        "blake2b512": "blake2b512",
        "sha512-256": "sha512-256",
        "sha3-256": "sha3-256",
        "sha3-384": "sha3-384",
        "sha3-512": "sha3-512",
        "shake128": "shake128",
        "shake256": "shake256",
    }
)
_KEYED = re.compile(r"^(hmac|cmac)\((.+)\)$")
_CURVES: Mapping[str, str] = MappingProxyType(
    {
        "nistp192": "ecp192",
        "prime192v1": "ecp192",
        "nistp224": "ecp224",
        "secp224r1": "ecp224",
        "nistp256": "ecp256",
        "prime256v1": "ecp256",
        "secp256r1": "ecp256",
        "nistp384": "ecp384",
        "secp384r1": "ecp384",
        "nistp521": "ecp521",
        "secp521r1": "ecp521",
        "brainpoolp224r1": "ecp224bp",
        "brainpoolp256r1": "ecp256bp",
        "brainpoolp384r1": "ecp384bp",
        "brainpoolp512r1": "ecp512bp",
        "x25519": "x25519",
        "x448": "x448",
    }
)
_SIGNING: Mapping[str, str] = MappingProxyType({"ecp256": "ecdsa-256", "ecp384": "ecdsa-384", "ecp521": "ecdsa-521"})
_NO_ECDSA = ("ed25519", "ed448", "sm2")
_SECG_BINARY = re.compile(r"^sect(\d{3})(k1|r1|r2)$")


def normal_name(name: str) -> str:
    """A tool's name in lower case, one word, bounded: ``aes-128 cbc`` and ``AES-128-CBC`` are ``aes-128-cbc``."""
    words = name.strip().lower().replace("_", "-").split()
    return "-".join(words)[:_LONGEST_NAME]


def primitive(name: str) -> Primitive:
    """What a call of a named cipher, hash or MAC does; an unknown name is taken for a cipher of that name."""
    plain = normal_name(name)
    if plain in _CIPHERS:
        return _CIPHERS[plain]
    if plain in _DIGESTS:
        return Primitive("digest", _DIGESTS[plain])
    keyed = _KEYED.match(plain)
    if keyed is not None:
        kind, inner = keyed.groups()
        if kind == "hmac":
            return Primitive("authenticate", _DIGESTS.get(inner, f"hmac-{inner}"))
        return Primitive("authenticate", "aescmac" if inner.startswith("aes-128") else f"cmac-{inner}")
    if plain in ("ghash", "kmac128", "kmac256", "poly1305"):
        return Primitive("authenticate", plain)
    return Primitive("generate" if plain == "rand" else "encrypt", plain)


def is_known(name: str) -> bool:
    """Whether a name is one of the tables' own, so that a line beginning with it is a row and no prose."""
    plain = normal_name(name)
    return (
        plain in _CIPHERS or plain in _DIGESTS or _KEYED.match(plain) is not None or plain in ("ghash", "rand", "evp")
    )


def key_exchange(curve: str) -> str:
    """Token of key agreement on a curve, such as ``ecp256`` for ``nistp256``."""
    plain = _secg_as_nist(normal_name(curve))
    return _CURVES.get(plain, plain)


def signature(curve: str) -> str:
    """Token of signatures on a curve, such as ``ecdsa-256`` for ``nistp256``."""
    plain = _secg_as_nist(normal_name(curve))
    if plain in _NO_ECDSA:
        return plain
    agreed = _CURVES.get(plain)
    return _SIGNING.get(agreed or "", f"ecdsa-{plain}")


def encapsulation(name: str) -> str:
    """Token of a key encapsulation, such as ``mlkem768`` for ``ML-KEM-768``."""
    plain = normal_name(name)
    return plain.replace("-", "") if plain in ("ml-kem-512", "ml-kem-768", "ml-kem-1024") else plain


def _secg_as_nist(plain: str) -> str:
    """OpenSSL 4.0 prints SECG's names of the binary curves, earlier ones NIST's."""
    match = _SECG_BINARY.match(plain)
    if match is None:
        return {"curvesm2": "sm2"}.get(plain, plain)
    return f"nist{'k' if match[2] == 'k1' else 'b'}{match[1]}"
