"""Rows for every transform, authentication method and kind of identity."""

from __future__ import annotations

from collections.abc import Iterator

from tests.interop.rows import AGGRESSIVE, NO_ML_KEM, rows
from tests.interop.scenario import Scenario

CIPHERS = (
    *("3des", "blowfish128", "blowfish192", "blowfish256", "cast128"),
    *("aes128", "aes192", "aes256", "camellia128", "camellia192", "camellia256"),
)
COUNTER = ("aes128ctr", "aes192ctr", "aes256ctr")
COMBINED = (
    *(f"aes{bits}{mode}{icv}" for mode in ("gcm", "ccm") for bits in (128, 192, 256) for icv in (8, 12, 16)),
    "chacha20poly1305",
)
INTEGRITY = ("md5", "sha1", "sha256", "sha384", "sha512", "aesxcbc", "aescmac")
HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")
PRF = tuple(f"prf{name}" for name in INTEGRITY)
MODP = ("modp768", "modp1024", "modp1536", "modp2048", "modp3072", "modp4096", "modp6144", "modp8192")
GROUPS = (
    *MODP,
    *("modp1024s160", "modp2048s224", "modp2048s256", "ecp192", "ecp224", "ecp256", "ecp384", "ecp521"),
    *("ecp224bp", "ecp256bp", "ecp384bp", "ecp512bp", "x25519", "x448"),
)


def version2_algorithms() -> Iterator[Scenario]:
    """Every transform of an IKE SA and of a Child SA."""
    yield from rows("Encryption of the IKE SA", 2, CIPHERS + COUNTER, ike="{}-sha256-x25519")
    yield from rows("Encryption of the IKE SA", 2, COMBINED, ike="{}-prfsha256-x25519")
    yield from rows("Integrity of the IKE SA", 2, INTEGRITY, ike="aes128-{}-prfsha256-x25519")
    yield from rows("Pseudo-random functions", 2, PRF, ike="aes128-sha256-{}-x25519")
    yield from rows("Key exchange methods", 2, GROUPS, ike="aes128-sha256-{}")
    yield from rows(
        *("Key exchange methods", 2, [f"x25519-ke1_mlkem{size}" for size in (512, 768, 1024)]),
        ike="aes128-sha256-{}",
        peer_cannot=NO_ML_KEM,
    )
    yield from rows("Encryption of ESP", 2, (*CIPHERS, *COUNTER, "null"), esp="{}-sha256")
    yield from rows("Encryption of ESP", 2, COMBINED, esp="{}")
    yield from rows("Integrity of ESP", 2, INTEGRITY, esp="aes128-{}")
    yield from rows(
        *("Integrity of ESP", 2, ["esn or noesn offered, noesn agreed on"]),
        esp="aes128-sha256-esn-noesn",
        peer_esp="aes128-sha256-noesn",
        agreed_esp="aes128-sha256",
    )


def version1_algorithms() -> Iterator[Scenario]:
    """Every transform of an ISAKMP SA and of an IPsec SA."""
    ciphers = ("des", *CIPHERS)
    private = ("twofish128", "twofish256", "serpent128", "serpent256")
    yield from rows("Encryption of the ISAKMP SA", 1, ciphers, ike="{}-sha1-modp1024")
    yield from rows("Hashes of the ISAKMP SA", 1, HASHES, ike="aes128-{}-modp1024")
    yield from rows(
        "Groups of the ISAKMP SA", 1, tuple(each for each in GROUPS if each[0] != "x"), ike="aes128-sha1-{}"
    )
    yield from rows("Encryption of ESP", 1, (*ciphers, *COUNTER, *private, "null"), esp="{}-sha1")
    yield from rows("Encryption of ESP", 1, [each for each in COMBINED if "aes" in each], esp="{}")
    yield from rows("Integrity of ESP", 1, [each for each in INTEGRITY if each != "aescmac"], esp="aes128-{}")


