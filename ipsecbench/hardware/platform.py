"""What the box is apart from its processor: device, system, kernel, and whether it is a real machine.

No serial number, host name or address is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ipsecbench.hardware.features import Presence
from ipsecbench.hardware.source import Source, printable

_DMI = "sys/class/dmi/id"
_MEANINGLESS: Final = frozenset(
    {
        "to be filled by o.e.m.",
        "default string",
        "system manufacturer",
        "system product name",
        "none",
        "unknown",
        "not specified",
        "not applicable",
        "o.e.m.",
        "oem",
        "n/a",
        "0123456789",
    }
)
"""What makers leave in DMI fields that they did not fill."""

_HYPERVISORS: Final[Mapping[str, str]] = {
    "qemu": "QEMU",
    "kvm": "KVM",
    "vmware": "VMware",
    "virtualbox": "VirtualBox",
    "innotek": "VirtualBox",
    "xen": "Xen",
    "bochs": "Bochs",
    "parallels": "Parallels",
    "bhyve": "bhyve",
    "amazon ec2": "Amazon EC2",
    "google compute engine": "Google Compute Engine",
    "openstack": "OpenStack",
    "nutanix": "Nutanix AHV",
    "dummy-virt": "QEMU",
    "hetzner vserver": "KVM",
    "digitalocean": "KVM",
    "z/vm": "z/VM",
    "firecracker": "Firecracker",
}
"""Words in DMI, device-tree and z/VM names, and who writes them."""

_RELEASE_FILES: Final[Mapping[str, str]] = {
    "etc/openwrt_release": "OpenWrt",
    "opt/vyatta/etc/version": "Vyatta",
    "usr/local/opnsense/version/core": "OPNsense",
    "etc/dd-wrt_version": "DD-WRT",
    "etc/platform": "",
}


@dataclass(frozen=True, slots=True)
class Virtualisation:
    """Whether the box is a virtual machine or a container."""

    virtual_machine: Presence
    hypervisor: str | None
    container: str | None
    """`docker`, `podman`, `lxc`, `kubernetes` or what the container manager says; `None` where no sign was found."""
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Platform:
    """What the box is. `None`: its files do not say."""

    machine: str | None
    """As `uname -m` says."""
    kernel_release: str | None
    operating_system: str | None
    """For people, such as `OpenWrt 25.12.0`."""
    operating_system_id: str | None
    """Such as `openwrt`, `vyos` or `debian`."""
    operating_system_version: str | None
    device_vendor: str | None
    device_model: str | None
    compatibles: tuple[str, ...]
    """The device tree's names of the board and of the system-on-chip, most specific first."""
    virtualisation: Virtualisation


def read_platform(source: Source, has_hypervisor_flag: bool | None) -> Platform:
    """Read what the box is.

    Args:
        source: its files.
        has_hypervisor_flag: x86: whether cpuinfo lists the `hypervisor` flag; `None` elsewhere.
    """
    machine = source.read_line("proc/sys/kernel/arch")
    if machine is None and source.is_live:
        machine = os.uname().machine
    name, identifier, version = _operating_system(source)
    vendor, model = _dmi(source)
    tree_model = source.read_line("proc/device-tree/model") or source.read_line("sys/firmware/devicetree/base/model")
    compatibles = _compatibles(source)
    return Platform(
        machine=machine,
        kernel_release=read_kernel_release(source),
        operating_system=name,
        operating_system_id=identifier,
        operating_system_version=version,
        device_vendor=vendor,
        device_model=tree_model or model or source.read_line("tmp/sysinfo/model"),
        compatibles=compatibles,
        virtualisation=_virtualisation(source, has_hypervisor_flag, (vendor, model, *compatibles)),
    )


def read_kernel_release(source: Source) -> str | None:
    """The release of the kernel, such as `6.6.93`."""
    release = source.read_line("proc/sys/kernel/osrelease")
    if release is not None:
        return release
    match = re.match(r"Linux version (\S+)", source.read_line("proc/version") or "")
    if match is not None:
        return match.group(1)
    return os.uname().release if source.is_live else None


