"""What a policy's own lines have against a choice: what it accepts against a standard, and what is unverified."""

from __future__ import annotations

from ipsecbench.recommend.model import Phase1
from ipsecbench.recommend.policies.records import Policy
from ipsecbench.recommend.reasons import Reason, Role

Part = tuple[Role, str]


def chosen_parts(phase1: Phase1, suite: str) -> tuple[Part, ...]:
    """Everything that was chosen, with its role."""
    integrity = [] if phase1.integrity is None else [(Role.IKE_INTEGRITY, phase1.integrity)]
    return (
        (Role.IKE_VERSION, str(phase1.ike_version)),
        (Role.KEY_EXCHANGE, phase1.key_exchange),
        *((Role.ADDITIONAL_KEY_EXCHANGE, name) for name in phase1.additional_key_exchanges),
        (Role.IKE_ENCRYPTION, phase1.encryption),
        *integrity,
        (Role.PRF, phase1.prf),
        (Role.AUTHENTICATION, phase1.authentication),
        (Role.ESP_SUITE, suite),
    )


def policy_warnings(policy: Policy, parts: tuple[Part, ...]) -> tuple[Reason, ...]:
    """A warning for every accepted part, then one for all that rests on sources that could not be read."""
    accepted = [(_title(role, name), policy.accepts(role, name)) for role, name in parts]
    found = [Reason(f"{name}: {reason.text}", reason.sources) for name, reason in accepted if reason is not None]
    lines = [policy.line(role, name) for role, name in parts]
    doubtful = [
        (_title(role, line.name), line.reason)
        for (role, _), line in zip(parts, lines, strict=True)
        if line is not None and not line.verified
    ]
    doubtful += [(name, each.reason) for name, each in policy.settings.items() if not each.verified]
    if doubtful:
        names = ", ".join(dict.fromkeys(name for name, _ in doubtful))
        text = (
            f"Unverified: the text that policy {policy.label} rests on could not be read for {names}. "
            "Hold them against the document itself before you claim to comply with it."
        )
        found.append(Reason(text, tuple(dict.fromkeys(key for _, reason in doubtful for key in reason.sources))))
    return tuple(found)


def _title(role: Role, name: str) -> str:
    return f"IKEv{name}" if role is Role.IKE_VERSION else name
