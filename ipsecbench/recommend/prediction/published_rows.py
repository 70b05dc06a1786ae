"""What can be predicted from figures that somebody else published: rows as this program would have measured them.

A published table has seldom all that a prediction needs: ``openssl speed`` times encryption and bare hashes on however
many processes. What is missing is derived here, each step with an interval that says how little is known of it;
docs/prediction.md has the reasons. What a verdict calls unfit, or says is of something else, is never used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ipsecbench.algorithms.encryption import ENCRYPTION
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset, is_unfit

PUBLISHED_PROVIDERS = (
    *("openssl-speed", "aesbench", "cryptobench", "bssl-speed", "botan", "wolfcrypt", "cryptsetup", "tcrypt"),
)
"""Tools whose figures predictions are made from, in order of preference; after all libraries measured here."""
OF_SOMETHING_ELSE = frozenset({"instructions-ignored", "instructions-unknown", "engine-cpu-time", "tag-not-checked"})
"""Verdicts after which a figure does not say what a data plane on this box would do."""
_HASH_BLOCK_BYTES = 64
_CBC_DECRYPTION = (1.0, 0.15, 1.05)
"""Decryption over encryption in CBC: blocks are independent of each other, so that it is up to seven times as fast
where the processor has AES instructions, and as fast elsewhere. The middle is the worst of it: the slower direction
counts."""
_COUNTER_DECRYPTION = (1.0, 0.9, 1.1)
"""The same in counter modes and AEADs, where both are the same work."""
_GENERATION = (0.7, 0.2, 1.1)
"""Making a key over agreeing on a secret: the base point has tables where the library has any."""
_ONE_OF_SEVERAL = (1.0, 0.6, 1.0)
"""One process alone over one of several at once: those share clock, caches and where there are threads their cores."""


def predictable(dataset: Dataset) -> Dataset:
    """The dataset with the rows that predictions need; the same one where this program measured it.

    Args:
        dataset: any; of an import the unfit rows go and derived ones are added, ``detail.derived`` saying from what.
    """
    if dataset.source is None:
        return dataset
    rows = {row.workload: row for row in dataset.measurements if _says_what_it_seems(row)}
    for derive in (_alone, _authentications, _decryptions, _generations):
        for row in list(derive(rows)):
            rows.setdefault(row.workload, row)
    return replace(dataset, measurements=tuple(rows.values()))


def _says_what_it_seems(row: Measurement) -> bool:
    return row.usable and not is_unfit(row) and not OF_SOMETHING_ELSE.intersection(row.flags)


def _alone(rows: dict[Workload, Measurement]) -> Iterator[Measurement]:
    """One process, where only several at once were measured: the fewest of them."""
    for work in sorted((work for work in rows if work.cores > 1), key=lambda work: work.cores):
        time = rows[work].ns_per_operation
        if time is not None:
            each = _scaled(time, (work.cores, work.cores, work.cores))
            alone = replace(work, cores=1)
            if alone not in rows:
                yield _derived(alone, _scaled(each, _ONE_OF_SEVERAL), rows[work], f"one of {work.cores} at once")


def _authentications(rows: dict[Workload, Measurement]) -> Iterator[Measurement]:
    """HMAC from the bare hash: its outer hash is one more call with the shortest input (RFC 2104 section 4)."""
    for work, row in rows.items():
        if work.operation != "digest" or work.algorithm not in INTEGRITY or work.cores != 1 or work.size_bytes is None:
            continue
        outer = _shortest(rows, work)
        if outer is not None and row.ns_per_operation is not None:
            total = _sum(row.ns_per_operation, outer)
            yield _derived(replace(work, operation="authenticate"), total, row, "the bare hash and one more block")


def _shortest(rows: dict[Workload, Measurement], of: Workload) -> Estimate | None:
    """What a hash of about one block takes."""
    sizes = [
        (abs((work.size_bytes or 0) - _HASH_BLOCK_BYTES), row.ns_per_operation)
        for work, row in rows.items()
        if (work.provider, work.operation, work.algorithm, work.cores) == (of.provider, "digest", of.algorithm, 1)
    ]
    known = [(distance, time) for distance, time in sizes if time is not None]
    return min(known, key=lambda one: one[0])[1] if known else None


def _decryptions(rows: dict[Workload, Measurement]) -> Iterator[Measurement]:
    for work, row in rows.items():
        if work.operation == "encrypt" and work.tier is Tier.PRIMITIVE and work.algorithm in ENCRYPTION:
            factor = _CBC_DECRYPTION if ENCRYPTION[work.algorithm].mode == "cbc" else _COUNTER_DECRYPTION
            if row.ns_per_operation is not None:
                time = _scaled(row.ns_per_operation, factor)
                yield _derived(replace(work, operation="decrypt"), time, row, "encryption")


def _generations(rows: dict[Workload, Measurement]) -> Iterator[Measurement]:
    for work, row in rows.items():
        if work.operation == "agree" and work.algorithm in KEY_EXCHANGE and row.ns_per_operation is not None:
            time = _scaled(row.ns_per_operation, _GENERATION)
            yield _derived(replace(work, operation="generate"), time, row, "agreeing on a secret")


def _derived(workload: Workload, time: Estimate, of: Measurement, what: str) -> Measurement:
    return Measurement(
        workload,
        Status.OK,
        ns_per_operation=time,
        flags=of.flags,
        detail={**of.detail, "derived": what},
        published=of.published,
    )


def _scaled(time: Estimate, factor: tuple[float, float, float]) -> Estimate:
    middle, least, most = factor
    return Estimate(time.median * middle, time.lower * least, time.upper * most)


def _sum(one: Estimate, other: Estimate) -> Estimate:
    return Estimate(one.median + other.median, one.lower + other.lower, one.upper + other.upper)
