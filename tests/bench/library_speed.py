"""How long a library of a thousand datasets takes: to be imported, read, compared and listed.

Makes openssl speed texts of boxes of different speeds, imports them with the command, and times the commands as a user
would, and reading and comparing within one process. With --folder an existing folder is timed instead.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SIZES = (16, 64, 256, 1024, 8192, 16384)
_CIPHERS = ("aes-128-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm", "chacha20-poly1305", "sha1", "sha256", "sha512")
_HEADER = """OpenSSL 3.0.2 15 Mar 2022
built on: Mon Jul  4 11:20:23 2022 UTC
options: bn(64,64)
The 'numbers' are in 1000s of bytes per second processed.
type             16 bytes     64 bytes    256 bytes   1024 bytes   8192 bytes  16384 bytes
"""


def speed_text(number: int) -> str:
    """What openssl speed might print on a box of a speed of its own."""
    chance = random.Random(number)
    factor = chance.uniform(0.2, 5)
    lines = []
    for name in _CIPHERS:
        speeds = (f"{factor * chance.uniform(0.9, 1.1) * 40_000 * size**0.2:.2f}k" for size in _SIZES)
        lines.append(f"{name:<17}" + "".join(f"{speed:>13}" for speed in speeds))
    return _HEADER + "\n".join(lines) + "\n"


def timed(run: Callable[[], object], repeat: int) -> list[tuple[float, float]]:
    """Elapsed and processor seconds of each of some runs, of this process and those that it ran."""
    found = []
    for _ in range(repeat):
        elapsed, busy = time.perf_counter(), _processor_seconds()
        run()
        found.append((time.perf_counter() - elapsed, _processor_seconds() - busy))
    return found


def _processor_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def show(name: str, times: list[tuple[float, float]]) -> None:
    """One line; on a machine that others use too the processor's time says more."""
    elapsed, busy = (sorted(column) for column in zip(*times, strict=True))
    print(
        f"{name:<40} {statistics.median(elapsed):6.2f} s ({elapsed[0]:.2f} to {elapsed[-1]:.2f}), "
        f"processor {statistics.median(busy):6.2f} s ({busy[0]:.2f} to {busy[-1]:.2f})",
        flush=True,
    )


def command(*words: str) -> None:
    """Run a command of ours; a comparison may exit with 1 or 3, a failure is any other code."""
    done = subprocess.run(
        [sys.executable, "-m", "ipsecbench", *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr.decode())


def main() -> None:
    """Time it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="a folder of datasets, instead of made ones")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        folder = arguments.folder
        if folder is None:
            folder, texts = Path(directory) / "library", Path(directory) / "texts"
            texts.mkdir()
            for number in range(arguments.boxes):
                (texts / f"box{number:04}.txt").write_text(speed_text(number))
            times = timed(lambda: command("import", str(texts), "--into", str(folder)), 1)
            show(f"import {arguments.boxes:,} texts, the command", times)
        _time_commands(folder.resolve(), arguments.repeat)
        _time_parts(folder.resolve(), arguments.repeat)


def _time_commands(folder: Path, repeat: int) -> None:
    place = str(folder)
    show("compare, the command", timed(lambda: command("compare", place), repeat))
    show("compare --json, the command", timed(lambda: command("compare", place, "--json"), repeat))
    show("compare --rank --goal 100M, the command", timed(lambda: command("compare", place, "--goal", "100M"), repeat))
    show("library, the command", timed(lambda: command("library", place), repeat))


def _time_parts(folder: Path, repeat: int) -> None:
    from ipsecbench.comparison.compare import compare
    from ipsecbench.comparison.participants import boxes_of
    from ipsecbench.library.reading import read_library

    library = read_library([folder])
    boxes = boxes_of(library.entries)
    rows = sum(len(box.dataset.measurements) for box in boxes)
    size = sum(entry.path.stat().st_size for entry in library.entries)
    print(f"{len(boxes):,} datasets, {rows:,} rows, {size / 1e6:.1f} MB; {len(library.unreadable)} could not be read")
    show("  read and check", timed(lambda: read_library([folder]), repeat))
    show("  compare", timed(lambda: compare(boxes), repeat))


if __name__ == "__main__":
    main()
