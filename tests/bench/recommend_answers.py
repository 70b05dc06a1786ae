"""Whether ``ipsecbench recommend`` still answers the same, to the byte: for changes that should only make it quicker.

Prints one line for each dataset, policy and set of flags: the exit code, the digest of the answer and what was asked.
Run it in two trees and compare with diff.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from typer.testing import CliRunner

from ipsecbench.cli.app import app
from ipsecbench.recommend.policies.shipped import POLICIES

DATASETS = Path(__file__).resolve().parents[2] / "datasets"
FLAGS_WITH_EVERY_POLICY: tuple[tuple[str, ...], ...] = ((), ("--goal", "300M", "--profile", "512"))
OTHER_FLAGS: tuple[tuple[str, ...], ...] = (
    ("--peer", "cisco-asa", "--policy", "legacy-interop"),
    ("--peer", "windows"),
    ("--profile", "imix-csit"),
    ("--cores", "4", "--goal", "1G"),
    ("--ike-version", "1", "--policy", "legacy-interop"),
    ("--objective", "security"),
    ("--objective", "cpu"),
    ("--direction", "20:80"),
    ("--goal", "5M", "--profile", "64"),
)


def main() -> None:
    """Print the digests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="*", type=Path, default=sorted(DATASETS.glob("*.ipsecbench.json")))
    datasets: list[Path] = parser.parse_args().datasets
    questions = [("--policy", name, *flags) for name in POLICIES for flags in FLAGS_WITH_EVERY_POLICY]
    runner = CliRunner()
    for dataset in datasets:
        pairs = [("--peer-dataset", str(other)) for other in datasets if other != dataset]
        for flags in (*questions, *OTHER_FLAGS, *pairs):
            result = runner.invoke(app, ["recommend", str(dataset), "--json", *flags])
            digest = hashlib.sha256(result.output.encode()).hexdigest()[:16]
            print(result.exit_code, digest, dataset.name, *(Path(flag).name for flag in flags))


if __name__ == "__main__":
    main()
