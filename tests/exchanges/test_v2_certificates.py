"""X.509 certificates and signatures in IKE_AUTH (RFC 7296 section 3.6, RFC 7427, RFC 4754, RFC 4945)."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from ipsecbench.ike.configuration import AuthMethod, ConnectionConfiguration, LocalAuthentication, RemoteAuthentication
from ipsecbench.ike.events import IkeSaFailed
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.v2.identifiers import NotifyType
from ipsecbench.lab.certificates import KEY_KINDS, Credential, authority
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from tests.exchanges import network as network_module
from tests.exchanges.network import Network, Node
from tests.exchanges.scenes import A, B, assert_agreement, child, connection, mirrored, name, pair

PKI = PycaPublicKeyInfrastructure()
QUICK = ("ecdsa-256", "ecdsa-384", "ecdsa-521", "ed25519", "ed448", "rsa-2048")


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificates of the laboratory are made for today."""
    monkeypatch.setattr(network_module, "UNIX_TIME", time.time() - 1000.0)


@lru_cache
def credential(kind: str, owner: str, made_by: str = "lab", **settings: bool) -> Credential:
    return authority(kind, made_by).issue(owner, common_name=owner, **settings)


def local(proof: Credential, identity: Identity | None, **settings: Any) -> LocalAuthentication:
    certificates = tuple(PKI.load_certificate(der) for der in (proof.certificate, *proof.intermediates))
    key = PKI.load_private_key(proof.private_key)
    return LocalAuthentication(AuthMethod.PUBKEY, identity, certificates, key, **settings)


def remote(kind: str, identity: Identity | None, made_by: str = "lab", **settings: Any) -> RemoteAuthentication:
    root = PKI.load_certificate(authority(kind, made_by).root)
    return RemoteAuthentication(AuthMethod.PUBKEY, identity, (root,), **settings)


def connections(kind: str, peers_kind: str = "", **settings: Any) -> tuple[ConnectionConfiguration, ...]:
    other = peers_kind or kind
    mine = connection(
        A, B, child(), local=local(credential(kind, "a"), name("a")), remote=remote(other, name("b")), **settings
    )
    peers = connection(
        B,
        A,
        mirrored(child()),
        local=local(credential(other, "b"), name("b")),
        remote=remote(kind, name("a")),
        **settings,
    )
    return mine, peers


def setup(mine: ConnectionConfiguration, peers: ConnectionConfiguration) -> tuple[Network, Node, Node]:
    network, a, b = pair(mine, peers)
    a.initiate()
    network.deliver_all()
    assert_agreement(a, b)
    return network, a, b


@pytest.mark.parametrize("kind", QUICK)
def test_each_kind_of_key(kind: str) -> None:
    _, a, _ = setup(*connections(kind))
    assert len(a.child_sas) == 1
    assert set(QUICK) <= set(KEY_KINDS)


def test_each_end_has_another_kind_of_key() -> None:
    _, a, _ = setup(*connections("ed25519", "ecdsa-384"))
    assert a.sas


@pytest.mark.parametrize(
    "scheme", ["rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512", "rsa-pkcs1-sha256", "rsa-pkcs1-sha512"]
)
def test_signature_schemes_by_configuration(scheme: str) -> None:
    mine, peers = connections("rsa-2048")
    _, a, _ = setup(replace(mine, local=replace(mine.local, signature_schemes=(scheme,))), peers)
    assert a.sas


def test_sha1_only_where_it_is_allowed() -> None:
    mine, peers = connections("rsa-2048")
    mine = replace(mine, local=replace(mine.local, signature_schemes=("rsa-pkcs1-sha1",)))
    _, a, b = setup(mine, peers)
    assert not a.sas
    assert [event.notify for event in [*a.of(IkeSaFailed), *b.of(IkeSaFailed)]].count(
        NotifyType.AUTHENTICATION_FAILED
    ) >= 1
    _, a, _ = setup(mine, replace(peers, remote=replace(peers.remote, allow_sha1=True)))
    assert a.sas


def test_a_distinguished_name_is_the_default_identity() -> None:
    mine, peers = connections("ecdsa-256")
    subject = Identity(IdType.ID_DER_ASN1_DN, PKI.distinguished_name(credential("ecdsa-256", "a").subject))
    mine = replace(mine, local=replace(mine.local, identity=None))
    _, a, b = setup(mine, replace(peers, remote=replace(peers.remote, identity=subject)))
    assert a.sa.info is not None
    assert b.sa.info is not None
    got = b.sa.info.remote_identity
    assert got == a.sa.info.local_identity
    # The certificate has another kind of string in its names than the configuration makes of the text.
    assert got.data != subject.data
    assert PKI.names_equal(got.data, subject.data)
    # Any identity that the peer can prove.
    _, a, b = setup(mine, replace(peers, remote=replace(peers.remote, identity=None)))
    assert a.sas


def test_a_certificate_that_is_known_beforehand_and_not_sent() -> None:
    mine, peers = connections("ecdsa-256")
    known = PKI.load_certificate(credential("ecdsa-256", "a").certificate)
    peers = replace(peers, remote=RemoteAuthentication(AuthMethod.PUBKEY, name("a"), (), (known,)))
    _, a, _ = setup(replace(mine, local=replace(mine.local, certificates=mine.local.certificates[:1])), peers)
    assert a.sas


@pytest.mark.parametrize(
    "what", ["another authority", "expired", "another identity", "another key", "no chain", "a shared key instead"]
)
def test_what_is_not_accepted(what: str) -> None:
    mine, peers = connections("ecdsa-256")
    if what == "another authority":
        mine = replace(mine, local=local(credential("ecdsa-256", "a", "elsewhere"), name("a")))
    elif what == "expired":
        mine = replace(mine, local=local(credential("ecdsa-256", "a", expired=True), name("a")))
    elif what == "another identity":
        mine = replace(mine, local=local(credential("ecdsa-256", "x"), name("a")))
    elif what == "another key":
        # A valid certificate, and the key of another one.
        mine = replace(
            mine, local=replace(mine.local, private_key=PKI.load_private_key(credential("ecdsa-256", "x").private_key))
        )
    elif what == "no chain":
        mine = replace(mine, local=replace(mine.local, certificates=mine.local.certificates[:1]))
    else:
        mine = replace(mine, local=LocalAuthentication(AuthMethod.PSK, name("a")))
    network, a, b = setup(mine, peers)
    assert not a.sas
    assert [event.notify for event in a.of(IkeSaFailed)] == [NotifyType.AUTHENTICATION_FAILED]
    assert [event.notify for event in b.of(IkeSaFailed)] == [NotifyType.AUTHENTICATION_FAILED]
    network.run(60.0)
    assert not a.endpoint.associations()
    assert not b.endpoint.associations()


def test_a_responder_that_is_not_accepted_is_told() -> None:
    mine, peers = connections("ecdsa-256")
    peers = replace(peers, local=local(credential("ecdsa-256", "b", "elsewhere"), name("b")))
    network, a, b = setup(mine, peers)
    assert [event.notify for event in a.of(IkeSaFailed)] == [NotifyType.AUTHENTICATION_FAILED]
    # B was satisfied with A, and closed the IKE SA when A was not with B.
    assert not b.sas
    network.run(60.0)
    assert not b.endpoint.associations()
