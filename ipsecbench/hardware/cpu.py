"""The processor: vendor, model, core types and cryptographic instructions, from the text of /proc/cpuinfo.

On a processor with several kinds of core, each kind is named. What the text does not say stays unknown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware import cpu_features, implied_features
from ipsecbench.hardware.core_types import CoreType, find_core_types, parse_hexadecimal
from ipsecbench.hardware.cpu_names import ARM_MULTITHREADED_PARTS, ARM_PARTS, PADLOCK_VENDORS, X86_VENDORS
from ipsecbench.hardware.cpuinfo import CpuInfo, parse_cpuinfo_records
from ipsecbench.hardware.features import CryptoFeatures, unknown_features
from ipsecbench.hardware.isa_strings import parse_isa_string
from ipsecbench.hardware.source import parse_integer

FLAG_KEYS: Final[Mapping[str, str]] = {
    "x86": "flags",
    "arm": "features",
    "aarch64": "features",
    "s390x": "features",
    "loongarch": "features",
    "sparc": "cpucaps",
    "riscv": "isa",
    "mips": "ases implemented",
}
"""The key of cpuinfo under which each architecture lists what a processor can do; POWER has none."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processors of a box."""

    architecture: str | None
    """x86, aarch64, arm (a 32-bit kernel), power, s390x, riscv, mips, loongarch or sparc."""
    vendor: str | None
    model: str | None
    system: str | None
    """What cpuinfo says of the board or the system-on-chip."""
    processors: int | None
    """Processors that the kernel schedules on (hardware threads)."""
    cores: int | None
    sockets: int | None
    clusters: int | None
    core_types: tuple[CoreType, ...]
    flags: tuple[str, ...] | None
    """What every processor lists, in the kernel's words; `None` when there is no such line."""
    features: CryptoFeatures
    notes: tuple[str, ...]
    """What is odd about the text."""


def parse_cpu(text: str, is_truncated: bool = False, kernel: tuple[int, int] | None = None) -> Cpu:
    """Read a processor's description from the text of /proc/cpuinfo.

    Args:
        text: the text; anything at all is accepted.
        is_truncated: the text is known to be only the beginning.
        kernel: version of the kernel that wrote it, where known.
    """
    info = parse_cpuinfo_records(text, is_truncated)
    architecture = recognise_architecture(info)
    core_types = find_core_types(info, architecture)
    vendors = tuple(dict.fromkeys(one.vendor for one in core_types if one.vendor))
    vendor = " and ".join(vendors) or None
    flags, is_cut, differ = _flags(info, architecture)
    processors = _processors(info, architecture)
    cores, sockets = _cores(info, architecture, processors, core_types)
    notes = _notes(info, architecture, differ)
    return Cpu(
        architecture=architecture,
        vendor=vendor,
        model=_model(core_types),
        system=_system(info, architecture),
        processors=processors,
        cores=cores,
        sockets=sockets,
        clusters=None,
        core_types=core_types,
        flags=None if flags is None else tuple(flags),
        features=_features(info, architecture, flags, is_cut, vendor, kernel),
        notes=notes,
    )


def recognise_architecture(info: CpuInfo) -> str | None:
    """Which architecture wrote this text, by the keys that only it writes; `None` when no known one did."""
    isa = (info.first("isa") or "").lower()
    keys = set(info.shared).union(*info.processors[:1])
    name = (info.first("processor name", "model name") or "").lower()
    features = set((info.first("features") or "").split())
    known = None
    if info.first("vendor_id") == "IBM/S390" or "bogomips per cpu" in keys:
        known = "s390x"
    elif keys & {"cpucaps", "ncpus probed"}:
        known = "sparc"
    elif keys & {"cpu implementer", "cpu part"} or name.startswith(("arm", "aarch64", "marvell pj4", "feroceon")):
        is_64_bit = "aarch64" in name or "asimd" in features or _arm_version(info) >= 8
        known = "aarch64" if is_64_bit else "arm"
    elif isa.startswith("rv"):
        known = "riscv"
    elif "loongarch" in isa or (info.first("cpu family") or "").startswith("Loongson-64bit"):
        known = "loongarch"
    elif keys & {"cpu model", "ases implemented"}:
        known = "mips"
    elif "flags" in keys or info.first("vendor_id") in X86_VENDORS:
        known = "x86"
    elif "cpu" in keys and keys & {"revision", "clock", "timebase"}:
        known = "power"
    return known


