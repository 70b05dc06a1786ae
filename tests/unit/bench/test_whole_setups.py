"""Whole set-ups of an IKE SA: what is measured, how time is booked, and how the rows of a set share their samples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipsecbench.algorithms.proposals import parse_esp
from ipsecbench.bench import accounting
from ipsecbench.bench.accounting import AccountedInfrastructure, AccountedSelection, Ledger
from ipsecbench.bench.handshake import QUICK_SETS, SETS, SETS_BY_NAME, HandshakeSet, Part, Role, parse_set
from ipsecbench.bench.handshake_credentials import UNIX_TIME, credentials
from ipsecbench.bench.handshake_pair import HandshakePair
from ipsecbench.bench.handshake_runner import HandshakeRunner
from ipsecbench.bench.measurement import Tier, Workload
from ipsecbench.bench.plan import PROVIDERS, Request, build_plan, is_decisive, parse_providers
from ipsecbench.bench.runner import Offer
from ipsecbench.bench.scheduler import Pace, Scheduler
from ipsecbench.errors import MeasurementError, RejectedError, UnsupportedError, UsageError
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure

FIRST = SETS[0]


def offers() -> list[Offer]:
    rows = [Offer("ipsecbench", Tier.HANDSHAKE, row.name, row.operations, None) for row in SETS]
    return [*rows, Offer("libcrypto", Tier.PRIMITIVE, "x25519", ("generate", "agree"), None)]


def workload(operation: str, handshake: HandshakeSet = FIRST) -> Workload:
    return Workload(Tier.HANDSHAKE, "ipsecbench", operation, handshake.name)


class Clock:
    """Nanoseconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


# What is measured.


@pytest.mark.parametrize("row", SETS, ids=lambda row: row.name)
def test_the_name_of_a_set_says_what_it_is(row: HandshakeSet) -> None:
    assert parse_set(row.name) == (row.version, row.ike, row.authentication)
    assert row.ike.text == row.proposal
    assert parse_esp(row.esp_proposal).text == row.esp_proposal


def test_both_versions_and_the_articles_parameters_are_there() -> None:
    assert {row.version for row in QUICK_SETS} == {1, 2}
    assert SETS_BY_NAME["ikev1:aes256-sha1-modp1024:psk"].esp_proposal == "aes128-md5"
    assert len(SETS_BY_NAME) == len(SETS)


def test_there_is_no_authentication_apart_from_the_prf_with_a_pre_shared_key() -> None:
    assert "authentication-initiator" not in FIRST.operations
    assert "authentication-responder" in SETS[1].operations


@pytest.mark.parametrize("name", ["aes128-sha256", "ikev3:aes128-sha256-x25519:psk", "ikev2:rot13:psk", "ikev2:", ""])
def test_what_is_no_name_of_a_set_is_none(name: str) -> None:
    assert parse_set(name) is None


def test_the_default_plan_has_every_set_and_the_quick_plan_few() -> None:
    plan = build_plan(offers(), Request())
    rows = [row for row in plan if row.tier is Tier.HANDSHAKE]
    assert {row.algorithm for row in rows} == set(SETS_BY_NAME)
    assert len(rows) == sum(len(row.operations) for row in SETS)
    assert all(row.size_bytes is None and row.mix is None and row.cores == 1 for row in rows)
    assert not any(is_decisive(row) for row in rows)
    # After what decides, and before what is only compared.
    others = [Offer("libcrypto", Tier.PRIMITIVE, "aes128", ("encrypt",), None)]
    tiers = [row.tier for row in build_plan([*others, *offers()], Request())]
    first = tiers.index(Tier.HANDSHAKE)
    assert first == 2
    assert set(tiers[first + len(rows) :]) == {Tier.PRIMITIVE}
    quick = build_plan(offers(), Request(quick=True))
    assert {row.algorithm for row in quick if row.tier is Tier.HANDSHAKE} == {row.name for row in QUICK_SETS}


def test_sets_are_selected_by_pattern_and_by_provider() -> None:
    chosen = build_plan(offers(), Request(only=("ikev1:*",)))
    assert {row.algorithm[:5] for row in chosen} == {"ikev1"}
    assert {row.algorithm for row in build_plan(offers(), Request(only=("x25519",)))} == {"x25519"}
    assert parse_providers("ipsecbench") == ("ipsecbench",)
    assert "ipsecbench" in PROVIDERS
    plan = build_plan(offers(), Request(providers=("libcrypto",)))
    assert {row.tier for row in plan} == {Tier.PRIMITIVE}
    with pytest.raises(UsageError, match="matches no algorithm"):
        build_plan(offers(), Request(only=("ikev3:*",)))


