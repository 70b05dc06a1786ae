"""The openssl of this box: what it prints as text and with ``-mr`` is the same."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.unit.importers.readers.openssl.reading import dataset, rate, row

ALGORITHMS = ("sha256", "rsa1024", "ecdhp256", "ed25519")


def speed(*options: str) -> str:
    program = shutil.which("openssl")
    assert program is not None, "the program openssl is missing"
    # Processor time, because it varies less than elapsed time on a box that others use too.
    command = (program, "speed", "-seconds", "1", "-bytes", "256", *options, *ALGORITHMS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stderr + done.stdout


@pytest.mark.slow
def test_text_and_machine_readable_lines_agree() -> None:
    text = dataset(speed())
    machine = dataset(speed("-mr"))
    assert {one.workload for one in text.measurements} == {one.workload for one in machine.measurements}
    assert {one.workload.algorithm for one in text.measurements} == {"sha256", "rsa-1024", "ecp256", "ed25519"}
    for each in text.measurements:
        operation, algorithm, size = each.workload.operation, each.workload.algorithm, each.workload.size_bytes
        # The same loop a few seconds later: near enough to tell units, sizes and columns apart.
        assert rate(machine, operation, algorithm, size) == pytest.approx(
            rate(text, operation, algorithm, size), rel=0.5
        )
    # Counts, times and rates of the text agree with each other.
    assert "inconsistent" not in {verdict.code for verdict in text.verdicts}


@pytest.mark.slow
def test_two_processes_and_their_total_agree() -> None:
    made = dataset(speed("-multi", "2"))
    assert len(row(made, "digest", "sha256", 256, 2).published) == 1
    assert len(row(made, "sign", "rsa-1024", None, 2).published) == 1
    assert not {"inconsistent", "multi-summed"} & {verdict.code for verdict in made.verdicts}
