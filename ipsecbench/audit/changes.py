"""What to change in a configuration so that a policy has nothing against it."""

from __future__ import annotations

from collections.abc import Iterable

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.audit.configuration import Format
from ipsecbench.audit.findings import Finding, Grade, spoken
from ipsecbench.audit.parts import grade_part
from ipsecbench.audit.verdict import ConnectionVerdict
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.proposals import esp_proposal, ike_proposal
from ipsecbench.recommend.reasons import Role

_MOST_NAMES = 4
_STRICT = {
    Format.STRONGSWAN: "end ike= and esp= with '!', so that strongSwan does not append its own proposals",
    Format.SWANCTL: "name the proposals, so that strongSwan does not offer its own",
    Format.LIBRESWAN: "name the proposals in ike= and esp=, so that libreswan does not offer its own",
}


def changes(verdict: ConnectionVerdict, policy: Policy, found_in: Format) -> tuple[str, ...]:
    """What to change in a connection, the gravest first; empty where nothing has to be."""
    bad = [finding for finding in verdict.findings if finding.grade in (Grade.WARN, Grade.FAIL)]
    found: list[str] = []
    if any(finding.implied and finding.about in set(Role) for finding in bad) and found_in in _STRICT:
        found.append(_STRICT[found_in])
    versions = [line.name for line in policy.ike_versions]
    if verdict.connection.ike_versions == ("1",) and bad and {"1", "2"} <= set(versions):
        found.append("IKEv2 where the other end has it: IKEv1 has no combined modes and no Curve25519 in phase 1")
    written = [finding for finding in bad if not finding.implied or finding.about == "life"]
    for about in dict.fromkeys(finding.about for finding in written):
        found += _about(about, [finding for finding in written if finding.about == about], verdict, policy)
    return tuple(dict.fromkeys(found))


def _about(about: str, bad: list[Finding], verdict: ConnectionVerdict, policy: Policy) -> Iterable[str]:
    if about in set(Role):
        yield from _algorithms(Role(about), bad, verdict, policy)
    elif about == "exchange-mode":
        yield "IKEv2 instead of aggressive mode; main mode where IKEv1 has to stay"
    elif about == "perfect-forward-secrecy":
        yield f"perfect forward secrecy: put {_named(_allowed(policy, Role.KEY_EXCHANGE))} into every ESP proposal"
    elif about == "sequence-numbers":
        yield "extended sequence numbers: add esn to the ESP proposals"
    elif about == "life":
        for finding in bad:
            setting = "ike_maximum_seconds" if finding.subject == "IKE SA" else "child_maximum_seconds"
            yield f"life of the {finding.subject}: at most {policy.number(setting)} s"
    elif about == "data-limit":
        small = sorted({finding.subject for finding in bad if finding.subject in ENCRYPTION})
        if small:
            yield f"{_named(small)}: no life makes a 64-bit block useful; use a cipher with 128-bit blocks"
        if any(finding.subject not in ENCRYPTION for finding in bad):
            yield "give the Child SAs a life in octets too"


def _algorithms(role: Role, bad: list[Finding], verdict: ConnectionVerdict, policy: Policy) -> Iterable[str]:
    # What the policy sets against a standard's word is warned of, but nothing of it is to be changed under the policy.
    names = list(dict.fromkeys(finding.subject for finding in bad if policy.line(role, finding.subject) is None))
    if not names:
        return
    if role is Role.IKE_VERSION:
        yield f"IKEv{_allowed(policy, role)[0]} alone" if _allowed(policy, role) else "no IKEv1"
        return
    kept = [
        finding.subject
        for finding in verdict.findings
        if finding.about == role.value and finding.grade is Grade.OK and not finding.implied
    ]
    allowed = _allowed(policy, role)
    what = spoken(role.value)
    if role is Role.IKE_INTEGRITY and not allowed:
        yield f"{what}: none beside a combined-mode cipher"
    elif kept and role is not Role.AUTHENTICATION:
        yield f"{what}: leave out {_named(names)}; {_named(kept)} may stay"
    elif allowed:
        yield f"{what}: {_named(allowed)} instead of {_named(names)}"
    elif any(finding.grade is Grade.FAIL for finding in bad):
        yield f"{what}: leave out {_named(names)}"


def _named(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"
    return ", ".join(names)


def _allowed(policy: Policy, role: Role) -> list[str]:
    """What neither the policy nor a standard has anything against, in the policy's order."""
    return [line.name for line in policy.lines[role] if grade_part(policy, role, line.name).grade is Grade.OK]


def passing_pair(policy: Policy) -> str | None:
    """An IKE and an ESP proposal in strongSwan's spelling that nothing is said against; None where there is no such."""
    ciphers, suites = _allowed(policy, Role.IKE_ENCRYPTION), _allowed(policy, Role.ESP_SUITE)
    prfs, exchanges = _allowed(policy, Role.PRF), _allowed(policy, Role.KEY_EXCHANGE)
    if not (ciphers and suites and prfs and exchanges):
        return None
    integrity = None
    if not ENCRYPTION[ciphers[0]].aead:
        beside = [name for name in _allowed(policy, Role.IKE_INTEGRITY) if PRF_OF_INTEGRITY.get(name) in prfs]
        if not beside:
            return None
        integrity = beside[0]
        prfs = [PRF_OF_INTEGRITY[integrity]]
    more = ""
    if policy.word("additional_key_exchange") != "off" and policy.additional_key_exchanges:
        more = f"-ke1_{policy.additional_key_exchanges[0].name}"
    secret = policy.word("perfect_forward_secrecy") != "off"
    numbers = policy.word("extended_sequence_numbers") != "off"
    ike = ike_proposal(ciphers[0], integrity, prfs[0], exchanges[0]) + more
    esp = esp_proposal(suites[0], exchanges[0] + more if secret else None, numbers)
    return f"{ike}/{esp}"
