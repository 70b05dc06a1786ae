"""Proposals as strongSwan reads them: any number of transforms of each type, and what it adds to them by itself.

The rules are those of strongSwan's ``proposal.c`` (source ``ss``): an IKE proposal without a PRF takes the integrity
transforms' own; beside combined-mode ciphers integrity transforms are dropped; an ESP proposal may lack integrity,
which only a kernel can refuse. IKEv1 offers only the first transform of each type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE, PRF_OF_INTEGRITY, token
from ipsecbench.audit.configuration import Offer
from ipsecbench.audit.text import printable, quoted
from ipsecbench.audit.unassessed import UNASSESSED
from ipsecbench.errors import UsageError

MOST_TRANSFORMS = 255
"""Transforms in one proposal that the readers take; no packet has room for more."""

_PRF_OF_OTHERS = {
    "sha1_160": "prfsha1",
    "md5_128": "prfmd5",
    "sha256_96": "prfsha256",
    "camelliaxcbc": "prfcamelliaxcbc",
}
_OTHER_SPELLINGS = {"sha2_256_96": "sha256_96", "none": NO_KEY_EXCHANGE}
_CAMELLIA_ICV = re.compile(r"(camellia(?:128|192|256)ccm)(64|96|128)\Z")
_ICV_BYTES = {"64": "8", "96": "12", "128": "16"}
_ADDITIONAL = re.compile(r"ke([1-7])_(.+)\Z")
_TABLES: Mapping[str, Mapping[str, object]] = {
    "encryption": ENCRYPTION,
    "integrity": INTEGRITY,
    "prf": PRF,
    "key_exchange": {**KEY_EXCHANGE, NO_KEY_EXCHANGE: None},
    "esn": {"esn": None, "noesn": None},
}


def transform(word: str) -> tuple[str, str] | None:
    """Kind and name of the transform that a word of a proposal means; None where nobody knows it."""
    name = token(word)
    name = _OTHER_SPELLINGS.get(name, name)
    match = _CAMELLIA_ICV.match(name)
    if match is not None:
        name = f"{match[1]}{_ICV_BYTES[match[2]]}"
    for kind, table in _TABLES.items():
        if name in table or (kind, name) in UNASSESSED:
            return kind, name
    return None


def _sort(text: str) -> tuple[dict[str, list[str]], dict[int, list[str]]]:
    found: dict[str, list[str]] = {}
    additional: dict[int, list[str]] = {}
    words = text.split("-")
    if len(words) > MOST_TRANSFORMS:
        raise UsageError(f"proposal {quoted(text)}: more than {MOST_TRANSFORMS} transforms")
    for word in words:
        number = _ADDITIONAL.match(token(word))
        known = transform(number[2] if number is not None else word)
        if known is None or (number is not None and known[0] != "key_exchange"):
            raise UsageError(f"proposal {quoted(text)}: {_what_is_wrong(word)}")
        row = found.setdefault(known[0], []) if number is None else additional.setdefault(int(number[1]), [])
        if known[1] not in row:
            row.append(known[1])
    return found, additional


def _what_is_wrong(word: str) -> str:
    if token(word) == "aes512":
        return "'aes512': AES has keys of 128, 192 and 256 bits only"
    return f"{quoted(word)} is no transform known here" if word.strip() else "a transform is missing between two '-'"


def parse_offer(text: str, *, ike: bool, line: int | None = None, carrier: str = "esp") -> Offer:
    """One proposal as strongSwan would take it.

    Args:
        text: the proposal, without ``!``.
        ike: whether it is for the IKE SA.
        line: where it stands, for the record and for messages.
        carrier: ``esp`` or ``ah``.

    Raises:
        UsageError: strongSwan would not load it either; the message names the word, not the line.
    """
    found, additional = _sort(text)
    encryption, integrity = tuple(found.get("encryption", ())), tuple(found.get("integrity", ()))
    if carrier == "esp" and not encryption:
        raise UsageError(f"proposal {quoted(text)}: it names no encryption transform, such as aes256gcm16")
    combined = {is_combined(name) for name in encryption}
    if len(combined) > 1:
        raise UsageError(
            f"proposal {quoted(text)}: combined-mode transforms and others cannot stand in one proposal; write two"
        )
    prf = tuple(found.get("prf", ()))
    exchange = tuple(found.get("key_exchange", ()))
    if ike:
        prf = prf or implied_prf(integrity)
        exchange = tuple(name for name in exchange if name != NO_KEY_EXCHANGE)
        if not prf:
            raise UsageError(f"proposal {quoted(text)}: it names no PRF, such as prfsha256, and no integrity transform")
        if not exchange:
            raise UsageError(f"proposal {quoted(text)}: it names no key exchange method, such as x25519")
        if not integrity and combined == {False}:
            raise UsageError(f"proposal {quoted(text)}: {encryption[0]} needs an integrity transform, such as sha256")
    else:
        prf = ()
    return Offer(
        text=printable(text),
        line=line,
        encryption=encryption,
        integrity=() if combined == {True} else integrity,
        prf=prf,
        key_exchange=exchange,
        additional_key_exchanges=tuple(
            tuple(additional.get(number, ())) for number in range(1, max(additional, default=0) + 1)
        ),
        esn=() if ike else tuple(word == "esn" for word in found.get("esn", ("noesn",))),
        carrier=carrier,
    )


def is_combined(encryption: str) -> bool:
    """Whether an encryption transform protects integrity itself."""
    known = ENCRYPTION.get(encryption)
    return known.aead if known is not None else "ccm" in encryption or "gcm" in encryption


def implied_prf(integrity: Sequence[str]) -> tuple[str, ...]:
    """The PRFs that are taken where an IKE proposal names none: those of its integrity transforms' hashes."""
    found = (PRF_OF_INTEGRITY.get(name) or _PRF_OF_OTHERS.get(name) for name in integrity)
    return tuple(dict.fromkeys(name for name in found if name is not None))


