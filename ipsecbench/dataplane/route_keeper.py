"""A small process that keeps its rights when the endpoint gives them up: it routes traffic into a TUN device.

``python -m ipsecbench.dataplane.route_keeper DEVICE`` takes orders as JSON lines on its standard input and answers
each with a line. It does nothing but add and remove routes into that one device, and the rules that lead to them; when
its input ends, however the endpoint ended, it removes everything that it has made.

What it makes, for each IP version, in a slot of ten numbers that nobody uses::

    base + 0   from all fwmark OWN_MARK goto base + 9     what IKE and the data plane send goes its usual way
    base + 1   from LOCAL to REMOTE … goto base + 9       BYPASS
    base + 2   to REMOTE ipproto … dport … lookup base+1  selectors with a protocol or ports
    base + 3   from all lookup base                       all other selectors
    base + 9   from all nop
"""

from __future__ import annotations

import ipaddress
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ipsecbench.dataplane.esp_sockets import OWN_MARK
from ipsecbench.errors import DataPlaneError, IpsecbenchError
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector

FIRST_SLOT = 4500
SLOT_SIZE = 10
SLOTS = 32
_VERSIONS = (4, 6)
_ICMP = (1, 58)
_ALL_PORTS = (0, 65535)
_COMMAND_SECONDS = 10.0


