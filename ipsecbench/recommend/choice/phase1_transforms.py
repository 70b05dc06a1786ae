"""The transforms of the IKE SA that are not chosen by cost, because IKE is too quiet for their speed to count.

Encryption at least as strong as phase 2's, a PRF to match, integrity with the PRF's hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.choice.constraints import exclusion, incorrect_verdict
from ipsecbench.recommend.choice.end_verdicts import transform_at_ends, way_out_for_peers
from ipsecbench.recommend.choice.ends import End, Ends
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.proposals import INTEGRITY_OF_PRF
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.rules import Rules, Verdict
from ipsecbench.recommend.standing import security_order

_PRF_BITS_WITH_AES_256 = 384
"""Every published suite with AES-256 pairs it with HMAC-SHA2-384 (RFC 6379, RFC 9206)."""


def known_names(role: Role) -> Mapping[str, object]:
    """Everything that is known for a role of phase 1."""
    tables: dict[Role, Mapping[str, object]] = {
        Role.KEY_EXCHANGE: KEY_EXCHANGE,
        Role.PRF: PRF,
        Role.IKE_ENCRYPTION: ENCRYPTION,
        Role.AUTHENTICATION: AUTHENTICATION,
    }
    return tables[role]


def nothing_left(role: Role, rules: Rules, verdicts: Mapping[str, Verdict], example: str) -> str:
    """Why nothing can be chosen for a role, and what to do, in one line."""
    allowed = [line.name for line in rules.policy.lines[role]]
    reasons = [f"{name}: {verdicts[name][1].text}" for name in allowed if name in verdicts]
    unmeasured = [n for n in allowed if n in verdicts and verdicts[n][0] is ExclusionKind.NOT_MEASURED]
    what = role.value.replace("-", " ")
    remedy = "ask for fewer bits or use another policy"
    if allowed and all(verdicts.get(n, (None,))[0] is ExclusionKind.PEER for n in allowed):
        remedy = way_out_for_peers(rules.policy)
    if unmeasured:
        first = example if example in unmeasured else unmeasured[0]
        remedy = f"measure one of them, such as with 'ipsecbench bench --only {first}', or all of them without --only"
    return f"no {what} of policy {rules.policy.label} can be recommended ({'; '.join(reasons[:3])}): {remedy}"


def measured_anywhere(costs: CostModel, name: str) -> bool:
    """Whether a transform has a usable row of its own or in an ESP suite: the library on this box has it."""
    return name in costs.transforms


def choose_encryption(rules: Rules, ends: Ends, suite: str, wanted_bits: int) -> tuple[str, tuple[Exclusion, ...]]:
    """IKE's encryption transform beside an ESP suite, of at least a strength; and why not the others.

    Raises:
        PolicyError: nothing that the policy allows is there.
    """
    role = Role.IKE_ENCRYPTION
    verdicts: dict[str, Verdict] = {}
    usable: list[str] = []
    for name in ENCRYPTION:
        verdict = transform_at_ends(role, name, rules, ends, partial(_measured_at, name=name))
        if verdict is None:
            usable.append(name)
        else:
            verdicts[name] = verdict
    if not usable:
        raise PolicyError(nothing_left(role, rules, verdicts, "aes128gcm16"))
    enough = [name for name in usable if ENCRYPTION[name].strength_bits >= wanted_bits]
    if enough:
        same = suite.partition("-")[0]
        chosen = min(enough, key=lambda n: (n != same, ENCRYPTION[n].strength_bits, security_order(role, n)))
    else:
        chosen = min(usable, key=lambda n: security_order(role, n))
    for name in usable:
        if name == chosen:
            continue
        if ENCRYPTION[name].strength_bits < ENCRYPTION[chosen].strength_bits:
            bits = f"{ENCRYPTION[name].strength_bits} bits against {wanted_bits}"
            text = f"phase 1 is at least as strong as phase 2 ({suite}): {bits}"
            verdicts[name] = (ExclusionKind.WEAKER, Reason(text, ("nist77",)))
        else:
            text = (
                f"{chosen} suffices for {wanted_bits} bits and is what phase 2 uses, or comes first by level and name"
            )
            verdicts[name] = (ExclusionKind.OTHER_WANTED, Reason(text, ("rfc8247",)))
    return chosen, tuple(exclusion(role, name, verdicts[name]) for name in ENCRYPTION if name != chosen)


def encryption_reason(encryption: str, suite: str, key_exchange: str) -> Reason:
    """Why this transform for IKE."""
    bits, exchange_bits = ENCRYPTION[encryption].strength_bits, KEY_EXCHANGE[key_exchange].strength_bits
    text = f"{encryption} protects IKE no less than {suite} the traffic; IKE is too quiet for its speed to count"
    if bits > exchange_bits:
        text += f", and {key_exchange} bounds the whole at about {exchange_bits} bits"
    return Reason(f"{text}.", ("nist77", "rfc8247"))


def choose_prf(rules: Rules, ends: Ends, encryption: str, bits: int) -> tuple[str, tuple[Exclusion, ...]]:
    """The PRF beside an encryption transform, for a strength; and why not the others.

    Raises:
        PolicyError: nothing that the policy allows has a figure.
    """
    role = Role.PRF
    verdicts: dict[str, Verdict] = {}
    usable: dict[str, Estimate] = {}
    for name in PRF:
        cost = ends[0].handshakes.prf_us(name)
        verdict = (
            _hash_failed(name, ends)
            or _without_integrity(name, rules)
            or transform_at_ends(role, name, rules, ends, partial(_has_prf, name=name))
        )
        if verdict is not None:
            verdicts[name] = verdict
        elif cost is not None:
            usable[name] = cost
    if not usable:
        raise PolicyError(nothing_left(role, rules, verdicts, "prfsha256"))
    aes_256 = encryption.startswith("aes256")
    wanted = max(2 * bits, _PRF_BITS_WITH_AES_256 if aes_256 else 0)
    enough = [name for name in usable if PRF[name].output_bytes * 8 >= wanted]
    if enough:
        chosen = min(enough, key=lambda n: (PRF[n].output_bytes, security_order(role, n)))
    else:
        chosen = max(usable, key=lambda n: (PRF[n].output_bytes, n))
    for name in usable:
        if name != chosen:
            shorter = PRF[name].output_bytes < PRF[chosen].output_bytes
            kind = ExclusionKind.WEAKER if shorter else ExclusionKind.OTHER_WANTED
            relation = "fewer" if shorter else "more"
            text = f"{PRF[name].output_bytes * 8} bits of output, {relation} than the {wanted} that are wanted"
            verdicts[name] = (kind, Reason(text, ("rfc8247",)))
    excluded = (exclusion(role, name, verdicts[name], cost_us=usable.get(name)) for name in PRF if name != chosen)
    return chosen, tuple(excluded)


def _without_integrity(prf: str, rules: Rules) -> Verdict | None:
    """That IKEv1, where one hash is both, would take an integrity transform that the policy does not list."""
    integrity = INTEGRITY_OF_PRF.get(prf, prf)
    if rules.ike_version == 2 or rules.policy.line(Role.IKE_INTEGRITY, integrity) is not None:
        return None
    if rules.policy.line(Role.PRF, prf) is None:
        return None
    text = (
        f"IKEv1 takes one hash for the PRF and for integrity, and policy {rules.policy.label} does not list the latter"
    )
    return ExclusionKind.NOT_IN_POLICY, Reason(text, ("rfc2409",))


def _measured_at(end: End, *, name: str) -> bool:
    return measured_anywhere(end.costs, name)


def _has_prf(end: End, *, name: str) -> bool:
    return end.handshakes.prf_us(name) is not None


def _hash_failed(prf: str, ends: Ends) -> Verdict | None:
    found = (incorrect_verdict(end.costs.failed(INTEGRITY_OF_PRF.get(prf, prf))) for end in ends)
    return next((verdict for verdict in found if verdict is not None), None)


def choose_integrity(rules: Rules, costs: CostModel, encryption: str, prf: str) -> str | None:
    """The integrity transform with the PRF's hash, or the policy's strongest, where the cipher needs one."""
    if ENCRYPTION[encryption].aead:
        return None
    listed = [line.name for line in rules.policy.ike_integrity]
    allowed = [name for name in listed if not (_peer_or_version(name, rules) or costs.failed(name))]
    same = INTEGRITY_OF_PRF.get(prf)
    if same in allowed:
        return same
    if not allowed and listed:
        raise PolicyError(f"no integrity transform for {encryption} in IKE is left of {', '.join(listed)}: use another")
    if not allowed:
        raise PolicyError(
            f"policy {rules.policy.label} allows {encryption} for IKE and no integrity: add [[ike_integrity]]"
        )
    return max(allowed, key=lambda name: (INTEGRITY[name].strength_bits, INTEGRITY[name].icv_bytes, name))


def _peer_or_version(name: str, rules: Rules) -> Verdict | None:
    return rules.not_in_version(Role.IKE_INTEGRITY, name) or rules.not_at_peer(Role.IKE_INTEGRITY, name)
