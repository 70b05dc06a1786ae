"""The whole answer in sections of tables, sentences and text, before it becomes Markdown or plain text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ipsecbench import __version__
from ipsecbench.algorithms.sources import Source, sources
from ipsecbench.recommend.formats import microseconds, octets, rate, rate_interval
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.requirements.requirement_file import write_requirements
from ipsecbench.report.answer import tables
from ipsecbench.report.tables import Cell, Column, Line, Table


@dataclass(frozen=True, slots=True)
class Notes:
    """Sentences, each with its sources."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that is to be copied as it is, such as a file."""

    language: str
    text: str


Block = Table | Notes | Verbatim


@dataclass(frozen=True, slots=True)
class Section:
    """One section."""

    title: str
    """Its heading."""
    blocks: tuple[Block, ...]
    """What it says."""
    folded: bool = False
    """Whether it is for reference: folded where the format can."""


def answer_title(answer: Recommendation) -> str:
    """What the answer is about: the box and the policy."""
    return f"IPsec parameters for {answer.box}"


def answer_sections(
    answer: Recommendation, policy: str | None = None, peer_dataset: str | None = None
) -> tuple[Section, ...]:
    """Everything that the answer says, the decision first; sections with nothing in them are left out.

    Args:
        answer: the recommendation.
        policy: name or path by which the policy was asked for.
        peer_dataset: path of the other end's dataset.
    """
    found = (
        Section("Use these parameters", (_decision(answer), tables.phase1_table(answer), tables.phase2_table(answer))),
        Section("Warnings", _notes(answer.warnings)),
        Section("What it carries", _carries(answer)),
        Section("What keys cost", _keys(answer)),
        Section("Why", _notes((answer.chosen_by.phase1, *answer.phase1.reasons)) + _notes(_second(answer))),
        Section("Trade-offs", _trade_offs(answer)),
        Section("What would change the answer", _changes(answer)),
        Section("Evidence", _evidence(answer)),
        Section("Lives in detail", _lives(answer), folded=True),
        Section("Exchanges", _exchanges(answer), folded=True),
        Section("Lengths of packets", _some(tables.length_table(answer)), folded=True),
        Section("Not chosen", (tables.rejection_table(answer),), folded=True),
        Section(
            "Asked for",
            (Verbatim("toml", write_requirements(answer.requirements, policy or answer.policy, peer_dataset)),),
        ),
        Section("Provenance", (_provenance(answer),)),
    )
    return tuple(section for section in found if section.blocks)


def cited(sections: Iterable[Section]) -> dict[str, Source | None]:
    """Every source that the sections name, by its key, in the order in which they do."""
    keys: dict[str, Source | None] = {}
    for section in sections:
        for block in section.blocks:
            named: list[Reason | Cell] = []
            if isinstance(block, Notes):
                named += block.reasons
            elif isinstance(block, Table):
                named += [cell for line in block.lines for cell in line.cells]
            keys |= {key: sources().get(key) for each in named for key in each.sources}
    return keys


def _some(table: Table | None) -> tuple[Block, ...]:
    return () if table is None or not table.lines else (table,)


def _notes(reasons: Iterable[Reason]) -> tuple[Block, ...]:
    unique = tuple(dict.fromkeys(reasons))
    return (Notes(unique),) if unique else ()


def _texts(texts: Iterable[str]) -> tuple[Block, ...]:
    return _notes(Reason(text) for text in texts)


def _decision(answer: Recommendation) -> Notes:
    bits = f"{answer.phase1.strength_bits} bits in phase 1, {answer.phase2.strength_bits} bits in phase 2"
    texts = [f"Strength: {bits}; wanted: {answer.target_strength_bits}."]
    if answer.goal is not None:
        texts.insert(0, f"{answer.goal.text[:1].upper()}{answer.goal.text[1:]}.")
    return Notes(tuple(map(Reason, texts)))


