"""`ipsecbench detect`: what this box is, on one screen."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from ipsecbench.hardware import Hardware
    from ipsecbench.hardware.cpu import Cpu
    from ipsecbench.hardware.kernel_crypto import EspDriver, KernelCrypto

WIDTH = 100
LABEL_WIDTH = 15
MAX_LINES = 40

_BOLD, _YELLOW, _GREEN, _DIM, _PLAIN = "\033[1m", "\033[33m", "\033[32m", "\033[2m", "\033[0m"
_MAIN_ALGORITHMS = (
    "aes-gcm-16",
    "aes-ccm-16",
    "chacha20poly1305",
    "aes-cbc-hmac-sha1",
    "aes-cbc-hmac-sha256",
    "aes-cbc-hmac-sha512",
    "aes-ctr-hmac-sha256",
    "3des-cbc-hmac-sha1",
)
_FUNCTIONS = {
    "aes": "AES",
    "carryless-multiply": "GHASH",
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "sha3": "SHA-3",
    "vector": "vectors",
}
_ANSWERS = {"present": "yes", "absent": "no", "disabled": "off", "unknown": "unknown"}


def detect_command(
    root: Annotated[
        Path, typer.Option("--root", help="Read /proc, /sys, /etc and /lib below this directory, of any box.")
    ] = Path("/"),
    json_output: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say what this box is: CPU, crypto instructions, kernel drivers, NIC offload, libcrypto, clock."""
    from ipsecbench.hardware import detect

    measures = os.path.realpath(root) == "/"
    hardware = detect(root, _measure_clock if measures else None)
    data_plane = _data_plane() if measures else None
    if json_output:
        import json

        _write(json.dumps({**hardware.to_dict(), "data_plane": data_plane}, indent=2))
        return
    has_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    _write("\n".join(screen(hardware, has_colour, data_plane)))


def _data_plane() -> dict[str, str | bool | None]:
    """Whether the running kernel has ESP, which only it can say, and which data plane an endpoint would take."""
    from ipsecbench.dataplane.kernel_esp import kernel_esp_available
    from ipsecbench.dataplane.selection import automatic_choice

    esp = kernel_esp_available()
    return {"kernel_esp": esp.available, "kernel_esp_reason": esp.reason or None, "auto": automatic_choice().value}


def _measure_clock(processor: int | None) -> float | None:
    """The measured clock, or `None` where there is no agent to measure it."""
    from ipsecbench.agent.client import measure_clock_hz
    from ipsecbench.errors import AgentError

    try:
        return measure_clock_hz(processor)
    except AgentError:
        return None


