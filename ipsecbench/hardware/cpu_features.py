"""Cryptographic instructions, from the flags that the kernel lists.

Each architecture has a table of the flags that matter, and a table of which of them offer which function. Where the
kernel lists flags, a flag that is missing means that the instructions are absent; where it lists none, or the line
is cut, they are unknown. Architectures without such flags are in `implied_features`.

Sources: Linux `arch/x86/include/asm/cpufeatures.h`, `Documentation/arch/arm64/elf_hwcaps.rst`,
`arch/arm/include/uapi/asm/hwcap.h`, `arch/loongarch/include/uapi/asm/hwcap.h`, `arch/sparc/kernel/setup_64.c`,
`arch/riscv/kernel/cpufeature.c`; the VIA PadLock Programming Guide, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ipsecbench.hardware.features import Capability, CryptoFeatures, Presence, combine, unknown_features

_Needs = Mapping[str, tuple[tuple[str, ...], ...]]

_X86: Final = (
    "aes",
    "pclmulqdq",
    "vaes",
    "vpclmulqdq",
    "sha_ni",
    "sha512",
    "gfni",
    "sm3",
    "sm4",
    "ssse3",
    "avx",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512ifma",
    "bmi2",
    "adx",
    "rdrand",
)
_PADLOCK: Final = {
    "ace": "ace",
    "ace2": "ace2",
    "phe": "phe",
    "pmm": "pmm",
    "rng": "rng",
    "phe2": "phe2",
    "rng2": "rng2",
}
_X86_NEEDS: Final[_Needs] = {
    "aes": (("aes",),),
    "carryless-multiply": (("pclmulqdq",),),
    "sha1": (("sha_ni",),),
    "sha256": (("sha_ni",),),
    "sha512": (("sha512",),),
    "vector": (("ssse3",),),
}
_PADLOCK_NEEDS: Final[_Needs] = {
    **_X86_NEEDS,
    "aes": (("aes",), ("ace",)),
    "sha1": (("sha_ni",), ("phe",)),
    "sha256": (("sha_ni",), ("phe",)),
    "sha512": (("sha512",), ("phe2",)),
}

_AARCH64: Final = (
    "aes",
    "pmull",
    "sha1",
    "sha2",
    "sha512",
    "sha3",
    "sm3",
    "sm4",
    "asimd",
    "sve",
    "sve2",
    "sveaes",
    "svepmull",
    "svesha3",
    "svesm4",
)
_AARCH64_NEEDS: Final[_Needs] = {
    "aes": (("aes",),),
    "carryless-multiply": (("pmull",),),
    "sha1": (("sha1",),),
    "sha256": (("sha2",),),
    "sha512": (("sha512",),),
    "sha3": (("sha3",),),
    "vector": (("asimd",),),
}
_ARM: Final = ("aes", "pmull", "sha1", "sha2", "neon")
_ARM_SECOND_WORD: Final = frozenset({"aes", "pmull", "sha1", "sha2", "crc32"})
_ARM_NEEDS: Final[_Needs] = {
    "aes": (("aes",),),
    "carryless-multiply": (("pmull",),),
    "sha1": (("sha1",),),
    "sha256": (("sha2",),),
    "vector": (("neon",),),
}

_LOONGARCH: Final = ("crypto", "lsx", "lasx")
_SPARC: Final = (
    "aes",
    "des",
    "camellia",
    "kasumi",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "mpmul",
    "montmul",
    "montsqr",
    "crc32c",
    "vis3",
)
_SPARC_NEEDS: Final[_Needs] = {
    "aes": (("aes",),),
    "carryless-multiply": (("vis3",),),
    "sha1": (("sha1",),),
    "sha256": (("sha256",),),
    "sha512": (("sha512",),),
    "vector": (("vis3",),),
}

_RISCV: Final = (
    "zbb",
    "zbc",
    "zbkb",
    "zbkc",
    "zbkx",
    "zknd",
    "zkne",
    "zknh",
    "zksed",
    "zksh",
    "zkr",
    "zkt",
    "v",
    "zvbb",
    "zvbc",
    "zvkb",
    "zvkg",
    "zvkned",
    "zvknha",
    "zvknhb",
    "zvksed",
    "zvksh",
    "zvkt",
)
_RISCV_NEEDS: Final[_Needs] = {
    "aes": (("zkne", "zknd"), ("zvkned",)),
    "carryless-multiply": (("zbc",), ("zbkc",), ("zvbc",), ("zvkg",)),
    "sha256": (("zknh",), ("zvknha",), ("zvknhb",)),
    "sha512": (("zknh",), ("zvknhb",)),
    "vector": (("v",),),
}
_RISCV_CRYPTO_LISTED_SINCE: Final = (6, 8)
_RISCV_LISTED_SINCE_6_8: Final = re.compile(
    r"zbc|zbk[bcx]|zk|zks(ed|h)|zkn[deh]|zkr|zkt|zv(bb|bc|k.*|fh|fhmin)|zfh|zfhmin|zfa|zihintntl|zacas|ztso|"
    r"zc[abdf]|zcm(op|p|t)|zimop|zawrs|zve.*"
)
"""Extensions that Linux lists since 6.8 or later: a string with one of them comes from a kernel that would also list
the cryptographic ones."""


def x86_features(flags: frozenset[str] | None, is_cut: bool, has_padlock: bool) -> CryptoFeatures:
    """x86 from the `flags` line.

    Args:
        flags: the flags, or `None` when there is no such line.
        is_cut: the line may be incomplete.
        has_padlock: the processor is one of VIA's or Zhaoxin's; their units are on only with the `_en` flag too.
    """
    if flags is None:
        return unknown_features("no flags line in cpuinfo")
    found = _listed(_X86, flags, is_cut, "cpuinfo flags")
    if not has_padlock:
        return CryptoFeatures(found, combine(found, _X86_NEEDS))
    units = tuple(_padlock_unit(unit, flags, is_cut) for unit in _PADLOCK)
    return CryptoFeatures(found + units, combine(found + units, _PADLOCK_NEEDS))


def _padlock_unit(unit: str, flags: frozenset[str], is_cut: bool) -> Capability:
    presence, evidence = Presence.ABSENT, "not in cpuinfo flags"
    if f"{unit}_en" in flags:
        presence, evidence = Presence.PRESENT, f"cpuinfo flags {unit} and {unit}_en"
    elif is_cut:
        presence, evidence = Presence.UNKNOWN, "the flags line is cut"
    elif unit in flags:
        presence, evidence = Presence.DISABLED, f"cpuinfo flag {unit} without {unit}_en: switched off by the firmware"
    return Capability(unit, presence, evidence)


def aarch64_features(flags: frozenset[str] | None, is_cut: bool) -> CryptoFeatures:
    """A 64-bit ARM kernel, from the `Features` line."""
    if flags is None:
        return unknown_features("no Features line in cpuinfo")
    found = _listed(_AARCH64, flags, is_cut, "cpuinfo Features")
    return CryptoFeatures(found, combine(found, _AARCH64_NEEDS))


def arm_features(flags: frozenset[str] | None, is_cut: bool, is_armv8_core: bool) -> CryptoFeatures:
    """A 32-bit ARM kernel, from the `Features` line.

    Args:
        flags: the features, or `None` when there is no such line.
        is_cut: the line may be incomplete.
        is_armv8_core: the core can have the instructions. Every such core has CRC32, which is in the same word of
            hardware capabilities; where that is not listed either, the kernel is too old to list that word (3.16).
    """
    if flags is None:
        return unknown_features("no Features line in cpuinfo")
    found = _listed(_ARM, flags, is_cut, "cpuinfo Features")
    if is_armv8_core and not flags & _ARM_SECOND_WORD:
        found = tuple(
            one
            if one.name == "neon" or one.presence is Presence.PRESENT
            else Capability(
                one.name,
                Presence.UNKNOWN,
                "an ARMv8 core, but this kernel is too old to list its instructions",
            )
            for one in found
        )
    return CryptoFeatures(found, combine(found, _ARM_NEEDS))


def loongarch_features(flags: frozenset[str] | None, is_cut: bool) -> CryptoFeatures:
    """LoongArch, from the `Features` line.

    The `crypto` bit (CPUCFG word 2) says that there is an accelerator, not what it computes: the functions stay
    unknown where it is set.
    """
    if flags is None:
        return unknown_features("no Features line in cpuinfo")
    found = _listed(_LOONGARCH, flags, is_cut, "cpuinfo Features")
    state = {one.name: one.presence for one in found}
    crypto = Presence.ABSENT if state["crypto"] is Presence.ABSENT else Presence.UNKNOWN
    functions = dict.fromkeys(("aes", "carryless-multiply", "sha1", "sha256", "sha512", "sha3"), crypto)
    return CryptoFeatures(found, {**functions, **{"vector": state["lsx"]}})


def sparc_features(flags: frozenset[str] | None, is_cut: bool) -> CryptoFeatures:
    """SPARC, from the `cpucaps` line; the cryptographic opcodes are those of the SPARC T4 and later."""
    if flags is None:
        return unknown_features("no cpucaps line in cpuinfo")
    found = _listed(_SPARC, flags, is_cut, "cpuinfo cpucaps")
    return CryptoFeatures(found, combine(found, _SPARC_NEEDS))


def riscv_features(
    extensions: frozenset[str] | None,
    is_cut: bool,
    kernel: tuple[int, int] | None = None,
    has_draft_vectors: bool = False,
) -> CryptoFeatures:
    """RISC-V, from the ISA string.

    Linux lists the cryptographic extensions since 6.8; before, a string without them says nothing.

    Args:
        extensions: the extensions, or `None` when there is no valid ISA string.
        is_cut: the string may be incomplete.
        kernel: version of the kernel that wrote it, where known.
        has_draft_vectors: the `v` in the string is the draft 0.7.1.
    """
    if extensions is None:
        return unknown_features("no ISA string in cpuinfo")
    would_be_listed = (kernel is not None and kernel >= _RISCV_CRYPTO_LISTED_SINCE) or any(
        _RISCV_LISTED_SINCE_6_8.fullmatch(name) for name in extensions
    )
    found = []
    for name in _RISCV:
        if name == "v" and has_draft_vectors:
            found.append(Capability(name, Presence.ABSENT, "the draft 0.7.1, not the ratified extension"))
        elif name in extensions:
            found.append(Capability(name, Presence.PRESENT, "cpuinfo isa"))
        elif is_cut:
            found.append(Capability(name, Presence.UNKNOWN, "the isa line is cut"))
        elif would_be_listed or name == "v":
            found.append(Capability(name, Presence.ABSENT, "not in cpuinfo isa"))
        else:
            found.append(Capability(name, Presence.UNKNOWN, "kernels before Linux 6.8 do not list it"))
    return CryptoFeatures(tuple(found), combine(found, _RISCV_NEEDS))


def _listed(names: tuple[str, ...], flags: frozenset[str], is_cut: bool, where: str) -> tuple[Capability, ...]:
    found = []
    for name in names:
        if name in flags:
            found.append(Capability(name, Presence.PRESENT, where))
        elif is_cut:
            found.append(Capability(name, Presence.UNKNOWN, f"the {where} line is cut"))
        else:
            found.append(Capability(name, Presence.ABSENT, f"not in {where}"))
    return tuple(found)
