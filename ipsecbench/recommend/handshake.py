"""What IKE's cryptography costs on this box: key exchange, PRF and signatures, without messages or certificates.

Operations of IKE_SA_INIT and IKE_AUTH with the first Child SA (RFC 7296 sections 1.2 and 2.14 to 2.17), per role:
one key exchange, SKEYSEED, prf+ for the seven keys of the IKE SA, both peers' authentication, prf+ for KEYMAT. A
certificate chain costs one more verification per certificate, which is not in here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate, Tier, Workload
from ipsecbench.recommend.arithmetic import inverse, larger, scaled, total
from ipsecbench.recommend.cost_model import PREDICTION_PROVIDERS, CostModel
from ipsecbench.recommend.handshake_cost import HandshakeCost, Step
from ipsecbench.recommend.proposals import INTEGRITY_OF_PRF
from ipsecbench.recommend.traffic import Traffic

_PRF_INPUT_BYTES = 64
"""Two nonces of 32 octets: what SKEYSEED is made of; the other inputs are of that order."""
_PSK_PRF_CALLS = 4
"""prf(secret, pad) and prf over the signed octets, for each peer (RFC 7296 section 2.15)."""
_SIGNED_OCTETS_PRF_CALLS = 2
"""prf(SK_p, identity) for each peer (RFC 7296 section 2.15)."""


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


class HandshakeModel:
    """Handshake costs from one dataset."""

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

    def cost(
        self, encryption: str, integrity: str | None, prf: str, key_exchange: str, authentication: str, suite: str
    ) -> HandshakeCost | None:
        """Cost of a whole phase 1 set with the first Child SA; None where the key exchange or the PRF has no figure.

        A signature without a figure counts as None too; a pre-shared key needs the PRF only.
        """
        exchange = self.key_exchange(key_exchange)
        single = self.prf_us(prf)
        ike_keys = self.prf_plus_us(prf, ike_key_bytes(encryption, integrity, prf))
        child_keys = self.prf_plus_us(prf, child_key_bytes(suite))
        identity = self._authentication_steps(authentication, single)
        if exchange is None or single is None or ike_keys is None or child_keys is None or identity is None:
            return None
        derive = (Step(f"{prf}: SKEYSEED", 1, single), Step(f"{prf}+: IKE SA keys", 1, ike_keys))
        keymat = Step(f"{prf}+: KEYMAT", 1, child_keys)
        first = _key_exchange_steps(key_exchange, exchange, initiator=True)
        second = _key_exchange_steps(key_exchange, exchange, initiator=False)
        initiator = (*first, *derive, *identity, keymat)
        responder = (*second, *derive, *identity, keymat)
        responder_us = total(step.cost_us for step in responder)
        return HandshakeCost(
            initiator_us=total(step.cost_us for step in initiator),
            responder_us=responder_us,
            child_rekey_us=total((exchange.dearer_us, child_keys)),
            ike_rekey_us=total((exchange.dearer_us, single, ike_keys)),
            handshakes_per_second=inverse(responder_us, 1e6),
            initiator_steps=initiator,
            responder_steps=responder,
            provider=exchange.provider,
        )

    def _authentication_steps(self, name: str, prf_us: Estimate | None) -> tuple[Step, ...] | None:
        if prf_us is None:
            return None
        if AUTHENTICATION[name].strength_bits is None:
            return (Step("pre-shared key: prf for both peers", _PSK_PRF_CALLS, scaled(prf_us, _PSK_PRF_CALLS)),)
        pair = self.authentication_us(name)
        if pair is None:
            return None
        octets = Step("prf over both identities", _SIGNED_OCTETS_PRF_CALLS, scaled(prf_us, _SIGNED_OCTETS_PRF_CALLS))
        return (Step(f"{name} sign", 1, pair[0]), Step(f"{name} verify", 1, pair[1]), octets)


def _key_exchange_steps(name: str, cost: KeyExchangeCost, *, initiator: bool) -> tuple[Step, ...]:
    if KEY_EXCHANGE[name].kem and not initiator:
        return (Step(f"{name} encapsulate", 1, cost.responder_us),)
    second = "decapsulate" if KEY_EXCHANGE[name].kem else "agree"
    return (Step(f"{name} generate", 1, cost.generate_us), Step(f"{name} {second}", 1, cost.initiator_secret_us))


def ike_key_bytes(encryption: str, integrity: str | None, prf: str) -> int:
    """Octets of SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi and SK_pr (RFC 7296 section 2.14, RFC 5282 section 7)."""
    mac = 0 if integrity is None else INTEGRITY[integrity].key_bytes
    return 3 * PRF[prf].output_bytes + 2 * (ENCRYPTION[encryption].keymat_bytes + mac)


def child_key_bytes(suite: str) -> int:
    """Octets of KEYMAT for both directions (RFC 7296 section 2.17)."""
    parts = esp_suites()[suite]
    mac = 0 if parts.integrity is None else parts.integrity.key_bytes
    return 2 * (parts.encryption.keymat_bytes + mac)
