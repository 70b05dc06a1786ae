"""What Cisco's two IOS targets have in common: words of transform sets, ranges of lives, address masks.

Words and ranges are those of Cisco's own YANG model of IOS-XE 17.6.1 (``Cisco-IOS-XE-crypto.yang``); from 17.11.1 on
weak algorithms are no longer taken by default (field notice FN72510).
"""

from __future__ import annotations

import ipaddress

from ipsecbench.export.connection import Connection
from ipsecbench.export.documented import has_ipv6_networks, replay_window
from ipsecbench.export.life_settings import KILOBYTE, FittedLife, LifeSettings, Setting, fit_life

STRONG_GROUPS = ("modp2048", "modp3072", "modp4096", "ecp256", "ecp384", "ecp521")
WEAK_GROUPS = ("modp768", "modp1024", "modp1536", "modp2048s256")
WEAK_ENCRYPTION = ("des", "3des")
ESP_STRONG = {f"aes{bits}": f"esp-aes {bits}" for bits in (128, 192, 256)}
ESP_COMBINED = {f"aes{bits}gcm16": f"esp-gcm {bits}" for bits in (128, 192, 256)}
ESP_WEAK = {"des": "esp-des", "3des": "esp-3des", "null": "esp-null"}
ESP_INTEGRITY = {"sha1": "esp-sha-hmac"} | {name: f"esp-{name}-hmac" for name in ("sha256", "sha384", "sha512")}
ESP_WEAK_INTEGRITY = {"md5": "esp-md5-hmac"}
WINDOWS = (64, 128, 256, 512, 1024)
SMALLEST_SEGMENT = 500
LARGEST_SEGMENT = 1460
"""Range of ``ip tcp adjust-mss``."""


def weak_allowed(version: str) -> bool:
    """Whether this version takes weak algorithms without being told so (field notice FN72510)."""
    return version != "17.12"


def child_life(product: str, connection: Connection) -> FittedLife:
    """``security-association lifetime`` in seconds and kilobytes; the key ends at it."""
    kilobytes = Setting(2560, 4_294_967_295, KILOBYTE)
    settings = LifeSettings(product, "Child SA", Setting(120, 86400), kilobytes)
    return fit_life(connection.child_life, settings)


def child_life_lines(product: str, connection: Connection) -> list[str]:
    """The lines for a profile or a crypto map entry; without a limit on octets the device's default is off."""
    life = child_life(product, connection)
    kilobytes = "disable" if life.octets is None else str(life.octets)
    window, _ = replay_window(product, connection.replay_window_packets, WINDOWS)
    return [
        f" set security-association lifetime seconds {life.seconds}",
        f" set security-association lifetime kilobytes {kilobytes}",
        f" set security-association replay window-size {window}",
    ]


def segment_size_line(connection: Connection) -> list[str]:
    """``ip tcp adjust-mss`` for an interface; nothing where the value is outside its range."""
    ipv6 = has_ipv6_networks(connection)
    size = connection.mss_ipv6_bytes if ipv6 else connection.mss_ipv4_bytes
    if not SMALLEST_SEGMENT <= size <= LARGEST_SEGMENT:
        return []
    return [f" {'ipv6' if ipv6 else 'ip'} tcp adjust-mss {size}"]


def segment_size_notes(connection: Connection) -> list[str]:
    """What to say where ``ip tcp adjust-mss`` does not take the value."""
    if segment_size_line(connection):
        return []
    return [
        f"TCP MSS {connection.mss_ipv4_bytes} (IPv4), {connection.mss_ipv6_bytes} (IPv6): outside the range "
        f"{SMALLEST_SEGMENT} to {LARGEST_SEGMENT} of ip tcp adjust-mss, and left out."
    ]


def wildcard(network: str) -> str:
    """``10.1.0.0 0.0.255.255``, as access lists have it."""
    parsed = ipaddress.ip_network(network)
    return f"{parsed.network_address} {parsed.hostmask}"


def masked(network: str) -> str:
    """``10.1.0.0 255.255.0.0``, as routes have it."""
    parsed = ipaddress.ip_network(network)
    return f"{parsed.network_address} {parsed.netmask}"


def access_list(name: str, connection: Connection) -> list[str]:
    """The selectors as an access list, each pair of networks one line."""
    ipv6 = has_ipv6_networks(connection)
    lines = [f"{'ipv6 access-list' if ipv6 else 'ip access-list extended'} {name}"]
    for local in connection.local.networks:
        for remote in connection.peer.networks:
            pair = f"ipv6 {local} {remote}" if ipv6 else f"ip {wildcard(local)} {wildcard(remote)}"
            lines.append(f" permit {pair}")
    return lines
