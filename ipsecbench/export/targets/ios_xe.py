"""Cisco IOS-XE, IKEv2: a tunnel interface that negotiates the networks as selectors (multi-SA VTI, from 16.12 on).

Words and ranges are those of Cisco's YANG model of 17.6.1; 17.12 stands for every version from 17.11.1 on, which take
no weak algorithms unless ``crypto engine compliance shield disable`` is set and the router restarted (FN72510).
"""

from __future__ import annotations

from ipsecbench.export import cisco
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    has_ipv6_networks,
    life_notes,
    life_refusals,
    mixed_networks,
    replay_window,
)
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary, group_words

_PRODUCT = "IOS-XE"
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", Setting(120, 86400))
_WEAK_GROUPS = tuple(name for name in cisco.WEAK_GROUPS if name != "modp1536")
"""Cisco's model has group 5 and DES for IKEv2 too, its configuration guide does not: not written."""
_SHA2 = ("sha256", "sha384", "sha512")
_INTERFACE = "GigabitEthernet1"
_AUTHENTICATION = {"psk": "pre-share"} | dict.fromkeys(RSA, "rsa-sig") | dict.fromkeys(ECDSA[:2], "ecdsa-sig")


def _words(version: str) -> Vocabulary:
    weak = cisco.weak_allowed(version)
    groups = (*cisco.STRONG_GROUPS, *(_WEAK_GROUPS if weak else ()))
    old = {"md5": "md5"} if weak else {}
    return Vocabulary(
        product=f"{_PRODUCT} {version}",
        ike_versions=(2,),
        modes=("tunnel", "gre", "ipip"),
        ike_encryption={f"aes{bits}": f"aes-cbc-{bits}" for bits in (128, 192, 256)}
        | {f"aes{bits}gcm16": f"aes-gcm-{bits}" for bits in (128, 256)}
        | ({"3des": "3des"} if weak else {}),
        ike_integrity={"sha1": "sha1"} | {name: name for name in _SHA2} | old,
        prf={"prfsha1": "sha1"} | {f"prf{name}": name for name in _SHA2} | {f"prf{name}": name for name in old},
        ike_groups=group_words("{}", groups),
        esp_encryption=cisco.ESP_STRONG | cisco.ESP_COMBINED | (cisco.ESP_WEAK if weak else {}),
        esp_integrity=cisco.ESP_INTEGRITY | (cisco.ESP_WEAK_INTEGRITY if weak else {}),
        pfs_groups=group_words("group{}", groups),
        authentication=_AUTHENTICATION,
        esn=True,
    )


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What IOS-XE has no word for at this version."""
    lines = list(_words(version).refusals(connection))
    ipv6 = has_ipv6_networks(connection)
    if mixed_networks(connection) or ipv6 is not (connection.local.ip_version == 6):
        lines.append("IOS-XE is written with networks of the same IP version as the tunnel's ends only")
    if connection.mode in ("gre", "ipip") and connection.local.ip_version == 6:
        lines.append("IOS-XE is written with GRE and IP in IP over IPv4 only")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """Lines for ``configure terminal``."""
    name, words = connection.name, _words(version)
    sections = [
        *_ike(connection, words),
        *([] if connection.mode != "tunnel" else cisco.access_list(f"{name}-selectors", connection)),
        *_ipsec(connection, words),
        *_tunnel(connection),
    ]
    _, window_note = replay_window(_PRODUCT, connection.replay_window_packets, cisco.WINDOWS)
    notes = [
        f"Replace {_INTERFACE} by the interface that has {connection.local.address}, and Tunnel100 by a free number.",
        *([] if connection.uses_psk else [f"Certificate: trustpoint {name} ({connection.authentication})."]),
        *cisco.segment_size_notes(connection),
        *window_note,
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{line}\n" for line in [*sections, "end"])
    return documented_files(TARGET, connection, version, f"{name}.ios.txt", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, PRF, group and lives of the IKE SA; transform, ESN, window and lives of the Child SA."""
    return f"show crypto ikev2 sa detailed; show crypto ipsec sa peer {connection.peer.address} detail"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), cisco.child_life(_PRODUCT, connection)


