"""Options of commands that compare: which rows take part, how they are grouped, and what must not happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ipsecbench.bench.measurement import Workload

_HIGHEST_PRICE = 1e12
GROUPING_NAMES = ("suite", "size", "group", "operation", "algorithm", "scope", "tier", "provider", "cores")
"""What rows can be grouped by; the same as the keys of comparison.summaries.GROUPINGS."""


def _grouping(value: str | None) -> str | None:
    if value is not None and value not in GROUPING_NAMES:
        raise typer.BadParameter(f"one of {', '.join(GROUPING_NAMES)}")
    return value


By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="|".join(GROUPING_NAMES[:4]) + "|…",
        callback=_grouping,
        help=f"Summaries instead of rows: by {', '.join(GROUPING_NAMES)} (group: of a key exchange).",
    ),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="SELECTOR:-N%[!]",
        help="Exit with 3 where a loss of more than N% is proven, or with ! where it is not disproven, such as "
        "'esp.aes128gcm16@imix:-5%'; repeatable.",
    ),
]
Price = Annotated[
    list[str] | None,
    typer.Option("--price", metavar="NAME=PRICE", help="Price of a box, for the price of a Mbit/s; repeatable."),
]
CsvOutput = Annotated[bool, typer.Option("--csv", help="Write every ratio as CSV to standard output.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Write Markdown to standard output.")]


class Filters:
    """Which rows take part; each option may be repeated, and a row must satisfy one of each kind."""

    Only = Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="[SCOPE.]ALGORITHM[@SIZE][/OPERATION]",
            help="Only these rows, such as 'esp.aes*@imix' or x25519; scopes: esp, cipher, mac, prf, kex, sig, ike.",
        ),
    ]
    Tier = Annotated[list[str] | None, typer.Option("--tier", metavar="TIER", help="Only rows of this tier.")]
    Provider = Annotated[
        list[str] | None, typer.Option("--provider", metavar="NAME", help="Only rows of this provider.")
    ]
    Size = Annotated[
        list[str] | None,
        typer.Option("--size", metavar="SIZE", help="Only rows of this size in octets, of this mix, or of any (imix)."),
    ]


def filtered(
    only: Sequence[str] | None,
    tiers: Sequence[str] | None,
    providers: Sequence[str] | None,
    sizes: Sequence[str] | None,
) -> Callable[[Workload], bool] | None:
    """Whether a row takes part; None where all do.

    Raises:
        UsageError: one of the options names what does not exist.
    """
    if not (only or tiers or providers or sizes):
        return None
    from fnmatch import fnmatchcase

    from ipsecbench.bench.measurement import Tier
    from ipsecbench.comparison.selectors import is_of_size, parse_selector
    from ipsecbench.errors import UsageError

    selectors = [parse_selector(text, "--only") for text in only or ()]
    known = [tier.value for tier in Tier]
    for name in tiers or ():
        if name not in known:
            raise UsageError(f"--tier {name!r}: there are {', '.join(known)}")

    def chosen(work: Workload) -> bool:
        return (
            (not selectors or any(one.matches(work) for one in selectors))
            and (not tiers or work.tier.value in tiers)
            and (not providers or any(fnmatchcase(work.provider, name) for name in providers))
            and (not sizes or any(is_of_size(work, size) for size in sizes))
        )

    return chosen


def prices_of(texts: Sequence[str]) -> dict[str, float]:
    """Prices by the name of the box, as :data:`Price` takes them.

    Raises:
        UsageError: one is not written so, or is no price.
    """
    from ipsecbench.errors import UsageError

    found = {}
    for text in texts:
        name, equals, amount = text.rpartition("=")
        try:
            price = float(amount)
        except ValueError:
            price = -1.0
        if not equals or not name or not 0 < price < _HIGHEST_PRICE:
            raise UsageError(f"--price {text!r}: write NAME=PRICE, such as 'er-x=59.90'")
        found[name] = price
    return found
