"""What the cryptographic operations of IKE cost on this box, one by one, from the rows of a dataset."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.recommend.prediction.arithmetic import larger, scaled, total
from ipsecbench.recommend.prediction.cost_model import CostModel
from ipsecbench.recommend.prediction.measured_costs import PREDICTION_PROVIDERS
from ipsecbench.recommend.proposals import INTEGRITY_OF_PRF
from ipsecbench.recommend.requirements.traffic import Traffic

_PRF_INPUT_BYTES = 64
"""Two nonces of 32 octets: what SKEYSEED is made of; the other inputs are of that order."""


@dataclass(frozen=True, slots=True)
class KeyExchangeCost:
    """One key exchange, measured."""

    generate_us: Estimate
    """Key pair: both peers of a Diffie-Hellman exchange, the initiator of a key encapsulation."""
    initiator_secret_us: Estimate
    """Shared secret at the initiator: agree, or decapsulate."""
    responder_us: Estimate
    """Everything at the responder: generate and agree, or encapsulate."""
    provider: str
    """Library that did it."""

    @property
    def initiator_us(self) -> Estimate:
        """Everything at the initiator."""
        return total((self.generate_us, self.initiator_secret_us))

    @property
    def dearer_us(self) -> Estimate:
        """The dearer of the two roles: what the ranking compares."""
        return larger(self.initiator_us, self.responder_us)


class IkeOperations:
    """Operations of IKE as one dataset has them."""

    def __init__(self, costs: CostModel) -> None:
        self._costs = costs

    def _one_us(self, provider: str, operation: str, algorithm: str) -> Estimate | None:
        row = self._costs.dataset.get(Workload(Tier.PRIMITIVE, provider, operation, algorithm))
        if row is None or row.ns_per_operation is None:
            return None
        return scaled(row.ns_per_operation, 1e-3)

    def key_exchange(self, name: str) -> KeyExchangeCost | None:
        """Cost of a key exchange method; None where a step of it has no figure."""
        for provider in PREDICTION_PROVIDERS:
            generate = self._one_us(provider, "generate", name)
            if generate is None:
                continue
            if KEY_EXCHANGE[name].kem:
                secret = self._one_us(provider, "decapsulate", name)
                responder = self._one_us(provider, "encapsulate", name)
            else:
                secret = self._one_us(provider, "agree", name)
                responder = total((generate, secret)) if secret is not None else None
            if secret is not None and responder is not None:
                return KeyExchangeCost(generate, secret, responder, provider)
        return None

    def authentication_us(self, name: str) -> tuple[Estimate, Estimate] | None:
        """Sign and verify; None where one has no figure, and for a pre-shared key."""
        for provider in PREDICTION_PROVIDERS:
            sign, verify = (self._one_us(provider, operation, name) for operation in ("sign", "verify"))
            if sign is not None and verify is not None:
                return sign, verify
        return None

    def prf_us(self, name: str) -> Estimate | None:
        """One call of a PRF; from the HMAC of the same hash where the PRF itself was not measured."""
        nonces = Traffic(size_bytes=_PRF_INPUT_BYTES)
        for provider in PREDICTION_PROVIDERS:
            timed = self._costs.time_ns(Tier.PRIMITIVE, provider, "prf", name, nonces)
            if timed is None and name in INTEGRITY_OF_PRF:
                timed = self._costs.time_ns(Tier.PRIMITIVE, provider, "authenticate", INTEGRITY_OF_PRF[name], nonces)
            if timed is not None:
                return scaled(timed[0], 1e-3)
        return None

    def prf_plus_us(self, name: str, output_bytes: int) -> Estimate | None:
        """prf+ for so many octets: as many PRF calls as blocks of output (RFC 7296 section 2.13)."""
        per_block = PRF[name].output_bytes
        blocks = -(-output_bytes // per_block)
        for provider in PREDICTION_PROVIDERS:
            measured = [
                row
                for row in self._costs.rows(name)
                if row.workload.provider == provider
                and row.workload.operation == "prf-plus"
                and row.ns_per_operation is not None
                and row.workload.size_bytes
            ]
            if measured:
                row = min(measured, key=lambda r: abs((r.workload.size_bytes or 0) - output_bytes))
                measured_blocks = -(-(row.workload.size_bytes or 1) // per_block)
                if row.ns_per_operation is not None:
                    return scaled(row.ns_per_operation, blocks / measured_blocks / 1e3)
        single = self.prf_us(name)
        return None if single is None else scaled(single, blocks)


def ike_key_bytes(encryption: str, integrity: str | None, prf: str) -> int:
    """Octets of SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi and SK_pr (RFC 7296 section 2.14, RFC 5282 section 7)."""
    mac = 0 if integrity is None else INTEGRITY[integrity].key_bytes
    return 3 * PRF[prf].output_bytes + 2 * (ENCRYPTION[encryption].keymat_bytes + mac)


def child_key_bytes(suite: str) -> int:
    """Octets of KEYMAT for both directions (RFC 7296 section 2.17)."""
    parts = esp_suites()[suite]
    mac = 0 if parts.integrity is None else parts.integrity.key_bytes
    return 2 * (parts.encryption.keymat_bytes + mac)
