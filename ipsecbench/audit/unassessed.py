"""Transforms that configurations name and that this project neither measures nor recommends, with the reason.

They are read so that a configuration that names one is graded and not refused. Numbers and names are those of the
IANA registries and of strongSwan's and ike-scan's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ipsecbench.recommend.reasons import Reason


@dataclass(frozen=True, slots=True)
class Unassessed:
    """One transform without an entry in :mod:`ipsecbench.algorithms`."""

    name: str
    """What configurations call it."""
    kind: str
    """``encryption``, ``integrity``, ``prf`` or ``key_exchange``."""
    reason: Reason
    """Why it fails."""


def _rows() -> Iterable[tuple[str, str, str, tuple[str, ...]]]:
    for name in ("des-iv64", "des-iv32", "3idea", "idea", "rc5"):
        yield name, "encryption", f"{name} was deprecated by RFC 9395, and its blocks have 64 bits", ("rfc9395",)
    for mode in ("ctr", "ccm8", "ccm12", "ccm16"):
        for bits in (128, 192, 256):
            name = f"camellia{bits}{mode}"
            yield (
                name,
                "encryption",
                f"{name} is listed in no RFC's requirements and hardly any peer has it",
                ("rfc8221",),
            )
    for name in ("rc4", "mars", "rc6"):
        yield name, "encryption", f"{name} was never specified for IKE or ESP: private numbers only", ("rfc8221",)
    yield (
        "md5_128",
        "integrity",
        "HMAC-MD5 in any length is MUST NOT; this form was deprecated by RFC 9395",
        ("rfc9395",),
    )
    yield "sha1_160", "integrity", "HMAC-SHA1-160 was deprecated by RFC 9395", ("rfc9395",)
    text = "HMAC-SHA2-256 cut to 96 bits is a mistake of early kernels and has a private number only: use sha256"
    yield "sha256_96", "integrity", text, ("rfc4868",)
    yield "des_mac", "integrity", "DES-MAC is MUST NOT", ("rfc8221",)
    yield "kpdk_md5", "integrity", "KPDK-MD5 is MUST NOT", ("rfc8221",)
    yield "camelliaxcbc", "integrity", "AES-XCBC's form with Camellia has a private number only", ("rfc8221",)
    yield "tiger", "integrity", "Tiger was deprecated by RFC 9395", ("rfc9395",)
    yield "prftiger", "prf", "PRF_HMAC_TIGER was deprecated by RFC 9395", ("rfc9395",)
    yield "prfcamelliaxcbc", "prf", "AES-XCBC's form with Camellia has a private number only", ("rfc8221",)
    for name in ("ec2n155", "ec2n185", "ec2n163", "ec2n283", "ec2n409", "ec2n571"):
        text = f"{name} is a curve over a binary field of RFC 2409's time, which no current standard lists"
        yield name, "key_exchange", text, ("rfc8247",)
    for name in ("gost256", "gost512"):
        yield name, "key_exchange", f"{name} is listed neither in RFC 8247 nor by NIST", ("rfc8247",)
    yield (
        "modpnull",
        "key_exchange",
        "modpnull is no key exchange: it is for tests of load and keeps nothing secret",
        ("ss",),
    )


UNASSESSED: Mapping[tuple[str, str], Unassessed] = MappingProxyType(
    {(kind, name): Unassessed(name, kind, Reason(text, sources)) for name, kind, text, sources in _rows()}
)
"""By kind and name."""


def unassessed(kind: str, name: str) -> Unassessed | None:
    """The entry of a transform, or None where the project knows it or nobody does.

    ``unknown …`` is what the readers call a number without a name: such a transform fails too.
    """
    found = UNASSESSED.get((kind, name))
    if found is None and name.startswith("unknown "):
        text = f"transform {name.removeprefix('unknown ')} has no name in the registries that were read"
        found = Unassessed(name, kind, Reason(text, ("rfc8247",)))
    return found
