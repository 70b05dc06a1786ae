"""pfSense, field by field: what to choose on its pages, and the keys of config.xml.

Labels, values and keys are those of pfSense's own sources (``src/etc/inc/ipsec.inc``, ``vpn_ipsec_phase1.php``,
``vpn_ipsec_phase2.php``, March 2026). The key length of a combined mode is its ICV in bits there. A life in octets, the
replay window and extended sequence numbers have no field.
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, End
from ipsecbench.export.documented import (
    GRAMMAR_PROOF,
    documented_files,
    fixed_replay_window,
    life_notes,
    life_refusals,
    segment_size,
)
from ipsecbench.export.fields import Field, Page, table
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.vocabulary import ECDSA, RSA, Vocabulary

_PRODUCT = "pfSense"
_SECONDS = Setting(1, 2_147_483_647)
_IKE_LIFE = LifeSettings(_PRODUCT, "IKE SA", _SECONDS)
_CHILD_LIFE = LifeSettings(_PRODUCT, "Child SA", _SECONDS)
_GROUP_LABELS = {
    **{"modp768": "1 (768 bit)", "modp1024": "2 (1024 bit)", "modp1536": "5 (1536 bit)", "modp2048": "14 (2048 bit)"},
    **{"modp3072": "15 (3072 bit)", "modp4096": "16 (4096 bit)", "modp6144": "17 (6144 bit)"},
    **{"modp8192": "18 (8192 bit)", "ecp256": "19 (nist ecp256)", "ecp384": "20 (nist ecp384)"},
    **{"ecp521": "21 (nist ecp521)", "modp1024s160": "22 (1024(sub 160) bit)"},
    **{"modp2048s224": "23 (2048(sub 224) bit)", "modp2048s256": "24 (2048(sub 256) bit)"},
    **{"ecp192": "25 (nist ecp192)", "ecp224": "26 (nist ecp224)", "ecp224bp": "27 (brainpool ecp224)"},
    **{"ecp256bp": "28 (brainpool ecp256)", "ecp384bp": "29 (brainpool ecp384)", "ecp512bp": "30 (brainpool ecp512)"},
    **{"x25519": "31 (Elliptic Curve 25519, 256 bit)", "x448": "32 (Elliptic Curve 448, 448 bit)"},
}
_ENCRYPTION = {
    name: name.partition("gcm")[0] + "gcm" if transform.mode == "gcm" else "aes"
    for name, transform in ENCRYPTION.items()
    if transform.mode == "gcm" or name in ("aes128", "aes192", "aes256")
} | {"chacha20poly1305": "chacha20poly1305"}
_LABELS = {"aes": "AES", "chacha20poly1305": "CHACHA20-POLY1305"} | {
    f"aes{bits}gcm": f"AES{bits}-GCM" for bits in (128, 192, 256)
}
_HASHES = {**{name: name.upper() for name in ("sha1", "sha256", "sha384", "sha512")}, "aesxcbc": "AES-XCBC"}
_WORDS = Vocabulary(
    product=_PRODUCT,
    ike_encryption=_ENCRYPTION,
    ike_integrity=_HASHES,
    prf={f"prf{name}": label for name, label in _HASHES.items()},
    ike_groups=_GROUP_LABELS,
    esp_encryption=_ENCRYPTION,
    esp_integrity=_HASHES,
    pfs_groups=_GROUP_LABELS,
    authentication={"psk": "pre_shared_key"} | dict.fromkeys((*RSA, *ECDSA), "cert"),
    modes=("tunnel", "transport"),
)
_SMALLEST_SEGMENT = 576
"""Smallest value of ``maxmss`` (system_advanced_firewall.php)."""
_ID_KINDS = {
    "address": ("IP address", "address"),
    "domain": ("Fully qualified domain name", "fqdn"),
    "mail": ("User fully qualified domain name / E-mail", "user_fqdn"),
}


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What pfSense has no field or no value for."""
    lines = list(_WORDS.refusals(connection))
    if segment_size(connection) < _SMALLEST_SEGMENT:
        lines.append(
            f"pfSense sets no maximum MSS below {_SMALLEST_SEGMENT} octets; {segment_size(connection)} are needed"
        )
    return (*lines, *life_refusals(*_lives(connection)))


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """The table of fields."""
    pages = [_phase1(connection), *_phase2(connection), _advanced(connection)]
    notes = [
        "Fields that are not named keep their defaults. Column 3: the key in config.xml, below ipsec/.",
        f"Inner MTU {connection.inner_mtu_bytes} at link MTU {connection.link_mtu_bytes}.",
        fixed_replay_window(_PRODUCT, connection.replay_window_packets),
        *life_notes(*_lives(connection)),
    ]
    return documented_files(TARGET, connection, version, f"{connection.name}-pfsense.txt", table(pages), notes=notes)


