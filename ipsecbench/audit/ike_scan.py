"""What ``ike-scan`` prints: which proposal each host chose, on one line or on several (``--multiline``).

A host chooses from what it was offered, so that its answer says what it accepts and not all that it accepts. The life
in an answer is as a rule the scanner's own offer sent back, so that it is not graded. The forms and names are those
of ike-scan's ``isakmp.c`` (source ``ikescan``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.proposals import PRF_OF_INTEGRITY
from ipsecbench.audit.configuration import (
    Authentication,
    Configuration,
    Connection,
    Exchange,
    Format,
    Note,
    Offer,
)
from ipsecbench.audit.strongswan_proposals import is_combined
from ipsecbench.audit.text import printable, quoted, unreadable

_MOST_HOSTS = 100_000
_ANSWER = re.compile(
    r"(?<!\S)(?P<host>[0-9A-Za-z][0-9A-Za-z._:%-]{0,254})[\t ]+(?:\([0-9A-Fa-f.:]+\)[\t ]+)?"
    r"(?:(?P<exchange>Main Mode|Aggressive Mode|UNKNOWN Mode|IKEv2 SA_INIT) Handshake returned"
    r"|Notify message (?P<notify>\d+) \((?P<reason>[^)]{0,60})\))"
)
_ATTRIBUTE = re.compile(r"([A-Za-z_ /]{1,40}?)(\(\d+\))?=(\S*)\Z")
_ENCRYPTION_V1 = {
    "DES": "des", "IDEA": "idea", "Blowfish": "blowfish128", "RC5": "rc5", "3DES": "3des", "CAST": "cast128",
    "AES": "aes128", "Camellia": "camellia128", "Mars": "mars", "RC6": "rc6", "Serpent": "serpent128",
    "Twofish": "twofish128",
}  # fmt: skip
_WITH_KEY_LENGTH = {
    "aes128": "aes", "camellia128": "camellia", "serpent128": "serpent", "twofish128": "twofish",
    "blowfish128": "blowfish",
}  # fmt: skip
_HASH_V1 = {
    "MD5": "md5",
    "SHA1": "sha1",
    "Tiger": "tiger",
    "SHA2-256": "sha256",
    "SHA2-384": "sha384",
    "SHA2-512": "sha512",
}
_AUTHENTICATION = {
    "PSK": "psk", "DSS": "dss", "RSA_Sig": "rsa", "RSA_Enc": "rsa", "RSA_RevEnc": "rsa", "ECDSA_Sig": "ecdsa",
    "ECDSA_SHA256": "ecdsa", "ECDSA_SHA384": "ecdsa", "ECDSA_SHA512": "ecdsa", "Hybrid_RSA": "hybrid",
    "Hybrid_DSS": "hybrid", "XAUTH_PSK": "psk", "XAUTH_DSS": "dss", "XAUTH_RSA": "rsa",
}  # fmt: skip
_ENCRYPTION_V2 = {
    "DES_IV64": "des-iv64", "DES": "des", "3DES": "3des", "RC5": "rc5", "IDEA": "idea", "CAST": "cast128",
    "Blowfish": "blowfish{bits}", "3IDEA": "3idea", "DES_IV32": "des-iv32", "NULL": "null", "AES_CBC": "aes{bits}",
    "AES_CTR": "aes{bits}ctr", "CAMELLIA_CBC": "camellia{bits}",
    **{f"AES_{mode}_ICV{icv}": f"aes{{bits}}{mode.lower()}{icv}" for mode in ("CCM", "GCM") for icv in (8, 12, 16)},
}  # fmt: skip
_PRF_V2 = {
    "HMAC_MD5": "prfmd5", "HMAC_SHA1": "prfsha1", "HMAC_TIGER": "prftiger", "AES128_XCBC": "prfaesxcbc",
    "HMAC_SHA2_256": "prfsha256", "HMAC_SHA2_384": "prfsha384", "HMAC_SHA2_512": "prfsha512",
    "HMAC_AES128_CMAC": "prfaescmac",
}  # fmt: skip
_INTEGRITY_V2 = {
    "HMAC_MD5_96": "md5", "HMAC_SHA1_96": "sha1", "DES_MAC": "des_mac", "KPDK_MD5": "kpdk_md5",
    "AES_XCBC_96": "aesxcbc", "HMAC_MD5_128": "md5_128", "HMAC_SHA1_160": "sha1_160", "AES_CMAC_96": "aescmac",
    "HMAC_SHA2_256_128": "sha256", "HMAC_SHA2_384_192": "sha384", "HMAC_SHA2_512_256": "sha512",
}  # fmt: skip
_EXCHANGES = {"Main Mode": Exchange.MAIN, "Aggressive Mode": Exchange.AGGRESSIVE}


@dataclass(slots=True)
class _Answers:
    """What one host answered in one exchange."""

    line: int
    offers: list[Offer] = field(default_factory=list)
    authentication: dict[str, Authentication] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def read_ike_scan(text: str) -> Configuration:
    """The hosts that chose a proposal; those that refused are noted.

    Raises:
        UsageError: the answer of a host cannot be read; the message begins with the number of the line.
    """
    hosts: dict[tuple[str, str], _Answers] = {}
    notes: list[Note] = []
    for line, match, answer in _answers(text):
        host = printable(match["host"])
        if match["notify"] is not None:
            said = f"{host} answered {printable(match['reason'])} and chose nothing: that says nothing of what it takes"
            notes.append(Note(said, line))
            continue
        if len(hosts) >= _MOST_HOSTS:
            raise unreadable(line, f"more than {_MOST_HOSTS} hosts")
        answers = hosts.setdefault((host, match["exchange"]), _Answers(line))
        _read_answer(answers, answer, line, v2=match["exchange"] == "IKEv2 SA_INIT")
    return Configuration(
        Format.IKE_SCAN,
        tuple(_connection(host, exchange, answers) for (host, exchange), answers in hosts.items()),
        tuple(notes),
    )


def _answers(text: str) -> Iterator[tuple[int, re.Match[str], str]]:
    """Line, heading and whole text of each host's answer; lines that begin with a blank go on with it."""
    current: tuple[int, re.Match[str]] | None = None
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = None if line[:1] in ("\t", " ") and current is not None else _ANSWER.search(line)
        if match is not None:
            if current is not None:
                yield *current, " ".join(parts)
            current, parts = (number, match), [line[match.end() :]]
        elif current is not None and line[:1] in ("\t", " ") and line.strip():
            parts.append(line.strip())
        elif current is not None:
            yield *current, " ".join(parts)
            current = None
    if current is not None:
        yield *current, " ".join(parts)


