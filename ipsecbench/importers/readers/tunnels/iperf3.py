"""What iperf3 prints with ``-J`` or ``--json-stream``: the payload that arrived at the other end.

It does not know what carried the traffic. A title (``-T``) or ``--extra-data`` that names it is believed and marked;
without one the figure is of something unknown. Directions are the client's: ``outbound`` is what it sent, ``inbound``
what it received (``-R``), ``both`` the two at once (``--bidir``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.published import Unit
from ipsecbench.dataset.model import Dataset
from ipsecbench.dataset.strict_json import parse_json
from ipsecbench.errors import DatasetError
from ipsecbench.importers.figures import box, library
from ipsecbench.importers.formats import Format
from ipsecbench.importers.readers.tunnels.names import UNSTATED, protection
from ipsecbench.importers.sheet import Sheet, printable
from ipsecbench.importers.text import Text

PROVIDER = "iperf3"
CLEARTEXT = "cleartext"
_MOST_DOCUMENTS = 100_000
"""Runs, or events of streams, in one text."""
ASSUMED_PAYLOAD_BYTES = 1400
_LOSS_PERCENT = 0.1
"""Beyond it a rate of UDP is more than what the path carries."""
_REACHED = 0.98
"""Part of the asked-for rate from which on the sender was the limit."""
_TOLERANCE = 0.02
_DAYS = (946_684_800, 4_102_444_800)
"""Seconds of the epoch that a clock can show: the years 2000 to 2099."""
_BEGIN = re.compile(r"(?m)^(?=\{)")
_WIREGUARD = re.compile(r"\bwg\d*\b|wireguard", re.I)
_CLEAR = re.compile(
    r"clear[ -]?text|\bplain\b|unencrypted|no (?:encryption|tunnel|vpn|ipsec)|without (?:encryption|ipsec)", re.I
)


def _confidence(text: Text) -> int:
    start = text.content[:100_000]
    if '"iperf 3' not in start and '"iperf_version"' not in start:
        return 0
    return 95 if '"test_start"' in start or '"error"' in start or '"event"' in start else 40


def _read(text: Text) -> tuple[Dataset, ...]:
    found: list[Dataset] = []
    reasons: list[tuple[int, str]] = []
    runs = list(_documents(text))
    for place, (line, document) in enumerate(runs, 1):
        sheet = Sheet(text, "iperf3", part=f"run {place}" if len(runs) > 1 else None)
        reason = document if isinstance(document, str) else _run(sheet, document, line)
        if reason is not None:
            reasons.append((line, reason))
        elif sheet.workloads:
            found.append(sheet.dataset())
    if not found:
        raise DatasetError(reasons[0][1] if reasons else "no run of iperf3 in it")
    return tuple(found)


def _documents(text: Text) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """Each run with its first line, or why it is none; the events of a stream are put together again."""
    line, stream, begun = 1, dict[str, Any](), 0
    for number, part in enumerate(_BEGIN.split(text.content)):
        first, line = line, line + part.count("\n")
        if not part.strip() or (number == 0 and not part.startswith("{")):
            continue
        if number > _MOST_DOCUMENTS:
            raise DatasetError(f"more than {_MOST_DOCUMENTS} documents in one text")
        document = _parsed(part)
        if isinstance(document, Mapping) and isinstance(document.get("event"), str) and "data" in document:
            begun = begun or first
            stream[document["event"]] = document["data"]
            if document["event"] in ("end", "error"):
                yield begun, stream
                stream, begun = {}, 0
        elif isinstance(document, (str, Mapping)):
            yield first, document
    if stream:
        yield begun, "a stream that ends before its end: cut short"


def _parsed(part: str) -> object:
    try:
        return parse_json(part.strip())  # with several streams iperf3 itself prints sock_bufsize once for each
    except (ValueError, RecursionError) as error:
        return f"not JSON, or cut short: {printable(str(error))}"


def _run(sheet: Sheet, document: Mapping[str, Any], line: int) -> str | None:
    """Take a run; why there is no figure, where there is none."""
    if isinstance(document.get("error"), str):
        return f"the run failed: {printable(document['error'])}"
    start, end = _mapping(document.get("start")), _mapping(document.get("end"))
    asked = _mapping(start.get("test_start"))
    if not end or not asked:
        return "no beginning or no end of a run in it"
    protocol = str(asked.get("protocol", ""))
    if protocol not in ("TCP", "UDP", "SCTP"):
        return f"{printable(protocol)!r} is no protocol that is known here"
    rates = _received(end, protocol)
    if not rates:
        return "no sum of what was received in it"
    _describe(sheet, start)
    work, detail = _workload(start, asked, document, rates), _facts(document, start, end, asked)
    place = _line_of(sheet.text, line, "sum_received" if "sum_received" in end else "sum")
    sheet.figure(work, sum(rates.values()), Unit.BITS, place, detail=detail)
    _judge(sheet, work, document, start, end, asked, rates)
    return None if sheet.workloads else "its rate is 0"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _rate(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def _received(end: Mapping[str, Any], protocol: str) -> dict[str, float]:
    """Bits per second that arrived, by the end's names; UDP of old versions has only what was sent, and the loss."""
    found: dict[str, float] = {}
    for name in ("sum_received", "sum_received_bidir_reverse"):
        rate = _rate(_mapping(end.get(name)).get("bits_per_second"))
        if rate is not None:
            found[name] = rate
    if found or protocol != "UDP":
        return found
    total = _mapping(end.get("sum"))
    sent, lost = _rate(total.get("bits_per_second")), _rate(total.get("lost_percent"))
    return {} if sent is None or lost is None else {"sum": sent * (1 - min(lost, 100.0) / 100)}


