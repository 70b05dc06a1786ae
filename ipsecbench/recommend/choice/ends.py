"""The boxes that a choice is for: one, or both ends of a tunnel where the other one was measured too.

Figures are kept once they are made, so that a choice can be made again under other requirements at little cost.
"""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws, row_draws
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.lab.plane_cost import DIRECTIONS
from ipsecbench.recommend.keys.handshake import HandshakeModel
from ipsecbench.recommend.keys.ike_operations import KeyExchangeCost
from ipsecbench.recommend.prediction.arithmetic import total
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.measured_costs import PREDICTION_PROVIDERS
from ipsecbench.recommend.prediction.predictions import Prediction
from ipsecbench.recommend.requirements.traffic import Traffic

Pair = tuple[Draws, Draws]


class End:
    """One measured box, with the figures that were asked of it so far."""

    def __init__(self, name: str, dataset: Dataset, *, remote: bool = False) -> None:
        self.name = name
        """For people."""
        self.remote = remote
        """Whether it is the other end, and not the box that the recommendation is for."""
        self.costs = CostModel(dataset)
        self.dataset = self.costs.dataset
        self.handshakes = HandshakeModel(self.costs)
        self._predictions: dict[tuple[str, Traffic], Prediction | None] = {}
        self._packets: dict[tuple[str, Traffic], Pair] = {}
        self._exchanges: dict[str, KeyExchangeCost | None] = {}
        self._drawn: dict[str, Pair] = {}

    def predict(self, suite: str, traffic: Traffic) -> Prediction | None:
        """What one core carries with an ESP suite; None where nothing supports a figure."""
        key = suite, traffic
        if key not in self._predictions:
            self._predictions[key] = self.costs.predict(esp_suites()[suite], traffic)
        return self._predictions[key]

    def packet_ns(self, prediction: Prediction, suite: str) -> Pair:
        """Nanoseconds of one packet of a predicted suite, outbound and inbound."""
        key = suite, prediction.traffic
        if key not in self._packets:
            out, back = (
                self.costs.time_draws(esp_suites()[suite], prediction.traffic, direction) for direction in DIRECTIONS
            )
            if out is None or back is None:
                raise KeyError(f"{suite}: {prediction.traffic}")
            self._packets[key] = out, back
        return self._packets[key]

    def headline(self, suite: str, traffic: Traffic, tier: Tier) -> Estimate | None:
        """What one core carries one way with a suite that is not compared, if its figure is of the compared ones' tier.

        The sum of cipher calls would look faster than whole packets, and says nothing beside them.
        """
        has = any(row.usable and row.workload.tier is tier for row in self.costs.rows(suite))
        return self.costs.headline(esp_suites()[suite], traffic) if has or tier is Tier.PRIMITIVE else None

    def exchange(self, name: str) -> KeyExchangeCost | None:
        """What a key exchange method costs; None without a figure."""
        if name not in self._exchanges:
            self._exchanges[name] = self.handshakes.key_exchange(name)
        return self._exchanges[name]

    def exchange_us(self, name: str) -> Pair:
        """Microseconds of a key exchange method that has a figure, at the initiator and at the responder."""
        if name not in self._drawn:
            cost = self.exchange(name)
            if cost is None:
                raise KeyError(name)
            self._drawn[name] = self._exchange_us(name, cost.provider)
        return self._drawn[name]

    def _exchange_us(self, name: str, provider: str) -> Pair:
        generate = self._primitive_us(provider, "generate", name)
        if KEY_EXCHANGE[name].kem:
            secret, responder = (self._primitive_us(provider, step, name) for step in ("decapsulate", "encapsulate"))
            return generate + secret, responder
        both = generate + self._primitive_us(provider, "agree", name)
        return both, both

    def signature(self, name: str) -> Estimate | None:
        """What signing and verifying cost together, in microseconds; None without a figure."""
        cost = self.handshakes.authentication_us(name)
        return None if cost is None else total(cost)

    def signature_us(self, name: str) -> Pair:
        """Microseconds to sign and to verify with a method that has a figure."""
        if name not in self._drawn:
            steps = ("sign", "verify")
            provider = next(p for p in PREDICTION_PROVIDERS if all(self._has(p, step, name) for step in steps))
            sign, verify = (self._primitive_us(provider, step, name) for step in steps)
            self._drawn[name] = sign, verify
        return self._drawn[name]

    def _has(self, provider: str, operation: str, name: str) -> bool:
        row = self.dataset.get(Workload(Tier.PRIMITIVE, provider, operation, name))
        return row is not None and row.usable

    def _primitive_us(self, provider: str, operation: str, name: str) -> Draws:
        """Microseconds of an operation that the model of set-ups found a figure for."""
        row = self.dataset.get(Workload(Tier.PRIMITIVE, provider, operation, name))
        drawn = None if row is None else row_draws(row)
        if drawn is None:
            raise KeyError(f"{provider} {operation} {name}")
        return drawn * 1e-3


Ends = tuple[End, ...]
"""The box itself, and then the other end where it was measured."""
