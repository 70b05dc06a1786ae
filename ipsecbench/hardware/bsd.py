"""What a BSD says of its processor, in the words of Linux: FreeBSD's and OpenBSD's ``dmesg.boot`` and ``sysctl``.

FreeBSD's names of features are those of ``sys/x86/x86/identcpu.c`` and ``sys/arm64/arm64/identcpu.c``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_X86_FLAGS: Final = {
    "AESNI": "aes", "PCLMULQDQ": "pclmulqdq", "SSSE3": "ssse3", "AVX": "avx", "AVX2": "avx2", "SHA": "sha_ni",
    "VAES": "vaes", "VPCLMULQDQ": "vpclmulqdq", "AVX512F": "avx512f", "AVX512BW": "avx512bw", "AVX512VL": "avx512vl",
    "BMI2": "bmi2", "ADX": "adx", "RDRAND": "rdrand", "GFNI": "gfni", "HV": "hypervisor",
    # OpenBSD writes them without the last letters and in upper case.
    "AES": "aes", "PCLMUL": "pclmulqdq",
}  # fmt: skip
_ARM_FEATURES: Final = {
    "AES": "aes", "AES+PMULL": "aes pmull", "SHA1": "sha1", "SHA2": "sha2", "SHA2+SHA512": "sha2 sha512",
    "SHA3": "sha3", "CRC32": "crc32", "SVE": "sve", "AdvSIMD": "asimd", "FP": "fp",
}  # fmt: skip
_LIST = re.compile(r"<([\w,+.-]{1,2000})>")


def cpuinfo_of(sysctl: Mapping[str, str], boot_messages: str) -> str:
    """A text in the form of /proc/cpuinfo, as far as a BSD says; empty where it says nothing.

    Args:
        sysctl: values by name, such as ``hw.model``.
        boot_messages: the text of ``/var/run/dmesg.boot``.
    """
    machine = sysctl.get("hw.machine_arch") or sysctl.get("hw.machine") or ""
    model = sysctl.get("hw.model", "")
    count = sysctl.get("hw.ncpu", "1")
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 1
    lines = boot_messages.split("\n")
    if machine in ("amd64", "i386", "x86_64"):
        listed = [word for line in lines if "eatures" in line or line.startswith("cpu0:") for word in _words(line)]
        origin = re.search(r'Origin\s*=\s*"([^"\n]{1,20})"', boot_messages)
        flags = dict.fromkeys(_X86_FLAGS[word] for word in listed if word in _X86_FLAGS)
        record = f"vendor_id : {origin[1] if origin else ''}\nmodel name : {model}\n"
        record += f"flags : {' '.join(('fpu', *flags))}\n" if listed else ""
    elif machine in ("aarch64", "arm64"):
        listed = [word for line in lines if "Instruction Set Attributes" in line for word in _words(line)]
        features = dict.fromkeys(name for word in listed for name in _ARM_FEATURES.get(word, "").split())
        record = f"CPU architecture: 8\nmodel name : {model}\n"
        record += f"CPU implementer : 0x00\nFeatures : {' '.join(('fp', 'asimd', *features))}\n" if listed else ""
    else:
        return ""
    return "".join(f"processor : {index}\n{record}\n" for index in range(number))


def _words(line: str) -> list[str]:
    listed = [word for group in _LIST.findall(line) for word in group.split(",")]
    return listed or (line.partition(":")[2].strip().split(",") if line.startswith("cpu0:") else [])