def _workload(
    start: Mapping[str, Any], asked: Mapping[str, Any], document: Mapping[str, Any], rates: Mapping[str, float]
) -> Workload:
    operation = "both" if len(rates) > 1 else "inbound" if asked.get("reverse") in (1, True) else "outbound"
    octets = _payload(start, asked)
    return Workload(Tier.ON_WIRE, PROVIDER, operation, _carrier(document) or UNSTATED, octets or ASSUMED_PAYLOAD_BYTES)


def _payload(start: Mapping[str, Any], asked: Mapping[str, Any]) -> int | None:
    """Octets of payload in a packet: of a datagram what was asked for, of TCP its segment."""
    names = ("blksize",) if asked.get("protocol") == "UDP" else ()
    values = [asked.get(name) for name in names] or [start.get("tcp_mss"), start.get("tcp_mss_default")]
    return next(
        (one for one in values if isinstance(one, int) and not isinstance(one, bool) and 0 < one <= 2**16), None
    )


def _carrier(document: Mapping[str, Any]) -> str | None:
    """What title and extra data say that the traffic went through."""
    said = " ".join(str(document[name]) for name in ("title", "extra_data") if isinstance(document.get(name), str))
    if not said.strip():
        return None
    if _CLEAR.search(said):
        return CLEARTEXT
    found = protection(said).algorithm
    if found not in (UNSTATED, "wireguard", "openvpn") or found == "openvpn":
        return found
    return "wireguard" if _WIREGUARD.search(said) else None


