"""Judging parameters that somebody else chose: a pair of proposal strings and their lives.

The findings say what a standard or a policy has against each part, and what the combination comes to. Nothing here
needs a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.limits import BLOCK_64_BYTES
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.recommend.formats import seconds
from ipsecbench.recommend.policy import Policy
from ipsecbench.recommend.proposals import Proposal, parse_esp_proposal, parse_ike_proposal
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.standing import forbidden, level, strength_bits, unregistered

_LOGJAM_BITS = 90
"""Strength up to which the precomputation attack of the Logjam authors matters (groups of 1536 bits and below)."""
_DISCOURAGED = ("SHOULD NOT", "not listed")


class Severity(StrEnum):
    """How bad a finding is."""

    REFUSE = "refuse"
    """Do not run this."""
    WARN = "warn"
    """Replace this when you can."""
    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is to be said of the parameters."""

    severity: Severity
    """How bad."""
    subject: str
    """What it is about: a proposal token, or ``lifetime``, ``pfs``."""
    reason: Reason
    """What, and who says so."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is to be said of a pair of proposals."""

    ike: Proposal
    """Phase 1, taken apart."""
    esp: Proposal
    """Phase 2, taken apart."""
    strength_bits: int
    """The weakest part of both."""
    findings: tuple[Finding, ...]
    """Worst first."""

    @property
    def acceptable(self) -> bool:
        """Whether nothing is to be refused."""
        return all(finding.severity is not Severity.REFUSE for finding in self.findings)


def judge(
    ike: str,
    esp: str,
    policy: Policy,
    *,
    ike_seconds: int | None = None,
    child_seconds: int | None = None,
) -> Verdict:
    """What is to be said of a pair of proposals and their lives.

    Args:
        ike: phase 1 proposal, such as ``aes256-sha1-modp1024``.
        esp: phase 2 proposal, such as ``aes128-md5``; a key exchange in it means perfect forward secrecy.
        policy: gives the target strength and the longest lives.
        ike_seconds: life of the IKE SA, if it is to be judged too.
        child_seconds: life of the Child SA, if it is to be judged too.

    Raises:
        UsageError: a proposal cannot be read; the message names the token.
    """
    one, two = parse_ike_proposal(ike), parse_esp_proposal(esp)
    target = policy.number("minimum_strength_bits")
    findings: list[Finding] = []
    parts = [
        (Role.IKE_ENCRYPTION, one.encryption),
        (Role.PRF, one.prf or ""),
        (Role.KEY_EXCHANGE, one.key_exchange or ""),
    ]
    if two.esp_suite in esp_suites():
        parts.append((Role.ESP_SUITE, two.esp_suite))
    else:
        text = f"{two.encryption} without an integrity transform: anyone on the way can change packets unnoticed"
        findings.append(Finding(Severity.REFUSE, two.encryption, Reason(text, ("rfc8221",))))
    if two.key_exchange is not None and two.key_exchange != one.key_exchange:
        parts.append((Role.KEY_EXCHANGE, two.key_exchange))
    for role, name in parts:
        findings += _part(role, name, target)
    findings += _group(one.key_exchange or "")
    findings += _combination(one, two)
    findings += _block_size(two)
    findings += _lives(policy, ike_seconds, child_seconds, two.key_exchange is not None)
    bits = min(strength for role, name in parts if (strength := strength_bits(role, name)) is not None)
    order = list(Severity)
    return Verdict(one, two, bits, tuple(sorted(findings, key=lambda finding: order.index(finding.severity))))


