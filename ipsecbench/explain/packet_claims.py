"""Claims about modes and lengths: the formats of packets decide, and the box only about the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.measurement import Estimate
from ipsecbench.errors import UsageError
from ipsecbench.esp.overhead import Encapsulation, ethernet_bytes, inner_mtu_bytes, wire_bytes
from ipsecbench.explain.box import Box, Figure, interval, quotient
from ipsecbench.explain.figures import LINK_MTU_BYTES, MTU_SUITES
from ipsecbench.explain.verdicts import Outcome, Verdict
from ipsecbench.recommend.requirements.traffic import Traffic

_ARITHMETIC = "arithmetic"
_SUITE = "aes128gcm16"
_SMALL_BYTES, _LARGE_BYTES = 64, 1400
_MTU_BYTES = 1400
_TELLING_PERCENT = 5.0
"""Width of an interval beyond which 20 octets of 1400 cannot be told from noise."""
_LINKS = {"Ethernet (1500)": 1500, "PPPoE (1492)": 1492, "a tunnel below (1420)": 1420}


def _exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


def tunnel(box: Box | None) -> Outcome:
    """Tunnel mode costs throughput against transport mode."""
    suite = esp_suites()[_SUITE]
    figures = []
    for size in (_SMALL_BYTES, _LARGE_BYTES):
        whole, short = (
            ethernet_bytes(wire_bytes(suite, size, Encapsulation(mode))) for mode in ("tunnel", "transport")
        )
        label = f"line taken by the outer header, {size}-byte packets, {_SUITE}"
        figures.append(Figure(label, _exactly((whole / short - 1) * 100), "%", _ARITHMETIC))
    small, large = (figure.value.median for figure in figures)
    mtus = [inner_mtu_bytes(suite, LINK_MTU_BYTES, Encapsulation(mode)) for mode in ("tunnel", "transport")]
    answer = (
        f"Little, and of the line rather than of the processor: the outer header takes {large:.1f}% more of the line "
        f"with large packets and {small:.0f}% with the smallest (inner MTU {mtus[0]} against {mtus[1]}). Under GRE, "
        "transport mode carries an outer header all the same and four octets more."
    )
    if box is not None:
        one, other = (box.packet_ns(_SUITE, Traffic(size_bytes=size)) for size in (_LARGE_BYTES, _LARGE_BYTES - 20))
        if one is not None and other is not None:
            lost = interval((quotient(one, other)) * 100.0)
            label = f"processor time for 20 octets more in a {_LARGE_BYTES}-byte packet"
            change = Estimate(lost.median - 100, lost.lower - 100, lost.upper - 100)
            tier = box.tier_of(_SUITE, Traffic(size_bytes=_LARGE_BYTES))
            if change.upper - change.lower < _TELLING_PERCENT:
                figures.append(Figure(label, change, "%", tier))
    return Outcome(Verdict.DEPENDS, answer, tuple(figures))


def mtu_1400(box: Box | None) -> Outcome:
    """An MTU of 1400 is always safe: arithmetic over suites, links and encapsulations, the box has no part in it."""
    too_long, figures = [], []
    for link, mtu in _LINKS.items():
        least = min(
            (_inner(name, mtu, outside), name, words)
            for name in MTU_SUITES
            for words, outside in {
                "NAT-T": Encapsulation(nat_traversal=True),
                "IPv6, NAT-T": Encapsulation(outer="ipv6", nat_traversal=True),
                "plain": Encapsulation(),
            }.items()
        )
        figures.append(
            Figure(f"{link}: least inner MTU ({least[1]}, {least[2]})", _exactly(least[0]), "bytes", _ARITHMETIC)
        )
        if least[0] < _MTU_BYTES:
            too_long.append(link)
    best = max(inner_mtu_bytes(esp_suites()[_SUITE], LINK_MTU_BYTES) - _MTU_BYTES, 0)
    answer = (
        f"Too large on {', '.join(too_long)} with the longest suites, IPv6 outside or NAT-T, and {best} octets too "
        f"small for {_SUITE} on plain Ethernet. The MTU follows from suite, mode and link: 'ipsecbench explain mtu'."
    )
    return Outcome(Verdict.FAILS, answer, tuple(figures))


def more_cores(box: Box | None) -> Outcome:
    """More cores make a tunnel faster."""
    one = "One SA has one sequence number and one window, and most data planes give it to one core"
    several = "several Child SAs, or traffic of several tunnels, spread over cores, one SA does not"
    found = None if box is None else box.recommendation
    if found is None or found.capacity is None:
        return Outcome(Verdict.FAILS, f"{one}: {several}.")
    suite, wanted = found.phase2.suite, found.capacity.wanted
    figures = [Figure(f"{suite}, one SA", wanted.mbit_per_second, "Mbit/s", "prediction")]
    if wanted.all_cores_mbit_per_second is not None:
        label = f"{suite}, an SA for each core, all cores"
        figures.append(Figure(label, wanted.all_cores_mbit_per_second, "Mbit/s", "prediction"))
    return Outcome(Verdict.FAILS, f"{one}: {several}.", tuple(figures))


def esn(box: Box | None) -> Outcome:
    """Extended sequence numbers cost throughput."""
    answer = (
        "The upper half never travels, so that no packet grows; it goes into the ICV as four octets more of a packet "
        "that has hundreds. What they save is a rekey each time that 32 bits are used up."
    )
    found = None if box is None else box.recommendation
    if found is None:
        return Outcome(Verdict.FAILS, answer)
    lasts = found.day_long_lives.sequence_numbers_last_seconds
    return Outcome(
        Verdict.FAILS, answer, (Figure("32 bits last at this box's rate", _exactly(lasts), "s", "prediction"),)
    )


def _inner(name: str, link: int, outside: Encapsulation) -> int:
    try:
        return inner_mtu_bytes(esp_suites()[name], link, outside)
    except UsageError:
        return 0


def aes_512(box: Box | None) -> Outcome:
    """AES-512 is stronger."""
    longest = max(row.key_bits for row in ENCRYPTION.values() if row.name.startswith("aes"))
    answer = (
        f"There is no AES-512: the longest key of AES has {longest} bits, no registry has a number for more, and what "
        "a product sells under that name is something else, SHA-512 perhaps. And a longer key than the key exchange is "
        "strong adds nothing."
    )
    return Outcome(Verdict.FAILS, answer)


PACKET_CLAIMS: Mapping[str, Callable[[Box | None], Outcome]] = {
    "tunnel-costs": tunnel,
    "mtu-1400": mtu_1400,
    "aes-512": aes_512,
    "more-cores": more_cores,
    "esn-costs": esn,
}
"""By the name of the claim."""
