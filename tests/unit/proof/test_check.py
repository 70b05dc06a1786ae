"""What is refused before a laboratory is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset
from ipsecbench.errors import UsageError
from ipsecbench.hardware import detect
from ipsecbench.hardware.same_box import other_processor
from ipsecbench.proof.run import check
from ipsecbench.recommend.requirements.traffic import IMIX, Traffic

EXAMPLE = Path(__file__).resolve().parents[3] / "datasets/example.ipsecbench.json"


@pytest.fixture(scope="module")
def here() -> Dataset:
    """A dataset that says that it was measured on this box."""
    dataset = read_dataset(EXAMPLE)
    return replace(dataset, environment={**dataset.environment, "hardware": detect(Path("/")).to_dict()})


def test_this_box_and_what_can_be_sent_are_taken(here: Dataset) -> None:
    check(here, IMIX)
    check(here, Traffic(distribution=((28, 1.0), (8800, 3.0))))


def test_the_dataset_of_another_box_is_refused(here: Dataset) -> None:
    cpu = {**here.environment["hardware"]["cpu"], "model": "Another 9000"}
    there = replace(here, environment={**here.environment, "hardware": {"cpu": cpu}})
    with pytest.raises(UsageError, match=r"measured on another box \(Another 9000, this is .*'ipsecbench lab run'"):
        check(there, IMIX)


def test_packets_that_the_laboratory_does_not_send_are_refused(here: Dataset) -> None:
    with pytest.raises(UsageError, match="28 to 8800 octets, not of 9500"):
        check(here, Traffic(size_bytes=9500))


def test_two_boxes_are_the_same_by_model_and_architecture() -> None:
    one = {"cpu": {"model": "A", "architecture": "x86_64", "cores": 4}}
    assert other_processor(one, {"cpu": {"model": "A", "architecture": "x86_64"}}) is None
    assert other_processor(one, {"cpu": {"model": "A", "architecture": "aarch64"}}) == ("A", "A")
    assert other_processor(None, one) == ("None", "A")
