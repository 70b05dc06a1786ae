"""What the probe script printed on a box: its description, and the figures of its OpenSSL (docs/probe.md)."""

from __future__ import annotations

import re
from itertools import islice

from ipsecbench.dataset.model import Dataset
from ipsecbench.errors import DatasetError
from ipsecbench.hardware.activity import read_activity
from ipsecbench.hardware.detection import Hardware
from ipsecbench.hardware.features import Presence
from ipsecbench.hardware.memory_source import MemorySource
from ipsecbench.importers.figures import library
from ipsecbench.importers.formats import Format, import_text
from ipsecbench.importers.readers.boxes.described import name_of
from ipsecbench.importers.readers.openssl_speed import Box, read_tables
from ipsecbench.importers.readers.probe.box import further_facts, hardware_of
from ipsecbench.importers.readers.probe.parts import Part, ProbeText, is_probe, parse
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

FORMAT_NAME = "probe"
_BUSY_PROCESSORS = 0.5
"""Processors that others kept busy, beyond the one that was measured on."""
_STEAL = 0.01
_MOST_RUNS = 11_000
"""The script makes one a second, and measures for 9,999 seconds at most."""
_DATE = re.compile(r"20[1-9]\d-\d\d-\d\dT\d\d:\d\d:\d\d")


def _confidence(text: Text) -> int:
    return 100 if is_probe(text) else 0


def _read(text: Text) -> tuple[Dataset, ...]:
    probe = parse(text)
    if not any(part.lines for part in probe.parts):
        raise DatasetError("the probe's text is cut before it says anything")
    hardware = hardware_of(probe, name_of(text))
    sheet = Sheet(text, FORMAT_NAME, hardware=hardware.to_dict())
    sheet.device = text.header.get("device") or hardware.platform.device_model or hardware.cpu.system
    sheet.label = sheet.device or hardware.cpu.model
    date = probe.first("date")
    if date is not None and _DATE.fullmatch(date.about):
        sheet.created = f"{date.about}+00:00"
    sheet.environment["probe"] = further_facts(probe)
    _read_openssl(sheet, probe, hardware)
    _read_cryptsetup(sheet, probe)
    _say_what_it_is_worth(sheet, probe, hardware)
    return (sheet.dataset(),)


def _read_openssl(sheet: Sheet, probe: ProbeText, hardware: Hardware) -> None:
    version = settings = None
    aes = hardware.cpu.features.functions["aes"]
    clocks = [claim.hz for clock in hardware.clocks for claim in clock.claims if claim.kind == "maximum"]
    box = Box(
        has_aes={Presence.PRESENT: True, Presence.ABSENT: False}.get(aes),
        clock_hz=max(clocks, default=None),
        uses_aes_below_evp=hardware.cpu.architecture == "s390x",
    )
    for part in islice(probe.of("run"), _MOST_RUNS):
        if part.about.endswith(" version -a") and part.output:
            version = printable(part.output[0])
            told = next((line for line in part.output if line.startswith("CPUINFO: ")), None)
            settings = None if told is None else printable(told.removeprefix("CPUINFO: "))
            sheet.libraries.append(library("openssl-speed", version, cpu_settings=settings))
        elif " speed -mr " in part.about:
            # As it would stand in a terminal, without the path in front of the program, which says nothing.
            command = f"$ openssl{part.about[part.about.index(' speed -mr ') :]}"
            lines = [command, *(part.output if part.is_whole else part.lines)]
            read_tables(sheet, lines, part.line, version=version, cpu_settings=settings, box=box)


def _read_cryptsetup(sheet: Sheet, probe: ProbeText) -> None:
    """The kernel's own ciphers, as far as cryptsetup shows them; its lines keep their numbers."""
    for part in probe.of("run"):
        if not part.about.startswith("cryptsetup benchmark") or part.exit_code != 0:
            continue
        content = "\n" * part.line + "\n".join(part.output) + "\n"
        try:
            found = import_text(Text(content, sheet.text.sha256), "cryptsetup")
        except DatasetError:
            continue
        for dataset in found:
            _add(sheet, dataset)


def _add(sheet: Sheet, dataset: Dataset) -> None:
    """Put the figures and verdicts of a part of the text on the sheet of the whole."""
    known = {verdict.code: verdict.message for verdict in dataset.verdicts}
    for row in dataset.measurements:
        for one in row.published:
            sheet.figure(row.workload, one.value, one.unit, one.line, detail=row.detail)
        for code in row.flags:
            if code in known:
                sheet.verdict(code, known[code], row.workload)
    sheet.libraries.extend(dataset.environment.get("libraries", ()))


def _say_what_it_is_worth(sheet: Sheet, probe: ProbeText, hardware: Hardware) -> None:
    if not probe.has_beginning:
        sheet.verdict("cut-short", "the beginning of the probe's text is missing")
    elif not probe.is_complete:
        sheet.verdict("cut-short", "the end of the probe's text is missing: what came before it was read")
    if probe.strange:
        sheet.verdict(
            "text-damaged",
            f"{len(probe.strange)} lines are not as the probe prints them, first line {probe.strange[0]}: "
            "they were changed or cut on the way",
        )
    if not sheet.workloads:
        return
    load, processors = hardware.condition.load_average, hardware.cpu.processors
    steal, others = _activity(probe, processors)
    sheet.environment["steal"] = steal
    if load is not None and processors is not None and load[0] > processors / 2:
        sheet.verdict(
            "box-busy", f"load {load[0]:.2f} on {processors} processors before the measurement", *sheet.workloads
        )
    elif others is not None and others > _BUSY_PROCESSORS:
        sheet.verdict("box-busy", f"other work kept {others:.1f} processors busy meanwhile", *sheet.workloads)
    elif steal is not None and steal > _STEAL:
        sheet.verdict("box-busy", f"the hypervisor took {steal:.1%} of the time meanwhile", *sheet.workloads)
    if _throttled(probe):
        sheet.verdict("clock-throttled", "the kernel counted throttling during the measurement", *sheet.workloads)


def _phases(probe: ProbeText) -> tuple[dict[str, Part], dict[str, Part]]:
    """The values of before and after the measurement, by path."""
    found: tuple[dict[str, Part], dict[str, Part]] = {}, {}
    phase: dict[str, Part] | None = None
    for part in probe.parts:
        if part.kind == "phase":
            phase = found[0] if part.about == "before" else found[1]
        elif phase is not None and part.kind == "value" and part.is_whole:
            phase.setdefault(part.about, part)
        elif part.kind != "value":
            phase = None
    return found


def _activity(probe: ProbeText, processors: int | None) -> tuple[float | None, float | None]:
    """Between the phases: the share of time that a hypervisor took, and how many processors others kept busy."""
    before, after = (
        read_activity(MemorySource({"proc/stat": (phase["/proc/stat"].lines[0] + "\n").encode()}))
        if "/proc/stat" in phase
        else None
        for phase in _phases(probe)
    )
    if before is None or after is None:
        return None, None
    change = after.since(before)
    busy = change.busy_fraction
    others = None if busy is None or processors is None else max(0.0, busy * processors - 1)
    return change.steal_fraction, others


def _throttled(probe: ProbeText) -> bool:
    before, after = _phases(probe)
    return any(
        path in before and before[path].lines != part.lines
        for path, part in after.items()
        if path.endswith("core_throttle_count")
    )


FORMAT = Format(FORMAT_NAME, "what 'ipsecbench probe-script' prints on a box", _confidence, _read)
