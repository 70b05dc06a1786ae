"""What rekeying many tunnels takes of a box's processors, and how short lives may be before it takes too much."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.keys.jitter import mean_rekey_seconds
from ipsecbench.recommend.keys.lifetimes import MARGIN_PERCENT, REKEY_SHARE
from ipsecbench.recommend.keys.lives import Lifetime
from ipsecbench.recommend.keys.setup_load import ExchangeCost, RekeyLoad
from ipsecbench.recommend.prediction.arithmetic import larger, scaled, total

DAY_SECONDS = 86_400
_BOTH_ENDS = 2
"""Each end draws its own moment, and the first one counts."""


@dataclass(frozen=True, slots=True)
class Tunnels:
    """How many tunnels there are, and what may work on them."""

    tunnels: int
    """Peers, each with an IKE SA."""
    sas_per_tunnel: int = 1
    """Child SAs of each."""
    cores: int = 1
    """Cores that IKE may use."""

    @property
    def child_sas(self) -> int:
        """Child SAs of all tunnels."""
        return self.tunnels * self.sas_per_tunnel


def shortest_life_seconds(cost: ExchangeCost, sas: int, cores: int, share: float = REKEY_SHARE) -> float:
    """The shortest soft life at which rekeying so many SAs takes at most a share of the cores."""
    earlier = 1 - MARGIN_PERCENT / 100 * _BOTH_ENDS / (_BOTH_ENDS + 1)
    return sas * dearer_us(cost).median / 1e6 / (share * cores) / earlier


def dearer_us(cost: ExchangeCost) -> Estimate:
    """Processor time of the dearer end: either end may be the one that begins a rekey."""
    return larger(cost.initiator.cpu_us, cost.responder.cpu_us)


def dearer_cryptography_us(cost: ExchangeCost) -> Estimate:
    """The same for cryptography alone."""
    return larger(cost.initiator.cryptography_us, cost.responder.cryptography_us)


def child_rekeys_per_second(tunnels: Tunnels, life: Lifetime) -> float:
    """Rekeys of all Child SAs by time; by data where the box, as fast as it can be, uses the keys up before."""
    by_time = tunnels.child_sas / mean_rekey_seconds(life.jitter, _BOTH_ENDS)
    if life.expected_seconds >= life.soft_seconds:
        return by_time
    # One SA is one core's work: no more SAs than cores use their keys up at the predicted rate.
    return max(by_time, min(tunnels.cores, tunnels.child_sas) / life.expected_seconds)


def rekey_load(
    tunnels: Tunnels, child: ExchangeCost, ike: ExchangeCost, child_life: Lifetime, ike_life: Lifetime
) -> RekeyLoad:
    """What rekeying takes at given lives."""
    children = child_rekeys_per_second(tunnels, child_life)
    ikes = tunnels.tunnels / mean_rekey_seconds(ike_life.jitter, _BOTH_ENDS)
    share = _share(children, dearer_us(child), ikes, dearer_us(ike))
    return RekeyLoad(
        tunnels=tunnels.tunnels,
        child_sas=tunnels.child_sas,
        child_rekeys_per_second=children,
        ike_rekeys_per_second=ikes,
        cpu_share=share,
        cryptography_share=_share(children, dearer_cryptography_us(child), ikes, dearer_cryptography_us(ike)),
        cores=tunnels.cores,
        core_seconds_per_day=scaled(share, DAY_SECONDS),
    )


def _share(children: float, child_us: Estimate, ikes: float, ike_us: Estimate) -> Estimate:
    return total((scaled(child_us, children / 1e6), scaled(ike_us, ikes / 1e6)))
