"""What an algorithm costs on a measured box, beside what could stand in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.explain.box import Box, interval, quotient
from ipsecbench.explain.subjects import Kind, Member
from ipsecbench.recommend.prediction.measured_costs import TIER_RANK
from ipsecbench.recommend.requirements.traffic import IMIX

_SUITES = (
    "aes128gcm16",
    "aes256gcm16",
    "chacha20poly1305",
    "aes128-sha256",
    "aes256-sha256",
    "aes128-sha1",
    "3des-sha1",
)
_EXCHANGES = ("x25519", "ecp256", "ecp384", "ecp521", "modp1024", "modp2048", "modp3072", "modp4096", "mlkem768")
_SIGNATURES = ("rsa-2048", "rsa-3072", "rsa-4096", "ecdsa-256", "ecdsa-384", "ed25519")
_PRFS = ("prfsha1", "prfsha256", "prfsha384", "prfsha512")
_PRF_BYTES = 64
"""Two nonces: what a PRF is mostly given."""
_MOST_OWN_SUITES = 2
_BESIDE_ENCRYPTION = ("sha256", "sha1", "md5", "sha512")
_BESIDE_INTEGRITY = ("aes128", "null", "aes256")


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of a comparison."""

    name: str
    """The algorithm or suite."""
    asked_for: bool
    """Whether it is, or holds, what was asked for."""
    value: Estimate
    """The figure; 90% interval."""
    ratio: Estimate | None
    """Its time over that of the first one asked for: below 1 it is faster. None for that one itself."""
    chance: float | None
    """The chance that it takes less time than the first one asked for."""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Algorithms of one role on one box, fastest first."""

    title: str
    """What is compared, and with which packets."""
    unit: str
    """``Mbit/s`` or ``µs``."""
    tier: str
    """Tiers of the evidence."""
    rows: tuple[Cost, ...]
    """The lines."""


def cost_tables(box: Box, members: Iterable[Member]) -> tuple[CostTable, ...]:
    """The comparisons that say what some algorithms cost; empty where the box has no figure for any of them."""
    members = tuple(members)
    of_kind = {kind: [each.name for each in members if each.kind is kind] for kind in Kind}
    found = [_suites(box, _own_suites(box, members))]
    exchanges = of_kind[Kind.KEY_EXCHANGE]
    found.append(
        _times(
            "key exchange, the dearer end",
            exchanges,
            _EXCHANGES,
            {m: box.exchange_us(m) for m in (*exchanges, *_EXCHANGES)},
        )
    )
    signers = [name for name in of_kind[Kind.AUTHENTICATION] if name != "psk"]
    signed = {name: box.signature_us(name) for name in (*signers, *_SIGNATURES)}
    for index, step in enumerate(("sign", "verify")):
        drawn = {name: None if pair is None else pair[index] for name, pair in signed.items()}
        found.append(_times(f"authentication: {step}", signers, _SIGNATURES, drawn))
    prfs = of_kind[Kind.PRF]
    calls = {name: box.call_ns("prf", name, _PRF_BYTES) for name in (*prfs, *_PRFS)}
    in_us = {name: None if drawn is None else drawn * 1e-3 for name, drawn in calls.items()}
    found.append(_times(f"PRF, one call on {_PRF_BYTES} octets", prfs, _PRFS, in_us))
    return tuple(table for table in found if table is not None)


def _own_suites(box: Box, members: Iterable[Member]) -> tuple[str, ...]:
    """The suites to show for what was asked for, as far as there are figures."""
    found: list[str] = []
    for each in members:
        if each.kind is Kind.ESP_SUITE and box.transform_tier(each.name) is not None:
            found.append(each.name)
        elif each.kind is Kind.ENCRYPTION:
            suites = box.suites_with(encryption=each.name)
            beside = [f"{each.name}-{mac}" for mac in _BESIDE_ENCRYPTION]
            ranked = sorted(suites, key=lambda suite: beside.index(suite) if suite in beside else len(beside))
            found += ranked[:_MOST_OWN_SUITES]
        elif each.kind is Kind.INTEGRITY:
            suites = box.suites_with(integrity=each.name)
            found += [suite for cipher in _BESIDE_INTEGRITY for suite in suites if suite == f"{cipher}-{each.name}"]
    return tuple(dict.fromkeys(found))


def _suites(box: Box, own: tuple[str, ...]) -> CostTable | None:
    if not own:
        return None
    # A sum of cipher calls is no packet: only what is of the tier of the first one stands beside it.
    tier = max((box.transform_tier(name) for name in own), key=lambda one: TIER_RANK[one] if one else 0)
    own = tuple(name for name in own if box.transform_tier(name) is tier)
    measured = [name for name in _SUITES if box.packet_ns(name) is not None and box.transform_tier(name) is tier]
    rates = {name: box.rate(name) for name in dict.fromkeys((*own, *measured))}
    drawn = {name: box.packet_ns(name) for name in rates}
    values = {name: figure.value for name, figure in rates.items() if figure is not None}
    tiers = dict.fromkeys(figure.tier for figure in rates.values() if figure is not None)
    rows = _rows(own, drawn, values)
    return CostTable(f"ESP of {IMIX}, one core, one way", "Mbit/s", " / ".join(tiers), rows)


def _times(title: str, own: Iterable[str], others: Iterable[str], drawn: dict[str, Draws | None]) -> CostTable | None:
    own = tuple(name for name in own if drawn[name] is not None)
    if not own:
        return None
    wanted = {name: drawn[name] for name in dict.fromkeys((*own, *others))}
    values = {name: interval(each) for name, each in wanted.items() if each is not None}
    return CostTable(title, "µs", Tier.PRIMITIVE, _rows(own, wanted, values))


def _rows(own: tuple[str, ...], drawn: dict[str, Draws | None], values: dict[str, Estimate]) -> tuple[Cost, ...]:
    """The fastest first; ratios against the first one that was asked for."""
    times = {name: each for name, each in drawn.items() if each is not None and name in values}
    first = times[own[0]]
    rows = []
    for name in sorted(times, key=lambda one: (times[one].value, one)):
        if name == own[0]:
            rows.append(Cost(name, True, values[name], None, None))
            continue
        ratio = interval(quotient(times[name], first))
        rows.append(Cost(name, name in own, values[name], ratio, times[name].chance_below(first)))
    return tuple(rows)
