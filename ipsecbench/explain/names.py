"""What people call things: the registry's names and numbers, strongSwan's, libreswan's and the vendors' spellings.

A name is looked up without case, blanks and punctuation, so that ``AES-256-CBC``, ``esp-gcm 256`` and ``group 19`` need
no rules of their own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from ipsecbench.algorithms.encryption import ENCRYPTION, Encryption
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.audit.strongswan_proposals import transform
from ipsecbench.audit.text import quoted
from ipsecbench.audit.unassessed import UNASSESSED
from ipsecbench.errors import UsageError
from ipsecbench.explain.concepts import concepts
from ipsecbench.explain.plain_names import plain
from ipsecbench.explain.subjects import Kind, Member, Subject, member, table_members
from ipsecbench.recommend.policies.shipped import POLICIES

MOST_CHARACTERS = 200
"""No name is longer."""
_MOST_SUGGESTIONS = 6
_LEAST_LIKENESS = 0.6

_KEYWORD = re.compile(
    r"(?:encr|enc|encryption|hash|prf|dhgrp|ike|pfs|proposal|addke[1-7]|p[12]|encryptionmethod|ciphertransformconstants|"
    r"dhgroup|pfsgroup|integritycheckmethod)\Z"
)
_CIPHER_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "3des": (
        "3des-cbc",
        "3des-ede",
        "des3",
        "tripledes",
        "triple des",
        "tdea",
        "tdes",
        "esp-3des",
        "des-ede3-cbc",
        "cbc(des3_ede)",
    ),
    "des": ("des-cbc", "esp-des", "des56"),
    "null": ("esp-null", "null encryption", "CipherTransformConstants None"),
    "cast128": ("cast", "cast5", "cast128-cbc", "cbc(cast5)"),
    "chacha20poly1305": ("chacha", "chacha20", "chacha20-poly1305", "chapoly", "esp-chacha20poly1305"),
}
_HASH_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "md5": ("hmac-md5", "hmac-md5-96", "md5-96", "esp-md5-hmac", "auth md5"),
    "sha1": ("sha", "sha-1", "hmac-sha1", "hmac-sha1-96", "sha1-96", "esp-sha-hmac"),
    "sha256": ("sha2", "sha-256", "sha256-128", "sha2-256", "hmac-sha256", "hmac-sha2-256", "hmac-sha-256-128",
               "sha2-256-128", "hmac-sha2-256-128", "esp-sha256-hmac"),
    "sha384": ("sha-384", "sha2-384", "hmac-sha384", "hmac-sha2-384", "sha2-384-192", "hmac-sha2-384-192",
               "esp-sha384-hmac"),
    "sha512": ("sha-512", "sha2-512", "hmac-sha512", "hmac-sha2-512", "sha2-512-256", "hmac-sha2-512-256",
               "esp-sha512-hmac"),
    "aesxcbc": ("aes-xcbc", "aes-xcbc-96", "xcbc"),
    "aescmac": ("aes-cmac", "aes-cmac-96", "cmac"),
}  # fmt: skip
_EXCHANGE_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "ecp256": ("p-256", "nist p-256", "secp256r1", "prime256v1"),
    "ecp384": ("p-384", "nist p-384", "secp384r1"),
    "ecp521": ("p-521", "nist p-521", "secp521r1"),
    "x25519": ("curve25519", "25519"),
    "x448": ("curve448", "448"),
    "ecp224bp": ("brainpool224",),
    "ecp256bp": ("brainpool256",),
    "ecp384bp": ("brainpool384",),
    "ecp512bp": ("brainpool512",),
    "modp2048": ("pfs2048",),
    "mlkem512": ("ml-kem-512", "kyber512"),
    "mlkem768": ("ml-kem-768", "kyber768"),
    "mlkem1024": ("ml-kem-1024", "kyber1024"),
}
_AUTHENTICATION_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "psk": ("pre-shared key", "preshared key", "pre-share", "shared secret"),
    "ecdsa-256": ("ecdsa-p256", "ecdsa p-256"),
    "ecdsa-384": ("ecdsa-p384", "ecdsa p-384"),
    "ecdsa-521": ("ecdsa-p521", "ecdsa p-521"),
}


def find_subject(text: str) -> Subject:
    """What a name means.

    Raises:
        UsageError: nobody calls anything so; the message has the nearest names.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"a name of more than {MOST_CHARACTERS} characters is known to nobody")
    wanted = plain(text)
    found = _by_name().get(wanted) or _as_a_word(text) or _after_a_keyword(text)
    if found is None and _is_proposal(text):
        raise UsageError(f"{quoted(text)} is a whole proposal: 'ipsecbench policy check' says what to think of it")
    if found is None:
        near = nearest(text)
        hint = f"is it one of {', '.join(near)}? " if near else ""
        raise UsageError(f"nothing is known of {quoted(text)}; {hint}'ipsecbench explain --list' shows the names")
    return found


def _is_proposal(text: str) -> bool:
    """Whether every word between ``-`` and ``/`` is a transform of a proposal."""
    words = re.split(r"[-/]", text.strip())
    return len(words) > 1 and all(transform(word) is not None for word in words)


def nearest(text: str) -> tuple[str, ...]:
    """Names that are like a name, the most like it first; none where none is."""
    from difflib import get_close_matches

    shown = {plain(subject.name): subject.name for subject in all_subjects()}
    known = _by_name()
    close = get_close_matches(plain(text), list(known), n=3 * _MOST_SUGGESTIONS, cutoff=_LEAST_LIKENESS)
    names = [shown.get(name, known[name].name) for name in close]
    return tuple(dict.fromkeys(names))[:_MOST_SUGGESTIONS]


