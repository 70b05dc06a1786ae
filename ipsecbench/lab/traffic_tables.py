"""What the configuration file of an endpoint says of traffic: the data plane, and how it carries each child."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ipsecbench.dataplane.child_traffic import PATH_MTU_BYTES, ChildTraffic, Shunt, TrafficConfiguration
from ipsecbench.dataplane.selection import DataPlaneConfiguration, PlaneChoice
from ipsecbench.dataplane.tun import LARGEST_MTU_BYTES, MAX_QUEUES, SMALLEST_MTU_BYTES, TUN_MTU_BYTES, TUN_NAME
from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Action, DontFragment, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector
from ipsecbench.toml.table import Table, count, one_of, text, texts

T = TypeVar("T")

MODES: Mapping[str, Mode | Action] = {
    "tunnel": Mode.TUNNEL,
    "transport": Mode.TRANSPORT,
    "pass": Action.BYPASS,
    "drop": Action.DISCARD,
}
"""Values of a child's ``mode``, as strongSwan spells them."""
_LARGEST_WINDOW_PACKETS = 65536
_PLANE_KEYS = ("dataplane", "tun", "mtu", "path_mtu", "tun_addrs", "queues", "cores")


class TrafficReader:
    """Reads what the tables say of traffic, beside what :mod:`ipsecbench.lab.endpoint_file` reads of IKE.

    Args:
        settings: the table ``[endpoint]``.
    """

    def __init__(self, settings: Table) -> None:
        # A data plane is opened where one is named, or its TUN device is; an endpoint only negotiates otherwise.
        wanted = any(settings.has(key) for key in _PLANE_KEYS)
        choice = PlaneChoice.AUTO if wanted else PlaneChoice.NONE
        self._settings = settings
        self._window: int | None = settings.get("replay_window", count(0, _LARGEST_WINDOW_PACKETS), None)
        self._plane = DataPlaneConfiguration(
            choice=settings.get("dataplane", one_of(PlaneChoice, [*PlaneChoice]), choice),
            tun_name=settings.get("tun", text, TUN_NAME),
            mtu_bytes=settings.get("mtu", count(SMALLEST_MTU_BYTES, LARGEST_MTU_BYTES), TUN_MTU_BYTES),
            tun_addresses=settings.get("tun_addrs", _interfaces, ()),
            queues=settings.get("queues", count(1, MAX_QUEUES), 1),
            cores=settings.get("cores", _cores, ()),
        )
        self._path_mtu = settings.get("path_mtu", count(576, LARGEST_MTU_BYTES), PATH_MTU_BYTES)
        if self._plane.cores and settings.has("queues") and self._plane.queues != len(self._plane.cores):
            settings.fail("queues", f"{self._plane.queues} queues, but {len(self._plane.cores)} cores for them")
        self._children: dict[tuple[str, str], ChildTraffic] = {}
        self._shunts: list[Shunt] = []

    def child(self, connection: str, name: str, table: Table, mode: Mode) -> None:
        """How the traffic of a child is carried."""
        layering = table.get("layering", one_of(Layering, [*Layering]), Layering.NONE)
        traffic = ChildTraffic(
            layering=layering,
            layered_local_ts=table.get("layered_local_ts", _selectors, ()),
            layered_remote_ts=table.get("layered_remote_ts", _selectors, ()),
            dont_fragment=table.get("copy_df", _copy_df, DontFragment.COPY),
            copy_dscp=table.get("copy_dscp", _copy_dscp, True),
            tfc_bytes=table.get("tfc_padding", self._tfc_bytes, 0),
        )
        table.get("copy_ecn", _copy_ecn, True)
        window = table.get("replay_window", count(0, _LARGEST_WINDOW_PACKETS), self._window)
        if window is not None:
            traffic = replace(traffic, replay_window_packets=window)
        if layering is not Layering.NONE:
            self._check_layering(table, traffic, mode)
        elif table.has("layered_remote_ts") or table.has("layered_local_ts"):
            table.fail("layered_remote_ts", 'layered_remote_ts and layered_local_ts need layering = "gre" or "ipip"')
        self._children[connection, name] = traffic

    def shunt(self, name: str, table: Table, action: Action) -> None:
        """A child without IKE: ``mode = "pass"`` or ``"drop"``."""
        if self._plane.choice is PlaneChoice.NONE:
            table.fail("mode", 'mode = "pass" and "drop" need a data plane: set dataplane in [endpoint]')
        local, remote = (table.require(key, _selectors) for key in ("local_ts", "remote_ts"))
        self._shunts.append(Shunt(name, action, local, remote))

    def finished(self) -> DataPlaneConfiguration | None:
        """The data plane; None where there is to be none."""
        if self._plane.choice is PlaneChoice.NONE:
            return None
        return replace(self._plane, traffic=TrafficConfiguration(self._children, tuple(self._shunts), self._path_mtu))

    def _check_layering(self, table: Table, traffic: ChildTraffic, mode: Mode) -> None:
        if mode is not Mode.TRANSPORT:
            table.fail("layering", f'layering = "{traffic.layering}" goes over transport mode; set mode = "transport"')
        if not traffic.layered_remote_ts:
            table.fail("layering", "name the networks behind the peer with layered_remote_ts")
        if self._plane.choice is PlaneChoice.NONE:
            table.fail("layering", "layering is the data plane's work: set dataplane in [endpoint]")

    def _tfc_bytes(self, value: Any) -> int:
        return self._plane.mtu_bytes if value == "mtu" else count(0, LARGEST_MTU_BYTES)(value)


def _interfaces(value: Any) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_interface(word)) for word in texts(value))
    except ValueError as error:
        raise UsageError(f"{value!r}: addresses with prefix lengths are needed, such as 10.9.0.1/32") from error


def _cores(value: Any) -> tuple[int, ...]:
    numbers = value if isinstance(value, list) else [value]
    return tuple(count(0, 8191)(number) for number in numbers)


def _selectors(value: Any) -> tuple[TrafficSelector, ...]:
    return tuple(parse_traffic_selector(word) for word in texts(value))


def _copy_df(value: Any) -> DontFragment:
    words: dict[str | bool, DontFragment] = {
        True: DontFragment.COPY,
        False: DontFragment.CLEAR,
        "yes": DontFragment.COPY,
        "no": DontFragment.CLEAR,
        "set": DontFragment.SET,
    }
    return _word(value, words, 'true (copied), false (cleared) or "set"')


def _copy_dscp(value: Any) -> bool:
    if value in ("in", "yes"):
        raise UsageError(f'{value!r}: DSCP is not copied inwards (RFC 4301 section 5.1.2); choose "out" or "no"')
    return _word(value, {True: True, False: False, "out": True, "no": False}, '"out" or "no"')


def _copy_ecn(value: Any) -> bool:
    if value in (False, "no"):
        raise UsageError("ECN always follows RFC 6040; leave copy_ecn out")
    return _word(value, {True: True, "yes": True}, "true")


def _word(value: Any, words: Mapping[str | bool, T], allowed: str) -> T:
    if not isinstance(value, str | bool) or value not in words:
        raise UsageError(f"{value!r} must be {allowed}")
    return words[value]