def verify(connection: Connection) -> str:
    """Shows encryption, integrity, PRF, groups and lives of the SAs that are up; also Status > IPsec."""
    return "swanctl --list-sas"


def _lives(connection: Connection) -> tuple[FittedLife, FittedLife]:
    return fit_life(connection.ike_life, _IKE_LIFE), fit_life(connection.child_life, _CHILD_LIFE)


def _keylen(encryption: str) -> int | None:
    """Key bits of AES-CBC, ICV bits of AES-GCM, nothing for ChaCha20-Poly1305."""
    transform = ENCRYPTION[encryption]
    if transform.mode == "gcm":
        return transform.icv_bytes * 8
    return transform.key_bits if transform.mode == "cbc" else None


def _phase1(connection: Connection) -> Page:
    ike, life = connection.ike, _lives(connection)[0]
    ipv6 = connection.local.ip_version == 6
    main = [Field("Negotiation mode", "Main", "phase1/mode=main")] if connection.ike_version == 1 else []
    fields = [
        Field("Key Exchange version", f"IKEv{connection.ike_version}", f"phase1/iketype=ikev{connection.ike_version}"),
        Field("Internet Protocol", "IPv6" if ipv6 else "IPv4", f"phase1/protocol={'inet6' if ipv6 else 'inet'}"),
        Field("Remote Gateway", connection.peer.address, f"phase1/remote-gateway={connection.peer.address}"),
        *_authentication(connection),
        *main,
        *_identity("My identifier", "myid", connection.local),
        *_identity("Peer identifier", "peerid", connection.peer),
        *_encryption(connection),
        Field(
            "DH Group",
            _GROUP_LABELS[ike.key_exchange],
            f"phase1/encryption/item/dhgroup={KEY_EXCHANGE[ike.key_exchange].ikev2_id}",
        ),
        Field("Life Time", str(life.hard_seconds), f"phase1/lifetime={life.hard_seconds}"),
        Field("Rekey Time", str(life.soft_seconds), f"phase1/rekey_time={life.soft_seconds}"),
        Field("Reauth Time", "0", "phase1/reauth_time=0"),
        Field("NAT Traversal", *_nat(connection)),
        Field("MOBIKE", "Disable", "phase1/mobike=off"),
        Field("Dead Peer Detection", "Enable DPD", "phase1/dpd_delay=10"),
    ]
    return Page("VPN > IPsec > Tunnels > Add P1", tuple(fields))


def _nat(connection: Connection) -> tuple[str, str]:
    value = ("Force", "force") if connection.nat_traversal else ("Auto", "on")
    return value[0], f"phase1/nat_traversal={value[1]}"


def _authentication(connection: Connection) -> list[Field]:
    if connection.uses_psk:
        return [
            Field("Authentication Method", "Mutual PSK", "phase1/authentication_method=pre_shared_key"),
            Field("Pre-Shared Key", PSK_PLACEHOLDER, f"phase1/pre-shared-key={PSK_PLACEHOLDER}"),
        ]
    return [
        Field("Authentication Method", "Mutual Certificate", "phase1/authentication_method=cert"),
        Field("My Certificate", f"the one of {connection.local.identity} ({connection.authentication})", ""),
        Field("Peer Certificate Authority", "the one that signed the peer's", ""),
    ]


def _identity(label: str, key: str, end: End) -> list[Field]:
    kind, word = _ID_KINDS[end.identity_kind]
    return [
        Field(label, kind, f"phase1/{key}_type={word}"),
        Field(f"{label} (value)", end.identity, f"phase1/{key}_data={end.identity}"),
    ]


