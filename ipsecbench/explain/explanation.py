"""Everything that is to be said of a name, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.sources import sources
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.audit.unassessed import UNASSESSED
from ipsecbench.explain import facts
from ipsecbench.explain.claims import claims_about
from ipsecbench.explain.concepts import Concept, concepts, family_of
from ipsecbench.explain.policy_standing import Standing, policies, roles_of, standings
from ipsecbench.explain.subjects import Kind, Member, Subject
from ipsecbench.recommend.reasons import Reason
from ipsecbench.recommend.standing import forbidden, unregistered

if TYPE_CHECKING:
    from ipsecbench.explain.box import Box
    from ipsecbench.explain.costs import CostTable

PRE_SHARED_KEY = Member(Kind.AUTHENTICATION, "psk")
HOW_TO_MEASURE = "Give a dataset to see what it costs on a box: 'ipsecbench bench -o box.json' measures this one."


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The facts of one algorithm."""

    kind: str
    """Such as ``encryption transform``."""
    name: str
    """strongSwan's token."""
    numbers: tuple[str, ...]
    """The registries' name and numbers."""
    sizes: tuple[str, ...]
    """Lengths."""
    strength: str
    """Estimated strength."""
    registry_status: str
    """Status in the IANA registry; empty for what has none."""
    levels: tuple[tuple[str, str, bool], ...]
    """(standard, its words, whether they were read there)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What something is and what it is worth."""

    name: str
    """How it is called here."""
    title: str
    """What it is, in a line."""
    decision: str
    """Whether to use it, in a line."""
    text: str
    """What it is, in a few sentences."""
    documents: tuple[str, ...]
    """The documents that define it."""
    numbers: tuple[str, ...]
    """Registry numbers of what is no row of a table."""
    algorithms: tuple[Algorithm, ...]
    """The algorithms that it means or concerns."""
    standings: tuple[Standing, ...]
    """Every policy's word, policy by policy."""
    overhead: tuple[str, ...]
    """What it adds to packets, and the MTU that follows."""
    figures: tuple[Reason, ...]
    """What the box, or the formats of packets, say of a parameter."""
    box: str | None
    """The measured box; None without a dataset."""
    costs: tuple[CostTable, ...]
    """What it costs on that box."""
    cost_note: str
    """Why there are no costs, and how to get them; empty where there are."""
    see: tuple[str, ...]
    """Other names to look up."""
    claims: tuple[str, ...]
    """What people say of it: claims that can be explained too."""
    sources: tuple[str, ...]
    """Keys of all sources."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: docs/explain.md."""
        plain = asdict(self)
        known = sources()
        plain["sources"] = [{**asdict(known[key]), "key": key} for key in self.sources if key in known]
        return plain


def explain(subject: Subject, box: Box | None = None) -> Explanation:
    """Say everything of something.

    Args:
        subject: what :func:`ipsecbench.explain.names.find_subject` found.
        box: a measured box, for what it costs.
    """
    concept = concepts().get(subject.concept) if subject.concept is not None else None
    if len(subject.members) == 1 and subject.members[0].kind is Kind.POLICY:
        return _policy(subject.name)
    rows = tuple(dict.fromkeys(part for each in subject.members for part in facts.parts(each)))
    said = standings(subject.members, () if concept is None else concept.settings)
    algorithms = tuple(_algorithm(each) for each in rows if each.kind not in (Kind.UNASSESSED, Kind.IKE_VERSION))
    text, documents, cited = _words(subject, concept, rows)
    figures = _figures(concept, box)
    costs = _costs(box, subject.members)
    measurable = bool(algorithms) or bool(concept and set(concept.figures) - {"encapsulation"})
    return Explanation(
        name=subject.name,
        title=_title(subject, concept),
        decision=_decision(subject, concept, said),
        text=text,
        documents=documents,
        numbers=() if concept is None else concept.numbers,
        algorithms=algorithms,
        standings=said,
        overhead=_overhead(subject),
        figures=figures,
        box=None if box is None else box.name,
        costs=costs,
        cost_note=_cost_note(subject.members, measurable, box, bool(costs), bool(figures)),
        see=() if concept is None else concept.see,
        claims=tuple(claim.text for claim in claims_about(subject.name)),
        sources=_cited((*cited, *(key for one in said for key in one.reason.sources),
                        *(key for one in figures for key in one.sources))),
    )  # fmt: skip


def _algorithm(member: Member) -> Algorithm:
    said = tuple((name, level.text, level.verified) for name, level in facts.levels(member))
    return Algorithm(
        kind=member.kind.value,
        name=member.name,
        numbers=facts.numbers(member),
        sizes=facts.sizes(member),
        strength=facts.strength(member),
        registry_status=facts.registry_status(member),
        levels=said,
    )


def _title(subject: Subject, concept: Concept | None) -> str:
    if concept is not None:
        return concept.title
    if len(subject.members) == 1:
        return _row_title(subject.members[0])
    kinds = dict.fromkeys(each.kind.value for each in subject.members)
    return f"{' and '.join(kinds)} with {len(subject.members)} lengths of key"


def _row_title(member: Member) -> str:
    """The registry's name, and what distinguishes the row of a table from those beside it."""
    kind, name = member.kind.value, member.name
    if member.kind is Kind.KEY_EXCHANGE:
        method = KEY_EXCHANGE[name]
        return f"{method.iana_name}, group {method.ikev2_id} ({kind})"
    if member.kind is Kind.ENCRYPTION and ENCRYPTION[name].key_bits:
        return f"{ENCRYPTION[name].iana_name} with a key of {ENCRYPTION[name].key_bits} bits ({kind})"
    if member.kind is Kind.AUTHENTICATION:
        return f"{AUTHENTICATION[name].title} ({kind})"
    if member.kind is Kind.ESP_SUITE:
        return f"{' with '.join(facts.numbers(part)[0] for part in facts.parts(member))} ({kind})"
    numbers = facts.numbers(member)
    return f"{numbers[0]} ({kind})" if numbers else kind