def _carries(answer: Recommendation) -> tuple[Block, ...]:
    headline = answer.phase2.candidate.headline
    fixed = headline.fixed if answer.capacity is None else answer.capacity.fixed
    notes = [Reason(f"The data plane, {fixed.plane}: {fixed.text}.", fixed.sources)]
    alone = rate_interval(headline.transform_mbit_per_second)
    notes.append(Reason(f"The ESP transform alone carries {alone} of {headline.traffic} ({headline.basis})."))
    if answer.capacity is not None:
        notes += answer.capacity.notes
    for ceiling in answer.ceilings:
        if ceiling.suite == answer.phase2.suite:
            figure = rate_interval(ceiling.mbit_per_second)
            notes.append(Reason(f"A core does {figure} of {ceiling.traffic} with {ceiling.provider}: for VPP or DPDK."))
    if answer.pair is not None:
        notes.append(Reason(f"The other end is {answer.pair.box}; {answer.pair.goal_end} carries less in all."))
        notes += [Reason(binding.text) for binding in answer.pair.bindings]
        notes += answer.pair.alone
    return (*_some(tables.carries_table(answer)), *_notes(notes), tables.rival_table(answer))


def _keys(answer: Recommendation) -> tuple[Block, ...]:
    setup = answer.setup
    notes = (*setup.reasons, *setup.recovery.reasons, *(each.reason for each in setup.hybrids))
    long_lives = Reason(answer.day_long_lives.text, answer.day_long_lives.sources)
    return (tables.load_table(answer), *_notes((*notes, long_lives)))


def _second(answer: Recommendation) -> tuple[Reason, ...]:
    return (answer.chosen_by.phase2, *answer.phase2.reasons)


def _trade_offs(answer: Recommendation) -> tuple[Block, ...]:
    texts = [f"{price.text}." for price in answer.prices]
    runner_up = answer.runner_up
    nexts = [f"ESP {runner_up.suite}"] if runner_up.suite else []
    nexts += [f"IKE {runner_up.ike_proposal}"] if runner_up.ike_proposal else []
    texts += [f"The runner-up: {', '.join(nexts)}."] if nexts else []
    return (*_some(tables.front_table(answer)), *_texts(texts))


def _changes(answer: Recommendation) -> tuple[Block, ...]:
    tried = {change.text for change in answer.sensitivity}
    others = [reason for reason in answer.what_would_change_this if reason.text not in tried]
    return (*_some(tables.change_table(answer)), *_notes(others))


def _evidence(answer: Recommendation) -> tuple[Block, ...]:
    evidence = answer.evidence
    library = f"{evidence.provider}" if evidence.library is None else f"{evidence.provider}: {evidence.library}"
    return _notes((Reason(f"{evidence.summary}."), Reason(f"Library: {library}."), *evidence.warnings))


def _lives(answer: Recommendation) -> tuple[Block, ...]:
    lives = (answer.phase1.lifetime, answer.phase2.lifetime)
    reasons = [reason for life in lives for reason in (*life.reasons, *life.jitter.reasons)]
    return (tables.limit_table(answer), *_notes(reasons))


def _exchanges(answer: Recommendation) -> tuple[Block, ...]:
    handshake = answer.phase1.handshake
    steps = ", ".join(
        f"{step.name} {microseconds(step.cost_us)}" + ("" if step.times == 1 else f" for {step.times:g}")
        for step in handshake.responder_steps
    )
    large = [
        f"{each.name}: {each.udp_payload_bytes} octets in {each.fragments} IKE fragments"
        + (", fragmented by IP" if each.ip_fragmented else "")
        for each in answer.setup.messages
        if each.fragments > 1 or each.ip_fragmented
    ]
    texts = [f"The responder's cryptography in a set-up: {steps}.", *(f"{text}." for text in large)]
    opened = octets(answer.pfs.opened_with_bytes if answer.pfs.on else answer.pfs.opened_without_bytes)
    texts.append(f"One broken key exchange opens {opened} of traffic at the most that this box carries.")
    return (tables.exchange_table(answer), *_texts(texts))


def _provenance(answer: Recommendation) -> Table:
    rows = [
        ("Box", answer.box),
        ("Measured", answer.dataset_created),
        ("Dataset, SHA-256", answer.dataset_sha256 or "not stored"),
        ("Policy", f"{answer.policy} {answer.policy_version}: {answer.policy_title}"),
        ("Made by", f"ipsecbench {__version__}"),
    ]
    if answer.pair is not None:
        rows.insert(3, ("The other end", f"{answer.pair.box}, measured {answer.pair.dataset_created}"))
        rows.insert(4, ("Its dataset, SHA-256", answer.pair.dataset_sha256 or "not stored"))
    if answer.goal is not None:
        rows.append(("Goal", rate(answer.goal.mbit_per_second)))
    lines = tuple(Line((Cell(name), Cell(value))) for name, value in rows)
    return Table("Where this comes from", (Column("What"), Column("Value")), lines)
