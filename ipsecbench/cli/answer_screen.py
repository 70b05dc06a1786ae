"""The recommendation on one screen: the decision, what it carries, what it costs, why, and what to beware of.

Sentences are shown whole or cut after a clause, never within one; what finds no room is counted and is in ``--full``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipsecbench.bench.measurement import Estimate
from ipsecbench.cli.screen.text_blocks import LABEL_WIDTH, WARNING, Room, cut, labelled, plain
from ipsecbench.recommend.formats import chance, microseconds, octets, rate, rate_interval, significant, small_percent
from ipsecbench.recommend.keys.lives import Lifetime
from ipsecbench.recommend.keys.setup_load import ProtocolBasis
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.prediction.arithmetic import scaled
from ipsecbench.recommend.prediction.capacity import Capacity, TrafficCapacity
from ipsecbench.recommend.reasons import Exclusion, ExclusionKind, Role
from ipsecbench.recommend.requirements.traffic import IMIX
from ipsecbench.report.formats import listing, span

SCREEN_WIDTH = 100
"""Columns that are used at most."""
SCREEN_LINES = 40
"""Lines at that width."""
NARROWEST = 40
"""Columns below which nothing is made narrower."""
_MOST_RIVALS = 2
_MOST_EXCLUSIONS = 3
_WARNING_LINES = 6
_LEAST_REASONS = 4
"""Lines for reasons, which warnings may not take."""
_LEAST_ROOM = 8
"""Lines for reasons and warnings together: what else could have been chosen gives way to them."""
_SIZES = (64, 1400)
_USUAL = ("aes128gcm16", "aes256gcm16", "chacha20poly1305")
"""Suites that everybody knows, and asks about where they are missing."""
_NAMES = 18
"""Columns of the names of traffic."""
_LEAST_COLUMN = 18
"""Columns that a figure with its interval takes."""
_WIDE = 90
"""Columns from which every figure has room."""
_SURE = 0.95
"""A chance below it is a tie."""
_MILLISECOND_US = 1000.0
_FAR_TOO_MUCH = 9.99
"""A share of the processors beyond which only that is said."""


def render_recommendation(recommendation: Recommendation, width: int = SCREEN_WIDTH) -> str:
    """The answer: at most 40 lines of 100 columns, the decision first; more lines where they are shorter.

    Args:
        recommendation: the answer.
        width: columns of the screen.
    """
    width = max(NARROWEST, min(width, SCREEN_WIDTH))
    screen = _Screen(recommendation, width)
    fixed = [*screen.decision(), "", *screen.carries(), *screen.others(), *screen.keys(), ""]
    if len(fixed) > SCREEN_LINES - _LEAST_ROOM:
        fixed = [*screen.decision(), "", *screen.carries(), *screen.keys(), ""]
    left = SCREEN_LINES - len(fixed)
    room = Room(left if width == SCREEN_WIDTH else max(left, SCREEN_LINES // 2), width)
    room.reserve(WARNING, _warnings(recommendation), min(_WARNING_LINES, room.left - _LEAST_REASONS))
    room.add("FAILED", _named(_failures(recommendation)), _MOST_EXCLUSIONS)
    room.add("WHY", _whys(recommendation), 2)
    room.add("PRICE", _prices(recommendation)[:1], 1)
    room.add("CHANGE", _changes(recommendation)[:1], 1)
    room.add("PRICE", _prices(recommendation)[1:], 1)
    room.add("CHANGE", _changes(recommendation)[1:], 3)
    room.add("NOT", _named(_telling(recommendation)), _MOST_EXCLUSIONS)
    return "\n".join([*fixed, *room.lines()])


@dataclass(frozen=True, slots=True)
class _Screen:
    """The lines that every answer has."""

    answer: Recommendation
    width: int

    def _wrapped(self, label: str, text: str) -> list[str]:
        return labelled(label, text, self.width)

    def decision(self) -> list[str]:
        """The sets, the goal and the evidence."""
        answer = self.answer
        phase1, phase2, wanted = answer.phase1, answer.phase2, answer.requirements
        head = [answer.box, f"policy {answer.policy} {answer.policy_version}"]
        head += [] if wanted.peer is None else [f"peer {wanted.peer.name}"]
        head += [] if wanted.objective == "balanced" else [f"objective {wanted.objective}"]
        version = f"IKEv{phase1.ike_version}" + (f" {phase1.exchange_mode} mode" if phase1.exchange_mode else "")
        details = ["PFS" if phase2.key_exchange is not None else "no PFS", "ESN" if phase2.esn else "no ESN"]
        details += [f"window {phase2.replay_window_packets}", f"{phase2.mode} mode"]
        strength = f"{phase1.strength_bits} bits in phase 1, {phase2.strength_bits} bits in phase 2"
        lines = [
            cut(" · ".join(map(plain, head)), self.width),
            "",
            *self._wrapped("USE", f"phase 1  {version}  {phase1.proposal}  auth {phase1.authentication}"),
            *self._wrapped("", f"phase 2  ESP    {phase2.proposal}  ({', '.join(details)})"),
            *self._wrapped("", f"strength {strength} (wanted {answer.target_strength_bits})"),
        ]
        for name, proposals in (("IKE", phase1.fallback_proposals), ("ESP", phase2.fallback_proposals)):
            if proposals:
                lines += self._wrapped("", f"then for old peers, {name}: {', '.join(proposals)}")
        return [*lines, *self._goal(), *self._wrapped("EVIDENCE", answer.evidence.summary)]

    def _goal(self) -> list[str]:
        goal, capacity = self.answer.goal, self.answer.capacity
        if goal is None:
            return []
        lines = self._wrapped("GOAL", goal.text)
        if capacity is not None and capacity.load is not None:
            load = capacity.load
            ways = "each way" if capacity.outbound_share is None else "both ways together"
            cores = "one core" if load.of_cores == 1 else f"{load.of_cores} cores"
            share = load.cpu_share
            busy = f"keeps {share.median:.0%} [{share.lower * 100:.0f}–{share.upper * 100:.0f}] of {cores} busy"
            if share.median > _FAR_TOO_MUCH:
                busy = f"is far more than {cores} can do"
            more = goal.headroom_percent
            headroom = f"headroom {more.median:.0f}% [{more.lower:.0f} to {more.upper:.0f}]"
            lines += self._wrapped("", f"{headroom}; the goal {ways} {busy}")
        return lines

    def carries(self) -> list[str]:
        """Rates per core and of all cores, and the data plane in them; which of two ends decides."""
        answer, capacity = self.answer, self.answer.capacity
        headline = answer.phase2.candidate.headline
        fixed = headline.fixed if capacity is None else capacity.fixed
        lines = [] if capacity is None else self._rates(capacity)
        parts = f"data plane: {fixed.plane}, {microseconds(scaled(fixed.outbound_ns, 1e-3))} each"
        if answer.pair is None:
            parts += f"; ESP alone {rate(headline.transform_mbit_per_second.median)}"
        lines += self._wrapped("" if lines else "CARRIES", parts)
        if answer.pair is not None:
            for index, binding in enumerate(answer.pair.bindings):
                # Where both ends' figures of phase 1 stand is in --full: what it comes to is who decides.
                text = binding.text if binding.role is Role.ESP_SUITE else binding.text.partition(", with ")[0]
                lines += self._wrapped("" if index else "PAIR", text)
        return lines

    def others(self) -> list[str]:
        """What else could have been chosen, and what the multi-buffer library does."""
        answer, lines = self.answer, self._rivals()
        for ceiling in [each for each in answer.ceilings if each.suite == answer.phase2.suite][:1]:
            text = f"{rate_interval(ceiling.mbit_per_second)} of {ceiling.traffic} a core for VPP or DPDK"
            lines += self._wrapped("CEILING", f"{text} ({ceiling.provider})")
        return lines

    def _rates(self, capacity: Capacity) -> list[str]:
        candidate, shown = self.answer.phase2.candidate, _shown(capacity)
        both = {each.traffic: each.both_ways_mbit_per_second for each in (*candidate.predictions, candidate.headline)}
        wide, cores = self.width >= _WIDE, capacity.all_cores
        columns: list[tuple[str, Sequence[Estimate | None]]] = []
        columns.append(("one core = one SA" if wide else "one core", [each.mbit_per_second for each in shown]))
        # Of two ends, predictions are of the one that carries less, and the capacity is this box's.
        if wide and self.answer.pair is None:
            columns.append(("core, both ways", [both.get(each.traffic) for each in shown]))
        if cores is not None and cores.cores > 1:
            columns.append((f"all {cores.cores} cores", [each.all_cores_mbit_per_second for each in shown]))
        if wide:
            columns.append(("kpackets/s, core", [scaled(each.packets_per_second, 1e-3) for each in shown]))
        columns = columns[: max(1, (self.width - LABEL_WIDTH - _NAMES) // _LEAST_COLUMN)]
        space = (self.width - LABEL_WIDTH - _NAMES) // len(columns)
        unit = "Mbit/s [90%]" if self.answer.pair is None else "this box [90%]"
        heading = "CARRIES".ljust(LABEL_WIDTH) + unit.ljust(_NAMES)
        lines = [heading + "".join(f"{name:>{space}}" for name, _ in columns)]
        for index, traffic in enumerate(shown):
            row = " " * LABEL_WIDTH + cut(plain(str(traffic.traffic)), _NAMES - 1).ljust(_NAMES)
            lines.append(row + "".join(f"{_interval(values[index]):>{space}}" for _, values in columns))
        return [cut(line, self.width) for line in lines]

    def _rivals(self) -> list[str]:
        chosen = self.answer.phase2.suite
        lines: list[str] = []
        for candidate in [each for each in self.answer.candidates if each.name != chosen][:_MOST_RIVALS]:
            value = candidate.headline.one_way_mbit_per_second
            text = f"{candidate.name} {rate_interval(value)}: {_standing(self.answer, candidate.name)}"
            if candidate.chance is not None:
                ahead, share = chosen, candidate.chance
                if share <= 1 - _SURE:
                    ahead, share = candidate.name, 1 - share
                tie = "a tie, " if share < _SURE else ""
                text += f" ({tie}{chance(share)} that {ahead} is ahead)"
            lines += self._wrapped("" if lines else "RIVALS", text)
        return lines

    def keys(self) -> list[str]:
        """Lives, set-ups, rekeying, recovery, lengths of packets."""
        answer, wanted, phase2 = self.answer, self.answer.requirements, self.answer.phase2
        lines = self._wrapped("LIVES", f"IKE SA: {_life(answer.phase1.lifetime)}")
        lines += self._wrapped("", f"Child SA: {_life(phase2.lifetime)}")
        for index, text in enumerate(_setup(answer)):
            lines += self._wrapped("" if index else "SETUP", text)
        text = f"inner MTU {phase2.inner_mtu_bytes}, TCP MSS {phase2.mss_ipv4_bytes} (IPv6 {phase2.mss_ipv6_bytes}), "
        text += f"link MTU {wanted.link_mtu_bytes}"
        text += ", in UDP" if wanted.nat_traversal else ""
        text += ", over IPv6" if wanted.outer == "ipv6" else ""
        if answer.capacity is not None:
            text += f"; headers {answer.capacity.wanted.line.lost_share:.0%} of the line"
        lines += self._wrapped("PACKETS", text)
        too_large = [each.name for each in answer.setup.messages if each.ip_fragmented]
        return lines + (self._wrapped("", f"{', '.join(too_large)}: fragmented by IP") if too_large else [])


def _shown(capacity: Capacity) -> list[TrafficCapacity]:
    """The wanted traffic first, then small packets, the mix and large packets."""
    others = [
        each
        for each in capacity.traffics
        if (each.traffic == IMIX or each.traffic.size_bytes in _SIZES) and each.traffic != capacity.wanted.traffic
    ]
    return [capacity.wanted, *sorted(others, key=lambda each: each.traffic.mean_bytes)]


def _standing(answer: Recommendation, name: str) -> str:
    for exclusion in answer.exclusions:
        if exclusion.name == name and exclusion.mbit_per_second is not None:
            return exclusion.kind.value.replace("-", " ")
    return "offered to old peers"


def _life(lifetime: Lifetime) -> str:
    parts = [span(lifetime.soft_seconds)]
    if lifetime.soft_bytes is not None:
        parts.append(octets(lifetime.soft_bytes))
    if lifetime.soft_packets is not None:
        parts.append(f"{lifetime.soft_packets:.2g} packets".replace("e+0", "e").replace("e+", "e"))
    text = f"rekey {listing(parts, 'or')}, end {span(lifetime.hard_seconds)}; set by {lifetime.binding}"
    if lifetime.uncounted_soft_seconds < lifetime.soft_seconds:
        text += f"; {span(lifetime.uncounted_soft_seconds)} where only seconds are counted"
    return text


def _setup(answer: Recommendation) -> list[str]:
    setup, pfs = answer.setup, answer.pfs
    end, recovery = setup.setup.responder, setup.recovery
    rest = "rest in Python" if setup.protocol_basis is ProtocolBasis.MEASURED else "rest not measured"
    rekeys = [microseconds(each.responder.cpu_us) for each in (pfs.with_pfs, pfs.without_pfs)]
    mine, other = rekeys if pfs.on else reversed(rekeys)
    cryptography = microseconds(end.cryptography_us).partition(" [")[0]
    unit = "ms" if end.cryptography_us.median >= _MILLISECOND_US else "µs"
    cost = (
        f"{microseconds(end.cpu_us)} of a core ({cryptography} {unit} cryptography, {rest}); "
        f"{setup.setup.wall_ms.median:.0f} ms at {setup.round_trip_ms:g} ms RTT"
    )
    rekey = f"a rekey of a Child SA {mine}, {'without' if pfs.on else 'with'} PFS {other}"
    tunnels = "one tunnel: back" if recovery.tunnels == 1 else f"{recovery.tunnels} tunnels: all back"
    share = small_percent(setup.rekeying.cpu_share.median)
    back = f"{significant(recovery.as_responder_seconds.median)} s after a restart"
    return [cost, rekey, f"{tunnels} {back}; rekeying takes {share} of a core"]


def _interval(value: Estimate | None) -> str:
    if value is None:
        return "-"
    low, middle, high = (significant(part) for part in (value.lower, value.median, value.upper))
    return f"{middle} [{low}–{high}]"


def _whys(answer: Recommendation) -> list[str]:
    return [answer.phase1.reasons[0].text, answer.phase2.reasons[0].text]


def _prices(answer: Recommendation) -> list[str]:
    return [price.text for price in answer.prices]


def _changes(answer: Recommendation) -> list[str]:
    """What changes the answer, what was tried and does not, and the circumstances."""
    known = [change for change in answer.sensitivity if change.known]
    found = [change.text for change in known if change.above is not None]
    moved = {change.lever for change in known if change.above is not None}
    same = dict.fromkeys(change.lever.value for change in known if change.lever not in moved)
    tried = [f"Tried, and no change: {', '.join(same)}."] if same else []
    others = [reason.text for reason in answer.what_would_change_this if reason.text not in found]
    return [*found[:2], *tried, *found[2:], *others]


def _failures(answer: Recommendation) -> list[Exclusion]:
    return [each for each in answer.exclusions if each.kind is ExclusionKind.INCORRECT]


def _telling(answer: Recommendation) -> list[Exclusion]:
    """The well-known suites that could not have been chosen."""
    rivals = {candidate.name for candidate in answer.candidates}
    suites = [each for each in answer.exclusions if each.role is Role.ESP_SUITE and each.name not in rivals]
    suites = [each for each in suites if each.kind is not ExclusionKind.INCORRECT]
    return [each for each in suites if each.name in _USUAL]


def _named(exclusions: Iterable[Exclusion]) -> list[str]:
    return [f"{each.name}: {each.reason.text}" for each in exclusions]


def _warnings(answer: Recommendation) -> list[str]:
    """What is wrong with the parameters first, then what is doubtful about the figures."""
    return [reason.text for reason in (*answer.warnings, *answer.evidence.warnings)]
