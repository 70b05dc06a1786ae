"""How each policy stands to algorithms and parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.explain.subjects import Kind, Member
from ipsecbench.recommend.policies.policy import Permission, Policy, fallback_parts, load_policy
from ipsecbench.recommend.policies.records import SETTING_DEFAULTS
from ipsecbench.recommend.policies.shipped import POLICIES
from ipsecbench.recommend.reasons import Reason, Role
from ipsecbench.recommend.standing import never_acceptable

_USUAL_INTEGRITY = "sha256"
_USUAL_ENCRYPTION = "aes128"


@dataclass(frozen=True, slots=True)
class Standing:
    """What one policy says of one algorithm in one role."""

    policy: str
    """Name of the policy."""
    version: str
    """Version of its data."""
    role: str
    """What the algorithm is for; for a setting, its name."""
    name: str
    """The algorithm or suite; for a setting, its value."""
    permission: str
    """``allowed``, ``allowed, not recommended``, ``accepted``, ``fallback``, ``refused``, or ``set`` (a setting)."""
    reason: Reason
    """Why."""
    verified: bool
    """False where the policy's source was not read in its own text."""


@cache
def policies() -> tuple[Policy, ...]:
    """The policies that come with the program."""
    return tuple(load_policy(name) for name in POLICIES)


def standings(members: Iterable[Member], settings: Iterable[str]) -> tuple[Standing, ...]:
    """What every policy says, policy by policy."""
    members, settings = tuple(members), tuple(settings)
    found: list[Standing] = []
    for policy in policies():
        for member in members:
            found += [_standing(policy, role, name) for role, name in _roles(policy, member)]
        found += [one for name in settings if (one := _setting(policy, name)) is not None]
    return tuple(dict.fromkeys(found))


def _standing(policy: Policy, role: Role, name: str) -> Standing:
    permission, line = policy.permission(role, name), policy.line(role, name)
    accepted = policy.accepts(role, name)
    words, verified = str(permission), True
    if line is not None:
        verified = line.verified
        reason = line.reason if accepted is None else accepted
        if not line.recommended:
            words = f"{permission}, not recommended"
    elif permission is Permission.FALLBACK:
        reason = _fallback_reason(policy, role, name)
    else:
        reason = never_acceptable(role, name) or policy.why_not_listed(role, name)
        reason = Reason(reason.text.removeprefix(f"not in policy {policy.label}: "), reason.sources)
    return Standing(policy.name, policy.version, role.value, name, words, reason, verified)


def _fallback_reason(policy: Policy, role: Role, name: str) -> Reason:
    return next(
        each.warning or each.reason
        for fallbacks, ike in ((policy.ike_fallbacks, True), (policy.esp_fallbacks, False))
        for each in fallbacks
        if (role, name) in fallback_parts(each.proposal, ike)
    )


def _setting(policy: Policy, name: str) -> Standing | None:
    setting = policy.settings.get(name)
    if setting is None:
        default = SETTING_DEFAULTS.get(name)
        if default is None:
            return None
        reason = Reason("what holds where a policy does not say")
        return Standing(policy.name, policy.version, name, default, "set", reason, True)
    return Standing(policy.name, policy.version, name, str(setting.value), "set", setting.reason, setting.verified)


def _roles(policy: Policy, member: Member) -> tuple[tuple[Role, str], ...]:
    """The roles that an algorithm can have, each with the name that policies list it by."""
    name = member.name
    if member.kind is Kind.ENCRYPTION:
        suites = _suites(policy, lambda suite: suite.partition("-")[0] == name)
        usual = name if ENCRYPTION[name].aead else f"{name}-{_USUAL_INTEGRITY}"
        return (*((Role.ESP_SUITE, suite) for suite in suites or (usual,)), (Role.IKE_ENCRYPTION, name))
    if member.kind is Kind.INTEGRITY:
        suites = _suites(policy, lambda suite: suite.partition("-")[2] == name)
        prf = PRF_OF_INTEGRITY.get(name)
        found = [(Role.ESP_SUITE, suite) for suite in suites or (f"{_USUAL_ENCRYPTION}-{name}",)]
        return (*found, (Role.IKE_INTEGRITY, name), *(((Role.PRF, prf),) if prf is not None else ()))
    role = {
        Kind.PRF: Role.PRF,
        Kind.KEY_EXCHANGE: Role.ADDITIONAL_KEY_EXCHANGE if name.startswith("mlkem") else Role.KEY_EXCHANGE,
        Kind.AUTHENTICATION: Role.AUTHENTICATION,
        Kind.ESP_SUITE: Role.ESP_SUITE,
        Kind.IKE_VERSION: Role.IKE_VERSION,
    }.get(member.kind)
    return () if role is None else ((role, name),)


def roles_of(member: Member) -> tuple[tuple[Role, str], ...]:
    """The roles that an algorithm can have, whatever a policy lists."""
    return _roles(policies()[0], member)


def _suites(policy: Policy, wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """The suites with some transform that the policy lists, or else the ones it has in its fallbacks."""
    fits = [suite for suite in esp_suites() if wanted(suite)]
    for permissions in ((Permission.ALLOWED, Permission.ACCEPTED), (Permission.FALLBACK,)):
        listed = tuple(suite for suite in fits if policy.permission(Role.ESP_SUITE, suite) in permissions)
        if listed:
            return listed
    return ()