def kernel_version(release: str | None) -> tuple[int, int] | None:
    """Major and minor version of a kernel release."""
    match = re.match(r"(\d{1,3})\.(\d{1,3})", release or "")
    return None if match is None else (int(match.group(1)), int(match.group(2)))


def _operating_system(source: Source) -> tuple[str | None, str | None, str | None]:
    text = source.read_text("etc/os-release") or source.read_text("usr/lib/os-release") or ""
    fields = {
        key: printable(value.strip().strip("\"'"))
        for key, value in re.findall(r"^([A-Z_]{1,40})=(.{0,500})$", text, re.MULTILINE)
    }
    name = fields.get("PRETTY_NAME") or fields.get("NAME")
    if name is None:
        for path, system in _RELEASE_FILES.items():
            if line := source.read_line(path):
                match = re.search(r"DISTRIB_DESCRIPTION=['\"]?([^'\"]+)", source.read_text(path) or "")
                return (printable(match.group(1)) if match else f"{system} {line}".strip()), None, None
    return name or None, fields.get("ID") or None, fields.get("VERSION_ID") or None


def _dmi(source: Source) -> tuple[str | None, str | None]:
    vendor, board_vendor, model, board = (
        _meaningful(source.read_line(f"{_DMI}/{name}"))
        for name in ("sys_vendor", "board_vendor", "product_name", "board_name")
    )
    return vendor or board_vendor, model or board


def _meaningful(value: str | None) -> str | None:
    return None if value is None or value.lower() in _MEANINGLESS else value


def _compatibles(source: Source) -> tuple[str, ...]:
    data = source.read_bytes("proc/device-tree/compatible", 4096)
    if data is None:
        data = source.read_bytes("sys/firmware/devicetree/base/compatible", 4096) or b""
    names = (printable(name.decode("utf-8", "replace")) for name in data.split(b"\0"))
    return tuple(name for name in names if name)


def _virtualisation(source: Source, has_hypervisor_flag: bool | None, names: tuple[str | None, ...]) -> Virtualisation:
    evidence: list[str] = []
    hypervisor = None
    bios = source.read_line(f"{_DMI}/bios_vendor")
    for name in (
        *names,
        bios,
        source.read_line("proc/device-tree/hypervisor/compatible"),
        source.read_line("sys/hypervisor/type"),
        _control_program(source),
    ):
        word = next((word for word in _HYPERVISORS if word in (name or "").lower()), None)
        if word is not None and hypervisor is None:
            hypervisor = _HYPERVISORS[word]
            evidence.append(f"named '{name}'")
    if names[:2] == ("Microsoft Corporation", "Virtual Machine"):
        hypervisor = "Hyper-V"
        evidence.append("DMI vendor and product")
    if has_hypervisor_flag:
        evidence.append("cpuinfo flag hypervisor")
    presence = Presence.UNKNOWN
    if hypervisor is not None or has_hypervisor_flag:
        presence = Presence.PRESENT
    elif has_hypervisor_flag is False:
        presence = Presence.ABSENT
        evidence.append("no hypervisor flag in cpuinfo")
    container = _container(source)
    if container is not None:
        evidence.append(f"container: {container[1]}")
    return Virtualisation(presence, hypervisor, container and container[0], tuple(evidence))


def _control_program(source: Source) -> str | None:
    match = re.search(r"^VM\d\d Control Program:\s*(.{1,80})$", source.read_text("proc/sysinfo") or "", re.MULTILINE)
    return match.group(1).strip() if match else None


def _container(source: Source) -> tuple[str, str] | None:
    """The kind of container and how it is known."""
    manager = source.read_line("run/systemd/container")
    if manager is not None:
        return manager, "/run/systemd/container"
    for path, name in ((".dockerenv", "docker"), ("run/.containerenv", "podman")):
        if source.exists(path):
            return name, f"/{path}"
    groups = source.read_text("proc/1/cgroup") or ""
    for word, name in (("kubepods", "kubernetes"), ("docker", "docker"), ("lxc", "lxc"), ("libpod", "podman")):
        if word in groups:
            return name, "/proc/1/cgroup"
    if source.exists("proc/vz") and not source.exists("proc/bc"):
        return "openvz", "/proc/vz"
    return None
