"""Names of processors: ARM implementers and parts, x86 vendor strings, RISC-V vendors.

Numbers as the CPUs report them in MIDR_EL1 (implementer, bits 31 to 24; part number, bits 15 to 4), CPUID leaf 0 and
the RISC-V `mvendorid` register. Sources: the technical reference manuals of the cores, and Linux
`arch/arm64/include/asm/cputype.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# fmt: off
ARM_IMPLEMENTERS: Final[Mapping[int, str]] = {
    0x41: "Arm", 0x42: "Broadcom", 0x43: "Cavium", 0x44: "DEC", 0x46: "Fujitsu", 0x48: "HiSilicon",
    0x49: "Infineon", 0x4D: "Freescale", 0x4E: "NVIDIA", 0x50: "APM", 0x51: "Qualcomm", 0x53: "Samsung",
    0x56: "Marvell", 0x61: "Apple", 0x66: "Faraday", 0x69: "Intel", 0x6D: "Microsoft", 0x70: "Phytium",
    0xC0: "Ampere",
}

ARM_PARTS: Final[Mapping[tuple[int, int], str]] = {
    (0x41, 0x810): "ARM810", (0x41, 0x920): "ARM920T", (0x41, 0x922): "ARM922T", (0x41, 0x926): "ARM926EJ-S",
    (0x41, 0xA20): "ARM1020", (0x41, 0xA26): "ARM1026EJ-S", (0x41, 0xB02): "ARM11 MPCore",
    (0x41, 0xB36): "ARM1136", (0x41, 0xB56): "ARM1156", (0x41, 0xB76): "ARM1176",
    (0x41, 0xC05): "Cortex-A5", (0x41, 0xC07): "Cortex-A7", (0x41, 0xC08): "Cortex-A8",
    (0x41, 0xC09): "Cortex-A9", (0x41, 0xC0D): "Cortex-A12", (0x41, 0xC0E): "Cortex-A17",
    (0x41, 0xC0F): "Cortex-A15",
    (0x41, 0xD01): "Cortex-A32", (0x41, 0xD02): "Cortex-A34", (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD04): "Cortex-A35", (0x41, 0xD05): "Cortex-A55", (0x41, 0xD06): "Cortex-A65",
    (0x41, 0xD07): "Cortex-A57", (0x41, 0xD08): "Cortex-A72", (0x41, 0xD09): "Cortex-A73",
    (0x41, 0xD0A): "Cortex-A75", (0x41, 0xD0B): "Cortex-A76", (0x41, 0xD0C): "Neoverse-N1",
    (0x41, 0xD0D): "Cortex-A77", (0x41, 0xD0E): "Cortex-A76AE", (0x41, 0xD40): "Neoverse-V1",
    (0x41, 0xD41): "Cortex-A78", (0x41, 0xD42): "Cortex-A78AE", (0x41, 0xD43): "Cortex-A65AE",
    (0x41, 0xD44): "Cortex-X1", (0x41, 0xD46): "Cortex-A510", (0x41, 0xD47): "Cortex-A710",
    (0x41, 0xD48): "Cortex-X2", (0x41, 0xD49): "Neoverse-N2", (0x41, 0xD4A): "Neoverse-E1",
    (0x41, 0xD4B): "Cortex-A78C", (0x41, 0xD4C): "Cortex-X1C", (0x41, 0xD4D): "Cortex-A715",
    (0x41, 0xD4E): "Cortex-X3", (0x41, 0xD4F): "Neoverse-V2", (0x41, 0xD80): "Cortex-A520",
    (0x41, 0xD81): "Cortex-A720", (0x41, 0xD82): "Cortex-X4", (0x41, 0xD83): "Neoverse-V3AE",
    (0x41, 0xD84): "Neoverse-V3", (0x41, 0xD85): "Cortex-X925", (0x41, 0xD87): "Cortex-A725",
    (0x41, 0xD88): "Cortex-A520AE", (0x41, 0xD89): "Cortex-A720AE", (0x41, 0xD8E): "Neoverse-N3",
    (0x42, 0x00F): "Brahma-B15", (0x42, 0x100): "Brahma-B53", (0x42, 0x516): "ThunderX2",
    (0x43, 0x0A0): "ThunderX", (0x43, 0x0A1): "ThunderX-88XX", (0x43, 0x0A2): "ThunderX-81XX",
    (0x43, 0x0A3): "ThunderX-83XX", (0x43, 0x0AF): "ThunderX2-99XX", (0x43, 0x0B1): "OcteonTX2-98XX",
    (0x43, 0x0B2): "OcteonTX2-96XX", (0x43, 0x0B3): "OcteonTX2-95XX",
    (0x44, 0xA10): "SA110", (0x44, 0xA11): "SA1100",
    (0x46, 0x001): "A64FX",
    (0x48, 0xD01): "TaiShan-v110", (0x48, 0xD02): "TaiShan-v120", (0x48, 0xD40): "Cortex-A76",
    (0x4E, 0x000): "Denver", (0x4E, 0x003): "Denver 2", (0x4E, 0x004): "Carmel",
    (0x50, 0x000): "X-Gene",
    (0x51, 0x001): "Oryon", (0x51, 0x00F): "Scorpion", (0x51, 0x02D): "Scorpion", (0x51, 0x04D): "Krait",
    (0x51, 0x06F): "Krait", (0x51, 0x201): "Kryo", (0x51, 0x205): "Kryo", (0x51, 0x211): "Kryo",
    (0x51, 0x800): "Kryo-2XX-Gold", (0x51, 0x801): "Kryo-2XX-Silver", (0x51, 0x802): "Kryo-3XX-Gold",
    (0x51, 0x803): "Kryo-3XX-Silver", (0x51, 0x804): "Kryo-4XX-Gold", (0x51, 0x805): "Kryo-4XX-Silver",
    (0x51, 0xC00): "Falkor",
    (0x53, 0x001): "Exynos-M1", (0x53, 0x002): "Exynos-M3", (0x53, 0x003): "Exynos-M4",
    (0x56, 0x131): "Feroceon-88FR131", (0x56, 0x581): "PJ4", (0x56, 0x584): "PJ4B-MP",
    (0x61, 0x020): "Icestorm-A14", (0x61, 0x021): "Firestorm-A14", (0x61, 0x022): "Icestorm-M1",
    (0x61, 0x023): "Firestorm-M1", (0x61, 0x024): "Icestorm-M1-Pro", (0x61, 0x025): "Firestorm-M1-Pro",
    (0x61, 0x028): "Icestorm-M1-Max", (0x61, 0x029): "Firestorm-M1-Max", (0x61, 0x032): "Blizzard-M2",
    (0x61, 0x033): "Avalanche-M2",
    (0x66, 0x526): "FA526", (0x66, 0x626): "FA626TE",
    (0x69, 0x411): "PXA27x", (0x69, 0x41D): "IXP425-400", (0x69, 0x41F): "IXP425-266", (0x69, 0x41C): "IXP425-533",
    (0x69, 0x683): "PXA935",
    (0x6D, 0xD49): "Azure-Cobalt-100",
    (0x70, 0x660): "FTC660", (0x70, 0x661): "FTC661", (0x70, 0x662): "FTC662", (0x70, 0x663): "FTC663",
    (0x70, 0x664): "FTC664", (0x70, 0x862): "FTC862",
    (0xC0, 0xAC3): "Ampere-1", (0xC0, 0xAC4): "Ampere-1A", (0xC0, 0xAC5): "Ampere-1B",
}

ARM_MULTITHREADED_PARTS: Final[frozenset[tuple[int, int]]] = frozenset({
    (0x41, 0xD06), (0x41, 0xD43), (0x41, 0xD4A), (0x42, 0x516), (0x43, 0x0AF), (0x48, 0xD02),
})
"""The named cores that can run several threads; every other named core runs one."""

X86_VENDORS: Final[Mapping[str, str]] = {
    "GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon", "CentaurHauls": "VIA",
    "Shanghai": "Zhaoxin", "GenuineTMx86": "Transmeta", "TransmetaCPU": "Transmeta", "CyrixInstead": "Cyrix",
    "Geode by NSC": "National Semiconductor", "Vortex86 SoC": "DM&P", "Genuine RDC": "RDC",
    "UMC UMC UMC": "UMC", "NexGenDriven": "NexGen", "RiseRiseRise": "Rise", "SiS SiS SiS": "SiS",
}

PADLOCK_VENDORS: Final[frozenset[str]] = frozenset({"VIA", "Zhaoxin"})
"""Vendors whose x86 processors have the PadLock units."""

RISCV_VENDORS: Final[Mapping[int, str]] = {
    0x31E: "Andes", 0x489: "SiFive", 0x5B7: "T-Head", 0x710: "SpacemiT", 0x61F: "Tenstorrent", 0x61A: "Ventana",
    0x602: "OpenHW Group",
}
"""`mvendorid`: JEDEC bank and number of the core's designer; 0 means not implemented, or QEMU."""

RISCV_UARCH_VENDORS: Final[Mapping[str, str]] = {
    "sifive": "SiFive", "thead": "T-Head", "andestech": "Andes", "eswin": "ESWIN", "starfive": "StarFive",
    "spacemit": "SpacemiT", "canaan": "Canaan", "microchip": "Microchip",
}
"""The vendor prefix of the device-tree compatible in cpuinfo's `uarch`."""
# fmt: on
