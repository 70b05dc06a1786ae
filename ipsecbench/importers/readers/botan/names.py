"""What botan speed calls things, in our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ipsecbench.importers import names

_IMPLEMENTATION = re.compile(r"\s*\[([\w .+-]{1,40})\]\s*$")
_BLOCK_CIPHERS = re.compile(
    r"^(aes-(?:128|192|256)|camellia-(?:128|192|256)|aria-(?:128|192|256)|serpent|twofish|blowfish|des|tripledes|"
    r"cast-128|idea|seed|sm4|noekeon|shacal2|threefish-512|gost-28147-89|kuznyechik|xtea|misty1|kasumi)$"
)
_MODE = re.compile(r"^(.+?)/([a-z0-9-]+)(?:\((\d{1,3})\))?(?:/[a-z0-9-]+)?$")
_FAMILY = re.compile(r"^([A-Za-z]+)(?:-(.+))?$")
_OPERATIONS = {
    "key agreements": "agree",
    "keygen": "generate",
    "sign": "sign",
    "verify": "verify",
    "hash": "digest",
    "mac": "authenticate",
    "kem encrypt": "encapsulate",
    "kem decrypt": "decapsulate",
    "encrypt": "encrypt",
    "decrypt": "decrypt",
    "": "encrypt",
}
_MONTGOMERY = frozenset({"x25519", "x448", "curve25519", "ed25519", "ed448"})
_KEY_EXCHANGES = frozenset({"dh", "ecdh"})
_SIGNATURES = frozenset({"ecdsa", "rsa", "dsa"})
_OTHER_LIBRARIES = frozenset({"openssl", "commoncrypto", "boringssl", "bearssl", "tpm"})
_CURVES = {
    "brainpool256r1": "brainpoolp256r1",
    "brainpool384r1": "brainpoolp384r1",
    "brainpool512r1": "brainpoolp512r1",
}


@dataclass(frozen=True, slots=True)
class Named:
    """What a line is a figure of."""

    operation: str
    algorithm: str
    is_gcm: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def library(self) -> str | None:
        """Another library that Botan called, such as ``openssl``."""
        found = str(self.facts.get("implementation", "")).lower()
        return found if found in _OTHER_LIBRARIES else None


def named(name: str, what: str) -> Named:
    """What a name and the words after it mean; what is not known keeps the tool's words, in lower case."""
    implementation = _IMPLEMENTATION.search(name)
    facts = {} if implementation is None else {"implementation": implementation[1]}
    plain = _IMPLEMENTATION.sub("", name).strip()
    doing = what.strip().lower()
    operation = _OPERATIONS.get(doing, names.normal_name(doing))
    family = _FAMILY.match(plain.split(" ", 1)[0])
    kind = "" if family is None else family[1].lower()
    if plain.lower().startswith(("ml-kem", "kyber")):
        return Named(operation, names.encapsulation(plain.split(" ", 1)[0]), facts=facts)
    if plain.split(" ", 1)[0].lower() in _MONTGOMERY:
        return Named(operation, _montgomery(plain), facts=facts)
    if family is not None and kind in _KEY_EXCHANGES | _SIGNATURES and operation not in ("encrypt", "decrypt"):
        return Named(operation, _public_key(kind, family[2] or "", operation), facts={**facts, **_padding(plain)})
    token, is_gcm = _symmetric(plain)
    if operation in ("encrypt", "decrypt"):
        found = names.primitive(token)
        return Named(operation, found.algorithm, is_gcm, facts)
    return Named(
        operation,
        names.primitive(plain).algorithm if operation != "key-schedule" else names.primitive(token).algorithm,
        facts=facts,
    )


def _montgomery(plain: str) -> str:
    first = plain.split(" ", 1)[0].lower()
    return {"curve25519": "x25519"}.get(first, first)


def _public_key(kind: str, rest: str, operation: str) -> str:
    curve = _CURVES.get(rest.lower(), rest)
    if kind == "dh":
        return f"modp{rest}" if rest.isdigit() else f"dh-{rest.lower()}"
    if kind == "ecdh":
        return names.key_exchange(curve)
    if kind == "ecdsa":
        return names.signature(curve)
    return f"{kind}-{rest.lower()}" if rest else kind


def _padding(plain: str) -> dict[str, Any]:
    rest = plain.split(" ", 1)
    return {"padding": rest[1][:60]} if len(rest) > 1 else {}


def _symmetric(plain: str) -> tuple[str, bool]:
    """A name that :mod:`ipsecbench.importers.names` knows, and whether it is GCM."""
    lower = plain.lower()
    if _BLOCK_CIPHERS.match(lower):
        return f"{lower}-ecb", False
    mode = _MODE.match(lower)
    if mode is None:
        return lower.replace("chacha20poly1305", "chacha20-poly1305"), False
    cipher, kind, tag = mode.groups()
    kind = {"ctr-be": "ctr"}.get(kind, kind)
    cipher = {"tripledes": "des-ede3", "blowfish": "bf", "cast-128": "cast"}.get(cipher, cipher)
    short = "" if tag in (None, "16") or kind not in ("gcm", "ccm") else f"-{tag}"
    return f"{cipher}-{kind}{short}", kind == "gcm"
