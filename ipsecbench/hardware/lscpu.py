"""What ``lscpu`` (util-linux) says of a box.

lscpu reads /proc/cpuinfo and /sys itself, so its text is turned back into what these must have said, and that is read
like any box's files. Its words differ by version: ``Core(s) per cluster`` since 2.37, one block for each kind of core
since 2.37, wrapped and indented lines since 2.37, other languages' decimal commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ipsecbench.hardware.core_types import CoreType
from ipsecbench.hardware.cpu import Cpu, parse_cpu
from ipsecbench.hardware.cpu_names import ARM_PARTS, X86_VENDORS
from ipsecbench.hardware.detection import Hardware, examine
from ipsecbench.hardware.features import Capability
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.hardware.source import MAX_DIRECTORY_ENTRIES, parse_integer, parse_processor_list, printable

_LINE = re.compile(r"^ {0,8}([A-Z][\w()/ .-]{0,50}?):[ \t]+(\S.*)$")
_CONTINUATION = re.compile(r"^ {18,}(\S.*)$")
_OF_A_CORE_TYPE: Final = frozenset(
    {
        *("model name", "model", "stepping", "flags", "cpu max mhz", "cpu min mhz", "bogomips", "cpu family"),
        *("thread(s) per core", "core(s) per socket", "core(s) per cluster", "socket(s)", "cluster(s)", "vendor id"),
    }
)
_MARKS: Final = ("architecture", "cpu op-mode(s)", "on-line cpu(s) list", "thread(s) per core", "byte order")
_MACHINES: Final = (
    (r"x86_64|amd64|i[3-6]86", "x86"), (r"aarch64(_be)?|arm64", "aarch64"), (r"arm\w*", "arm"),
    (r"ppc\w*", "power"), (r"s390x?", "s390x"), (r"riscv\d+", "riscv"), (r"mips\w*", "mips"),
    (r"loongarch\w*", "loongarch"), (r"sparc\w*", "sparc"),
)  # fmt: skip
_PARTS_BY_NAME: Final = {name.lower(): numbers for numbers, name in ARM_PARTS.items()}
_LARGEST_KHZ = 20_000_000
_MOST_KINDS = 16
"""Kinds of core that are told apart."""


@dataclass(slots=True)
class LscpuText:
    """The fields of a text, keys in lower case."""

    general: dict[str, str] = field(default_factory=dict)
    kinds: list[dict[str, str]] = field(default_factory=lambda: [{}])
    """What is said of each kind of core; those of one that is not hybrid have one."""

    def get(self, key: str) -> str | None:
        """A field of the box, or of its first kind of core; ``None`` for none, and for ``-``, which means unknown."""
        value = self.general.get(key) or self.kinds[0].get(key)
        return None if value in (None, "-", "unknown") else value

    @property
    def marks(self) -> int:
        """How many fields there are that only lscpu writes."""
        return sum(key in self.general or key in self.kinds[0] for key in _MARKS)


def parse_fields(lines: Sequence[str]) -> LscpuText:
    """The fields of a text; any text is accepted."""
    found = LscpuText()
    place: tuple[dict[str, str], str] | None = None
    for line in lines:
        wrapped = _CONTINUATION.match(line)
        if wrapped is not None and place is not None and place[1] == "flags":
            place[0]["flags"] += f" {printable(wrapped[1])}"
            continue
        match = _LINE.match(line.lstrip("\ufeff"))
        if match is None:
            place = None
            continue
        key, value = " ".join(match[1].lower().split()), printable(match[2])
        if key not in _OF_A_CORE_TYPE:
            found.general.setdefault(key, value)
            place = None
            continue
        if key == "model name" and key in found.kinds[-1]:
            if len(found.kinds) >= _MOST_KINDS:
                break
            found.kinds.append({})
        known = key in found.kinds[-1]
        found.kinds[-1].setdefault(key, value)
        place = None if known else (found.kinds[-1], key)
    return found


def hardware_of(fields: LscpuText, name: str = "lscpu", files: Mapping[str, bytes] | None = None) -> Hardware | None:
    """What box it is; ``None`` where the text does not tell its architecture.

    Args:
        fields: what lscpu said.
        name: what stands for the root of the box's files.
        files: further files of the box.
    """
    architecture = _architecture(fields)
    if architecture is None:
        return None
    counts = [_processors_of(kind) for kind in fields.kinds]
    text = "".join(_cpuinfo(fields, index, architecture) for index in range(len(counts)))
    if architecture == "s390x":
        text += f"# processors : {fields.get('cpu(s)') or ''}\n"
    own = {"proc/cpuinfo": text.encode(), **dict(_files(fields)), **(files or {})}
    cpu = _corrected(parse_cpu(text), fields, architecture, counts)
    hardware = examine(MemorySource(own, name=name), cpu=cpu)
    # Which numbers the processors of each kind have is not said.
    clocks = tuple(
        replace(clock, processor=None if len(counts) > 1 else clock.processor, core_type=core.name)
        for clock, core in zip(hardware.clocks, cpu.core_types, strict=True)
    )
    types = tuple(replace(core, processors=()) for core in cpu.core_types) if len(counts) > 1 else cpu.core_types
    return replace(hardware, cpu=replace(hardware.cpu, core_types=types), clocks=clocks)


def _architecture(fields: LscpuText) -> str | None:
    machine = fields.get("architecture")
    if machine is not None:
        return next((name for pattern, name in _MACHINES if re.fullmatch(pattern, machine, re.IGNORECASE)), None)
    vendor, name = fields.get("vendor id") or "", (fields.get("model name") or "").lower()
    flags = set((fields.get("flags") or "").split())
    signs = {
        "x86": vendor in X86_VENDORS,
        "s390x": vendor == "IBM/S390",
        "riscv": (fields.get("isa") or "").startswith("rv"),
        "loongarch": (fields.get("cpu family") or "").startswith("Loongson-64bit"),
        "sparc": "sparc" in name or any(flag.startswith("sun4") for flag in flags),
        "power": "(pvr " in (fields.get("model") or ""),
        "aarch64": "asimd" in flags,
        "arm": vendor == "ARM" or {"half", "thumb"} <= flags,
    }
    return next((one for one, is_it in signs.items() if is_it), None)


def _processors_of(kind: Mapping[str, str]) -> int | None:
    """Threads of a kind of core: threads by cores by sockets or clusters."""
    cores = _cores_of(kind)
    threads = parse_integer(kind.get("thread(s) per core"))
    return None if cores is None or threads is None else min(cores * threads, MAX_DIRECTORY_ENTRIES)


def _cores_of(kind: Mapping[str, str]) -> int | None:
    per_cluster = parse_integer(kind.get("core(s) per cluster"))
    if per_cluster is not None:
        clusters = parse_integer(kind.get("cluster(s)"))
        return None if clusters is None else per_cluster * clusters
    per_socket, sockets = parse_integer(kind.get("core(s) per socket")), parse_integer(kind.get("socket(s)"))
    return None if per_socket is None or sockets is None else per_socket * sockets


def _cpuinfo(fields: LscpuText, index: int, architecture: str) -> str:
    """What cpuinfo must have said of the first processor of a kind of core."""
    kind = fields.kinds[index]
    name, flags = kind.get("model name", ""), kind.get("flags", "")
    model, family = kind.get("model", ""), kind.get("cpu family", "")
    said = {"processor": str(index)}
    if architecture in ("arm", "aarch64"):
        implementer, part = _PARTS_BY_NAME.get(name.lower(), (0, 0))
        said |= {"CPU implementer": f"0x{implementer:02x}", "CPU part": f"0x{part:03x}", "Features": flags}
        said["CPU architecture"] = "8" if architecture == "aarch64" else "7"
    elif architecture == "x86":
        said |= {"vendor_id": _vendor_id(fields, kind), "model name": name, "flags": flags}
        said |= {"cpu family": family, "model": model, "stepping": kind.get("stepping", "")}
    elif architecture == "s390x":
        said = {"vendor_id": "IBM/S390", "features": flags}
    elif architecture == "power":
        said |= {"cpu": name, "revision": model}
    elif architecture == "mips":
        said |= {"cpu model": name or model, "ASEs implemented": flags}
    elif architecture == "loongarch":
        said |= {"CPU Family": "Loongson-64bit", "Model Name": name, "Features": flags}
    elif architecture == "riscv":
        said |= {"hart": "0", "isa": re.sub(r"\s+", "_", fields.get("isa") or "rv"), "uarch": name}
        said |= {"mvendorid": _vendor_id(fields, kind), "marchid": family, "mimpid": model}
    elif architecture == "sparc":
        # Only the type of the machine is among lscpu's flags, not what cpuinfo calls cpucaps.
        said = {"cpu": name, "ncpus probed": "1"}
    return "".join(f"{key} : {value}\n" for key, value in said.items() if value not in ("", "-")) + "\n"


def _files(fields: LscpuText) -> Iterator[tuple[str, bytes]]:
    """What the kernel's files said that lscpu shows apart from cpuinfo."""
    if machine := fields.get("architecture"):
        yield "proc/sys/kernel/arch", machine.encode()
    hypervisor = fields.get("hypervisor") or fields.get("hypervisor vendor")
    if hypervisor is not None:
        known = {"Oracle": "VirtualBox", "IBM": "z/VM", "Windows": "Microsoft"}.get(hypervisor, hypervisor)
        yield "sys/hypervisor/type", known.encode()
    boost = fields.get("frequency boost")
    if boost in ("enabled", "disabled"):
        yield "sys/devices/system/cpu/cpufreq/boost", b"1" if boost == "enabled" else b"0"
    for index, kind in enumerate(fields.kinds):
        match = re.match(r"(\d{1,5})(?:[.,](\d{1,4}))?$", kind.get("cpu max mhz", ""))
        khz = 0 if match is None else round(float(f"{match[1]}.{match[2] or 0}") * 1000)
        if 0 < khz < _LARGEST_KHZ:
            yield f"sys/devices/system/cpu/cpu{index}/cpufreq/cpuinfo_max_freq", str(khz).encode()


