"""Which kernel crypto drivers are generic code, which use CPU instructions, and which are engines: data.

A driver is known by its name. Each pattern has its source: the folder of the Linux source tree whose drivers are
named so, or the project that names them. A name that no pattern matches is unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class DriverKind(StrEnum):
    """What does the work behind a kernel crypto driver."""

    GENERIC = "generic"
    """Portable C."""
    ASSEMBLER = "assembler"
    """Hand-written code for the ordinary instructions of one architecture."""
    SIMD = "simd"
    """Vector or cryptographic instructions of the CPU."""
    LIBRARY = "library"
    """The kernel's own library (Linux 6.16 and later), which chooses CPU instructions by itself."""
    ENGINE = "engine"
    """A device beside the CPU, asynchronous."""
    MIXED = "mixed"
    """A template over parts of different kinds."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DriverPattern:
    """Names of drivers that share an implementation."""

    pattern: str
    """A regular expression for the whole name of a driver, or of a part of a composed one."""
    kind: DriverKind
    what: str
    """The engine or the instructions, for people."""
    source: str


def _engine(pattern: str, what: str, source: str) -> DriverPattern:
    return DriverPattern(pattern, DriverKind.ENGINE, what, source)


def _simd(pattern: str, what: str, source: str) -> DriverPattern:
    return DriverPattern(pattern, DriverKind.SIMD, what, source)


DRIVER_PATTERNS: Final[tuple[DriverPattern, ...]] = (
    _engine(r".*-eip93", "EIP93", "drivers/crypto/inside-secure/eip93"),
    _engine(r"safexcel-.*", "SafeXcel EIP97/EIP197", "drivers/crypto/inside-secure"),
    _engine(r"mv-.*", "Marvell CESA", "drivers/crypto/marvell/cesa"),
    _engine(r".*-caam(-qi2?)?", "NXP CAAM", "drivers/crypto/caam"),
    _engine(r"qat[_-].*", "Intel QAT", "drivers/crypto/intel/qat"),
    _engine(r".*-qce", "Qualcomm crypto engine", "drivers/crypto/qce"),
    _engine(r"nss-.*", "Qualcomm NSS", "qca-nss-cfi"),
    _engine(r".*-ccp", "AMD CCP", "drivers/crypto/ccp"),
    _engine(r".*-ccree", "Arm CryptoCell", "drivers/crypto/ccree"),
    _engine(r".*-sun(4i|8i)-(ss|ce)", "Allwinner crypto engine", "drivers/crypto/allwinner"),
    _engine(r"(rk-.*|.*-rk)", "Rockchip crypto", "drivers/crypto/rockchip"),
    _engine(r"(omap-.*|.*-omap)", "TI OMAP crypto", "drivers/crypto/omap-aes.c"),
    _engine(r"(sa2ul-.*|.*-sa2ul)", "TI SA2UL", "drivers/crypto/sa2ul.c"),
    _engine(r".*-gxl", "Amlogic GXL", "drivers/crypto/amlogic"),
    _engine(r"(mtk-.*|.*-mtk)", "MediaTek EIP97", "drivers/crypto/mediatek, Linux 4.11 to 5.11"),
    _engine(r".*-iproc", "Broadcom SPU", "drivers/crypto/bcm"),
    _engine(r".*-talitos(-hsna)?", "Freescale SEC", "drivers/crypto/talitos.c"),
    _engine(r".*-chcr", "Chelsio", "drivers/crypto/chelsio"),
    _engine(r".*-nx", "IBM POWER NX", "drivers/crypto/nx"),
    _engine(r"hisi_(sec|hpre)_?.*", "HiSilicon SEC", "drivers/crypto/hisilicon"),
    _engine(r"(cavium-|cpt_).*", "Marvell CPT", "drivers/crypto/cavium/cpt, drivers/crypto/marvell/octeontx"),
    _engine(r"n5_.*", "Cavium NITROX", "drivers/crypto/cavium/nitrox"),
    _engine(r"atmel-.*", "Atmel crypto", "drivers/crypto/atmel-aes.c"),
    _engine(r"stm32-.*", "STM32 crypto", "drivers/crypto/stm32"),
    _engine(r"(.*-s5p|exynos-.*)", "Samsung SSS", "drivers/crypto/s5p-sss.c"),
    _engine(r".*-geode", "AMD Geode LX", "drivers/crypto/geode-aes.c"),
    _engine(r".*-dcp", "NXP DCP", "drivers/crypto/mxs-dcp.c"),
    _engine(r".*-ixp4xx", "Intel IXP4xx NPE", "drivers/crypto/intel/ixp4xx"),
    _engine(r".*-(ppc4xx|crypto4xx)", "AMCC PPC4xx", "drivers/crypto/amcc"),
    _engine(r"virtio_crypto_.*", "virtio crypto device", "drivers/crypto/virtio"),
    _engine(r".*-tegra", "NVIDIA Tegra SE", "drivers/crypto/tegra"),
    _engine(r"starfive-.*", "StarFive crypto", "drivers/crypto/starfive"),
    _engine(r".*-keembay-ocs", "Intel Keem Bay OCS", "drivers/crypto/intel/keembay"),
    _engine(r"aspeed-.*", "ASPEED crypto", "drivers/crypto/aspeed"),
    _engine(r".*zynqmp.*", "Xilinx ZynqMP", "drivers/crypto/xilinx"),
    _engine(r"(artpec6-.*|.*-artpec6)", "Axis ARTPEC", "drivers/crypto/axis"),
    _engine(r"img-.*", "Imagination hash", "drivers/crypto/img-hash.c"),
    _engine(r"(ifxdeu-.*|.*-ifxdeu|.*-(ltq|lantiq).*)", "Lantiq DEU", "OpenWrt ltq-deu"),
    _engine(r"hifn-.*|.*-hifn.*", "Hifn 795x", "drivers/crypto/hifn_795x.c"),
    _simd(r".*-aesni.*", "AES-NI", "arch/x86/crypto/aesni-intel_glue.c"),
    _simd(r".*-vaes-avx(2|512|10_\d+)", "VAES", "arch/x86/crypto/aes-gcm-vaes-avx512.S"),
    _simd(r".*-(pclmulqdqni|clmulni|pclmul)", "PCLMULQDQ", "arch/x86/crypto/ghash-clmulni-intel_glue.c"),
    _simd(r"(.*-)?padlock(-.*)?", "VIA PadLock", "drivers/crypto/padlock-aes.c"),
    _simd(r"(.*-)?ce(-.*)?|.*-aes-ce", "ARMv8 cryptographic extension", "arch/arm64/crypto"),
    _simd(r".*-(neon|neonbs)(-.*)?", "NEON", "arch/arm64/crypto, arch/arm/crypto"),
    _simd(r".*-(ssse3|sse2|sse4|avx|avx2|avx512|avx512vl|ni|simd)", "x86 vectors", "arch/x86/crypto"),
    _simd(r"p8_.*|.*[-_]p10.*|.*-vmx", "POWER vector crypto", "drivers/crypto/vmx, arch/powerpc/crypto"),
    _simd(r".*-ppc-spe", "PowerPC SPE", "arch/powerpc/crypto"),
    _simd(r".*-s390x?", "CPACF", "arch/s390/crypto"),
    _simd(r".*-sparc64", "SPARC T4 opcodes", "arch/sparc/crypto"),
    _simd(r"octeon-.*", "Octeon coprocessor 2", "arch/mips/cavium-octeon/crypto"),
    _simd(r".*-riscv64(-.*)?", "RISC-V vector crypto", "arch/riscv/crypto"),
    DriverPattern(
        r".*-lib(-.*)?|.*-(x86|riscv)",
        DriverKind.LIBRARY,
        "kernel library",
        "crypto/ and lib/crypto, Linux 6.15 and later",
    ),
    DriverPattern(
        r".*-(asm|i586|x86_64(-3way)?|3way|arm|arm64|mips|ppc|powerpc)",
        DriverKind.ASSEMBLER,
        "assembler",
        "arch/*/crypto",
    ),
    DriverPattern(r".*-(generic|fixed-time)|.*_null.*|null", DriverKind.GENERIC, "generic C", "crypto/"),
)

_COMPILED: Final = tuple((re.compile(one.pattern), one) for one in DRIVER_PATTERNS)

TEMPLATES: Final[frozenset[str]] = frozenset(
    {
        "authenc",
        "authencesn",
        "cbc",
        "ccm",
        "ccm_base",
        "cbcmac",
        "cmac",
        "cryptd",
        "ctr",
        "ecb",
        "echainiv",
        "fpu",
        "gcm",
        "gcm_base",
        "hmac",
        "pcrypt",
        "rfc3686",
        "rfc4106",
        "rfc4309",
        "rfc4543",
        "rfc7539",
        "rfc7539esp",
        "seqiv",
        "simd",
        "xcbc",
        "__cbc",
        "__ecb",
        "__ctr",
        "__gcm",
        "__rfc4106",
    }
)
"""Names outside the brackets of a composed driver that say nothing about who does the work."""


@lru_cache(maxsize=1024)
def classify_driver(driver: str) -> tuple[DriverKind, str | None]:
    """The kind of a driver and what does its work, by its name.

    A composed driver such as `authenc(hmac(sha256-ni),cbc-aes-aesni)` is of the kind of its parts; `mixed` when they
    differ, `unknown` when none is known.
    """
    direct = _match(driver)
    if direct is not None and (direct.kind is DriverKind.ENGINE or not driver.endswith(")")):
        return direct.kind, direct.what
    parts = [part for part in re.split(r"[(),\s]+", driver) if part and part not in TEMPLATES]
    matches = [_match(part.removeprefix("__driver-").removeprefix("__")) for part in parts]
    known = {one.kind: one.what for one in matches if one is not None}
    if not known or (None in matches and DriverKind.ENGINE not in known):
        return DriverKind.UNKNOWN, None
    if len(known) == 1:
        return next(iter(known.items()))
    return DriverKind.MIXED, " and ".join(dict.fromkeys(known.values()))


def _match(name: str) -> DriverPattern | None:
    return next((one for compiled, one in _COMPILED if compiled.fullmatch(name)), None)
