"""The best parameter set that both ends can run on one product: a recommendation made anew within what it has.

Nothing is approximated: the recommendation is another one, by the same policy, and says in what it differs from the
one without the product. Where the policy leaves nothing that the product has, that is an error of the policy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ipsecbench.errors import PolicyError
from ipsecbench.export.abilities import Abilities, EspSet, IkeSet, abilities, both
from ipsecbench.export.connection import Connection, Life
from ipsecbench.export.target import Target
from ipsecbench.recommend.formats import microseconds, rate
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.peers.peer import LISTS, Peer
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.requirements.records import Requirements


@dataclass(frozen=True, slots=True)
class Again:
    """What makes another recommendation for the same boxes."""

    policy: Policy
    """By which it is made."""
    recommend: Callable[[Requirements], Recommendation]
    """Recommends with other requirements."""


Connect = Callable[[Recommendation], Connection]
"""The connection that a recommendation makes between the two ends."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the product's recommendation has otherwise."""

    what: str
    """What, for people."""
    without: str
    """What it is without the product."""
    here: str
    """What it is with it."""
    reasons: tuple[str, ...]
    """What the product lacks, in its target's words; empty where it follows from the other differences."""

    @property
    def text(self) -> str:
        """For people, one line."""
        why = "; ".join(self.reasons) or "follows from the others"
        return f"{self.what}: {self.here} instead of {self.without} ({why})"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The recommendation for a product."""

    recommendation: Recommendation
    """Made within what the product has."""
    connection: Connection
    """What it makes between the two ends; its provenance names the differences."""
    differences: tuple[Difference, ...]
    """What is otherwise than without the product; empty where nothing is."""
    cost: str
    """What that costs, in strength, throughput and time for a set-up."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Differences and cost for people, one line each; none where nothing is otherwise."""
        return (*(difference.text for difference in self.differences), self.cost) if self.differences else ()


def fit(target: Target, version: str, without: Recommendation, again: Again, connect: Connect) -> Fitted:
    """Recommend within what a product has.

    What the product cannot say for another reason than its algorithms (a mode, encapsulation, a life) is left to
    :meth:`~ipsecbench.export.target.Target.files`, which refuses it.

    Args:
        target: which product.
        version: of the product.
        without: the recommendation without the product.
        again: makes the one for the product.
        connect: makes the connection of a recommendation.

    Raises:
        PolicyError: the policy leaves nothing that the product has; the message says what.
    """
    first = connect(without)
    if not target.refuse(first, version):
        return Fitted(without, first, (), "")
    known = without.requirements
    found = abilities(target, version, again.policy, known.ike_version or without.phase1.ike_version)
    fitted = _settled(found, again, without, known)
    here = connect(fitted)
    differences = tuple(_differences(first, here, target, version))
    told = Fitted(fitted, here, differences, cost_text(without, fitted))
    start = (
        f"Not what is recommended without the product, but the best that {target.title} {version} has by this policy:"
    )
    provenance = replace(here.provenance, differences=(start, *told.lines) if differences else ())
    return replace(told, connection=replace(here, provenance=provenance))


def _settled(
    found: Abilities, again: Again, answer: Recommendation, known: Requirements, asked: Peer | None = None
) -> Recommendation:
    """Recommend until everything chosen is there, and can be had together.

    Only those of the product's lists count that a choice was not in: what is best of more than the product has, and is
    there, is the best of what it has. Products that lack the same are recommended the same for that reason.
    Where a choice cannot be had together, the ESP suite is kept before the rest of phase 2, and in phase 1 encryption
    before key exchange before the PRF; what nothing allowed goes with is given up.
    """
    lacking = _lacking(found.peer, answer)
    limited = _limited(found.peer, lacking | (_limits_of(asked) if asked is not None else frozenset()))
    if lacking and limited != asked:
        peer = limited if known.peer is None else both(limited, known.peer)
        return _settled(found, again, again.recommend(replace(known, peer=peer)), known, limited)
    kept, given_up = _narrowed(found, answer)
    if kept is None:
        return answer
    try:
        return _settled(kept, again, answer, known, asked)
    except PolicyError:
        if given_up is None:
            raise
        return _settled(given_up, again, answer, known, asked)


_GROUPS = frozenset({"key_exchange", "child_key_exchange"})
"""A peer without a list of the second has those of the first: they count together."""


def _lacking(peer: Peer, answer: Recommendation) -> frozenset[str]:
    """The lists of a product that a recommendation is not in."""
    phase1, phase2 = answer.phase1, answer.phase2
    chosen: dict[str, tuple[str | int | None, ...]] = {
        "ike_versions": (phase1.ike_version,),
        "ike_encryption": (phase1.encryption,),
        "ike_integrity": (phase1.integrity,),
        "prf": (phase1.prf,),
        "key_exchange": (phase1.key_exchange,),
        "additional_key_exchange": (*phase1.additional_key_exchanges, *phase2.additional_key_exchanges),
        "authentication": (phase1.authentication,),
        "esp_suites": (phase2.suite,),
        "child_key_exchange": (phase2.key_exchange,),
    }
    lacking = {
        field
        for field, names in chosen.items()
        if any(name is not None and peer.has(field, name) is False for name in names)
    }
    if lacking & _GROUPS:
        lacking |= _GROUPS
    if phase2.esn and peer.esn is False:
        lacking.add("esn")
    return frozenset(lacking)


