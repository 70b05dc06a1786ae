"""How keys are made and replaced, all together: lives, PFS, ESN, the window, and what setting up and rekeying cost.

The parts depend on each other in one order only: the exchanges' costs say how short lives may be, the policy's lives
say whether ESN is needed and what PFS costs, and these two decide the lives.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import PolicyError
from ipsecbench.recommend.formats import microseconds, seconds, small_percent
from ipsecbench.recommend.keys.day_long_lives import day_long_lives
from ipsecbench.recommend.keys.esn import EsnChoice, choose_esn
from ipsecbench.recommend.keys.exchange_cost import ExchangeModel
from ipsecbench.recommend.keys.hybrid_price import hybrid_prices
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.lifetimes import REKEY_SHARE, SaRate, child_lifetime, ike_lifetime
from ipsecbench.recommend.keys.lives import LifeConditions, Lifetime
from ipsecbench.recommend.keys.message_sizes import additional_messages, init_messages
from ipsecbench.recommend.keys.pfs import child_method, decide_pfs, pfs_price
from ipsecbench.recommend.keys.recovery import recovery
from ipsecbench.recommend.keys.rekey_load import (
    Tunnels,
    child_rekeys_per_second,
    dearer_us,
    rekey_load,
    shortest_life_seconds,
)
from ipsecbench.recommend.keys.replay_window import WindowChoice, choose_window
from ipsecbench.recommend.keys.setup_load import (
    DayLongLives,
    ExchangeCost,
    PfsPrice,
    ProtocolBasis,
    Recovery,
    RekeyLoad,
    SetupLoad,
)
from ipsecbench.recommend.prediction.arithmetic import inverse
from ipsecbench.recommend.prediction.predictions import Candidate
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.rules import Rules


@dataclass(frozen=True, slots=True)
class Keying:
    """Everything about keys that the answer has."""

    ike_lifetime: Lifetime
    """Of the IKE SA."""
    child_lifetime: Lifetime
    """Of a Child SA."""
    pfs: PfsPrice
    """Whether a rekey has its own key exchange, and what that costs."""
    esn: EsnChoice
    """Whether sequence numbers have 64 bits."""
    window: WindowChoice
    """The anti-replay window."""
    setup: SetupLoad
    """What setting up and rekeying cost."""
    day_long_lives: DayLongLives
    """Why not 24 hours."""
    warnings: tuple[Reason, ...]
    """What the choices have against them."""


def sa_rate(candidate: Candidate) -> SaRate:
    """The most that one SA of a suite carries: one SA is one core's work, and the upper ends count."""
    headline = candidate.headline
    packets: list[Estimate] = [prediction.packets_per_second for prediction in candidate.predictions]
    smallest = max((each.upper for each in packets), default=headline.packets_per_second.upper)
    return SaRate(
        headline.one_way_mbit_per_second.upper,
        headline.packets_per_second.upper,
        max(smallest, headline.packets_per_second.upper),
    )


def keying(
    rules: Rules, dataset: Dataset, operations: IkeOperations, parameters: IkeParameters, candidate: Candidate
) -> Keying:
    """Decide and price.

    Args:
        rules: policy and requirements.
        dataset: for the tier ``handshake``.
        operations: what IKE's operations cost on this box.
        parameters: the chosen phase 1 and suite.
        candidate: the chosen suite with its predictions.

    Raises:
        PolicyError: an exchange has no cost, or the peer lacks what the policy requires.
    """
    policy, wanted = rules.policy, rules.requirements
    model = ExchangeModel(dataset, operations, parameters, wanted.round_trip_ms)
    tunnels = Tunnels(wanted.tunnels, wanted.sas_per_tunnel, wanted.cores or 1)
    suite, fastest = esp_suites()[parameters.suite], sa_rate(candidate)
    version, peer = parameters.ike_version, wanted.peer

    method = child_method(rules, operations, parameters.key_exchange)
    with_pfs = _priced(model.child_rekey(method.name or parameters.key_exchange), parameters)
    without_pfs = _priced(model.child_rekey(None), parameters)
    ike_rekey = _priced(model.ike_rekey(), parameters)

    def conditions(rekey: ExchangeCost, sas: int) -> LifeConditions:
        least = shortest_life_seconds(rekey, sas, tunnels.cores)
        return LifeConditions(version, peer, least, wanted.round_trip_ms)

    ike_life = ike_lifetime(policy, conditions(ike_rekey, tunnels.tunnels))

    def life(rekey: ExchangeCost, esn: bool) -> Lifetime:
        return child_lifetime(
            policy, suite, wanted.traffic, fastest, esn=esn, conditions=conditions(rekey, tunnels.child_sas)
        )

    # With 64 bits nothing but the policy, the peer and the cipher bounds the life: that is what ESN has to last for.
    tentative = life(with_pfs, True)
    esn = choose_esn(policy, peer, version, fastest, tentative.hard_seconds)
    extra = dearer_us(with_pfs).median - dearer_us(without_pfs).median
    decision = decide_pfs(rules, method, extra / 1e6 * child_rekeys_per_second(tunnels, tentative))
    chosen = with_pfs if decision.on else without_pfs
    child_life = life(chosen, esn.esn)
    pfs = pfs_price(
        decision, method, (with_pfs, without_pfs), tunnels, child_life, ike_life, fastest.mbit_per_second * 1e6 / 8
    )
    window = choose_window(policy, wanted, fastest)
    setup = _setup_load(rules, operations, model, chosen, ike_rekey, tunnels, (child_life, ike_life))
    return Keying(
        ike_lifetime=ike_life,
        child_lifetime=child_life,
        pfs=pfs,
        esn=esn,
        window=window,
        setup=setup,
        day_long_lives=day_long_lives(suite, wanted.traffic, fastest, tunnels, pfs),
        warnings=(*esn.warnings, *window.warnings, *_too_busy(setup.rekeying)),
    )


