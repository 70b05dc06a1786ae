"""Grading single algorithms: what the standards and a policy have against each."""

from __future__ import annotations

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.audit.findings import Finding, Grade
from ipsecbench.audit.unassessed import unassessed
from ipsecbench.recommend.policies.policy import Permission, Policy, fallback_parts
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.standing import forbidden, level, never_acceptable, strength_bits, unregistered

LEAST_BITS = 112
"""Below this nothing is acceptable to any standard (NIST SP 800-131A)."""

_DISCOURAGED = ("SHOULD NOT", "not listed", "not standardised")
_KINDS = {
    Role.IKE_ENCRYPTION: "encryption",
    Role.IKE_INTEGRITY: "integrity",
    Role.PRF: "prf",
    Role.KEY_EXCHANGE: "key_exchange",
    Role.ADDITIONAL_KEY_EXCHANGE: "key_exchange",
}


def against(policy: Policy) -> Grade:
    """The grade of what a policy does not list: it fails a policy that stands for a standard."""
    return Grade.FAIL if policy.word("unlisted") == "fail" else Grade.WARN


def grade_part(policy: Policy, role: Role, name: str, *, implied: bool = False, lines: tuple[int, ...] = ()) -> Finding:
    """What the standards and a policy say of one algorithm.

    Args:
        policy: what is allowed.
        role: what the algorithm is for.
        name: token, ESP suite, or one of :mod:`ipsecbench.audit.unassessed`.
        implied: whether only the program's own proposals have it.
        lines: where it is written.
    """
    grades, bits, text, verified = _grades(policy, role, name)
    grades.sort(key=lambda found: -found[0].rank)
    return Finding(
        grade=grades[0][0],
        about=role.value,
        subject=name,
        reasons=tuple(dict.fromkeys(reason for _, reason in grades)),
        level=text,
        strength_bits=bits,
        verified=verified,
        implied=implied,
        lines=lines,
    )


def _grades(policy: Policy, role: Role, name: str) -> tuple[list[tuple[Grade, Reason]], int | None, str, bool]:
    """Every grade with its reason, the strength, the RFC level, and whether the policy's line was verified."""
    never = never_acceptable(role, name)
    if never is not None:
        return [(Grade.FAIL, never)], 0, "", True
    if role is Role.ESP_SUITE and name not in esp_suites():
        return [(Grade.FAIL, _unknown_suite(name))], None, "", True
    other = unassessed(_KINDS.get(role, ""), name)
    if other is not None:
        return [(Grade.FAIL, other.reason)], None, "", True
    bits, (text, source) = strength_bits(role, name), level(role, name)
    accepted = policy.accepts(role, name)
    if accepted is not None:
        line = policy.line(role, name)
        return [(Grade.WARN, accepted)], bits, text, line is None or line.verified
    refused = (forbidden(role, name), unregistered(role, name))
    found = [(Grade.FAIL, reason) for reason in refused if reason is not None]
    if policy.permission(role, name) is Permission.FALLBACK and not found:
        return [(Grade.WARN, _for_old_peers(policy, role, name))], bits, text, True
    found += _weak(policy, role, name, bits)
    sources = (source,) if source is not None else ()
    if text.startswith(_DISCOURAGED):
        found.append((Grade.WARN, Reason(f"{name}: {text}", sources)))
    elif text.startswith("MUST-"):
        found.append((Grade.WARN, Reason(f"{name}: {text}, expected to be downgraded", sources)))
    grade, reason, verified = _by_policy(policy, role, name)
    found.append((grade, reason))
    return found, bits, text, verified


def _weak(policy: Policy, role: Role, name: str, bits: int | None) -> list[tuple[Grade, Reason]]:
    target = policy.number("minimum_strength_bits")
    if bits is None or bits >= target:
        return []
    if bits == 0:
        return [(Grade.FAIL, Reason(f"{name} keeps nothing secret", ("rfc8221",)))]
    # A short integrity key or ICV has to be guessed while the SA lives, packet by packet; secrets are guessed later.
    secret = ENCRYPTION[name.partition("-")[0]].strength_bits if role is Role.ESP_SUITE else bits
    grade = Grade.FAIL if secret < LEAST_BITS and role is not Role.IKE_INTEGRITY else against(policy)
    return [(grade, Reason(f"{name} has about {bits} bits, below the target of {target}", ("nist57",)))]


def _by_policy(policy: Policy, role: Role, name: str) -> tuple[Grade, Reason, bool]:
    permission = policy.permission(role, name)
    line = policy.line(role, name)
    if permission is Permission.ALLOWED and line is not None:
        return Grade.OK if line.recommended else Grade.NOTE, line.reason, line.verified
    return against(policy), policy.why_not_listed(role, name), True


def _for_old_peers(policy: Policy, role: Role, name: str) -> Reason:
    """Why a policy has something in proposals for old peers only."""
    text = next(
        each.text
        for fallbacks, ike in ((policy.ike_fallbacks, True), (policy.esp_fallbacks, False))
        for each in fallbacks
        if (role, name) in fallback_parts(each.proposal, ike)
    )
    why = policy.why_not_listed(role, name)
    said = why.text.removeprefix(f"not in policy {policy.label}: ")
    return Reason(f"only for old peers, as in {text}: {said}", why.sources)


def _unknown_suite(name: str) -> Reason:
    parts = name.split("-")
    for kind, part in (("encryption", parts[0]), *(("integrity", part) for part in parts[1:])):
        found = unassessed(kind, part)
        if found is not None:
            return found.reason
    return Reason(f"{name} is no suite of ESP", ("rfc8221",))
