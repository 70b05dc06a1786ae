"""Phase 1: the IKE SA, chosen for security, because it is quiet.

Among what the policy allows with at least the target strength: the key exchange with the lowest measured cost, ties
broken by strength; an encryption transform at least as strong as phase 2's; a PRF to match; the cheapest signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.arithmetic import negated, total
from ipsecbench.recommend.constraints import Rules, Verdict, exclusion, incorrect_verdict, transform_verdict
from ipsecbench.recommend.cost_model import CostModel
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.handshake import HandshakeModel
from ipsecbench.recommend.proposals import INTEGRITY_OF_PRF
from ipsecbench.recommend.ranking import Option, choose_fastest, fastest_first
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Reason, Role
from ipsecbench.recommend.standing import level, next_step_bits, security_order, strength_bits

_PRF_BITS_WITH_AES_256 = 384
"""Every published suite with AES-256 pairs it with HMAC-SHA2-384 (RFC 6379, RFC 9206)."""


@dataclass(frozen=True, slots=True)
class Phase1Choice:
    """The parts of phase 1 and what lost against them."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform beside it, where it needs one."""
    prf: str
    """Pseudo-random function."""
    key_exchange: str
    """Key exchange method."""
    authentication: str
    """Authentication method."""
    exclusions: tuple[Exclusion, ...]
    """Everything else that is known, by role."""
    stronger_key_exchange: str | None
    """The cheapest method of the next higher strength that has a figure."""
    reasons: tuple[Reason, ...]
    """Why these."""
    warnings: tuple[Reason, ...]
    """What the user has to see to."""

    @property
    def strength_bits(self) -> int:
        """The weakest part; a pre-shared key counts as strong as the rest, for its entropy is the user's."""
        parts = (
            strength_bits(Role.IKE_ENCRYPTION, self.encryption),
            strength_bits(Role.PRF, self.prf),
            strength_bits(Role.KEY_EXCHANGE, self.key_exchange),
            strength_bits(Role.AUTHENTICATION, self.authentication),
        )
        return min(bits for bits in parts if bits is not None)


def choose_phase1(
    rules: Rules, costs: CostModel, handshakes: HandshakeModel, suite: str, suite_bits: int
) -> Phase1Choice:
    """Choose the IKE SA's parameters to go with an ESP suite.

    Raises:
        PolicyError: nothing that the policy allows for one of the roles has a figure.
    """
    exchange = _choose_by_cost(Role.KEY_EXCHANGE, rules, costs, _exchange_costs(handshakes), "x25519")
    encryption = _choose_encryption(rules, costs, suite, suite_bits)
    prf = _choose_prf(rules, costs, handshakes, encryption[0])
    authentication = _choose_authentication(rules, costs, handshakes)
    integrity = _integrity(rules, encryption[0], prf[0])
    warnings = _psk_warning(rules) if authentication[0] == "psk" else ()
    reasons = (
        exchange.reason,
        _encryption_reason(encryption[0], suite, exchange.name),
        Reason(
            f"{prf[0]} is the shortest PRF that suffices: twice the target of {rules.target_strength_bits} bits, "
            "and 384 bits beside AES-256, as in every published suite.",
            ("rfc8247", "rfc9206"),
        ),
        authentication[2],
    )
    exclusions = (*exchange.exclusions, *encryption[1], *prf[1], *authentication[1])
    stronger = _next_stronger(exchange.name, exchange.options)
    return Phase1Choice(
        encryption[0], integrity, prf[0], exchange.name, authentication[0], exclusions, stronger, reasons, warnings
    )


def _exchange_costs(handshakes: HandshakeModel) -> dict[str, Estimate]:
    found = {name: handshakes.key_exchange(name) for name in KEY_EXCHANGE}
    return {name: cost.dearer_us for name, cost in found.items() if cost is not None}


@dataclass(frozen=True, slots=True)
class _CostChoice:
    name: str
    options: tuple[Option, ...]
    exclusions: tuple[Exclusion, ...]
    reason: Reason


