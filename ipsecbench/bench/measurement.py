"""What was measured: workload, raw samples, and the estimate that they support.

Everything here is immutable. Times are nanoseconds per operation; one operation is one call of a primitive, one packet
of a packet loop, one key exchange or signature step, or one part of a whole set-up of an IKE SA.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import truediv
from types import MappingProxyType
from typing import Any, overload

from ipsecbench.bench.published import Published

SIMPLE_IMIX = "imix-simple"
"""7:4:1 packets of 64, 570 and 1518 octets."""
CSIT_IMIX = "imix-csit"
"""28:16:4 packets of 64, 570 and 1518 octets, in the order that FD.io CSIT uses."""

MIXES: Mapping[str, tuple[tuple[int, int], ...]] = MappingProxyType(
    {SIMPLE_IMIX: ((64, 7), (570, 4), (1518, 1)), CSIT_IMIX: ((64, 28), (570, 16), (1518, 4))}
)
"""Mixes of inner packet sizes: (octets, how many) in one cycle."""


def mix_mean_bytes(mix: str) -> float:
    """Mean inner packet size of a mix, in octets.

    Raises:
        KeyError: there is no such mix.
    """
    parts = MIXES[mix]
    return sum(size * count for size, count in parts) / sum(count for _, count in parts)


class Tier(StrEnum):
    """How much of reality a figure holds. Figures of different tiers are never compared without saying so."""

    PRIMITIVE = "primitive"
    """One call of a cipher, MAC, key exchange or signature."""
    PACKET_LOOP = "packet-loop"
    """The whole ESP transform, no device and no operating system."""
    TUN_LAB = "tun-lab"
    """Through TUN devices and sockets in the lab."""
    KERNEL = "kernel"
    """The kernel's own IPsec (XFRM)."""
    ON_WIRE = "on-wire"
    """Between network ports of a real box."""
    HANDSHAKE = "handshake"
    """A whole set-up of an IKE SA with its Child SA by this program's own IKE stack. It stands beside the others: they
    are steps towards the traffic of a real box, and this one is about phase 1."""


LADDER = (Tier.PRIMITIVE, Tier.PACKET_LOOP, Tier.TUN_LAB, Tier.KERNEL, Tier.ON_WIRE)
"""The tiers that a figure of throughput can have, the least of reality first."""


class Status(StrEnum):
    """What became of a workload."""

    OK = "ok"
    """Measured to the precision that was asked for."""
    UNSTABLE = "unstable"
    """Measured, but the interval is wider than asked for."""
    UNSUPPORTED = "unsupported"
    """The library on this box has no such algorithm; the message says why."""
    FAILED = "failed"
    """An operation or a known answer failed; no sample counts."""
    SKIPPED = "skipped"
    """Planned, but the time budget was spent or the run was interrupted first."""


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """One thing to measure; the key of a row in a dataset."""

    tier: Tier
    """Tier of evidence."""
    provider: str
    """``libcrypto``, ``libgcrypt``, ``libipsec-mb``, ``cryptography``, ``pycryptodome``, or ``ipsecbench`` itself."""
    operation: str
    """Such as ``encrypt``, ``outbound``, ``agree`` or ``sign``: see docs/agent-protocol.md; for the tier ``handshake``
    see :mod:`ipsecbench.bench.handshake`."""
    algorithm: str
    """Proposal token, ESP suite for the packet loop, or name of a set for the tier ``handshake``."""
    size_bytes: int | None = None
    """Octets per operation (packet loop: of the inner packet); None for a mix and where size has no meaning."""
    mix: str | None = None
    """Key of :data:`MIXES`, instead of a size."""
    cores: int = 1
    """Processors loaded at once."""

    @property
    def mean_bytes(self) -> float | None:
        """Mean octets per operation; None where size has no meaning."""
        if self.mix is not None:
            return mix_mean_bytes(self.mix)
        return None if self.size_bytes is None else float(self.size_bytes)

    def __str__(self) -> str:
        """For people, such as ``aes128gcm16 outbound 576 B (packet-loop, libcrypto)``."""
        size = f" {self.size_bytes} B" if self.size_bytes is not None else f" {self.mix}" if self.mix else ""
        cores = f", {self.cores} cores" if self.cores > 1 else ""
        return f"{self.algorithm} {self.operation}{size} ({self.tier}, {self.provider}{cores})"


@dataclass(frozen=True, slots=True)
class Sample:
    """A number of operations timed as a whole.

    With several cores at once ``iterations``, ``cpu_ns`` and ``cycles`` are sums over the cores, and ``wall_ns`` is the
    time that gives their summed rate: ``iterations / wall_ns`` is what all cores did together.
    """

    round: int
    """Which interleaved round the sample was taken in, from 0."""
    iterations: int
    """Operations, all of them successful."""
    wall_ns: int
    """Elapsed time."""
    cpu_ns: int
    """Processor time of the measuring threads."""
    cycles: int | None = None
    """Cycle counter, where one can be read; ``environment`` says which."""
    involuntary_switches: int = 0
    """Times that the scheduler took the processor away."""

    @property
    def ns_per_operation(self) -> float:
        """Elapsed nanoseconds per operation."""
        return self.wall_ns / self.iterations


