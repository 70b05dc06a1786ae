"""What tests of importers share: a dataset of a text, its figures as printed, and where data of others lies."""

from __future__ import annotations

from pathlib import Path

from ipsecbench.bench.measurement import Measurement
from ipsecbench.dataset.codec import from_document, to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.importers.formats import guessed_format, import_text
from ipsecbench.importers.text import Text, read_text, text_of

DATA = Path(__file__).resolve().parents[2] / "data" / "importers"
"""Texts of other tools; each names its source and licence, or was printed on a machine of the project."""


def datasets_of(text: str | Text, format_name: str) -> tuple[Dataset, ...]:
    """The datasets of a text, whose format must be guessed; each must come back from its stored form."""
    read = text_of(text.encode()) if isinstance(text, str) else text
    assert guessed_format(read).name == format_name
    found = import_text(read)
    for dataset in found:
        assert from_document(to_document(dataset)) == dataset
    return found


def dataset_of(text: str | Text, format_name: str) -> Dataset:
    """The only dataset of a text."""
    (dataset,) = datasets_of(text, format_name)
    return dataset


def data(name: str) -> Text:
    """A text of the test data."""
    return read_text(DATA / name)


def row(dataset: Dataset, operation: str, algorithm: str, size: int | None = None, cores: int = 1) -> Measurement:
    """The row of an operation and algorithm; it must be the only one."""
    (found,) = (
        one
        for one in dataset.measurements
        if (one.workload.operation, one.workload.algorithm, one.workload.cores) == (operation, algorithm, cores)
        and size in (None, one.workload.size_bytes)
    )
    return found


def figures(dataset: Dataset) -> dict[tuple[str, str, int | None], tuple[tuple[float, str], ...]]:
    """Every figure as printed, by operation, algorithm and size."""
    return {
        (one.workload.operation, one.workload.algorithm, one.workload.size_bytes): tuple(
            (figure.value, str(figure.unit)) for figure in one.published
        )
        for one in dataset.measurements
    }


def codes(dataset: Dataset) -> set[str]:
    """Codes of a dataset's verdicts; whatever marks a row must be among them."""
    found = {verdict.code for verdict in dataset.verdicts}
    assert {flag for one in dataset.measurements for flag in one.flags} <= found
    return found
