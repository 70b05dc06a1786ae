"""What a dataset says of its box and its run, as short texts under stable names.

Datasets come from many boxes, tools and versions: nothing is taken for granted, and what nobody says is left out. The
texts are of others: whoever shows them makes them harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from ipsecbench.dataset.model import Dataset

LONGEST = 160
"""Characters of a text."""
_MOST = 12
"""Things of a list that are named."""
_RUN_LIBRARIES = 8


def facts_of(dataset: Dataset) -> dict[str, str]:
    """Everything that may explain why two runs differ, the weightiest first; unknown things are left out."""
    hardware = _mapping(dataset.environment.get("hardware"))
    found: dict[str, str] = {}
    for name, value in (
        *_box(hardware, dataset),
        *_libraries(dataset.environment.get("libraries"), hardware),
        *_condition(hardware),
        *_run(dataset),
    ):
        text = _text(value)
        if text:
            found.setdefault(name, text)
    return found


def processor(dataset: Dataset) -> str | None:
    """The processor's name."""
    cpu = _mapping(_mapping(dataset.environment.get("hardware")).get("cpu"))
    return _text(cpu.get("model") or cpu.get("system")) or None


def device(dataset: Dataset) -> str | None:
    """What the box is called: by its own firmware, or by who published its figures."""
    platform = _mapping(_mapping(dataset.environment.get("hardware")).get("platform"))
    own = " ".join(filter(None, (_text(platform.get("device_vendor")), _text(platform.get("device_model")))))
    named = own or _text(platform.get("model"))
    if not named and dataset.source is not None:
        named = _text(dataset.source.device)
    return named or None


def processors(dataset: Dataset) -> int | None:
    """How many processors the system had, or cores where only these are known."""
    cpu = _mapping(_mapping(dataset.environment.get("hardware")).get("cpu"))
    count = next((cpu[key] for key in ("processors", "cores") if _is_whole(cpu.get(key))), None)
    return count if isinstance(count, int) else None


def clock_hz(dataset: Dataset) -> float | None:
    """The clock as it was measured, the median of all cores; None where nobody measured it."""
    clock = _mapping(dataset.environment.get("clock"))
    rates = [
        float(hz)
        for when in ("before", "after")
        for hz in (_mapping(entry).get("hz") for entry in _list(clock.get(when)))
        if isinstance(hz, int | float) and not isinstance(hz, bool) and hz > 0
    ]
    return median(rates) if rates else None


def _box(hardware: Mapping[str, Any], dataset: Dataset) -> Iterator[tuple[str, object]]:
    cpu, platform = _mapping(hardware.get("cpu")), _mapping(hardware.get("platform"))
    yield "device", device(dataset)
    yield "processor", processor(dataset)
    yield "architecture", cpu.get("architecture") or platform.get("machine")
    for entry in _list(cpu.get("core_types"))[:1]:
        kind = _mapping(entry)
        yield "revision", " ".join(filter(None, (_text(kind.get("identifier")), _text(kind.get("revision")))))
    yield "microcode", cpu.get("microcode")
    yield "processors", cpu.get("processors")
    yield "cores", cpu.get("cores")
    yield "crypto instructions", _instructions(cpu)
    yield "kernel", platform.get("kernel_release") or platform.get("kernel")
    yield "system", platform.get("operating_system")
    yield "virtual machine", _virtual(_mapping(platform.get("virtualisation")))
    mitigations = hardware.get("mitigations") or hardware.get("vulnerabilities")
    if isinstance(mitigations, Mapping):
        yield "mitigations", "; ".join(f"{name}: {_text(value)}" for name, value in sorted(mitigations.items()))
    else:
        yield "mitigations", mitigations


def _instructions(cpu: Mapping[str, Any]) -> str:
    features = _mapping(cpu.get("features"))
    functions = _mapping(features.get("functions"))
    return ", ".join(sorted(str(name)[:30] for name, presence in functions.items() if presence == "present"))


def _virtual(virtualisation: Mapping[str, Any]) -> str:
    answer = {"present": "yes", "absent": "no"}.get(str(virtualisation.get("virtual_machine")), "")
    inside = [_text(virtualisation.get(key)) for key in ("hypervisor", "container")]
    known = ", ".join(filter(None, inside))
    return f"{answer} ({known})" if answer and known else answer or known


def _libraries(entries: object, hardware: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    loaded = [entry for entry in map(_mapping, _list(entries)) if entry.get("status") == "loaded"]
    for entry in loaded[:_RUN_LIBRARIES]:
        provider = _text(entry.get("provider"))
        if provider:
            yield provider, entry.get("version") or "version unknown"
            yield f"{provider} settings", entry.get("cpu_settings")
    if not loaded:
        found = [_text(_mapping(entry).get("version")) for entry in _list(hardware.get("libcryptos"))]
        yield "libcrypto", ", ".join(filter(None, found[:_MOST]))


def _condition(hardware: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    condition = _mapping(hardware.get("condition"))
    yield "governor", ", ".join(sorted({_text(name) for name in _list(condition.get("governors"))[:256]}))
    is_boost_on = condition.get("is_boost_on")
    yield "boost", ("on" if is_boost_on else "off") if isinstance(is_boost_on, bool) else None
    memory = condition.get("memory_total_bytes")
    if _is_whole(memory):
        yield "memory", f"{int(str(memory)) / 2**30:.0f} GiB"


def _run(dataset: Dataset) -> Iterator[tuple[str, object]]:
    environment = dataset.environment
    hz = clock_hz(dataset)
    if hz is not None:
        yield "measured clock", f"{hz / 1e9:.2f} GHz"
    yield "mask", ", ".join(map(str, dataset.masked[:_MOST]))
    agent = _mapping(environment.get("agent"))
    yield "source", "measured by ipsecbench" if dataset.source is None else dataset.source.format
    if dataset.source is None:
        yield "agent", " ".join(filter(None, (_text(agent.get("version")), _text(agent.get("compiler")))))
        yield "program", f"ipsecbench {dataset.tool_version}"
        yield "Python", environment.get("python")
    else:
        yield "publisher", dataset.source.url
    yield "mode", dataset.settings.get("mode")
    yield "ended", None if dataset.ended == "finished" else dataset.ended
    yield "date", dataset.measured_on


def _text(value: object) -> str:
    """A scalar or a list of them as one short line."""
    if value is None or isinstance(value, bool | Mapping):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (_text(one) for one in value[:_MOST])))[:LONGEST]
    return " ".join(str(value).split())[:LONGEST]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
