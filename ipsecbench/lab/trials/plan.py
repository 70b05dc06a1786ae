"""What a run of the laboratory measures: suites with the ones that their fixed costs come from, and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipsecbench.algorithms.suites import esp_suites, parse_esp_suite
from ipsecbench.bench.measurement import MIXES, SIMPLE_IMIX, Tier, Workload
from ipsecbench.bench.plan import DECISION_SUITES
from ipsecbench.bench.runner import Offer
from ipsecbench.errors import UsageError
from ipsecbench.lab.plane_cost import BASE_SUITES, DIRECTIONS, LOOP_PROVIDER, own_base
from ipsecbench.lab.trials.inner_packets import IP_UDP_HEADER_BYTES

SMALLEST_SIZE_BYTES = IP_UDP_HEADER_BYTES
LARGEST_SIZE_BYTES = 8800
"""Of inner packets: the link of the laboratory carries them uncut, whatever the suite adds."""
DEFAULT_SIZES = ("64", "128", "256", "512", "1024", "1280", "1400", SIMPLE_IMIX)
QUICK_SIZES = ("64", "512", "1400", SIMPLE_IMIX)
QUICK_SUITES = (
    "aes128gcm16", "aes256gcm16", "chacha20poly1305", "aes128-sha256", "aes256-sha256", "aes128-sha1", "aes128-md5",
    "3des-sha1",
)  # fmt: skip
ALL = "all"


@dataclass(frozen=True, slots=True)
class Size:
    """Octets of the inner packets, or a mix."""

    size_bytes: int | None = None
    mix: str | None = None


def parse_sizes(texts: Iterable[str]) -> tuple[Size, ...]:
    """Sizes and names of mixes.

    Raises:
        UsageError: one is neither.
    """
    sizes: dict[Size, None] = {}
    for text in texts:
        word = text.strip()
        if word in MIXES:
            sizes[Size(mix=word)] = None
            continue
        if not (word.isascii() and word.isdigit() and len(word) <= 6):
            raise UsageError(f"--sizes: {word!r} is no number of octets and no mix ({', '.join(MIXES)})")
        if not SMALLEST_SIZE_BYTES <= int(word) <= LARGEST_SIZE_BYTES:
            raise UsageError(f"--sizes: {word} is outside {SMALLEST_SIZE_BYTES} to {LARGEST_SIZE_BYTES} octets")
        sizes[Size(int(word))] = None
    if not sizes:
        raise UsageError("--sizes: none given, such as 64,1400,imix-simple")
    return tuple(sizes)


def choose_suites(
    offers: Sequence[Offer], wanted: Sequence[str], quick: bool, library: str = LOOP_PROVIDER
) -> tuple[str, ...]:
    """The suites to measure: those that were asked for, and the ones without encryption that belong to them.

    Args:
        offers: what the box's libraries offer.
        wanted: names or patterns; ``all``: every one that can be negotiated; empty: the plan's own choice.
        quick: the short plan.
        library: whose.

    Raises:
        UsageError: a name is no suite, or cannot be had here.
    """
    reasons = {
        offer.algorithm: offer.reason
        for offer in offers
        if offer.tier is Tier.PACKET_LOOP and offer.provider == library
    }
    usable = [name for name in esp_suites() if name in reasons and reasons[name] is None and _negotiable(name)]
    if not usable:
        raise UsageError(f"no ESP suite can be measured here: there is no usable {library}")
    chosen: dict[str, None] = {}
    for pattern in wanted:
        found = usable if pattern == ALL else [name for name in usable if fnmatchcase(name, pattern)]
        if not found:
            parse_esp_suite(pattern)
            raise UsageError(f"--suites: {pattern} cannot be had here: {_why(pattern, reasons, library)}")
        chosen |= dict.fromkeys(found)
    if not wanted:
        chosen = dict.fromkeys(name for name in (QUICK_SUITES if quick else DECISION_SUITES) if name in usable)
    bases = [base for base in map(own_base, chosen) if base is not None]
    stand_in = next((base for base in BASE_SUITES if base in usable), None)
    if stand_in is None:
        raise UsageError("no suite without encryption can be measured here, so nothing can be predicted")
    # The ones without encryption first: everything else is held against them.
    return tuple(dict.fromkeys([stand_in, *(base for base in bases if base in usable), *chosen]))


def _negotiable(name: str) -> bool:
    """Whether IKEv2 has a number for its transforms."""
    parts = esp_suites()[name]
    return parts.encryption.ikev2_id is not None and (parts.integrity is None or parts.integrity.ikev2_id is not None)


def _why(name: str, reasons: dict[str, str | None], library: str) -> str:
    reason = reasons.get(name)
    if reason:
        return reason
    return f"{library} does not have it" if name not in reasons else "IKEv2 has no number for it"


def lab_plan(
    suites: Sequence[str], sizes: Sequence[Size], provider: str, library: str = LOOP_PROVIDER, tier: Tier = Tier.TUN_LAB
) -> tuple[Workload, ...]:
    """Rows of a data plane, each beside its packet loop.

    Args:
        suites: what to measure.
        sizes: with which packets.
        provider: whose data plane.
        library: whose packet loops.
        tier: of the data plane's rows.
    """
    plan = []
    for size in sizes:
        for suite in suites:
            for direction in DIRECTIONS:
                plan.append(Workload(tier, provider, direction, suite, size.size_bytes, size.mix))
                plan.append(Workload(Tier.PACKET_LOOP, library, direction, suite, size.size_bytes, size.mix))
    return tuple(plan)
