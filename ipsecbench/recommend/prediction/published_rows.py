"""What can be predicted from figures that somebody else published: rows as this program would have measured them.

A published table has seldom all that a prediction needs: ``openssl speed`` times encryption and bare hashes on however
many processes. What is missing is derived here, each step with an interval that says how little is known of it;
docs/prediction.md has the reasons. What a verdict calls unfit, or says is of something else, is never used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

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
_KEY_PER_RECORD = "key-per-record"
_WITHOUT_KEY = (0.5, 0.15, 1.0)
"""What is left of a record's own cost without its key being set: middle, least, most (docs/prediction.md)."""
_LARGE_BYTES = 4096
"""Where only sizes from here on were published, the cost of a call does not show, and short ones are derived."""
_SHORT_BYTES = (64, 256, 576, 1024, 1400, 2048)
_CALL_BYTES = {"encrypt": (50, 0, 300), "decrypt": (50, 0, 300), "digest": (190, 90, 900)}
"""What a call costs beside its octets, as so many octets more: middle, least, most (docs/prediction.md)."""
_X86_WORDS = re.compile(
    r"\b(?:x86|x86_64|amd64|i[3-6]86|intel|amd|xeon|core|i[3579]|atom|celeron|pentium|epyc|ryzen|opteron|athlon)\b",
    re.I,
)
_OTHER_WORDS = re.compile(
    r"\b(?:arm\w*|aarch64|cortex|neoverse|mips\w*|power\w*|ppc\w*|riscv\w*|apple|snapdragon)\b", re.I
)
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
    rows |= {row.workload: row for row in _without_key_schedule(rows)}
    for derive in (_alone, _short, _authentications, _decryptions, _generations):
        for row in list(derive(rows)):
            rows.setdefault(row.workload, row)
    return replace(dataset, measurements=tuple(rows.values()), environment=_described(dataset))


def _described(dataset: Dataset) -> Mapping[str, Any]:
    """The environment with what the text said of the box where its processor's fields do not: model and architecture.

    A prediction needs to know whether a processor is an x86 one, and its clock, which is often a part of its name.
    """
    hardware = dataset.environment.get("hardware")
    hardware = dict(hardware) if isinstance(hardware, Mapping) else {}
    cpu = dict(hardware["cpu"]) if isinstance(hardware.get("cpu"), Mapping) else {}
    source = dataset.source
    words = " ".join(str(word) for word in (cpu.get("model"), source and source.device, dataset.label) if word)
    if not cpu.get("model") and words:
        cpu["model"] = words
    if not cpu.get("architecture"):
        settings = " ".join(str(one.get("cpu_settings")) for one in _entries(dataset.environment.get("libraries")))
        if "ia32cap" in settings or (_X86_WORDS.search(words) and not _OTHER_WORDS.search(words)):
            cpu["architecture"] = "x86"
    return {**dataset.environment, "hardware": {**hardware, "cpu": cpu}}


def _entries(libraries: object) -> Iterator[Mapping[str, Any]]:
    for entry in libraries if isinstance(libraries, (list, tuple)) else ():
        if isinstance(entry, Mapping):
            yield entry


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


def _without_key_schedule(rows: Mapping[Workload, Measurement]) -> Iterator[Measurement]:
    """Records for each of which the key was set anew, without that: an SA sets its key once.

    What a record costs beside its octets is what is left at its size of the line through the two largest sizes.
    """
    groups: dict[Workload, list[Measurement]] = defaultdict(list)
    for work, row in rows.items():
        if _KEY_PER_RECORD in row.flags and work.size_bytes is not None:
            groups[replace(work, size_bytes=None)].append(row)
    for found in groups.values():
        ordered = sorted(found, key=lambda row: row.workload.size_bytes or 0)
        if len(ordered) < 2:
            continue
        slope = _slope(ordered[-2], ordered[-1])
        for row in ordered:
            time, octets = row.ns_per_operation, slope * (row.workload.size_bytes or 0)
            if time is not None and 0 < octets < time.median:
                beside = time.median - octets
                middle, least, most = (octets + beside * share for share in _WITHOUT_KEY)
                yield _derived(
                    row.workload,
                    Estimate(middle, min(least, time.lower), max(most, middle)),
                    row,
                    "records without the key being set for each",
                )


def _slope(one: Measurement, other: Measurement) -> float:
    """Nanoseconds an octet between two sizes."""
    near, far = one.ns_per_operation, other.ns_per_operation
    if near is None or far is None:
        return 0.0
    return (far.median - near.median) / ((other.workload.size_bytes or 0) - (one.workload.size_bytes or 0))


def _short(rows: dict[Workload, Measurement]) -> Iterator[Measurement]:
    """Short operations, where only long ones were published: their octets and what a call costs."""
    groups: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
    for work in rows:
        if work.cores == 1 and work.size_bytes is not None and work.operation in _CALL_BYTES:
            groups[work.provider, work.operation, work.algorithm].append(work)
    for works in groups.values():
        least = min(works, key=lambda work: work.size_bytes or 0)
        time, size = rows[least].ns_per_operation, least.size_bytes or 0
        if time is None or size < _LARGE_BYTES:
            continue
        middle, fewest, most = _CALL_BYTES[least.operation]
        for short in (one for one in _SHORT_BYTES if one < size):
            factor = (
                (short + middle) / (size + middle),
                (short + fewest) / (size + fewest),
                (short + most) / (size + most),
            )
            row = _derived(
                replace(least, size_bytes=short), _scaled(time, factor), rows[least], f"{size} octets at once"
            )
            yield row


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
