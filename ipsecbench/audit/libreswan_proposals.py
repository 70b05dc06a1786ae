"""Proposals as libreswan spells them: ``aes_gcm256-sha2_256;dh19``, ``aes128+aes256-sha2;modp2048``.

The syntax is that of libreswan's ``proposals.txt`` and the names those of its ``ike_alg_*.c`` (source ``lsw``): parts
between ``-`` stand in the order encryption, PRF, integrity, key exchange; ``+`` offers several of one type; after ``;``
a key exchange or ``type=…``. What an IKE proposal leaves out is filled in from libreswan's defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE, PRF_OF_INTEGRITY
from ipsecbench.audit.configuration import Offer
from ipsecbench.audit.strongswan_proposals import MOST_TRANSFORMS, is_combined
from ipsecbench.audit.text import printable, quoted
from ipsecbench.errors import UsageError

_CIPHERS = re.compile(
    r"(?:(?P<aead>aes_?(?:gcm|ccm))(?:_(?P<icv>8|12|16|a|b|c))?|(?P<mode>aes_?ctr|aes(?:_cbc)?|camellia_ctr|"
    r"camellia(?:_cbc)?|null_auth_aes_gmac|aes_gmac|twofish(?:_cbc)?|serpent(?:_cbc)?|blowfish(?:_cbc)?))"
    r"(?:[_-]?(?P<bits>128|192|256))?\Z"
)
_WHOLE_CIPHERS = {
    "3des": "3des", "3des_cbc": "3des", "des": "des", "des_cbc": "des", "cast": "cast128", "cast_cbc": "cast128",
    "null": "null", "chacha20_poly1305": "chacha20poly1305", "chacha20poly1305": "chacha20poly1305",
}  # fmt: skip
_ICV_BYTES = {"8": "8", "a": "8", "12": "12", "b": "12", "16": "16", "c": "16", None: "16"}
_HASHES: Mapping[str, tuple[str, ...]] = {
    "md5": ("md5", "hmac_md5"),
    "sha1": ("sha", "sha1", "hmac_sha1"),
    "sha256": ("sha2", "sha256", "sha2_256", "hmac_sha2_256"),
    "sha384": ("sha384", "sha2_384", "hmac_sha2_384"),
    "sha512": ("sha512", "sha2_512", "hmac_sha2_512"),
    "aesxcbc": ("aes_xcbc", "aes128_xcbc"),
}
"""Names that are a PRF in an IKE proposal, and else an integrity transform."""
_PRF = {spelling: PRF_OF_INTEGRITY[name] for name, spellings in _HASHES.items() for spelling in spellings}
_INTEGRITY: Mapping[str, str] = {
    **{spelling: name for name, spellings in _HASHES.items() for spelling in spellings},
    "hmac_md5_96": "md5", "sha1_96": "sha1", "hmac_sha1_96": "sha1", "sha2_256_128": "sha256",
    "hmac_sha2_256_128": "sha256", "sha2_384_192": "sha384", "hmac_sha2_384_192": "sha384", "sha2_512_256": "sha512",
    "hmac_sha2_512_256": "sha512", "hmac_sha2_256_truncbug": "sha256_96", "aes_xcbc_96": "aesxcbc",
    "aes128_xcbc_96": "aesxcbc", "aes_cmac": "aescmac", "aes_cmac_96": "aescmac",
}  # fmt: skip
_NO_INTEGRITY = ("none", "null")
_KEY_EXCHANGE: Mapping[str, str] = {
    **{name: name for name in KEY_EXCHANGE},
    **{f"dh{method.ikev2_id}": name for name, method in KEY_EXCHANGE.items()},
    "ecp_256": "ecp256", "ecp_384": "ecp384", "ecp_521": "ecp521", "curve25519": "x25519",
    "ml_kem_512": "mlkem512", "ml_kem_768": "mlkem768", "ml_kem_1024": "mlkem1024",
    "none": NO_KEY_EXCHANGE, "null": NO_KEY_EXCHANGE, "dh0": NO_KEY_EXCHANGE,
}  # fmt: skip
_DEFAULT_PRF = {"2": ("prfsha512", "prfsha256"), "1": ("prfsha256", "prfsha512", "prfsha1")}
_DEFAULT_GROUPS = {
    "2": ("ecp256", "ecp384", "ecp521", "x25519", "modp4096", "modp3072", "modp2048", "modp8192"),
    "1": ("modp2048", "modp1536", "ecp256", "x25519"),
}
_DEFAULT_ESP_INTEGRITY = {"2": ("sha512", "sha256"), "1": ("sha1", "sha512", "sha256")}
_DEFAULT_IKE = {"2": "aes_gcm_16_256,aes_gcm_16_128,chacha20_poly1305,aes_256,aes_128", "1": "aes,3des"}
_DEFAULT_ESP = {
    "2": "aes_gcm_16_256,aes_gcm_16_128,chacha20_poly1305,aes_256,aes_128",
    "1": "aes,aes_gcm_16_128,aes_gcm_16_256,3des",
}
_TYPES = ("encrypt", "prf", "integ", "ke", "sn", *(f"addke{number}" for number in range(1, 8)))
_SEQUENCE_NUMBERS = {
    "yes": True, "partial_64_bit_sequential": True, "no": False, "32_bit_sequential": False,
    "32-bit-sequential": False, "32_bit_unspecified": False, "32bit": False,
}  # fmt: skip


@dataclass(slots=True)
class _Found:
    """The transforms of one proposal by type, as they are read."""

    encrypt: list[str] = field(default_factory=list)
    prf: list[str] = field(default_factory=list)
    integ: list[str] = field(default_factory=list)
    ke: list[str] = field(default_factory=list)
    sn: list[bool] = field(default_factory=list)
    additional: dict[int, list[str]] = field(default_factory=dict)
    no_integrity: bool = False
    """Whether integrity is said to be none."""


def parse_offers(
    text: str, *, ike: bool, version: str, line: int | None = None, implied: bool = False
) -> tuple[Offer, ...]:
    """The proposals of an ``ike=``, ``esp=`` or ``phase2alg=`` value as libreswan would take them.

    Args:
        text: the value.
        ike: whether it is for the IKE SA.
        version: ``1`` or ``2``; the defaults differ.
        line: where it stands.
        implied: whether libreswan takes it without its being written.

    Raises:
        UsageError: a word is unknown or at the wrong place; the message names it, not the line.
    """
    parts = [part.strip() for part in text.lower().split(",")]
    return tuple(_offer(part, ike, version, line, implied) for part in parts)


def default_offers(*, ike: bool, version: str) -> tuple[Offer, ...]:
    """What libreswan offers where nothing is configured."""
    return parse_offers((_DEFAULT_IKE if ike else _DEFAULT_ESP)[version], ike=ike, version=version, implied=True)


def _offer(text: str, ike: bool, version: str, line: int | None, implied: bool) -> Offer:
    if len(re.findall(r"[-+;]", text)) >= MOST_TRANSFORMS:
        raise UsageError(f"proposal {quoted(text)}: more than {MOST_TRANSFORMS} transforms")
    found = _Found()
    head, *tail = text.split(";")
    _read_head(text, head, found, ike, version)
    for part in tail:
        _read_tail(text, part.strip(), found, version)
    if not found.encrypt:
        raise UsageError(f"proposal {quoted(text)}: it names no encryption algorithm, such as aes_gcm256")
    combined = {is_combined(name) for name in found.encrypt}
    if len(combined) > 1:
        raise UsageError(f"proposal {quoted(text)}: combined-mode and other algorithms cannot stand in one proposal")
    if combined == {True} and found.integ:
        raise UsageError(f"proposal {quoted(text)}: {found.encrypt[0]} protects integrity itself; leave the rest out")
    prf, integrity = _filled(found, ike, version, combined == {True})
    exchange = tuple(dict.fromkeys(found.ke))
    return Offer(
        text=printable(text) if not implied else "libreswan's own proposal",
        line=line,
        encryption=tuple(dict.fromkeys(found.encrypt)),
        integrity=integrity,
        prf=prf if ike else (),
        key_exchange=exchange or (_DEFAULT_GROUPS[version] if ike else ()),
        additional_key_exchanges=tuple(
            tuple(found.additional.get(number, ())) for number in range(1, max(found.additional, default=0) + 1)
        ),
        esn=() if ike else tuple(dict.fromkeys(found.sn)),
        implied=implied,
    )


def _filled(found: _Found, ike: bool, version: str, combined: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """PRFs and integrity transforms with what libreswan adds where they are not written."""
    integrity = tuple(dict.fromkeys(found.integ))
    alone = combined or found.no_integrity
    if not ike:
        return (), () if alone else integrity or _DEFAULT_ESP_INTEGRITY[version]
    prf = tuple(dict.fromkeys(found.prf)) or _DEFAULT_PRF[version]
    if alone:
        return prf, ()
    return prf, integrity or tuple(name for name, own in PRF_OF_INTEGRITY.items() if own in prf)


def _read_head(text: str, head: str, found: _Found, ike: bool, version: str) -> None:
    """The part before ``;``: encryption first, then at most one part each of PRF, integrity and key exchange."""
    parts = head.split("-")
    types = ["encrypt", "prf", "integ", "ke"] if ike else ["encrypt", "integ", "ke"]
    at = 0
    while at < len(parts):
        part = parts[at].strip()
        if at + 1 < len(parts) and types[0] == "encrypt" and parts[at + 1][:1].isdigit() and "+" not in part:
            part = f"{part}-{parts[at + 1].strip()}"
            at += 1
        at += 1
        expected = types[:1] if types[0] == "encrypt" else types
        taken = next((kind for kind in expected if _take(kind, part, found, version)), None)
        if taken is None:
            raise UsageError(f"proposal {quoted(text)}: {_what_is_wrong(part)}")
        types.remove(taken)
        if not types and at < len(parts):
            raise UsageError(f"proposal {quoted(text)}: {_what_is_wrong(parts[at])}")


def _read_tail(text: str, part: str, found: _Found, version: str) -> None:
    kind, equals, names = part.partition("=")
    if not equals:
        kind, names = "ke", part
    if kind not in _TYPES or not _take(kind, names, found, version):
        raise UsageError(f"proposal {quoted(text)}: {_what_is_wrong(names)}")


def _what_is_wrong(part: str) -> str:
    if not part:
        return "something is missing between two separators"
    return f"{quoted(part)} is no algorithm known here at this place"


def _take(kind: str, part: str, found: _Found, version: str) -> bool:
    """Read a part as algorithms of one type; False where it is none of that type."""
    words = part.split("+")
    if kind == "encrypt":
        ciphers = [_ciphers(word, version) for word in words]
        if not all(ciphers):
            return False
        found.encrypt += [name for names in ciphers for name in names]
        return True
    if kind == "sn":
        if not all(word in _SEQUENCE_NUMBERS for word in words):
            return False
        found.sn += [_SEQUENCE_NUMBERS[word] for word in words]
        return True
    if kind in ("prf", "integ"):
        return _take_hashes(kind, words, found)
    if not all(word in _KEY_EXCHANGE for word in words):
        return False
    names = [_KEY_EXCHANGE[word] for word in words]
    if kind == "ke":
        found.ke += names
    else:
        found.additional.setdefault(int(kind.removeprefix("addke")), []).extend(names)
    return True


def _take_hashes(kind: str, words: Sequence[str], found: _Found) -> bool:
    if kind == "integ" and all(word in _NO_INTEGRITY for word in words):
        found.no_integrity = True
        return True
    table = _PRF if kind == "prf" else _INTEGRITY
    if not all(word in table for word in words):
        return False
    (found.prf if kind == "prf" else found.integ).extend(table[word] for word in words)
    return True


def _ciphers(word: str, version: str) -> tuple[str, ...]:
    """What an encryption word means; several key lengths where it names none."""
    if word in _WHOLE_CIPHERS:
        return (_WHOLE_CIPHERS[word],)
    match = _CIPHERS.match(word)
    if match is None:
        return ()
    sizes = (match["bits"],) if match["bits"] is not None else ("256", "128") if version == "2" else ("128",)
    if match["aead"] is not None:
        mode = "gcm" if "gcm" in match["aead"] else "ccm"
        return tuple(f"aes{bits}{mode}{_ICV_BYTES[match['icv']]}" for bits in sizes)
    base = match["mode"].removesuffix("_cbc")
    if base.endswith("gmac"):
        return tuple(f"aes{bits}gmac" for bits in sizes)
    cipher = base.removesuffix("ctr").rstrip("_")
    return tuple(f"{cipher}{bits}{'ctr' if base.endswith('ctr') else ''}" for bits in sizes)