def _facts(
    document: Mapping[str, Any], start: Mapping[str, Any], end: Mapping[str, Any], asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Facts of the run; neither addresses nor names of hosts."""
    facts: dict[str, Any] = {"counts": "payload that arrived", "protocol": printable(str(asked.get("protocol")))}
    for name in ("num_streams", "duration", "omit", "target_bitrate"):
        if (value := _rate(asked.get(name))) is not None:
            facts[name] = value
    for part in ("title", "extra_data"):
        if isinstance(document.get(part), str):
            facts[part] = printable(document[part])
    total = _mapping(end.get("sum")) or _mapping(end.get("sum_received"))
    for name in ("lost_percent", "jitter_ms"):
        if (value := _rate(total.get(name))) is not None:
            facts[name] = value
    if (again := _rate(_mapping(end.get("sum_sent")).get("retransmits"))) is not None:
        facts["retransmits"] = again
    spent = _mapping(end.get("cpu_utilization_percent"))
    for name in ("host_total", "remote_total"):
        if (value := _rate(spent.get(name))) is not None:
            facts[f"cpu_{name}_percent"] = value
    rates = _intervals(document)
    if rates:
        facts["intervals_mbit_per_second"] = [min(rates) / 1e6, max(rates) / 1e6]
    return facts


def _intervals(document: Mapping[str, Any]) -> list[float]:
    parts = document.get("intervals")
    sums = [_mapping(_mapping(one).get("sum")) for one in parts[:10_000]] if isinstance(parts, list) else []
    rates = (_rate(one.get("bits_per_second")) for one in sums if one.get("omitted") is not True)
    return [rate for rate in rates if rate is not None]


def _describe(sheet: Sheet, start: Mapping[str, Any]) -> None:
    """The client's box: its kernel and architecture; its name stays out."""
    words = printable(str(start.get("system_info", ""))).split()
    if len(words) > 3:
        sheet.hardware = box(kernel=words[2], architecture=words[-1], operating_system=words[0])
    version = start.get("version")
    sheet.libraries = [library(PROVIDER, printable(version) if isinstance(version, str) else None)]
    seconds = _rate(_mapping(start.get("timestamp")).get("timesecs"))
    if seconds is not None and _DAYS[0] < seconds < _DAYS[1]:
        sheet.created = datetime.fromtimestamp(seconds, UTC).isoformat()


def _judge(
    sheet: Sheet,
    work: Workload,
    document: Mapping[str, Any],
    start: Mapping[str, Any],
    end: Mapping[str, Any],
    asked: Mapping[str, Any],
    rates: Mapping[str, float],
) -> None:
    if _carrier(document) is None:
        message = "iperf3 does not know what carried it, and neither a title nor --extra-data says so"
        sheet.verdict("carrier-unknown", message, work)
    else:
        sheet.verdict("carrier-stated", "what carried it is what the title or --extra-data says", work)
    if _payload(start, asked) is None:
        message = f"the segment is not stated: {ASSUMED_PAYLOAD_BYTES} octets are assumed; the rate is as published"
        sheet.verdict("size-assumed", message, work)
    connections = start.get("connected")
    ends = [_mapping(one) for one in connections[:100]] if isinstance(connections, list) else []
    if any(one.get("local_host") is not None and one.get("local_host") == one.get("remote_host") for one in ends):
        sheet.verdict("both-ends-on-one-box", "client and server have the same address", work)
    lost = _rate((_mapping(end.get("sum")) or _mapping(end.get("sum_received"))).get("lost_percent"))
    if lost is not None and lost > _LOSS_PERCENT:
        sheet.verdict("packets-lost", f"{lost:.3g}% of the datagrams did not arrive: the sender was too fast", work)
    wanted = (_rate(asked.get("target_bitrate")) or 0.0) * (_rate(asked.get("num_streams")) or 1.0) * len(rates)
    if wanted and sum(rates.values()) >= _REACHED * wanted:
        sheet.verdict("rate-limited", f"the sender was held to {wanted / 1e6:.6g} Mbit/s, and all of it arrived", work)
    for name in rates:
        part = _mapping(end.get(name))
        octets, seconds = _rate(part.get("bytes")), _rate(part.get("seconds"))
        if name != "sum" and octets and seconds and abs(octets * 8 / seconds - rates[name]) > _TOLERANCE * rates[name]:
            sheet.verdict("inconsistent", "the rate is not the octets over the seconds beside it", work)


def _line_of(text: Text, first: int, name: str) -> int | None:
    """The line of the rate within a sum, where the document is printed in lines."""
    inside = False
    for place in range(first, min(len(text.lines), first + 200_000) + 1):
        content = text.lines[place - 1][:200]
        inside = inside or f'"{name}":' in content
        if inside and '"bits_per_second"' in content:
            return place
    return None


FORMAT = Format("iperf3", "iperf3 with -J", _confidence, _read)
