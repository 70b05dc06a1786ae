"""What a hybrid with ML-KEM costs: one more exchange, its cryptography here, and how long its messages are."""

from __future__ import annotations

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.recommend.formats import microseconds
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.message_sizes import additional_messages
from ipsecbench.recommend.keys.setup_load import HybridPrice, Message
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.records import Requirements

PRICED = ("mlkem768", "mlkem1024")
"""What is priced where no additional key exchange was chosen: what the post-quantum policies name."""


def hybrid_prices(
    operations: IkeOperations, parameters: IkeParameters, wanted: Requirements
) -> tuple[HybridPrice, ...]:
    """The chosen additional key exchanges, or what others would cost; nothing with IKEv1, which has none."""
    if parameters.ike_version == 1:
        return ()
    chosen = parameters.additional_key_exchanges
    return tuple(_price(name, name in chosen, operations, parameters, wanted) for name in chosen or PRICED)


def _price(
    name: str, chosen: bool, operations: IkeOperations, parameters: IkeParameters, wanted: Requirements
) -> HybridPrice:
    cost = operations.key_exchange(name)
    messages = additional_messages(name, parameters, wanted)
    if cost is None:
        price = "is not measured on this box"
    else:
        price = f"takes {microseconds(cost.initiator_us)} at the initiator, {microseconds(cost.responder_us)} at the "
        price += f"responder ({cost.provider})"
    verb = "is" if chosen else "would be"
    text = (
        f"{name} beside {parameters.key_exchange} {verb} one exchange more (IKE_INTERMEDIATE; IKE_FOLLOWUP_KE in a "
        f"rekey): {price}; {_sizes(messages, wanted)}."
    )
    if not KEY_EXCHANGE[name].kem:
        text += f" {name} is no key encapsulation: a quantum computer breaks it too."
    return HybridPrice(
        method=name,
        chosen=chosen,
        initiator_us=None if cost is None else cost.initiator_us,
        responder_us=None if cost is None else cost.responder_us,
        round_trips=1,
        messages=messages,
        reason=Reason(text, ("mlkem",)),
    )


def _sizes(messages: tuple[Message, ...], wanted: Requirements) -> str:
    sizes = " and ".join(str(message.udp_payload_bytes) for message in messages)
    most = max(message.fragments for message in messages)
    cut = "no fragments" if most == 1 else f"up to {most} fragments each (RFC 7383)"
    return f"messages of {sizes} octets, {cut} at a link MTU of {wanted.link_mtu_bytes}"