@cache
def all_subjects() -> tuple[Subject, ...]:
    """Everything that can be explained, each once, suites last."""
    unique = {subject.name: subject for subject in _by_name().values()}
    suites = [each for each in unique.values() if _is_suite(each)]
    return (*(each for each in unique.values() if not _is_suite(each)), *suites)


def _is_suite(subject: Subject) -> bool:
    return any(each.kind is Kind.ESP_SUITE for each in subject.members) and subject.concept is None


def _after_a_keyword(text: str) -> Subject | None:
    """What a line of a configuration sets, such as ``encr aes 256``, ``hash sha`` or ``pfs dh-group14``."""
    words = text.replace("=", " ").split()
    while len(words) > 1 and _KEYWORD.match(words[0].lower()):
        words = words[1:]
        found = _by_name().get(plain(" ".join(words)))
        if found is not None:
            return found
    return None


def _as_a_word(text: str) -> Subject | None:
    """What a word of a proposal in strongSwan's spelling means."""
    known = transform(text)
    if known is None:
        return None
    kind, name = known
    if (kind, name) in UNASSESSED:
        return Subject(name, (Member(Kind.UNASSESSED, name),))
    return _by_name().get(plain(name))


@cache
def _by_name() -> Mapping[str, Subject]:
    """Every name, squeezed, with what it means; what was said first counts."""
    found: dict[str, Subject] = {}
    for name, subject in (*_concept_names(), *_table_names(), *_families(), *_policy_names()):
        found.setdefault(plain(name), subject)
    return found


def _concept_names() -> Iterator[tuple[str, Subject]]:
    for concept in concepts().values():
        members = tuple(member(reference) for reference in concept.members)
        subject = Subject(concept.name, members, concept.name)
        yield from ((alias, subject) for alias in (concept.name, *concept.aliases))


def _policy_names() -> Iterator[tuple[str, Subject]]:
    for name in POLICIES:
        subject = Subject(name, (Member(Kind.POLICY, name),))
        yield name, subject
        yield f"policy {name}", subject


def _table_names() -> Iterator[tuple[str, Subject]]:
    for each in table_members():
        subject = Subject(each.name, (each,))
        yield each.name, subject
        yield from ((spelling, subject) for spelling in _spellings(each))


def _spellings(each: Member) -> Iterator[str]:
    name = each.name
    if each.kind is Kind.ENCRYPTION:
        yield from _CIPHER_SPELLINGS.get(name, ())
        yield from _cipher_spellings(ENCRYPTION[name])
    elif each.kind is Kind.INTEGRITY:
        yield INTEGRITY[name].iana_name
        yield from _HASH_SPELLINGS.get(name, ())
    elif each.kind is Kind.PRF:
        yield PRF[name].iana_name
        yield from (f"prf {spelling}" for spelling in _HASH_SPELLINGS.get(name.removeprefix("prf"), ()))
    elif each.kind is Kind.KEY_EXCHANGE:
        method = KEY_EXCHANGE[name]
        yield method.iana_name
        yield from _EXCHANGE_SPELLINGS.get(name, ())
        yield from (f"{word}{method.ikev2_id}" for word in ("", "group", "dh", "dh group", "pfs group", "pfs", "grp"))
        yield from (f"diffie-hellman {word}{method.ikev2_id}" for word in ("", "group"))
        yield from (f"ke{number}_{name}" for number in range(1, 8))
    elif each.kind is Kind.AUTHENTICATION:
        yield from _AUTHENTICATION_SPELLINGS.get(name, ())


_BASE = re.compile(r"([a-z]+?)(\d{3})(gcm|ccm|ctr|gmac)?(\d{1,2})?\Z")


def _cipher_spellings(encryption: Encryption) -> Iterator[str]:
    """``aes-256-cbc``, ``AES_CBC 256``, ``esp-gcm 256``, ``GCMAES256``, ``aes_gcm_16_256``, ``aes256gcm128``, …"""
    alone = sum(row.iana_name == encryption.iana_name for row in ENCRYPTION.values()) == 1
    if alone:
        yield encryption.iana_name
    match = _BASE.match(encryption.name)
    if match is None or match[2] not in ("128", "192", "256"):
        return
    cipher, bits, mode, icv = match[1], match[2], match[3], match[4]
    yield f"{encryption.iana_name} {bits}"
    if mode is None or mode == "ctr":
        word = mode or "cbc"
        yield from (f"{cipher}{bits}{word}", f"{cipher}{word}{bits}", f"{cipher}{bits}bit")
        if mode is None:
            yield from (f"{cipher}{bits}", f"esp-{cipher} {bits}", f"{cipher}-cbc-{bits}")
        return
    yield f"{cipher}{mode}{icv or ''}{bits}"
    if mode == "gmac":
        yield from (
            f"{cipher}gmac{bits}",
            f"gmac{bits}",
            f"gmacaes{bits}",
            f"esp-gmac {bits}",
            f"null-{cipher}{bits}gmac",
        )
        return
    yield from (f"{cipher}{bits}{mode}{8 * int(icv or 16)}", f"{cipher}{mode}{bits}{8 * int(icv or 16)}")
    if icv == "16":
        yield from (f"{cipher}{bits}{mode}", f"{cipher}{mode}{bits}", f"{mode}{cipher}{bits}", f"esp-{mode} {bits}")
        yield f"{mode}{bits}"


def _families() -> Iterator[tuple[str, Subject]]:
    """The registry's names that leave the length of the key open."""
    rows: dict[str, list[str]] = defaultdict(list)
    for name, encryption in ENCRYPTION.items():
        rows[encryption.iana_name].append(name)
    for iana_name, names in rows.items():
        if len(names) > 1 and not iana_name.startswith("("):
            yield iana_name, Subject(iana_name, tuple(Member(Kind.ENCRYPTION, name) for name in names))
