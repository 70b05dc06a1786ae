"""Grading lives: what policies allow in time, and what one key and one sequence number can carry."""

from __future__ import annotations

from collections.abc import Sequence

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.limits import BLOCK_64_BYTES, SEQUENCE_NUMBER_PACKETS, bytes_per_key
from ipsecbench.audit.configuration import Child, Life, Offer
from ipsecbench.audit.findings import Finding, Grade
from ipsecbench.audit.parts import against
from ipsecbench.recommend.formats import octets, rate, seconds
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason, Role

_PAYLOAD_BYTES = 1400
"""Size of packets that the limits of 128-bit blocks are computed for, as in docs/recommendation.md."""


def grade_time(policy: Policy, life: Life, whose: str, setting: str) -> list[Finding]:
    """A life against the longest that a policy allows.

    Args:
        policy: what is allowed.
        life: of the IKE SA or of the Child SA.
        whose: ``IKE SA`` or ``Child SA``.
        setting: name of the policy's setting.
    """
    longest = policy.number(setting)
    allowed = policy.settings[setting]
    if life.seconds is None and not life.known:
        return []
    if life.seconds is None:
        grade, text = against(policy), f"no limit in time; policy {policy.label} allows the {whose} {longest} s"
    elif life.seconds <= longest:
        grade = Grade.OK
        text = f"{life.seconds} s is within the {longest} s that policy {policy.label} allows the {whose}"
    else:
        grade = against(policy)
        text = f"{life.seconds} s is longer than the {longest} s that policy {policy.label} allows the {whose}"
    return [
        Finding(
            grade=grade,
            about="life",
            subject=whose,
            reasons=(Reason(text, allowed.reason.sources),),
            verified=allowed.verified,
            implied=life.implied,
            lines=() if life.line is None else (life.line,),
        )
    ]


def grade_octets(policy: Policy, child: Child) -> list[Finding]:
    """A limit in octets against the policy and against what the ciphers can carry under one key."""
    found = _small_blocks(policy, child)
    life = child.life
    longest = policy.optional_number("child_maximum_bytes")
    if not life.known:
        return found
    if longest is not None and (life.bytes is None or life.bytes > longest):
        sources = policy.settings["child_maximum_bytes"].reason.sources
        said = "no limit in octets" if life.bytes is None else f"{octets(life.bytes)} under one key"
        text = f"{said}; policy {policy.label} allows {octets(longest)}"
        return [*found, Finding(against(policy), "data-limit", child.name, (Reason(text, sources),))]
    cap = _cap(child.offers)
    if life.bytes is None and policy.word("life_in_octets") == "required":
        text = "no limit in octets; the policy asks for lives in time and in octets"
        return [*found, Finding(against(policy), "data-limit", child.name, (Reason(text, ("nist77",)),))]
    if cap is None:
        return found
    if life.bytes is not None and life.bytes > cap:
        text = f"{octets(life.bytes)} under one key; {octets(cap)} are what keeps an attacker's advantage below 2^-50"
        return [*found, Finding(Grade.WARN, "data-limit", child.name, (Reason(text, ("aead",)),))]
    if life.bytes is None and life.seconds is not None:
        text = (
            f"no limit in octets: within {seconds(life.seconds)} one key carries more than {octets(cap)} "
            f"(an advantage of 2^-50) only above {rate(cap * 8 / life.seconds / 1e6)}"
        )
        found.append(Finding(Grade.NOTE, "data-limit", child.name, (Reason(text, ("aead", "nist77")),)))
    return found


def _small_blocks(policy: Policy, child: Child) -> list[Finding]:
    """64-bit blocks: 8 MiB under one key."""
    found: dict[str, Finding] = {}
    for offer in child.offers:
        for name in offer.encryption:
            if name not in ENCRYPTION or ENCRYPTION[name].block_bytes != 8:
                continue
            unlimited = child.life.known and (child.life.bytes is None or child.life.bytes > BLOCK_64_BYTES)
            lasts = seconds(BLOCK_64_BYTES * 8 / 1e9)
            text = f"{name} has a 64-bit block: 8 MiB per key, i.e. a rekey every {lasts} at 1 Gbit/s"
            if unlimited:
                here = "not limited in octets" if child.life.bytes is None else octets(child.life.bytes)
                text += f"; the life here is {here}"
            accepted = any(
                policy.accepts(Role.ESP_SUITE, f"{name}-{integrity}") is not None for integrity in offer.integrity
            )
            grade = Grade.FAIL if unlimited and not accepted else Grade.WARN
            lines = () if offer.line is None else (offer.line,)
            reason = Reason(text, ("nisttdea", "sweet32"))
            found.setdefault(name, Finding(grade, "data-limit", name, (reason,), implied=offer.implied, lines=lines))
    return list(found.values())


def _cap(offers: Sequence[Offer]) -> int | None:
    """The least that the offered ciphers with 128-bit blocks may carry under one key."""
    caps = [
        bytes_per_key(ENCRYPTION[name], _PAYLOAD_BYTES)
        for offer in offers
        for name in offer.encryption
        if name in ENCRYPTION and ENCRYPTION[name].block_bytes >= 16
    ]
    return min((cap for cap in caps if cap is not None), default=None)


def grade_sequence_numbers(policy: Policy, child: Child) -> list[Finding]:
    """Extended sequence numbers against the policy, and what 2^32 packets come to without them."""
    said = [offer for offer in child.offers if offer.esn and offer.carrier == "esp"]
    if not said:
        return []
    wanted = policy.word("extended_sequence_numbers")
    sources = policy.settings["extended_sequence_numbers"].reason.sources
    if all(True in offer.esn for offer in said):
        text = "extended sequence numbers are offered"
        return [Finding(Grade.OK, "sequence-numbers", child.name, (Reason(text, sources),))]
    life = child.life
    packets = life.packets
    if packets is not None and packets > SEQUENCE_NUMBER_PACKETS:
        text = f"{packets} packets can never be reached: without extended sequence numbers an SA ends before 2^32"
        return [Finding(Grade.WARN, "sequence-numbers", child.name, (Reason(text, ("rfc4303",)),))]
    if wanted == "off":
        return []
    text = "no extended sequence numbers: an SA ends before 2^32 packets"
    if life.seconds is not None:
        text += (
            f", which is {SEQUENCE_NUMBER_PACKETS / life.seconds / 1e3:.0f} kpps over a life of {seconds(life.seconds)}"
        )
    grade = against(policy) if wanted == "required" else Grade.NOTE
    return [Finding(grade, "sequence-numbers", child.name, (Reason(text, ("rfc4303",)),))]
