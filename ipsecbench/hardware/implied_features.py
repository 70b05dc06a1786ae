"""Cryptographic instructions of architectures whose kernels list no flag for them.

POWER and MIPS are known from the model of the processor, s390x from the facilities that the kernel lists. Sources:
Power ISA 2.07 (May 2013), book I, chapter 6 (vcipher, vshasigma, vpmsum); z/Architecture Principles of Operation,
chapter 7, message-security assist and the facility list; Linux `arch/mips/cavium-octeon/executive/octeon-model.c`
for the suffixes of Octeon part numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ipsecbench.hardware.features import FUNCTIONS, Capability, CryptoFeatures, Presence, combine

_POWER_NUMBER = re.compile(r"POWER(\d{1,2})")
_OLD_POWERPC = re.compile(
    r"(?:\d{3}|\d{3}/\d{3}|PPC\d+\w*|e\d{3,4}\w*|POWER[1-7]\b.*|Cell\b.*|PA6T\b.*|RS64.*)", re.IGNORECASE
)

_S390_FACILITIES: Final[Mapping[str, int]] = {"msa3": 76, "msa4": 77, "msa5": 57, "msa8": 146, "msa9": 155}

_OCTEON = re.compile(r"\bCN\w+p[\w.]+-\d+-([A-Z]\w*)")
_OCTEON_SUFFIXES: Final[Mapping[str, Presence]] = {
    **dict.fromkeys(("NSP", "NSPB2", "SCP", "SSP", "AAP"), Presence.PRESENT),
    **dict.fromkeys(("CP", "EXP", "SP", "AP"), Presence.ABSENT),
    "DAP": Presence.DISABLED,
}
_MIPS_WITHOUT_CRYPTO = re.compile(
    r"(?:MIPS \w|SiByte|Loongson|ICT Loongson|Broadcom BMIPS|Ingenic|XBurst|R\d{4,5}\b|RM7|RM9|QED|NEC V|LX)",
    re.IGNORECASE,
)


def power_features(model: str | None) -> CryptoFeatures:
    """POWER, from the `cpu` line of cpuinfo: POWER8 and later implement the vector cryptography of ISA 2.07."""
    presence, evidence = Presence.UNKNOWN, "the cpu line names no model that is known here"
    number = _POWER_NUMBER.search(model or "")
    if number is not None and int(number.group(1)) >= 8:
        presence = Presence.PRESENT
        evidence = f"cpuinfo cpu is {number.group()}: POWER8 and later implement ISA 2.07 with vcipher"
    elif model is not None and _OLD_POWERPC.match(model):
        presence, evidence = Presence.ABSENT, "this model is older than ISA 2.07, or not of the server line"
    altivec = (
        Presence.UNKNOWN if model is None else (Presence.PRESENT if "altivec supported" in model else Presence.ABSENT)
    )
    found = (
        Capability("vcrypto", presence, evidence),
        Capability("altivec", altivec, "cpuinfo cpu" if model else "no cpu line in cpuinfo"),
    )
    names = ("aes", "carryless-multiply", "sha256", "sha512")
    return CryptoFeatures(
        found, combine(found, {**{name: (("vcrypto",),) for name in names}, "vector": (("altivec",),)})
    )


def s390x_features(flags: frozenset[str] | None, facilities: frozenset[int] | None, is_cut: bool) -> CryptoFeatures:
    """s390x, from the `features` and `facilities` lines.

    The message-security assist (CPACF) says which functions it has only when it is asked at run time, and the AES
    functions need a no-charge feature to be enabled. With the assist, SHA-1 is always there; for all else see which
    drivers the kernel offers.

    Args:
        flags: the features, or `None` when there is no such line.
        facilities: numbers of the installed facilities, or `None` when there is no such line.
        is_cut: the features line may be incomplete.
    """
    msa = _listed_flag("msa", flags, is_cut)
    found = [msa]
    for name, number in _S390_FACILITIES.items():
        if msa.presence is Presence.ABSENT:
            found.append(Capability(name, Presence.ABSENT, "no message-security assist"))
        elif facilities is None:
            found.append(Capability(name, Presence.UNKNOWN, "no facilities line in cpuinfo"))
        else:
            there = number in facilities
            found.append(
                Capability(
                    name,
                    Presence.PRESENT if there else Presence.ABSENT,
                    f"cpuinfo facility {number}" + ("" if there else " is not listed"),
                )
            )
    vector = _listed_flag("vx", flags, is_cut)
    asked = Presence.ABSENT if msa.presence is Presence.ABSENT else Presence.UNKNOWN
    functions = dict.fromkeys(FUNCTIONS, asked)
    return CryptoFeatures((*found, vector), {**functions, "sha1": msa.presence, "vector": vector.presence})


def mips_features(model: str | None, system: str | None, extensions: frozenset[str]) -> CryptoFeatures:
    """MIPS: only Cavium's Octeon has cryptographic instructions, as its coprocessor 2.

    Args:
        model: the `cpu model` line.
        system: the `system type` line; on Octeon it holds the part number, whose suffix says whether crypto is fused.
        extensions: the application-specific extensions listed; `msa` is the vector one.
    """
    presence, evidence = Presence.UNKNOWN, "the cpu model line names no model that is known here"
    if model is not None and "octeon" in model.lower():
        evidence = "an Octeon, but its part number is not in the system type line"
        if part := _OCTEON.search(system or ""):
            presence = _OCTEON_SUFFIXES.get(part.group(1), Presence.UNKNOWN)
            evidence = f"suffix {part.group(1)} of the Octeon part number in the system type line"
    elif model is not None and _MIPS_WITHOUT_CRYPTO.match(model):
        presence, evidence = Presence.ABSENT, "this MIPS core has no cryptographic instructions"
    vector = Presence.PRESENT if "msa" in extensions else Presence.ABSENT
    if model is None:
        vector = Presence.UNKNOWN
    found = (Capability("octeon-crypto", presence, evidence), Capability("msa", vector, "cpuinfo ASEs implemented"))
    names = ("aes", "sha1", "sha256", "sha512")
    functions = combine(found, {**{name: (("octeon-crypto",),) for name in names}, "vector": (("msa",),)})
    if presence is not Presence.ABSENT:
        functions["carryless-multiply"] = Presence.UNKNOWN  # not every Octeon has the Galois field multiplier
    return CryptoFeatures(found, functions)


def _listed_flag(name: str, flags: frozenset[str] | None, is_cut: bool) -> Capability:
    if flags is None:
        return Capability(name, Presence.UNKNOWN, "no features line in cpuinfo")
    if name in flags:
        return Capability(name, Presence.PRESENT, "cpuinfo features")
    if is_cut:
        return Capability(name, Presence.UNKNOWN, "the features line is cut")
    return Capability(name, Presence.ABSENT, "not in cpuinfo features")
