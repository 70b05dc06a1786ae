"""What is counted: packets dropped, by Linux's names, and what an SA has carried."""

from __future__ import annotations

from dataclasses import dataclass

COUNTERS = (
    "XfrmInError",
    "XfrmInBufferError",
    "XfrmInHdrError",
    "XfrmInNoStates",
    "XfrmInStateProtoError",
    "XfrmInStateModeError",
    "XfrmInStateSeqError",
    "XfrmInStateExpired",
    "XfrmInStateMismatch",
    "XfrmInStateInvalid",
    "XfrmInTmplMismatch",
    "XfrmInNoPols",
    "XfrmInPolBlock",
    "XfrmInPolError",
    "XfrmOutError",
    "XfrmOutBundleGenError",
    "XfrmOutNoStates",
    "XfrmOutStateProtoError",
    "XfrmOutStateModeError",
    "XfrmOutStateSeqError",
    "XfrmOutStateExpired",
    "XfrmOutPolBlock",
    "XfrmOutPolError",
    "XfrmOutStateInvalid",
)
"""Names of the counters of dropped packets, with Linux's meaning (Documentation/networking/xfrm_proc.rst): a wrong ICV
is ``XfrmInStateProtoError``, a replay ``XfrmInStateSeqError``, an unknown SPI ``XfrmInNoStates``, a packet that no
policy admits ``XfrmInNoPols`` or ``XfrmInTmplMismatch``, DISCARD ``XfrmInPolBlock`` and ``XfrmOutPolBlock``."""


@dataclass(frozen=True, slots=True)
class SaStatistics:
    """What one SA has carried, as Linux counts it (inner octets of accepted packets)."""

    packets: int
    bytes: int
    replayed: int = 0
    """Inbound: packets that the window refused."""
    forged: int = 0
    """Inbound: packets with a wrong ICV."""
    idle_seconds: float = 0.0
    """Since the last packet; since it was added where there was none."""
