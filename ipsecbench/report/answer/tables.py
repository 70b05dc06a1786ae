"""What the answer says in figures, as tables: for the HTML report, for Markdown and for plain text alike."""

from __future__ import annotations

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.formats import chance, octets, seconds, small_percent
from ipsecbench.recommend.keys.lives import Effect, Lifetime, Unit
from ipsecbench.recommend.keys.setup_load import ExchangeCost
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Role
from ipsecbench.report.answer.suite_rates import traffic_title
from ipsecbench.report.formats import rate, rate_interval, significant, span
from ipsecbench.report.tables import MISSING, Cell, Column, Line, Table, estimate_cell, text_cells

TIE_BELOW = 0.95
"""A chance below it is a tie."""
_PARAMETERS = (Column("Parameter"), Column("Value"))


def transform_title(name: str | None) -> str:
    """The registry's spelling of a proposal token; empty where it is not known."""
    for table in (ENCRYPTION, INTEGRITY, PRF, KEY_EXCHANGE):
        entry = table.get(name or "")
        if entry is not None:
            return entry.iana_name
    method = AUTHENTICATION.get(name or "")
    return method.title if method is not None else ""


def life_text(life: Lifetime) -> str:
    """When a rekey starts: ``1 h, 9.86 TB or 27,600,000,000 packets``."""
    parts = [span(life.soft_seconds)]
    parts += [] if life.soft_bytes is None else [octets(life.soft_bytes)]
    parts += [] if life.soft_packets is None else [f"{life.soft_packets:,} packets"]
    return " or ".join(parts)


def hard_life_text(life: Lifetime) -> str:
    """When the SA ends, in the same words."""
    parts = [span(life.hard_seconds)]
    parts += [] if life.hard_bytes is None else [octets(life.hard_bytes)]
    parts += [] if life.hard_packets is None else [f"{life.hard_packets:,} packets"]
    return " or ".join(parts)


def phase1_table(answer: Recommendation) -> Table:
    """Every parameter of the IKE SA."""
    phase1 = answer.phase1
    version = f"IKEv{phase1.ike_version}" + (f", {phase1.exchange_mode} mode" if phase1.exchange_mode else "")
    rows = [
        ("Proposal", phase1.proposal, ""),
        ("Protocol", version, ""),
        ("Encryption", phase1.encryption, transform_title(phase1.encryption)),
        ("Integrity", phase1.integrity or "within the encryption (AEAD)", transform_title(phase1.integrity)),
        ("PRF", phase1.prf, transform_title(phase1.prf)),
        ("Key exchange", phase1.key_exchange, transform_title(phase1.key_exchange)),
        *(("Additional key exchange", name, transform_title(name)) for name in phase1.additional_key_exchanges),
        ("Authentication", phase1.authentication, transform_title(phase1.authentication)),
        *_life_rows(phase1.lifetime),
        ("Strength", f"{phase1.strength_bits} bits, the weakest part", ""),
        *(("For old peers", proposal, "") for proposal in phase1.fallback_proposals),
    ]
    return _parameters("Phase 1: the IKE SA", rows)


def phase2_table(answer: Recommendation) -> Table:
    """Every parameter of the Child SA."""
    phase2, wanted = answer.phase2, answer.requirements
    outside = f"of a link of {wanted.link_mtu_bytes}, outer {'IPv6' if wanted.outer == 'ipv6' else 'IPv4'}"
    outside += ", in UDP" if wanted.nat_traversal else ""
    rows = [
        ("Proposal", phase2.proposal, ""),
        ("Suite", phase2.suite, transform_title(phase2.suite.partition("-")[0])),
        ("PFS", phase2.key_exchange or "none", transform_title(phase2.key_exchange)),
        *(("Additional key exchange", name, transform_title(name)) for name in phase2.additional_key_exchanges),
        ("Sequence numbers", "64 bits (ESN)" if phase2.esn else "32 bits", ""),
        ("Anti-replay window", f"{phase2.replay_window_packets} packets", ""),
        ("Mode", phase2.mode, ""),
        ("Inner MTU", f"{phase2.inner_mtu_bytes}", outside),
        ("TCP MSS", f"{phase2.mss_ipv4_bytes} for IPv4, {phase2.mss_ipv6_bytes} for IPv6", ""),
        *_life_rows(phase2.lifetime),
        ("Strength", f"{phase2.strength_bits} bits", ""),
        *(("For old peers", proposal, "") for proposal in phase2.fallback_proposals),
    ]
    return _parameters("Phase 2: the Child SA, ESP", rows)