def _arm_version(info: CpuInfo) -> int:
    match = re.match(r"(\d{1,2})|AArch64", info.first("cpu architecture") or "")
    return 0 if match is None else int(match.group(1) or 8)


def _model(core_types: tuple[CoreType, ...]) -> str | None:
    names = Counter[str]()
    for one in core_types:
        name = one.name or (one.identifier and f"unknown core {one.identifier}")
        if name:
            names[name] += len(one.processors)
    if len(names) <= 1:
        return next((name for name in names if not name.startswith("unknown core")), None)
    return " + ".join(f"{count}x {name}" for name, count in names.items())


def _system(info: CpuInfo, architecture: str | None) -> str | None:
    """The board or system-on-chip; only keys that say so on this architecture."""
    if architecture in ("x86", "s390x", None):
        return None
    keys = {"mips": ("machine", "system type"), "power": ("machine", "model", "platform"), "sparc": ("type",)}
    values = [info.first(key) for key in keys.get(architecture, ("model", "hardware", "machine", "system type"))]
    kept = [value for value in values if value and value.lower() != "unknown" and not value.isdigit()]
    return "; ".join(dict.fromkeys(kept)) or None


def _processors(info: CpuInfo, architecture: str | None) -> int | None:
    if architecture == "s390x":
        return parse_integer(info.first("# processors")) or len(info.processors) or None
    if architecture == "sparc":
        return parse_integer(info.first("ncpus active")) or None
    if info.processors:
        return len(info.processors)
    # ARM kernels built for one processor name it and number nothing.
    return 1 if architecture == "arm" and "processor name" in info.shared else None


def _cores(
    info: CpuInfo,
    architecture: str | None,
    processors: int | None,
    core_types: tuple[CoreType, ...],
) -> tuple[int | None, int | None]:
    """Physical cores and sockets, where the text says so or the design leaves no choice."""
    if architecture == "x86":
        return _x86_cores(info)
    if architecture in ("mips", "loongarch") and info.processors:
        places = {(info.of(i, "package"), info.of(i, "core")) for i in range(len(info.processors))}
        cores = None if any(core is None for _, core in places) else len(places)
        packages = {package for package, _ in places if package is not None}
        if architecture == "loongarch" and cores is not None and len(info.processors) > 2 * cores:
            cores = None  # no LoongArch core runs more than two threads: the numbers are not to be believed
        return cores, len(packages) or None
    if architecture in ("arm", "aarch64") and processors is not None:
        parts = {
            tuple(int(number, 16) for number in one.identifier.split("/")) if one.identifier else ()
            for one in core_types
        }
        if all(part in ARM_PARTS and part not in ARM_MULTITHREADED_PARTS for part in parts):
            return processors, None
    return None, None


def _x86_cores(info: CpuInfo) -> tuple[int | None, int | None]:
    places: set[tuple[str, str]] = set()
    booted: dict[str, int] = {}
    for record in info.processors:
        package, core = record.get("physical id"), record.get("core id")
        if package is None or core is None:
            return None, None
        places.add((package, core))
        booted[package] = max(booted.get(package, 0), parse_integer(record.get("cpu cores")) or 0)
    if not places:
        return None, None
    return max(len(places), sum(booted.values())), len(booted)


def _flags(info: CpuInfo, architecture: str | None) -> tuple[dict[str, None] | None, bool, bool]:
    """The flags that every processor lists, whether they may be incomplete, and whether processors differ."""
    key = FLAG_KEYS.get(architecture or "")
    lines, is_cut = ([], False) if key is None else _list_lines(info, key)
    if not lines:
        return None, False, False
    split = [dict.fromkeys(re.split(r"[\s,]+", line.strip())) for line in lines]
    return (
        {flag: None for flag in split[0] if flag and all(flag in other for other in split)},
        is_cut,
        any(set(other) != set(split[0]) for other in split),
    )