SIGNATURES = (
    *(("rsa-2048", "rsa-pkcs1-sha256", "rsa-2048-sha256"), ("rsa-3072", "rsa-pkcs1-sha384", "rsa-3072-sha384")),
    *(("rsa-4096", "rsa-pkcs1-sha512", "rsa-4096-sha512"), ("rsa-2048", "rsa-pss-sha256", "ike:rsa/pss-sha256")),
    *(("rsa-3072", "rsa-pss-sha384", "ike:rsa/pss-sha384"), ("rsa-4096", "rsa-pss-sha512", "ike:rsa/pss-sha512")),
    *(("ecdsa-256", "ecdsa-sha256", "ecdsa-256-sha256"), ("ecdsa-384", "ecdsa-sha384", "ecdsa-384-sha384")),
    *(
        ("ecdsa-521", "ecdsa-sha512", "ecdsa-521-sha512"),
        ("ed25519", "ed25519", "pubkey"),
        ("ed448", "ed448", "pubkey"),
    ),
)
"""Kind of key, our scheme, and strongSwan's word for the same."""


def authentication() -> Iterator[Scenario]:
    """Every authentication method and kind of identity."""
    area = "Authentication"
    for kind, scheme, word in SIGNATURES:
        title = scheme if kind[:2] in scheme and kind.startswith("ed") else f"{kind} with {scheme}"
        yield from rows(area, 2, [title], auth=kind, schemes=(scheme,), peer_auth=word)
    old = {"signature_authentication": False}
    for kind in ("rsa-2048", "ecdsa-256", "ecdsa-384", "ecdsa-521"):
        yield from rows(area, 2, [f"{kind} without RFC 7427"], auth=kind, daemon=old, ours={"allow_sha1": True})
    for kind in ("rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-256", "ecdsa-384", "ecdsa-521"):
        yield from rows(area, 1, [f"{kind}, main mode"], auth=kind)
    yield from rows(area, 1, ["pre-shared key, aggressive mode"], **AGGRESSIVE)
    for kind in ("rsa-2048", "ecdsa-256"):
        yield from rows(area, 1, [f"{kind}, aggressive mode"], auth=kind, **AGGRESSIVE)
    for version in (2, 1):
        yield from rows(area, version, ["pre-shared key"])
        identities = {
            "mail addresses": ("us@lab.example", "peer@lab.example"),
            "IPv4 addresses": ("192.0.2.1", "192.0.2.2"),
            "key IDs": ("@#0123456789abcdef", "@#fedcba98"),
        }
        for title, pair in identities.items():
            changes = AGGRESSIVE if version == 1 else {}
            yield from rows("Identities", version, [title], identities=pair, **changes)
        yield from rows("Identities", version, ["certificate subjects"], identities=("", ""), auth="ecdsa-256")
        yield from rows(
            "Identities",
            version,
            ["IPv4 addresses in certificates"],
            auth="ecdsa-256",
            identities=("192.0.2.1", "192.0.2.2"),
        )
    yield from rows(
        area,
        2,
        ["post-quantum pre-shared key, required"],
        ours={"ppk": "required"},
        theirs={"ppk_id": "ppk.example", "ppk_required": True},
    )
    yield from rows(
        area, 2, ["post-quantum pre-shared key, optional and unknown to the peer"], ours={"ppk": "optional"}
    )


def article() -> Iterator[Scenario]:
    """The example of the article that the project answers, to the letter."""
    lives = {"rekey_time": "86400s", "over_time": "0"}
    yield from rows(
        *("The article's example", 1, ["main mode AES256 SHA1 group 2, quick mode AES128 MD5 without PFS"]),
        ike="aes256-sha1-modp1024",
        esp="aes128-md5",
        ours={"lifetime": 86400},
        our_child={"lifetime": 43200},
        theirs=lives,
        their_child={"rekey_time": "43200s", "life_time": "43200s"},
        actions=("rekey child by us", "rekey child by peer", "delete child by us"),
    )
