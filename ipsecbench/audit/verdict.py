"""Judging what somebody else configured, against a policy: every part, and what the parts come to together.

The findings say what a standard or a policy has against each part. Nothing here needs a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE
from ipsecbench.audit.authentications import grade_authentications
from ipsecbench.audit.combinations import (
    grade_additional_exchanges,
    grade_forward_secrecy,
    grade_tunnel,
    known_prime,
)
from ipsecbench.audit.configuration import Child, Configuration, Connection, Format, Life, Note, Offer
from ipsecbench.audit.findings import Finding, Grade, worst
from ipsecbench.audit.limits import grade_octets, grade_sequence_numbers, grade_time
from ipsecbench.audit.parts import grade_part
from ipsecbench.audit.strongswan_proposals import is_combined, parse_offer
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import Reason, Role


@dataclass(frozen=True, slots=True)
class ConnectionVerdict:
    """All that is to be said of one connection."""

    connection: Connection
    """What was judged."""
    findings: tuple[Finding, ...]
    """Worst first; among equals in the order of IKE, Child SAs, lives, combinations."""

    @property
    def grade(self) -> Grade:
        """The worst of the findings."""
        return worst(finding.grade for finding in self.findings)

    @property
    def strength_bits(self) -> int | None:
        """The weakest part of all that is offered; None where no part has a strength."""
        bits = [finding.strength_bits for finding in self.findings if finding.strength_bits is not None]
        return min(bits, default=None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        here = self.connection
        return {
            "name": here.name,
            "line": here.line,
            "grade": self.grade.value,
            "strength_bits": self.strength_bits,
            "ike_versions": list(here.ike_versions),
            "exchange": None if here.exchange is None else here.exchange.value,
            "ike_proposals": [_offered(offer) for offer in here.offers],
            "children": [
                {"name": child.name, "line": child.line, "proposals": [_offered(offer) for offer in child.offers]}
                for child in here.children
            ],
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": [_noted(note) for note in here.notes],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is to be said of a configuration."""

    policy: str
    """Name and version of the policy."""
    format: Format
    """What the text was read as."""
    connections: tuple[ConnectionVerdict, ...]
    """In the order of the text."""
    notes: tuple[Note, ...]
    """What was not followed."""

    @property
    def grade(self) -> Grade:
        """The worst of the connections."""
        return worst(connection.grade for connection in self.connections)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all connections."""
        return tuple(finding for connection in self.connections for finding in connection.findings)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: docs/policy-check.md says what each field is."""
        return {
            "policy": self.policy,
            "format": self.format.value,
            "grade": self.grade.value,
            "connections": [connection.to_dict() for connection in self.connections],
            "notes": [_noted(note) for note in self.notes],
        }


def _offered(offer: Offer) -> dict[str, Any]:
    return {"text": offer.text, "line": offer.line, "implied": offer.implied}


def _noted(note: Note) -> dict[str, Any]:
    return {"text": note.text, "line": note.line}


_Known = dict[tuple[Role, str], Finding]
"""What was said of single algorithms."""


def judge(configuration: Configuration, policy: Policy) -> Verdict:
    """What is to be said of a configuration under a policy."""
    known: _Known = {}
    return Verdict(
        policy=policy.label,
        format=configuration.format,
        connections=tuple(judge_connection(connection, policy, known) for connection in configuration.connections),
        notes=configuration.notes,
    )


def judge_proposals(
    ike: str, esp: str, policy: Policy, *, ike_seconds: int | None = None, child_seconds: int | None = None
) -> ConnectionVerdict:
    """What is to be said of a pair of proposals and their lives.

    Args:
        ike: phase 1 proposal, such as ``aes256-sha1-modp1024``.
        esp: phase 2 proposal, such as ``aes128-md5``; a key exchange in it means perfect forward secrecy.
        policy: what is allowed.
        ike_seconds: life of the IKE SA, if it is to be judged too.
        child_seconds: life of the Child SA, if it is to be judged too.

    Raises:
        UsageError: a proposal cannot be read; the message names the token.
    """
    child = Child("phase 2", None, (parse_offer(esp, ike=False),), Life(seconds=child_seconds))
    connection = Connection(
        f"{ike}/{esp}", None, offers=(parse_offer(ike, ike=True),), life=Life(seconds=ike_seconds), children=(child,)
    )
    return judge_connection(connection, policy)


