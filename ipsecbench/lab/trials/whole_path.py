"""Trials over the whole path between two hosts: one TCP connection, set-ups, the first packet, many SAs beside one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.bench.measurement import Estimate, Status, Tier, Workload
from ipsecbench.bench.statistics import median_estimate
from ipsecbench.dataplane.interface import DataPlane
from ipsecbench.dataset.trial import CLEARTEXT, PLAIN_VETH, LabTrial, TrialKind
from ipsecbench.errors import IpsecbenchError, MeasurementError
from ipsecbench.esp.configuration import Direction, SaConfiguration, UdpEncapsulation
from ipsecbench.esp.mode import Mode
from ipsecbench.lab import tcp_stream
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.trials.burst import OPENED, SEALED, BurstRunner, Flow
from ipsecbench.lab.trials.own_bed import CONNECTION, OwnBed
from ipsecbench.secret import Secret

_FIRST_PACKET_PORT = 4711
_FIRST_PACKET_SECONDS = 5.0
_FIRST_SPI = 0x40000000
_NATT_PORT = 4500


class PathBed(Protocol):
    """Two hosts whose traffic goes through SAs, whoever's they are."""

    @property
    def provider(self) -> str:
        """Whose data planes."""

    @property
    def hosts(self) -> Hosts:
        """The hosts."""

    @property
    def flows(self) -> Mapping[str, Flow]:
        """Addresses of each suite's flow."""

    @property
    def encapsulation(self) -> str:
        """``udp`` or ``none``."""


def failed(trial: LabTrial, error: IpsecbenchError) -> LabTrial:
    """The trial with the reason why there is no figure."""
    return replace(trial, status=Status.FAILED, message=str(error))


def tcp_streams(
    bed: PathBed, suites: Sequence[str], seconds: float, rounds: int, *, in_clear: bool = True
) -> list[LabTrial]:
    """One TCP connection through each suite and, first, in clear, in interleaved rounds.

    Args:
        bed: hosts with the suites' SAs.
        suites: which.
        seconds: of each connection; iperf3 takes whole ones.
        rounds: how often.
        in_clear: past the data planes too.
    """
    hosts = bed.hosts
    ways = {CLEARTEXT: (hosts.local.ipv4, hosts.peer.ipv4)} if in_clear else {}
    ways |= {suite: (bed.flows[suite].source, bed.flows[suite].destination) for suite in suites}
    found: dict[str, list[tcp_stream.Stream]] = {name: [] for name in ways}
    reasons: dict[str, IpsecbenchError] = {}
    for _ in range(rounds):
        for name, (source, destination) in ways.items():
            if name in reasons:
                continue
            try:
                found[name].append(tcp_stream.measure(hosts.local, hosts.peer, source, destination, seconds))
            except IpsecbenchError as error:
                reasons[name] = error
    trials = []
    for name, streams in found.items():
        without = name == CLEARTEXT
        trial = LabTrial(
            TrialKind.TCP_STREAM,
            Tier.TUN_LAB,
            PLAIN_VETH if without else bed.provider,
            name,
            peer=None if without else bed.provider,
            direction="both",
            encapsulation=None if without else bed.encapsulation,
        )
        if name in reasons or not streams:
            trials.append(failed(trial, reasons.get(name, MeasurementError("no connection came about"))))
            continue
        rates = [stream.mbit_per_second for stream in streams]
        trials.append(
            replace(
                trial,
                values={"mbit_per_second": median_estimate(rates)},
                raw={
                    "mbit_per_second": tuple(rates),
                    "retransmissions": tuple(float(stream.retransmissions) for stream in streams),
                },
                detail={"seconds": seconds, "program": streams[0].program, "mss_bytes": streams[0].mss_bytes},
            )
        )
    return trials


