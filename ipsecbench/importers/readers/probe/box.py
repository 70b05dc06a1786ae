"""The box that the probe script looked at: the files that it copied, read as if they were below a root."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ipsecbench.errors import MeasurementError
from ipsecbench.hardware.bsd import cpuinfo_of
from ipsecbench.hardware.cpu import parse_cpu
from ipsecbench.hardware.detection import Hardware, examine
from ipsecbench.hardware.lscpu import hardware_of as lscpu_hardware
from ipsecbench.hardware.lscpu import parse_fields
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.hardware.nic import ESP_FEATURES, Nic
from ipsecbench.hardware.source import parse_integer, printable
from ipsecbench.importers.readers.probe.parts import Part, ProbeText

_MOST = 1000
"""Modules, packages and settings that are kept."""
_SOFTWARE = ("swanctl", "ipsec", "ip", "wg", "openvpn")
_PACKAGES = re.compile(r"^(?:strongswan|libreswan|openssl|libopenssl|libcrypto|wireguard|kmod-(?:ipsec|crypto|xfrm))")


def hardware_of(probe: ProbeText, name: str) -> Hardware:
    """The box; what the script could not see is unknown.

    Args:
        probe: what the script printed.
        name: what stands for the root of the box's files.
    """
    files = _files(probe)
    source = MemorySource(files, name=name)
    try:
        found = examine(source)
    except MeasurementError:
        found = _without_cpuinfo(probe, files, name)
    return replace(found, nics=None if found.nics is None else tuple(_with_offload(found.nics, probe)))


def _without_cpuinfo(probe: ProbeText, files: dict[str, bytes], name: str) -> Hardware:
    """The box where there is no /proc/cpuinfo, or not enough of it: from lscpu, or from what a BSD says."""
    told = next((part for part in probe.of("run") if part.about == "lscpu"), None)
    if told is not None and told.exit_code == 0:
        files = {path: content for path, content in files.items() if path != "proc/cpuinfo"}
        hardware = lscpu_hardware(parse_fields(told.output), name, files)
        if hardware is not None:
            return hardware
    sysctl = _sysctl(probe)
    text = cpuinfo_of(sysctl, files.get("var/run/dmesg.boot", b"").decode("utf-8", "replace"))
    cpu = parse_cpu(text)
    if cpu.model is None:
        cpu = replace(cpu, model=sysctl.get("hw.model"))
    found = examine(MemorySource(files, name=name), cpu=cpu)
    memory = parse_integer(sysctl.get("hw.physmem"))
    if memory is not None and found.condition.memory_total_bytes is None:
        found = replace(found, condition=replace(found.condition, memory_total_bytes=memory))
    return found


def _sysctl(probe: ProbeText) -> dict[str, str]:
    part = next((part for part in probe.of("run") if part.about.startswith("sysctl ")), None)
    lines = part.output if part is not None else []
    pairs = (re.match(r"([a-z_.0-9]{1,60})\s*[:=]\s*(\S.*)$", line) for line in lines)
    return {match[1]: printable(match[2]) for match in pairs if match is not None}


def _files(probe: ProbeText) -> dict[str, bytes]:
    """Content by path; of what was read twice the first, which is of before the measurement."""
    files: dict[str, bytes] = {}
    for part in probe.parts:
        path = part.about.lstrip("/")
        if part.kind == "file":
            content = "\n".join(part.lines) if part.is_whole else "\n".join(part.lines[:-1])
            files.setdefault(path, content.encode())
        elif part.kind == "value" and part.is_whole:
            files.setdefault(path, (part.lines[0] + "\n").encode())
        elif part.kind == "names" and part.is_whole:
            files.setdefault(path, "".join(f"{line}\0" for line in part.lines if line).encode())
        elif part.kind == "library":
            files.setdefault(path, "".join(part.lines[:1]).encode())
        elif part.kind == "module":
            files.setdefault(path, b"")
    uname = next((part for part in probe.of("run") if part.about.startswith("uname ")), None)
    words = uname.output[0].split() if uname is not None and uname.exit_code == 0 and uname.output else []
    if len(words) >= 3:
        files.setdefault("proc/sys/kernel/osrelease", words[1].encode())
        files.setdefault("proc/sys/kernel/arch", words[2].encode())
        if words[0] != "Linux":
            files.setdefault("etc/os-release", f'PRETTY_NAME="{words[0]} {words[1]}"\nID={words[0].lower()}\n'.encode())
    return files


def _with_offload(nics: tuple[Nic, ...], probe: ProbeText) -> Iterator[Nic]:
    told = {part.about.rpartition(" ")[2]: part for part in probe.of("run") if part.about.startswith("ethtool -k ")}
    for nic in nics:
        part = told.get(nic.name)
        if part is None or part.exit_code != 0:
            yield nic
            continue
        lines = dict(re.findall(r"^([a-z0-9-]+): (\S.*)$", "\n".join(part.output), re.MULTILINE))
        states = {
            name: "absent" if name not in lines or lines[name] == "off [fixed]" else lines[name].partition(" ")[0]
            for name in ESP_FEATURES
        }
        yield replace(nic, esp_features={**nic.esp_features, **states})


def further_facts(probe: ProbeText) -> dict[str, Any]:
    """What the script saw that has no place in the description of the hardware."""
    config = probe.first("config")
    modules = probe.first("modules")
    busybox = probe.first("busybox")
    return {
        "seconds": None if (end := probe.first("complete")) is None else parse_integer(end.about),
        "skipped": [printable(part.about)[:200] for part in probe.of("skipped")],
        "failed": [
            {"command": printable(part.about)[:200], "reason": _reason(part)}
            for part in probe.of("run")
            if part.exit_code not in (0, None) and " speed " in part.about
        ][:_MOST],
        "software": dict(_software(probe)),
        "busybox": None if busybox is None else printable(busybox.about)[:200],
        "kernel_has_xfrm": True if probe.first("xfrm") is not None else None,
        "kernel_config": {} if config is None else _config(config.lines),
        "kernel_modules": [] if modules is None else [printable(line)[:60] for line in modules.lines[:_MOST]],
    }


def _reason(part: Part) -> str:
    said = next((line for line in reversed(part.output) if line.strip()), "")
    return f"{printable(said)[:160]} (exit {part.exit_code})".strip()


def _software(probe: ProbeText) -> Iterator[tuple[str, str]]:
    for part in probe.of("run"):
        program = part.about.partition(" ")[0]
        if program in _SOFTWARE and part.exit_code == 0:
            said = next((line for line in part.output if line.strip()), "")
            yield program, printable(said)[:200]
        elif program == "opkg":
            for line in [line for line in part.output if _PACKAGES.match(line)][:_MOST]:
                package, _, version = line.partition(" - ")
                yield printable(package)[:60], printable(version)[:60]


def _config(lines: list[str]) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in lines[:_MOST] if re.match(r"CONFIG_[A-Z0-9_]{1,60}=", line))
    return {name: printable(value)[:60] for name, _, value in pairs}