def _corrected(cpu: Cpu, fields: LscpuText, architecture: str, counts: Sequence[int | None]) -> Cpu:
    """The processor with the counts and names that lscpu gives."""
    online = parse_processor_list(fields.get("on-line cpu(s) list"))
    processors = len(online) or parse_integer(fields.get("cpu(s)"))
    cores = [_cores_of(kind) for kind in fields.kinds]
    total = None if None in cores else sum(one for one in cores if one is not None)
    known = [one for one in counts if one is not None]
    notes = list(cpu.notes)
    # lscpu of virtual machines and of old versions often miscounts; then only what cannot be wrong is kept.
    fits = processors is not None and len(known) == len(counts) and sum(known) == processors
    if not fits and known:
        notes.append("lscpu: threads, cores and sockets do not multiply to the number of processors; cores are unknown")
    is_arm = architecture in ("arm", "aarch64")  # where clusters were called sockets before lscpu 2.37
    types = tuple(
        _core_type(fields, index, architecture, online if len(counts) == 1 else (index,))
        for index in range(len(counts))
    )
    names = [
        f"{count}x {one.name or 'unknown core'}" if len(types) > 1 and count else one.name or ""
        for one, count in zip(types, counts, strict=True)
    ]
    evidence = tuple(
        Capability(one.name, one.presence, one.evidence.replace("cpuinfo", "lscpu"))
        for one in cpu.features.capabilities
    )
    return replace(
        cpu,
        architecture=architecture,
        vendor=" and ".join(dict.fromkeys(one.vendor for one in types if one.vendor)) or None,
        model=" + ".join(filter(None, names)) or None,
        system=None,
        processors=processors,
        cores=total if fits else None,
        sockets=parse_integer(fields.get("socket(s)")) if fits and not is_arm else None,
        clusters=parse_integer(fields.get("cluster(s)")),
        core_types=types,
        features=replace(cpu.features, capabilities=evidence),
        notes=tuple(notes),
    )


def _core_type(fields: LscpuText, index: int, architecture: str, processors: tuple[int, ...]) -> CoreType:
    """A kind of core as cpuinfo would have named it; where lscpu has only a name of its own, by that."""
    kind = fields.kinds[index]
    found = parse_cpu(_cpuinfo(fields, index, architecture)).core_types
    core = found[0] if found else CoreType(None, None, None, None, None, ())
    if architecture == "s390x":
        machine = fields.get("machine type")
        core = replace(core, name=machine and f"machine type {machine}", identifier=machine)
    elif architecture in ("arm", "aarch64") and core.name is None:
        name, vendor = kind.get("model name", "-"), _vendor_id(fields, kind)
        vendor = "Arm" if vendor == "ARM" else vendor
        core = replace(core, name=None if name == "-" else name, vendor=vendor or None, identifier=None)
    elif core.name in ("", "-"):
        core = replace(core, name=None)
    stepping = kind.get("stepping")
    if core.revision is None and stepping is not None:
        core = replace(core, revision=stepping)
    return replace(core, processors=processors)


def _vendor_id(fields: LscpuText, kind: Mapping[str, str]) -> str:
    return kind.get("vendor id") or fields.get("vendor id") or ""
