"""A scenario in strongSwan's configuration; for the peer, and for a second strongSwan in our place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipsecbench.lab.namespaces import Hosts
from ipsecbench.lab.strongswan import StrongSwan
from tests.interop import credentials
from tests.interop.scenario import Scenario

CONNECTION, CHILD, SECOND = "row", "net", "more"


def proposals(text: str) -> list[str]:
    return text.split(",")


def outer(hosts: Hosts, scenario: Scenario, end: str) -> tuple[str, str]:
    """Address of an end, and the one under which it sees the other."""
    here, there = (hosts.local, hosts.peer) if end == "our" else (hosts.peer, hosts.local)
    if scenario.topology == "ipv6":
        return here.ipv6, there.ipv6
    return here.ipv4, there.outside


def selectors(hosts: Hosts, scenario: Scenario, end: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Local and remote selectors of an end."""
    local = scenario.local_ts or (f"{hosts.local.inner_ipv4}/32",)
    remote = scenario.remote_ts or (f"{hosts.peer.inner_ipv4}/32",)
    if end == "our":
        return local, remote
    return scenario.peer_local_ts or remote, scenario.peer_remote_ts or local


def connection(hosts: Hosts, scenario: Scenario, end: str = "their") -> dict[str, Any]:
    """The connection as VICI takes it."""
    theirs = end == "their"
    other = "our" if theirs else "their"
    here, there = outer(hosts, scenario, end)
    local_ts, remote_ts = selectors(hosts, scenario, end)
    auth = "psk" if scenario.auth == "psk" else scenario.peer_auth or "pubkey"
    local: dict[str, Any] = {"auth": auth, "id": credentials.identity(scenario, end)}
    if scenario.auth != "psk":
        local["certs"] = [credentials.credential(scenario, end).certificate]
    child = {
        "local_ts": list(local_ts),
        "remote_ts": list(remote_ts),
        "esp_proposals": proposals((theirs and scenario.peer_esp) or scenario.esp),
        # No rekeying but the one that is ordered.
        "rekey_time": "0",
        **(scenario.their_child if theirs else _mode(scenario.our_child)),
    }
    further = {**child, "local_ts": list(second(local_ts)), "remote_ts": list(second(remote_ts))}
    options = (
        {key: value for key, value in scenario.theirs.items() if key != "half-open"} if theirs else _ours(scenario)
    )
    return {
        "version": scenario.version,
        "local_addrs": [here],
        "remote_addrs": [there],
        "proposals": proposals((theirs and scenario.peer_ike) or scenario.ike),
        "local": local,
        "remote": {"auth": auth, "id": credentials.expected_identity(scenario, other)},
        "children": {CHILD: child, SECOND: further},
        "mobike": False,
        "rekey_time": "0",
        "send_certreq": True,
        **options,
    }


def load(daemon: StrongSwan, hosts: Hosts, scenario: Scenario, end: str = "their") -> None:
    """Load a scenario into a daemon in place of everything before."""
    daemon.forget_credentials()
    if scenario.auth == "psk":
        daemon.load_shared_key(credentials.PEER_SECRET if end == "their" else credentials.secret(scenario))
    else:
        own = credentials.credential(scenario, end)
        daemon.load_certificate(credentials.root(scenario), authority=True)
        for intermediate in own.intermediates:
            daemon.load_certificate(intermediate, authority=True)
        daemon.load_private_key(own.private_key)
    if "ppk" in scenario.ours if end == "our" else "ppk_id" in scenario.theirs:
        daemon.load_shared_key(credentials.PPK, credentials.PPK_ID, kind="PPK")
    daemon.load(CONNECTION, connection(hosts, scenario, end))


def _theirs(scenario: Scenario) -> dict[str, Any]:
    return {key: value for key, value in scenario.theirs.items() if key != "half-open"}


def _ours(scenario: Scenario) -> dict[str, Any]:
    """What our connection has of its own, for a strongSwan in our place."""
    options = {key: scenario.ours[key] for key in ("aggressive", "childless", "fragmentation") if key in scenario.ours}
    if "ppk" in scenario.ours:
        options |= {"ppk_id": credentials.PPK_ID, "ppk_required": scenario.ours["ppk"] == "required"}
    return options


def _mode(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {"mode": changes["mode"]} if "mode" in changes else {}


def second(selectors: tuple[str, ...]) -> tuple[str, ...]:
    """Other networks for a second Child SA: 10.1.0.1/32 becomes 10.1.7.1/32."""
    return tuple(each.replace(".0.1/32", ".7.1/32") for each in selectors)
