"""The environment as the report shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ipsecbench.dataset.model import Dataset, RunWarning
from ipsecbench.hardware.detection import detect
from ipsecbench.recommend.model import Recommendation
from ipsecbench.report.box.environment import Section, environment_sections, governors, stolen_share
from ipsecbench.report.box.validity import checks, warnings

Answer = Callable[..., tuple[Dataset, Recommendation]]


def _items(sections: list[Section], title: str) -> dict[str, str]:
    (section,) = (section for section in sections if section.title == title)
    return {item.name: item.value for item in section.items}


def _check(dataset: Dataset, title: str) -> tuple[str, str]:
    (check,) = (check for check in checks(dataset) if check.title == title)
    return check.state, check.text


def _with(dataset: Dataset, **environment: Any) -> Dataset:
    return replace(dataset, environment={**dataset.environment, **environment})


def test_real_hardware_is_shown_with_its_processor_first(make_answer: Answer, tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(
        "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t: 92\n"
        "model name\t: Intel(R) Celeron(R) CPU J3455 @ 1.50GHz\nflags\t\t: fpu aes pclmulqdq sha_ni sse2\n\n"
    )
    dataset, _ = make_answer()
    sections = environment_sections(_with(dataset, hardware=detect(tmp_path).to_dict()))
    assert sections[0].title == "Processor"
    facts = _items(sections, "Processor")
    assert "J3455" in facts["model"]
    assert facts["features: functions"].startswith("present: aes,")
    assert "vaes" in facts["features: capabilities"].split("absent: ")[1]
    assert "flags" not in facts


def test_clock_and_steal(make_answer: Answer) -> None:
    dataset, _ = make_answer()
    clock = {"before": [{"core": 1, "hz": 3.0e9}], "after": [{"core": 1, "hz": 2.4e9}]}
    held = _with(dataset, clock={**clock, "after": [{"core": 1, "hz": 2.99e9}]}, steal=0.002)
    sank = _with(dataset, clock=clock, steal=0.08)
    assert _check(held, "Clock")[0] == "ok"
    assert _check(sank, "Clock") == ("doubt", "core 1 went from 3.00 to 2.40 GHz (−20.0%)")
    assert _check(held, "Steal")[0] == "ok"
    assert _check(sank, "Steal") == ("doubt", "a hypervisor took 8.0% of the processor time")
    section = next(section for section in environment_sections(sank) if section.title == "Measured clock")
    assert [cell.text for cell in section.tables[0].lines[0].cells] == ["core 1", "3.00 GHz", "2.40 GHz", "−20.0%"]
    assert stolen_share(_with(dataset, steal={"percent": 2.5})) == 0.025
    assert stolen_share(_with(dataset, steal=None)) is None


def test_governor(make_answer: Answer) -> None:
    dataset, _ = make_answer()
    for names, state in ((["performance"], "ok"), (["powersave", "schedutil"], "doubt"), ([], "unknown")):
        changed = _with(dataset, hardware={"condition": {"governors": names}})
        assert governors(changed) == names
        assert _check(changed, "Governor")[0] == state


def test_doubtful_rows_are_counted(make_answer: Answer) -> None:
    dataset, _ = make_answer(unstable=["aes128gcm16", "aes256gcm16"], failed=["3des-sha1"])
    loose = sum(row.status == "unstable" for row in dataset.measurements)
    state, text = _check(dataset, "Precision")
    assert state == "doubt"
    assert text.startswith(f"{loose} of ")
    assert _check(dataset, "Correctness") == (
        "doubt",
        "wrong answers or failed operations: 3des-sha1; none of them counts",
    )
    assert _check(replace(dataset, ended="interrupted"), "Completeness")[1].startswith("the run was interrupted")


def test_what_the_run_and_the_box_say_is_warned_of_once(make_answer: Answer) -> None:
    dataset, answer = make_answer(
        warnings=(RunWarning("steal", "steal was high"),),
        environment={"hardware": {"warnings": ["the driver is generic"]}},
    )
    texts = [reason.text for reason in warnings(dataset, answer)]
    assert sum("steal was high" in text.lower() for text in texts) == 1
    assert sum("driver is generic" in text.lower() for text in texts) == 1
