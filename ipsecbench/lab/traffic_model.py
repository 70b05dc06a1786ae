"""What sources of test traffic send, and what they and sinks report: :mod:`ipsecbench.lab.traffic`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ipsecbench.secret import Secret

IMIX = "imix-simple"
"""7:4:1 of packets of 64, 570 and 1518 octets."""
STREAMS = 256
"""Streams have numbers from 0 to one less than this."""
FLOWS_MAXIMUM = 10_000
SEGMENTS_MAXIMUM = 64


class Vary(StrEnum):
    """What differs between the flows of a source."""

    DESTINATION = "destination"
    DESTINATION_PORT = "destination-port"
    SOURCE = "source"
    SOURCE_PORT = "source-port"


class EspPackets(StrEnum):
    """What a source of ESP packets sends."""

    SEALED = "sealed"
    """Good ones, with rising sequence numbers; or the same again and again, with ``replay``."""
    FORGED = "forged"
    """Rising sequence numbers, random octets: the ICV is wrong."""
    MALFORMED = "malformed"
    """Too short, of reserved and unknown SPIs, of lengths that no packet has."""
    GIVEN = "given"
    """Whatever the caller has made."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What a source of UDP packets sends."""

    destination: str
    destination_port: int
    size_bytes: int | None = None
    """Of the whole inner IP packet, at least 44 (IPv4) or 64 (IPv6); None for a mix."""
    mix: str | None = None
    """:data:`IMIX`, or None for one size."""
    source: str | None = None
    """Sources on a device need it."""
    source_port: int | None = None
    flows: int = 1
    """So many, up to 10,000, in turn."""
    vary: Vary = Vary.DESTINATION
    segments: int = 1
    """Packets that leave in one call of the kernel, up to 64, as one super packet."""
    wait: bool = False
    """Where a queue is full: wait for it, instead of counting packets as refused."""

    def order(self) -> dict[str, Any]:
        """The members of an order."""
        return {
            "destination": self.destination,
            "destination_port": self.destination_port,
            "size_bytes": self.size_bytes,
            "mix": self.mix,
            "source": self.source,
            "source_port": self.source_port,
            "flows": self.flows,
            "vary": self.vary.value,
            "segments": self.segments,
            "wait": self.wait,
        }


