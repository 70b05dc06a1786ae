"""Cisco IOS and IOS-XE, IKEv1: a crypto map, as every version has it.

Words and ranges are those of Cisco's YANG model of IOS-XE 17.6.1 and of Batfish's grammar of IOS; 17.12 stands for
every version from 17.11.1 on, which take no weak algorithms (FN72510); 15.9 for IOS. Combined-mode transforms are
written with IKEv2 only (target ``ios-xe``).
"""

from __future__ import annotations

from ipsecbench.export import cisco
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    has_ipv6_networks,
    life_notes,
    life_refusals,
    replay_window,
)
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import RSA, Vocabulary, group_words

_PRODUCT = "IOS"
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", Setting(60, 86400))
_INTERFACE = "GigabitEthernet1"
_AUTHENTICATION = {"psk": "pre-share"} | dict.fromkeys(RSA, "rsa-sig")


def _words(version: str) -> Vocabulary:
    weak = cisco.weak_allowed(version)
    groups = (*cisco.STRONG_GROUPS, *(cisco.WEAK_GROUPS if weak else ()))
    return Vocabulary(
        product=f"{_PRODUCT} {version}",
        ike_versions=(1,),
        modes=("tunnel", "transport"),
        ike_encryption={f"aes{bits}": f"aes {bits}" for bits in (128, 192, 256)}
        | ({"3des": "3des", "des": "des"} if weak else {}),
        ike_integrity={"sha1": "sha"}
        | {name: name for name in ("sha256", "sha384", "sha512")}
        | ({"md5": "md5"} if weak else {}),
        ike_groups=group_words("{}", groups),
        esp_encryption=cisco.ESP_STRONG | (cisco.ESP_WEAK if weak else {}),
        esp_integrity=cisco.ESP_INTEGRITY | (cisco.ESP_WEAK_INTEGRITY if weak else {}),
        pfs_groups=group_words("group{}", groups),
        authentication=_AUTHENTICATION,
    )


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What IOS has no word for at this version."""
    lines = list(_words(version).refusals(connection))
    if connection.local.ip_version == 6 or has_ipv6_networks(connection):
        lines.append("IOS is written with IPv4 only in a crypto map")
    if {connection.local.identity_kind, connection.peer.identity_kind} != {"address"}:
        lines.append("IOS is written with addresses as identities only in IKEv1")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """Lines for ``configure terminal``."""
    name, words = connection.name, _words(version)
    lines = [*_ike(connection, words), *_selectors(connection), *_ipsec(connection, words), *_interfaces(connection)]
    _, window_note = replay_window(_PRODUCT, connection.replay_window_packets, cisco.WINDOWS)
    notes = [
        f"Replace {_INTERFACE} by the interface that has {connection.local.address} and GigabitEthernet2 by the inner "
        "one. NAT must leave these networks out.",
        f"Inner MTU {connection.inner_mtu_bytes} at link MTU {connection.link_mtu_bytes}.",
        *([] if connection.uses_psk else [f"Certificate: trustpoint {name} ({connection.authentication})."]),
        *cisco.segment_size_notes(connection),
        *window_note,
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{line}\n" for line in [*lines, "end"])
    return documented_files(TARGET, connection, version, f"{name}.ios.txt", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, hash, group and life of phase 1; transform, window and lives of phase 2."""
    return f"show crypto isakmp sa detail; show crypto ipsec sa peer {connection.peer.address} detail"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), cisco.child_life(_PRODUCT, connection)


def _ike(connection: Connection, words: Vocabulary) -> list[str]:
    ike = connection.ike
    return [
        "crypto isakmp policy 10",
        f" encryption {words.ike_encryption[ike.encryption]}",
        f" hash {words.ike_integrity[ike.integrity or '']}",
        f" authentication {_AUTHENTICATION[connection.authentication]}",
        f" group {words.ike_groups[ike.key_exchange]}",
        f" lifetime {_lives(connection)[0].seconds}",
        "crypto isakmp identity address",
        "crypto isakmp aggressive-mode disable",
        "crypto isakmp keepalive 30 5 on-demand",
        *([f"crypto isakmp key {PSK_PLACEHOLDER} address {connection.peer.address}"] if connection.uses_psk else []),
    ]


def _selectors(connection: Connection) -> list[str]:
    name = f"{connection.name}-selectors"
    if connection.mode == "tunnel":
        return cisco.access_list(name, connection)
    hosts = f"host {connection.local.address} host {connection.peer.address}"
    return [f"ip access-list extended {name}", f" permit ip {hosts}"]


def _ipsec(connection: Connection, words: Vocabulary) -> list[str]:
    name, esp = connection.name, connection.esp
    transform = f"{words.esp_encryption[esp.encryption]} {words.esp_integrity[esp.integrity or '']}"
    return [
        f"crypto ipsec transform-set {name} {transform}",
        f" mode {connection.esp_mode}",
        f"crypto map {name} 10 ipsec-isakmp",
        f" set peer {connection.peer.address}",
        *cisco.child_life_lines(_PRODUCT, connection),
        f" set transform-set {name}",
        *([] if esp.key_exchange is None else [f" set pfs {words.pfs_groups[esp.key_exchange]}"]),
        f" match address {name}-selectors",
    ]


def _interfaces(connection: Connection) -> list[str]:
    size = cisco.segment_size_line(connection)
    return [
        f"interface {_INTERFACE}",
        f" crypto map {connection.name}",
        *(["interface GigabitEthernet2", *size] if size else []),
    ]


TARGET = Target(
    name="ios-ikev1",
    title="Cisco IOS and IOS-XE (IKEv1)",
    versions=("17.12", "17.6", "15.9"),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("! "),
    refuse=refuse,
    render=render,
    verify=verify,
)
