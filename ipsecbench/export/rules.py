"""What no target writes, whatever the product would accept, and what is only written when it was asked for.

The rules are those that the standards leave no choice about (RFC 8221 sections 4 to 6, RFC 8247, NIST SP 800-77r1
section 5): integrity for every packet, no aggressive mode with a pre-shared key, perfect forward secrecy that is no
weaker than the IKE SA. Algorithms that a standard forbids or that have no number are written only on request, and every
file says so.
"""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import PHASE1_AUTHENTICATION, PHASE1_HASHES
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms

_FULL_ICV_BYTES = 16

_OLD_CIPHERS = {
    "des": "56 bits, MUST NOT (RFC 8221, RFC 8247)",
    "3des": "64-bit blocks, 8 MiB per key (NIST SP 800-67r2); SHOULD NOT (RFC 8221)",
    "cast128": "64-bit blocks, deprecated (RFC 9395)",
    "blowfish": "64-bit blocks, MUST NOT (RFC 8221)",
    "twofish": "no number in the IANA registry: two vendors do not mean the same by it",
    "serpent": "no number in the IANA registry: two vendors do not mean the same by it",
}
_OLD_NAMES = {
    "md5": "MUST NOT (RFC 8221, RFC 8247)",
    "prfmd5": "MUST NOT (RFC 8247)",
    "modp768": "about 60 bits, MUST NOT (RFC 8247)",
    "modp1024": "about 80 bits, SHOULD NOT, expected to become MUST NOT (RFC 8247)",
    "modp1536": "about 90 bits, SHOULD NOT (RFC 8247)",
    "ecp192": "about 96 bits, below every policy's minimum",
    "modp1024s160": "about 80 bits, MUST NOT (RFC 8247)",
    "modp2048s224": "a prime of unknown origin, SHOULD NOT (RFC 8247)",
    "modp2048s256": "a prime of unknown origin, SHOULD NOT (RFC 8247)",
}


def _old(name: str) -> str | None:
    """What a standard has against an algorithm; None where nothing is."""
    return _OLD_NAMES.get(name) or _OLD_CIPHERS.get(name.rstrip("0123456789") if name not in _OLD_CIPHERS else name)


def legacy_warnings(connection: Connection) -> tuple[str, ...]:
    """What is forbidden or unregistered among the connection's algorithms, one line each."""
    names: list[str] = []
    for ike in connection.ike_proposals:
        names += [ike.encryption, ike.integrity or "", ike.prf, ike.key_exchange]
    for esp in connection.esp_proposals:
        names += [esp.encryption, esp.integrity or "", esp.key_exchange or ""]
    old = {name: reason for name in names if (reason := _old(name)) is not None}
    lines = [f"{name}: {reason}" for name, reason in old.items()]
    if connection.ike_version == 1:
        lines.append("IKEv1 is historic and its registries are closed (RFC 9395)")
    return tuple(lines)


def common_refusals(connection: Connection, *, accept_legacy: bool = False) -> tuple[str, ...]:
    """What stands against writing this connection for any product, one line each.

    Args:
        connection: what is to be written.
        accept_legacy: also write algorithms that a standard forbids or that have no number. Integrity, aggressive
            mode and perfect forward secrecy are not negotiable.
    """
    lines: list[str] = []
    for ike in connection.ike_proposals:
        lines += _ike(ike)
    for esp in connection.esp_proposals:
        lines += _esp(esp)
    lines += _perfect_forward_secrecy(connection)
    if connection.aggressive:
        if connection.ike_version == 2:
            lines.append("aggressive mode is IKEv1's")
        elif connection.uses_psk:
            lines.append(
                "aggressive mode with a pre-shared key lets anyone who asks guess the key offline: use main mode"
            )
    if connection.mode == "ipip" and connection.inner_ip_version is None:
        lines.append("IP in IP carries one IP version: name networks of IPv4 or of IPv6, or use GRE")
    if connection.ike_version == 1:
        lines += _version_1(connection)
    if not accept_legacy:
        lines += [
            f"{line}; --accept-legacy writes it all the same"
            for line in legacy_warnings(connection)
            if not line.startswith("IKEv1")
        ]
    return tuple(dict.fromkeys(lines))


