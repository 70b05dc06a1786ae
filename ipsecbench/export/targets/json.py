"""The connection as JSON, for programs: every parameter by its name and its number of the IANA registries."""

from __future__ import annotations

import json
from typing import Any

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import Connection, End, EspAlgorithms, IkeAlgorithms, Life
from ipsecbench.export.target import Comment, File, Proof, Target, header_lines

FORMAT = "ipsecbench.connection/1"
"""Name and version of the format; a field that changes its meaning makes a new version."""


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """Nothing: all that a connection has can be said."""
    return ()


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``NAME.json``, for both ends."""
    text = json.dumps(document(connection, header_lines(TARGET, connection, version)), indent=2, allow_nan=False)
    return (File(f"{connection.name}.json", f"{text}\n"),)


def verify(connection: Connection) -> str:
    """Nothing runs from it."""
    return f"python3 -m json.tool {connection.name}.json"


def document(connection: Connection, comment: tuple[str, ...]) -> dict[str, Any]:
    """The connection as dictionaries, lists, strings, numbers, booleans and None."""
    origin = connection.provenance
    return {
        "format": FORMAT,
        "comment": list(comment),
        "provenance": {
            "tool_version": origin.tool_version,
            "policy": origin.policy,
            "box": origin.box,
            "dataset_sha256": origin.dataset_sha256,
            "dataset_created": origin.dataset_created,
            "differences": list(origin.differences),
        },
        "name": connection.name,
        "ike_version": connection.ike_version,
        "exchange_mode": _exchange_mode(connection),
        "ike_proposals": [_ike(ike) for ike in connection.ike_proposals],
        "esp_proposals": [_esp(esp) for esp in connection.esp_proposals],
        "authentication": connection.authentication,
        "ike_life": _life(connection.ike_life),
        "child_life": _life(connection.child_life),
        "mode": connection.mode,
        "esp_mode": connection.esp_mode,
        "tunnel_protocol": connection.tunnel_protocol,
        "nat_traversal": connection.nat_traversal,
        "replay_window_packets": connection.replay_window_packets,
        "link_mtu_bytes": connection.link_mtu_bytes,
        "inner_mtu_bytes": connection.inner_mtu_bytes,
        "mss_ipv4_bytes": connection.mss_ipv4_bytes,
        "mss_ipv6_bytes": connection.mss_ipv6_bytes,
        "local": _end(connection.local),
        "peer": _end(connection.peer),
    }


def _exchange_mode(connection: Connection) -> str | None:
    if connection.ike_version == 2:
        return None
    return "aggressive" if connection.aggressive else "main"


def _ike(ike: IkeAlgorithms) -> dict[str, Any]:
    return {
        "strongswan": ike.proposal,
        "encryption": _encryption(ike.encryption),
        "integrity": _integrity(ike.integrity),
        "prf": {"name": ike.prf, "iana_name": PRF[ike.prf].iana_name, "ikev2_id": PRF[ike.prf].ikev2_id},
        "key_exchange": _key_exchange(ike.key_exchange),
        "additional_key_exchanges": [_key_exchange(name) for name in ike.additional_key_exchanges],
    }


def _esp(esp: EspAlgorithms) -> dict[str, Any]:
    return {
        "strongswan": esp.proposal,
        "encryption": _encryption(esp.encryption),
        "integrity": _integrity(esp.integrity),
        "key_exchange": None if esp.key_exchange is None else _key_exchange(esp.key_exchange),
        "additional_key_exchanges": [_key_exchange(name) for name in esp.additional_key_exchanges],
        "extended_sequence_numbers": esp.esn,
    }


def _encryption(name: str) -> dict[str, Any]:
    row = ENCRYPTION[name]
    return {
        "name": name,
        "iana_name": row.iana_name,
        "ikev2_id": row.ikev2_id,
        "key_bits": row.key_bits,
        "icv_bytes": row.icv_bytes,
    }


def _integrity(name: str | None) -> dict[str, Any] | None:
    if name is None:
        return None
    row = INTEGRITY[name]
    return {"name": name, "iana_name": row.iana_name, "ikev2_id": row.ikev2_id, "icv_bytes": row.icv_bytes}


def _key_exchange(name: str) -> dict[str, Any]:
    row = KEY_EXCHANGE[name]
    return {"name": name, "iana_name": row.iana_name, "ikev2_id": row.ikev2_id}


def _life(life: Life) -> dict[str, Any]:
    return {
        "rekey_seconds": life.soft_seconds,
        "end_seconds": life.hard_seconds,
        "rekey_bytes": life.soft_bytes,
        "end_bytes": life.hard_bytes,
        "rekey_packets": life.soft_packets,
        "end_packets": life.hard_packets,
    }


def _end(end: End) -> dict[str, Any]:
    return {"address": end.address, "networks": list(end.networks), "identity": end.identity}


TARGET = Target(
    name="json",
    title="JSON",
    versions=("1",),
    proof=Proof.PARSED,
    proof_text="read back by a JSON parser: every parameter, with names and numbers of the IANA registries",
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
    both_ends_in_one=True,
)
