"""PAN-OS, set commands of configuration mode.

Words are those of Palo Alto Networks' documentation (IKE phase 1 and 2; groups 15, 16 and 21 from 10.2.0 on) and of its
Ansible collection and Terraform provider; ranges those of its cloud manager's data model (pan-scm-sdk): lives have a
number up to 65535 and a unit. With AES-GCM in IKE nothing sets the PRF: it is HMAC-SHA-256 up to group 19 and
HMAC-SHA-384 with group 20, so the vendor's documentation; of group 21 it says nothing. ``none`` as ESP authentication
is written beside a combined mode only.
"""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.documented import GRAMMAR_PROOF, documented_files, life_notes, life_refusals, replay_window
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary, group_words

_PRODUCT = "PAN-OS"
_LARGEST = 65535
_TIMES = (("seconds", 1), ("minutes", 60), ("hours", 3600))
_SIZES = (("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40))
_SECONDS = Setting(180, _LARGEST * 3600)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS, Setting(1 << 10, _LARGEST << 40))
_WINDOWS = (64, 128, 256, 512, 1024, 2048, 4096)
_GROUPS = ("modp768", "modp1024", "modp1536", "modp2048", "ecp256", "ecp384")
_LAN_MTU = 1500
_ADJUSTMENTS = {"ip": range(40, 301), "ipv6": range(60, 301)}
_ID_KINDS = {"address": "ipaddr", "domain": "fqdn", "mail": "ufqdn"}
_LARGEST_GROUP_WITH_SHA256 = 19
_ECDSA = ECDSA[:2]
"""PAN-OS makes ECDSA certificates of 256 and 384 bits; that it takes others for IKE is said nowhere."""


def _aead_prf(key_exchange: str) -> dict[str, str]:
    number = KEY_EXCHANGE[key_exchange].ikev2_id
    prf = "prfsha256" if number <= _LARGEST_GROUP_WITH_SHA256 else "prfsha384" if key_exchange == "ecp384" else None
    return {} if prf is None else dict.fromkeys(("aes128gcm16", "aes256gcm16"), prf)


def _words(connection: Connection, version: str) -> Vocabulary:
    cbc = {"des": "des", "3des": "3des"} | {f"aes{bits}": f"aes-{bits}-cbc" for bits in (128, 192, 256)}
    combined = {f"aes{bits}gcm16": f"aes-{bits}-gcm" for bits in (128, 256)}
    hashes = {name: name for name in ("md5", "sha1", "sha256", "sha384", "sha512")}
    groups = group_words("group{}", (*_GROUPS, *(("modp3072", "modp4096", "ecp521") if version != "10.1" else ())))
    return Vocabulary(
        product=f"{_PRODUCT} {version}",
        ike_encryption=cbc | combined,
        ike_integrity=hashes,
        aead_prf=_aead_prf(connection.ike.key_exchange),
        ike_groups=groups,
        esp_encryption=cbc | combined | {"null": "null"},
        esp_integrity=hashes,
        pfs_groups=groups,
        authentication={"psk": "pre-shared-key"} | dict.fromkeys((*RSA, *_ECDSA), "certificate"),
    )


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What PAN-OS has no word for at this version."""
    return (*_words(connection, version).refusals(connection), *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The set commands, between ``configure`` and ``commit``."""
    words = _words(connection, version)
    commands = [
        *_ike_profile(connection, words),
        *_ipsec_profile(connection, words),
        *_gateway(connection),
        *_tunnel(connection),
        *_segment_sizes(connection),
        *_routes(connection),
    ]
    _, window_note = replay_window(_PRODUCT, connection.replay_window_packets, _WINDOWS)
    notes = [
        "Paste the set commands only: the command line has no comments. Replace ethernet1/1 by the interface that has "
        f"{connection.local.address}, ethernet1/2 by the inner one, tunnel.1 and the virtual router default by yours; "
        "the tunnel interface needs a zone and policies.",
        f"MSS {connection.mss_ipv4_bytes} (IPv4), {connection.mss_ipv6_bytes} (IPv6): what the inner interface takes "
        f"off its MTU of {_LAN_MTU}.",
        *([] if connection.uses_psk else [f"Certificate and certificate profile: {connection.name}."]),
        *window_note,
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"set network {command}\n" for command in commands)
    return documented_files(TARGET, connection, version, f"{connection.name}-panos.set", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows algorithms and lives of both SAs; the flow's also the window and the MTU."""
    name = connection.name
    return f"show vpn ike-sa gateway {name}; show vpn ipsec-sa tunnel {name}; show vpn flow name {name}"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _time(seconds: int) -> str:
    """The finest unit that has a number for it, rounded down."""
    for unit, size in _TIMES:
        if seconds // size <= _LARGEST:
            return f"lifetime {unit} {seconds // size}"
    return f"lifetime hours {_LARGEST}"


def _size(octets: int) -> str:
    """The finest unit that has a number for it, rounded down."""
    for unit, size in _SIZES:
        if octets // size <= _LARGEST:
            return f"lifesize {unit} {octets // size}"
    return f"lifesize tb {_LARGEST}"


def _ike_profile(connection: Connection, words: Vocabulary) -> list[str]:
    start, ike = f"ike crypto-profiles ike-crypto-profiles {connection.name}", connection.ike
    return [
        f"{start} dh-group {words.ike_groups[ike.key_exchange]}",
        f"{start} encryption {words.ike_encryption[ike.encryption]}",
        f"{start} hash {'non-auth' if ike.integrity is None else words.ike_integrity[ike.integrity]}",
        f"{start} {_time(_lives(connection)[0].seconds)}",
    ]


def _ipsec_profile(connection: Connection, words: Vocabulary) -> list[str]:
    start, esp, life = (
        f"ike crypto-profiles ipsec-crypto-profiles {connection.name}",
        connection.esp,
        _lives(connection)[1],
    )
    return [
        f"{start} esp encryption {words.esp_encryption[esp.encryption]}",
        f"{start} esp authentication {'none' if esp.integrity is None else words.esp_integrity[esp.integrity]}",
        f"{start} dh-group {'no-pfs' if esp.key_exchange is None else words.pfs_groups[esp.key_exchange]}",
        f"{start} {_time(life.seconds)}",
        *([] if life.octets is None else [f"{start} {_size(life.octets)}"]),
    ]


def _identity(end: End) -> str:
    return f"type {_ID_KINDS[end.identity_kind]} id {end.identity}"


def _gateway(connection: Connection) -> list[str]:
    start, version = f"ike gateway {connection.name}", f"ikev{connection.ike_version}"
    credential = (
        [f"{start} authentication pre-shared-key key {PSK_PLACEHOLDER}"]
        if connection.uses_psk
        else [
            f"{start} authentication certificate local-certificate name {connection.name}",
            f"{start} authentication certificate certificate-profile {connection.name}",
        ]
    )
    return [
        *credential,
        f"{start} protocol version {version}",
        f"{start} protocol {version} ike-crypto-profile {connection.name}",
        f"{start} protocol {version} dpd enable yes",
        *([f"{start} protocol {version} exchange-mode main"] if connection.ike_version == 1 else []),
        f"{start} protocol-common nat-traversal enable yes",
        *([f"{start} ipv6 yes"] if connection.local.ip_version == 6 else []),
        f"{start} local-address interface ethernet1/1",
        f"{start} peer-address ip {connection.peer.address}",
        f"{start} local-id {_identity(connection.local)}",
        f"{start} peer-id {_identity(connection.peer)}",
    ]


def _tunnel(connection: Connection) -> list[str]:
    start = f"tunnel ipsec {connection.name}"
    window, _ = replay_window(_PRODUCT, connection.replay_window_packets, _WINDOWS)
    pairs = [
        (local, remote)
        for local in connection.local.networks
        for remote in connection.peer.networks
        if (":" in local) is (":" in remote)
    ]
    lines = [
        f"interface tunnel units tunnel.1 mtu {connection.inner_mtu_bytes}",
        f"{start} auto-key ike-gateway {connection.name}",
        f"{start} auto-key ipsec-crypto-profile {connection.name}",
        f"{start} tunnel-interface tunnel.1",
        f"{start} anti-replay yes",
        f"{start} anti-replay-window {window}",
        *([f"{start} ipv6 yes"] if connection.local.ip_version == 6 else []),
    ]
    for number, (local, remote) in enumerate(pairs, 1):
        proxy = f"{start} auto-key proxy-id{'-v6' if ':' in local else ''} selector-{number}"
        lines += [f"{proxy} local {local}", f"{proxy} remote {remote}", f"{proxy} protocol any"]
    return lines


def _segment_sizes(connection: Connection) -> list[str]:
    start = "interface ethernet ethernet1/2 layer3 adjust-tcp-mss"
    lines = []
    for family, size in (("ip", connection.mss_ipv4_bytes), ("ipv6", connection.mss_ipv6_bytes)):
        less = _LAN_MTU - size
        if less in _ADJUSTMENTS[family]:
            lines.append(f"{start} {'ipv4' if family == 'ip' else 'ipv6'}-mss-adjustment {less}")
    return [f"{start} enable yes", *lines] if lines else []


def _routes(connection: Connection) -> list[str]:
    lines = []
    for number, network in enumerate(connection.peer.networks, 1):
        family = "ipv6" if ":" in network else "ip"
        start = f"virtual-router default routing-table {family} static-route {connection.name[:27]}-{number}"
        lines += [f"{start} destination {network}", f"{start} interface tunnel.1"]
    return lines


TARGET = Target(
    name="panos",
    title="PAN-OS",
    versions=("11.1", "10.2", "10.1"),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