def judge_connection(connection: Connection, policy: Policy, known: _Known | None = None) -> ConnectionVerdict:
    """What is to be said of one connection under a policy.

    Args:
        connection: what is judged.
        policy: what is allowed.
        known: what was said of single algorithms before, under the same policy; it is added to.
    """
    known = {} if known is None else known
    findings = [
        *_versions(policy, connection),
        *grade_authentications(policy, connection),
        *_parts(policy, known, _ike_parts(connection.offers)),
        *grade_additional_exchanges(policy, connection),
        *grade_tunnel(connection),
        *grade_time(policy, connection.life, "IKE SA", "ike_maximum_seconds"),
    ]
    for written in connection.children:
        child = written if len(connection.children) > 1 else replace(written, name="Child SA")
        own = [
            *_carriers(child),
            *_parts(policy, known, _esp_parts(child.offers)),
            *grade_forward_secrecy(policy, connection, child),
            *grade_time(policy, child.life, "Child SA", "child_maximum_seconds"),
            *grade_octets(policy, child),
            *grade_sequence_numbers(policy, child),
            *_truncated(child),
        ]
        findings += [finding for finding in own if finding not in findings]
    findings.sort(key=lambda finding: -finding.grade.rank)
    return ConnectionVerdict(connection, tuple(findings))


_Part = tuple[Role, str, Offer]


def _ike_parts(offers: Iterable[Offer]) -> Iterable[_Part]:
    for offer in offers:
        roles = (
            (Role.KEY_EXCHANGE, offer.key_exchange),
            (Role.IKE_ENCRYPTION, offer.encryption),
            (Role.IKE_INTEGRITY, offer.integrity),
            (Role.PRF, offer.prf),
        )
        for role, names in roles:
            yield from ((role, name, offer) for name in names)
        if not offer.integrity and not all(is_combined(name) for name in offer.encryption):
            yield Role.IKE_INTEGRITY, "none", offer
        yield from _additional(offer)


def _esp_parts(offers: Iterable[Offer]) -> Iterable[_Part]:
    for offer in offers:
        if offer.carrier == "ah":
            continue
        for encryption in offer.encryption:
            if is_combined(encryption):
                yield Role.ESP_SUITE, encryption, offer
            for integrity in offer.integrity:
                yield Role.ESP_SUITE, f"{encryption}-{integrity}", offer
            if not offer.integrity and not is_combined(encryption):
                yield Role.ESP_SUITE, encryption, offer
        yield from ((Role.KEY_EXCHANGE, name, offer) for name in offer.key_exchange if name != NO_KEY_EXCHANGE)
        yield from _additional(offer)


def _additional(offer: Offer) -> Iterable[_Part]:
    for methods in offer.additional_key_exchanges:
        yield from ((Role.ADDITIONAL_KEY_EXCHANGE, name, offer) for name in methods if name != NO_KEY_EXCHANGE)


def _parts(policy: Policy, known: _Known, parts: Iterable[_Part]) -> list[Finding]:
    """Every algorithm once, with all the lines that name it."""
    found: dict[tuple[Role, str], list[Offer]] = {}
    for role, name, offer in parts:
        found.setdefault((role, name), []).append(offer)
    findings = []
    for (role, name), offers in found.items():
        lines = tuple(dict.fromkeys(offer.line for offer in offers if offer.line is not None))
        implied = all(offer.implied for offer in offers)
        if (role, name) not in known:
            finding = grade_part(policy, role, name)
            first, *rest = finding.reasons
            primes = known_prime(name) if role is Role.KEY_EXCHANGE else ()
            known[role, name] = replace(finding, reasons=(first, *primes, *rest))
        findings.append(replace(known[role, name], implied=implied, lines=lines))
    return findings


def _versions(policy: Policy, connection: Connection) -> list[Finding]:
    found = []
    for name in connection.ike_versions:
        finding = grade_part(policy, Role.IKE_VERSION, name)
        if name == "1" and "2" in connection.ike_versions and finding.grade is Grade.FAIL:
            text = "IKEv1 is accepted too, although IKEv2 is initiated with: allow IKEv2 alone"
            grade = Grade.FAIL if policy.word("unlisted") == "fail" else Grade.WARN
            finding = replace(finding, grade=grade, reasons=(Reason(text, ("rfc9395",)), *finding.reasons))
        found.append(finding)
    return found


def _carriers(child: Child) -> list[Finding]:
    for offer in child.offers:
        if offer.carrier == "ah":
            text = "AH hides nothing: everybody on the way reads the packets; use ESP"
            lines = () if offer.line is None else (offer.line,)
            return [
                Finding(Grade.FAIL, Role.ESP_SUITE.value, "ah", (Reason(text, ("rfc8221", "nist77")),), lines=lines)
            ]
    return []


def _truncated(child: Child) -> list[Finding]:
    if not child.truncated_sha256:
        return []
    text = "HMAC-SHA2-256 is cut to 96 bits, which RFC 4868 does not know: peers that follow it drop every packet"
    return [Finding(Grade.WARN, Role.ESP_SUITE.value, child.name, (Reason(text, ("rfc4868",)),))]
