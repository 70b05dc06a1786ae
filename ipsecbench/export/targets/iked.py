"""OpenBSD's iked, and its portable version OpenIKED: ``iked.conf``.

Names, units and what there is are those of the manual page ``iked.conf(5)``. It speaks IKEv2 only, ``group`` of a Child
SA is for perfect forward secrecy, ``lifetime`` is the hard limit (the kernel asks for a new SA some 10% before it), and
``ikelifetime`` is when the IKE SA is rekeyed. Version ``linux`` is OpenIKED there, which has no combined modes for ESP.
"""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import PSK_PLACEHOLDER, Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.export.life_settings import FittedLife, LifeSettings, Setting, fit_life
from ipsecbench.export.target import Comment, File, Proof, Target

_IKE_ENCRYPTION = {
    "3des": "3des",
    "aes128": "aes-128",
    "aes192": "aes-192",
    "aes256": "aes-256",
    "aes128gcm16": "aes-128-gcm",
    "aes256gcm16": "aes-256-gcm",
}
_ESP_ENCRYPTION = {
    **_IKE_ENCRYPTION,
    "aes192gcm16": "aes-192-gcm",
    "aes128ctr": "aes-128-ctr",
    "aes192ctr": "aes-192-ctr",
    "aes256ctr": "aes-256-ctr",
    "aes128gmac": "aes-128-gmac",
    "aes192gmac": "aes-192-gmac",
    "aes256gmac": "aes-256-gmac",
    "cast128": "cast",
    "chacha20poly1305": "chacha20-poly1305",
    "null": "null",
}
_HASHES = {
    "md5": "hmac-md5",
    "sha1": "hmac-sha1",
    "sha256": "hmac-sha2-256",
    "sha384": "hmac-sha2-384",
    "sha512": "hmac-sha2-512",
}
_CURVES = {
    "ecp192": "ecp192",
    "ecp224": "ecp224",
    "ecp256": "ecp256",
    "ecp384": "ecp384",
    "ecp521": "ecp521",
    "ecp224bp": "brainpool224",
    "ecp256bp": "brainpool256",
    "ecp384bp": "brainpool384",
    "ecp512bp": "brainpool512",
    "x25519": "curve25519",
}
_GROUPS = _CURVES | {name: name for name in KEY_EXCHANGE if name.startswith("modp") and "s" not in name}
_AUTHENTICATION = {
    "ecdsa-256": "ecdsa256",
    "ecdsa-384": "ecdsa384",
    "ecdsa-521": "ecdsa521",
    "rsa-2048": "rfc7427",
    "rsa-3072": "rfc7427",
    "rsa-4096": "rfc7427",
}
_LIFE = LifeSettings("iked", "Child SA", Setting(1, 2**31 - 1), octets=Setting(1, 2**62))
"""It counts seconds and octets, and no packets."""


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What iked does not have."""
    lines: list[str] = []
    if connection.ike_version == 1:
        lines.append("iked speaks IKEv2 only: isakmpd is OpenBSD's daemon for IKEv1")
    for ike in connection.ike_proposals:
        lines += [
            *_missing(f"IKE encryption {ike.encryption}", ike.encryption in _IKE_ENCRYPTION),
            *_missing(f"IKE integrity {ike.integrity}", ike.integrity is None or ike.integrity in _HASHES),
            *_missing(ike.prf, ike.prf.removeprefix("prf") in _HASHES),
        ]
    for esp in connection.esp_proposals:
        lines += [
            *_missing(f"ESP encryption {esp.encryption}", esp.encryption in _ESP_ENCRYPTION),
            *_missing(f"ESP integrity {esp.integrity}", esp.integrity is None or esp.integrity in _HASHES),
        ]
    for method in connection.key_exchange_methods:
        lines += _missing(f"group {method}", method in _GROUPS)
    if connection.has_additional_key_exchanges:
        lines.append("iked has no additional key exchanges (RFC 9370)")
    if not connection.uses_psk:
        lines += _missing(
            f"authentication with {connection.authentication}", connection.authentication in _AUTHENTICATION
        )
    if version == "linux" and any(esp.transform.aead for esp in connection.esp_proposals):
        lines.append("OpenIKED on Linux drops a combined-mode ESP proposal without a word (its parse.y says why)")
    lines += _child_life(connection).refusals
    if connection.nat_traversal:
        lines.append("iked cannot be told to encapsulate without a NAT: it finds one by itself")
    return tuple(dict.fromkeys(lines))


def _missing(what: str, there: bool) -> list[str]:
    return [] if there else [f"iked has no {what}"]


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """``iked.conf``, one policy."""
    header = TARGET.header(connection, version)
    mss = connection.mss_ipv6_bytes if connection.inner_ip_version == 6 else connection.mss_ipv4_bytes
    notes = TARGET.comment.lines(
        "Place: /etc/iked.conf (mode 0600), then: rcctl enable iked; rcctl start iked",
        *_certificate_lines(connection),
        *_child_life(connection).notes,
        f"The kernel chooses the anti-replay window (wanted: {connection.replay_window_packets} packets). MSS and "
        f"inner MTU ({connection.inner_mtu_bytes}) are for pf.conf:",
    )
    notes += TARGET.comment.commands(f"match on enc0 scrub (max-mss {mss})")
    if connection.tunnel_protocol is not None:
        notes += TARGET.comment.lines("The tunnel device that transport mode protects, and its routes:")
        notes += TARGET.comment.commands(*_device_commands(connection))
    return (File("iked.conf", f"{header}#\n{notes}\n{_policy(connection)}", 0o600),)


def verify(connection: Connection) -> str:
    """Shows the SAs that are up with their algorithms, lives and selectors."""
    return "ikectl show sa; ipsecctl -sa"


def _certificate_lines(connection: Connection) -> tuple[str, ...]:
    if connection.uses_psk:
        return ()
    return (
        f"Certificates ({connection.authentication}, subjectAltName {connection.local.identity}): this end's in "
        "/etc/iked/certs/, its key in /etc/iked/private/local.key, the authority's in /etc/iked/ca/.",
    )


def _child_life(connection: Connection) -> FittedLife:
    return fit_life(connection.child_life, _LIFE)


def _device_commands(connection: Connection) -> tuple[str, ...]:
    device = "gre0" if connection.mode == "gre" else "gif0"
    routes = [
        f"route add {'-inet6 ' if ':' in network else ''}{network} -iface {device}"
        for network in connection.peer.networks
    ]
    return (
        f"ifconfig {device} tunnel {connection.local.address} {connection.peer.address} "
        f"mtu {connection.inner_mtu_bytes} up",
        *routes,
    )


def _policy(connection: Connection) -> str:
    life = _child_life(connection)
    octets = "" if life.octets is None else f" bytes {life.octets}"
    parts = [
        f'ikev2 "{connection.name}" {"passive" if connection.at_peer else "active"} {connection.esp_mode} esp',
        *_selectors(connection),
        f"local {connection.local.address} peer {connection.peer.address}",
        *(_ike(ike) for ike in connection.ike_proposals),
        *(_esp(esp) for esp in connection.esp_proposals),
        f'srcid "{connection.local.identity}" dstid "{connection.peer.identity}"',
        f"ikelifetime {connection.ike_life.soft_seconds}",
        f"lifetime {life.seconds}{octets}",
        f'psk "{PSK_PLACEHOLDER}"' if connection.uses_psk else _AUTHENTICATION[connection.authentication],
    ]
    note = ""
    if connection.uses_psk:
        note = TARGET.comment.lines("The same secret at both ends, random, at least 256 bits: openssl rand -base64 32")
    return note + " \\\n\t".join(parts) + "\n"


def _selectors(connection: Connection) -> list[str]:
    if connection.mode == "tunnel":
        return [f"from {here} to {there}" for here in connection.local.networks for there in connection.peer.networks]
    protocol = [] if connection.tunnel_protocol is None else [f"proto {connection.tunnel_protocol}"]
    return [*protocol, f"from {connection.local.address} to {connection.peer.address}"]


def _ike(ike: IkeAlgorithms) -> str:
    integrity = "" if ike.integrity is None else f" auth {_HASHES[ike.integrity]}"
    prf = _HASHES[ike.prf.removeprefix("prf")]
    return f"ikesa enc {_IKE_ENCRYPTION[ike.encryption]}{integrity} prf {prf} group {_GROUPS[ike.key_exchange]}"


def _esp(esp: EspAlgorithms) -> str:
    integrity = "" if esp.integrity is None else f" auth {_HASHES[esp.integrity]}"
    group = "" if esp.key_exchange is None else f" group {_GROUPS[esp.key_exchange]}"
    return f"childsa enc {_ESP_ENCRYPTION[esp.encryption]}{integrity}{group} {'esn' if esp.esn else 'noesn'}"


TARGET = Target(
    name="iked",
    title="OpenBSD iked.conf",
    versions=("openbsd", "linux"),
    proof=Proof.PARSED,
    proof_text=(
        "OpenIKED 7.2 (Linux) accepts the file (iked -n) and prints the same policy back (iked -nvv), except that on "
        "Linux it prints no combined-mode ESP proposal: of those it reads the words and no more is known here"
    ),
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
)
