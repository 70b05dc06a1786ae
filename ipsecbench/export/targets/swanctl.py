"""strongSwan, ``swanctl.conf``: read by ``swanctl --load-all`` and sent to charon over VICI.

Names and units are those of strongSwan's ``swanctl.opt``; ``testing/tests/ikev2/net2net-psk`` of its sources has the
same shape. ML-KEM needs 6.0 (``ke1_…`` tokens, plugin ``ml`` or OpenSSL 3.5).
"""

from __future__ import annotations

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, Life
from ipsecbench.export.strongswan import (
    certificate_lines,
    route_settings_file,
    selector,
    signature_constraint,
    strongswan_refusals,
)
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.tunnel_devices import tunnel_device_notes


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What strongSwan at this version does not have."""
    return strongswan_refusals(connection, version)


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``conf.d/NAME.conf`` for swanctl and, for MTU and MSS, ``strongswan.d/NAME.conf`` for the daemon."""
    header = TARGET.header(connection, version)
    body = "".join((_connection(connection), _secrets(connection) if connection.uses_psk else ""))
    notes = TARGET.comment.lines(
        f"Place: /etc/swanctl/conf.d/{connection.name}.conf (mode 0600), then: swanctl --load-all",
        *certificate_lines(connection, "/etc/swanctl"),
    ) + tunnel_device_notes(connection, TARGET.comment)
    return (
        File(f"swanctl/conf.d/{connection.name}.conf", f"{header}#\n{notes}\n{body}", 0o600),
        route_settings_file(connection, header),
    )


def verify(connection: Connection) -> str:
    """Shows encryption, integrity, PRF, groups and lives of the SAs that are up."""
    return f"swanctl --list-sas --ike {connection.name}"


def _connection(connection: Connection) -> str:
    lines = [
        "connections {",
        f"  {connection.name} {{",
        f"    version = {connection.ike_version}",
        *(["    aggressive = yes"] if connection.aggressive else []),
        f"    local_addrs = {connection.local.address}",
        f"    remote_addrs = {connection.peer.address}",
        f"    proposals = {', '.join(ike.proposal for ike in connection.ike_proposals)}",
        *_ike_life(connection),
        "    dpd_delay = 30s",
        "    mobike = no",
        *(["    encap = yes"] if connection.nat_traversal else []),
        *_authentication("local", connection, "local.pem"),
        *_authentication("remote", connection, None),
        *_child(connection),
        "  }",
        "}",
    ]
    return "".join(f"{line}\n" for line in lines)


def _ike_life(connection: Connection) -> list[str]:
    life = connection.ike_life
    return [
        f"    rekey_time = {life.soft_seconds}s",
        f"    over_time = {life.hard_seconds - life.soft_seconds}s",
        f"    rand_time = {life.rand_seconds}s",
    ]


def _authentication(side: str, connection: Connection, certificate: str | None) -> list[str]:
    end = connection.local if side == "local" else connection.peer
    method = "psk" if connection.uses_psk else signature_constraint(connection)
    return [
        f"    {side} {{",
        f"      auth = {method}",
        *([f"      certs = {certificate}"] if certificate is not None and not connection.uses_psk else []),
        f"      id = {end.identity}",
        "    }",
    ]


def _child(connection: Connection) -> list[str]:
    return [
        "    children {",
        f"      {connection.name} {{",
        f"        mode = {connection.esp_mode}",
        *(f"        {line}" for line in _selectors(connection)),
        f"        esp_proposals = {', '.join(esp.proposal for esp in connection.esp_proposals)}",
        *(f"        {line}" for line in _child_life(connection.child_life)),
        f"        replay_window = {connection.replay_window_packets}",
        "        start_action = trap",
        "        dpd_action = trap",
        "      }",
        "    }",
    ]


def _selectors(connection: Connection) -> list[str]:
    if connection.mode == "tunnel":
        return [
            f"local_ts = {', '.join(connection.local.networks)}",
            f"remote_ts = {', '.join(connection.peer.networks)}",
        ]
    word = f"dynamic{selector(connection)}"
    return [f"local_ts = {word}", f"remote_ts = {word}"]


def _child_life(life: Life) -> list[str]:
    lines = [
        f"rekey_time = {life.soft_seconds}s",
        f"life_time = {life.hard_seconds}s",
        f"rand_time = {life.rand_seconds}s",
    ]
    for unit, soft, hard, rand in (
        ("bytes", life.soft_bytes, life.hard_bytes, life.rand_bytes),
        ("packets", life.soft_packets, life.hard_packets, life.rand_packets),
    ):
        if soft is not None:
            lines += [f"rekey_{unit} = {soft}", f"life_{unit} = {hard}", f"rand_{unit} = {rand or 0}"]
    return lines


def _secrets(connection: Connection) -> str:
    lines = [
        "secrets {",
        f"  ike-{connection.name} {{",
        f"    id-local = {connection.local.identity}",
        f"    id-peer = {connection.peer.identity}",
        f'    secret = "{PSK_PLACEHOLDER}"',
        "  }",
        "}",
    ]
    note = TARGET.comment.lines(
        "The same secret at both ends, random, at least 256 bits: head -c 32 /dev/urandom | base64"
    )
    return "\n" + note + "".join(f"{line}\n" for line in lines)


TARGET = Target(
    name="swanctl",
    title="strongSwan swanctl.conf",
    versions=("6.0", "5.9"),
    proof=Proof.NEGOTIATED,
    proof_text=(
        "version 5.9: loaded into strongSwan by swanctl at both ends; list-sas shows exactly these algorithms and "
        "lives, also after a forced rekey; version 6.0 was not at hand: ke1_... is from its documentation"
    ),
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
