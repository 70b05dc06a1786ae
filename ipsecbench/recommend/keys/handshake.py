"""What IKE's cryptography costs on this box: key exchange, PRF and signatures, without messages or certificates.

Operations of IKE_SA_INIT and IKE_AUTH with the first Child SA, or of main mode and quick mode, per role: see
:class:`~ipsecbench.recommend.keys.exchange_steps.ExchangeSteps`. A certificate chain costs one more verification per
certificate, which is not in here.
"""

from __future__ import annotations

from dataclasses import replace

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.keys.exchange_steps import ExchangeSteps, Steps
from ipsecbench.recommend.keys.handshake_cost import HandshakeCost
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.prediction.arithmetic import inverse, larger, total


class HandshakeModel(IkeOperations):
    """Handshake costs from one dataset."""

    def cost(self, parameters: IkeParameters) -> HandshakeCost | None:
        """Cost of a whole set-up with the first Child SA; None where the key exchange or the PRF has no figure.

        A signature without a figure counts as None too; a pre-shared key needs the PRF only. Additional key exchanges
        count as far as they were measured.
        """
        exchange = self.key_exchange(parameters.key_exchange)
        steps = ExchangeSteps(self, replace(parameters, certificate_chain=0))
        initiator, responder = (_setup(steps, parameters, initiator=role) for role in (True, False))
        if exchange is None or initiator is None or responder is None:
            return None
        responder_us = _sum(responder)
        pfs, new = parameters.key_exchange, parameters.ike_version == 2
        children = [
            steps.child_rekey(initiator=role, pfs=pfs) if new else steps.quick_mode(initiator=role, pfs=pfs)
            for role in (True, False)
        ]
        ikes = [steps.ike_rekey(initiator=role) if new else steps.phase1(initiator=role) for role in (True, False)]
        return HandshakeCost(
            initiator_us=_sum(initiator),
            responder_us=responder_us,
            child_rekey_us=larger(*(_sum(each) for each in children)),
            ike_rekey_us=larger(*(_sum(each) for each in ikes)),
            handshakes_per_second=inverse(responder_us, 1e6),
            initiator_steps=initiator,
            responder_steps=responder,
            provider=exchange.provider,
        )


def _setup(steps: ExchangeSteps, parameters: IkeParameters, *, initiator: bool) -> Steps | None:
    """Both phases: IKE_SA_INIT to IKE_AUTH, or main mode and quick mode."""
    if parameters.ike_version == 2:
        return steps.setup(initiator=initiator)
    first, second = steps.phase1(initiator=initiator), steps.quick_mode(initiator=initiator, pfs=None)
    return None if first is None or second is None else (*first, *second)


def _sum(steps: Steps | None) -> Estimate:
    return total(step.cost_us for step in steps or ())
