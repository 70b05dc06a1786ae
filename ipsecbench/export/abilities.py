"""What a product has of what a policy lists, asked of its target, as the :class:`Peer` that a recommendation keeps to.

There is no second list of what products have: a plain connection that the target writes (tunnel, IPv4, lives of hours)
is changed in one phase at a time, and whatever the target then refuses it does not have. What belongs together is asked
together, for many products have an algorithm beside certain others only (OPNsense chooses whole proposals from a list,
PAN-OS takes the PRF from the group).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.export.connection import (
    Connection,
    EspAlgorithms,
    IkeAlgorithms,
    Life,
    Provenance,
    placeholder_ends,
)
from ipsecbench.export.target import Target
from ipsecbench.recommend.peers.peer import LISTS, Peer
from ipsecbench.recommend.policies.policy import Policy
from ipsecbench.recommend.policies.records import fallback_parts
from ipsecbench.recommend.reasons import Role

_PLAIN_IKE = (
    IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048"),
    IkeAlgorithms("aes256", "sha1", "prfsha1", "modp2048"),
)
_PLAIN_ESP = (EspAlgorithms("aes256", "sha256", None), EspAlgorithms("aes256", "sha1", None))
_PLAIN_AUTHENTICATION = ("psk", "rsa-2048")
_IKE_LIFE = Life(14400, 15840)
_CHILD_LIFE = Life(3600, 3960)
_NOBODY = Provenance("", "", "", None, "")

IkeSet = tuple[str, str | None, str, str]
"""Encryption, integrity, PRF and key exchange of an IKE SA."""
EspSet = tuple[str, str | None]
"""ESP suite, and the key exchange of a rekey; None without perfect forward secrecy."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a product has of what a policy recommends, with one version of IKE."""

    peer: Peer
    """What it has, one list for each role: what belongs together is lost in it."""
    ike: frozenset[IkeSet]
    """What its IKE SA can be as a whole; empty where it has no whole one."""
    esp: frozenset[EspSet]
    """What its Child SA can be as a whole."""

    def within(self, ike: frozenset[IkeSet], esp: frozenset[EspSet]) -> Abilities:
        """The same with fewer IKE SAs and Child SAs, at least one of each."""
        return Abilities(replace(self.peer, **_ike_lists(ike), **_esp_lists(esp)), ike, esp)


def _ike_lists(sets: Collection[IkeSet]) -> dict[str, Any]:
    return {
        "ike_encryption": frozenset(encryption for encryption, _, _, _ in sets),
        "ike_integrity": frozenset(integrity for _, integrity, _, _ in sets if integrity is not None),
        "prf": frozenset(prf for _, _, prf, _ in sets),
        "key_exchange": frozenset(group for _, _, _, group in sets),
    }


def _esp_lists(sets: Collection[EspSet]) -> dict[str, Any]:
    return {
        "esp_suites": frozenset(suite for suite, _ in sets),
        "child_key_exchange": frozenset(group for _, group in sets if group is not None),
    }


def abilities(target: Target, version: str, policy: Policy, ike_version: int = 2) -> Abilities:
    """What a product has of what a policy recommends, proposals for old peers included.

    Args:
        target: which product.
        version: of the product.
        policy: names what is asked for.
        ike_version: the version of IKE that is wanted; where the product does not have it, the one that it has.
    """
    plain = {each: found for each in (1, 2) if (found := _plain(target, version, each)) is not None}
    start = plain.get(ike_version) or next(iter(plain.values()), None)
    nothing = Peer(f"{target.title} {version}", ike_versions=frozenset(plain))
    if start is None:
        return Abilities(nothing, frozenset(), frozenset())
    asked = _Asked(target, version, start)
    ike = frozenset(each for each in _ike_sets(policy) if asked.ike(each))
    esp = frozenset(each for each in _esp_sets(policy) if asked.esp(each))
    peer = replace(
        nothing,
        # Without a whole one each part is asked for beside the plain ones, so that the reason names what is missing.
        **_ike_lists(ike or [each for each in _single_changes(policy, start.ike) if asked.ike(each)]),
        **_esp_lists(esp),
        esn=any(asked.esp(each, esn=True) for each in sorted(esp, key=str)),
        authentication=frozenset(name for name in AUTHENTICATION if asked.authentication(name)),
        additional_key_exchange=frozenset(
            line.name for line in policy.additional_key_exchanges if asked.additional(line.name, ike)
        ),
    )
    return Abilities(peer, ike, esp)


