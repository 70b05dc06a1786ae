"""The configuration of each end of a laboratory: files for ours (docs/ike.md), and what strongSwan is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipsecbench.esp.configuration import Action, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab import expected
from ipsecbench.lab.arrangement import CHILD, CONNECTION, SIDES, Arrangement, end_name, inner_network
from ipsecbench.lab.namespaces import Host

_SMALLEST_DEVICE = {4: 68, 6: 1280}


def endpoint_text(arrangement: Arrangement, here: Host, there: Host, psk: str, *, initiates: bool = False) -> str:
    """The configuration file of an end of ours (docs/ike.md).

    Args:
        arrangement: of the laboratory.
        here: the host that it is for.
        there: the other one.
        psk: hexadecimal digits of the pre-shared key.
        initiates: whether it begins by itself.
    """
    connection = f"connections.{CONNECTION}"
    return f"""\
[endpoint]
dataplane = "{arrangement.dataplane or "auto"}"
mtu = {device_mtu(arrangement)}
path_mtu = {arrangement.mtu}

[{connection}]
version = {arrangement.version}
local_addrs = ["{arrangement.outer_address(here)}"]
remote_addrs = ["{_seen_address(arrangement, there)}"]
proposals = ["{arrangement.ike}"]
psk = "0x{psk}"
rekey_time = {arrangement.ike_rekey_seconds}
dpd_delay = {arrangement.dpd_seconds}
dpd_timeout = {max(3 * arrangement.dpd_seconds, 1.0)}
encap = {str(arrangement.encap).lower()}
retransmit_timeout = {arrangement.retransmission_seconds}
retransmit_tries = {arrangement.retransmission_tries}

[{connection}.local]
auth = "psk"
id = "{end_name(here)}.example.net"

[{connection}.remote]
auth = "psk"
id = "{end_name(there)}.example.net"

[{connection}.children.{CHILD}]
local_ts = ["{_selector(arrangement, here)}"]
remote_ts = ["{_selector(arrangement, there)}"]
esp_proposals = ["{arrangement.esp}"]
mode = "{arrangement.mode}"
{_layering(arrangement, here, there)}rekey_time = {arrangement.child_rekey_seconds}
start_action = "{"start" if initiates else "none"}"
{_unprotected(arrangement, here)}"""


def device_mtu(arrangement: Arrangement) -> int:
    """MTU of the data plane's device: what fits the link once it is sealed, unless a wide one is wished for."""
    if arrangement.wide_device:
        return arrangement.mtu
    return max(expected.inner_mtu_bytes(arrangement), _SMALLEST_DEVICE[arrangement.inner])


def strongswan_connection(arrangement: Arrangement, here: Host, there: Host) -> Mapping[str, Any]:
    """What strongSwan is told, with the names of swanctl.conf; the same as :func:`endpoint_text`."""
    child = {
        "local_ts": [_selector(arrangement, here)],
        "remote_ts": [_selector(arrangement, there)],
        "esp_proposals": [arrangement.esp],
        "mode": str(arrangement.mode),
        "rekey_time": f"{arrangement.child_rekey_seconds:.0f}s",
    }
    return {
        "version": arrangement.version,
        "local_addrs": [arrangement.outer_address(here)],
        "remote_addrs": [_seen_address(arrangement, there)],
        "proposals": [arrangement.ike],
        "encap": arrangement.encap,
        "mobike": False,
        "dpd_delay": f"{arrangement.dpd_seconds:.0f}s",
        "rekey_time": f"{arrangement.ike_rekey_seconds:.0f}s",
        "local": {"auth": "psk", "id": f"{end_name(here)}.example.net"},
        "remote": {"auth": "psk", "id": f"{end_name(there)}.example.net"},
        "children": {CHILD: child},
    }


def _selector(arrangement: Arrangement, host: Host) -> str:
    """Traffic selector of a host. Behind a NAT it has two addresses, and IKE finds out which one counts."""
    if arrangement.mode is Mode.TRANSPORT and arrangement.layering is Layering.NONE and arrangement.selectors is None:
        return "dynamic"
    return arrangement.selector(host)


def _seen_address(arrangement: Arrangement, host: Host) -> str:
    return host.outside if arrangement.outer == 4 else host.ipv6


def _layering(arrangement: Arrangement, here: Host, there: Host) -> str:
    """Keys of the child: what the data plane puts between the packets and ESP."""
    if arrangement.layering is Layering.NONE:
        return ""
    return (
        f'layering = "{arrangement.layering}"\n'
        f'layered_local_ts = ["{inner_network(here, arrangement.inner)}"]\n'
        f'layered_remote_ts = ["{inner_network(there, arrangement.inner)}"]\n'
    )


def _unprotected(arrangement: Arrangement, here: Host) -> str:
    """Tables of BYPASS and DISCARD, which strongSwan calls pass and drop."""
    local, remote = (0, 1) if here.name.endswith("-a") else (1, 0)
    words = {Action.BYPASS: "pass", Action.DISCARD: "drop"}
    return "".join(
        f"""
[connections.{CONNECTION}.children.{words[shunt.action]}-{number}]
mode = "{words[shunt.action]}"
local_ts = ["{shunt.selectors[local]}"]
remote_ts = ["{shunt.selectors[remote]}"]
"""
        for number, shunt in enumerate(arrangement.unprotected, 1)
        if shunt.side in ("", SIDES[local])
    )
