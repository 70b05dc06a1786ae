"""Numbers, sizes and strengths of algorithms as lines of text, from the tables."""

from __future__ import annotations

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.ikev1 import ESP_PRIVATE, PHASE1_AUTHENTICATION, PHASE1_HASHES
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.limits import ADVANTAGE_EXPONENT, bytes_per_key
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.requirement_levels import STANDARDS, Level, standing
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.explain.subjects import Kind, Member
from ipsecbench.recommend.formats import octets

_LIFE_PACKET_BYTES = 1448
"""Packets that the octets of one key are said for; smaller ones give less."""
_COLUMN = {Kind.ENCRYPTION: "ENCR", Kind.INTEGRITY: "INTEG", Kind.PRF: "PRF", Kind.KEY_EXCHANGE: "KE"}
_ECDSA_HASHES = ("ecdsa-256", "ecdsa-384", "ecdsa-521")


def numbers(member: Member) -> tuple[str, ...]:
    """Numbers in the registries of IKEv2 and IKEv1."""
    name = member.name
    if member.kind is Kind.ENCRYPTION:
        cipher = ENCRYPTION[name]
        found = [_number("IKEv2 transform type 1 (ENCR)", cipher.ikev2_id)]
        found.append(_number("IKEv1 phase 1 encryption", cipher.ikev1_phase1_id))
        private = ESP_PRIVATE.get(name)
        found.append(
            f"IKEv1 ESP transform {private} (private range)"
            if cipher.ikev1_esp_id is None and private is not None
            else _number("IKEv1 ESP transform", cipher.ikev1_esp_id)
        )
        return (cipher.iana_name, *found)
    if member.kind is Kind.INTEGRITY:
        mac, phase1 = INTEGRITY[name], PHASE1_HASHES.get(name)
        return (
            mac.iana_name,
            _number("IKEv2 transform type 3 (INTEG)", mac.ikev2_id),
            _number("IKEv1 phase 1 hash", None if phase1 is None else phase1.number),
            _number("IKEv1 ESP authentication", mac.ikev1_esp_id),
        )
    if member.kind is Kind.PRF:
        return (PRF[name].iana_name, _number("IKEv2 transform type 2 (PRF)", PRF[name].ikev2_id))
    if member.kind is Kind.KEY_EXCHANGE:
        method = KEY_EXCHANGE[name]
        old = "IKEv1 group: none" if method.kem else f"IKEv1 group {method.ikev2_id}"
        return (method.iana_name, _number("IKEv2 transform type 4 (KE)", method.ikev2_id), old)
    if member.kind is Kind.AUTHENTICATION:
        return _authentication_numbers(name)
    return ()


def _authentication_numbers(name: str) -> tuple[str, ...]:
    family = name.partition("-")[0]
    old = PHASE1_AUTHENTICATION.get(name, PHASE1_AUTHENTICATION.get(family))
    new = {"psk": "2", "rsa": "14 (1 with SHA-1)"}.get(family, "14")
    if name in _ECDSA_HASHES:
        new = f"14 ({old} without RFC 7427)"
    return (f"IKEv2 Auth Method {new}", _number("IKEv1 authentication", old))


def _number(registry: str, number: int | None) -> str:
    return f"{registry}: none" if number is None else f"{registry} {number}"


def sizes(member: Member) -> tuple[str, ...]:
    """Lengths that matter on the wire and for keys."""
    name = member.name
    if member.kind is Kind.ENCRYPTION:
        return _cipher_sizes(name)
    if member.kind is Kind.INTEGRITY:
        mac = INTEGRITY[name]
        return (f"key {8 * mac.key_bytes} bits", f"ICV {mac.icv_bytes} of {mac.output_bytes} octets")
    if member.kind is Kind.PRF:
        return (f"output {PRF[name].output_bytes} octets",)
    if member.kind is Kind.KEY_EXCHANGE:
        method = KEY_EXCHANGE[name]
        sent = (
            f"sends {method.initiator_bytes} octets each way"
            if method.initiator_bytes == method.responder_bytes
            else f"sends {method.initiator_bytes} octets, answers {method.responder_bytes}"
        )
        exponent = method.exponent_bits
        return (sent,) if exponent is None else (sent, f"exponent {exponent} bits in strongSwan's table")
    if member.kind is Kind.ESP_SUITE:
        suite = esp_suites()[name]
        return (f"IV {suite.encryption.iv_bytes} octets", f"ICV {suite.icv_bytes} octets")
    return ()


def _cipher_sizes(name: str) -> tuple[str, ...]:
    cipher = ENCRYPTION[name]
    if cipher.mode == "null":
        return ("no key, no IV",)
    found = [f"key {cipher.key_bits} bits" + (f" and salt {8 * cipher.salt_bytes} bits" if cipher.salt_bytes else "")]
    found += [f"block {8 * cipher.block_bytes} bits", f"IV {cipher.iv_bytes} octets"]
    found.append(f"ICV {cipher.icv_bytes} octets" if cipher.aead else "no ICV of its own")
    most = bytes_per_key(cipher, _LIFE_PACKET_BYTES)
    if most is not None:
        bound = "NIST SP 800-67r2" if cipher.block_bytes == 8 else f"an advantage of 2^-{ADVANTAGE_EXPONENT}"
        found.append(f"at most {octets(most)} under one key ({bound})")
    return tuple(found)


def strength(member: Member) -> str:
    """Estimated strength in words."""
    name = member.name
    if member.kind is Kind.ENCRYPTION:
        bits: int | None = ENCRYPTION[name].strength_bits
        if ENCRYPTION[name].mode in ("null", "gmac"):
            return "hides nothing"
    elif member.kind is Kind.INTEGRITY:
        bits = INTEGRITY[name].strength_bits
    elif member.kind is Kind.PRF:
        bits = PRF[name].strength_bits
    elif member.kind is Kind.KEY_EXCHANGE:
        method = KEY_EXCHANGE[name]
        quantum = f", {method.quantum_strength_bits} against a quantum computer" if method.kem else ""
        return f"about {method.strength_bits} bits{quantum or ', none against a quantum computer'}"
    elif member.kind is Kind.ESP_SUITE:
        bits = esp_suites()[name].strength_bits
        if not bits:
            return "hides nothing"
    elif member.kind is Kind.AUTHENTICATION:
        bits = AUTHENTICATION[name].strength_bits
        if bits is None:
            return "as many bits as the secret has entropy"
    else:
        return ""
    return f"about {bits} bits" if bits else "no strength is claimed for it"


def levels(member: Member) -> tuple[tuple[str, Level], ...]:
    """What the standards say of it, each with the standard's name; a suite's parts are asked by themselves."""
    column = _COLUMN.get(member.kind)
    if member.kind is Kind.AUTHENTICATION:
        return ((STANDARDS["rfc8247_ike"], Level("rfc8247_ike", AUTHENTICATION[member.name].level, True)),)
    if column is None:
        return ()
    found = standing(column, member.name)
    return tuple((STANDARDS[key], level) for key, level in found.levels.items())


def registry_status(member: Member) -> str:
    """The status in the IANA registry; empty for what has none."""
    column = _COLUMN.get(member.kind)
    return "" if column is None else standing(column, member.name).iana_status


def parts(member: Member) -> tuple[Member, ...]:
    """The transforms that a suite consists of, or the row itself."""
    if member.kind is not Kind.ESP_SUITE:
        return (member,)
    suite = esp_suites()[member.name]
    found = [Member(Kind.ENCRYPTION, suite.encryption.name)]
    if suite.integrity is not None:
        found.append(Member(Kind.INTEGRITY, suite.integrity.name))
    return tuple(found)
