"""What the benchmark of wolfCrypt calls things, in our words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipsecbench.importers import names

_DIRECTION = re.compile(r"-(enc|dec)$", re.I)
_NO_TAG = re.compile(r"-no_aad|-AAD\d*", re.I)
_FIXED = {
    "chacha": ("encrypt", "chacha20"),
    "cha-poly": ("encrypt", "chacha20poly1305"),
    "3des": ("encrypt", "3des"),
    "des": ("encrypt", "des"),
    "arc4": ("encrypt", "rc4"),
    "camellia": ("encrypt", "camellia128"),
    "sha": ("digest", "sha1"),
    "poly1305": ("authenticate", "poly1305"),
    "aes-gcm": ("encrypt", "aes128gcm16"),
    "aes-ccm": ("encrypt", "aes128ccm16"),
    "aes": ("encrypt", "aes128"),
    "aes-xts": ("encrypt", "aes-128-xts"),
}
"""Names whose key the tool leaves out: it is 128 bits in all of them."""
_SETTINGS = frozenset({"rng", "pbkdf2", "scrypt"})
_CURVES = {
    "secp256r1": "nistp256",
    "secp384r1": "nistp384",
    "secp521r1": "nistp521",
    "brainpoolp256r1": "brainpoolp256r1",
}
_OPERATIONS = {
    "key gen": "generate",
    "key generation": "generate",
    "key agreement": "agree",
    "encryption": "encrypt",
    "decryption": "decrypt",
    "sign time": "sign",
    "verify time": "verify",
    "agree": "agree",
    "sign": "sign",
    "verify": "verify",
    "public": "encrypt",
    "private": "decrypt",
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "encap": "encapsulate",
    "decap": "decapsulate",
}


@dataclass(frozen=True, slots=True)
class Named:
    """What a line is a figure of."""

    operation: str
    algorithm: str
    printed: str
    is_gcm: bool = False
    is_whole: bool = False
    """Whether every block is a message of its own, for what could be a stream."""
    is_setting: bool = False
    """Whether it is nothing of a tunnel: random numbers, passwords."""


def symmetric(name: str) -> Named:
    """A cipher, hash or MAC; what is not known keeps the tool's words, in lower case."""
    plain = _NO_TAG.sub("", name.strip())
    direction = _DIRECTION.search(plain)
    bare = names.normal_name(_DIRECTION.sub("", plain))
    operation = "decrypt" if direction is not None and direction[1].lower() == "dec" else "encrypt"
    if bare in _SETTINGS:
        return Named("generate", bare, name, is_setting=True)
    if bare.startswith("gmac"):
        return Named("authenticate", "aes128gmac", name, is_whole=True)
    if bare in _FIXED:
        kind, token = _FIXED[bare]
        return Named(operation if kind == "encrypt" else kind, token, name, "gcm" in token)
    if bare.startswith("hmac-"):
        found = names.primitive(f"hmac({bare.removeprefix('hmac-')})")
        return Named("authenticate", found.algorithm, name)
    if bare.endswith("-cmac"):
        return Named("authenticate", "aescmac" if bare.startswith("aes-128") else bare, name)
    if bare.startswith("siphash"):
        return Named("authenticate", bare, name, is_whole=True)
    if bare.startswith(("blake2", "sha3-", "shake")):
        return Named("digest", bare, name)
    found = names.primitive(bare)
    kind = operation if found.operation == "encrypt" else found.operation
    return Named(kind, found.algorithm, name, "gcm" in found.algorithm)


def public_key(name: str, curve: str, bits: str, what: str) -> Named:
    """A public key algorithm with the number that the tool gives it and what was done with it."""
    printed = " ".join(f"{name} {bits} {what}".split())
    kind = name.split("[", 1)[0].strip().lower()
    doing = " ".join(what.lower().split())
    operation = _OPERATIONS.get(doing, names.normal_name(doing) or "once")
    if kind in _SETTINGS:
        return Named(operation, kind, printed, is_setting=True)
    return Named(operation, _token(kind, curve.lower(), bits, operation), printed)


def _token(kind: str, curve: str, bits: str, operation: str) -> str:
    named = _CURVES.get(curve, curve) or f"nistp{bits}"
    if kind == "rsa":
        return f"rsa-{bits}"
    if kind == "dh":
        return f"modp{bits}"
    if kind in ("ecdhe", "ecdh") or (kind == "ecc" and operation == "generate"):
        return names.key_exchange(named)
    if kind == "ecdsa":
        return names.signature(named)
    if kind == "curve":
        return {"25519": "x25519", "448": "x448"}.get(bits, f"curve-{bits}")
    if kind == "ed":
        return f"ed{bits}"
    if kind.startswith(("ml-kem", "kyber")):
        return names.encapsulation(kind if bits == "" or bits in kind else f"{kind.replace('kyber', 'ml-kem-')}{bits}")
    return "-".join(part for part in (names.normal_name(kind), curve, bits) if part)
