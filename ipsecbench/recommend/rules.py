"""What the policy and the requirements alone say of an algorithm, before anything was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ipsecbench.recommend.ike_version import not_in_ikev1
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.reasons import ExclusionKind, Reason, Role
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.recommend.standing import strength_bits

Verdict = tuple[ExclusionKind, Reason]

PEER_FIELDS: Mapping[Role, str] = MappingProxyType(
    {
        Role.KEY_EXCHANGE: "key_exchange",
        Role.ADDITIONAL_KEY_EXCHANGE: "additional_key_exchange",
        Role.PRF: "prf",
        Role.IKE_ENCRYPTION: "ike_encryption",
        Role.IKE_INTEGRITY: "ike_integrity",
        Role.AUTHENTICATION: "authentication",
        Role.ESP_SUITE: "esp_suites",
    }
)
"""The field of :class:`~ipsecbench.recommend.peers.peer.Peer` that says of a role what it has."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Policy and requirements, as far as they exclude."""

    policy: Policy
    """What is allowed."""
    requirements: Requirements
    """What was asked for."""
    ike_version: int = 2
    """The version of IKE that was decided on."""
    written: Policy | None = None
    """The policy as it is written, where a proposal for old peers took the place of lines in ``policy``."""

    @property
    def target_strength_bits(self) -> int:
        """The strength that everything chosen has at least."""
        return max(self.policy.number("minimum_strength_bits"), self.requirements.min_strength_bits or 0)

    def too_weak(self, role: Role, name: str) -> Verdict | None:
        """That its strength is below the target; None where it suffices or depends on a user's secret."""
        bits = strength_bits(role, name)
        if bits is None or bits >= self.target_strength_bits:
            return None
        who = f"the minimum of policy {self.policy.label}"
        sources = self.policy.settings["minimum_strength_bits"].reason.sources
        if self.target_strength_bits > self.policy.number("minimum_strength_bits"):
            who, sources = "asked for", ()
        text = f"below {self.target_strength_bits} bits ({who}): {name} has about {bits}"
        return ExclusionKind.TOO_WEAK, Reason(text, sources)

    def not_listed(self, role: Role, name: str) -> Verdict | None:
        """That the policy does not list it."""
        line = self.policy.line(role, name)
        if line is not None and line.recommended:
            return None
        if line is not None:
            text = f"policy {self.policy.label} allows it and recommends others: {line.reason.text}"
            return ExclusionKind.NOT_IN_POLICY, Reason(text, line.reason.sources)
        replaced = None if self.written is None else self.written.line(role, name)
        if replaced is not None:
            return self.not_at_peer(role, name) or self._replaced(replaced.reason.sources)
        return ExclusionKind.NOT_IN_POLICY, self.policy.why_not_listed(role, name)

    def _replaced(self, sources: tuple[str, ...]) -> Verdict:
        peer = self.requirements.peer
        who = f"IKEv{self.ike_version}" if peer is None else peer.name
        text = f"{who} cannot use all that belongs to it, and a proposal for old peers is taken whole"
        return ExclusionKind.PEER, Reason(text, sources)

    def not_at_peer(self, role: Role, name: str) -> Verdict | None:
        """That the other end does not have it."""
        peer = self.requirements.peer
        if peer is None or peer.has(PEER_FIELDS[role], name) is not False:
            return None
        words = "is not known to have" if peer.is_uncertain(PEER_FIELDS[role], name) else "does not have"
        return ExclusionKind.PEER, Reason(f"{peer.name} {words} {name}", peer.sources_of(PEER_FIELDS[role]))

    def not_in_version(self, role: Role, name: str) -> Verdict | None:
        """That IKEv1, where it was decided on, has no number for it."""
        reason = not_in_ikev1(role, name) if self.ike_version == 1 else None
        return None if reason is None else (ExclusionKind.NO_NUMBER, reason)
