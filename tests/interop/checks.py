"""Both ends must list the same SAs with exactly the transforms that were agreed on."""

from __future__ import annotations

import re

from ipsecbench.esp.mode import Mode
from ipsecbench.ike.nat_traversal import IKE_PORT, NAT_T_PORT
from tests.interop import names, our_side
from tests.interop.laboratory import Exchange
from tests.interop.scenario import INITIATOR


def everything(exchange: Exchange) -> None:
    """IKE SA and Child SA."""
    ike(exchange)
    if exchange.child is not None:
        child(exchange)


def ike(exchange: Exchange) -> None:
    """The IKE SA."""
    scenario = exchange.scenario
    (wanted,) = our_side.ike_proposals(scenario.agreed_ike or scenario.ike)
    ours, theirs = exchange.our_ike, exchange.their_ike()
    agreed = ours.negotiated
    integrity = wanted.integrity[0] if wanted.integrity else None
    assert (agreed.encryption, agreed.key_exchange) == (wanted.encryption[0], wanted.key_exchange[0])
    assert theirs.encryption == names.encryption(wanted.encryption[0])
    assert theirs.key_exchange == names.key_exchange(wanted.key_exchange[0])
    assert theirs.prf == names.prf(wanted.prf[0])
    assert theirs.integrity == names.integrity(integrity)
    assert agreed.integrity == integrity
    assert agreed.prf == wanted.prf[0]
    assert ours.version == theirs.version == scenario.version
    _additional(exchange, "IKE", wanted.additional_key_exchanges, agreed.additional_key_exchanges)
    assert ours.is_initiator != theirs.is_initiator
    # Its userspace ESP pretends a NAT on its side, for the sake of encapsulation; with the kernel's there is none.
    before_us, before_them = scenario.topology == "nat", scenario.topology == "peer nat"
    assert (ours.nat_local, ours.nat_remote) == (before_us, not scenario.kernel)
    assert (theirs.nat_local, theirs.nat_remote) == (before_them, before_us)
    own_port = IKE_PORT if scenario.kernel else NAT_T_PORT
    assert ours.path.local.port == own_port
    assert (ours.path.remote.port == own_port) != before_them
    assert (theirs.remote_port == own_port) != before_us


def first_role(exchange: Exchange) -> None:
    """The end that was told to initiate did."""
    assert exchange.our_ike.is_initiator == (exchange.scenario.role == INITIATOR)


def child(exchange: Exchange, *, rekeyed: bool = False) -> None:
    """The Child SA; one that was made by CREATE_CHILD_SA has the proposal's group."""
    scenario = exchange.scenario
    (wanted,) = our_side.esp_proposals(scenario.agreed_esp or scenario.esp)
    ours, theirs = exchange.our_child, exchange.their_child()
    integrity = wanted.integrity[0] if wanted.integrity else None
    # With the first Child SA there is a key exchange in IKEv1 only, or where it is not made by IKE_AUTH.
    exchanged = rekeyed or scenario.version == 1 or scenario.ours.get("childless") == "force"
    group = wanted.key_exchange[0] if wanted.key_exchange and exchanged else None
    agreed = ours.negotiated
    assert (agreed.encryption, agreed.integrity, agreed.esn) == (wanted.encryption[0], integrity, wanted.esn[0])
    assert theirs.extended_sequence_numbers == wanted.esn[0]
    assert agreed.key_exchange == group
    assert theirs.encryption == names.encryption(wanted.encryption[0])
    assert theirs.integrity == names.integrity(integrity)
    assert theirs.key_exchange == names.key_exchange(group)
    _additional(exchange, "ESP", wanted.additional_key_exchanges if group else (), agreed.additional_key_exchanges)
    mode = Mode(scenario.their_child.get("mode", "tunnel"))
    assert (ours.mode, theirs.mode) == (mode, mode.value.upper())
    assert ours.udp_encapsulation == (not scenario.kernel)
    assert tuple(str(each) for each in ours.local_ts) == theirs.remote_selectors
    assert tuple(str(each) for each in ours.remote_ts) == theirs.local_selectors
    if scenario.agreed_ts is not None:
        assert (theirs.remote_selectors, theirs.local_selectors) == tuple((each,) for each in scenario.agreed_ts)


def _additional(exchange: Exchange, protocol: str, wanted: tuple[tuple[str, ...], ...], ours: tuple[str, ...]) -> None:
    """The additional key exchanges (RFC 9370), which strongSwan tells its log alone."""
    methods = tuple(name for names_of_one in wanted for name in names_of_one)
    assert ours == methods
    if exchange.scenario.version == 2:
        last = re.findall(rf"selected proposal: {protocol}:(\S+)", exchange.their_log)[-1]
        assert re.findall(r"KE\d_(\w+)", last) == [names.key_exchange(name) for name in methods]
