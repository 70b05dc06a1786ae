"""Every kind of connection that a vendor's target may get, and what each of them writes for it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import Connection, End, EspAlgorithms, IkeAlgorithms, Life, placeholder_ends
from ipsecbench.export.target import find_target
from ipsecbench.recommend.requirements.records import MODES
from tests.unit.export.connections import a_connection

VENDORS = (
    *("asa", "fortios", "ios-ikev1", "ios-xe", "junos", "openwrt", "opnsense", "panos", "pfsense", "routeros", "vyos"),
    *("windows-netipsec", "windows-rras", "windows-vpn-client"),
)
"""The targets that nothing but the documentation stands behind."""
_WITHOUT_SECRETS = ("windows-netipsec", "windows-vpn-client")
"""Those that take certificates alone with IKEv2."""
UNCOUNTED = {"uncounted_soft_seconds": 3600, "uncounted_hard_seconds": 3960}
CHILD_LIFE = Life(3600, 3960, 10**12, 11 * 10**11, 2 * 10**9, 22 * 10**8, expected_seconds=1e4, **UNCOUNTED)
"""Octets and packets that take longer than the time at the predicted rate."""

AEAD = a_connection(esp=EspAlgorithms("aes256gcm16", None, "ecp384"), child_life=CHILD_LIFE)
CBC = replace(
    AEAD,
    ike=IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048"),
    esp=EspAlgorithms("aes256", "sha256", "modp2048"),
)
LEGACY = replace(
    AEAD,
    ike_version=1,
    ike=IkeAlgorithms("aes128", "sha1", "prfsha1", "modp2048"),
    esp=EspAlgorithms("aes128", "sha1", "modp2048"),
)
MIXED = replace(CBC, ike=IkeAlgorithms("aes256", "sha384", "prfsha384", "ecp384"), esp=AEAD.esp)
"""Combined mode in ESP alone, as products without GCM in IKE do it."""


@cache
def matrix(authentication: str) -> tuple[tuple[str, Connection], ...]:
    """The connections with what is particular about each, algorithms with one kind of authentication."""
    found: dict[Connection, str] = {}
    for label, connection in _all(authentication):
        found.setdefault(connection, label)
    return tuple((label, connection) for connection, label in found.items())


def _all(method: str) -> Iterator[tuple[str, Connection]]:
    for name, base in (("aead", AEAD), ("cbc", CBC), ("mixed", MIXED), ("legacy", LEGACY)):
        yield name, base
        for authentication in ("rsa-2048", "rsa-4096", "ecdsa-256", "ecdsa-384", "ed25519"):
            yield f"{name} {authentication}", replace(base, authentication=authentication)
        for mode in MODES:
            yield f"{name} {mode}", replace(base, mode=mode)
        for window in (32, 64, 128, 512, 1024, 4096, 8192):
            yield f"{name} window {window}", replace(base, replay_window_packets=window)
        yield f"{name} NAT", replace(base, nat_traversal=True)
        yield f"{name} ESN", replace(base, esp=replace(base.esp, esn=True))
        yield f"{name} without PFS", replace(base, esp=replace(base.esp, key_exchange=None))
        for link, inner in ((9000, 8946), (1280, 1226), (576, 522), (1500, 1446)):
            yield (
                f"{name} MTU {link}",
                replace(
                    base,
                    link_mtu_bytes=link,
                    inner_mtu_bytes=inner,
                    mss_ipv4_bytes=inner - 40,
                    mss_ipv6_bytes=inner - 60,
                ),
            )
        yield from _ends(name, base)
        yield from _lives(name, base)
    for label, connection in _algorithms():
        yield f"{label} {method}", replace(connection, authentication=method)


def _ends(name: str, base: Connection) -> Iterator[tuple[str, Connection]]:
    for outer in ("ipv4", "ipv6"):
        for inner in ("ipv4", "ipv6"):
            local, peer = placeholder_ends(outer, inner)
            yield f"{name} {inner} in {outer}", replace(base, local=local, peer=peer)
    both = tuple(
        End(address, networks, identity)
        for address, networks, identity in (
            ("192.0.2.1", ("10.1.0.0/16", "10.3.0.0/24"), "left.example.org"),
            ("198.51.100.1", ("10.2.0.0/16", "2001:db8:b::/48"), "right@example.org"),
        )
    )
    yield f"{name} families", replace(base, local=replace(both[0], networks=("2001:db8:a::/48",)), peer=both[1])
    yield f"{name} two networks", replace(base, local=both[0], peer=replace(both[1], networks=("10.2.0.0/16",)))


def _reached_after(seconds: int) -> dict[str, int]:
    return {
        "expected_seconds": seconds,
        "uncounted_soft_seconds": seconds,
        "uncounted_hard_seconds": seconds * 11 // 10,
    }


def _lives(name: str, base: Connection) -> Iterator[tuple[str, Connection]]:
    for label, life in (
        ("plain", Life(3600, 3960)),
        ("short", Life(100, 110)),
        ("long", Life(200_000, 220_000)),
        ("fast octets", Life(3600, 3960, 10**12, 11 * 10**11, **_reached_after(60))),
        ("fast packets", Life(3600, 3960, None, None, 10**9, 11 * 10**8, **_reached_after(1500))),
        ("few octets", Life(3600, 3960, 7 * 2**20, 2**23, expected_seconds=4000.0, **UNCOUNTED)),
        ("unknown rate", Life(3600, 3960, 10**12, 11 * 10**11)),
        ("many octets", Life(3600, 3960, 2**60, 2**61, expected_seconds=1e9, **UNCOUNTED)),
    ):
        yield f"{name} child {label}", replace(base, child_life=life)
    for seconds in (60, 3600, 86_400, 172_800):
        yield f"{name} IKE {seconds} s", replace(base, ike_life=Life(seconds, seconds * 11 // 10))


def _algorithms() -> Iterator[tuple[str, Connection]]:
    for encryption, row in ENCRYPTION.items():
        for integrity in (None,) if row.aead else INTEGRITY if encryption == "aes256" else ("sha1", "sha256"):
            for base in (MIXED, LEGACY) if encryption in ("aes192", "aes256", "3des", "des", "null") else (MIXED,):
                prf = "prfsha384" if integrity is None else f"prf{integrity}"
                ike = IkeAlgorithms(encryption, integrity, prf, base.ike.key_exchange)
                yield f"IKEv{base.ike_version} {ike.proposal}", replace(base, ike=ike)
                esp = EspAlgorithms(encryption, integrity, base.esp.key_exchange)
                yield f"IKEv{base.ike_version} ESP {esp.proposal}", replace(base, esp=esp)
    for prf in PRF:
        for base in (AEAD, CBC):
            yield f"{base.ike.encryption} {prf}", replace(base, ike=replace(base.ike, prf=prf))
    aes128 = replace(AEAD, ike=IkeAlgorithms("aes128gcm16", None, "prfsha256", "ecp256"))
    yield "aes128gcm16", replace(aes128, esp=EspAlgorithms("aes128gcm16", None, "ecp256"))
    for group in KEY_EXCHANGE:
        for base in (AEAD, MIXED, LEGACY):
            both = replace(base, ike=replace(base.ike, key_exchange=group))
            yield f"IKEv{base.ike_version} {group}", replace(both, esp=replace(base.esp, key_exchange=group))
            yield f"IKEv{base.ike_version} {group} alone", replace(both, esp=replace(base.esp, key_exchange=None))
    for method in ("mlkem768", "mlkem1024"):
        ike = replace(AEAD.ike, additional_key_exchanges=(method,))
        esp = replace(AEAD.esp, additional_key_exchanges=(method,))
        yield f"additional {method}", replace(AEAD, ike=ike, esp=esp)


@cache
def written(name: str) -> tuple[tuple[str, Connection, str], ...]:
    """Every text that a target writes over the matrix, with the connection and what it is called."""
    target, found = find_target(name), []
    connections = matrix("rsa-2048" if name in _WITHOUT_SECRETS else "psk")
    for version in target.versions:
        for label, connection in connections:
            if not target.refusals(connection, version, accept_legacy=True):
                text = target.render(connection, version)[0].text
                found.append((f"{name}@{version} {label}", connection, text))
    return tuple(found)
