"""What whole exchanges cost: cryptography by part, the protocol around it, and the time that passes.

The protocol's share (messages, their protection, state machines, datagrams) is taken by the message from the tier
``handshake``, where the dataset has it: this program's own stack, in Python. Otherwise a stated default stands for it,
with bounds that are as wide as the ignorance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ipsecbench.bench.measurement import Estimate
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.keys.exchange_steps import ExchangeSteps, Steps
from ipsecbench.recommend.keys.handshake_cost import StepPart
from ipsecbench.recommend.keys.handshake_stack import message_cost
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.setup_load import EndCost, ExchangeCost, ProtocolBasis
from ipsecbench.recommend.prediction.arithmetic import scaled, total

UNMEASURED_MESSAGE_US = Estimate(250.0, 10.0, 2500.0)
"""One message at one end where nothing was measured. Ours: this program's own stack takes about 250 µs for one on an
x86 server of 2 GHz; a daemon in C on such a one may take a twentieth of that, and a slow router ten times as much."""
_MAIN_MODE, _AGGRESSIVE_MODE, _QUICK_MODE = 6, 3, 3
"""Messages (RFC 2409 sections 5.4 and 5.5)."""

_Price = Callable[[bool], Steps | None]
"""Steps of one end, by whether it is the initiator."""


class ExchangeModel:
    """Costs of exchanges with one set of parameters on one box."""

    def __init__(
        self, dataset: Dataset, operations: IkeOperations, parameters: IkeParameters, round_trip_ms: float
    ) -> None:
        self.parameters = parameters
        self._dataset = dataset
        self._operations = operations
        self._round_trip_ms = round_trip_ms
        self._steps = ExchangeSteps(operations, parameters)
        self._message = message_cost(dataset, parameters)

    @property
    def basis(self) -> ProtocolBasis:
        """Where the protocol's cost comes from."""
        return ProtocolBasis.STATED if self._message is None else ProtocolBasis.MEASURED

    @property
    def measured_set(self) -> str | None:
        """The whole set-up that stands for the protocol's cost."""
        return None if self._message is None else self._message.measured_set

    def setup(self) -> ExchangeCost | None:
        """The IKE SA with its first Child SA; None where a step has no figure."""
        if self.parameters.ike_version == 1:
            return self.aggressive_mode() if self.parameters.exchange_mode == "aggressive" else self.main_mode()
        more = len(self.parameters.additional_key_exchanges)
        name = "IKE_SA_INIT, IKE_INTERMEDIATE, IKE_AUTH" if more else "IKE_SA_INIT, IKE_AUTH"
        return self._cost(name, 4 + 2 * more, 2 + more, lambda initiator: self._steps.setup(initiator=initiator))

    def main_mode(self) -> ExchangeCost | None:
        """IKEv1's main mode and a quick mode without PFS."""
        return self._version_1("main mode, quick mode", _MAIN_MODE, 3)

    def aggressive_mode(self) -> ExchangeCost | None:
        """IKEv1's aggressive mode and a quick mode without PFS."""
        return self._version_1("aggressive mode, quick mode", _AGGRESSIVE_MODE, 1)

    def child_rekey(self, pfs: str | None) -> ExchangeCost | None:
        """A rekey of a Child SA, with a key exchange of its own or without."""
        if self.parameters.ike_version == 1:
            name = "quick mode" if pfs is None else "quick mode with PFS"
            return self._cost(
                name, _QUICK_MODE, 1, lambda initiator: self._steps.quick_mode(initiator=initiator, pfs=pfs)
            )
        more = 0 if pfs is None else len(self.parameters.additional_key_exchanges)
        name = "CREATE_CHILD_SA" if pfs is None else "CREATE_CHILD_SA with key exchange"
        name += ", IKE_FOLLOWUP_KE" if more else ""
        return self._cost(
            name, 2 + 2 * more, 1 + more, lambda initiator: self._steps.child_rekey(initiator=initiator, pfs=pfs)
        )

    def ike_rekey(self) -> ExchangeCost | None:
        """A rekey of the IKE SA; with IKEv1 a new main or aggressive mode, which authenticates again."""
        if self.parameters.ike_version == 1:
            aggressive = self.parameters.exchange_mode == "aggressive"
            name, messages, trips = ("aggressive", _AGGRESSIVE_MODE, 1) if aggressive else ("main", _MAIN_MODE, 3)
            return self._cost(
                f"{name} mode", messages, trips, lambda initiator: self._steps.phase1(initiator=initiator)
            )
        more = len(self.parameters.additional_key_exchanges)
        name = "CREATE_CHILD_SA of the IKE SA" + (", IKE_FOLLOWUP_KE" if more else "")
        return self._cost(name, 2 + 2 * more, 1 + more, lambda initiator: self._steps.ike_rekey(initiator=initiator))

    def with_version(self, version: int) -> ExchangeModel:
        """The same parameters with another version of IKE; IKEv1 knows no additional key exchanges."""
        more = () if version == 1 else self.parameters.additional_key_exchanges
        parameters = replace(self.parameters, ike_version=version, additional_key_exchanges=more)
        return ExchangeModel(self._dataset, self._operations, parameters, self._round_trip_ms)

    def _version_1(self, name: str, messages: int, round_trips: int) -> ExchangeCost | None:
        def steps(initiator: bool) -> Steps | None:
            first = self._steps.phase1(initiator=initiator)
            second = self._steps.quick_mode(initiator=initiator, pfs=None)
            return None if first is None or second is None else (*first, *second)

        return self._cost(name, messages + _QUICK_MODE, round_trips + 1, steps)

    def _cost(self, name: str, messages: int, round_trips: int, price: _Price) -> ExchangeCost | None:
        first, second = price(True), price(False)
        if first is None or second is None:
            return None
        message = self._message
        initiator = _end(first, messages, UNMEASURED_MESSAGE_US if message is None else message.initiator_us)
        responder = _end(second, messages, UNMEASURED_MESSAGE_US if message is None else message.responder_us)
        network = self._round_trip_ms * round_trips
        work = scaled(total((initiator.cpu_us, responder.cpu_us)), 1e-3)
        return ExchangeCost(
            name=name,
            messages=messages,
            round_trips=round_trips,
            initiator=initiator,
            responder=responder,
            wall_ms=total((work, Estimate(network, network, network))),
            measured=not self._steps.unmeasured(),
        )


def _end(steps: Steps, messages: int, message_us: Estimate) -> EndCost:
    parts = {part: total(step.cost_us for step in steps if step.part is part) for part in StepPart}
    cryptography = total(step.cost_us for step in steps)
    protocol = scaled(message_us, messages)
    return EndCost(
        key_exchange_us=parts[StepPart.KEY_EXCHANGE],
        authentication_us=parts[StepPart.AUTHENTICATION],
        prf_us=parts[StepPart.PRF],
        cryptography_us=cryptography,
        protocol_us=protocol,
        cpu_us=total((cryptography, protocol)),
    )
