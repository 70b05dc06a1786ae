"""The data within the report: as much of it as fits, as JSON that cannot end its element early."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ipsecbench.dataset.codec import to_document
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.answer_file import answer_document
from ipsecbench.recommend.model import Recommendation


@dataclass(frozen=True, slots=True)
class Embedded:
    """JSON for a ``<script type="application/json">`` element."""

    json: Markup
    """The text."""
    note: str
    """What it holds and what was left out."""


def script_safe(value: object) -> Markup:
    """JSON in ASCII without ``<``, ``>`` and ``&``, so that no content can end the element that holds it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # What could be read as markup was just replaced.
    return Markup(text)  # noqa: S704


def embedded_data(dataset: Dataset, recommendation: Recommendation, dataset_file: str, budget_bytes: int) -> Embedded:
    """The recommendation and as much of the dataset as the budget allows.

    Args:
        dataset: the dataset.
        recommendation: the recommendation.
        dataset_file: name of the dataset's file, for the note.
        budget_bytes: most octets of JSON.
    """
    document = to_document(dataset)
    answer = answer_document(recommendation)
    digest = f" ({dataset_file}, SHA-256 {dataset.sha256})" if dataset.sha256 else f" ({dataset_file})"
    whole = script_safe({"recommendation": answer, "dataset": document})
    if len(whole) <= budget_bytes:
        return Embedded(whole, "the recommendation and the whole dataset, raw samples included")
    thin = {
        **document,
        "measurements": [_without(row, "samples") for row in document["measurements"]],
        "trials": [_without(row, "raw") for row in document["trials"]],
    }
    medians = script_safe({"recommendation": answer, "dataset": thin})
    if len(medians) <= budget_bytes:
        return Embedded(
            medians,
            "the recommendation and the dataset with medians and intervals; "
            f"the raw samples are in the dataset's file{digest}",
        )
    alone = script_safe({"recommendation": answer})
    if len(alone) <= budget_bytes:
        return Embedded(alone, f"the recommendation alone, for size; the figures are in the dataset's file{digest}")
    return Embedded(script_safe({}), f"nothing, for size: the figures are in the dataset's file{digest}")


def _without(row: dict[str, Any], left_out: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != left_out}
