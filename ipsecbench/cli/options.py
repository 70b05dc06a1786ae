"""Options that more than one command takes, with one wording and one check each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Quick = Annotated[bool, typer.Option("--quick", help="A minute instead of five; intervals of ±3% instead of ±1%.")]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="NAME",
        help="Only these algorithms, suites or set-ups; patterns such as 'aes*' or 'ikev2:*'; repeatable.",
    ),
]
Sizes = Annotated[str | None, typer.Option("--sizes", metavar="N,N,…", help="Octets per operation or inner packet.")]
Providers = Annotated[
    str | None,
    typer.Option(
        "--providers",
        metavar="NAME,…",
        help="libcrypto, libgcrypt, libipsec-mb, cryptography, pycryptodome, ipsecbench (its own IKE stack); "
        "only by name: kernel, kernel-batched (AF_ALG).",
    ),
]
Cores = Annotated[str, typer.Option("--cores", metavar="N|all", help="Also measure with up to so many cores at once.")]
Mask = Annotated[
    str | None,
    typer.Option("--mask", metavar="NAME,…", help="Measure as if the box had no aes, clmul, vaes, sha, avx2, avx512."),
]
Budget = Annotated[float | None, typer.Option("--budget", metavar="SECONDS", help="Longest time to measure.")]
Precision = Annotated[
    float | None, typer.Option("--precision", metavar="PERCENT", help="Wanted half width of the 95% intervals.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the order in which things are measured.")]
Label = Annotated[str | None, typer.Option("--label", help="A name for this run, such as the model of the router.")]
Redact = Annotated[
    bool, typer.Option("--redact", help="Leave host names, serial numbers, MAC addresses and UUIDs out of the dataset.")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Dataset to write (default: a new name here).")
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be measured and how long, and stop.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 4 if a figure is less precise than asked for.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON to standard output.")]
