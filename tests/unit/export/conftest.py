"""The shipped dataset: a real run, read once."""

from pathlib import Path

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.store import read_dataset


@pytest.fixture(scope="session")
def example_dataset() -> Dataset:
    return read_dataset(Path(__file__).parents[3] / "datasets/example.ipsecbench.json")
