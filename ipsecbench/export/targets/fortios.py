"""FortiOS: interface-based VPN, phase1-interface and phase2-interface.

Words, ranges and the versions of settings are those of Fortinet's own schema (Ansible collection fortinet.fortios 2.4,
``fortios_vpn_ipsec_phase1_interface`` and ``_phase2_interface``): additional key exchanges came with 7.6.0, ML-KEM's
numbers with 7.6.1. An IKE proposal names encryption and hash, and the PRF where the encryption is a combined mode; with
a hash the PRF is its HMAC. ``null`` as the hash of an ESP proposal is never written.
"""

from __future__ import annotations

import ipaddress

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    fixed_replay_window,
    life_notes,
    life_refusals,
    segment_size,
)
from ipsecbench.export.life_settings import KILOBYTE, FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary, group_words

_PRODUCT = "FortiOS"
_NAME_CHARACTERS = 15
_SECONDS = Setting(120, 172_800)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS, Setting(5120, 4_294_967_295, KILOBYTE))
_GROUPS = (
    *("modp768", "modp1024", "modp1536", "modp2048", "modp3072", "modp4096", "modp6144", "modp8192"),
    *("ecp256", "ecp384", "ecp521", "ecp224bp", "ecp256bp", "ecp384bp", "ecp512bp", "x25519", "x448"),
)
_CBC = {name: name for name in ("des", "3des", "aes128", "aes192", "aes256")}
_COMBINED = {"aes128gcm16": "aes128gcm", "aes256gcm16": "aes256gcm", "chacha20poly1305": "chacha20poly1305"}
_HASHES = {name: name for name in ("md5", "sha1", "sha256", "sha384", "sha512")}
_PRF = {f"prf{name}": f"prf{name}" for name in ("sha1", "sha256", "sha384", "sha512")}
_WORDS = Vocabulary(
    product=_PRODUCT,
    ike_encryption=_CBC | _COMBINED,
    ike_integrity=_HASHES,
    prf=_PRF | {"prfmd5": "prfmd5"},
    ike_groups=group_words("{}", _GROUPS),
    esp_encryption=_CBC | _COMBINED | {"null": "null"},
    esp_integrity=_HASHES,
    pfs_groups=group_words("{}", _GROUPS),
    authentication={"psk": "psk"} | dict.fromkeys((*RSA, *ECDSA), "signature"),
    additional_key_exchanges=group_words("{}", ("mlkem512", "mlkem768", "mlkem1024")),
    esn=True,
)
_ID_KINDS = {"domain": "fqdn", "mail": "user-fqdn"}


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What FortiOS has no value for at this version."""
    lines, ike = list(_WORDS.refusals(connection)), connection.ike
    if ike.integrity is not None and ike.prf != f"prf{ike.integrity}":
        lines.append(f"FortiOS takes the PRF from the hash {ike.integrity}: {ike.prf} cannot be set beside it")
    if ike.integrity is None and ike.prf not in _PRF:
        lines.append(f"FortiOS has no {ike.prf} with {ike.encryption}")
    additional = (*ike.additional_key_exchanges, *connection.esp.additional_key_exchanges)
    if additional and version != "7.6":
        lines.append(f"FortiOS {version} has no additional key exchanges: ML-KEM came with 7.6.1")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """Lines for the command line."""
    lines = [*_phase1(connection), *_phase2(connection), *_interface(connection), *_routes(connection)]
    additional = (*connection.ike.additional_key_exchanges, *connection.esp.additional_key_exchanges)
    name = _name(connection)
    notes = [
        f"Replace wan1 by the interface that has {connection.local.address}. Firewall policies from and to {name} are "
        "not written here.",
        *([f"The name is {name}: an interface has {_NAME_CHARACTERS} characters."] if name != connection.name else []),
        *(["ML-KEM needs 7.6.1 or later."] if additional else []),
        *([] if connection.uses_psk else [f"Certificate: {name} ({connection.authentication})."]),
        "The interface's MTU holds for the device's own packets; forwarded ones follow the SA's, and TCP the MSS.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{line}\n" for line in lines)
    return documented_files(TARGET, connection, version, f"{connection.name}.fortios.txt", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows proposal and lives of the IKE SA; algorithms, lives, replay and MTU of the Child SA."""
    name = _name(connection)
    return f"diagnose vpn ike gateway list name {name}; diagnose vpn tunnel list name {name}"


def _name(connection: Connection) -> str:
    return connection.name[:_NAME_CHARACTERS].rstrip("-")


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _additional(methods: tuple[str, ...]) -> list[str]:
    words = _WORDS.additional_key_exchanges
    return [f"        set addke{number} {words[method]}" for number, method in enumerate(methods, 1)]


