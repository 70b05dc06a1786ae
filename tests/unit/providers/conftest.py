"""Both libraries, and the vectors that they are held against."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.errors import UnsupportedError
from ipsecbench.providers.catalogue import PROVIDERS, Catalogue
from ipsecbench.providers.interface import Provider

VECTORS = Path(__file__).parents[2] / "vectors" / "providers"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """A catalogue of its own for the tests."""
    return Catalogue()


@pytest.fixture(scope="session", params=PROVIDERS)
def provider(request: pytest.FixtureRequest, catalogue: Catalogue) -> Provider:
    """Each library in turn."""
    name: str = request.param
    return catalogue.provider(name)


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """From a path below tests/vectors/providers to what the file holds."""
    return lambda path: json.loads((VECTORS / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def offered(provider: Provider) -> Callable[[Callable[[], Any]], Any]:
    """What a factory gives, or a skipped test where the library has no such algorithm."""

    def build(factory: Callable[[], Any]) -> Any:
        try:
            return factory()
        except UnsupportedError as error:
            pytest.skip(str(error))

    return build
