"""A dataset without its raw samples, for where there is no room for them."""

from __future__ import annotations

from dataclasses import replace

from ipsecbench.bench.measurement import Measurement
from ipsecbench.bench.published import Published, Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.source import DatasetVerdict

SAMPLES_LEFT_OUT = "samples-left-out"
"""Code of the verdict on rows whose samples were left out."""


def without_samples(dataset: Dataset) -> Dataset:
    """The dataset with medians and intervals alone; a verdict says so, and rows that lost their samples have its code.

    A median is kept as a figure in nanoseconds per operation, which is what takes the place of samples in a dataset.
    Rows that have none, because somebody else measured them or nothing was measured, stay as they are.
    """
    rows = tuple(map(_reduced, dataset.measurements))
    reduced = sum(SAMPLES_LEFT_OUT in row.flags for row in rows)
    trials = tuple(replace(trial, raw={}) for trial in dataset.trials)
    digest = f"; the whole dataset has the SHA-256 {dataset.sha256}" if dataset.sha256 else ""
    message = f"raw samples of {reduced} rows were left out for size, medians and intervals are kept{digest}"
    verdicts = dataset.verdicts
    if reduced and SAMPLES_LEFT_OUT not in {verdict.code for verdict in verdicts}:
        verdicts = (*verdicts, DatasetVerdict(SAMPLES_LEFT_OUT, message))
    return replace(dataset, measurements=rows, trials=trials, verdicts=verdicts, sha256=None)


def _reduced(row: Measurement) -> Measurement:
    if not row.samples or row.ns_per_operation is None:
        return row
    median = Published(row.ns_per_operation.median, Unit.NANOSECONDS)
    return replace(row, samples=(), published=(median,), flags=(*row.flags, SAMPLES_LEFT_OUT))