def _ike(connection: Connection, words: Vocabulary) -> list[str]:
    name, ike, method = connection.name, connection.ike, _AUTHENTICATION[connection.authentication]
    prf = "" if words.prf is None else words.prf[ike.prf]
    return [
        f"crypto ikev2 proposal {name}",
        f" encryption {words.ike_encryption[ike.encryption]}",
        *([] if ike.integrity is None else [f" integrity {words.ike_integrity[ike.integrity]}"]),
        f" prf {prf}",
        f" group {words.ike_groups[ike.key_exchange]}",
        f"crypto ikev2 policy {name}",
        f" match address local {connection.local.address}",
        f" proposal {name}",
        *(_keyring(connection) if connection.uses_psk else []),
        f"crypto ikev2 profile {name}",
        f" match address local {connection.local.address}",
        f" match identity remote {_remote_identity(connection.peer)}",
        f" identity local {_identity(connection.local)}",
        f" authentication remote {method}",
        f" authentication local {method}",
        f" keyring local {name}" if connection.uses_psk else f" pki trustpoint {name}",
        f" lifetime {_lives(connection)[0].seconds}",
        " dpd 30 5 on-demand",
    ]


def _keyring(connection: Connection) -> list[str]:
    peer = connection.peer
    return [
        f"crypto ikev2 keyring {connection.name}",
        f" peer {connection.name}",
        f"  address {peer.address}{'/128' if peer.ip_version == 6 else ''}",
        f"  pre-shared-key {PSK_PLACEHOLDER}",
    ]


def _identity(end: End) -> str:
    kind = {"address": "address", "domain": "fqdn", "mail": "email"}[end.identity_kind]
    return f"{kind} {end.identity}"


def _remote_identity(end: End) -> str:
    if end.identity_kind != "address":
        return _identity(end)
    return f"address {end.identity}/128" if ":" in end.identity else f"address {end.identity} 255.255.255.255"


def _ipsec(connection: Connection, words: Vocabulary) -> list[str]:
    name, esp = connection.name, connection.esp
    transform = words.esp_encryption[esp.encryption]
    if esp.integrity is not None:
        transform += f" {words.esp_integrity[esp.integrity]}"
    return [
        f"crypto ipsec transform-set {name} {transform}",
        *([" esn"] if esp.esn else []),
        f" mode {connection.esp_mode}",
        f"crypto ipsec profile {name}",
        *cisco.child_life_lines(_PRODUCT, connection),
        f" set transform-set {name}",
        *([] if esp.key_exchange is None else [f" set pfs {words.pfs_groups[esp.key_exchange]}"]),
        f" set ikev2-profile {name}",
    ]


def _tunnel(connection: Connection) -> list[str]:
    name, ipv6 = connection.name, connection.local.ip_version == 6
    family = "ipv6" if ipv6 else "ip"
    kind = {"tunnel": f"ipsec {'ipv6' if ipv6 else 'ipv4'}", "gre": "gre ip", "ipip": "ipip"}[connection.mode]
    policy = f" tunnel protection ipsec policy {'ipv6' if ipv6 else 'ipv4'} {name}-selectors"
    return [
        "interface Tunnel100",
        f" {family} unnumbered {_INTERFACE}",
        f" {family} mtu {connection.inner_mtu_bytes}",
        *cisco.segment_size_line(connection),
        f" tunnel source {connection.local.address}",
        f" tunnel mode {kind}",
        f" tunnel destination {connection.peer.address}",
        *([policy] if connection.mode == "tunnel" else []),
        f" tunnel protection ipsec profile {name}",
        *(
            f"ipv6 route {network} Tunnel100" if ipv6 else f"ip route {cisco.masked(network)} Tunnel100"
            for network in connection.peer.networks
        ),
    ]


TARGET = Target(
    name="ios-xe",
    title="Cisco IOS-XE (IKEv2)",
    versions=("17.12", "17.6"),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("! "),
    refuse=refuse,
    render=render,
    verify=verify,
)
