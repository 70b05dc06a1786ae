"""What a policy is, as data: lines, settings, acceptances, fallbacks, each with its reason and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType

from ipsecbench.recommend.proposals import Proposal
from ipsecbench.recommend.reasons import Reason, Role

SETTING_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "additional_key_exchange": "off",
        "child_key_exchange": "at-least",
        "life_in_octets": "prefer",
        "ikev1_exchange_mode": "main",
        "unlisted": "warn",
    }
)
"""What holds where a policy leaves out an optional setting that is a word."""


class Permission(StrEnum):
    """How a policy stands to an algorithm."""

    ALLOWED = "allowed"
    """It may be the first choice."""
    ACCEPTED = "accepted"
    """It may be the first choice although a standard is against it, and every answer with it carries a warning."""
    FALLBACK = "fallback"
    """It is only offered to old peers, as part of a whole proposal after the first choice."""
    REFUSED = "refused"
    """It is not listed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One algorithm that the policy allows."""

    name: str
    """Proposal token, ESP suite, or IKE version."""
    reason: Reason
    """Why it is allowed."""
    verified: bool = True
    """False where the source was not read in its own text, so that the line is shown as unverified."""
    recommended: bool = True
    """False where a configuration may have it, but nobody is advised to choose it; the reason says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One number or word of the policy."""

    value: int | str
    """What it is set to."""
    reason: Reason
    """Why."""
    verified: bool = True
    """False where the source was not read in its own text, so that the value is shown as unverified."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Something that a standard forbids or advises against, and that the policy sets all the same."""

    role: Role
    """What it is for."""
    name: str
    """Proposal token, ESP suite, or IKE version."""
    reason: Reason
    """What is wrong with it: the warning that every answer with it carries."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """A whole proposal for old peers, offered after the best one."""

    text: str
    """The proposal as the policy spells it."""
    proposal: Proposal
    """The same, taken apart."""
    reason: Reason
    """Why it is there."""
    warning: Reason | None
    """What is wrong with it."""
    last_resort: bool = False
    """Whether it is only for a peer that has nothing of the policy's lists, and not offered beside the best one."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Why some things are not listed."""

    role: Role
    """What they would be for."""
    patterns: tuple[str, ...]
    """Their names, as shell patterns."""
    reason: Reason
    """Why they are not allowed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed, and why."""

    name: str
    """Short name."""
    version: str
    """Version of the data, such as ``2026.1``."""
    title: str
    """What it is, for people."""
    settings: Mapping[str, Setting]
    """Numbers and words by name; optional ones may be absent."""
    lines: Mapping[Role, tuple[Line, ...]]
    """What may be the first choice, by role, in the policy's order; every role is there."""
    acceptances: tuple[Acceptance, ...]
    """What is set against a standard's word."""
    ike_fallbacks: tuple[Fallback, ...]
    """Further IKE proposals, in order of preference."""
    esp_fallbacks: tuple[Fallback, ...]
    """Further ESP proposals, in order of preference."""
    unlisted: tuple[Unlisted, ...]
    """Why what is not listed is not; the first that matches counts."""
    notes: tuple[Reason, ...]
    """What every user of the policy should know."""

    def number(self, name: str) -> int:
        """The value of a setting that is a number.

        Raises:
            KeyError: the policy leaves this optional setting out; see :meth:`optional_number`.
        """
        return int(self.settings[name].value)

    def optional_number(self, name: str) -> int | None:
        """The value of an optional setting that is a number; None where the policy leaves it out."""
        setting = self.settings.get(name)
        return None if setting is None else int(setting.value)

    def word(self, name: str) -> str:
        """The value of a setting that is a word; its default where it is optional and left out."""
        setting = self.settings.get(name)
        return SETTING_DEFAULTS[name] if setting is None else str(setting.value)

    @property
    def ike_versions(self) -> tuple[Line, ...]:
        """``2`` and ``1``, as far as they are allowed, in order of preference."""
        return self.lines[Role.IKE_VERSION]

    @property
    def ike_integrity(self) -> tuple[Line, ...]:
        """Integrity transforms for IKE beside an encryption transform that needs one."""
        return self.lines[Role.IKE_INTEGRITY]

    @property
    def additional_key_exchanges(self) -> tuple[Line, ...]:
        """Methods of an additional key exchange (RFC 9370), in order of preference."""
        return self.lines[Role.ADDITIONAL_KEY_EXCHANGE]

    def line(self, role: Role, name: str) -> Line | None:
        """The line that allows something, or None."""
        return next((line for line in self.lines[role] if line.name == name), None)

    def accepts(self, role: Role, name: str) -> Reason | None:
        """What is wrong with something that the policy sets all the same; None where it accepts no such thing."""
        found = (each.reason for each in self.acceptances if each.role is role and each.name == name)
        return next(found, None)

    def permission(self, role: Role, name: str) -> Permission:
        """How the policy stands to an algorithm, apart from its strength (``minimum_strength_bits``)."""
        if self.line(role, name) is not None:
            return Permission.ALLOWED if self.accepts(role, name) is None else Permission.ACCEPTED
        return Permission.FALLBACK if self.in_fallbacks(role, name) else Permission.REFUSED

    def in_fallbacks(self, role: Role, name: str) -> bool:
        """Whether something is part of a proposal for old peers."""
        parts = [part for each in self.ike_fallbacks for part in fallback_parts(each.proposal, ike=True)]
        parts += [part for each in self.esp_fallbacks for part in fallback_parts(each.proposal, ike=False)]
        return (role, name) in parts

    def why_not_listed(self, role: Role, name: str) -> Reason:
        """Why something is not listed: the policy's own reason, or that it is not."""
        for entry in self.unlisted:
            if entry.role is role and any(fnmatchcase(name, pattern) for pattern in entry.patterns):
                return Reason(f"not in policy {self.label}: {entry.reason.text}", entry.reason.sources)
        return Reason(f"not in policy {self.label}")

    @property
    def label(self) -> str:
        """Name and version, such as ``modern 2026.1``."""
        return f"{self.name} {self.version}"


def fallback_parts(proposal: Proposal, ike: bool) -> tuple[tuple[Role, str], ...]:
    """The parts of a fallback proposal with the role that each has."""
    if ike:
        parts = [
            (Role.IKE_ENCRYPTION, proposal.encryption),
            (Role.PRF, proposal.prf or ""),
            (Role.KEY_EXCHANGE, proposal.key_exchange or ""),
        ]
        if proposal.integrity is not None:
            parts.append((Role.IKE_INTEGRITY, proposal.integrity))
        return tuple(parts)
    parts = [(Role.ESP_SUITE, proposal.esp_suite)]
    if proposal.key_exchange is not None:
        parts.append((Role.KEY_EXCHANGE, proposal.key_exchange))
    return tuple(parts)
