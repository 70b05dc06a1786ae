"""Crypto engines that a system-on-chip is known to have, found by its name, and whether the kernel drives them.

The name says that the engine is in the silicon, not that it works: without its driver in /proc/crypto it is only
possible. Sources: the device-tree bindings in Linux `Documentation/devicetree/bindings/crypto` and the device trees
that use them; for EIP93 OpenWrt pull request 10042.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware.crypto_drivers import DriverKind
from ipsecbench.hardware.kernel_crypto import CryptoDriver


@dataclass(frozen=True, slots=True)
class EngineRule:
    """Systems-on-chip with one engine."""

    pattern: str
    """A regular expression searched in the names of the system and in its device-tree compatibles, in lower case."""
    engine: str
    """As the driver table names it."""
    source: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A crypto engine beside the CPU."""

    name: str
    status: str
    """`driver loaded`; `possible, driver not seen`; or `possible, drivers unknown` without /proc/crypto."""
    evidence: str


ENGINE_RULES: Final[tuple[EngineRule, ...]] = (
    EngineRule(r"mt7621", "EIP93", "mediatek,mt7621-crypto; OpenWrt pull request 10042"),
    EngineRule(r"mt7623|mt2701", "MediaTek EIP97", "mediatek,eip97-crypto"),
    EngineRule(r"mt7986", "SafeXcel EIP97/EIP197", "inside-secure,safexcel-eip97"),
    EngineRule(
        r"armada-?37\d\d|armada-?[78]0?40|armada-?ap80[67]|\bcn913\d|armada-?70k|armada-?80k",
        "SafeXcel EIP97/EIP197",
        "inside-secure,safexcel-eip97 and -eip197",
    ),
    EngineRule(
        r"armada[ -]?(370|375|38\d|xp)|kirkwood|feroceon-kw|marvell,dove|solidrun cubox platform",
        "Marvell CESA",
        "marvell,armada-xp-crypto, marvell,kirkwood-crypto, marvell,dove-crypto",
    ),
    EngineRule(
        r"ipq(40|50|53|60|80|95)\d\d|ipq806x|ap148", "Qualcomm crypto engine", "qcom,ipq4019-qce, qcom,crypto-v5.1"
    ),
    EngineRule(r"i\.?mx ?(6|7|8m)|ls10[24]\d|ls20[48]\d|lx2160|fsl,sec-v", "NXP CAAM", "fsl,sec-v4.0, fsl,sec-v5.0"),
    EngineRule(r"fsl,sec[123]\.", "Freescale SEC", "fsl,sec2.0"),
    EngineRule(r"am33xx|am335\d|am437\d|dra7|am57\d\d|omap[345]", "TI OMAP crypto", "ti,omap4-aes"),
    EngineRule(r"ti,(am62|am64|am65|j721|j784)|am62\d\d|am65\d\d", "TI SA2UL", "ti,am654-sa2ul, ti,am62-sa3ul"),
    EngineRule(r"sun[457]i|sun8i-a83t|sun9i|allwinner a20", "Allwinner crypto engine", "allwinner,sun4i-a10-crypto"),
    EngineRule(r"sun8i-h3|sun8i-r40|sun50i|sun20i", "Allwinner crypto engine", "allwinner,sun8i-h3-crypto"),
    EngineRule(r"rk3288|rk3328|rk3399", "Rockchip crypto", "rockchip,rk3288-crypto, rk3328-crypto, rk3399-crypto"),
    EngineRule(r"amlogic,(meson-)?gxl", "Amlogic GXL", "amlogic,gxl-crypto"),
    EngineRule(r"stm32mp1", "STM32 crypto", "st,stm32mp1-cryp"),
    EngineRule(r"brcm,bcm58\d\d", "Broadcom SPU", "brcm,spum-crypto"),
    EngineRule(r"samsung,exynos5|exynos5", "Samsung SSS", "samsung,exynos4210-secss"),
    EngineRule(r"xrx200|vrx200|lantiq,(vr9|ar9|danube)|xway", "Lantiq DEU", "lantiq,deu-arx100; OpenWrt ltq-deu"),
    EngineRule(r"geode\(tm\) integrated processor by amd", "AMD Geode LX", "drivers/crypto/geode-aes.c"),
)

_COMPILED = tuple((re.compile(rule.pattern), rule) for rule in ENGINE_RULES)


def find_engines(names: Iterable[str], drivers: tuple[CryptoDriver, ...] | None) -> tuple[Engine, ...]:
    """The crypto engines of a box: those whose drivers are loaded, then those that the chip is known to have.

    Args:
        names: names of the system: cpuinfo's machine and system type, device-tree model and compatibles, CPU model.
        drivers: the kernel's drivers; `None` when /proc/crypto could not be read.
    """
    found: dict[str, Engine] = {}
    for driver in drivers or ():
        if driver.kind is DriverKind.ENGINE and driver.what:
            found.setdefault(driver.what, Engine(driver.what, "driver loaded", f"/proc/crypto driver {driver.driver}"))
    for name in names:
        lowered = name.lower()
        for compiled, rule in _COMPILED:
            match = compiled.search(lowered)
            if match is not None:
                status = "possible, driver not seen" if drivers is not None else "possible, drivers unknown"
                found.setdefault(
                    rule.engine,
                    Engine(rule.engine, status, f"'{match.group()}' in the name of the system; {rule.source}"),
                )
    return tuple(found.values())