@dataclass(frozen=True, slots=True)
class EspStream:
    """What a source of ESP packets sends, and where."""

    outer_destination: str
    packets: EspPackets
    over_udp: bool = True
    """In UDP (RFC 3948), else as protocol 50."""
    outer_source: str | None = None
    outer_source_port: int | None = None
    outer_destination_port: int = 4500
    spi: int = 0
    sequence: int = 1
    """Number of the first packet."""
    esn: bool = False
    suite: str | None = None
    encryption_key: Secret | None = None
    integrity_key: Secret | None = None
    inner: Packets | None = None
    """SEALED: the packets inside, of one size."""
    size_bytes: int | None = None
    """FORGED: of the ESP packet, without outer headers."""
    prepared_packets: int = 4096
    """Packets made before the start, which are sent again with ``replay``. Those beyond are made on the way, which
    costs as much as sealing does."""
    segments: int = 1
    octets: Sequence[bytes] = ()
    """GIVEN."""

    def order(self) -> dict[str, Any]:
        """The members of an order."""
        inner = self.inner.order() if self.inner is not None else {"size_bytes": self.size_bytes}
        return {
            **inner,
            "segments": self.segments,
            "transport": "udp" if self.over_udp else "raw",
            "packets": self.packets.value,
            "outer_source": self.outer_source,
            "outer_source_port": self.outer_source_port,
            "outer_destination": self.outer_destination,
            "outer_destination_port": self.outer_destination_port,
            "spi": self.spi,
            "sequence": self.sequence,
            "esn": self.esn,
            "suite": self.suite,
            "encryption_key": self.encryption_key.reveal().hex() if self.encryption_key is not None else None,
            "integrity_key": self.integrity_key.reveal().hex() if self.integrity_key is not None else None,
            "prepared_packets": self.prepared_packets,
            "octets": [one.hex() for one in self.octets] or None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of a source. A time, a count (of packets; of octets for TCP), or both: whichever comes first."""

    seconds: float | None = None
    count: int | None = None
    packets_per_second: int | None = None
    """None: as many as can be."""
    spin: bool = False
    """Wait busily between packets: to the microsecond, at the price of a whole core."""
    replay: bool = False
    """ESP: send the prepared packets again and again."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Times from the call that sent a packet to the moment when the sink had it, in nanoseconds; buckets of 1.6%."""

    count: int
    minimum_ns: int
    mean_ns: int
    p50_ns: int
    p95_ns: int
    p99_ns: int
    p999_ns: int
    maximum_ns: int
    buckets: tuple[tuple[int, int], ...] = ()
    """Value and count of each bucket that is not empty, where it was asked for."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What a source did."""

    packets: int
    """Offered."""
    bytes: int
    """Of their IP packets; TCP: of the stream."""
    refused: int
    """Of those offered, what the kernel would not take: a queue was full."""
    wall_ns: int
    cpu_ns: int
    """Processor time of the source's thread, the kernel's work for it included."""
    behind_ns: int
    """The most that it was late."""
    reason: str | None
    """Why packets were refused, the last time."""
    running: bool = False
    retransmitted: int = 0
    """TCP: segments sent again."""
    interval_bytes: tuple[int, ...] = ()
    """TCP: octets handed to the kernel in each interval."""

    @property
    def packets_per_second(self) -> float:
        """The rate that was really offered."""
        return self.packets / self.wall_ns * 1e9 if self.wall_ns else 0.0

    @property
    def busy(self) -> float:
        """Share of its time for which it had a processor: near 1, the generator is the bottleneck."""
        return self.cpu_ns / self.wall_ns if self.wall_ns else 0.0


@dataclass(frozen=True, slots=True)
class SinkReport:
    """What a sink counted since it was reset."""

    received: int
    """Different packets of the stream; at a device, all packets."""
    bytes: int
    """Of their IP packets; TCP: of the streams."""
    duplicated: int
    late: int
    """So much later than others (a million packets) that nobody knows whether they are duplicates."""
    reordered: int
    """Behind a later packet of their flow."""
    corrupted: int
    foreign: int
    """Not of this stream, or not ours."""
    dropped: int
    """Lost because the sink was too slow."""
    wall_ns: int
    """Between the first and the last packet."""
    cpu_ns: int
    latency: Latency | None
    connections: int = 0
    """TCP: accepted."""
    interval_bytes: tuple[int, ...] = ()
    """TCP: goodput in each interval, from the first octet on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was sent, and what arrived."""

    source: SourceReport
    sink: SinkReport

    @property
    def lost(self) -> int:
        """Packets offered that did not arrive."""
        return max(0, self.source.packets - self.sink.received)


def source_report(answer: Mapping[str, Any]) -> SourceReport:
    """From the answer of an agent."""
    return SourceReport(
        packets=answer["packets"],
        bytes=answer["bytes"],
        refused=answer["refused"],
        wall_ns=answer["ended_ns"] - answer["started_ns"] if answer["ended_ns"] else 0,
        cpu_ns=answer["cpu_ns"],
        behind_ns=answer["behind_ns"],
        reason=answer["reason"],
        running=answer["running"],
        retransmitted=answer.get("retransmitted", 0),
        interval_bytes=tuple(answer.get("interval_bytes", ())),
    )


def sink_report(answer: Mapping[str, Any]) -> SinkReport:
    """From the answer of an agent."""
    told = answer.get("latency")
    latency = None
    if told is not None:
        buckets = tuple((value, count) for value, count in told.get("buckets", ()))
        latency = Latency(**{name: value for name, value in told.items() if name != "buckets"}, buckets=buckets)
    first, last = ("first_ns", "last_ns") if told is not None else ("started_ns", "ended_ns")
    return SinkReport(
        received=answer.get("received", answer["packets"]),
        bytes=answer.get("received_bytes", answer["bytes"]),
        duplicated=answer.get("duplicated", 0),
        late=answer.get("late", 0),
        reordered=answer.get("reordered", 0),
        corrupted=answer.get("corrupted", 0),
        foreign=answer.get("foreign", 0),
        dropped=answer["dropped"],
        wall_ns=answer[last] - answer[first],
        cpu_ns=answer["cpu_ns"],
        latency=latency,
        connections=answer.get("connections", 0),
        interval_bytes=tuple(answer.get("interval_bytes", ())),
    )
