"""The connection that a recommendation makes between two ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench import __version__
from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.export.connection import (
    Connection,
    End,
    EspAlgorithms,
    IkeAlgorithms,
    Life,
    Provenance,
    placeholder_ends,
)

if TYPE_CHECKING:
    from ipsecbench.recommend.keys.lives import Lifetime
    from ipsecbench.recommend.model import Recommendation


def connection_of(
    recommendation: Recommendation,
    local: End | None = None,
    peer: End | None = None,
    *,
    name: str = "ipsecbench",
    with_fallbacks: bool = False,
) -> Connection:
    """The connection that a recommendation makes between two ends.

    Args:
        recommendation: what to use.
        local: this end; a placeholder of the documentation ranges if None.
        peer: the other end; likewise.
        name: what the connection is called in the configuration.
        with_fallbacks: also write the proposals for old peers that the policy appends.

    Raises:
        UsageError: the ends do not fit each other.
    """
    phase1, phase2, wanted = recommendation.phase1, recommendation.phase2, recommendation.requirements
    default_local, default_peer = placeholder_ends(wanted.outer, wanted.inner)
    here, there = local or default_local, peer or default_peer
    if f"ipv{here.ip_version}" != wanted.outer:
        raise UsageError(
            f"{here.address} is IPv{here.ip_version} and the recommendation is for an outer {wanted.outer} header, "
            f"which MTU and MSS depend on: recommend with --outer ipv{here.ip_version}"
        )
    suite = esp_suites()[phase2.suite]
    return Connection(
        name=name,
        ike_version=phase1.ike_version,
        ike=IkeAlgorithms(
            phase1.encryption, phase1.integrity, phase1.prf, phase1.key_exchange, phase1.additional_key_exchanges
        ),
        esp=EspAlgorithms(
            suite.encryption.name,
            None if suite.integrity is None else suite.integrity.name,
            phase2.key_exchange,
            phase2.additional_key_exchanges,
            phase2.esn,
        ),
        authentication=phase1.authentication,
        ike_life=_life(phase1.lifetime),
        child_life=_life(phase2.lifetime),
        local=here,
        peer=there,
        provenance=Provenance(
            __version__,
            f"{recommendation.policy} {recommendation.policy_version}",
            recommendation.box,
            recommendation.dataset_sha256,
            recommendation.dataset_created,
        ),
        mode=phase2.mode,
        aggressive=phase1.exchange_mode == "aggressive",
        nat_traversal=wanted.nat_traversal,
        replay_window_packets=phase2.replay_window_packets,
        link_mtu_bytes=wanted.link_mtu_bytes,
        inner_mtu_bytes=phase2.inner_mtu_bytes,
        mss_ipv4_bytes=phase2.mss_ipv4_bytes,
        mss_ipv6_bytes=phase2.mss_ipv6_bytes,
        ike_fallbacks=tuple(map(_ike_algorithms, phase1.fallback_proposals if with_fallbacks else ())),
        esp_fallbacks=tuple(
            _esp_algorithms(text, phase2.esn) for text in (phase2.fallback_proposals if with_fallbacks else ())
        ),
    )


def _life(lifetime: Lifetime) -> Life:
    return Life(
        lifetime.soft_seconds,
        lifetime.hard_seconds,
        lifetime.soft_bytes,
        lifetime.hard_bytes,
        lifetime.soft_packets,
        lifetime.hard_packets,
        lifetime.jitter.rand_seconds,
        lifetime.jitter.rand_bytes,
        lifetime.jitter.rand_packets,
        lifetime.expected_seconds,
        lifetime.uncounted_soft_seconds,
        lifetime.uncounted_hard_seconds,
    )


def _first(names: tuple[str, ...]) -> str | None:
    return names[0] if names else None


def _ike_algorithms(text: str) -> IkeAlgorithms:
    proposal = parse_ike(text)
    return IkeAlgorithms(
        proposal.encryption[0],
        _first(proposal.integrity),
        proposal.prf[0],
        proposal.key_exchange[0],
        tuple(methods[0] for methods in proposal.additional_key_exchanges if methods),
    )


def _esp_algorithms(text: str, esn: bool) -> EspAlgorithms:
    proposal = parse_esp(text)
    return EspAlgorithms(
        proposal.encryption[0],
        _first(proposal.integrity),
        _first(proposal.key_exchange),
        tuple(methods[0] for methods in proposal.additional_key_exchanges if methods),
        esn and proposal.esn[0],
    )