def _life_rows(life: Lifetime) -> list[tuple[str, str, str]]:
    rows = [
        ("Rekey after", life_text(life), f"{life.soft_seconds} s"),
        ("End at the latest", hard_life_text(life), f"{life.hard_seconds} s"),
        ("Set by", life.binding, ""),
    ]
    if life.uncounted_soft_seconds < life.soft_seconds:
        rows.append(("Where only seconds are counted", span(life.uncounted_soft_seconds), "rekey"))
    return rows


def _parameters(caption: str, rows: list[tuple[str, str, str]]) -> Table:
    return Table(caption, _PARAMETERS, tuple(Line((Cell(name), Cell(value, note=note))) for name, value, note in rows))


def carries_table(answer: Recommendation) -> Table | None:
    """What the box carries at each size, with 90% intervals; None where nothing supports a figure."""
    capacity = answer.capacity
    if capacity is None:
        return None
    shown = {each.traffic: each for each in (*capacity.traffics, capacity.wanted)}
    cores = capacity.all_cores
    lines = tuple(
        Line(
            (
                Cell(traffic_title(each.traffic)),
                estimate_cell(each.mbit_per_second),
                estimate_cell(each.all_cores_mbit_per_second),
                estimate_cell(each.packets_per_second, 1000.0),
                Cell(f"{each.line.lost_share:.0%}", sort=each.line.lost_share),
            ),
            each.traffic == capacity.wanted.traffic,
        )
        for each in sorted(shown.values(), key=lambda each: (each.traffic.size_bytes is None, each.traffic.mean_bytes))
    )
    every = "All cores" if cores is None else f"All {cores.cores} cores" if cores.cores > 1 else "The one core"
    headings = ("One core = one SA, Mbit/s", f"{every}, Mbit/s", "Thousand packets/s a core", "Line lost to headers")
    caption = (
        f"What this box carries with {capacity.suite}, data plane included ({capacity.fixed.plane}), one direction, "
        "with 90% intervals; what was asked for is marked"
    )
    return Table(caption, (Column("Inner packets"), *(Column(title, numeric=True) for title in headings)), lines)


def life_table(answer: Recommendation) -> Table:
    """When keys are replaced, when they end, and what sets that."""
    lines = tuple(
        Line(
            (
                Cell(name),
                Cell(life_text(life)),
                Cell(hard_life_text(life)),
                Cell(life.binding),
                Cell("–" if life.uncounted_soft_seconds >= life.soft_seconds else span(life.uncounted_soft_seconds)),
            )
        )
        for name, life in (("IKE SA", answer.phase1.lifetime), ("Child SA", answer.phase2.lifetime))
    )
    titles = ("SA", "Rekey after", "End at the latest", "Set by", "Rekey where only seconds are counted")
    return Table("How long keys live, and which limit sets that", tuple(map(Column, titles)), lines)


