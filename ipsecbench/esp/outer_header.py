"""The outer IP header of a tunnel: what it takes from the inner one, and what comes back (RFC 4301 section 5.1.2).

ECN follows RFC 6040 in normal mode, both ways. DSCP is copied outside or is 0; from outside it is never taken, since
whoever is on the path can write it. The flow label outside is 0, the hop limit 64.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from ipsecbench.esp.configuration import DontFragment, SaConfiguration
from ipsecbench.wire.ip import IpHeader, Protocol, address_octets

_ECN_MASK = 3


class Ecn(IntEnum):
    """The ECN field (RFC 3168 section 5)."""

    NOT_ECT = 0
    ECT_1 = 1
    ECT_0 = 2
    CE = 3


DECAPSULATED: Mapping[tuple[Ecn, Ecn], Ecn | None] = MappingProxyType(
    {
        (Ecn.NOT_ECT, Ecn.NOT_ECT): Ecn.NOT_ECT,
        (Ecn.NOT_ECT, Ecn.ECT_0): Ecn.NOT_ECT,
        (Ecn.NOT_ECT, Ecn.ECT_1): Ecn.NOT_ECT,
        (Ecn.NOT_ECT, Ecn.CE): None,
        (Ecn.ECT_0, Ecn.NOT_ECT): Ecn.ECT_0,
        (Ecn.ECT_0, Ecn.ECT_0): Ecn.ECT_0,
        (Ecn.ECT_0, Ecn.ECT_1): Ecn.ECT_1,
        (Ecn.ECT_0, Ecn.CE): Ecn.CE,
        (Ecn.ECT_1, Ecn.NOT_ECT): Ecn.ECT_1,
        (Ecn.ECT_1, Ecn.ECT_0): Ecn.ECT_1,
        (Ecn.ECT_1, Ecn.ECT_1): Ecn.ECT_1,
        (Ecn.ECT_1, Ecn.CE): Ecn.CE,
        (Ecn.CE, Ecn.NOT_ECT): Ecn.CE,
        (Ecn.CE, Ecn.ECT_0): Ecn.CE,
        (Ecn.CE, Ecn.ECT_1): Ecn.CE,
        (Ecn.CE, Ecn.CE): Ecn.CE,
    }
)
"""Arriving inner and outer ECN to the one that goes on; None: it is dropped (RFC 6040 section 4.2, figure 4)."""


def inner_traffic_class(inner: int, outer: int) -> int | None:
    """The Traffic Class with which a packet leaves a tunnel; None where it must be dropped.

    Args:
        inner: Traffic Class of the inner header as it arrived.
        outer: that of the outer header.
    """
    ecn = DECAPSULATED[Ecn(inner & _ECN_MASK), Ecn(outer & _ECN_MASK)]
    return None if ecn is None else (inner & ~_ECN_MASK) | ecn


def outer_header(sa: SaConfiguration, inner: IpHeader, identification: int) -> IpHeader:
    """The header outside a tunnel.

    Args:
        sa: addresses, and what is copied.
        inner: header of the packet that goes inside.
        identification: for an IPv4 packet that may be fragmented.
    """
    source = address_octets(sa.source)
    dont_fragment = len(source) == 4 and forbids_fragments(sa.dont_fragment, inner)
    return IpHeader(
        source,
        address_octets(sa.destination),
        Protocol.ESP,
        inner.traffic_class if sa.copy_dscp else inner.traffic_class & _ECN_MASK,
        # An IPv4 packet that is not fragmented needs none (RFC 6864 section 4).
        identification=0 if dont_fragment else identification,
        dont_fragment=dont_fragment,
    )


def forbids_fragments(choice: DontFragment, inner: IpHeader) -> bool:
    """Whether the outer packet of an inner one is not to be fragmented, be it DF (IPv4) or a rule (IPv6)."""
    if choice is DontFragment.COPY:
        # No router fragments IPv6: inside it counts as DF.
        return inner.dont_fragment or inner.version == 6
    return choice is DontFragment.SET
