"""Messages and round trips that exchanges are priced with, against real endpoints in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ipsecbench.algorithms.proposals import parse_ike
from ipsecbench.dataset.model import Dataset
from ipsecbench.ike.events import ChildSaRekeyed, IkeSaRekeyed
from ipsecbench.recommend.keys.exchange_cost import ExchangeModel
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.setup_load import ExchangeCost
from ipsecbench.recommend.prediction.cost_model import CostModel
from tests.exchanges.network import Conditions, Network, Node
from tests.exchanges.scenes import both, child, pair

MakeDataset = Callable[..., Dataset]
LATENCY = 0.01
ESP = "aes128-sha256-x25519"
HYBRID_ESP = "aes128-sha256-x25519-ke1_mlkem512"


def model(dataset: Dataset, proposal: str, version: int, mode: str = "main") -> ExchangeModel:
    ike = parse_ike(proposal)
    parameters = IkeParameters(
        encryption=ike.encryption[0],
        integrity=ike.integrity[0],
        prf=ike.prf[0],
        key_exchange=ike.key_exchange[0],
        authentication="psk",
        suite="aes128-sha256",
        additional_key_exchanges=tuple(step[0] for step in ike.additional_key_exchanges),
        ike_version=version,
        exchange_mode=mode,
    )
    return ExchangeModel(dataset, IkeOperations(CostModel(dataset)), parameters, 2e3 * LATENCY)


def endpoints(proposal: str, version: int, esp: str = ESP, **settings: bool) -> tuple[Network, Node, Node]:
    ends = both(proposals=proposal, version=version, children=(child(proposals=esp),), **settings)
    return pair(*ends, conditions=Conditions(latency=(LATENCY, LATENCY)))


def gone_by(network: Network, start: float, already: int) -> tuple[int, int]:
    """Messages since then, and round trips until the initiator, A, had the last one from B."""
    lines = network.trace[already:]
    last = max(float(line.split()[0]) for line in lines if line.split()[1] == "B:")
    return len(lines), round((last - start) / (2 * LATENCY))


def priced(cost: ExchangeCost | None) -> tuple[int, int]:
    assert cost is not None
    return cost.messages, cost.round_trips


@pytest.mark.parametrize(
    ("proposal", "version", "mode"),
    [
        ("aes128-sha256-x25519", 2, "main"),
        ("aes128-sha256-x25519-ke1_mlkem512", 2, "main"),
        ("aes128-sha256-x25519-ke1_mlkem512-ke2_mlkem768", 2, "main"),
        ("aes128-sha256-modp2048", 1, "main"),
        ("aes128-sha256-modp2048", 1, "aggressive"),
    ],
)
def test_a_set_up(make_dataset: MakeDataset, proposal: str, version: int, mode: str) -> None:
    settings = {"aggressive": True} if mode == "aggressive" else {}
    network, a, _ = endpoints(proposal, version, "aes128-sha256", fragmentation=False, **settings)
    start = network.now
    a.initiate()
    network.run(1.0)
    assert len(a.child_sas) == 1
    assert gone_by(network, start, 0) == priced(model(make_dataset(), proposal, version, mode).setup())


@pytest.mark.parametrize("proposal", ["aes128-sha256-x25519", "aes128-sha256-x25519-ke1_mlkem512"])
@pytest.mark.parametrize("of_ike", [False, True])
def test_a_rekey(make_dataset: MakeDataset, proposal: str, of_ike: bool) -> None:
    esp = HYBRID_ESP if "mlkem" in proposal else ESP
    network, a, _ = endpoints(proposal, 2, esp, fragmentation=False)
    a.initiate()
    network.run(1.0)
    already, start = len(network.trace), network.now
    spi = a.child_sas[0].inbound_spi
    if of_ike:
        a.order(a.sa, lambda sa: sa.rekey(network.now))
    else:
        a.order(a.sa, lambda sa: sa.rekey_child_sa(spi, network.now))
    network.run(1.0)
    assert a.of(IkeSaRekeyed if of_ike else ChildSaRekeyed)
    # The old SA is deleted by an exchange of its own, which is not the rekey.
    deleting = sum("INFORMATIONAL" in line for line in network.trace[already:])
    assert deleting == 2
    found = model(make_dataset(), proposal, 2)
    messages, round_trips = gone_by(network, start, already)
    expected = priced(found.ike_rekey() if of_ike else found.child_rekey("x25519"))
    assert (messages - deleting, round_trips - 1) == expected
