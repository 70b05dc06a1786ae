"""The words that a product has for the project's names of algorithms, and what it has no word for.

A table holds what the product's documentation or its own schema lists (docs/export-targets.md names them), not what
would be sensible: what is not in it is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms

RSA = ("rsa-2048", "rsa-3072", "rsa-4096")
"""Signatures with RSA keys; products choose the kind of key, and the certificate has its size."""
ECDSA = ("ecdsa-256", "ecdsa-384", "ecdsa-521")
"""Signatures with keys on NIST curves."""


def group_words(template: str, names: Iterable[str]) -> dict[str, str]:
    """Words that hold the number of the IANA registry: ``{}`` in the template."""
    return {name: template.format(KEY_EXCHANGE[name].ikev2_id) for name in names}


def implied_prf(integrity: str) -> str:
    """The PRF that products without a setting for it take: the HMAC or CMAC of the integrity transform."""
    return f"prf{integrity}"


def general_lines(
    connection: Connection, *, ike_versions: Collection[int], modes: Collection[str], authentication: Collection[str]
) -> Iterator[str]:
    """What stands against a connection beside its algorithms, as predicates of the product."""
    if connection.ike_version not in ike_versions:
        yield f"has no IKEv{connection.ike_version}"
    if connection.mode not in modes:
        yield f"is written in {' and '.join(modes)} mode only, not in {connection.mode} mode"
    if connection.authentication not in authentication:
        yield f"has no authentication with {connection.authentication}"
    if connection.ike_fallbacks or connection.esp_fallbacks:
        yield "gets one proposal only: leave the fallbacks for old peers out"
    if connection.replay_window_packets < 1:
        yield "is written with replay protection only"
    if connection.aggressive:
        yield "is written with main mode only, not with aggressive mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One product's words at one version."""

    product: str
    """For people, at the beginning of each line of refusal."""
    ike_encryption: Mapping[str, str]
    """Encryption transforms of the IKE SA."""
    ike_integrity: Mapping[str, str]
    """Integrity transforms of the IKE SA."""
    ike_groups: Mapping[str, str]
    """Key exchange methods of the IKE SA."""
    esp_encryption: Mapping[str, str]
    """Encryption transforms of ESP."""
    esp_integrity: Mapping[str, str]
    """Integrity transforms of ESP."""
    pfs_groups: Mapping[str, str]
    """Key exchange methods of a rekey."""
    authentication: Mapping[str, str]
    """Authentication methods; the words may be empty where there is nothing to choose."""
    prf: Mapping[str, str] | None = None
    """Pseudo-random functions; None where there is no setting and the integrity transform gives it."""
    aead_prf: Mapping[str, str] = field(default_factory=dict)
    """The PRF that goes with a combined-mode transform of IKE where there is no setting, by the transform."""
    additional_key_exchanges: Mapping[str, str] = field(default_factory=dict)
    """Methods of ADDKE1 and following (RFC 9370)."""
    ike_versions: tuple[int, ...] = (1, 2)
    """IKE versions."""
    modes: tuple[str, ...] = ("tunnel",)
    """Modes that the target writes."""
    esn: bool = False
    """Whether 64-bit sequence numbers can be asked for."""

    def refusals(self, connection: Connection) -> tuple[str, ...]:
        """What the product has no word for, one line each."""
        general = general_lines(
            connection, ike_versions=self.ike_versions, modes=self.modes, authentication=self.authentication
        )
        lines = [*general, *self._ike(connection.ike), *self._esp(connection.esp)]
        return tuple(dict.fromkeys(f"{self.product} {line}" for line in lines))

    def _ike(self, ike: IkeAlgorithms) -> Iterator[str]:
        if ike.encryption not in self.ike_encryption:
            yield f"has no {ike.encryption} for the IKE SA"
        if ike.integrity is not None and ike.integrity not in self.ike_integrity:
            yield f"has no {ike.integrity} for the IKE SA"
        yield from self._prf(ike)
        if ike.key_exchange not in self.ike_groups:
            yield f"has no {ike.key_exchange} for the IKE SA"
        yield from self._additional(ike.additional_key_exchanges)

    def _prf(self, ike: IkeAlgorithms) -> Iterator[str]:
        if self.prf is not None:
            if ike.prf not in self.prf:
                yield f"has no {ike.prf} for the IKE SA"
            return
        if ike.integrity is not None and ike.prf != implied_prf(ike.integrity):
            yield f"takes the PRF from the integrity algorithm {ike.integrity}: {ike.prf} cannot be set beside it"
        if ENCRYPTION[ike.encryption].aead and ike.encryption in self.ike_encryption:
            fixed = self.aead_prf.get(ike.encryption)
            if fixed is None:
                yield f"chooses the PRF of {ike.encryption} itself and does not say which: {ike.prf} is not certain"
            elif fixed != ike.prf:
                yield f"uses {fixed} with {ike.encryption}, whatever is set: {ike.prf} is not to be had"

    def _esp(self, esp: EspAlgorithms) -> Iterator[str]:
        if esp.encryption not in self.esp_encryption:
            yield f"has no {esp.encryption} for ESP"
        if esp.integrity is not None and esp.integrity not in self.esp_integrity:
            yield f"has no {esp.integrity} for ESP"
        if esp.key_exchange is not None and esp.key_exchange not in self.pfs_groups:
            yield f"has no {esp.key_exchange} for perfect forward secrecy"
        yield from self._additional(esp.additional_key_exchanges)
        if esp.esn and not self.esn:
            yield "has no setting for extended sequence numbers"

    def _additional(self, methods: tuple[str, ...]) -> Iterator[str]:
        for method in methods:
            if method not in self.additional_key_exchanges:
                yield f"has no additional key exchange with {method}"
