"""What must come through an SA and comes in clear is dropped (RFC 4301 section 5.2).

A data plane over TUN sees only what is ESP; a packet that a policy protects and that somebody sends in clear would go
past it. Rules of nftables in the host refuse it on every interface but the data plane's own, silently and
before anything answers, and count it.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence

from ipsecbench.errors import LaboratoryError
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.lab.namespaces import Host

COUNTER = "XfrmInTmplMismatch"
"""Linux's name for what is counted here."""
_TABLE = "ipsecbench_clear"
_ANY_PORT = (0, 65535)
_WITH_PORTS = (6, 17, 132)
_PASSES = (
    "meta l4proto esp accept",
    "udp dport { 500, 4500 } accept",
    # What a link and a path have to say of themselves: neighbours, routers, too long packets.
    "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, packet-too-big,"
    " destination-unreachable } accept",
    "icmp type destination-unreachable accept",
)
Pair = tuple[Sequence[TrafficSelector], Sequence[TrafficSelector]]
"""Traffic selectors of this end and of the peer."""


def guard(host: Host, device: str, protected: Sequence[Pair], bypassed: Sequence[Pair] = ()) -> None:
    """Refuse from now on what must be protected; rules of an earlier call are replaced.

    Args:
        host: where.
        device: the data plane's own device.
        protected: what must come through an SA.
        bypassed: what may come in clear although it is among that.

    Raises:
        LaboratoryError: the kernel refuses the rules.
    """
    rules = [f'iifname {{ "lo", "{device}" }} accept', *_PASSES]
    rules += [f"{match} accept" for match in _matches(bypassed)]
    rules += [f"{match} counter drop" for match in _matches(protected)]
    lines = "\n".join(f"    {rule}" for rule in rules)
    text = (
        f"table inet {_TABLE}\ndelete table inet {_TABLE}\ntable inet {_TABLE} {{\n  chain incoming {{\n"
        f"    type filter hook prerouting priority -300; policy accept;\n{lines}\n  }}\n}}\n"
    )
    done = host.run("nft", "-f", "-", text=text)
    if done.returncode:
        raise LaboratoryError(f"nft refuses the rules against packets in clear: {done.stderr.strip()}")


def refused(host: Host) -> int:
    """How many packets were dropped so far; 0 where nothing is guarded."""
    done = host.run("nft", "-j", "list", "table", "inet", _TABLE)
    if done.returncode:
        return 0
    rules = [entry["rule"]["expr"] for entry in json.loads(done.stdout)["nftables"] if "rule" in entry]
    return sum(part["counter"]["packets"] for rule in rules for part in rule if isinstance(part.get("counter"), dict))


def _matches(pairs: Sequence[Pair]) -> list[str]:
    """One expression of nftables for each combination of selectors; packets come from the peer."""
    return [
        _match(source, destination)
        for local, remote in pairs
        for source in remote
        for destination in local
        if source.version == destination.version
        and (0 in (source.protocol, destination.protocol) or source.protocol == destination.protocol)
    ]


def _match(source: TrafficSelector, destination: TrafficSelector) -> str:
    family = "ip" if source.version == 4 else "ip6"
    words = [f"{family} saddr {_range(source)}", f"{family} daddr {_range(destination)}"]
    protocol = source.protocol or destination.protocol
    if protocol:
        words.append(f"meta l4proto {protocol}")
    if protocol in _WITH_PORTS:
        for name, selector in (("sport", source), ("dport", destination)):
            ports = (selector.start_port, selector.end_port)
            if ports != _ANY_PORT and ports[0] <= ports[1]:
                words.append(f"th {name} {ports[0]}-{ports[1]}")
    return " ".join(words)


def _range(selector: TrafficSelector) -> str:
    kind = ipaddress.IPv4Address if selector.version == 4 else ipaddress.IPv6Address
    first, last = kind(selector.start), kind(selector.end)
    return str(first) if first == last else f"{first}-{last}"