def set_ups(bed: OwnBed, suite: str, count: int, clock: Callable[[], float] = time.monotonic) -> list[LabTrial]:
    """IKE SAs with one Child SA each, one after another, and the time until the first packet came through.

    Both ends are ours and in one process, so the time of a set-up is the work of both.

    Args:
        bed: hosts whose endpoints have a connection with the suite.
        suite: of the Child SA.
        count: how many set-ups.
        clock: seconds that only grow.
    """
    flow = bed.flows[suite]
    common = LabTrial(
        TrialKind.SETUP_RATE,
        Tier.TUN_LAB,
        bed.provider,
        suite,
        peer=bed.provider,
        encapsulation=bed.encapsulation,
        detail={"ike": bed.ike_proposal, "authentication": "psk"},
    )
    set_up_ms: list[float] = []
    first_ms: list[float] = []
    address = (flow.destination, _FIRST_PACKET_PORT)
    receiver = bed.hosts.peer.udp_socket(_FIRST_PACKET_PORT, flow.destination)
    sender = bed.hosts.local.udp_socket(_FIRST_PACKET_PORT, flow.source)
    try:
        receiver.settimeout(_FIRST_PACKET_SECONDS)
        for number in range(count):
            began = clock()
            bed.sender.peer.initiate(CONNECTION, [suite])
            set_up_ms.append((clock() - began) * 1e3)
            word = number.to_bytes(4, "big") + secrets.token_bytes(8)
            sender.sendto(word, address)
            while receiver.recv(64) != word:
                pass
            first_ms.append((clock() - began) * 1e3)
    except (IpsecbenchError, OSError) as error:
        reason = error if isinstance(error, IpsecbenchError) else MeasurementError(f"no packet came through: {error}")
        return [failed(common, reason)]
    finally:
        receiver.close()
        sender.close()
    times = median_estimate(set_up_ms)
    rate = Estimate(1e3 / times.median, 1e3 / times.upper, 1e3 / times.lower)
    return [
        replace(
            common,
            values={"set_ups_per_second": rate, "set_up_ms": times},
            raw={"set_up_ms": tuple(set_up_ms)},
        ),
        replace(
            common,
            kind=TrialKind.FIRST_PACKET,
            values={"first_packet_ms": median_estimate(first_ms)},
            raw={"first_packet_ms": tuple(first_ms)},
        ),
    ]


def many_sas(
    bed: OwnBed, runner: BurstRunner, suite: str, counts: Sequence[int], rounds: int, size_bytes: int = 64
) -> list[LabTrial]:
    """What a packet costs beside so many other SAs.

    Args:
        bed: hosts with an SA of the suite.
        runner: takes bursts of the bed.
        suite: which.
        counts: of other SA pairs, rising.
        rounds: bursts for each count.
        size_bytes: of the inner packets.
    """
    there = 0
    costs: dict[str, dict[int, list[float]]] = {SEALED: {}, OPENED: {}}
    work = {name: Workload(Tier.TUN_LAB, bed.provider, name, suite, size_bytes) for name in (SEALED, OPENED)}
    trials = []
    for count in counts:
        for direction, station in ((Direction.OUTBOUND, bed.sender), (Direction.INBOUND, bed.receiver)):
            added = [_other_sa(bed, direction, number, suite) for number in range(there, count)]
            station.peer.ask(lambda plane, sas=added: _add(plane, sas))  # type: ignore[misc]
        there = count
        for _ in range(rounds):
            for name in (SEALED, OPENED):
                sample = runner.sample(work[name], 1)
                costs[name].setdefault(count, []).append(sample.wall_ns / sample.iterations)
    for name, by_count in costs.items():
        first = min(by_count)
        columns = {f"{count}_sas_ns": tuple(values) for count, values in by_count.items()}
        estimates = {f"{count}_sas_ns": median_estimate(values) for count, values in by_count.items()}
        base = estimates[f"{first}_sas_ns"].median
        last = estimates[f"{max(by_count)}_sas_ns"]
        ratio = Estimate(last.median / base, last.lower / base, last.upper / base)
        trials.append(
            LabTrial(
                TrialKind.MANY_SAS,
                Tier.TUN_LAB,
                bed.provider,
                suite,
                peer=bed.provider,
                direction=name,
                size_bytes=size_bytes,
                encapsulation=bed.encapsulation,
                limited_by="plane",
                values={**estimates, "ratio": ratio},
                raw=columns,
            )
        )
    return trials


def _add(plane: DataPlane, sas: Sequence[SaConfiguration]) -> None:
    for sa in sas:
        plane.add_sa(sa)


def _other_sa(bed: OwnBed, direction: Direction, number: int, suite: str) -> SaConfiguration:
    """An SA that no packet of a trial uses."""
    parts: EspSuite = esp_suites()[suite]
    integrity = parts.integrity
    return SaConfiguration(
        direction=direction,
        spi=_FIRST_SPI + number,
        reqid=_FIRST_SPI + number,
        suite=parts,
        encryption_key=Secret(secrets.token_bytes(parts.encryption.keymat_bytes)),
        integrity_key=None if integrity is None else Secret(secrets.token_bytes(integrity.key_bytes)),
        mode=Mode.TUNNEL,
        source=bed.hosts.local.ipv4,
        destination=bed.hosts.peer.ipv4,
        encapsulation=UdpEncapsulation(_NATT_PORT, _NATT_PORT) if bed.encapsulation == "udp" else None,
    )