def _write(text: str) -> None:
    """Print, with a question mark for what the terminal's encoding does not have."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")


def screen(
    hardware: Hardware, has_colour: bool = False, data_plane: Mapping[str, str | bool | None] | None = None
) -> list[str]:
    """The screen of `detect`, at most 40 lines of 100 columns.

    Args:
        hardware: the box.
        has_colour: emphasise with ANSI colours.
        data_plane: what the running kernel said of ESP; None below another root, where nobody can be asked.
    """
    lines = [_title(hardware), ""]
    crypto = hardware.kernel_crypto
    lines += _section("CPU", _cpu_lines(hardware.cpu))
    lines += _section("Instructions", _instruction_lines(hardware.cpu))
    lines += _section("Kernel crypto", _kernel_lines(crypto))
    lines += _section("Data plane", _data_plane_lines(data_plane))
    lines += _section("Engines", (f"{one.name}: {one.status}" for one in hardware.engines[:4]))
    lines += _section("NIC offload", _nic_lines(hardware))
    lines += _section("libcrypto", _libcrypto_lines(hardware))
    lines += _section("Clock", _clock_lines(hardware))
    lines += _section("Box", _box_lines(hardware))
    lines += _section("Warnings", _warning_lines(hardware.warnings, MAX_LINES - len(lines)))
    return [_coloured(line) for line in lines] if has_colour else lines


def _title(hardware: Hardware) -> str:
    platform = hardware.platform
    model = platform.device_model or hardware.cpu.system
    device = " ".join(filter(None, (platform.device_vendor, model))) or "box of unknown make"
    kernel = f"Linux {platform.kernel_release}" if platform.kernel_release else "kernel unknown"
    where = "" if hardware.root == "/" else f" below {_short(hardware.root, 30)}"
    parts = [f"ipsecbench detect{where}", device, platform.operating_system or "system unknown", kernel]
    return _short(" · ".join(parts), WIDTH)


def _section(label: str, texts: Iterable[str]) -> list[str]:
    """A label and its lines; continuation lines stand under the first word of the text."""
    lines: list[str] = []
    for text in texts:
        lines += textwrap.wrap(text, WIDTH - LABEL_WIDTH, subsequent_indent="  ", break_on_hyphens=False) or [text]
    return [f"{label if index == 0 else '':<{LABEL_WIDTH}}{line}".rstrip() for index, line in enumerate(lines)]


def _cpu_lines(cpu: Cpu) -> Iterator[str]:
    name = _short(cpu.model or "model unknown", 60)
    vendor = cpu.vendor or "vendor unknown"
    yield f"{name} · {vendor} · {cpu.architecture or 'architecture unknown'}"
    counts = {"processor": cpu.processors, "core": cpu.cores, "socket": cpu.sockets, "cluster": cpu.clusters}
    yield ", ".join(_count(number, noun) for noun, number in counts.items() if number or noun in ("processor", "core"))
    if len(cpu.core_types) > 1:
        names = (_short(one.name or one.identifier or "unknown core", 40) for one in cpu.core_types[:4])
        where = (f"{one.role or 'processors'} {_ranges(one.processors)}" for one in cpu.core_types[:4])
        yield " · ".join(map(": ".join, zip(names, where, strict=True)))


def _instruction_lines(cpu: Cpu) -> Iterator[str]:
    from ipsecbench.hardware.features import Presence

    functions = cpu.features.functions
    yield " · ".join(f"{name} {_ANSWERS[functions[key].value]}" for key, name in _FUNCTIONS.items())
    for presence in (Presence.PRESENT, Presence.DISABLED, Presence.UNKNOWN):
        names = cpu.features.named(presence)
        if names:
            yield _short(f"{presence.value}: {' '.join(names)}", 2 * (WIDTH - LABEL_WIDTH) - 20)


def _kernel_lines(crypto: KernelCrypto | None) -> Iterator[str]:
    if crypto is None:
        yield "unknown: there is no /proc/crypto"
        return
    rows = [row for row in crypto.esp if row.algorithm in _MAIN_ALGORITHMS]
    for row in rows:
        if row.status != "not listed":
            yield f"{row.algorithm:<21}{_driver(row)}"
    absent = [row.algorithm for row in rows if row.status == "not listed"]
    if absent:
        yield f"not listed, loaded on demand: {', '.join(absent)}"


def _data_plane_lines(data_plane: Mapping[str, str | bool | None] | None) -> Iterator[str]:
    if data_plane is None:
        return
    has = {True: "yes", False: "no", None: "unknown"}[cast("bool | None", data_plane["kernel_esp"])]
    reason = data_plane["kernel_esp_reason"]
    yield f"ESP in the kernel: {has}" + (f" ({str(reason).split(':')[0]})" if reason else "")
    yield f"an endpoint with 'auto' takes '{data_plane['auto']}'"


def _driver(row: EspDriver) -> str:
    """Who serves an algorithm: the kind, then the driver as far as it fits; ` + ` joins the parts of a template."""
    what = f" [{row.what}]" if row.what and row.kind.value in ("simd", "engine") else ""
    priority = f" ({row.priority})" if row.priority is not None else ""
    room = WIDTH - LABEL_WIDTH - 21 - 11 - len(priority) - len(what)
    return f"{row.kind.value:<11}{_short(' + '.join(row.drivers), max(16, room))}{priority}{what}"


def _nic_lines(hardware: Hardware) -> Iterator[str]:
    if hardware.nics is None:
        yield "unknown: there is no /sys/class/net"
        return
    real = [nic for nic in hardware.nics if not nic.is_virtual]
    if not hardware.nics:
        yield "no interface found"
    for nic in real[:4]:
        states = dict(nic.esp_features)
        same = set(states.values())
        text = f"ESP {same.pop()}" if len(same) == 1 else ", ".join(f"{name} {state}" for name, state in states.items())
        speed = "" if nic.speed_mbit_per_second is None else f", {nic.speed_mbit_per_second} Mbit/s"
        yield f"{nic.name} ({nic.driver or 'driver unknown'}{speed}): {text}"
    others = len(hardware.nics) - len(real[:4])
    if others:
        yield f"{others} more, virtual or not shown"


def _libcrypto_lines(hardware: Hardware) -> Iterator[str]:
    if not hardware.libcryptos:
        yield "none found" if hardware.libcryptos is not None else "unknown: there is no library directory"
    for one in (hardware.libcryptos or ())[:3]:
        modules = "" if one.modules is None else f" · modules: {', '.join(one.modules) or 'none'}"
        yield _short(f"{one.version or 'version unknown'} · {one.path}{modules}", 2 * (WIDTH - LABEL_WIDTH) - 20)


def _clock_lines(hardware: Hardware) -> Iterator[str]:
    for clock in hardware.clocks[:4]:
        comparison = clock.comparison
        name = f"{_short(clock.core_type or 'core', 30)}: " if len(hardware.clocks) > 1 else ""
        claimed = f"claimed {_gigahertz(comparison.claimed_hz)} ({comparison.claim}), " if comparison.claimed_hz else ""
        measured = f"measured {_gigahertz(comparison.measured_hz)}, " if comparison.measured_hz else ""
        yield f"{name}{claimed}{measured}{comparison.verdict}"


def _box_lines(hardware: Hardware) -> Iterator[str]:
    condition, virtualisation = hardware.condition, hardware.platform.virtualisation
    machine = {"present": "virtual machine", "absent": "real machine"}.get(
        virtualisation.virtual_machine.value, "virtualisation unknown"
    )
    if virtualisation.hypervisor:
        machine += f" ({virtualisation.hypervisor})"
    if virtualisation.container:
        machine += f" in a container ({virtualisation.container})"
    boost = {True: "on", False: "off", None: "unknown"}[condition.is_boost_on]
    steal = condition.steal_since_boot
    yield (
        f"governor {', '.join(condition.governors) or 'unknown'} · boost {boost} · {machine} · "
        f"steal {'unknown' if steal is None else f'{steal:.1%} since boot'}"
    )
    hottest = max(condition.temperatures, key=lambda one: one.celsius, default=None)
    warmth = "unknown" if hottest is None else f"{hottest.celsius:.0f} °C ({_short(hottest.sensor, 20)})"
    load = "unknown" if condition.load_average is None else f"{condition.load_average[0]:.2f}"
    total = condition.memory_total_bytes
    memory = "unknown" if total is None else f"{total / 2**20:.0f} MiB"
    power = ", ".join(condition.power_sources[:2]) or "unknown"
    yield f"temperature {warmth} · load {load} · memory {memory} · power {_short(power, 30)}"


def _warning_lines(warnings: tuple[str, ...], room: int) -> list[str]:
    """As many warnings as fit; the rest is counted."""
    if not warnings:
        return ["none"]
    kept: list[str] = []
    used = 0
    for index, warning in enumerate(warnings):
        height = len(textwrap.wrap(warning, WIDTH - LABEL_WIDTH - 2, subsequent_indent="  ", break_on_hyphens=False))
        if (used + height >= room and index < len(warnings) - 1) or used + height > room:
            kept.append(f"{len(warnings) - index} more with --json")
            break
        kept.append(f"! {warning}")
        used += height
    return kept


def _coloured(line: str) -> str:
    label, text = line[:LABEL_WIDTH], line[LABEL_WIDTH:]
    if line.startswith("ipsecbench detect"):
        return f"{_BOLD}{line}{_PLAIN}"
    if text.startswith("! "):
        text = f"{_YELLOW}{text}{_PLAIN}"
    if label.startswith("Instructions"):
        text = text.replace(" yes", f" {_GREEN}yes{_PLAIN}").replace(" no", f" {_DIM}no{_PLAIN}")
    return f"{_BOLD}{label}{_PLAIN}{text}"


def _count(number: int | None, noun: str) -> str:
    if number is None:
        return f"number of {noun}s unknown"
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _gigahertz(hz: int) -> str:
    return f"{hz / 1e9:.2f} GHz"


def _ranges(numbers: tuple[int, ...]) -> str:
    """Processor numbers in short, such as `0-3,6`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return _short(",".join("-".join(map(str, run)) for run in runs), 30)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