def _phase1(connection: Connection) -> list[str]:
    ike, ipv6 = connection.ike, "6" if connection.local.ip_version == 6 else ""
    proposal = f"{_WORDS.ike_encryption[ike.encryption]}-{ike.integrity or ike.prf}"
    return [
        "config vpn ipsec phase1-interface",
        f'    edit "{_name(connection)}"',
        "        set type static",
        '        set interface "wan1"',
        *(["        set ip-version 6"] if ipv6 else []),
        f"        set ike-version {connection.ike_version}",
        *(["        set mode main"] if connection.ike_version == 1 else []),
        f"        set local-gw{ipv6} {connection.local.address}",
        f"        set remote-gw{ipv6} {connection.peer.address}",
        *_authentication(connection),
        f"        set keylife {_lives(connection)[0].seconds}",
        f"        set proposal {proposal}",
        f"        set dhgrp {_WORDS.ike_groups[ike.key_exchange]}",
        *_additional(ike.additional_key_exchanges),
        *(["        set esn require"] if connection.esp.esn else _no_esn(connection)),
        f"        set nattraversal {'forced' if connection.nat_traversal else 'enable'}",
        "        set dpd on-idle",
        "        set net-device disable",
        "    next",
        "end",
    ]


def _no_esn(connection: Connection) -> list[str]:
    """``esn`` is IKEv2's."""
    return ["        set esn disable"] if connection.ike_version == 2 else []


def _authentication(connection: Connection) -> list[str]:
    local, peer = connection.local, connection.peer
    named = local.identity_kind in _ID_KINDS
    return [
        f"        set authmethod {_WORDS.authentication[connection.authentication]}",
        f"        set psksecret {PSK_PLACEHOLDER}"
        if connection.uses_psk
        else f'        set certificate "{_name(connection)}"',
        *([f"        set localid-type {_ID_KINDS[local.identity_kind]}"] if named else []),
        *([f'        set localid "{local.identity}"'] if named else []),
        *(
            ["        set peertype one", f'        set peerid "{peer.identity}"']
            if peer.identity_kind in _ID_KINDS
            else ["        set peertype any"]
        ),
    ]


def _phase2(connection: Connection) -> list[str]:
    pairs = [
        (local, remote)
        for local in connection.local.networks
        for remote in connection.peer.networks
        if (":" in local) is (":" in remote)
    ]
    lines = ["config vpn ipsec phase2-interface"]
    for number, (local, remote) in enumerate(pairs, 1):
        lines += _selector(connection, number, local, remote)
    return [*lines, "end"]


def _selector(connection: Connection, number: int, local: str, remote: str) -> list[str]:
    esp, life, name = connection.esp, _lives(connection)[1], _name(connection)
    proposal = _WORDS.esp_encryption[esp.encryption] + (f"-{esp.integrity}" if esp.integrity else "")
    pfs = None if esp.key_exchange is None else _WORDS.pfs_groups[esp.key_exchange]
    return [
        f'    edit "{name}-{number}"',
        f'        set phase1name "{name}"',
        f"        set proposal {proposal}",
        f"        set pfs {'disable' if pfs is None else 'enable'}",
        *([] if pfs is None else [f"        set dhgrp {pfs}"]),
        *_additional(esp.additional_key_exchanges),
        "        set replay enable",
        "        set auto-negotiate enable",
        f"        set keylife-type {'seconds' if life.octets is None else 'both'}",
        f"        set keylifeseconds {life.seconds}",
        *([] if life.octets is None else [f"        set keylifekbs {life.octets}"]),
        "        set encapsulation tunnel-mode",
        *_networks("src", local),
        *_networks("dst", remote),
        "    next",
    ]


def _masked(network: str) -> str:
    parsed = ipaddress.ip_network(network)
    return network if parsed.version == 6 else f"{parsed.network_address} {parsed.netmask}"


def _networks(side: str, network: str) -> list[str]:
    ipv6 = "6" if ":" in network else ""
    return [f"        set {side}-addr-type subnet{ipv6}", f"        set {side}-subnet{ipv6} {_masked(network)}"]


def _interface(connection: Connection) -> list[str]:
    return [
        "config system interface",
        f'    edit "{_name(connection)}"',
        "        set mtu-override enable",
        f"        set mtu {connection.inner_mtu_bytes}",
        f"        set tcp-mss {segment_size(connection)}",
        "    next",
        "end",
    ]


def _routes(connection: Connection) -> list[str]:
    lines = []
    for network in connection.peer.networks:
        lines += [
            f"config router static{'6' if ':' in network else ''}",
            "    edit 0",
            f"        set dst {_masked(network)}",
            f'        set device "{_name(connection)}"',
            "    next",
            "end",
        ]
    return lines


TARGET = Target(
    name="fortios",
    title="FortiOS",
    versions=("7.6", "7.4", "7.2"),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
