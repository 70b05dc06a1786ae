"""Proposals in strongSwan's spelling, with any number of transforms of each type.

``aes256-aes128-sha256-x25519-ecp256`` offers every combination of its tokens; of each type the first is preferred. An
IKE proposal that names no PRF takes those built on its integrity transforms' hashes, and beside a combined-mode
transform an integrity keyword stands for its PRF, both as strongSwan does. ``ke1_`` to ``ke7_`` are the additional key
exchanges of RFC 9370.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.errors import UsageError

PRF_OF_INTEGRITY = {name: f"prf{name}" for name in INTEGRITY if f"prf{name}" in PRF}
"""The PRF built on the same function as an integrity transform."""
NO_KEY_EXCHANGE = "none"
"""Stands for transform ID 0 (NONE) of a key exchange transform type: the exchange may be left out."""
ADDITIONAL_KEY_EXCHANGES = 7
"""How many additional key exchanges there can be (RFC 9370 section 2.2.1)."""

_ALIASES = {
    "aes": "aes128",
    "sha": "sha1",
    "sha2_256": "sha256",
    "sha2_384": "sha384",
    "sha2_512": "sha512",
    "prfsha": "prfsha1",
    "blowfish": "blowfish128",
    "camellia": "camellia128",
    "twofish": "twofish128",
    "serpent": "serpent128",
    "curve25519": "x25519",
    "curve448": "x448",
    "chacha20poly1305compat": "chacha20poly1305",
    "modpnone": NO_KEY_EXCHANGE,
}
_ICV_BITS = {"64": "8", "96": "12", "128": "16", "": "16"}
_ICV_ALIAS = re.compile(r"(aes(?:128|192|256)?)(gcm|ccm)(64|96|128|)\Z")
_ADDITIONAL = re.compile(r"ke([1-7])_(.+)\Z")


def token(word: str) -> str:
    """The project's name of a transform for any of strongSwan's spellings of it."""
    plain = word.strip().lower()
    match = _ICV_ALIAS.match(plain)
    if match is not None:
        cipher, mode, bits = match.groups()
        return f"{_ALIASES.get(cipher, cipher)}{mode}{_ICV_BITS[bits]}"
    return _ALIASES.get(plain, plain)


@dataclass(frozen=True, slots=True)
class IkeProposal:
    """One proposal for an IKE SA; in every tuple the preferred transform stands first."""

    encryption: tuple[str, ...]
    """Encryption transforms: all combined-mode, or none of them."""
    integrity: tuple[str, ...]
    """Integrity transforms; empty beside combined-mode transforms."""
    prf: tuple[str, ...]
    """Pseudo-random functions."""
    key_exchange: tuple[str, ...]
    """Key exchange methods."""
    additional_key_exchanges: tuple[tuple[str, ...], ...] = ()
    """Methods of the first, second, … additional key exchange (RFC 9370); an empty tuple where a number is not used."""

    @property
    def text(self) -> str:
        """strongSwan's spelling."""
        implied = tuple(PRF_OF_INTEGRITY.get(name, "") for name in self.integrity)
        prf = () if implied == self.prf else self.prf
        return "-".join((*self.encryption, *self.integrity, *prf, *_key_exchange_words(self)))


@dataclass(frozen=True, slots=True)
class EspProposal:
    """One proposal for a Child SA with ESP; in every tuple the preferred transform stands first."""

    encryption: tuple[str, ...]
    """Encryption transforms: all combined-mode, or none of them."""
    integrity: tuple[str, ...]
    """Integrity transforms; empty beside combined-mode transforms."""
    key_exchange: tuple[str, ...] = ()
    """Key exchange methods for perfect forward secrecy; empty without it; ``none`` makes it optional."""
    additional_key_exchanges: tuple[tuple[str, ...], ...] = ()
    """As in :class:`IkeProposal`."""
    esn: tuple[bool, ...] = (False,)
    """Extended sequence numbers: ``(True,)``, ``(False,)``, or both in the order of preference."""

    @property
    def text(self) -> str:
        """strongSwan's spelling; ``noesn``, its default, is written only beside ``esn``."""
        esn = () if self.esn == (False,) else tuple("esn" if wanted else "noesn" for wanted in self.esn)
        return "-".join((*self.encryption, *self.integrity, *_key_exchange_words(self), *esn))


def _key_exchange_words(proposal: IkeProposal | EspProposal) -> Iterable[str]:
    for name in proposal.key_exchange:
        yield "modpnone" if name == NO_KEY_EXCHANGE else name
    for number, methods in enumerate(proposal.additional_key_exchanges, 1):
        for name in methods:
            yield f"ke{number}_{name}"


