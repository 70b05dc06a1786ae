"""Measuring a box as if it lacked instructions: what libcrypto is told through its environment.

libcrypto reads ``OPENSSL_ia32cap`` (two or more vectors of CPUID bits, ``~`` clears the bits that are set in it) or
``OPENSSL_armcap`` (one number that replaces what was detected): see OPENSSL_ia32cap(3) and crypto/arm_arch.h.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ipsecbench.errors import UsageError

# Bits of the first vector: CPUID leaf 1, EDX below and ECX above; of the second: leaf 7, EBX below and ECX above.
_X86: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "aes": (1 << 57, 1 << 41),  # AES-NI, and VAES, which is useless without it
        "clmul": (1 << 33, 1 << 42),
        "vaes": (0, 1 << 41 | 1 << 42),
        "sha": (0, 1 << 29),
        "avx512": (0, 1 << 16 | 1 << 17 | 1 << 21 | 1 << 28 | 1 << 30 | 1 << 31),
        "avx2": (0, 1 << 5 | 1 << 16 | 1 << 17 | 1 << 21 | 1 << 28 | 1 << 30 | 1 << 31 | 1 << 41 | 1 << 42),
    }
)
_ARM: Mapping[str, int] = MappingProxyType({"aes": 1 << 2, "clmul": 1 << 5, "sha": 1 << 3 | 1 << 4 | 1 << 6 | 1 << 11})

MASKS: tuple[str, ...] = tuple(_X86)
"""Names that ``--mask`` takes; ``vaes``, ``avx2`` and ``avx512`` exist on x86 only."""

MASK_VARIABLE = "IPSECBENCH_MASK"
"""The agent applies the same names to libIPSec_MB through this variable."""


def parse_mask(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list, sorted, each once.

    Raises:
        UsageError: a name is not in :data:`MASKS`.
    """
    names = sorted({name.strip().lower() for name in text.split(",") if name.strip()})
    for name in names:
        if name not in MASKS:
            raise UsageError(f"--mask: {name!r} is unknown; choose from {', '.join(MASKS)}")
    return tuple(names)


def mask_environment(names: Iterable[str], machine: str, cpu_settings: str | None) -> dict[str, str]:
    """Environment variables that hide the instructions from libcrypto and libIPSec_MB.

    Args:
        names: from :func:`parse_mask`.
        machine: the agent's ``machine``, such as ``x86_64``.
        cpu_settings: what libcrypto detected without a mask, from the agent's ``info``; needed on ARM.

    Raises:
        UsageError: the mask cannot be applied on this machine.
    """
    names = tuple(names)
    if not names:
        return {}
    if machine in ("x86_64", "i386", "i486", "i586", "i686", "amd64"):
        first = second = 0
        for name in names:
            first |= _X86[name][0]
            second |= _X86[name][1]
        return {"OPENSSL_ia32cap": f"~{first:#x}:~{second:#x}", MASK_VARIABLE: ",".join(names)}
    if machine.startswith(("aarch64", "arm")):
        match = re.search(r"OPENSSL_armcap=(0x[0-9a-fA-F]+)", cpu_settings or "")
        if match is None:
            raise UsageError("--mask: this libcrypto does not say which instructions it uses, so none can be hidden")
        capabilities = int(match.group(1), 16)
        for name in names:
            if name not in _ARM:
                raise UsageError(f"--mask: {name!r} does not exist on {machine}; choose from {', '.join(_ARM)}")
            capabilities &= ~_ARM[name]
        return {"OPENSSL_armcap": f"{capabilities:#x}", MASK_VARIABLE: ",".join(names)}
    raise UsageError(f"--mask: libcrypto offers no way to hide instructions on {machine}")