def _plain(target: Target, version: str, ike_version: int) -> Connection | None:
    """A plain connection that the target writes; None where it writes none with this version of IKE."""
    local, peer = placeholder_ends()
    for ike, esp, authentication in product(_PLAIN_IKE, _PLAIN_ESP, _PLAIN_AUTHENTICATION):
        connection = Connection(
            "plain", ike_version, ike, esp, authentication, _IKE_LIFE, _CHILD_LIFE, local, peer, _NOBODY
        )
        if not target.refuse(connection, version):
            return connection
    return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Asks a target for one thing after the other."""

    target: Target
    version: str
    plain: Connection

    def _writes(self, connection: Connection) -> bool:
        return not self.target.refuse(connection, self.version)

    def ike(self, each: IkeSet) -> bool:
        return self._writes(replace(self.plain, ike=IkeAlgorithms(*each)))

    def esp(self, each: EspSet, *, esn: bool = False) -> bool:
        return self._writes(replace(self.plain, esp=esp_algorithms(*each, esn=esn)))

    def authentication(self, name: str) -> bool:
        return self._writes(replace(self.plain, authentication=name))

    def additional(self, name: str, ike: Iterable[IkeSet]) -> bool:
        """Whether it has it in both phases, beside any of the IKE SAs that it has."""
        for encryption, integrity, prf, group in sorted(ike, key=str):
            algorithms = IkeAlgorithms(encryption, integrity, prf, group, (name,))
            rekey = replace(self.plain.esp, key_exchange=group, additional_key_exchanges=(name,))
            if self._writes(replace(self.plain, ike=algorithms, esp=rekey)):
                return True
        return False


def esp_algorithms(suite: str, group: str | None, *, esn: bool = False) -> EspAlgorithms:
    """The transforms of an ESP suite, for a connection."""
    found = esp_suites()[suite]
    integrity = None if found.integrity is None else found.integrity.name
    return EspAlgorithms(found.encryption.name, integrity, group, (), esn)


def _listed(policy: Policy, role: Role) -> tuple[str, ...]:
    """Everything that a policy recommends for a role, and the parts of its proposals for old peers."""
    names = [line.name for line in policy.lines[role] if line.recommended]
    parts = [part for each in policy.ike_fallbacks for part in fallback_parts(each.proposal, ike=True)]
    parts += [part for each in policy.esp_fallbacks for part in fallback_parts(each.proposal, ike=False)]
    names += [name for found, name in parts if found is role]
    return tuple(dict.fromkeys(names))


def _ike_sets(policy: Policy) -> Iterator[IkeSet]:
    """Every IKE SA that a policy could want; the PRF has the hash of the integrity transform where there is one."""
    prfs, groups = _listed(policy, Role.PRF), _listed(policy, Role.KEY_EXCHANGE)
    hashes = [
        (name, PRF_OF_INTEGRITY[name]) for name in _listed(policy, Role.IKE_INTEGRITY) if name in PRF_OF_INTEGRITY
    ]
    for encryption in _listed(policy, Role.IKE_ENCRYPTION):
        beside: list[tuple[str | None, str]] = [(None, prf) for prf in prfs]
        if not ENCRYPTION[encryption].aead:
            beside = [pair for pair in hashes if pair[1] in prfs]
        for (integrity, prf), group in product(beside, groups):
            yield encryption, integrity, prf, group


def _single_changes(policy: Policy, plain: IkeAlgorithms) -> Iterator[IkeSet]:
    """A plain IKE SA with its encryption, its hash or its key exchange changed to each that a policy lists."""
    for encryption in _listed(policy, Role.IKE_ENCRYPTION):
        if ENCRYPTION[encryption].aead:
            yield from ((encryption, None, prf, plain.key_exchange) for prf in _listed(policy, Role.PRF))
        else:
            yield encryption, plain.integrity, plain.prf, plain.key_exchange
    for integrity, prf in PRF_OF_INTEGRITY.items():
        yield plain.encryption, integrity, prf, plain.key_exchange
    for group in _listed(policy, Role.KEY_EXCHANGE):
        yield plain.encryption, plain.integrity, plain.prf, group


def _esp_sets(policy: Policy) -> Iterator[EspSet]:
    yield from product(_listed(policy, Role.ESP_SUITE), (None, *_listed(policy, Role.KEY_EXCHANGE)))


def both(first: Peer, second: Peer) -> Peer:
    """What two have in common, for a tunnel between them; lives, doubts and notes are the second one's."""
    lists: dict[str, Any] = {}
    for field in LISTS:
        names = getattr(first, field)
        lists[field] = getattr(second, field)
        if names is not None:
            lists[field] = frozenset(name for name in names if second.has(field, name) is not False)
    esn = first.esn if second.esn is None else second.esn and first.esn is not False
    return replace(second, name=f"{first.name} with {second.name}", spec=None, esn=esn, **lists)
