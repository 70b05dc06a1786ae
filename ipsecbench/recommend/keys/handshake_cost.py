"""What setting up an IKE SA costs: the records that the recommendation carries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ipsecbench.bench.measurement import Estimate


class StepPart(StrEnum):
    """What a cryptographic operation of IKE is for."""

    KEY_EXCHANGE = "key exchange"
    AUTHENTICATION = "authentication"
    PRF = "PRF"


@dataclass(frozen=True, slots=True)
class Step:
    """One cryptographic operation of a handshake."""

    name: str
    """Such as ``x25519 generate``."""
    times: float
    """How often it happens."""
    cost_us: Estimate
    """What all of that costs."""
    part: StepPart
    """What it is for."""


@dataclass(frozen=True, slots=True)
class StackPart:
    """What one part of a whole set-up took; None where a part has no figure, as signatures with a pre-shared key."""

    name: str
    """Such as ``key exchange`` or ``protocol``."""
    initiator_us: Estimate | None
    """At the initiator."""
    responder_us: Estimate | None
    """At the responder."""


@dataclass(frozen=True, slots=True)
class StackCost:
    """What a whole set-up took with this program's own IKE stack, which is in Python: measured, tier ``handshake``."""

    measured_set: str
    """The set that was measured, such as ``ikev2:aes128-sha256-x25519:psk``."""
    same_set: bool
    """Whether it has the recommended transforms and authentication; otherwise it is the nearest that was measured."""
    initiator_us: Estimate
    """All of it at the initiator, the Child SA and the datagrams included."""
    responder_us: Estimate
    """All of it at the responder."""
    initiator_other_us: Estimate
    """What of it is no cryptography: messages, state machines, system calls."""
    responder_other_us: Estimate
    """The same at the responder."""
    setups_per_second: Estimate
    """Set-ups per second of one core of a responder with this stack."""
    parts: tuple[StackPart, ...]
    """What it is made of."""


@dataclass(frozen=True, slots=True)
class HandshakeCost:
    """Processor time that IKE's cryptography takes on this box. A bound: no messages, no parsing, no certificates."""

    initiator_us: Estimate
    """IKE_SA_INIT and IKE_AUTH with the first Child SA, or IKEv1's main mode and quick mode, at the initiator."""
    responder_us: Estimate
    """The same at the responder."""
    child_rekey_us: Estimate
    """Rekey of a Child SA with its own key exchange, at either end (the dearer one)."""
    ike_rekey_us: Estimate
    """Rekey of the IKE SA, or with IKEv1 a new main mode, at either end (the dearer one)."""
    handshakes_per_second: Estimate
    """Set-ups per second that one core of a responder could do, were there nothing but cryptography."""
    initiator_steps: tuple[Step, ...]
    """What the initiator's cost is made of."""
    responder_steps: tuple[Step, ...]
    """What the responder's cost is made of."""
    provider: str
    """Library that did the key exchange."""
    stack: StackCost | None = None
    """A whole set-up, measured; None where the dataset has none."""