_DEFAULT_GROUPS = (
    "ecp256", "ecp384", "ecp521", "ecp256bp", "ecp384bp", "ecp512bp", "x25519", "x448",
    "modp3072", "modp4096", "modp6144", "modp8192", "modp2048",
)  # fmt: skip
_DEFAULT_IKE = (
    (
        "aes128", "aes192", "aes256", "aes128ctr", "aes192ctr", "aes256ctr",
        "camellia128", "camellia192", "camellia256", "3des",
        "sha256", "sha384", "sha512", "aesxcbc", "aescmac", "sha1",
        "prfsha256", "prfsha384", "prfsha512", "prfaesxcbc", "prfaescmac", "prfsha1",
        *_DEFAULT_GROUPS,
    ),
    (
        "aes128gcm16", "aes192gcm16", "aes256gcm16", "aes128ccm16", "aes192ccm16", "aes256ccm16", "chacha20poly1305",
        "aes128gcm12", "aes192gcm12", "aes256gcm12", "aes128gcm8", "aes192gcm8", "aes256gcm8",
        "aes128ccm12", "aes192ccm12", "aes256ccm12", "aes128ccm8", "aes192ccm8", "aes256ccm8",
        "prfsha256", "prfsha384", "prfsha512", "prfaesxcbc", "prfaescmac", "prfsha1",
        *_DEFAULT_GROUPS,
    ),
)  # fmt: skip
_DEFAULT_ESP = (
    ("aes128gcm16", "aes192gcm16", "aes256gcm16"),
    ("aes128", "aes192", "aes256", "sha256", "sha384", "sha512", "sha1", "aesxcbc"),
)


def default_offers(*, ike: bool) -> tuple[Offer, ...]:
    """What strongSwan offers where nothing is configured, or appends to a line without ``!``.

    The lists are those of a build with its usual plugins. Before version 6 the default ESP proposals hold no key
    exchange; from then on they hold one that is optional, which gives no more assurance.
    """
    return tuple(
        Offer(
            text="strongSwan's own proposal",
            line=None,
            encryption=_of_kind(words, "encryption"),
            integrity=_of_kind(words, "integrity"),
            prf=_of_kind(words, "prf"),
            key_exchange=_of_kind(words, "key_exchange"),
            esn=() if ike else (False,),
            implied=True,
        )
        for words in (_DEFAULT_IKE if ike else _DEFAULT_ESP)
    )


def _of_kind(words: Sequence[str], kind: str) -> tuple[str, ...]:
    return tuple(word for word in words if word in _TABLES[kind])
