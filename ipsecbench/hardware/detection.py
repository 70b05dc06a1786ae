"""Everything that can be known of a box without measuring it, in one object."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ipsecbench.errors import MeasurementError, UsageError
from ipsecbench.hardware.clock import CoreClock, MeasureClock, read_clocks
from ipsecbench.hardware.condition import Condition, read_condition
from ipsecbench.hardware.core_types import CoreType
from ipsecbench.hardware.cpu import Cpu, parse_cpu
from ipsecbench.hardware.cpuinfo import parse_cpuinfo_records
from ipsecbench.hardware.features import Capability, CryptoFeatures, Presence
from ipsecbench.hardware.kernel_crypto import KernelCrypto, functions_proven_by, parse_proc_crypto
from ipsecbench.hardware.libcrypto import Libcrypto, find_libcryptos
from ipsecbench.hardware.nic import Nic, read_nics
from ipsecbench.hardware.platform import Platform, kernel_version, read_kernel_release, read_platform
from ipsecbench.hardware.soc_engines import Engine, find_engines
from ipsecbench.hardware.source import FileText, Source
from ipsecbench.hardware.topology import Topology, read_topology
from ipsecbench.hardware.warnings import find_warnings

SCHEMA_VERSION = 1
"""Raised when a field of `Hardware.to_dict` changes its meaning or goes."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A box, as its files describe it."""

    root: str
    """The directory that was read; `/` is the running system."""
    cpu: Cpu
    kernel_crypto: KernelCrypto | None
    """`None` when there is no /proc/crypto."""
    engines: tuple[Engine, ...]
    nics: tuple[Nic, ...] | None
    """`None` when /sys does not say."""
    libcryptos: tuple[Libcrypto, ...] | None
    """`None` when there is no library directory."""
    clocks: tuple[CoreClock, ...]
    platform: Platform
    condition: Condition
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the keys that docs/hardware.md lists; unknown values are `None` or `unknown`."""
        data = _plain(self)
        if not isinstance(data, dict):  # a dataclass always becomes a dictionary
            raise TypeError("a dataclass did not become a dictionary")
        return {"schema": "ipsecbench-hardware", "schema_version": SCHEMA_VERSION, **data}


def detect(root: Path = Path("/"), measure_clock: MeasureClock | None = None) -> Hardware:
    """Find out what a box is from its files.

    Args:
        root: directory below which `proc`, `sys`, `etc` and `lib` are; `/` for the running system.
        measure_clock: measures the clock of a processor, in Hz; called once for each core type.

    Raises:
        UsageError: the root is not a directory.
        MeasurementError: there is no /proc/cpuinfo below it, or nothing in it that a kernel writes.
    """
    if not os.path.isdir(root):
        raise UsageError(f"'{root}' is not a directory: give the directory that holds the box's proc and sys")
    return examine(Source(root), measure_clock)


def examine(source: Source, measure_clock: MeasureClock | None = None, cpu: Cpu | None = None) -> Hardware:
    """Find out what a box is, wherever its files are.

    Args:
        source: its files.
        measure_clock: as :func:`detect`.
        cpu: its processors, where they are known from something else than /proc/cpuinfo.

    Raises:
        MeasurementError: there is no /proc/cpuinfo, or nothing in it that a kernel writes, and ``cpu`` is not given.
    """
    text = source.read("proc/cpuinfo") or FileText("", is_truncated=False, is_utf8=True)
    if cpu is None:
        cpu = _with_text_notes(_processors(source, text), text)
    topology = read_topology(source)
    cpu = _with_topology(cpu, topology)
    crypto_text = source.read("proc/crypto")
    crypto = None if crypto_text is None else parse_proc_crypto(crypto_text.text, crypto_text.is_truncated)
    if crypto is not None:
        cpu = _with_kernel_evidence(cpu, functions_proven_by(crypto.drivers, cpu.architecture))
    flag = None if cpu.architecture != "x86" or cpu.flags is None else "hypervisor" in cpu.flags
    platform = read_platform(source, flag)
    names = tuple(filter(None, (cpu.system, cpu.model, platform.device_model, *platform.compatibles)))
    engines = find_engines(names, None if crypto is None else crypto.drivers)
    condition = read_condition(source, topology.online)
    info = parse_cpuinfo_records(text.text, text.is_truncated)
    clocks = read_clocks(source, cpu, info, measure_clock)
    libcryptos = find_libcryptos(source)
    return Hardware(
        root=source.root,
        cpu=cpu,
        kernel_crypto=crypto,
        engines=engines,
        nics=read_nics(source),
        libcryptos=libcryptos,
        clocks=clocks,
        platform=platform,
        condition=condition,
        warnings=find_warnings(cpu, crypto, libcryptos, clocks, condition),
    )


def _processors(source: Source, text: FileText) -> Cpu:
    if not text.text.strip():
        raise MeasurementError(
            f"{_below(source, 'proc/cpuinfo')} is missing or empty: mount /proc, or copy the box's /proc/cpuinfo there"
        )
    cpu = parse_cpu(text.text, text.is_truncated, kernel_version(read_kernel_release(source)))
    if cpu.architecture is None and cpu.processors is None:
        raise MeasurementError(
            f"{_below(source, 'proc/cpuinfo')} has nothing that a Linux kernel writes: copy it again, as plain text"
        )
    return cpu


def _below(source: Source, path: str) -> str:
    return f"/{path}" if source.is_live else f"{source.root}/{path}"


def _with_text_notes(cpu: Cpu, text: FileText) -> Cpu:
    if text.is_utf8:
        return cpu
    note = "cpuinfo has bytes that are not UTF-8; they are shown as \ufffd"
    return dataclasses.replace(cpu, notes=(*cpu.notes, note))


def _with_kernel_evidence(cpu: Cpu, proven: Mapping[str, str]) -> Cpu:
    """Where cpuinfo leaves a function open (s390x always does), a loaded kernel driver that uses it settles it."""
    functions = dict(cpu.features.functions)
    capabilities = {one.name: one for one in cpu.features.capabilities}
    for function, driver in proven.items():
        if functions[function] is Presence.UNKNOWN:
            functions[function] = Presence.PRESENT
            evidence = Capability(function, Presence.PRESENT, f"/proc/crypto driver {driver}")
            capabilities[function] = evidence
    return dataclasses.replace(cpu, features=CryptoFeatures(tuple(capabilities.values()), functions))


def _with_topology(cpu: Cpu, topology: Topology) -> Cpu:
    """Correct what cpuinfo says by what /sys says, and divide a hybrid x86 into its core types."""
    core_types = cpu.core_types
    if topology.roles and len(core_types) == 1:
        whole = core_types[0]
        core_types = tuple(
            dataclasses.replace(whole, name=f"{whole.name or 'core'} ({role})", role=role, processors=processors)
            for role, processors in topology.roles
        )
    elif len(core_types) > 1 and topology.capacities:
        core_types = _with_roles(core_types, dict(topology.capacities))
    return dataclasses.replace(
        cpu,
        core_types=core_types,
        cores=topology.cores or cpu.cores,
        sockets=topology.sockets or cpu.sockets,
        clusters=topology.clusters,
    )


def _with_roles(core_types: tuple[CoreType, ...], capacities: Mapping[int, int]) -> tuple[CoreType, ...]:
    """Name the role of each kind of core by the capacity that the kernel gives it."""
    best = [max((capacities.get(processor, 0) for processor in one.processors), default=0) for one in core_types]
    if len(set(best)) < 2 or 0 in best:
        return core_types
    roles = {max(best): "performance", min(best): "efficiency"}
    return tuple(
        dataclasses.replace(one, role=roles.get(capacity, "middle"))
        for one, capacity in zip(core_types, best, strict=True)
    )


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value
