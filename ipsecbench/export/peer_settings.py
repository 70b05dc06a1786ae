"""What the other end must be set to, as a plain table: it is another product as a rule, and often another's to set."""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, Life
from ipsecbench.export.target import Comment, File, Target, header_lines


def peer_settings(target: Target, connection: Connection, version: str) -> File:
    """The table for the peer of a connection, below a comment."""
    comment = Comment("# ")
    header = comment.lines(*header_lines(target, connection, version), "", f"The other end, {connection.peer.address}:")
    rows = [*_who(connection), *_phase1(connection), *_phase2(connection)]
    width = max(len(name) for name, _ in rows)
    table = "".join(f"{name:<{width}}  {value}\n" for name, value in rows)
    return File(f"{connection.name}-other-end.txt", f"{header}\n{table}")


def _who(connection: Connection) -> list[tuple[str, str]]:
    local, peer = connection.local, connection.peer
    return [
        ("own address", peer.address),
        ("own identity", f"{peer.identity} ({peer.identity_kind})"),
        ("own networks", ", ".join(peer.networks)),
        ("remote address", local.address),
        ("remote identity", f"{local.identity} ({local.identity_kind})"),
        ("remote networks", ", ".join(local.networks)),
        ("authentication", f"pre-shared key {PSK_PLACEHOLDER}" if connection.uses_psk else connection.authentication),
    ]


def _phase1(connection: Connection) -> list[tuple[str, str]]:
    ike = connection.ike
    return [
        ("IKE version", f"{connection.ike_version}, main mode" if connection.ike_version == 1 else "2"),
        ("IKE encryption", ike.encryption),
        ("IKE integrity", ike.integrity or "none: the encryption protects it"),
        ("IKE PRF", ike.prf),
        ("IKE key exchange", _group(ike.key_exchange)),
        *(
            (f"IKE additional key exchange {number}", _group(name))
            for number, name in enumerate(ike.additional_key_exchanges, 1)
        ),
        ("IKE SA life", _life(connection.ike_life)),
    ]


def _phase2(connection: Connection) -> list[tuple[str, str]]:
    esp = connection.esp
    return [
        ("ESP mode", connection.esp_mode if connection.mode == connection.esp_mode else _layered(connection)),
        ("ESP encryption", esp.encryption),
        ("ESP integrity", esp.integrity or "none: the encryption protects it"),
        ("perfect forward secrecy", "off" if esp.key_exchange is None else _group(esp.key_exchange)),
        *(
            (f"rekey's additional key exchange {number}", _group(name))
            for number, name in enumerate(esp.additional_key_exchanges, 1)
        ),
        ("extended sequence numbers", "on" if esp.esn else "off"),
        ("Child SA life", _life(connection.child_life)),
        ("replay window", f"{connection.replay_window_packets} packets"),
        ("NAT traversal", "on, ESP in UDP" if connection.nat_traversal else "where a NAT is found"),
        ("inner MTU", f"{connection.inner_mtu_bytes} octets"),
        ("TCP MSS", f"{connection.mss_ipv4_bytes} (IPv4), {connection.mss_ipv6_bytes} (IPv6)"),
    ]


def _layered(connection: Connection) -> str:
    return f"transport, with {'GRE' if connection.mode == 'gre' else 'IP in IP'} inside"


def _group(name: str) -> str:
    return f"{name} (group {KEY_EXCHANGE[name].ikev2_id})"


def _life(life: Life) -> str:
    parts = [f"renew after {life.soft_seconds} s, end after {life.hard_seconds} s"]
    if life.soft_bytes is not None:
        parts.append(f"or {life.soft_bytes} and {life.hard_bytes} octets")
    if life.soft_packets is not None:
        parts.append(f"or {life.soft_packets} and {life.hard_packets} packets")
    return ", ".join(parts)