def _part(role: Role, name: str, target_bits: int) -> list[Finding]:
    """What the standards and the target strength have against one part."""
    against = forbidden(role, name) or unregistered(role, name)
    if against is not None:
        return [Finding(Severity.REFUSE, name, against)]
    found = []
    text, source = level(role, name)
    sources = (source,) if source is not None else ()
    if text.startswith(_DISCOURAGED):
        found.append(Finding(Severity.WARN, name, Reason(f"{name}: {text}", sources)))
    elif text.startswith("MUST-"):
        found.append(Finding(Severity.WARN, name, Reason(f"{name}: {text}, expected to be downgraded", sources)))
    bits = strength_bits(role, name)
    if bits is not None and bits < target_bits:
        severity = Severity.WARN if bits >= 112 else Severity.REFUSE
        text = f"{name} has about {bits} bits, below the target of {target_bits}"
        found.append(Finding(severity, name, Reason(text, ("nist57",))))
    return found


def _group(name: str) -> list[Finding]:
    if KEY_EXCHANGE[name].kind != "ffdh" or KEY_EXCHANGE[name].strength_bits > _LOGJAM_BITS:
        return []
    text = (
        f"{name} is a fixed prime that the whole world shares, so that one precomputation serves against every "
        "exchange with it, past ones included: short key lives do not help. 768 bits are in reach of academics, "
        "1024 bits of a state; a second broken 1024-bit prime would open 66% of IPsec servers to passive listening"
    )
    return [Finding(Severity.REFUSE, name, Reason(text, ("logjam", "rfc8247")))]


def _combination(ike: Proposal, esp: Proposal) -> list[Finding]:
    found = []
    exchange = KEY_EXCHANGE[ike.key_exchange or ""]
    cipher = max(ENCRYPTION[ike.encryption].strength_bits, ENCRYPTION[esp.encryption].strength_bits)
    if cipher > exchange.strength_bits:
        text = (
            f"a {cipher}-bit cipher behind {exchange.name} is a tunnel of about {exchange.strength_bits} bits: "
            "whoever breaks the exchange has the keys"
        )
        found.append(Finding(Severity.NOTE, exchange.name, Reason(text, ("nist57",))))
    if esp.key_exchange is None:
        text = (
            "no perfect forward secrecy: every Child SA under one IKE SA falls with its one key exchange; put the key "
            "exchange into the ESP proposal"
        )
        found.append(Finding(Severity.WARN, "pfs", Reason(text, ("nist77", "rfc7296"))))
    elif KEY_EXCHANGE[esp.key_exchange].strength_bits < exchange.strength_bits:
        text = f"{esp.key_exchange} for perfect forward secrecy is weaker than {exchange.name} of phase 1"
        found.append(Finding(Severity.WARN, esp.key_exchange, Reason(text, ("nist77",))))
    return found


def _block_size(esp: Proposal) -> list[Finding]:
    if ENCRYPTION[esp.encryption].block_bytes != 8:
        return []
    lasts = seconds(BLOCK_64_BYTES * 8 / 1e9)
    text = f"64-bit block: 8 MiB per key, i.e. a rekey every {lasts} at 1 Gbit/s"
    return [Finding(Severity.WARN, esp.encryption, Reason(text, ("nisttdea", "sweet32")))]


def _lives(policy: Policy, ike_seconds: int | None, child_seconds: int | None, pfs: bool) -> list[Finding]:
    found = []
    for which, life, setting in (
        ("IKE SA", ike_seconds, "ike_maximum_seconds"),
        ("Child SA", child_seconds, "child_maximum_seconds"),
    ):
        longest = policy.number(setting)
        sources = policy.settings[setting].reason.sources
        if life is not None and life > longest:
            text = f"{life} s is longer than the {longest} s that policy {policy.label} allows the {which}"
            found.append(Finding(Severity.WARN, "lifetime", Reason(text, sources)))
    if ike_seconds is not None and not pfs:
        text = (
            f"without perfect forward secrecy one key exchange opens all traffic of {seconds(ike_seconds)}: the life "
            "of the IKE SA bounds the damage, not the time that an attack may take"
        )
        found.append(Finding(Severity.NOTE, "lifetime", Reason(text, ("rfc4308", "nist77"))))
    return found
