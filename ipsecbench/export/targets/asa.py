"""Cisco ASA: a crypto map, IKEv1 and IKEv2.

Words are those of Cisco's ASA VPN configuration guide (9.20) and of its management's data model (FMC objects); 9.12
stands for the last versions that take DES, 3DES, MD5 and the groups below 14. A combined-mode transform has integrity
``null`` beside it, in IKE as in ESP: the device asks for it. Extended sequence numbers cannot be asked for.
"""

from __future__ import annotations

import ipaddress

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    life_notes,
    life_refusals,
    mixed_networks,
    replay_window,
    segment_size,
)
from ipsecbench.export.life_settings import KILOBYTE, FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary, group_words

_PRODUCT = "ASA"
_OLD = "9.12"
_SECONDS = Setting(120, 2_147_483_647)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS, Setting(10, 2_147_483_647, KILOBYTE))
_WINDOWS = (64, 128, 256, 512, 1024)
_STRONG_GROUPS = ("modp2048", "modp3072", "modp4096", "ecp256", "ecp384", "ecp521")
_OLD_GROUPS = ("modp1024", "modp1536", "modp2048", "ecp256", "ecp384", "ecp521", "modp2048s256")
_SIGNATURES = dict.fromkeys((*RSA, *ECDSA), "certificate")
_SHA2 = ("sha256", "sha384", "sha512")


def _aes(prefix: str) -> dict[str, str]:
    return {"aes128": prefix, "aes192": f"{prefix}-192", "aes256": f"{prefix}-256"}


def _ikev2_words(version: str) -> Vocabulary:
    old = version == _OLD
    encryption = (
        _aes("aes")
        | {f"{name}gcm16": word.replace("aes", "aes-gcm") for name, word in _aes("aes").items()}
        | ({"3des": "3des", "des": "des"} if old else {})
    )
    hashes = {"sha1": "sha"} | {name: name for name in _SHA2} | ({"md5": "md5"} if old else {})
    groups = _OLD_GROUPS if old else _STRONG_GROUPS
    return Vocabulary(
        product=f"{_PRODUCT} {version}",
        ike_versions=(2,),
        ike_encryption=encryption,
        ike_integrity=hashes,
        prf={f"prf{name}": word for name, word in hashes.items()},
        ike_groups=group_words("{}", groups),
        esp_encryption=encryption,
        esp_integrity={"sha1": "sha-1"}
        | {name: name.replace("sha", "sha-") for name in _SHA2}
        | ({"md5": "md5"} if old else {}),
        pfs_groups=group_words("group{}", groups),
        authentication={"psk": "pre-shared-key"} | _SIGNATURES,
    )


def _ikev1_words(version: str) -> Vocabulary:
    old = version == _OLD
    groups = ("modp1024", "modp1536", "modp2048") if old else ("modp2048",)
    return Vocabulary(
        product=f"{_PRODUCT} {version} with IKEv1",
        ike_versions=(1,),
        ike_encryption=_aes("aes") | ({"3des": "3des", "des": "des"} if old else {}),
        ike_integrity={"sha1": "sha"} | ({"md5": "md5"} if old else {}),
        ike_groups=group_words("{}", groups),
        esp_encryption=_aes("esp-aes") | ({"3des": "esp-3des", "des": "esp-des"} if old else {}),
        esp_integrity={"sha1": "esp-sha-hmac"} | ({"md5": "esp-md5-hmac"} if old else {}),
        pfs_groups=group_words("group{}", groups),
        authentication={"psk": "pre-share"} | dict.fromkeys(RSA, "rsa-sig"),
    )