def _setup_load(
    rules: Rules, operations: IkeOperations, model: ExchangeModel, child: ExchangeCost, ike: ExchangeCost,
    tunnels: Tunnels, lives: tuple[Lifetime, Lifetime],
) -> SetupLoad:  # fmt: skip
    wanted, parameters = rules.requirements, model.parameters
    setup = _priced(model.setup(), parameters)
    child_life, ike_life = lives
    messages = init_messages(parameters, wanted) if parameters.ike_version == 2 else ()
    for method in parameters.additional_key_exchanges:
        messages += additional_messages(method, parameters, wanted)
    rekeying = rekey_load(tunnels, child, ike, child_life, ike_life)
    back = recovery(tunnels, setup, child, wanted.round_trip_ms, parameters.ike_version)
    return SetupLoad(
        ike_version=parameters.ike_version,
        authentication=parameters.authentication,
        certificate_chain=parameters.certificate_chain if parameters.signed else 0,
        round_trip_ms=wanted.round_trip_ms,
        protocol_basis=model.basis,
        setup=setup,
        child_rekey=child,
        ike_rekey=ike,
        other_setups=_other_setups(model),
        setups_per_second=inverse(setup.responder.cpu_us, 1e6),
        cryptography_setups_per_second=inverse(setup.responder.cryptography_us, 1e6),
        rekeying=rekeying,
        recovery=back,
        hybrids=hybrid_prices(operations, parameters, wanted),
        messages=messages,
        reasons=(_in_short(parameters.ike_version, setup, rekeying, back), *_reasons(model, setup)),
    )


def _too_busy(load: RekeyLoad) -> tuple[Reason, ...]:
    """That rekeying takes more than the bound although lives are as long as the policy lets them be."""
    # The bound itself is kept to about a percent, since lives are whole seconds and IKE SAs are rekeyed too.
    if load.cpu_share.median <= 2 * REKEY_SHARE * load.cores:
        return ()
    text = (
        f"Rekeying {load.child_sas} Child SAs and {load.tunnels} IKE SAs takes "
        f"{small_percent(load.cpu_share.median)} of a core at the longest lives that the policy "
        "allows: use more cores for IKE, or fewer tunnels."
    )
    return (Reason(text),)


def _other_setups(model: ExchangeModel) -> tuple[ExchangeCost, ...]:
    """IKEv2, main mode and aggressive mode, but for the one that is recommended."""
    old, new = model.with_version(1), model.with_version(2)
    if model.parameters.ike_version == 1:
        aggressive = model.parameters.exchange_mode == "aggressive"
        found = (new.setup(), old.main_mode() if aggressive else old.aggressive_mode())
    else:
        found = (old.main_mode(), old.aggressive_mode())
    return tuple(cost for cost in found if cost is not None)


def _in_short(version: int, setup: ExchangeCost, rekeying: RekeyLoad, back: Recovery) -> Reason:
    """The load in one sentence, for people."""
    one = back.tunnels == 1
    count, take, are = ("One tunnel", "takes", "is") if one else (f"{back.tunnels} tunnels", "take", "are")
    text = (
        f"A set-up ({setup.name}) takes {microseconds(setup.responder.cpu_us)} of a core at the responder, "
        f"{microseconds(setup.responder.cryptography_us)} of it cryptography. {count} at the recommended lives {take} "
        f"{small_percent(rekeying.cpu_share.median)} of a core for rekeying, and {are} back "
        f"{seconds(back.as_responder_seconds.median)} after a reboot (at most "
        f"{seconds(back.as_responder_seconds.upper)}) once peers begin to come."
    )
    return Reason(text, ("rfc2409",) if version == 1 else ("rfc7296",))


def _reasons(model: ExchangeModel, setup: ExchangeCost) -> tuple[Reason, ...]:
    parameters = model.parameters
    if model.basis is ProtocolBasis.MEASURED:
        text = (
            f"Messages, state machines and datagrams are priced by the message from {model.measured_set}, measured "
            "here with ipsecbench's own stack in Python: a daemon in C takes less, and cryptography alone is the bound."
        )
    else:
        text = (
            "Messages, state machines and datagrams were not measured here: 250 µs for one message at one end stand "
            "for them, and between 10 and 2500 µs are possible. Measure whole set-ups with 'ipsecbench bench'."
        )
    found = [Reason(text)]
    if parameters.signed:
        text = (
            f"Each end signs once and verifies {1 + parameters.certificate_chain} signatures: the peer's AUTH payload "
            f"and a chain of {parameters.certificate_chain} certificates, taken to be signed by "
            f"{parameters.authentication} keys too; no revocation is asked for."
        )
        found.append(Reason(text, ("rfc7296", "rfc7427")))
    if not setup.measured:
        found.append(
            Reason("An additional key exchange has no figure on this box and is left out of the sums.", ("mlkem",))
        )
    return tuple(found)


def _priced(cost: ExchangeCost | None, parameters: IkeParameters) -> ExchangeCost:
    if cost is None:
        raise PolicyError(
            f"the handshake with {parameters.key_exchange}, {parameters.prf} and {parameters.authentication} has no "
            "cost in this dataset: measure again without --only"
        )
    return cost