# How time is booked.


def test_a_call_is_booked_to_its_part_also_when_it_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(accounting, "perf_counter_ns", clock)
    ledger = Ledger()

    def work(nanoseconds: int, fail: bool = False) -> int:
        clock.now += nanoseconds
        if fail:
            raise RejectedError("no")
        return nanoseconds

    timed = ledger.timed(Part.PRF, work)
    assert timed(5) == 5
    with pytest.raises(RejectedError):
        timed(7, fail=True)
    assert ledger.spent_ns[Part.PRF] == 12
    assert sum(ledger.spent_ns.values()) == 12
    ledger.clear()
    assert not any(ledger.spent_ns.values())


def used(ledger: Ledger) -> set[Part]:
    parts = {part for part, spent in ledger.spent_ns.items() if spent}
    ledger.clear()
    return parts


def test_every_kind_of_cryptography_works_as_without_the_account_and_is_booked() -> None:
    ledger = Ledger()
    selection = AccountedSelection(ledger)
    aead = selection.aead("aes128gcm16", bytes(16))
    assert aead.open(bytes(12), aead.seal(bytes(12), b"text", b"data"), b"data") == b"text"
    cipher = selection.cipher("aes128", bytes(16))
    assert cipher.decrypt(bytes(16), cipher.encrypt(bytes(16), bytes(32))) == bytes(32)
    mac = selection.mac("sha256", bytes(32))
    mac.verify(b"text", mac.authenticate(b"text")[: mac.icv_bytes])
    gmac = selection.nonce_mac("aes128gmac", bytes(16))
    gmac.verify(bytes(12), b"text", gmac.authenticate(bytes(12), b"text"))
    assert used(ledger) == {Part.PROTECTION}
    prf = selection.prf("prfsha256", b"key")
    assert prf.expand(b"seed", 40)[:32] == prf.compute(b"seed\x01")
    assert used(ledger) == {Part.PRF}
    method = selection.key_exchange("x25519")
    one, other = method.generate(), method.load(bytes(range(32)))
    assert one.agree(other.public) == other.agree(one.public)
    assert used(ledger) == {Part.KEY_EXCHANGE}
    with pytest.raises(RejectedError):
        one.agree(bytes(32))
    assert used(ledger) == {Part.KEY_EXCHANGE}


def test_key_encapsulation_is_booked_where_a_library_has_it() -> None:
    ledger = Ledger()
    selection = AccountedSelection(ledger)
    if not selection.supports("mlkem768"):
        pytest.skip("no library here has ML-KEM-768")
    mechanism = selection.key_encapsulation("mlkem768")
    for key in (mechanism.generate(), mechanism.load(bytes(64))):
        ciphertext, secret = mechanism.encapsulate(key.public)
        assert key.decapsulate(ciphertext) == secret
    assert used(ledger) == {Part.KEY_EXCHANGE}


def test_signatures_and_certificates_are_booked_as_authentication() -> None:
    ledger = Ledger()
    infrastructure = AccountedInfrastructure(PycaPublicKeyInfrastructure(), ledger)
    made = credentials("ecdsa-256", "a.example", "b.example")
    end, root = (infrastructure.load_certificate(der) for der in (made.initiator.certificate, made.root))
    key = infrastructure.load_private_key(made.initiator.private_key)
    infrastructure.verify_chain(end, (), (root,), UNIX_TIME)
    assert end.matches(2, b"a.example")
    assert not end.matches(2, b"b.example")
    end.public_key.verify("ecdsa-sha256", b"text", key.sign("ecdsa-sha256", b"text"))
    assert infrastructure.names_equal(end.issuer, root.subject)
    assert end.public_key.spki == key.public
    assert [each.der for each in infrastructure.load_certificates(made.root)] == [made.root]
    assert infrastructure.distinguished_name_text(root.subject) == "CN=ipsecbench root"
    assert infrastructure.distinguished_name("CN=ipsecbench root")
    assert used(ledger) == {Part.AUTHENTICATION}
    with pytest.raises(RejectedError):
        infrastructure.verify_chain(end, (), (root,), UNIX_TIME + 1e9)


def test_certificates_are_made_for_few_kinds_of_keys() -> None:
    with pytest.raises(UnsupportedError, match="rsa-2048"):
        credentials("rsa-2048", "a.example", "b.example")


# Whole set-ups.