def _words(connection: Connection, version: str) -> Vocabulary:
    return _ikev2_words(version) if connection.ike_version == 2 else _ikev1_words(version)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the ASA has no word for at this version."""
    lines = list(_words(connection, version).refusals(connection))
    if {connection.local.identity_kind, connection.peer.identity_kind} != {"address"}:
        lines.append("ASA is written with addresses as identities only")
    if mixed_networks(connection):
        lines.append("ASA is written with networks of one IP version only")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """Lines for ``configure terminal``."""
    words = _words(connection, version)
    ike = _ikev2(connection, words) if connection.ike_version == 2 else _ikev1(connection, words)
    window, window_note = replay_window(_PRODUCT, connection.replay_window_packets, _WINDOWS)
    lines = [
        *ike,
        *_access_list(connection),
        *_crypto_map(connection, words),
        f"crypto ipsec security-association replay window-size {window}",
        f"sysopt connection tcpmss {segment_size(connection)}",
        *_tunnel_group(connection),
    ]
    notes = [
        "Replace outside by the name of the interface towards the peer, outside_map and 10 if a crypto map is bound "
        "to it. NAT must leave these networks out. The replay window and the TCP MSS are settings of the whole device.",
        f"Inner MTU {connection.inner_mtu_bytes} at link MTU {connection.link_mtu_bytes}.",
        *window_note,
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{line}\n" for line in lines)
    return documented_files(TARGET, connection, version, f"{connection.name}.asa.txt", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, hash, group, PFS, window and remaining lives of both SAs."""
    return (
        f"show vpn-sessiondb detail l2l filter ipaddress {connection.peer.address}; "
        f"show crypto ipsec sa peer {connection.peer.address} detail"
    )


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _ikev2(connection: Connection, words: Vocabulary) -> list[str]:
    ike, esp = connection.ike, connection.esp
    integrity = "null" if ike.integrity is None else words.ike_integrity[ike.integrity]
    prf = "" if words.prf is None else words.prf[ike.prf]
    return [
        "crypto ikev2 policy 10",
        f" encryption {words.ike_encryption[ike.encryption]}",
        f" integrity {integrity}",
        f" group {words.ike_groups[ike.key_exchange]}",
        f" prf {prf}",
        f" lifetime seconds {_lives(connection)[0].seconds}",
        "crypto ikev2 enable outside",
        f"crypto ipsec ikev2 ipsec-proposal {connection.name}",
        f" protocol esp encryption {words.esp_encryption[esp.encryption]}",
        f" protocol esp integrity {'null' if esp.integrity is None else words.esp_integrity[esp.integrity]}",
    ]


def _ikev1(connection: Connection, words: Vocabulary) -> list[str]:
    ike, esp = connection.ike, connection.esp
    transform = f"{words.esp_encryption[esp.encryption]} {words.esp_integrity[esp.integrity or '']}"
    return [
        "crypto ikev1 policy 10",
        f" authentication {words.authentication[connection.authentication]}",
        f" encryption {words.ike_encryption[ike.encryption]}",
        f" hash {words.ike_integrity[ike.integrity or '']}",
        f" group {words.ike_groups[ike.key_exchange]}",
        f" lifetime {_lives(connection)[0].seconds}",
        "crypto ikev1 enable outside",
        "crypto ikev1 am-disable",
        f"crypto ipsec ikev1 transform-set {connection.name} {transform}",
    ]


def _network(network: str) -> str:
    parsed = ipaddress.ip_network(network)
    return network if parsed.version == 6 else f"{parsed.network_address} {parsed.netmask}"


def _access_list(connection: Connection) -> list[str]:
    return [
        f"access-list {connection.name}-selectors extended permit ip {_network(local)} {_network(remote)}"
        for local in connection.local.networks
        for remote in connection.peer.networks
    ]


def _crypto_map(connection: Connection, words: Vocabulary) -> list[str]:
    start, life = "crypto map outside_map 10", _lives(connection)[1]
    pfs = connection.esp.key_exchange
    transform = "ikev2 ipsec-proposal" if connection.ike_version == 2 else "ikev1 transform-set"
    octets = "unlimited" if life.octets is None else str(life.octets)
    return [
        f"{start} match address {connection.name}-selectors",
        *([] if pfs is None else [f"{start} set pfs {words.pfs_groups[pfs]}"]),
        f"{start} set peer {connection.peer.address}",
        f"{start} set {transform} {connection.name}",
        f"{start} set security-association lifetime seconds {life.seconds}",
        f"{start} set security-association lifetime kilobytes {octets}",
        *([] if connection.uses_psk else [f"{start} set trustpoint {connection.name}"]),
        "crypto map outside_map interface outside",
        "crypto isakmp identity address",
    ]


def _tunnel_group(connection: Connection) -> list[str]:
    start = f"tunnel-group {connection.peer.address}"
    lines = [f"{start} type ipsec-l2l", f"{start} ipsec-attributes"]
    if connection.ike_version == 1:
        method = f"pre-shared-key {PSK_PLACEHOLDER}" if connection.uses_psk else f"trust-point {connection.name}"
        return [*lines, f" ikev1 {method}"]
    if connection.uses_psk:
        sides = ("remote-authentication", "local-authentication")
        return [*lines, *(f" ikev2 {side} pre-shared-key {PSK_PLACEHOLDER}" for side in sides)]
    return [
        *lines,
        " ikev2 remote-authentication certificate",
        f" ikev2 local-authentication certificate {connection.name}",
    ]


TARGET = Target(
    name="asa",
    title="Cisco ASA",
    versions=("9.20", _OLD),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("! "),
    refuse=refuse,
    render=render,
    verify=verify,
)