def _known(role: Role) -> Mapping[str, object]:
    tables: dict[Role, Mapping[str, object]] = {
        Role.KEY_EXCHANGE: KEY_EXCHANGE,
        Role.PRF: PRF,
        Role.IKE_ENCRYPTION: ENCRYPTION,
        Role.AUTHENTICATION: AUTHENTICATION,
    }
    return tables[role]


def _choose_by_cost(
    role: Role, rules: Rules, costs: CostModel, measured: Mapping[str, Estimate], example: str
) -> _CostChoice:
    """The cheapest of a role; ties by security. Raises PolicyError where nothing can be chosen."""
    verdicts: dict[str, Verdict] = {}
    options: list[Option] = []
    for name in _known(role):
        verdict = transform_verdict(role, name, rules, costs, name in measured)
        if verdict is not None:
            verdicts[name] = verdict
        elif name in measured:
            score = negated(measured[name])
            options.append(Option(name, score, strength_bits(role, name) or 0, security_order(role, name)))
    winner = choose_fastest(options)
    if winner is None:
        raise PolicyError(_nothing(role, rules, verdicts, example))
    cheapest = fastest_first(options)[0]
    for option in options:
        if option.name != winner.name:
            verdicts[option.name] = _dearer(role, option, winner, cheapest)
    exclusions = tuple(
        exclusion(role, name, verdicts[name], cost_us=measured.get(name))
        for name in _known(role)
        if name != winner.name
    )
    return _CostChoice(winner.name, tuple(options), exclusions, _cheapest_reason(role, winner, cheapest, len(options)))


def _cheapest_reason(role: Role, winner: Option, cheapest: Option, number: int) -> Reason:
    cost = microseconds(negated(winner.score))
    what = "key exchange" if role is Role.KEY_EXCHANGE else "signature"
    if winner.name == cheapest.name:
        return Reason(
            f"{winner.name} is the cheapest {what} of the {number} that suffice: {cost}, {winner.strength_bits} bits."
        )
    rival = microseconds(negated(cheapest.score))
    text = (
        f"{winner.name} ({cost}) ties with the cheapest {what}, {cheapest.name} ({rival}), and wins by security: "
        f"{winner.strength_bits} bits, {level(role, winner.name)[0]}."
    )
    return Reason(text, ("rfc8247",))


def _dearer(role: Role, option: Option, winner: Option, cheapest: Option) -> Verdict:
    mine = microseconds(negated(option.score))
    if not option.score.overlaps(cheapest.score):
        factor = option.score.median / cheapest.score.median
        best = microseconds(negated(cheapest.score))
        return ExclusionKind.SLOWER, Reason(f"dearer than {cheapest.name}: {mine} against {best}, {factor:.1f} times")
    start = f"a tie ({mine}, {winner.name} {microseconds(negated(winner.score))}), broken by security: "
    if option.strength_bits != winner.strength_bits:
        text = f"{start}{option.strength_bits} bits against {winner.strength_bits}"
        return ExclusionKind.WEAKER, Reason(text, ("nist57",))
    mine_level, best_level = level(role, option.name)[0], level(role, winner.name)[0]
    if mine_level != best_level:
        return ExclusionKind.WEAKER, Reason(f"{start}{mine_level} against {best_level}", ("rfc8247",))
    return ExclusionKind.WEAKER, Reason(f"{start}equal in strength and RFC level; {winner.name} is first by name")


def _nothing(role: Role, rules: Rules, verdicts: Mapping[str, Verdict], example: str) -> str:
    allowed = [line.name for line in rules.policy.lines[role]]
    reasons = [f"{name}: {verdicts[name][1].text}" for name in allowed if name in verdicts]
    unmeasured = [n for n in allowed if n in verdicts and verdicts[n][0] is ExclusionKind.NOT_MEASURED]
    what = role.value.replace("-", " ")
    remedy = "ask for fewer bits or use another policy"
    if unmeasured:
        first = example if example in unmeasured else unmeasured[0]
        remedy = f"measure one of them, such as with 'ipsecbench bench --only {first}', or all of them without --only"
    return f"no {what} of policy {rules.policy.label} can be recommended ({'; '.join(reasons[:3])}): {remedy}"