def _ike(ike: IkeAlgorithms) -> list[str]:
    transform = ike.transform
    lines = []
    if transform.mode in ("null", "gmac"):
        lines.append(f"IKE with {ike.encryption} hides nothing: MUST NOT (RFC 8247)")
    if transform.aead and ike.integrity is not None:
        lines.append(f"IKE {ike.encryption} protects integrity itself and takes no {ike.integrity} beside it")
    if not transform.aead and ike.integrity is None:
        lines.append(f"IKE {ike.encryption} without an integrity transform: MUST NOT (RFC 8247)")
    lines += _short_icv("IKE", ike.encryption)
    return lines


def _esp(esp: EspAlgorithms) -> list[str]:
    transform = esp.transform
    lines = []
    if transform.aead and esp.integrity is not None:
        lines.append(f"ESP {esp.encryption} protects integrity itself and takes no {esp.integrity} beside it")
    if not transform.aead and esp.integrity is None:
        what = "NULL without integrity protects nothing" if transform.mode == "null" else "integrity none"
        lines.append(f"ESP {esp.encryption} without an integrity transform ({what}): MUST NOT (RFC 8221 section 5)")
    lines += _short_icv("ESP", esp.encryption)
    return lines


def _short_icv(what: str, encryption: str) -> list[str]:
    icv = ENCRYPTION[encryption].icv_bytes
    if not 0 < icv < _FULL_ICV_BYTES:
        return []
    full = f"{encryption.rstrip('0123456789')}{_FULL_ICV_BYTES}"
    return [f"{what} {encryption} has an ICV of {icv} octets only: use {full}"]


def _perfect_forward_secrecy(connection: Connection) -> list[str]:
    lines = []
    needed = min(KEY_EXCHANGE[ike.key_exchange].strength_bits for ike in connection.ike_proposals)
    for esp in connection.esp_proposals:
        if esp.key_exchange is None:
            continue
        bits = KEY_EXCHANGE[esp.key_exchange].strength_bits
        if bits < needed:
            lines.append(
                f"perfect forward secrecy with {esp.key_exchange} ({bits} bits) is weaker than the IKE SA's "
                f"key exchange ({needed} bits): it would be the way in"
            )
    if (
        connection.ike.additional_key_exchanges
        and connection.esp.key_exchange is not None
        and not connection.esp.additional_key_exchanges
    ):
        lines.append(
            "the IKE SA has additional key exchanges and the rekey of the Child SA has none: it would be weaker"
        )
    return lines


def _version_1(connection: Connection) -> list[str]:
    """What IKEv1 has no number for (RFC 2407, RFC 2409, RFC 4868; closed by RFC 9395)."""
    lines: list[str] = []
    for ike in connection.ike_proposals:
        if ike.transform.ikev1_phase1_id is None:
            lines.append(f"IKEv1 has no number for {ike.encryption} in phase 1")
        chosen = PHASE1_HASHES.get(ike.integrity or "")
        if ike.integrity is not None and chosen is None:
            lines.append(f"IKEv1 has no hash {ike.integrity} in phase 1")
        if chosen is not None and chosen.prf != ike.prf:
            lines.append(f"IKEv1's PRF is the HMAC of its hash: {ike.prf} does not go with {ike.integrity}")
        if ike.additional_key_exchanges:
            lines.append("additional key exchanges need IKEv2 (RFC 9370)")
        lines += _no_kem(ike.key_exchange)
    for esp in connection.esp_proposals:
        if esp.transform.ikev1_esp_id is None:
            lines.append(f"IKEv1 has no number for ESP with {esp.encryption}")
        if esp.integrity is not None and INTEGRITY[esp.integrity].ikev1_esp_id is None:
            lines.append(f"IKEv1 has no number for ESP with {esp.integrity}")
        if esp.additional_key_exchanges:
            lines.append("additional key exchanges need IKEv2 (RFC 9370)")
        lines += [] if esp.key_exchange is None else _no_kem(esp.key_exchange)
    method = connection.authentication
    if method not in PHASE1_AUTHENTICATION and not method.startswith("rsa-"):
        lines.append(f"IKEv1 has no number for authentication with {method}")
    return lines


def _no_kem(method: str) -> list[str]:
    return [f"IKEv1 has no {method}: it is no Diffie-Hellman group"] if KEY_EXCHANGE[method].kem else []
