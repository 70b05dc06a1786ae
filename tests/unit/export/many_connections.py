"""Many connections: each algorithm in each role, each mode and version, and random mixtures, always the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.recommend.requirements.records import MODES
from tests.unit.export.connections import a_connection

LIVES = (
    Life(3600, 3960, 10**12, 11 * 10**11, 2 * 10**9, 22 * 10**8, 360, 10**11, 2 * 10**8, 3600.0, 3600, 3960),
    Life(28800, 28800, expected_seconds=28800.0, uncounted_soft_seconds=28800, uncounted_hard_seconds=28800),
    Life(900, 1000, 7 * 2**20, 8 * 2**20, None, None, 90, 2**19, None, 300.0, 270, 300),
    Life(3600, 3960, None, None, 3 * 10**9, 4 * 10**9, 360, None, 10**8, 120.0, 110, 120),
)


def ike(
    encryption: str = "aes256gcm16", integrity: str = "sha256", prf: str = "prfsha256", *exchanges: str
) -> IkeAlgorithms:
    """With integrity where the cipher needs it."""
    first, *others = exchanges or ("ecp256",)
    needed = None if ENCRYPTION[encryption].aead else integrity
    return IkeAlgorithms(encryption, needed, prf, first, tuple(others))


def esp(
    encryption: str = "aes256gcm16", integrity: str = "sha256", *exchanges: str, esn: bool = False
) -> EspAlgorithms:
    """With integrity where the cipher needs it."""
    needed = None if ENCRYPTION[encryption].aead else integrity
    return EspAlgorithms(encryption, needed, exchanges[0] if exchanges else None, exchanges[1:], esn)


def one_at_a_time() -> Iterator[Connection]:
    """A plain connection with one thing changed."""
    for name in ENCRYPTION:
        yield a_connection(ike=ike(name), esp=esp())
        yield a_connection(ike=ike(), esp=esp(name))
        yield a_connection(ike_version=1, ike=ike("aes256"), esp=esp(name))
    for name in INTEGRITY:
        yield a_connection(ike=ike("aes128", name), esp=esp("aes128", name, "ecp256"))
        yield a_connection(ike_version=1, ike=ike("aes128", name, f"prf{name}"), esp=esp("aes128", name))
    for name in PRF:
        yield a_connection(ike=ike("aes128gcm16", prf=name), esp=esp())
    for name in KEY_EXCHANGE:
        yield a_connection(ike=ike("aes256", "sha256", "prfsha256", name), esp=esp("aes256", "sha256", name))
        yield a_connection(
            ike_version=1, ike=ike("aes256", "sha256", "prfsha256", name), esp=esp("aes256", "sha256", name)
        )
    for name in AUTHENTICATION:
        yield a_connection(authentication=name)
        yield a_connection(authentication=name, ike_version=1, ike=ike("aes256"), esp=esp("aes256"))
    for mode in MODES:
        for outer, inner in (("ipv4", "ipv4"), ("ipv6", "ipv6"), ("ipv4", "ipv6"), ("ipv6", "ipv4")):
            for nat in (False, True):
                yield a_connection(outer=outer, inner=inner, mode=mode, nat_traversal=nat)
    hybrid = "x25519", "mlkem768"
    yield a_connection(ike=ike("aes256gcm16", "", "prfsha384", *hybrid), esp=esp("aes256gcm16", "", *hybrid))


def mixtures(count: int) -> Iterator[Connection]:
    """Random mixtures, among them many that must not be written."""
    choose = random.Random(20261127)
    for _ in range(count):
        changes: dict[str, Any] = {
            "ike_version": choose.choice((1, 2, 2)),
            "ike": IkeAlgorithms(
                choose.choice([*ENCRYPTION]),
                choose.choice([None, *INTEGRITY]),
                choose.choice([*PRF]),
                choose.choice([*KEY_EXCHANGE]),
                choose.choice([(), (), ("mlkem768",), ("mlkem1024", "modp3072")]),
            ),
            "esp": EspAlgorithms(
                choose.choice([*ENCRYPTION]),
                choose.choice([None, *INTEGRITY]),
                exchange := choose.choice([None, *KEY_EXCHANGE]),
                () if exchange is None else choose.choice([(), (), ("mlkem768",)]),
                choose.choice((True, False)),
            ),
            "authentication": choose.choice([*AUTHENTICATION]),
            "mode": choose.choice(MODES),
            "aggressive": choose.random() < 0.1,
            "nat_traversal": choose.random() < 0.2,
            "child_life": choose.choice(LIVES),
            "replay_window_packets": choose.choice((32, 64, 1024, 4096)),
        }
        if choose.random() < 0.3:
            changes |= {"ike_fallbacks": (ike("aes256"), ike("aes128", "sha1", "prfsha1", "modp2048"))}
            changes |= {"esp_fallbacks": (esp("aes256", "sha256", "ecp256"), esp("aes128", "sha1"))}
        yield a_connection(outer=choose.choice(("ipv4", "ipv6")), inner=choose.choice(("ipv4", "ipv6")), **changes)


def sensible(count: int) -> Iterator[Connection]:
    """Random connections that the standards have nothing against."""
    choose = random.Random(7)
    for _ in range(count):
        group = choose.choice(("modp2048", "modp3072", "ecp256", "ecp384", "ecp521", "x25519"))
        hash_name = choose.choice(("sha256", "sha384", "sha512"))
        cipher = choose.choice(("aes128", "aes256", "aes128gcm16", "aes256gcm16", "chacha20poly1305"))
        yield a_connection(
            ike=ike(cipher, hash_name, f"prf{hash_name}", group),
            esp=esp(
                choose.choice(("aes128", "aes256", "aes128gcm16", "aes256gcm16", "chacha20poly1305")),
                choose.choice(("sha1", "sha256", "sha512")),
                *choose.choice(((), (group,))),
                esn=choose.choice((True, False)),
            ),
            child_life=choose.choice(LIVES),
            mode=choose.choice(MODES),
            outer=choose.choice(("ipv4", "ipv6")),
            authentication=choose.choice(("psk", "psk", "rsa-2048", "rsa-3072", "ecdsa-256", "ecdsa-384")),
        )
