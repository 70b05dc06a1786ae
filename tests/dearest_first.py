"""Where several workers run the tests: what stays together, and what begins first.

pytest-xdist gives each worker one file after the other, and begins with the files that have the most tests. The most
tests are not the most time: a file of three tests that takes two minutes would begin last, and the other workers would
wait for its end. So what takes long begins first, and what is short fills the gaps.
"""

from __future__ import annotations

from typing import Any

import pytest

DEAREST = (
    "tests/kernel",
    "tests/lab/test_lab_run.py",
    "tests/docs/test_documentation.py",
    "tests/commands/test_lab.py",
    "tests/interop/test_matrix.py",
    "tests/exchanges/test_ten_thousand_runs.py",
    "tests/exchanges/test_ten_thousand_runs_v1.py",
    "tests/fuzz/test_atheris.py",
    "tests/ansible/test_fleet.py",
    "tests/agent_cross/test_known_answers.py",
    "tests/lab/test_scenarios.py",
    "tests/remote/test_boxes.py",
    "tests/browser/test_report.py",
    "tests/browser/test_comparison.py",
    "tests/lab/test_prove.py",
    "tests/dataplane/test_endpoint_command.py",
    "tests/fuzz/test_mutations.py",
    "tests/fuzz/test_hostile_peers.py",
    "tests/agreement/test_reference_esp.py",
    "tests/commands/test_bad_input.py",
    "tests/dataplane/test_pairs.py",
)
"""Files, and folders whose files stay together, that take longest; the longest first. All others come after them."""


def group_of(test: str) -> str:
    """What a test is given to one worker with: its file, or its folder where one thing is waited for in all of it.

    All tests in the virtual machine run in one boot, which every worker that comes to one of them would wait for.
    """
    file = test.partition("::")[0]
    return next((name for name in DEAREST if file.startswith(f"{name}/")), file)


def in_order(groups: dict[str, Any]) -> list[str]:
    """The groups, the dearest first, and the others as pytest-xdist has them: the most tests first."""
    rank = {name: number for number, name in enumerate(DEAREST)}
    return sorted(groups, key=lambda name: (rank.get(name, len(DEAREST)), -len(groups[name])))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """pytest-xdist asks who deals the tests out: for ``--dist loadfile`` it is this."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class DearestFirst(LoadFileScheduling):  # type: ignore[misc]
        """Files one after the other, as ``in_order`` has them."""

        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            self.workqueue.move_to_end(in_order(self.workqueue)[0], last=False)
            super()._assign_work_unit(node)

    return DearestFirst(config, log)