def load_table(answer: Recommendation) -> Table:
    """What keys cost: set-ups, rekeys, recovery, and the goal itself."""
    setup, pfs = answer.setup, answer.pfs
    tunnels = "one tunnel" if setup.recovery.tunnels == 1 else f"{setup.recovery.tunnels:,} tunnels"
    rows: list[tuple[str, Estimate, float, str]] = [
        ("Set-up, responder", setup.setup.responder.cpu_us, 1e3, "ms of a core"),
        ("Set-up, cryptography alone", setup.setup.responder.cryptography_us, 1e3, "ms of a core"),
        (f"Set-up, until traffic may flow ({setup.round_trip_ms:g} ms RTT)", setup.setup.wall_ms, 1.0, "ms"),
        ("Rekey of a Child SA with PFS", pfs.with_pfs.responder.cpu_us, 1e3, "ms of a core"),
        ("Rekey of a Child SA without PFS", pfs.without_pfs.responder.cpu_us, 1e3, "ms of a core"),
        (f"Rekeying, {tunnels}", setup.rekeying.core_seconds_per_day, 1.0, "s of a core in a day"),
        (f"Until back after a restart, {tunnels}", setup.recovery.as_responder_seconds, 1.0, "s"),
    ]
    if answer.capacity is not None and answer.capacity.load is not None:
        load = answer.capacity.load
        rows.insert(0, (f"The goal, of {load.of_cores} cores", load.cpu_share, 0.01, "% busy"))
    lines = tuple(Line((Cell(name), estimate_cell(value, factor), Cell(unit))) for name, value, factor, unit in rows)
    share = small_percent(setup.rekeying.cpu_share.median)
    caption = f"What it costs, with intervals; rekeying takes {share} of one core"
    return Table(caption, (Column("What"), Column("Cost", numeric=True), Column("Unit")), lines)


def exchange_table(answer: Recommendation) -> Table:
    """Every exchange that was priced, at both ends."""
    setup, pfs = answer.setup, answer.pfs
    exchanges = (setup.setup, *setup.other_setups, pfs.with_pfs, pfs.without_pfs, setup.ike_rekey)
    lines = tuple(_exchange(each) for each in dict.fromkeys(exchanges))
    headings = ("Messages", "Round trips", "Initiator, µs", "Responder, µs", "of it cryptography, µs", "Wall, ms")
    columns = (Column("Exchange"), *(Column(title, numeric=True) for title in headings))
    return Table(f"Exchanges, with {setup.authentication}; protocol: {setup.protocol_basis.value}", columns, lines)


def _exchange(cost: ExchangeCost) -> Line:
    return Line(
        (
            Cell(cost.name),
            Cell(f"{cost.messages}"),
            Cell(f"{cost.round_trips}"),
            estimate_cell(cost.initiator.cpu_us),
            estimate_cell(cost.responder.cpu_us),
            estimate_cell(cost.responder.cryptography_us),
            estimate_cell(cost.wall_ms),
        )
    )


def limit_table(answer: Recommendation) -> Table:
    """Every limit on the lives, the binding one marked."""
    words = {Effect.AT_MOST: "at most", Effect.AT_LEAST: "at least", Effect.REPORTED: "reported only"}
    lines = tuple(
        Line(
            (
                Cell(f"{name}: {limit.name}"),
                Cell(f"{words[limit.effect]} {_limit(limit.unit, limit.value)}"),
                MISSING if limit.reached_after_seconds is None else Cell(seconds(limit.reached_after_seconds)),
                Cell(limit.reason.text, sources=limit.reason.sources),
            ),
            limit.name == life.binding,
        )
        for name, life in (("IKE SA", answer.phase1.lifetime), ("Child SA", answer.phase2.lifetime))
        for limit in life.limits
    )
    columns = (Column("Limit"), Column("Life"), Column("Reached after", numeric=True), Column("Reason"))
    return Table("What limits the lives; what binds is marked", columns, lines)


def _limit(unit: Unit, value: int) -> str:
    if unit is Unit.SECONDS:
        return span(value)
    return octets(value) if unit is Unit.BYTES else f"{significant(float(value))} {unit.value}"


def front_table(answer: Recommendation) -> Table:
    """The Pareto front, weakest first, with the price of each step."""
    lines = tuple(
        Line(
            (
                Cell(f"{point.strength_bits}", sort=float(point.strength_bits)),
                Cell(f"{point.suite}, {point.key_exchange}, {point.authentication}"),
                estimate_cell(point.mbit_per_second),
                estimate_cell(point.setups_per_second),
                _lost(point.traffic_lost_percent),
                _lost(point.setups_lost_percent),
            ),
            point.chosen,
        )
        for point in answer.front
    )
    columns = (
        Column("Strength, bits", numeric=True),
        Column("Set", code=True),
        Column("Mbit/s", numeric=True),
        Column("Set-ups/s a core", numeric=True),
        Column("Traffic lost by the step", numeric=True),
        Column("Set-ups lost by the step", numeric=True),
    )
    return Table("Nothing allowed is better in strength, traffic and set-ups at once", columns, lines)