def _attributes(answer: str) -> str | None:
    """What stands between ``SA=(`` and its parenthesis."""
    begin = answer.find("SA=(")
    if begin < 0:
        return None
    depth = 0
    for at in range(begin + 3, len(answer)):
        depth += {"(": 1, ")": -1}.get(answer[at], 0)
        if depth == 0:
            return answer[begin + 4 : at]
    return None


def _read_answer(answers: _Answers, answer: str, line: int, *, v2: bool) -> None:
    content = _attributes(answer)
    if content is None:
        text = "the answer is there, but not what was chosen: scan without --quiet and with one proposal at a time"
        answers.notes.append(Note(text, line))
        return
    found: dict[str, str] = {}
    for word in content.split():
        match = _ATTRIBUTE.match(word)
        if match is None:
            raise unreadable(line, f"{quoted(word)} in SA=(…) is no attribute")
        found.setdefault(match[1].lower(), match[3])
    offer = _offer_v2(found, content, line) if v2 else _offer_v1(found, content, line)
    if all(known.text != offer.text for known in answers.offers):
        answers.offers.append(offer)
    if not v2:
        _read_v1_rest(answers, found, line)


def _read_v1_rest(answers: _Answers, found: Mapping[str, str], line: int) -> None:
    name = printable(found.get("auth", ""))
    method = _AUTHENTICATION.get(name, "other")
    answers.authentication.setdefault(name, Authentication(method, name or "not said", line=line))
    if name.startswith("XAUTH_"):
        answers.authentication.setdefault("xauth", Authentication("xauth", name, line=line))


def _key_bits(text: str | None) -> str | None:
    return text if text in ("128", "192", "256") else None


def _offer_v1(found: Mapping[str, str], content: str, line: int) -> Offer:
    name = found.get("enc", "")
    cipher = _ENCRYPTION_V1.get(name) or f"unknown encryption {printable(name) or 'of no name'}"
    bits = _key_bits(found.get("keylength"))
    if bits is not None and cipher in _WITH_KEY_LENGTH:
        cipher = f"{_WITH_KEY_LENGTH[cipher]}{bits}"
    name = found.get("hash", "")
    integrity = _HASH_V1.get(name) or f"unknown hash {printable(name) or 'of no name'}"
    prf = PRF_OF_INTEGRITY.get(integrity) or ("prftiger" if integrity == "tiger" else integrity)
    return Offer(printable(content), line, (cipher,), (integrity,), (prf,), (_group(found.get("group", "")),))


def _offer_v2(found: Mapping[str, str], content: str, line: int) -> Offer:
    name, _, size = found.get("encr", "").partition(",")
    bits = _key_bits(size.rpartition("=")[2]) or "128"
    cipher = _ENCRYPTION_V2.get(name, "").format(bits=bits) or _numbered(ENCRYPTION, name, bits, "encryption")
    integrity: tuple[str, ...] = ()
    if "integ" in found:
        name = found["integ"]
        integrity = (_INTEGRITY_V2.get(name) or _numbered(INTEGRITY, name, "", "integrity"),)
    name = found.get("prf", "")
    prf = _PRF_V2.get(name) or _numbered(PRF, name, "", "PRF")
    return Offer(
        printable(content), line, (cipher,), () if is_combined(cipher) else integrity, (prf,),
        (_group(found.get("dh_group", "")),),
    )  # fmt: skip


def _numbered(table: Mapping[str, object], number: str, bits: str, what: str) -> str:
    """The transform with a number that ike-scan has no name for."""
    for name, entry in table.items():
        if str(getattr(entry, "ikev2_id", None)) == number and (not bits or bits in name or what != "encryption"):
            return name
    for name, entry in table.items():
        if str(getattr(entry, "ikev2_id", None)) == number:
            return name
    return f"unknown {what} {printable(number) or 'of no name'}"


def _group(text: str) -> str:
    number, _, name = text.partition(":")
    for method in KEY_EXCHANGE.values():
        if str(method.ikev2_id) == number:
            return method.name
    return name if name.startswith("ec2n") else f"unknown key exchange {printable(text) or 'of no name'}"


def _connection(host: str, exchange: str, answers: _Answers) -> Connection:
    v2 = exchange == "IKEv2 SA_INIT"
    return Connection(
        name=host,
        line=answers.line,
        ike_versions=("2",) if v2 else ("1",),
        exchange=None if v2 else _EXCHANGES.get(exchange),
        authentication=tuple(answers.authentication.values()),
        offers=tuple(answers.offers),
        chosen=True,
        notes=tuple(answers.notes),
    )
