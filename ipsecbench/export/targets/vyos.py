"""VyOS, set commands: its configuration is rendered into swanctl.conf.

Words and ranges are those of vyos-1x, ``interface-definitions/vpn_ipsec.xml.in``; what they become is in
``data/templates/ipsec/swanctl/peer.j2``: the IKE group's lifetime is ``rekey_time`` (renewed at it), the ESP group's
lifetime, bytes and packets are ``life_*`` (the key ends at it; strongSwan renews at 1/1.1 of it). A proposal without a
hash is dropped without a word, so a combined-mode transform has one too: for IKE it names the PRF, for ESP strongSwan
leaves it out. ``prf`` came with 1.5, ``esn`` with pull request 5284 of June 2026.
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    has_ipv6_networks,
    life_notes,
    life_refusals,
    mixed_networks,
    replay_window,
    segment_size,
)
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary, group_words, implied_prf

_ROLLING = "rolling"
_HASH_OF_PRF = {"prfsha1": "sha1", "prfsha256": "sha256", "prfsha384": "sha384", "prfsha512": "sha512"}
_UNUSED_HASH = "sha256"
_LARGEST_WINDOW = 2040
_SMALLEST_SEGMENT = 536
_IKE_LIFE = LifeSettings("VyOS", "IKE SA", Setting(30, 86400, hard=False))
_CHILD_LIFE = LifeSettings(
    "VyOS",
    "Child SA",
    Setting(30, 86400),
    Setting(1024, 26_843_545_600_000),
    Setting(1000, 26_843_545_600_000),
)


def _encryption_words() -> dict[str, str]:
    """Names of combined modes have the ICV in bits; there is no DES. Ciphers without a number are left out."""
    words = {}
    for name, transform in ENCRYPTION.items():
        if transform.mode in ("gcm", "ccm"):
            words[name] = f"aes{transform.key_bits}{transform.mode}{transform.icv_bytes * 8}"
        elif name != "des" and transform.ikev2_id is not None:
            words[name] = name
    return words


_GROUPS = [name for name, method in KEY_EXCHANGE.items() if not method.kem]
_ENCRYPTION = _encryption_words()
_WORDS = Vocabulary(
    product="VyOS",
    ike_encryption=_ENCRYPTION,
    ike_integrity={name: name for name in INTEGRITY},
    prf={name: name for name in PRF},
    ike_groups=group_words("{}", _GROUPS),
    esp_encryption=_ENCRYPTION,
    esp_integrity={name: name for name in INTEGRITY},
    pfs_groups=group_words("dh-group{}", _GROUPS),
    authentication={"psk": "pre-shared-secret"} | dict.fromkeys((*RSA, *ECDSA), "x509"),
    modes=("tunnel", "transport", "gre", "ipip"),
    esn=True,
)


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What the command line does not take, or what the template drops."""
    lines = list(_WORDS.refusals(connection))
    ike = connection.ike
    if version == "1.4":
        if ike.integrity is not None and ike.prf != implied_prf(ike.integrity):
            lines.append(f"VyOS 1.4 takes the PRF from the hash {ike.integrity}: {ike.prf} came with 1.5")
        if ike.integrity is None and ike.prf not in _HASH_OF_PRF:
            lines.append(f"VyOS 1.4 has no hash that makes {ike.prf}: prf came with 1.5")
    if connection.esp.esn and version != _ROLLING:
        lines.append(f"VyOS {version} has no setting for extended sequence numbers: it came after June 2026 (rolling)")
    if connection.mode in ("gre", "ipip") and mixed_networks(connection):
        lines.append("VyOS is written with networks of one IP version behind a tunnel interface only")
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The set commands, between ``configure`` and ``commit``."""
    commands = [
        *(_secret(connection) if connection.uses_psk else ()),
        *_ike_group(connection, version),
        *_esp_group(connection, version),
        *_peer(connection),
        *_interface(connection),
    ]
    notes = [
        "In configuration mode; then commit and save. Replace eth1 by the interface of the local networks.",
        f"Renewal: strongSwan renews the Child SA at 1/1.1 of its lifetime. Inner MTU {connection.inner_mtu_bytes}.",
        *_window(connection)[1],
        *life_notes(*_lives(connection)),
    ]
    body = "".join(f"{command}\n" for command in commands)
    return documented_files(TARGET, connection, version, f"{connection.name}-vyos.txt", body, notes=notes)


def verify(connection: Connection) -> str:
    """Shows proposals and lives; the second shows every transform as strongSwan names it."""
    return f"show vpn ipsec sa detail; sudo swanctl --list-sas --ike {connection.name}"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _window(connection: Connection) -> tuple[int, tuple[str, ...]]:
    wanted = connection.replay_window_packets
    return replay_window("VyOS", wanted, (min(wanted, _LARGEST_WINDOW),))


def _secret(connection: Connection) -> list[str]:
    start = f"set vpn ipsec authentication psk {connection.name}"
    return [
        f"{start} id '{connection.local.identity}'",
        f"{start} id '{connection.peer.identity}'",
        f"{start} secret '{PSK_PLACEHOLDER}'",
    ]


def _ike_group(connection: Connection, version: str) -> list[str]:
    start, ike = f"set vpn ipsec ike-group {connection.name}", connection.ike
    chosen = ike.integrity or _HASH_OF_PRF.get(ike.prf, _UNUSED_HASH)
    return [
        f"{start} key-exchange 'ikev{connection.ike_version}'",
        f"{start} lifetime '{_lives(connection)[0].seconds}'",
        f"{start} dead-peer-detection action 'trap'",
        f"{start} dead-peer-detection interval '30'",
        *([f"{start} disable-mobike"] if connection.ike_version == 2 else [f"{start} mode 'main'"]),
        f"{start} proposal 1 encryption '{_ENCRYPTION[ike.encryption]}'",
        f"{start} proposal 1 hash '{chosen}'",
        *([f"{start} proposal 1 prf '{ike.prf}'"] if version != "1.4" and connection.ike_version == 2 else []),
        f"{start} proposal 1 dh-group '{_WORDS.ike_groups[ike.key_exchange]}'",
    ]


def _esp_group(connection: Connection, version: str) -> list[str]:
    start, esp, life = f"set vpn ipsec esp-group {connection.name}", connection.esp, _lives(connection)[1]
    pfs = "disable" if esp.key_exchange is None else _WORDS.pfs_groups[esp.key_exchange]
    return [
        f"{start} mode '{connection.esp_mode}'",
        f"{start} lifetime '{life.seconds}'",
        *([] if life.octets is None else [f"{start} life-bytes '{life.octets}'"]),
        *([] if life.packets is None else [f"{start} life-packets '{life.packets}'"]),
        f"{start} pfs '{pfs}'",
        f"{start} proposal 1 encryption '{_ENCRYPTION[esp.encryption]}'",
        f"{start} proposal 1 hash '{esp.integrity or _UNUSED_HASH}'",
        *([f"{start} proposal 1 esn 'required'"] if esp.esn and version == _ROLLING else []),
    ]


def _peer(connection: Connection) -> list[str]:
    start = f"set vpn ipsec site-to-site peer {connection.name}"
    method = _WORDS.authentication[connection.authentication]
    return [
        f"{start} authentication mode '{method}'",
        f"{start} authentication local-id '{connection.local.identity}'",
        f"{start} authentication remote-id '{connection.peer.identity}'",
        *(
            []
            if connection.uses_psk
            else [
                f"{start} authentication x509 certificate '{connection.name}'",
                f"{start} authentication x509 ca-certificate '{connection.name}-ca'",
            ]
        ),
        f"{start} connection-type 'initiate'",
        f"{start} local-address '{connection.local.address}'",
        f"{start} remote-address '{connection.peer.address}'",
        f"{start} ike-group '{connection.name}'",
        f"{start} default-esp-group '{connection.name}'",
        f"{start} replay-window '{_window(connection)[0]}'",
        *([f"{start} force-udp-encapsulation"] if connection.nat_traversal else []),
        *_selectors(connection, f"{start} tunnel 1"),
    ]


def _selectors(connection: Connection, start: str) -> list[str]:
    if connection.mode == "tunnel":
        return [
            *(f"{start} local prefix '{network}'" for network in connection.local.networks),
            *(f"{start} remote prefix '{network}'" for network in connection.peer.networks),
        ]
    inside = {"gre": "gre", "ipip": "ipencap"}.get(connection.mode)
    return [start if inside is None else f"{start} protocol '{inside}'"]


def _interface(connection: Connection) -> list[str]:
    if connection.mode in ("tunnel", "transport"):
        return _segment_size("eth1", connection)
    start = "set interfaces tunnel tun0"
    ipv6 = connection.local.ip_version == 6
    encapsulation = {"gre": "ip6gre" if ipv6 else "gre", "ipip": "ip6ip6" if ipv6 else "ipip"}[connection.mode]
    route = "route6" if has_ipv6_networks(connection) else "route"
    return [
        f"{start} encapsulation '{encapsulation}'",
        f"{start} source-address '{connection.local.address}'",
        f"{start} remote '{connection.peer.address}'",
        f"{start} mtu '{connection.inner_mtu_bytes}'",
        *_segment_size("tun0", connection),
        *(f"set protocols static {route} {network} interface tun0" for network in connection.peer.networks),
    ]


def _segment_size(interface: str, connection: Connection) -> list[str]:
    kind, size = "tunnel" if interface.startswith("tun") else "ethernet", segment_size(connection)
    protocol = "ipv6" if has_ipv6_networks(connection) else "ip"
    if size < _SMALLEST_SEGMENT:
        return [f"set interfaces {kind} {interface} {protocol} adjust-mss 'clamp-mss-to-pmtu'"]
    return [f"set interfaces {kind} {interface} {protocol} adjust-mss '{size}'"]


TARGET = Target(
    name="vyos",
    title="VyOS",
    versions=("1.5", "1.4", _ROLLING),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