@pytest.mark.parametrize("row", SETS, ids=lambda row: row.name)
def test_the_parts_of_a_set_up_add_up(row: HandshakeSet) -> None:
    with HandshakePair(row) as pair:
        times = [pair.set_up() for _ in range(2)]
    for each in times:
        for role in Role:
            spent = each.ns[role]
            assert spent[Part.SETUP] == sum(spent[part] for part in Part if part is not Part.SETUP)
            assert all(spent[part] > 0 for part in Part if row.signed or part is not Part.AUTHENTICATION)
            assert row.signed or spent[Part.AUTHENTICATION] == 0
    # IKE_SA_INIT and IKE_AUTH, or main and quick mode; additional key exchanges and certificates make it more.
    assert times[0].datagrams >= (4 if row.version == 2 else 9)
    assert times[0].octets > 0


def test_without_the_account_cryptography_is_part_of_the_protocol() -> None:
    with HandshakePair(SETS[1], account=False) as pair:
        times = pair.set_up()
    for spent in times.ns.values():
        assert {part for part, ns in spent.items() if ns} == {Part.SETUP, Part.PROTOCOL, Part.IO}


def test_a_set_up_that_comes_to_nothing_is_an_error_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with HandshakePair(FIRST) as pair:
        pair.set_up()
        monkeypatch.setattr(Endpoint, "candidates", lambda self, path, version: [])
        with pytest.raises(MeasurementError, match="no Child SA at the initiator"):
            pair.set_up()


def test_what_the_loopback_interface_changes_is_an_error() -> None:
    with HandshakePair(FIRST) as pair:
        responder = pair._ends[Role.RESPONDER]
        pair._ends[Role.INITIATOR].socket.sendto(b"noise", responder.socket.getsockname())
        with pytest.raises(MeasurementError, match="not what came out"):
            pair.set_up()


# Samples.


@pytest.fixture
def runner() -> Iterator[HandshakeRunner]:
    with HandshakeRunner(quick=True) as made:
        yield made


def test_offers_name_every_set(runner: HandshakeRunner) -> None:
    found = {offer.algorithm: offer for offer in runner.offers()}
    assert set(found) == set(SETS_BY_NAME)
    assert found[FIRST.name].operations == FIRST.operations
    assert all(offer.tier is Tier.HANDSHAKE and offer.provider == "ipsecbench" for offer in found.values())
    info = runner.library_info()
    assert info["provider"] == "ipsecbench"
    assert info["version"]


def test_the_rows_of_a_set_share_their_set_ups(runner: HandshakeRunner) -> None:
    for number in range(3):
        rows = {operation: runner.sample(workload(operation), 1) for operation in FIRST.operations}
        assert len({row.iterations for row in rows.values()}) == 1
        assert rows["setup-initiator"].detail["datagrams"] == 4
        assert rows["setup-initiator"].detail["esp_proposal"] == FIRST.esp_proposal
        for role in Role:
            whole = rows[f"setup-{role}"].wall_ns
            parts = [row.wall_ns for name, row in rows.items() if name.endswith(role) and not name.startswith("setup")]
            assert sum(parts) == whole, number


def test_a_row_that_is_asked_twice_gets_two_samples(runner: HandshakeRunner) -> None:
    first, second = (runner.sample(workload("prf-initiator"), 1) for _ in range(2))
    assert first is not second
    other = runner.sample(workload("io-initiator"), 1_000_000)
    assert other.iterations == first.iterations


@pytest.mark.parametrize(
    "bad",
    [
        workload("agree"),
        workload("authentication-initiator"),
        Workload(Tier.HANDSHAKE, "ipsecbench", "prf-initiator", "ikev2:aes128-sha256-x448:psk"),
        Workload(Tier.PRIMITIVE, "ipsecbench", "prf-initiator", FIRST.name),
    ],
)
def test_what_is_not_offered_is_refused(runner: HandshakeRunner, bad: Workload) -> None:
    with pytest.raises(UnsupportedError, match="there is no"):
        runner.sample(bad, 1)


def test_a_failed_set_up_fails_its_rows_and_closes_its_sockets(
    runner: HandshakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Endpoint, "candidates", lambda self, path, version: [])
    plan = [workload("setup-initiator"), workload("io-responder")]
    rows, _ = Scheduler({"ipsecbench": runner}, Pace(minimum_rounds=2, maximum_rounds=2)).measure(plan)
    assert [row.status.value for row in rows] == ["failed", "failed"]
    assert "no Child SA" in str(rows[0].message)


def test_rows_are_measured_like_any_other(runner: HandshakeRunner) -> None:
    plan = [workload(operation) for operation in FIRST.operations]
    rows, _ = Scheduler({"ipsecbench": runner}, Pace(precision=0.5, minimum_rounds=5, maximum_rounds=6)).measure(plan)
    assert all(row.usable and len(row.samples) >= 5 for row in rows)
    assert all(row.detail["datagrams"] == 4 for row in rows)
