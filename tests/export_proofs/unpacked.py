"""Programs of other products that are unpacked and not installed: tests/install-system-packages.sh gets them."""

from __future__ import annotations

from pathlib import Path

from tests.export_proofs.conftest import require

FOLDER = Path("/var/cache/ipsecbench/unpacked")


def program(package: str, path: str) -> Path:
    """A program of a package; the test is skipped, or fails where CI=true, if it is not there."""
    found = FOLDER / package / path
    require(None if found.exists() else f"no {found}: tests/install-system-packages.sh gets it")
    return found
