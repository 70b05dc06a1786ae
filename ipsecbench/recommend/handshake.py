"""What IKE's cryptography costs on this box: key exchange, PRF and signatures, without messages or certificates.

Operations of IKE_SA_INIT and IKE_AUTH with the first Child SA, per role: see
:class:`~ipsecbench.recommend.exchange_steps.ExchangeSteps`. A certificate chain costs one more verification per
certificate, which is not in here.
"""

from __future__ import annotations

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.arithmetic import inverse, larger, total
from ipsecbench.recommend.exchange_steps import ExchangeSteps, Steps
from ipsecbench.recommend.handshake_cost import HandshakeCost
from ipsecbench.recommend.ike_operations import IkeOperations
from ipsecbench.recommend.ike_parameters import IkeParameters


class HandshakeModel(IkeOperations):
    """Handshake costs from one dataset."""

    def cost(
        self, encryption: str, integrity: str | None, prf: str, key_exchange: str, authentication: str, suite: str
    ) -> HandshakeCost | None:
        """Cost of a whole phase 1 set with the first Child SA; None where the key exchange or the PRF has no figure.

        A signature without a figure counts as None too; a pre-shared key needs the PRF only.
        """
        exchange = self.key_exchange(key_exchange)
        steps = ExchangeSteps(self, IkeParameters(encryption, integrity, prf, key_exchange, authentication, suite))
        initiator, responder = steps.setup(initiator=True), steps.setup(initiator=False)
        if exchange is None or initiator is None or responder is None:
            return None
        responder_us = _sum(responder)
        return HandshakeCost(
            initiator_us=_sum(initiator),
            responder_us=responder_us,
            child_rekey_us=larger(
                *(_sum(steps.child_rekey(initiator=role, pfs=key_exchange)) for role in (True, False))
            ),
            ike_rekey_us=larger(*(_sum(steps.ike_rekey(initiator=role)) for role in (True, False))),
            handshakes_per_second=inverse(responder_us, 1e6),
            initiator_steps=initiator,
            responder_steps=responder,
            provider=exchange.provider,
        )


def _sum(steps: Steps | None) -> Estimate:
    return total(step.cost_us for step in steps or ())
