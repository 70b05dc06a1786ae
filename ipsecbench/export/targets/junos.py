"""Juniper Junos on SRX, set commands: a route-based VPN with traffic selectors.

Words and ranges are those of Juniper's own YANG model of 22.3R1 (``junos-es-conf-security``); 24.2 adds what the CLI
reference of September 2024 lists for the IKE proposal (group21, sha-512). With AES-GCM in IKE the PRF cannot be set:
the CLI reference says of aes-256-gcm that it is HMAC-SHA-384, and of no other. The replay window has no setting there,
extended sequence numbers neither; Curve25519 is in no version.
"""

from __future__ import annotations

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
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
from ipsecbench.export.vocabulary import RSA, Vocabulary, group_words

_PRODUCT = "Junos"
_SECONDS = Setting(180, 86400)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS, Setting(64, 4_294_967_294, KILOBYTE))
_GROUPS = (
    *("modp768", "modp1024", "modp1536", "modp2048", "modp3072", "modp4096"),
    *("ecp256", "ecp384", "modp2048s256"),
)
_CBC = {"des": "des-cbc", "3des": "3des-cbc"} | {f"aes{bits}": f"aes-{bits}-cbc" for bits in (128, 192, 256)}
_INTERFACE = "ge-0/0/0.0"


def _words(version: str) -> Vocabulary:
    newer = version == "24.2"
    hashes = {"md5": "md5", "sha1": "sha1", "sha256": "sha-256", "sha384": "sha-384"}
    return Vocabulary(
        product=f"{_PRODUCT} {version}",
        ike_encryption=_CBC | {f"aes{bits}gcm16": f"aes-{bits}-gcm" for bits in (128, 256)},
        ike_integrity=hashes | ({"sha512": "sha-512"} if newer else {}),
        aead_prf={"aes256gcm16": "prfsha384"},
        ike_groups=group_words("group{}", (*_GROUPS, *(("ecp521",) if newer else ()))),
        esp_encryption=_CBC | {f"aes{bits}gcm16": f"aes-{bits}-gcm" for bits in (128, 192, 256)},
        esp_integrity={"md5": "hmac-md5-96", "sha1": "hmac-sha1-96", "sha256": "hmac-sha-256-128"},
        pfs_groups=group_words("group{}", _GROUPS),
        authentication={
            "psk": "pre-shared-keys",
            "ecdsa-256": "ecdsa-signatures-256",
            "ecdsa-384": "ecdsa-signatures-384",
        }
        | dict.fromkeys(RSA, "rsa-signatures"),
    )


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What Junos has no word for at this version."""
    return (*_words(version).refusals(connection), *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The set commands, for configuration mode."""
    commands = [
        *_ike(connection, _words(version)),
        *_ipsec(connection, _words(version)),
        *_interface(connection),
        f"security flow tcp-mss ipsec-vpn mss {segment_size(connection)}",
    ]
    notes = [
        f"Replace {_INTERFACE} by the interface that has {connection.local.address}, st0.0 and the zone vpn by free "
        "ones; the zone needs policies, and host-inbound-traffic system-services ike on the outer interface.",
        "The TCP MSS is a setting of the whole device.",
        *([] if connection.uses_psk else [f"Certificate: {connection.name} ({connection.authentication})."]),
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"set {command}\n" for command in commands)
    return documented_files(TARGET, connection, version, f"{connection.name}-junos.set", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, PRF, group and lives of the IKE SA; algorithms, PFS group, window and lives of the Child SA."""
    return (
        f"show security ike security-associations {connection.peer.address} detail; "
        "show security ipsec security-associations detail"
    )


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _ike(connection: Connection, words: Vocabulary) -> list[str]:
    name, ike = connection.name, connection.ike
    proposal, policy, gateway = (f"security ike {kind} {name}" for kind in ("proposal", "policy", "gateway"))
    credential = (
        f'pre-shared-key ascii-text "{PSK_PLACEHOLDER}"'
        if connection.uses_psk
        else f"certificate local-certificate {name}"
    )
    return [
        f"{proposal} authentication-method {words.authentication[connection.authentication]}",
        f"{proposal} dh-group {words.ike_groups[ike.key_exchange]}",
        *(
            []
            if ike.integrity is None
            else [f"{proposal} authentication-algorithm {words.ike_integrity[ike.integrity]}"]
        ),
        f"{proposal} encryption-algorithm {words.ike_encryption[ike.encryption]}",
        f"{proposal} lifetime-seconds {_lives(connection)[0].seconds}",
        *([f"{policy} mode main"] if connection.ike_version == 1 else []),
        f"{policy} proposals {name}",
        f"{policy} {credential}",
        f"{gateway} ike-policy {name}",
        f"{gateway} address {connection.peer.address}",
        f"{gateway} dead-peer-detection optimized",
        f"{gateway} local-identity {_identity(connection.local)}",
        f"{gateway} remote-identity {_identity(connection.peer)}",
        f"{gateway} external-interface {_INTERFACE}",
        f"{gateway} local-address {connection.local.address}",
        f"{gateway} version v{connection.ike_version}-only",
    ]


def _identity(end: End) -> str:
    if end.identity_kind == "address":
        return f"{'inet6' if ':' in end.identity else 'inet'} {end.identity}"
    kind = "hostname" if end.identity_kind == "domain" else "user-at-hostname"
    return f'{kind} "{end.identity}"'


def _ipsec(connection: Connection, words: Vocabulary) -> list[str]:
    name, esp, life = connection.name, connection.esp, _lives(connection)[1]
    proposal, policy, vpn = (f"security ipsec {kind} {name}" for kind in ("proposal", "policy", "vpn"))
    pfs = [] if esp.key_exchange is None else [words.pfs_groups[esp.key_exchange]]
    pairs = [
        (local, remote)
        for local in connection.local.networks
        for remote in connection.peer.networks
        if (":" in local) is (":" in remote)
    ]
    return [
        f"{proposal} protocol esp",
        *(
            []
            if esp.integrity is None
            else [f"{proposal} authentication-algorithm {words.esp_integrity[esp.integrity]}"]
        ),
        f"{proposal} encryption-algorithm {words.esp_encryption[esp.encryption]}",
        f"{proposal} lifetime-seconds {life.seconds}",
        *([] if life.octets is None else [f"{proposal} lifetime-kilobytes {life.octets}"]),
        *(f"{policy} perfect-forward-secrecy keys {group}" for group in pfs),
        f"{policy} proposals {name}",
        f"{vpn} bind-interface st0.0",
        f"{vpn} ike gateway {name}",
        f"{vpn} ike ipsec-policy {name}",
        *(
            f"{vpn} traffic-selector ts{number} {side}-ip {network}"
            for number, pair in enumerate(pairs, 1)
            for side, network in zip(("local", "remote"), pair, strict=True)
        ),
        f"{vpn} establish-tunnels immediately",
    ]


def _interface(connection: Connection) -> list[str]:
    networks = (*connection.local.networks, *connection.peer.networks)
    families = [
        *(["inet"] if any(":" not in network for network in networks) else []),
        *(["inet6"] if any(":" in network for network in networks) else []),
    ]
    return [
        *(f"interfaces st0 unit 0 family {family} mtu {connection.inner_mtu_bytes}" for family in families),
        "security zones security-zone vpn interfaces st0.0",
    ]


TARGET = Target(
    name="junos",
    title="Juniper Junos (SRX)",
    versions=("24.2", "22.3"),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