def measured_anywhere(costs: CostModel, name: str) -> bool:
    """Whether a transform has a usable row of its own or in an ESP suite: the library on this box has it."""
    return any(row.usable for row in costs.rows(name)) or any(
        row.usable and row.workload.algorithm.partition("-")[0] == name for row in costs.dataset.measurements
    )


def _choose_encryption(
    rules: Rules, costs: CostModel, suite: str, suite_bits: int
) -> tuple[str, tuple[Exclusion, ...]]:
    role = Role.IKE_ENCRYPTION
    verdicts: dict[str, Verdict] = {}
    usable: list[str] = []
    for name in ENCRYPTION:
        verdict = transform_verdict(role, name, rules, costs, measured_anywhere(costs, name))
        if verdict is None:
            usable.append(name)
        else:
            verdicts[name] = verdict
    if not usable:
        raise PolicyError(_nothing(role, rules, verdicts, "aes128gcm16"))
    wanted = max(rules.target_strength_bits, suite_bits)
    enough = [name for name in usable if ENCRYPTION[name].strength_bits >= wanted]
    if enough:
        same = suite.partition("-")[0]
        chosen = min(enough, key=lambda n: (n != same, ENCRYPTION[n].strength_bits, security_order(role, n)))
    else:
        chosen = min(usable, key=lambda n: security_order(role, n))
    for name in usable:
        if name == chosen:
            continue
        if ENCRYPTION[name].strength_bits < ENCRYPTION[chosen].strength_bits:
            bits = f"{ENCRYPTION[name].strength_bits} bits against {wanted}"
            text = f"phase 1 is at least as strong as phase 2 ({suite}): {bits}"
            verdicts[name] = (ExclusionKind.WEAKER, Reason(text, ("nist77",)))
        else:
            text = f"{chosen} suffices for {wanted} bits and is what phase 2 uses, or comes first by level and name"
            verdicts[name] = (ExclusionKind.OTHER_WANTED, Reason(text, ("rfc8247",)))
    return chosen, tuple(exclusion(role, name, verdicts[name]) for name in ENCRYPTION if name != chosen)


def _encryption_reason(encryption: str, suite: str, key_exchange: str) -> Reason:
    bits, exchange_bits = ENCRYPTION[encryption].strength_bits, KEY_EXCHANGE[key_exchange].strength_bits
    text = f"{encryption} protects IKE no less than {suite} the traffic; IKE is too quiet for its speed to count"
    if bits > exchange_bits:
        text += f", and {key_exchange} bounds the whole at about {exchange_bits} bits"
    return Reason(f"{text}.", ("nist77", "rfc8247"))


def _choose_prf(
    rules: Rules, costs: CostModel, handshakes: HandshakeModel, encryption: str
) -> tuple[str, tuple[Exclusion, ...]]:
    role = Role.PRF
    verdicts: dict[str, Verdict] = {}
    usable: dict[str, Estimate] = {}
    for name in PRF:
        cost = handshakes.prf_us(name)
        hash_failed = incorrect_verdict(costs.failed(INTEGRITY_OF_PRF.get(name, name)))
        verdict = hash_failed or transform_verdict(role, name, rules, costs, cost is not None)
        if verdict is not None:
            verdicts[name] = verdict
        elif cost is not None:
            usable[name] = cost
    if not usable:
        raise PolicyError(_nothing(role, rules, verdicts, "prfsha256"))
    aes_256 = encryption.startswith("aes256")
    wanted = max(2 * rules.target_strength_bits, _PRF_BITS_WITH_AES_256 if aes_256 else 0)
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