def _encryption(connection: Connection) -> list[Field]:
    ike, word = connection.ike, _ENCRYPTION[connection.ike.encryption]
    keylen, prf = _keylen(ike.encryption), ike.prf.removeprefix("prf")
    item = "phase1/encryption/item"
    # IKEv1's PRF is that of its hash.
    select = [Field("PRF Selection", "checked", "phase1/prfselect_enable=yes")] if connection.ike_version == 2 else []
    fields = [*select, Field("Algorithm", _LABELS[word], f"{item}/encryption-algorithm/name={word}")]
    if keylen is not None:
        fields.append(Field("Key length", f"{keylen} bits", f"{item}/encryption-algorithm/keylen={keylen}"))
    # Beside a combined mode the page asks for a hash too; strongSwan is given the PRF and leaves the hash out.
    chosen = ike.integrity or prf
    fields.append(Field("Hash", _HASHES[chosen], f"{item}/hash-algorithm={chosen}"))
    if select:
        fields.append(Field("PRF", _HASHES[prf], f"{item}/prf-algorithm={prf}"))
    return fields


def _phase2(connection: Connection) -> list[Page]:
    if connection.mode == "transport":
        return [_selector(connection, [], "Transport", "transport")]
    pages = []
    for local in connection.local.networks:
        for remote in connection.peer.networks:
            if (":" in local) is not (":" in remote):
                continue
            networks = [
                Field("Local Network", f"Network {local}", f"phase2/localid={local}"),
                Field("Remote Network", f"Network {remote}", f"phase2/remoteid={remote}"),
            ]
            ipv6 = ":" in local
            pages.append(
                _selector(connection, networks, *(("Tunnel IPv6", "tunnel6") if ipv6 else ("Tunnel IPv4", "tunnel")))
            )
    return pages


def _selector(connection: Connection, networks: list[Field], mode: str, word: str) -> Page:
    esp, life = connection.esp, _lives(connection)[1]
    name, keylen = _ENCRYPTION[esp.encryption], _keylen(esp.encryption)
    option = "phase2/encryption-algorithm-option"
    group = "off" if esp.key_exchange is None else _GROUP_LABELS[esp.key_exchange]
    number = 0 if esp.key_exchange is None else KEY_EXCHANGE[esp.key_exchange].ikev2_id
    fields = [
        Field("Mode", mode, f"phase2/mode={word}"),
        *networks,
        Field("Protocol", "ESP", "phase2/protocol=esp"),
        Field("Encryption Algorithms", f"{_LABELS[name]} only", f"{option}/name={name}"),
        *([] if keylen is None else [Field("Encryption key length", f"{keylen} bits", f"{option}/keylen={keylen}")]),
    ]
    if esp.integrity is not None:
        stored = esp.integrity if esp.integrity == "aesxcbc" else f"hmac_{esp.integrity}"
        fields.append(
            Field("Hash Algorithms", f"{_HASHES[esp.integrity]} only", f"phase2/hash-algorithm-option={stored}")
        )
    fields += [
        Field("PFS key group", group, f"phase2/pfsgroup={number}"),
        Field("Life Time", str(life.hard_seconds), f"phase2/lifetime={life.hard_seconds}"),
        Field("Rekey Time", str(life.soft_seconds), f"phase2/rekey_time={life.soft_seconds}"),
    ]
    return Page("VPN > IPsec > Tunnels > Show Phase 2 Entries > Add P2", tuple(fields))


def _advanced(connection: Connection) -> Page:
    size = segment_size(connection)
    return Page(
        "System > Advanced > Firewall & NAT > VPN Packet Processing",
        (
            Field("Enable Maximum MSS", "checked", "../system/maxmss_enable=yes"),
            Field("Maximum MSS", str(size), f"../system/maxmss={size}"),
        ),
    )


TARGET = Target(
    name="pfsense",
    title="pfSense (field by field)",
    versions=("2.8",),
    proof=Proof.GRAMMAR,
    proof_text=GRAMMAR_PROOF,
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
