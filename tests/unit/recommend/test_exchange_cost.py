"""What exchanges cost against operations counted by hand in the RFCs, on a box whose costs are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from ipsecbench.bench.measurement import Estimate, Measurement, Status, Tier, Workload
from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend.keys.exchange_cost import UNMEASURED_MESSAGE_US, ExchangeModel
from ipsecbench.recommend.keys.ike_operations import IkeOperations
from ipsecbench.recommend.keys.ike_parameters import IkeParameters
from ipsecbench.recommend.keys.setup_load import EndCost, ExchangeCost, ProtocolBasis
from ipsecbench.recommend.prediction.cost_model import CostModel

MakeDataset = Callable[..., Dataset]

# The synthetic box, in microseconds.
X25519 = 28 + 36
MODP1024 = 80 + 78
ECDSA = (22, 58)
SHA256 = 0.95
SHA1 = 0.7
PSK = IkeParameters("aes128", "sha256", "prfsha256", "x25519", "psk", "aes128-sha256")
OLD = IkeParameters("aes256", "sha1", "prfsha1", "modp1024", "psk", "aes128-md5", ike_version=1)


def with_kem(dataset: Dataset) -> Dataset:
    rows = tuple(
        Measurement(
            Workload(Tier.PRIMITIVE, "libcrypto", operation, "mlkem768"),
            Status.OK,
            ns_per_operation=Estimate(cost * 1e3, cost * 990, cost * 1010),
        )
        for operation, cost in (("generate", 30), ("encapsulate", 25), ("decapsulate", 40))
    )
    return replace(dataset, measurements=(*dataset.measurements, *rows))


def model(dataset: Dataset, parameters: IkeParameters, round_trip_ms: float = 20.0) -> ExchangeModel:
    return ExchangeModel(dataset, IkeOperations(CostModel(dataset)), parameters, round_trip_ms)


def there(cost: ExchangeCost | None) -> ExchangeCost:
    assert cost is not None
    return cost


def parts(end: EndCost) -> list[float]:
    return [end.key_exchange_us.median, end.authentication_us.median, end.prf_us.median]


def near(expected: Iterable[float]) -> object:
    return pytest.approx(list(expected))


def test_ikev2_with_a_pre_shared_key(make_dataset: MakeDataset) -> None:
    # SKEYSEED 1; SK_d, SK_ai, SK_ar, SK_ei, SK_er, SK_pi, SK_pr: 192 octets, 6 blocks; AUTH 4; KEYMAT: 96, 3 blocks.
    cost = there(model(make_dataset(), PSK).setup())
    for end in (cost.initiator, cost.responder):
        assert parts(end) == near((X25519, 0, (1 + 6 + 4 + 3) * SHA256))
        assert end.cryptography_us.median == pytest.approx(sum(parts(end)))
    assert (cost.name, cost.messages, cost.round_trips) == ("IKE_SA_INIT, IKE_AUTH", 4, 2)


def test_ikev2_with_signatures_and_a_chain(make_dataset: MakeDataset) -> None:
    given = replace(PSK, authentication="ecdsa-256", certificate_chain=2)
    cost = there(model(make_dataset(), given).setup())
    # One signature made; AUTH and two certificates verified; prf over the two identities instead of the secret.
    assert parts(cost.initiator) == near((X25519, ECDSA[0] + 3 * ECDSA[1], (1 + 6 + 2 + 3) * SHA256))


def test_ikev1_by_rfc_2409(make_dataset: MakeDataset) -> None:
    # SKEYID, _d, _a, _e: 4; the key of AES-256 is longer than SHA-1's output: 2; HASH_I, HASH_R: 2. Quick mode:
    # HASH(1), HASH(2), HASH(3): 3; KEYMAT of 32 octets: 2 blocks for either direction.
    cost = there(model(make_dataset(), OLD).setup())
    assert parts(cost.initiator) == near((MODP1024, 0, (4 + 2 + 2 + 3 + 4) * SHA1))
    assert (cost.name, cost.messages, cost.round_trips) == ("main mode, quick mode", 9, 4)
    aggressive = there(model(make_dataset(), OLD).aggressive_mode())
    assert parts(aggressive.responder) == parts(cost.responder)
    assert (aggressive.messages, aggressive.round_trips) == (6, 2)
    signed = there(model(make_dataset(), replace(OLD, authentication="ecdsa-256", certificate_chain=1)).setup())
    # The PRF's work is the same: SKEYID is made of nonces and secret in another order (section 5.1).
    assert parts(signed.initiator) == near((MODP1024, ECDSA[0] + 2 * ECDSA[1], (4 + 2 + 2 + 3 + 4) * SHA1))


def test_the_policy_may_want_aggressive_mode(make_dataset: MakeDataset) -> None:
    found = model(make_dataset(), replace(OLD, exchange_mode="aggressive"))
    assert there(found.setup()).name == "aggressive mode, quick mode"
    assert there(found.ike_rekey()).messages == 3


def test_rekeys_with_and_without_pfs(make_dataset: MakeDataset) -> None:
    new, old = model(make_dataset(), PSK), model(make_dataset(), OLD)
    assert parts(there(new.child_rekey(None)).initiator) == near((0, 0, 3 * SHA256))
    assert parts(there(new.child_rekey("x25519")).initiator) == near((X25519, 0, 3 * SHA256))
    # Another method than phase 1's may be used.
    assert parts(there(new.child_rekey("modp1024")).initiator) == near((MODP1024, 0, 3 * SHA256))
    assert parts(there(old.child_rekey(None)).responder) == near((0, 0, 7 * SHA1))
    assert parts(there(old.child_rekey("modp1024")).responder) == near((MODP1024, 0, 7 * SHA1))
    assert parts(there(new.ike_rekey()).responder) == near((X25519, 0, 7 * SHA256))
    # IKEv1 renews phase 1 by doing it again.
    assert parts(there(old.ike_rekey()).responder) == near((MODP1024, 0, 8 * SHA1))
    assert [there(each).messages for each in (new.child_rekey(None), new.ike_rekey(), old.child_rekey(None))] == [
        2,
        2,
        3,
    ]


def test_an_additional_key_exchange_is_one_exchange_more(make_dataset: MakeDataset) -> None:
    hybrid = replace(PSK, additional_key_exchanges=("mlkem768",))
    found = model(with_kem(make_dataset()), hybrid)
    setup = there(found.setup())
    # SKEYSEED, the seven keys and IntAuth once more: 1 + 6 + 2.
    assert parts(setup.initiator) == near((X25519 + 30 + 40, 0, (14 + 9) * SHA256))
    assert parts(setup.responder) == near((X25519 + 25, 0, (14 + 9) * SHA256))
    assert (setup.messages, setup.round_trips, setup.measured) == (6, 3, True)
    assert "IKE_INTERMEDIATE" in setup.name
    rekey = there(found.child_rekey("x25519"))
    assert (rekey.messages, rekey.round_trips) == (4, 2)
    assert parts(rekey.responder) == near((X25519 + 25, 0, 3 * SHA256))
    # Without PFS there is no key exchange at all.
    assert there(found.child_rekey(None)).messages == 2


def test_what_is_not_measured_is_said(make_dataset: MakeDataset) -> None:
    hybrid = replace(PSK, additional_key_exchanges=("mlkem1024",))
    cost = there(model(make_dataset(), hybrid).setup())
    assert not cost.measured
    assert cost.initiator.key_exchange_us.median == pytest.approx(X25519)
    assert model(make_dataset(without=["x25519"]), PSK).setup() is None
    assert model(make_dataset(without=["ecdsa-256"]), replace(PSK, authentication="ecdsa-256")).setup() is None


def test_without_whole_set_ups_the_protocol_is_a_stated_default(make_dataset: MakeDataset) -> None:
    found = model(make_dataset(), PSK)
    assert (found.basis, found.measured_set) == (ProtocolBasis.STATED, None)
    cost = there(found.setup())
    assert cost.responder.protocol_us.median == pytest.approx(4 * UNMEASURED_MESSAGE_US.median)
    assert cost.responder.protocol_us.lower < cost.responder.protocol_us.median / 10
    assert cost.responder.protocol_us.upper > cost.responder.protocol_us.median * 5


def test_with_whole_set_ups_the_protocol_is_theirs_by_the_message(make_dataset: MakeDataset) -> None:
    name = "ikev2:aes128-sha256-x25519:psk"
    dataset = make_dataset(stack={name: 1.0, "ikev1:aes256-sha1-modp1024:psk": 2.0})
    found = model(dataset, PSK)
    assert (found.basis, found.measured_set) == (ProtocolBasis.MEASURED, name)
    # Protection, parsing, protocol and datagrams: 40 + 100 + 500 + 50 and 42 + 110 + 530 + 52 for 4 messages.
    setup, rekey = there(found.setup()), there(found.child_rekey(None))
    assert setup.initiator.protocol_us.median == pytest.approx(690)
    assert setup.responder.protocol_us.median == pytest.approx(734)
    assert rekey.initiator.protocol_us.median == pytest.approx(690 / 2)
    # IKEv1's rows are taken for IKEv1: 9 messages there, 3 in quick mode.
    old = there(model(dataset, OLD).child_rekey(None))
    assert old.responder.protocol_us.median == pytest.approx(2 * 734 / 3)


def test_the_time_that_passes_is_both_ends_work_and_the_network(make_dataset: MakeDataset) -> None:
    here, far = (there(model(make_dataset(), PSK, milliseconds).setup()) for milliseconds in (0.0, 150.0))
    work = here.initiator.cpu_us.median + here.responder.cpu_us.median
    assert here.wall_ms.median == pytest.approx(work / 1e3)
    assert far.wall_ms.median - here.wall_ms.median == pytest.approx(300)
