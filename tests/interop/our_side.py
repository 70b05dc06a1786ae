"""A scenario in this project's configuration."""

from __future__ import annotations

from typing import Any

from ipsecbench.algorithms.proposals import EspProposal, IkeProposal, parse_esp, parse_ike
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import parse_traffic_selector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    Childless,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    PostquantumPsk,
    RemoteAuthentication,
    Retransmission,
)
from ipsecbench.ike.identification import Identity, parse_identity
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.lab.namespaces import Hosts
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.secret import Secret
from tests.interop import credentials, peer_side
from tests.interop.peer_side import CHILD, CONNECTION, SECOND
from tests.interop.scenario import PATIENCE, Scenario

INFRASTRUCTURE = PycaPublicKeyInfrastructure()

QUICK = Retransmission(first_seconds=0.5 * PATIENCE, base=1.5, tries=2)
"""Gives up after two seconds and a half."""


def ike_proposals(text: str) -> tuple[IkeProposal, ...]:
    return tuple(parse_ike(each) for each in text.split(","))


def esp_proposals(text: str) -> tuple[EspProposal, ...]:
    return tuple(parse_esp(each) for each in text.split(","))


def identity(text: str) -> Identity:
    return parse_identity(text, INFRASTRUCTURE.distinguished_name)


def endpoint(hosts: Hosts, scenario: Scenario) -> EndpointConfiguration:
    """The endpoint with its one connection."""
    here, _there = peer_side.outer(hosts, scenario, "our")
    return EndpointConfiguration(
        connections=(connection(hosts, scenario),), own_addresses=(here,), **dict(scenario.our_endpoint)
    )


def connection(hosts: Hosts, scenario: Scenario) -> ConnectionConfiguration:
    """The connection with both Child SAs."""
    here, there = peer_side.outer(hosts, scenario, "our")
    local, remote = _authentication(scenario)
    return ConnectionConfiguration(
        name=CONNECTION,
        version=scenario.version,
        proposals=ike_proposals(scenario.ike),
        local=local,
        remote=remote,
        children=tuple(_child(hosts, scenario, name) for name in (CHILD, SECOND)),
        local_addresses=(here,),
        remote_addresses=(there,),
        psk=Secret(credentials.secret(scenario).encode()) if scenario.auth == "psk" else None,
        retransmission=QUICK,
        **_changes(scenario),
    )


def _changes(scenario: Scenario) -> dict[str, Any]:
    changes = {key: value for key, value in scenario.ours.items() if key != "allow_sha1"}
    if "childless" in changes:
        changes["childless"] = Childless(changes["childless"])
    if "lifetime" in changes:
        changes["lifetime"] = _seconds(changes["lifetime"])
    if "ppk" in changes:
        required = changes["ppk"] == "required"
        changes["ppk"] = PostquantumPsk(credentials.PPK_ID.encode(), Secret(credentials.PPK), required)
    return changes


def _authentication(scenario: Scenario) -> tuple[LocalAuthentication, RemoteAuthentication]:
    own, expected = credentials.identity(scenario, "our"), credentials.expected_identity(scenario, "their")
    if scenario.auth == "psk":
        return (
            LocalAuthentication(AuthMethod.PSK, identity(own)),
            RemoteAuthentication(AuthMethod.PSK, identity(expected)),
        )
    issued = credentials.credential(scenario, "our")
    chain = (issued.certificate, *issued.intermediates)
    return (
        LocalAuthentication(
            AuthMethod.PUBKEY,
            identity(own),
            tuple(INFRASTRUCTURE.load_certificate(each) for each in chain),
            INFRASTRUCTURE.load_private_key(issued.private_key),
            scenario.schemes,
        ),
        RemoteAuthentication(
            AuthMethod.PUBKEY,
            identity(expected),
            (INFRASTRUCTURE.load_certificate(credentials.root(scenario)),),
            allow_sha1=bool(scenario.ours.get("allow_sha1")),
        ),
    )


def _child(hosts: Hosts, scenario: Scenario, name: str) -> ChildConfiguration:
    selectors = peer_side.selectors(hosts, scenario, "our")
    if name == SECOND:
        selectors = peer_side.second(selectors[0]), peer_side.second(selectors[1])
    local_ts, remote_ts = (tuple(parse_traffic_selector(each) for each in texts) for texts in selectors)
    changes = dict(scenario.our_child)
    if "mode" in changes:
        changes["mode"] = Mode(changes["mode"])
    if "lifetime" in changes:
        changes["lifetime"] = _seconds(changes["lifetime"])
    return ChildConfiguration(name, esp_proposals(scenario.esp), local_ts, remote_ts, **changes)


def _seconds(life: float) -> Lifetime:
    return Lifetime(seconds=Limit(rekey=life * 0.9, life=life, rand=life * 0.05))
