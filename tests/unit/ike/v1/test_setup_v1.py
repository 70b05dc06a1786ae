"""Whole exchanges of two ISAKMP endpoints: main and aggressive mode, quick mode with and without PFS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.events import (
    ChildSaEstablished,
    ChildSaInfo,
    ChildSaPrepared,
    ChildSaWithdrawn,
    IkeSaEstablished,
    IkeSaKeysDerived,
)
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.ike.path import Path
from tests.unit.ike.v1.pair import ALICE, BOB, Pair, make_pair, with_child


def both(pair: Pair) -> tuple[IkeSaEstablished, IkeSaEstablished]:
    found = [event for host in (pair.alice, pair.bob) for event in host.events if isinstance(event, IkeSaEstablished)]
    assert len(found) == 2
    return found[0], found[1]


@pytest.mark.parametrize("force_encapsulation", [False, True])
@pytest.mark.parametrize("aggressive", [False, True])
def test_both_modes_set_everything_up(aggressive: bool, force_encapsulation: bool) -> None:
    pair = make_pair(lambda each: replace(each, aggressive=aggressive, force_encapsulation=force_encapsulation))
    pair.establish()
    pair.check_keys()
    assert len(pair.passed) == (6 if aggressive else 9)
    alice, bob = both(pair)
    assert (alice.sa.local_identity, alice.sa.remote_identity) == (ALICE, BOB)
    assert (bob.sa.local_identity, bob.sa.remote_identity) == (BOB, ALICE)
    assert (alice.sa.spi_i, alice.sa.spi_r) == (bob.sa.spi_i, bob.sa.spi_r)
    assert alice.sa.keys["encryption_key"] == bob.sa.keys["encryption_key"]
    assert alice.sa.is_initiator
    assert not bob.sa.is_initiator
    port = 4500 if force_encapsulation else 500
    for host in (pair.alice, pair.bob):
        assert {address.port for address in host.only.path} == {port}
        assert host.children[0].udp_encapsulation == force_encapsulation
        assert not host.logged


def test_keys_are_told_before_the_peer_is_believed() -> None:
    pair = make_pair()
    pair.establish()
    kinds = [type(event) for event in pair.alice.events]
    assert kinds == [IkeSaKeysDerived, IkeSaEstablished, ChildSaEstablished]


def prepared(pair: Pair) -> list[ChildSaInfo]:
    return [event.sa for event in pair.bob.events if isinstance(event, ChildSaPrepared)]


def test_the_responder_tells_its_inbound_keys_before_the_last_message() -> None:
    pair = make_pair()
    pair.establish()
    kinds = [type(event) for event in pair.bob.events]
    assert kinds == [IkeSaKeysDerived, IkeSaEstablished, ChildSaPrepared, ChildSaEstablished]
    (ready,), (child,) = prepared(pair), pair.bob.children
    assert ready == child
    assert (ready.inbound, ready.expiry) == (child.inbound, child.expiry)


def test_what_was_prepared_is_withdrawn_where_the_last_message_never_comes() -> None:
    pair = make_pair()
    pair.establish()
    pair.alice.only.rekey_child_sa(pair.alice.children[0].inbound_spi, pair.now)
    quick_mode = pair.alice.sent.pop()
    back = Path(quick_mode.path.remote, quick_mode.path.local)
    pair.bob.receive(quick_mode.data, back, pair.now)
    pair.bob.sent.clear()
    ready = prepared(pair)[-1]
    assert ready.inbound_spi != pair.bob.children[0].inbound_spi
    pair.way = lambda datagram: []
    pair.sleep(400)
    withdrawn = [event.inbound_spi for event in pair.bob.events if isinstance(event, ChildSaWithdrawn)]
    assert withdrawn == [ready.inbound_spi]


@pytest.mark.parametrize(
    "proposal",
    [
        "des-md5-modp768",
        "3des-sha1-modp1024",
        "blowfish128-sha256-modp1536",
        "blowfish192-sha384-modp2048",
        "blowfish256-sha512-modp2048s256",
        "cast128-md5-modp1024s160",
        "aes192-sha384-ecp384",
        "aes256-sha512-ecp521",
        "camellia128-sha256-ecp256bp",
        "camellia256-sha1-x25519",
        "aes128-sha256-x448",
        "aes128-sha1-ecp192",
        "aes128-sha1-modp2048s224",
        "aes128-sha1-ecp224",
        "aes128-sha1-ecp384bp",
        "aes128-sha1-ecp512bp",
        "aes128-sha1-ecp224bp",
    ],
)
def test_algorithms_of_phase_1(proposal: str) -> None:
    pair = make_pair(lambda each: replace(each, proposals=(parse_ike(proposal),)))
    pair.establish()
    pair.check_keys()
    negotiated = both(pair)[0].sa.negotiated
    wanted = parse_ike(proposal)
    assert (negotiated.encryption,) == wanted.encryption
    assert (negotiated.integrity,) == wanted.integrity
    assert (negotiated.prf,) == wanted.prf
    assert (negotiated.key_exchange,) == wanted.key_exchange


ESP = (
    *(f"{cipher}-sha1" for cipher in ("des", "3des", "cast128", "blowfish128", "blowfish192", "blowfish256")),
    *(f"twofish{bits}-md5" for bits in (128, 192, 256)),
    *(f"aes{bits}-sha256" for bits in (128, 192, 256)),
    *(f"aes{bits}ctr-sha384" for bits in (128, 192, 256)),
    *(f"camellia{bits}-sha512" for bits in (128, 192, 256)),
    *(f"aes128{mode}{octets}" for mode in ("gcm", "ccm") for octets in (8, 12, 16)),
    *("aes192gcm16", "aes256gcm16", "aes128gmac", "aes256gmac", "null-sha1", "null-aesxcbc", "aes128-aesxcbc"),
    *("aes128-sha1-modp1024", "aes128-sha1-ecp256", "aes128gcm16-x25519", "aes256-sha512-esn"),
)


@pytest.mark.parametrize("proposal", ESP)
def test_algorithms_of_phase_2(proposal: str) -> None:
    pair = make_pair(with_child(lambda child: replace(child, proposals=(parse_esp(proposal),))))
    pair.establish()
    pair.check_keys()
    wanted = parse_esp(proposal)
    for host in (pair.alice, pair.bob):
        (child,) = host.children
        assert child.negotiated.encryption == wanted.encryption[0]
        assert child.negotiated.integrity == (wanted.integrity[0] if wanted.integrity else None)
        assert child.negotiated.key_exchange == (wanted.key_exchange[0] if wanted.key_exchange else None)
        assert child.negotiated.esn == wanted.esn[0]
        assert child.inbound.encryption != child.outbound.encryption or proposal.startswith("null")


def test_the_example_of_the_article() -> None:
    """Main mode, AES-256, HMAC-SHA1, group 2, 86400 s; quick mode AES-128, HMAC-MD5, 43200 s, no PFS."""

    def article(each: ConnectionConfiguration) -> ConnectionConfiguration:
        child = replace(
            each.children[0],
            proposals=(parse_esp("aes128-md5"),),
            lifetime=Lifetime(seconds=Limit(rekey=39000, life=43200)),
        )
        return replace(
            each,
            proposals=(parse_ike("aes256-sha1-modp1024"),),
            children=(child,),
            lifetime=Lifetime(seconds=Limit(rekey=80000, life=86400)),
        )

    pair = make_pair(article)
    pair.establish()
    pair.check_keys()
    for host in (pair.alice, pair.bob):
        (child,) = host.children
        assert (child.negotiated.encryption, child.negotiated.integrity) == ("aes128", "md5")
        assert child.negotiated.key_exchange is None
        assert child.expiry.hard_at == pair.now + 43200
    assert pair.alice.connection_secret == "k2;2.6TbYl+{/qa"
    # Phase 1 and phase 2 are renewed before they end, and nothing is ever missing.
    pair.sleep(100_000)
    assert len(pair.alice.children) == len(pair.bob.children) == 1
    pair.check_keys()
