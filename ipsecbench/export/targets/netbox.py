"""NetBox, the source of truth of networks: its IPsec objects, one JSON file for each import form, in their order.

Models, fields and values are those of NetBox 4.6 (``netbox/vpn/models/crypto.py``, ``netbox/vpn/choices.py``), the
shape is that of its import forms (``netbox/vpn/forms/bulk_import.py``): a list of objects, others named by their names.
NetBox documents and configures nothing: what it has no field for (PRF, ESN, windows) stands in the comments of each
object. The pre-shared key is left empty: NetBox would show it to all who can see the policy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import Connection
from ipsecbench.export.target import Comment, File, Proof, Target, header_lines

_ENCRYPTION = {
    **{f"aes{bits}": f"aes-{bits}-cbc" for bits in (128, 192, 256)},
    **{f"aes{bits}gcm16": f"aes-{bits}-gcm" for bits in (128, 192, 256)},
    "3des": "3des-cbc",
    "des": "des-cbc",
}
_INTEGRITY = {
    "md5": "hmac-md5",
    "sha1": "hmac-sha1",
    "sha256": "hmac-sha256",
    "sha384": "hmac-sha384",
    "sha512": "hmac-sha512",
}
_LARGEST_GROUP = 34
_LARGEST_INTEGER = 2147483647
_BYTES_PER_KILOBYTE = 1000
_ENCAPSULATION = {"tunnel": "ipsec-tunnel", "transport": "ipsec-transport", "gre": "gre", "ipip": "ip-ip"}


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What NetBox has no value for."""
    lines: list[str] = []
    for what, encryption, integrity in (
        *(("IKE", ike.encryption, ike.integrity) for ike in connection.ike_proposals),
        *(("ESP", esp.encryption, esp.integrity) for esp in connection.esp_proposals),
    ):
        if encryption not in _ENCRYPTION:
            lines.append(f"NetBox has no {what} encryption {encryption}")
        if integrity is not None and integrity not in _INTEGRITY:
            lines.append(f"NetBox has no {what} authentication {integrity}")
    lines += [
        f"NetBox has no group {name}"
        for name in connection.key_exchange_methods
        if KEY_EXCHANGE[name].ikev2_id > _LARGEST_GROUP
    ]
    if connection.has_additional_key_exchanges:
        lines.append("NetBox has no additional key exchanges (RFC 9370)")
    if len({esp.key_exchange for esp in connection.esp_proposals}) > 1:
        lines.append("NetBox has one group for perfect forward secrecy in a policy")
    return tuple(dict.fromkeys(lines))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The lists to import, numbered in the order in which they refer to each other."""
    comments = "\n".join(header_lines(TARGET, connection, version) + _without_field(connection))
    return tuple(
        File(f"{number}-{kind}.json", _text(rows, comments))
        for number, (kind, rows) in enumerate(_objects(connection).items(), 1)
    )


def verify(connection: Connection) -> str:
    """Shows the profile with its policies."""
    return f"curl -H 'Authorization: Token …' 'https://netbox/api/vpn/ipsec-profiles/?name={connection.name}'"


def _text(rows: list[dict[str, Any]], comments: str) -> str:
    plain = [{key: value for key, value in row.items() if value is not None} | {"comments": comments} for row in rows]
    return json.dumps(plain, indent=2, allow_nan=False) + "\n"


def _objects(connection: Connection) -> Mapping[str, list[dict[str, Any]]]:
    name = connection.name
    ike = [(f"{name}-ike-{number}", each) for number, each in enumerate(connection.ike_proposals, 1)]
    esp = [(f"{name}-esp-{number}", each) for number, each in enumerate(connection.esp_proposals, 1)]
    mode = ("aggressive" if connection.aggressive else "main") if connection.ike_version == 1 else None
    group = connection.esp.key_exchange
    return {
        "ike-proposals": [
            {
                "name": each_name,
                "authentication_method": _method(connection),
                "encryption_algorithm": _ENCRYPTION[each.encryption],
                "authentication_algorithm": None if each.integrity is None else _INTEGRITY[each.integrity],
                "group": KEY_EXCHANGE[each.key_exchange].ikev2_id,
                "sa_lifetime": connection.ike_life.hard_seconds,
            }
            for each_name, each in ike
        ],
        "ike-policies": [
            {"name": name, "version": connection.ike_version, "mode": mode, "proposals": [each for each, _ in ike]}
        ],
        "ipsec-proposals": [
            {
                "name": each_name,
                "encryption_algorithm": _ENCRYPTION[each.encryption],
                "authentication_algorithm": None if each.integrity is None else _INTEGRITY[each.integrity],
                "sa_lifetime_seconds": connection.child_life.hard_seconds,
                "sa_lifetime_data": _kilobytes(connection),
            }
            for each_name, each in esp
        ],
        "ipsec-policies": [
            {
                "name": name,
                "proposals": [each for each, _ in esp],
                "pfs_group": None if group is None else KEY_EXCHANGE[group].ikev2_id,
            }
        ],
        "ipsec-profiles": [{"name": name, "mode": "esp", "ike_policy": name, "ipsec_policy": name}],
        "tunnels": [
            {
                "name": name,
                "status": "planned",
                "encapsulation": _ENCAPSULATION[connection.mode],
                "ipsec_profile": name,
            }
        ],
    }


def _method(connection: Connection) -> str:
    if connection.uses_psk:
        return "preshared-keys"
    return "rsa-signatures" if connection.authentication.startswith("rsa") else "certificates"


def _kilobytes(connection: Connection) -> int | None:
    """The life in kilobytes; None where its database column cannot hold it."""
    octets = connection.child_life.hard_bytes
    if octets is None or octets // _BYTES_PER_KILOBYTE > _LARGEST_INTEGER:
        return None
    return octets // _BYTES_PER_KILOBYTE


def _without_field(connection: Connection) -> tuple[str, ...]:
    life = connection.child_life
    return (
        f"Without a field in NetBox: {connection.authentication}; PRF {connection.ike.prf}; "
        f"{'ESN' if connection.esp.esn else 'no ESN'}; anti-replay window {connection.replay_window_packets} packets; "
        f"rekey IKE SA after {connection.ike_life.soft_seconds} s, Child SA after {life.soft_seconds} s, "
        f"{life.soft_bytes or 'no limit of'} octets, {life.soft_packets or 'no limit of'} packets; "
        f"inner MTU {connection.inner_mtu_bytes}, MSS {connection.mss_ipv4_bytes} (IPv6 {connection.mss_ipv6_bytes})",
        f"Ends: {connection.local.address} ({', '.join(connection.local.networks)}) and "
        f"{connection.peer.address} ({', '.join(connection.peer.networks)})",
    )


TARGET = Target(
    name="netbox",
    title="NetBox IPsec objects",
    versions=("4",),
    proof=Proof.GRAMMAR,
    proof_text="checked against the fields and values of NetBox 4.6's import forms; not imported into a NetBox here",
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
    both_ends_in_one=True,
)
