"""How the tests are dealt out to several workers."""

from __future__ import annotations

from pathlib import Path

from tests.dearest_first import DEAREST, group_of, in_order

TESTS = Path(__file__).parents[1]


def test_every_named_place_exists() -> None:
    for name in DEAREST:
        assert (TESTS.parent / name).exists(), name


def test_a_file_stays_together_and_all_that_needs_the_virtual_machine() -> None:
    assert group_of("tests/lab/test_lab_run.py::test_it[a::b]") == "tests/lab/test_lab_run.py"
    assert group_of("tests/kernel/test_ike.py::test_a") == group_of("tests/kernel/test_suites.py::test_b")
    assert group_of("tests/kernel_of_something/test_a.py::test_a") == "tests/kernel_of_something/test_a.py"


def test_the_dearest_begin_and_of_the_others_those_with_the_most_tests() -> None:
    few, many = "tests/unit/test_few.py", "tests/unit/test_many.py"
    groups = {few: {"a": False}, many: {"a": False, "b": False}, DEAREST[1]: {"a": False}, DEAREST[0]: {}}
    assert in_order(groups) == [DEAREST[0], DEAREST[1], many, few]