def _integrity(rules: Rules, encryption: str, prf: str) -> str | None:
    """The integrity transform with the PRF's hash, or the policy's strongest, where the cipher needs one."""
    if ENCRYPTION[encryption].aead:
        return None
    allowed = [line.name for line in rules.policy.ike_integrity]
    same = INTEGRITY_OF_PRF.get(prf)
    if same in allowed:
        return same
    if not allowed:
        raise PolicyError(
            f"policy {rules.policy.label} allows {encryption} for IKE and no integrity: add [[ike_integrity]]"
        )
    return max(allowed, key=lambda name: (INTEGRITY[name].strength_bits, INTEGRITY[name].icv_bytes, name))


def _choose_authentication(
    rules: Rules, costs: CostModel, handshakes: HandshakeModel
) -> tuple[str, tuple[Exclusion, ...], Reason]:
    role = Role.AUTHENTICATION
    pairs = {name: handshakes.authentication_us(name) for name in AUTHENTICATION}
    measured = {name: total(pair) for name, pair in pairs.items() if pair is not None}
    verdicts = {
        name: transform_verdict(role, name, rules, costs, name in measured or name == "psk") for name in AUTHENTICATION
    }
    wanted = rules.requirements.authentication
    psk_allowed = verdicts["psk"] is None
    if wanted is not None:
        verdict = verdicts[wanted]
        if verdict is not None:
            raise PolicyError(f"authentication {wanted}: {verdict[1].text}; choose another --auth or another policy")
        reason = Reason(f"{wanted} was asked for.", ("rfc8247",))
        return wanted, _other_authentication(wanted, verdicts, measured, f"{wanted} was asked for"), reason
    options = [
        Option(name, negated(measured[name]), strength_bits(role, name) or 0, security_order(role, name))
        for name, verdict in verdicts.items()
        if verdict is None and name in measured
    ]
    winner = choose_fastest(options)
    if winner is None:
        if not psk_allowed:
            left = {name: verdict for name, verdict in verdicts.items() if verdict is not None}
            raise PolicyError(_nothing(role, rules, left, "ecdsa-256"))
        reason = Reason(
            "No signature that the policy allows was measured here, so a pre-shared key it is.", ("rfc8247",)
        )
        return "psk", _other_authentication("psk", verdicts, measured, ""), reason
    cheapest = fastest_first(options)[0]
    for option in options:
        if option.name != winner.name:
            verdicts[option.name] = _dearer(role, option, winner, cheapest)
    text = (
        f"{winner.name} is as strong as the target; a pre-shared key is as strong as its entropy, and both ends know it"
    )
    excluded = _other_authentication(winner.name, verdicts, measured, text)
    return winner.name, excluded, _cheapest_reason(role, winner, cheapest, len(options))


def _other_authentication(
    chosen: str, verdicts: Mapping[str, Verdict | None], measured: Mapping[str, Estimate], why: str
) -> tuple[Exclusion, ...]:
    found = []
    for name, verdict in verdicts.items():
        if name != chosen:
            final = verdict or (ExclusionKind.OTHER_WANTED, Reason(why, ("rfc8247",)))
            found.append(exclusion(Role.AUTHENTICATION, name, final, cost_us=measured.get(name)))
    return tuple(found)


def _psk_warning(rules: Rules) -> tuple[Reason, ...]:
    text = (
        f"A pre-shared key is as strong as its entropy: draw at least {rules.target_strength_bits} random bits "
        "(such as 'openssl rand -base64 32'), one per pair of gateways; anyone who knows it can pose as either."
    )
    return (Reason(text, ("nist77", "rfc7296")),)


def _next_stronger(chosen: str, options: tuple[Option, ...]) -> str | None:
    """What would be chosen if the next step of strength were asked for."""
    step = next_step_bits(KEY_EXCHANGE[chosen].strength_bits)
    best = choose_fastest([option for option in options if step is not None and option.strength_bits >= step])
    return None if best is None else best.name