class RouteTable:
    """Routes into one device. See the module.

    Args:
        device: the TUN device; it exists.

    Raises:
        DataPlaneError: the ``ip`` program is missing, refuses, or all slots are in use.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._undo: list[list[str]] = []
        self._uses: Counter[tuple[str, ...]] = Counter()
        """How many selectors need a route or rule."""
        used = {
            int(rule["priority"])
            for version in _VERSIONS
            for rule in json.loads(_ip(f"-{version}", "-j", "rule") or "[]")
        }
        bases = range(FIRST_SLOT, FIRST_SLOT + SLOTS * SLOT_SIZE, SLOT_SIZE)
        base = next((each for each in bases if not used & set(range(each, each + SLOT_SIZE))), None)
        if base is None:
            raise DataPlaneError(f"no place for rules: 'ip rule' has some in all of {bases[0]} to {bases[-1] + 9}")
        self._base = base
        try:
            for version in _VERSIONS:
                self._rule(version, 9, ["nop"])
                self._rule(version, 0, ["fwmark", f"{OWN_MARK:#x}", "goto", str(base + 9)])
                self._rule(version, 3, ["lookup", str(base)])
        except DataPlaneError:
            self.close()
            raise

    def address(self, address: str) -> None:
        """Give the device an address with its prefix length."""
        # Without duplicate address detection, which would keep an IPv6 address unusable for a second.
        interface = ipaddress.ip_interface(address)
        flags = ["nodad"] if interface.version == 6 else []
        _ip("addr", "add", str(interface), "dev", self._device, *flags)

    def protect(self, local: Sequence[TrafficSelector], remote: TrafficSelector, wanted: bool) -> None:
        """Lead packets for a selector into the device, or no longer."""
        version = remote.version
        narrow = (remote.protocol, remote.start_port, remote.end_port) != (0, *_ALL_PORTS) or any(
            (each.start_port, each.end_port) != _ALL_PORTS for each in local
        )
        table = str(self._base + narrow)
        source = self._source(local, version) if wanted else None
        for prefix in _prefixes(remote):
            route = [prefix, "dev", self._device, "table", table]
            if self._counted((str(version), *route), wanted):
                origin = ["src", source] if source else []
                _ip(f"-{version}", "route", "replace" if wanted else "del", *route, *origin, tolerant=not wanted)
            if not narrow:
                continue
            for words in {tuple(_ports(remote, each)) for each in local if each.version == version}:
                rule = ["to", prefix, *words, "lookup", table]
                if self._counted((str(version), *rule), wanted):
                    self._rule(version, 2, rule, wanted=wanted)

    def bypass(self, local: TrafficSelector, remote: TrafficSelector) -> None:
        """Let packets go their usual way."""
        for destination in _prefixes(remote):
            for source in _prefixes(local):
                origin = [] if source.endswith("/0") else ["from", source]
                words = [*origin, "to", destination, *_ports(remote, local), "goto", str(self._base + 9)]
                self._rule(remote.version, 1, words)

    def close(self) -> None:
        """Remove everything; what is gone already does not matter."""
        for command in reversed(self._undo):
            _ip(*command, tolerant=True)
        self._undo.clear()
        for version in _VERSIONS:
            for table in (self._base, self._base + 1):
                _ip(f"-{version}", "route", "flush", "table", str(table), tolerant=True)

    def _counted(self, what: tuple[str, ...], wanted: bool) -> bool:
        """Whether this is the first one that needs it, or the last one that did."""
        before = self._uses[what]
        self._uses[what] = max(0, before + (1 if wanted else -1))
        if not self._uses[what]:
            del self._uses[what]
        return bool(before) != (what in self._uses)

    def _rule(self, version: int, place: int, words: list[str], *, wanted: bool = True) -> None:
        rule = ["pref", str(self._base + place), *words]
        undo = [f"-{version}", "rule", "del", *rule]
        if wanted and undo not in self._undo:
            _ip(f"-{version}", "rule", "add", *rule)
            self._undo.append(undo)
        elif not wanted and undo in self._undo:
            self._undo.remove(undo)
            _ip(*undo, tolerant=True)

    def _source(self, local: Sequence[TrafficSelector], version: int) -> str | None:
        """An address of this host within the local selectors: packets that have none yet get it."""
        rows = json.loads(_ip(f"-{version}", "-j", "addr") or "[]")
        for row in rows:
            for entry in row.get("addr_info", ()):
                number = int(ipaddress.ip_address(entry["local"]))
                if entry.get("scope") == "global" and any(
                    each.version == version and each.start <= number <= each.end for each in local
                ):
                    return str(entry["local"])
        return None


def _prefixes(selector: TrafficSelector) -> list[str]:
    kind = ipaddress.IPv4Address if selector.version == 4 else ipaddress.IPv6Address
    return [str(net) for net in ipaddress.summarize_address_range(kind(selector.start), kind(selector.end))]


def _ports(remote: TrafficSelector, local: TrafficSelector) -> list[str]:
    """What a rule says of protocol and ports; for ICMP, whose types a rule cannot tell apart, the protocol only."""
    words: list[str] = []
    protocol = remote.protocol or local.protocol
    if protocol:
        words += ["ipproto", str(protocol)]
    if protocol not in _ICMP:
        for name, each in (("sport", local), ("dport", remote)):
            ports = (each.start_port, each.end_port)
            if ports != _ALL_PORTS and ports[0] <= ports[1]:
                # A rule knows no port 0.
                words += [name, f"{max(1, ports[0])}-{max(1, ports[1])}"]
    return words


def _ip(*arguments: str, tolerant: bool = False) -> str:
    try:
        done = subprocess.run(
            ["ip", *arguments], capture_output=True, text=True, timeout=_COMMAND_SECONDS, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise DataPlaneError("no program 'ip': install the package iproute2") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataPlaneError(f"'ip {' '.join(arguments)}' failed: {error}") from error
    if done.returncode and not tolerant:
        raise DataPlaneError(f"'ip {' '.join(arguments)}' failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def carry_out(table: RouteTable, order: dict[str, Any]) -> None:
    """One order.

    Raises:
        IpsecbenchError: it failed, or is none.
    """
    local = [parse_traffic_selector(each) for each in order.get("local", ())]
    match order:
        case {"order": "address", "address": str(address)}:
            table.address(address)
        case {"order": "protect", "remote": str(remote), "wanted": bool(wanted)}:
            table.protect(local, parse_traffic_selector(remote), wanted)
        case {"order": "bypass", "remote": str(remote)}:
            for each in local:
                table.bypass(each, parse_traffic_selector(remote))
        case _:
            raise DataPlaneError("no such order")


def main() -> None:
    """Serve until the input ends. Ctrl-C is meant for the endpoint, which tells this process by closing the input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    table: RouteTable | None = None
    try:
        table = RouteTable(sys.argv[1])
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            try:
                carry_out(table, json.loads(line))
                answer: dict[str, Any] = {"done": True}
            except (IpsecbenchError, ValueError, KeyError) as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    except IpsecbenchError as error:
        print(json.dumps({"error": str(error)}), flush=True)
    except BrokenPipeError:
        pass
    finally:
        if table is not None:
            table.close()


if __name__ == "__main__":
    main()
