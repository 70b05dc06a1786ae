"""What a dataset, or the formats of packets, say of a parameter: figures that belong to no algorithm alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.esp.overhead import Encapsulation, inner_mtu_bytes, overhead_bytes, tcp_mss_bytes
from ipsecbench.recommend.formats import microseconds, seconds, significant
from ipsecbench.recommend.reasons import Reason

if TYPE_CHECKING:
    from ipsecbench.explain.box import Box
    from ipsecbench.recommend.keys.setup_load import ExchangeCost
    from ipsecbench.recommend.model import Recommendation

LINK_MTU_BYTES = 1500
"""The link that inner MTUs are said for."""
MTU_SUITES = ("aes128gcm16", "aes128-sha1", "aes128-sha256", "aes256-sha512")
"""Suites whose lengths differ: combined mode, and CBC beside each length of ICV."""
ENCAPSULATIONS: Mapping[str, Encapsulation] = MappingProxyType(
    {
        "tunnel": Encapsulation(),
        "tunnel, NAT-T": Encapsulation(nat_traversal=True),
        "tunnel, IPv6": Encapsulation(outer="ipv6"),
        "transport": Encapsulation("transport"),
        "GRE": Encapsulation.carrying("gre"),
        "IP-in-IP": Encapsulation.carrying("ipip"),
    }
)
"""How packets travel, by what people call it."""


def encapsulation_lines(suites: tuple[str, ...] = MTU_SUITES) -> tuple[str, ...]:
    """Inner MTU and MSS of suites in each mode, on a link of :data:`LINK_MTU_BYTES`."""
    width = max(len(suite) for suite in suites)
    heads = " ".join(f"{name:>13}" for name in ENCAPSULATIONS)
    lines = [f"{'':<{width}} {heads}"]
    for name in suites:
        suite = esp_suites()[name]
        cells = []
        for outside in ENCAPSULATIONS.values():
            mtu = inner_mtu_bytes(suite, LINK_MTU_BYTES, outside)
            cells.append(f"{mtu}/{tcp_mss_bytes(mtu)}".rjust(13))
        lines.append(f"{name:<{width}} {' '.join(cells)}")
    return tuple(lines)


def overhead_text(suite: str) -> str:
    """What a suite adds to packets in tunnel mode over IPv4, and what is left for the inner packet."""
    parts = esp_suites()[suite]
    added = [overhead_bytes(parts, size) for size in range(64, 64 + 2 * parts.encryption.pad_align_bytes)]
    mtu = inner_mtu_bytes(parts, LINK_MTU_BYTES)
    return (
        f"{suite}: {min(added)} to {max(added)} octets for each packet in tunnel mode over IPv4; at a link MTU of "
        f"{LINK_MTU_BYTES} the inner MTU is {mtu} and the MSS {tcp_mss_bytes(mtu)}"
    )


def _encapsulation(box: Box | None) -> tuple[Reason, ...]:
    return (
        Reason(f"Inner MTU and TCP MSS (IPv4) at a link MTU of {LINK_MTU_BYTES}:", ("rfc4303",)),
        *(Reason(line) for line in encapsulation_lines()),
    )


def _of_recommendation(
    says: Callable[[Recommendation], tuple[Reason, ...]],
) -> Callable[[Box | None], tuple[Reason, ...]]:
    def figures(box: Box | None) -> tuple[Reason, ...]:
        found = None if box is None else box.recommendation
        return () if found is None else says(found)

    return figures


def _setup(found: Recommendation) -> tuple[Reason, ...]:
    setup = found.setup
    chosen = f"{found.phase1.key_exchange}, {setup.authentication}, round trip {significant(setup.round_trip_ms)} ms"
    costs = (setup.setup, *setup.other_setups, setup.child_rekey, setup.ike_rekey)
    return (Reason(f"With {chosen}:"), *(Reason(_exchange(cost)) for cost in costs), *setup.reasons[:1])


def _exchange(cost: ExchangeCost) -> str:
    trips = "1 round trip" if cost.round_trips == 1 else f"{cost.round_trips} round trips"
    return (
        f"{cost.name}: {cost.messages} messages, {trips}; responder "
        f"{microseconds(cost.responder.cpu_us)}, of it cryptography {microseconds(cost.responder.cryptography_us)}"
    )


def _lives(found: Recommendation) -> tuple[Reason, ...]:
    said = []
    for what, life in (("IKE SA", found.phase1.lifetime), ("Child SA", found.phase2.lifetime)):
        text = f"{what}: rekeyed after {seconds(life.soft_seconds)}, ended after {seconds(life.hard_seconds)}"
        said += [Reason(f"{text}; what binds is {life.binding}"), *life.reasons]
    return tuple(said)


FIGURES: Mapping[str, Callable[[Box | None], tuple[Reason, ...]]] = MappingProxyType(
    {
        "encapsulation": _encapsulation,
        "setup": _of_recommendation(_setup),
        "pfs": _of_recommendation(lambda found: found.pfs.reasons),
        "esn": _of_recommendation(lambda found: found.esn.reasons),
        "replay-window": _of_recommendation(lambda found: found.replay_window.reasons),
        "lives": _of_recommendation(_lives),
        "day": _of_recommendation(lambda found: (Reason(found.day_long_lives.text, found.day_long_lives.sources),)),
    }
)
"""By the word that ``concepts.toml`` has for them."""