def _list_lines(info: CpuInfo, key: str) -> tuple[list[str], bool]:
    """The different lists of words under a key, and whether the only one is incomplete.

    Where the text ends within a list, that list is left out if others are whole; else only its last word is.
    """
    own = [record[key] for record in info.processors if record.get(key)]
    lines = own or [line for line in (info.shared.get(key),) if line]
    is_cut = bool(lines) and info.is_cut and info.last_key == key
    if is_cut and len(lines) > 1:
        lines.pop()
        is_cut = False
    elif is_cut:
        lines = [re.sub(r"[^\s,_]*$", "", lines[0]) if re.search(r"[\s,_]", lines[0]) else lines[0]]
    return sorted(set(lines)), is_cut


def _features(
    info: CpuInfo,
    architecture: str | None,
    flags: Mapping[str, None] | None,
    is_cut: bool,
    vendor: str | None,
    kernel: tuple[int, int] | None,
) -> CryptoFeatures:
    names = None if flags is None else frozenset(flags)
    if architecture == "x86":
        return cpu_features.x86_features(names, is_cut, vendor in PADLOCK_VENDORS)
    if architecture == "aarch64":
        return cpu_features.aarch64_features(names, is_cut)
    if architecture == "arm":
        part = parse_hexadecimal(info.first("cpu part")) or 0
        is_armv8 = parse_hexadecimal(info.first("cpu implementer")) == 0x41 and part >= 0xD00
        return cpu_features.arm_features(names, is_cut, is_armv8)
    if architecture == "loongarch":
        return cpu_features.loongarch_features(names, is_cut)
    if architecture == "sparc":
        return cpu_features.sparc_features(names, is_cut)
    if architecture == "riscv":
        extensions, is_cut = _riscv_extensions(info)
        return cpu_features.riscv_features(extensions, is_cut, kernel, _has_draft_vectors(info))
    if architecture == "power":
        return implied_features.power_features(info.first("cpu"))
    if architecture == "s390x":
        listed = info.first("facilities")
        facilities = (
            None
            if listed is None
            else frozenset(number for word in listed.split() if (number := parse_integer(word)) is not None)
        )
        return implied_features.s390x_features(names, facilities, is_cut)
    if architecture == "mips":
        return implied_features.mips_features(info.first("cpu model"), info.first("system type"), names or frozenset())
    return unknown_features("cpuinfo is not of a known architecture")


def _riscv_extensions(info: CpuInfo) -> tuple[frozenset[str] | None, bool]:
    """What every hart has, and whether that is incomplete.

    `hart isa` (since Linux 6.7) is the hart's own, `isa` what all have.
    """
    lines, is_cut = _list_lines(info, "hart isa" if info.first("hart isa") else "isa")
    parsed = [parse_isa_string(line.strip().rstrip("_")) for line in lines]
    valid = [one for one in parsed if one is not None]
    if not valid or len(valid) != len(parsed):
        return None, is_cut
    return frozenset.intersection(*valid), is_cut


def _has_draft_vectors(info: CpuInfo) -> bool:
    """T-Head's cores of before the ratified extension say `v` for its draft 0.7.1, which is another encoding."""
    numbers = tuple(parse_hexadecimal(info.first(key)) for key in ("mvendorid", "marchid", "mimpid"))
    return (info.first("cpu-vector") or "").startswith("0.") or numbers == (0x5B7, 0, 0)


def _notes(info: CpuInfo, architecture: str | None, flags_differ: bool) -> tuple[str, ...]:
    notes = []
    if info.is_cut:
        notes.append("cpuinfo ends within a line or is longer than 4 MB: what follows is not known")
    if flags_differ:
        notes.append("the processors do not all list the same features; only what all have is counted")
    if architecture == "x86" and info.processors:
        siblings = parse_integer(info.processors[0].get("siblings"))
        package = info.processors[0].get("physical id")
        listed = sum(record.get("physical id") == package for record in info.processors)
        if siblings is not None and listed < siblings:
            notes.append(
                f"cpuinfo lists {listed} of the {siblings} processors of a socket: it is an excerpt, "
                "or the others are off"
            )
    return tuple(notes)
