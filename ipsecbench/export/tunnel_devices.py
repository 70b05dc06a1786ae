"""What Linux needs beside the SAs: a device for GRE or IP-in-IP, and the MSS of forwarded connections.

Commands of iproute2 and nftables, as lines that go into comments or into scripts.
"""

from __future__ import annotations

from ipsecbench.export.connection import Connection
from ipsecbench.export.target import Comment


def tunnel_device_commands(connection: Connection) -> tuple[str, ...]:
    """Commands that make the tunnel device and its routes; none in tunnel and plain transport mode."""
    kind = _device_kind(connection)
    if kind is None:
        return ()
    device = connection.name[:15]
    return (
        f"ip link add {device} type {kind} local {connection.local.address} remote {connection.peer.address}",
        f"ip link set {device} mtu {connection.inner_mtu_bytes} up",
        *(f"ip route add {network} dev {device}" for network in connection.peer.networks),
    )


def _device_kind(connection: Connection) -> str | None:
    if connection.mode == "gre":
        return "gre" if connection.local.ip_version == 4 else "ip6gre"
    if connection.mode != "ipip":
        return None
    inner = connection.inner_ip_version
    if connection.local.ip_version == 4:
        return "sit" if inner == 6 else "ipip"
    return f"ip6tnl mode {'ip6ip6' if inner == 6 else 'ipip6'}"


def tunnel_device_notes(connection: Connection, comment: Comment) -> str:
    """The same as comment; empty where no device is needed."""
    commands = tunnel_device_commands(connection)
    if not commands:
        return ""
    return comment.lines("The tunnel device that transport mode protects:") + comment.commands(*commands)


def segment_size_commands(connection: Connection) -> tuple[str, ...]:
    """nftables rules that lower the MSS of TCP connections which are forwarded through the tunnel."""
    table = f"inet {connection.name.replace('-', '_')}"
    rules = [
        f"nft add table {table}",
        f"nft add chain {table} forward '{{ type filter hook forward priority mangle; }}'",
    ]
    for network in (*connection.local.networks, *connection.peer.networks):
        family, mss = ("ip6", connection.mss_ipv6_bytes) if ":" in network else ("ip", connection.mss_ipv4_bytes)
        rules.append(
            f"nft add rule {table} forward {family} daddr {network} tcp flags syn tcp option maxseg size gt {mss} "
            f"tcp option maxseg size set {mss}"
        )
    return tuple(rules)


def segment_size_notes(connection: Connection, comment: Comment) -> str:
    """The same as comment."""
    text = f"A gateway lowers the MSS of what it forwards (inner MTU {connection.inner_mtu_bytes}):"
    return comment.lines(text) + comment.commands(*segment_size_commands(connection))
