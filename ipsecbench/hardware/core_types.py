"""The kinds of core of a processor: on a hybrid or big.LITTLE processor each kind has its own entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ipsecbench.hardware.cpu_names import (
    ARM_IMPLEMENTERS,
    ARM_PARTS,
    RISCV_UARCH_VENDORS,
    RISCV_VENDORS,
    X86_VENDORS,
)
from ipsecbench.hardware.cpuinfo import CpuInfo
from ipsecbench.hardware.source import parse_integer


@dataclass(frozen=True, slots=True)
class CoreType:
    """One kind of core."""

    name: str | None
    """Such as `Cortex-A55`, or the model name."""
    vendor: str | None
    """Who designed the core."""
    identifier: str | None
    """The numbers that name it, such as `0x41/0xd05`."""
    revision: str | None
    """Such as `r2p0`, or the stepping; several where the cores of one kind differ."""
    role: str | None
    """`performance` or `efficiency` where the kernel says so."""
    processors: tuple[int, ...]
    """The kernel's numbers of the processors of this kind; empty when none is numbered."""


def find_core_types(info: CpuInfo, architecture: str | None) -> tuple[CoreType, ...]:
    """One entry for every kind of core, in the order of the kernel's numbers; revisions of one core are one kind."""
    describe = _DESCRIPTIONS.get(architecture or "", _describe_by_name)
    processors: dict[tuple[str | None, str | None, str | None], list[int]] = {}
    revisions: dict[tuple[str | None, str | None, str | None], dict[str, None]] = {}
    for index in range(max(1, len(info.processors))):
        record = info.processors[index] if info.processors else {}
        name, vendor, identifier, revision = describe({**info.shared, **record})
        kind = (name, vendor, identifier)
        numbers = processors.setdefault(kind, [])
        if info.processors:
            numbers.append(info.numbers[index])
        revisions.setdefault(kind, {}).update({revision: None} if revision else {})
    return tuple(
        CoreType(name, vendor, identifier, ", ".join(revisions[name, vendor, identifier]) or None, None, tuple(numbers))
        for (name, vendor, identifier), numbers in processors.items()
        if name or vendor or identifier or numbers
    )


_Description = tuple[str | None, str | None, str | None, str | None]


def _describe_arm(record: Mapping[str, str]) -> _Description:
    implementer, part = parse_hexadecimal(record.get("cpu implementer")), parse_hexadecimal(record.get("cpu part"))
    if implementer is None:
        return record.get("model name") or record.get("processor name") or None, None, None, None
    vendor = ARM_IMPLEMENTERS.get(implementer)
    if part is None:
        return None, vendor, f"0x{implementer:02x}", None
    variant, revision = parse_hexadecimal(record.get("cpu variant")), parse_integer(record.get("cpu revision"))
    return (
        ARM_PARTS.get((implementer, part)),
        vendor,
        f"0x{implementer:02x}/0x{part:03x}",
        None if variant is None or revision is None else f"r{variant}p{revision}",
    )


def _describe_x86(record: Mapping[str, str]) -> _Description:
    vendor_id = record.get("vendor_id")
    numbers = tuple(record.get(key) for key in ("cpu family", "model", "stepping"))
    identifier = None if None in numbers[:2] else f"family {numbers[0]} model {numbers[1]}"
    name = record.get("model name")
    return (
        None if name in ("", "unknown") else name,
        X86_VENDORS.get(vendor_id or "", vendor_id or None),
        identifier,
        numbers[2] and f"stepping {numbers[2]}",
    )


def _describe_riscv(record: Mapping[str, str]) -> _Description:
    uarch = record.get("uarch")
    vendor_number = parse_hexadecimal(record.get("mvendorid"))
    vendor = RISCV_VENDORS.get(vendor_number or 0) or RISCV_UARCH_VENDORS.get((uarch or "").partition(",")[0])
    identifier = "/".join(filter(None, (record.get("mvendorid"), record.get("marchid")))) or None
    return record.get("model name") or uarch, vendor, identifier, record.get("mimpid")


def _describe_loongarch(record: Mapping[str, str]) -> _Description:
    return record.get("model name"), "Loongson", None, record.get("cpu revision")


def _describe_mips(record: Mapping[str, str]) -> _Description:
    model = record.get("cpu model")
    vendor = next(
        (
            name
            for name in ("Loongson", "Cavium", "Broadcom", "Ingenic", "MIPS", "SiByte")
            if name.lower() in (model or "").lower()
        ),
        None,
    )
    # Two processors of one Loongson give different commercial names; the model with its version is the CPU's own.
    return model, vendor, None, None


def _describe_power(record: Mapping[str, str]) -> _Description:
    model = record.get("cpu")
    vendor = "IBM" if (model or "").startswith("POWER") else None
    return (model or "").partition(",")[0] or None, vendor, None, record.get("revision")


def _describe_s390x(record: Mapping[str, str]) -> _Description:
    match = next(
        (
            found
            for key, value in record.items()
            if re.match(r"processor \d+$", key) and (found := re.search(r"machine\s*=\s*(\w+)", value))
        ),
        None,
    )
    machine = match.group(1) if match else record.get("machine")
    return machine and f"machine type {machine}", "IBM", machine, None


def _describe_by_name(record: Mapping[str, str]) -> _Description:
    return record.get("model name") or record.get("cpu") or record.get("cpu model") or None, None, None, None


_DESCRIPTIONS = {
    "arm": _describe_arm,
    "aarch64": _describe_arm,
    "x86": _describe_x86,
    "riscv": _describe_riscv,
    "loongarch": _describe_loongarch,
    "mips": _describe_mips,
    "power": _describe_power,
    "s390x": _describe_s390x,
    "sparc": _describe_by_name,
}


def parse_hexadecimal(value: str | None) -> int | None:
    """A number of at most 16 hexadecimal digits after `0x`, or `None`."""
    return int(value, 16) if value is not None and re.fullmatch(r"0x[0-9a-fA-F]{1,16}", value) else None
