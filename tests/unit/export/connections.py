"""Connections to export, made by hand: one that every target can write, and changes to it."""

from dataclasses import replace
from typing import Any

from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms, Life, Provenance, placeholder_ends

PROVENANCE = Provenance("1.2.3", "modern 2026.1", "a box", "ab" * 32, "2026-11-24T04:24:03+00:00")


def a_connection(*, outer: str = "ipv4", inner: str = "ipv4", **changes: Any) -> Connection:
    """IKEv2, AES-GCM, a pre-shared key, tunnel mode; with changes."""
    local, peer = placeholder_ends(outer, inner)
    plain = Connection(
        name="site",
        ike_version=2,
        ike=IkeAlgorithms("aes256gcm16", None, "prfsha384", "ecp384"),
        esp=EspAlgorithms("aes256gcm16", None, "ecp384", esn=True),
        authentication="psk",
        ike_life=Life(14400, 15840, rand_seconds=1440),
        child_life=Life(
            3600, 3960, 10**12, 11 * 10**11, 2 * 10**9, 22 * 10**8, 360, 10**11, 2 * 10**8, 3600.0, 3600, 3960
        ),
        local=local,
        peer=peer,
        provenance=PROVENANCE,
        replay_window_packets=128,
        inner_mtu_bytes=1446,
        mss_ipv4_bytes=1406,
        mss_ipv6_bytes=1386,
    )
    return replace(plain, **changes)
