"""The laboratory's packets travelled in UDP or without it, and the answer says where the wanted ones do not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements

LAB = Path(__file__).parents[3] / "datasets" / "lab.ipsecbench.json"


@pytest.fixture(scope="module")
def in_udp() -> Dataset:
    return read_dataset(LAB)


def raw(dataset: Dataset) -> Dataset:
    rows = tuple(
        replace(row, detail={**row.detail, "encapsulation": "none"}) if "encapsulation" in row.detail else row
        for row in dataset.measurements
    )
    return replace(dataset, measurements=rows)


def said(dataset: Dataset, *, nat_traversal: bool) -> list[str]:
    answer = recommend(dataset, load_policy("modern"), Requirements(nat_traversal=nat_traversal))
    return [reason.text for reason in answer.evidence.warnings if "fixed cost was measured with" in reason.text]


def test_rows_in_udp_say_little_of_packets_without_it(in_udp: Dataset) -> None:
    (text,) = said(in_udp, nat_traversal=False)
    assert "lab run --raw" in text
    assert said(in_udp, nat_traversal=True) == []


def test_and_the_other_way_round(in_udp: Dataset) -> None:
    (text,) = said(raw(in_udp), nat_traversal=True)
    assert "IP protocol 50" in text
    assert said(raw(in_udp), nat_traversal=False) == []