def _lost(value: Estimate | None) -> Cell:
    if value is None:
        return MISSING
    note = f"{value.lower:.1f} to {value.upper:.1f}"
    return Cell(f"{value.median:.1f}%", sort=value.median, note=note)


def rival_table(answer: Recommendation) -> Table:
    """The suites that could have been chosen, with the chance that the chosen one is ahead."""
    verdicts = {each.name: each.kind.value.replace("-", " ") for each in answer.excluded(Role.ESP_SUITE)}
    lines = []
    for candidate in answer.candidates:
        share = candidate.chance
        sure = MISSING if share is None else Cell(chance(share), sort=share, note=_tie(share))
        value = candidate.headline.one_way_mbit_per_second
        verdict = "chosen" if candidate.name == answer.phase2.suite else verdicts.get(candidate.name, "for old peers")
        cells = (
            Cell(candidate.name),
            Cell(f"{candidate.strength_bits}", sort=float(candidate.strength_bits)),
            Cell(rate(value.median), sort=value.median, note=rate_interval(value)),
            sure,
            Cell(verdict),
        )
        lines.append(Line(cells, candidate.name == answer.phase2.suite))
    columns = (
        Column("Suite", code=True),
        Column("Strength, bits", numeric=True),
        Column(f"One core, {traffic_title(answer.requirements.traffic)}", numeric=True),
        Column("Chance that the chosen one is ahead", numeric=True),
        Column("Verdict"),
    )
    return Table(f"What could have been chosen; a chance below {TIE_BELOW:.0%} is a tie", columns, tuple(lines))


def _tie(share: float) -> str:
    return "a tie" if 1 - TIE_BELOW < share < TIE_BELOW else ""


def change_table(answer: Recommendation) -> Table:
    """What was tried to change the answer."""
    lines = tuple(
        Line(text_cells((change.lever.value, change.text)), change.above is not None) for change in answer.sensitivity
    )
    return Table("What was tried; what changes the answer is marked", (Column("Lever"), Column("What follows")), lines)


def length_table(answer: Recommendation) -> Table | None:
    """MTU, MSS and overhead of every way that the suite can travel."""
    if answer.capacity is None:
        return None
    lines = tuple(
        Line(
            (
                Cell(f"{each.mode}, outer {each.outer}{', in UDP' if each.nat_traversal else ''}"),
                Cell(f"{each.inner_mtu_bytes}", sort=float(each.inner_mtu_bytes)),
                *(
                    MISSING if mss is None else Cell(f"{mss}", sort=float(mss))
                    for mss in (each.mss_ipv4_bytes, each.mss_ipv6_bytes)
                ),
                Cell(f"{each.least_overhead_bytes}–{each.most_overhead_bytes}", sort=float(each.most_overhead_bytes)),
            ),
            each.wanted,
        )
        for each in answer.capacity.packet_lengths
    )
    headings = ("Inner MTU", "TCP MSS, IPv4", "TCP MSS, IPv6", "Octets added")
    columns = (Column("Way"), *(Column(title, numeric=True) for title in headings))
    link = answer.requirements.link_mtu_bytes
    return Table(f"{answer.phase2.suite} at a link MTU of {link}; what was asked for is marked", columns, lines)


def rejection_table(answer: Recommendation) -> Table:
    """Everything else that was considered, each with its one main reason."""
    lines = tuple(
        Line(
            (
                Cell(each.name),
                Cell(each.role.value.replace("-", " ")),
                Cell(each.kind.value.replace("-", " ")),
                Cell(each.reason.text, sources=each.reason.sources),
            )
        )
        for each in answer.exclusions
    )
    columns = (Column("Algorithm", code=True), Column("For"), Column("Verdict"), Column("Reason"))
    return Table("What was considered and not chosen", columns, lines)
