"""Proposal strings as strongSwan spells them: written and read.

An IKE proposal is ``encryption[-integrity][-prf]-key exchange``; an ESP proposal is
``encryption[-integrity][-key exchange][-esn|-noesn]``. Where an IKE proposal names no PRF, strongSwan takes the one
with the integrity transform's hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY, token
from ipsecbench.errors import UsageError

INTEGRITY_OF_PRF = {prf: integrity for integrity, prf in PRF_OF_INTEGRITY.items()}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposal, taken apart."""

    encryption: str
    """Encryption transform."""
    integrity: str | None = None
    """Integrity transform; None beside a combined-mode transform, and where it is missing."""
    prf: str | None = None
    """Pseudo-random function; None in an ESP proposal."""
    key_exchange: str | None = None
    """Key exchange method; None in an ESP proposal without perfect forward secrecy."""
    esn: bool | None = None
    """ESP: extended sequence numbers asked for or refused; None where it is not said."""

    @property
    def esp_suite(self) -> str:
        """The ESP suite that the proposal's encryption and integrity transforms make."""
        return self.encryption if self.integrity is None else f"{self.encryption}-{self.integrity}"


def ike_proposal(
    encryption: str, integrity: str | None, prf: str, key_exchange: str, additional: tuple[str, ...] = ()
) -> str:
    """strongSwan's spelling of an IKE proposal; the PRF is left out where the integrity transform implies it.

    Args:
        encryption: encryption transform.
        integrity: integrity transform; None beside a combined-mode transform.
        prf: pseudo-random function.
        key_exchange: method of the first exchange.
        additional: methods of the additional exchanges (RFC 9370), in their order.
    """
    parts = [encryption]
    if integrity is not None:
        parts.append(integrity)
    if integrity is None or PRF_OF_INTEGRITY.get(integrity) != prf:
        parts.append(prf)
    return "-".join((*parts, key_exchange, *_additional_words(additional)))


def esp_proposal(suite: str, key_exchange: str | None, esn: bool, additional: tuple[str, ...] = ()) -> str:
    """strongSwan's spelling of an ESP proposal. ``noesn`` is strongSwan's default and is not written."""
    words = (suite, key_exchange, *_additional_words(additional), "esn" if esn else None)
    return "-".join(word for word in words if word)


def _additional_words(names: tuple[str, ...]) -> list[str]:
    return [f"ke{number}_{name}" for number, name in enumerate(names, start=1)]


def _sort(text: str, kinds: tuple[str, ...]) -> dict[str, str]:
    """Each token of the proposal under its kind."""
    known = {"encryption": ENCRYPTION, "integrity": INTEGRITY, "prf": PRF, "key_exchange": KEY_EXCHANGE}
    found: dict[str, str] = {}
    for word in text.split("-"):
        name = token(word)
        kind = "esn" if name in ("esn", "noesn") else next((k for k, table in known.items() if name in table), None)
        if kind is None or kind not in kinds:
            raise UsageError(f"proposal {text!r}: {word!r} is no transform known here for this kind of proposal")
        if kind in found:
            raise UsageError(f"proposal {text!r}: {found[kind]!r} and {word!r} are of one kind; give one of each")
        found[kind] = name
    if "encryption" not in found:
        raise UsageError(f"proposal {text!r}: it names no encryption transform, such as aes256gcm16")
    return found


def parse_ike_proposal(text: str) -> Proposal:
    """Take an IKE proposal apart.

    Raises:
        UsageError: a token is unknown or doubled, or encryption, integrity or key exchange is missing.
    """
    found = _sort(text, ("encryption", "integrity", "prf", "key_exchange"))
    encryption, integrity = found["encryption"], found.get("integrity")
    prf = found.get("prf") or PRF_OF_INTEGRITY.get(integrity or "")
    if ENCRYPTION[encryption].aead:
        if "prf" not in found and integrity is not None:
            raise UsageError(f"proposal {text!r}: {encryption} takes no integrity transform; write prf{integrity}")
        integrity = None
    elif integrity is None:
        raise UsageError(f"proposal {text!r}: {encryption} needs an integrity transform beside it, such as sha256")
    if prf is None:
        raise UsageError(f"proposal {text!r}: it names no PRF, such as prfsha256")
    if "key_exchange" not in found:
        raise UsageError(f"proposal {text!r}: it names no key exchange method, such as x25519")
    return Proposal(encryption, integrity, prf, found["key_exchange"])


def parse_esp_proposal(text: str) -> Proposal:
    """Take an ESP proposal apart. A missing integrity transform is left missing: it is for the caller to judge.

    Raises:
        UsageError: a token is unknown or doubled, encryption is missing, or a combined-mode transform has an
            integrity transform beside it.
    """
    found = _sort(text, ("encryption", "integrity", "key_exchange", "esn"))
    encryption, integrity = found["encryption"], found.get("integrity")
    if ENCRYPTION[encryption].aead and integrity is not None:
        raise UsageError(f"proposal {text!r}: {encryption} protects integrity itself; leave {integrity} out")
    esn = {"esn": True, "noesn": False}.get(found.get("esn", ""))
    return Proposal(encryption, integrity, None, found.get("key_exchange"), esn)