class SampleColumns(Sequence[Sample]):
    """The samples of a row as a dataset stores them, one column per quantity; each sample is made when it is asked for.

    It equals any sequence of the same samples. Most rows of a dataset are never asked for one.
    """

    def __init__(self, columns: Mapping[str, Sequence[int] | None]) -> None:
        """Take columns of one length, by the names of the fields of :class:`Sample`.

        Args:
            columns: the quantities; ``cycles`` may be None.
        """
        self._columns = {name: None if values is None else tuple(values) for name, values in columns.items()}

    def __len__(self) -> int:
        """How many samples."""
        return len(self._columns["round"] or ())

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        """A sample, or some of them."""
        return tuple(self)[index]

    def __iter__(self) -> Iterator[Sample]:
        """The samples in the order they were taken."""
        columns = self._columns
        cycles = columns["cycles"] or [None] * len(self)
        names = ("round", "iterations", "wall_ns", "cpu_ns")
        return map(Sample, *(columns[name] or () for name in names), cycles, columns["involuntary_switches"] or ())

    def __eq__(self, other: object) -> bool:
        """Whether the other one has the same samples."""
        return isinstance(other, (tuple, SampleColumns)) and tuple(self) == tuple(other)

    def __repr__(self) -> str:
        """As a tuple of the samples."""
        return repr(tuple(self))

    @property
    def times_ns(self) -> list[float]:
        """Elapsed nanoseconds per operation of each sample."""
        return list(map(truediv, self._columns["wall_ns"] or (), self._columns["iterations"] or ()))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median with its 95% bootstrap interval."""

    median: float
    """The median of the samples."""
    lower: float
    """Lower end of the interval."""
    upper: float
    """Upper end of the interval."""

    @property
    def relative_half_width(self) -> float:
        """Half the interval's width over the median; 0.01 is ±1%."""
        return (self.upper - self.lower) / (2 * self.median) if self.median else 0.0

    def overlaps(self, other: Estimate) -> bool:
        """Whether the two intervals share a value, so that no ranking between them is supported."""
        return self.lower <= other.upper and other.lower <= self.upper


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row of a dataset."""

    workload: Workload
    """What was measured."""
    status: Status
    """What became of it."""
    samples: Sequence[Sample] = ()
    """Raw samples in the order they were taken: a tuple, or the columns that they were read from."""
    ns_per_operation: Estimate | None = None
    """Elapsed nanoseconds per operation; None without samples."""
    cycles_per_operation: float | None = None
    """Median of the cycle counter per operation."""
    message: str | None = None
    """Why the status is not ``ok``."""
    flags: tuple[str, ...] = ()
    """Doubts about the row: ``cpu-clock-disagrees``, ``involuntary-switches``, ``few-samples``; of
    imported ones codes of :data:`ipsecbench.dataset.source.VERDICT_KINDS`."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Facts about what was run, such as ``exponent_bits`` or ``wire_bytes``."""
    published: tuple[Published, ...] = ()
    """Figures of somebody else that the estimate comes from, instead of samples; several where they were repeated."""

    @property
    def usable(self) -> bool:
        """Whether the row carries a figure."""
        return self.ns_per_operation is not None

    @property
    def times_ns(self) -> list[float]:
        """Elapsed nanoseconds per operation of each sample, or of each published figure."""
        if isinstance(self.samples, SampleColumns):
            return self.samples.times_ns
        if self.published:
            return [one.ns_per_operation(self.workload.mean_bytes) for one in self.published]
        return [sample.ns_per_operation for sample in self.samples]

    @property
    def megabits_per_second(self) -> Estimate | None:
        """Throughput in 10^6 bit/s of the octets of the operation; None where size has no meaning."""
        size = self.workload.mean_bytes
        time = self.ns_per_operation
        if size is None or time is None:
            return None
        bits = size * 8e3
        return Estimate(bits / time.median, bits / time.upper, bits / time.lower)


@dataclass(frozen=True, slots=True)
class Fit:
    """The line ``t(n) = a + b·n`` through the sizes of one algorithm and direction."""

    tier: Tier
    """Tier of the rows."""
    provider: str
    """Provider of the rows."""
    operation: str
    """Operation of the rows."""
    algorithm: str
    """Algorithm of the rows."""
    fixed_ns: Estimate
    """a: cost per operation that does not depend on its size."""
    ns_per_byte: Estimate
    """b: cost per octet."""
    sizes_bytes: tuple[int, ...]
    """Sizes that the line was drawn through."""
    worst_residual: float
    """Largest relative distance of a measured median from the line: 0.05 is 5%."""

    def predict_ns(self, size_bytes: float) -> float:
        """Nanoseconds for an operation of the size, from the line."""
        return self.fixed_ns.median + self.ns_per_byte.median * size_bytes