def _limited(peer: Peer, fields: frozenset[str]) -> Peer:
    """A peer of which nothing is known but some of its fields."""
    known: dict[str, Any] = {field: getattr(peer, field) for field in fields}
    return Peer(peer.name, **known)


def _limits_of(peer: Peer) -> frozenset[str]:
    return frozenset(field for field in (*LISTS, "esn") if getattr(peer, field) is not None)


def _narrowed(found: Abilities, answer: Recommendation) -> tuple[Abilities | None, Abilities | None]:
    """What is left with, and without, the part of a choice that the others do not go with; None where all is well."""
    phase1, phase2 = answer.phase1, answer.phase2
    ike: IkeSet = (phase1.encryption, phase1.integrity, phase1.prf, phase1.key_exchange)
    esp: EspSet = (phase2.suite, phase2.key_exchange)
    if found.esp and esp not in found.esp:
        kept = frozenset(each for each in found.esp if each[0] == esp[0])
        return _halves(found, found.ike, kept, found.ike, found.esp - kept)
    if not found.ike or ike in found.ike:
        return None, None
    kept_ike = found.ike
    for place in (0, 3, 2):
        smaller = frozenset(each for each in kept_ike if each[place] == ike[place])
        if not smaller:
            break
        kept_ike = smaller
        if kept_ike != found.ike and not _offers(kept_ike, ike):
            break
    return _halves(found, kept_ike, found.esp, found.ike - kept_ike, found.esp)


def _offers(sets: frozenset[IkeSet], ike: IkeSet) -> bool:
    """Whether lists of these sets still have every part of one."""
    return all(any(each[place] == ike[place] for each in sets) for place in range(len(ike)))


def _halves(
    found: Abilities,
    ike: frozenset[IkeSet],
    esp: frozenset[EspSet],
    other_ike: frozenset[IkeSet],
    other_esp: frozenset[EspSet],
) -> tuple[Abilities | None, Abilities | None]:
    if (ike, esp) == (found.ike, found.esp):
        return None, None
    others = found.within(other_ike, other_esp) if other_ike and other_esp else None
    return found.within(ike, esp), others


_PARTS: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("IKE version", None, ("ike_version",)),
    ("IKE encryption", "ike", ("encryption", "integrity")),
    ("PRF", "ike", ("prf",)),
    ("key exchange of IKE", "ike", ("key_exchange",)),
    ("additional key exchanges", "ike", ("additional_key_exchanges",)),
    ("authentication", None, ("authentication",)),
    ("ESP", "esp", ("encryption", "integrity")),
    ("perfect forward secrecy", "esp", ("key_exchange", "additional_key_exchanges")),
    ("extended sequence numbers", "esp", ("esn",)),
)
"""What can be otherwise: the fields of a connection, or of its algorithms for IKE or ESP, that belong together."""


def _differences(without: Connection, here: Connection, target: Target, version: str) -> Iterator[Difference]:
    """What two connections have otherwise; why is what the target says with the other one's part in its place."""
    anyway = target.refuse(here, version)
    for what, phase, names in _PARTS:
        mine: Any
        theirs: Any
        mine, theirs = (each if phase is None else getattr(each, phase) for each in (here, without))
        values = {name: getattr(theirs, name) for name in names}
        if all(getattr(mine, name) == value for name, value in values.items()):
            continue
        changed = replace(mine, **values)
        put_back: Connection = changed if phase is None else replace(here, **{phase: changed})
        before, now = (_words(getattr(each, name) for name in names) for each in (theirs, mine))
        reasons = tuple(line for line in target.refuse(put_back, version) if line not in anyway)
        yield Difference(what, before, now, reasons)
    for what, life, other in (
        ("life of the IKE SA", here.ike_life, without.ike_life),
        ("life of the Child SA", here.child_life, without.child_life),
    ):
        own, others = _limits(life), _limits(other)
        units = [unit for unit in own if own[unit] != others[unit]]
        if units:
            before, now = (", ".join(f"{limits[unit] or 'any'} {unit}" for unit in units) for limits in (others, own))
            yield Difference(what, before, now, ())


def _words(values: Iterable[object]) -> str:
    """``aes128 with sha256``, ``on``, ``none``: the values of one part for people."""
    words: list[str] = []
    for value in values:
        if isinstance(value, bool):
            words.append("on" if value else "off")
        elif isinstance(value, tuple):
            words += value
        elif value is not None:
            words.append(str(value))
    return " with ".join(words) or "none"


def _limits(life: Life) -> dict[str, int | None]:
    return {"s": life.hard_seconds, "octets": life.hard_bytes, "packets": life.hard_packets}


def cost_text(without: Recommendation, here: Recommendation) -> str:
    """What a product's recommendation costs: strength, throughput of a core, processor time of a set-up."""
    bits, before = ((each.phase1.strength_bits, each.phase2.strength_bits) for each in (here, without))
    mine, theirs = (rate(each.phase2.candidate.headline.one_way_mbit_per_second.median) for each in (here, without))
    parts = [
        f"no strength ({min(bits)} bits)"
        if bits == before
        else f"strength: {bits[0]} bits in phase 1 and {bits[1]} in phase 2 instead of {before[0]} and {before[1]}",
        f"no throughput ({mine} on one core)" if mine == theirs else f"one core carries {mine} instead of {theirs}",
    ]
    setup, other = here.phase1.handshake.responder_us, without.phase1.handshake.responder_us
    if setup != other:
        parts.append(f"a set-up takes the responder {microseconds(setup)} instead of {microseconds(other)}")
    return f"What it costs: {'; '.join(parts)}."
