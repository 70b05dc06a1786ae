"""MikroTik RouterOS 7, commands of ``/ip ipsec``.

Enumerations are those of RouterOS as terraform-provider-routeros lists them (``routeros/resource_ip_ipsec_*.go``).
A profile (phase 1) has no combined mode; a proposal (phase 2) has, and then ``auth-algorithms`` is empty, as devices
export it: with a hash beside AES-GCM some hardware takes a wrong path. Lives are times only; the profile's lifebytes is
administrative. Phase 1 is renewed only where dead peer detection runs.
"""

from __future__ import annotations

from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    fixed_replay_window,
    life_notes,
    life_refusals,
)
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import RSA, Vocabulary

_DAY = 86400
_SECONDS = Setting(60, 30 * _DAY)
_IKE_LIFE = LifeSettings("RouterOS", "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings("RouterOS", "Child SA", _SECONDS)
_MODP = ("modp768", "modp1024", "modp1536", "modp2048", "modp3072", "modp4096", "modp6144", "modp8192")
_ECP = ("ecp256", "ecp384", "ecp521")
_AES_BITS = (128, 192, 256)
_CAMELLIA = {f"camellia{bits}": f"camellia-{bits}" for bits in _AES_BITS}
_OLD = {"des": "des", "3des": "3des"}
_WORDS = Vocabulary(
    product="RouterOS",
    ike_encryption=_OLD | {f"aes{bits}": f"aes-{bits}" for bits in _AES_BITS} | _CAMELLIA,
    ike_integrity={name: name for name in ("md5", "sha1", "sha256", "sha384", "sha512")},
    prf={f"prf{name}": name for name in ("sha1", "sha256", "sha384", "sha512")},
    ike_groups={name: name for name in (*_MODP, *_ECP, "x25519")},
    esp_encryption=_OLD
    | {"null": "null", "chacha20poly1305": "chacha20poly1305"}
    | {f"aes{bits}": f"aes-{bits}-cbc" for bits in _AES_BITS}
    | {f"aes{bits}ctr": f"aes-{bits}-ctr" for bits in _AES_BITS}
    | {f"aes{bits}gcm16": f"aes-{bits}-gcm" for bits in _AES_BITS}
    | _CAMELLIA,
    esp_integrity={name: name for name in ("md5", "sha1", "sha256", "sha512")},
    pfs_groups={name: name for name in (*_MODP, *_ECP)},
    authentication={"psk": "pre-shared-key"} | dict.fromkeys(RSA, "digital-signature"),
    modes=("tunnel", "transport", "gre", "ipip"),
)
_ID_KINDS = {"address": "address", "domain": "fqdn", "mail": "user-fqdn"}
_INSIDE = {"transport": "all", "gre": "gre", "ipip": "ipencap"}


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What RouterOS has no value for."""
    lines = [line for line in _WORDS.refusals(connection) if connection.ike_version == 2 or "prf" not in line]
    if connection.ike_version == 1 and connection.peer.identity_kind != "address":
        lines.append(
            f"RouterOS checks a peer's identity only if it is an address in IKEv1, not {connection.peer.identity}"
        )
    if connection.mode in ("gre", "ipip") and connection.local.ip_version == 6:
        lines.append("RouterOS is written with GRE and IP in IP over IPv4 only")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """A script for ``/import``."""
    lines = [
        _profile(connection),
        _peer(connection),
        _identity(connection),
        _proposal(connection),
        *_policies(connection),
        *_tunnel(connection),
        *_segment_sizes(connection),
    ]
    notes = [
        "Import it with /import, or paste it into a terminal.",
        fixed_replay_window("RouterOS", connection.replay_window_packets),
        f"Inner MTU {connection.inner_mtu_bytes} at link MTU {connection.link_mtu_bytes}. NAT rules and fasttrack must "
        "leave these networks out.",
        *(
            ["Certificate and key: /certificate import; their name here is " + connection.name]
            if _signs(connection)
            else []
        ),
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{line}\n" for line in lines)
    return documented_files(TARGET, connection, version, f"{connection.name}.rsc", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows the installed SAs with their algorithms and lives, and phase 1."""
    return "/ip ipsec installed-sa print detail; /ip ipsec active-peers print detail"


def _signs(connection: Connection) -> bool:
    return not connection.uses_psk


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def duration(seconds: int) -> str:
    """Seconds as RouterOS writes a time: ``1d2h3m4s``."""
    text = ""
    for unit, size in (("d", _DAY), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text


def _profile(connection: Connection) -> str:
    ike = connection.ike
    prf = _WORDS.prf[ike.prf] if _WORDS.prf is not None and connection.ike_version == 2 else "auto"
    return (
        f"/ip ipsec profile add name={connection.name} dh-group={_WORDS.ike_groups[ike.key_exchange]} "
        f"enc-algorithm={_WORDS.ike_encryption[ike.encryption]} hash-algorithm={ike.integrity} prf-algorithm={prf} "
        f"lifetime={duration(_lives(connection)[0].seconds)} dpd-interval=30s dpd-maximum-failures=5 nat-traversal=yes "
        "proposal-check=claim"
    )


def _host(end: End) -> str:
    return f"{end.address}/{32 if end.ip_version == 4 else 128}"


def _peer(connection: Connection) -> str:
    exchange = "ike2" if connection.ike_version == 2 else "main"
    return (
        f"/ip ipsec peer add name={connection.name} address={_host(connection.peer)} "
        f"local-address={connection.local.address} exchange-mode={exchange} profile={connection.name} "
        "send-initial-contact=yes"
    )


def _identity(connection: Connection) -> str:
    secret = f"secret={PSK_PLACEHOLDER}" if connection.uses_psk else f"certificate={connection.name}"
    return (
        f"/ip ipsec identity add peer={connection.name} "
        f"auth-method={_WORDS.authentication[connection.authentication]} {secret} my-id={_id(connection.local)} "
        f"remote-id={_id(connection.peer)} generate-policy=no"
    )


def _id(end: End) -> str:
    return f"{_ID_KINDS[end.identity_kind]}:{end.identity}"


def _proposal(connection: Connection) -> str:
    esp = connection.esp
    pfs = "none" if esp.key_exchange is None else _WORDS.pfs_groups[esp.key_exchange]
    integrity = '""' if esp.integrity is None else _WORDS.esp_integrity[esp.integrity]
    return (
        f"/ip ipsec proposal add name={connection.name} auth-algorithms={integrity} "
        f"enc-algorithms={_WORDS.esp_encryption[esp.encryption]} lifetime={duration(_lives(connection)[1].seconds)} "
        f"pfs-group={pfs}"
    )


def _policies(connection: Connection) -> list[str]:
    start = f"/ip ipsec policy add peer={connection.name} proposal={connection.name} action=encrypt ipsec-protocols=esp"
    if connection.mode != "tunnel":
        return [
            f"{start} level=require tunnel=no protocol={_INSIDE[connection.mode]} "
            f"src-address={_host(connection.local)} dst-address={_host(connection.peer)}"
        ]
    pairs = [
        (local, remote)
        for local in connection.local.networks
        for remote in connection.peer.networks
        if (":" in local) is (":" in remote)
    ]
    level = "unique" if len(pairs) > 1 else "require"
    return [f"{start} level={level} tunnel=yes src-address={local} dst-address={remote}" for local, remote in pairs]


def _tunnel(connection: Connection) -> list[str]:
    if connection.mode not in ("gre", "ipip"):
        return []
    return [
        f"/interface {connection.mode} add name={connection.name} local-address={connection.local.address} "
        f"remote-address={connection.peer.address} mtu={connection.inner_mtu_bytes}",
        *(
            f"/{'ipv6' if ':' in network else 'ip'} route add dst-address={network} gateway={connection.name}"
            for network in connection.peer.networks
        ),
    ]


def _segment_sizes(connection: Connection) -> list[str]:
    lines = []
    for side, networks in (("dst", connection.peer.networks), ("src", connection.peer.networks)):
        for network in networks:
            ipv6 = ":" in network
            size = connection.mss_ipv6_bytes if ipv6 else connection.mss_ipv4_bytes
            lines.append(
                f"/{'ipv6' if ipv6 else 'ip'} firewall mangle add chain=forward action=change-mss new-mss={size} "
                f"passthrough=yes protocol=tcp tcp-flags=syn tcp-mss={size + 1}-65535 {side}-address={network}"
            )
    return lines


TARGET = Target(
    name="routeros",
    title="MikroTik RouterOS",
    versions=("7",),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