class _Words:
    """The tokens of one proposal, sorted by their type."""

    def __init__(self, text: str, kinds: tuple[str, ...]) -> None:
        self.text = text
        self.found: dict[str, list[str]] = {}
        self.additional: dict[int, list[str]] = {}
        for word in text.split("-"):
            self._add(word, kinds)
        if "encryption" not in self.found:
            raise UsageError(f"proposal {text!r}: it names no encryption transform, such as aes256gcm16")
        combined = {ENCRYPTION[name].aead for name in self.get("encryption")}
        if len(combined) > 1:
            raise UsageError(
                f"proposal {text!r}: combined-mode transforms and others cannot stand in one proposal; write two"
            )
        self.combined = combined.pop()

    def _add(self, word: str, kinds: tuple[str, ...]) -> None:
        name = token(word)
        additional = _ADDITIONAL.match(name)
        if additional is not None:
            method = token(additional[2])
            if method not in KEY_EXCHANGE and method != NO_KEY_EXCHANGE:
                raise UsageError(f"proposal {self.text!r}: {additional[2]!r} is no key exchange method known here")
            self.additional.setdefault(int(additional[1]), []).append(method)
            return
        tables = {
            "encryption": ENCRYPTION,
            "integrity": INTEGRITY,
            "prf": PRF,
            "key_exchange": {**KEY_EXCHANGE, NO_KEY_EXCHANGE: None},
            "esn": {"esn": None, "noesn": None},
        }
        kind = next((kind for kind in kinds if name in tables[kind]), None)
        if kind is None:
            raise UsageError(f"proposal {self.text!r}: {word!r} is no transform known here for this kind of proposal")
        row = self.found.setdefault(kind, [])
        if name not in row:
            row.append(name)

    def get(self, kind: str) -> tuple[str, ...]:
        return tuple(self.found.get(kind, ()))

    def additional_key_exchanges(self) -> tuple[tuple[str, ...], ...]:
        highest = max(self.additional, default=0)
        return tuple(tuple(self.additional.get(number, ())) for number in range(1, highest + 1))


def parse_ike(text: str) -> IkeProposal:
    """Take an IKE proposal apart.

    Raises:
        UsageError: a token is unknown, encryption, integrity, PRF or key exchange is missing, NULL is asked for, or
            combined-mode transforms are mixed with others.
    """
    words = _Words(text, ("encryption", "integrity", "prf", "key_exchange"))
    encryption, integrity = words.get("encryption"), words.get("integrity")
    for name in encryption:
        if ENCRYPTION[name].mode in ("null", "gmac"):
            raise UsageError(f"proposal {text!r}: {name} hides nothing and must not protect an IKE SA (RFC 8247)")
    prf = words.get("prf") or tuple(PRF_OF_INTEGRITY[name] for name in integrity if name in PRF_OF_INTEGRITY)
    if words.combined:
        integrity = ()
    elif not integrity:
        raise UsageError(f"proposal {text!r}: {encryption[0]} needs an integrity transform beside it, such as sha256")
    if not prf:
        raise UsageError(f"proposal {text!r}: it names no PRF, such as prfsha256")
    key_exchange = words.get("key_exchange")
    if not key_exchange or NO_KEY_EXCHANGE in key_exchange:
        raise UsageError(f"proposal {text!r}: it names no key exchange method, such as x25519")
    return IkeProposal(encryption, integrity, prf, key_exchange, words.additional_key_exchanges())


def parse_esp(text: str) -> EspProposal:
    """Take an ESP proposal apart.

    Raises:
        UsageError: a token is unknown, encryption is missing, a transform that is no combined mode has no integrity
            transform beside it, or a combined-mode transform has one.
    """
    words = _Words(text, ("encryption", "integrity", "key_exchange", "esn"))
    encryption, integrity = words.get("encryption"), words.get("integrity")
    if words.combined and integrity:
        raise UsageError(f"proposal {text!r}: {encryption[0]} protects integrity itself; leave {integrity[0]} out")
    if not words.combined and not integrity:
        raise UsageError(f"proposal {text!r}: {encryption[0]} needs an integrity transform beside it (RFC 8221)")
    esn = tuple(word == "esn" for word in words.get("esn")) or (False,)
    return EspProposal(encryption, integrity, words.get("key_exchange"), words.additional_key_exchanges(), esn)