def _words(
    subject: Subject, concept: Concept | None, rows: Iterable[Member]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Text, documents and sources of what something is."""
    if concept is not None:
        return concept.text, concept.documents, concept.sources
    found = tuple(dict.fromkeys(family for each in rows if (family := family_of(each)) is not None))
    if found:
        documents = tuple(dict.fromkeys(name for family in found for name in family.documents))
        return " ".join(f.text for f in found), documents, tuple(key for f in found for key in f.sources)
    reasons = [one.reason for (_, name), one in UNASSESSED.items() if name == subject.name]
    return " ".join(f"{one.text}." for one in reasons), (), tuple(key for one in reasons for key in one.sources)


def _decision(subject: Subject, concept: Concept | None, said: Iterable[Standing]) -> str:
    """Whether to use it: what forbids it, or which policies allow it."""
    members = subject.members
    family = family_of(members[0]) if len(members) == 1 else None
    if (own := concept or family) is not None and own.decision:
        return own.decision
    if any(each.kind is Kind.UNASSESSED for each in members) or (
        concept is not None and not members and not concept.settings
    ):
        return "" if concept is not None else "do not use it"
    if concept is not None and len(members) != 1 and not all(_forbidden(each) for each in members):
        return ""
    against = [reason for each in members if (reason := _forbidden(each)) is not None]
    names = {one.policy: set[str]() for one in said}
    for one in said:
        names[one.policy].add(one.permission)
    allowed = [name for name, words in names.items() if "allowed" in words]
    if against:
        return f"do not use it: {against[0].text}"
    if not members:
        return ""
    if not allowed:
        return _of_no_policy(names)
    if len(allowed) == len(names):
        return "every policy allows it"
    missing = [name for name in names if name not in allowed]
    if len(missing) < len(allowed):
        return f"every policy allows it but {', '.join(missing)}"
    return f"allowed by {', '.join(allowed)}"


def _of_no_policy(names: dict[str, set[str]]) -> str:
    """What to say of something that no policy allows as it is."""
    accepted = [name for name, words in names.items() if "accepted" in words]
    old = [name for name, words in names.items() if "fallback" in words and name not in accepted]
    more = (
        [f"{' and '.join(accepted)} {'accepts' if len(accepted) == 1 else 'accept'} it with a warning"]
        if accepted
        else []
    )
    more += [f"{' and '.join(old)} {'offers' if len(old) == 1 else 'offer'} it to old peers"] if old else []
    return "; ".join(["do not use it: no policy allows it", *more])


def _forbidden(member: Member) -> Reason | None:
    """The standard that forbids something in every role that it has."""
    reasons = [forbidden(role, name) or unregistered(role, name) for role, name in roles_of(member)]
    return reasons[0] if reasons and all(reason is not None for reason in reasons) else None


def _overhead(subject: Subject) -> tuple[str, ...]:
    from ipsecbench.explain.figures import overhead_text

    found: list[str] = []
    if subject.concept is not None and len(subject.members) > 3:
        return ()
    for each in subject.members:
        if each.kind is Kind.ESP_SUITE or (each.kind is Kind.ENCRYPTION and each.name in esp_suites()):
            found.append(overhead_text(each.name))
        elif each.kind is Kind.ENCRYPTION:
            found.append(overhead_text(f"{each.name}-sha256"))
        elif each.kind is Kind.INTEGRITY:
            found.append(overhead_text(f"aes128-{each.name}"))
    return tuple(found)


def _figures(concept: Concept | None, box: Box | None) -> tuple[Reason, ...]:
    if concept is None or not concept.figures:
        return ()
    if box is None and set(concept.figures) - {"encapsulation"}:
        return ()
    from ipsecbench.explain.figures import FIGURES

    return tuple(reason for word in concept.figures for reason in FIGURES[word](box))


def _costs(box: Box | None, members: Iterable[Member]) -> tuple[CostTable, ...]:
    if box is None:
        return ()
    from ipsecbench.explain.costs import cost_tables

    return cost_tables(box, members)


def _cost_note(
    members: tuple[Member, ...], measurable: bool, box: Box | None, has_costs: bool, has_figures: bool
) -> str:
    if members == (PRE_SHARED_KEY,):
        return "It costs two calls of the PRF at each end: 'ipsecbench explain prfsha256 DATASET' says what these take."
    if has_costs or not measurable or (box is not None and has_figures):
        return ""
    if box is None:
        return HOW_TO_MEASURE
    return "The dataset has no figure for it: 'ipsecbench bench' with the agent and without --only measures more."


def _policy(name: str) -> Explanation:
    """A policy is explained by ``policy show``; here is what it is and which standards it rests on."""
    policy = next(each for each in policies() if each.name == name)
    cited = {key for lines in policy.lines.values() for line in lines for key in line.reason.sources}
    notes = " ".join(note.text for note in policy.notes)
    return Explanation(
        name=name,
        title=f"policy {policy.label}: {policy.title}",
        decision=f"'ipsecbench policy show {name}' has every line of it",
        text=notes,
        documents=(),
        numbers=(),
        algorithms=(),
        standings=(),
        overhead=(),
        figures=(),
        box=None,
        costs=(),
        cost_note="",
        see=(),
        claims=(),
        sources=_cited(cited),
    )


def _cited(keys: Iterable[str]) -> tuple[str, ...]:
    """Each key once, in order; the program's own sources only."""
    return tuple(sorted({key for key in keys if key in sources()}))
