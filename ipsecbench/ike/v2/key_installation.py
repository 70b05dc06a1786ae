"""Keys of an IKE SA put to use, and what the driver is told of it (RFC 7296 section 2.14)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ipsecbench.algorithms.proposals import NO_KEY_EXCHANGE, IkeProposal
from ipsecbench.errors import ProtocolError
from ipsecbench.ike.association import Host
from ipsecbench.ike.configuration import ConnectionConfiguration
from ipsecbench.ike.events import IkeSaInfo, IkeSaKeysDerived, NegotiatedIke
from ipsecbench.ike.v2 import identities
from ipsecbench.ike.v2.keymat import IkeKeys, first_skeyseed, ike_keys
from ipsecbench.ike.v2.proposals import IkeSuite, runnable
from ipsecbench.ike.v2.protection import IkeProtection
from ipsecbench.providers.interface import Prf
from ipsecbench.providers.selection import ProviderSelection
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa


def begin_protection(sa: IkeSa, suite: IkeSuite, secret: Secret) -> None:
    """Derive and install the keys that IKE_SA_INIT gives."""
    setup, cryptography = sa.setup, sa.host.environment.cryptography
    if setup is None:
        return
    skeyseed = first_skeyseed(cryptography, suite, secret, setup.nonce_i, setup.nonce_r)
    keys = ike_keys(cryptography, suite, skeyseed, setup.nonce_i, setup.nonce_r, sa.spi_i, sa.spi_r)
    install_keys(sa, suite, keys)


def install_keys(sa: IkeSa, suite: IkeSuite, keys: IkeKeys) -> None:
    """Protect messages with these keys from now on, and tell the key log."""
    environment = sa.host.environment
    sa.suite, sa.keys = suite, keys
    sa.sk_d = environment.cryptography.prf(suite.prf.name, keys.sk_d.reveal())
    sa.channel.protection = IkeProtection(
        environment.cryptography, suite, keys, is_initiator=sa.is_initiator, random=environment.random
    )
    sa.host.emit(IkeSaKeysDerived(describe(sa)))


def describe(sa: IkeSa) -> IkeSaInfo:
    """What is known of an IKE SA by now; before authentication the identities are those that are expected."""
    suite, keys = sa.suite, sa.keys
    if suite is None or keys is None:
        raise ProtocolError("the IKE SA has no keys yet")
    return IkeSaInfo(
        unique_id=sa.unique_id,
        version=2,
        connection=sa.connection.name,
        is_initiator=sa.is_initiator,
        spi_i=sa.spi_i,
        spi_r=sa.spi_r,
        path=sa.path,
        local_identity=sa.local_identity or identities.local(sa.connection, sa.path),
        remote_identity=sa.remote_identity or identities.remote(sa.connection, sa.path),
        negotiated=NegotiatedIke(
            encryption=suite.encryption.name,
            integrity=None if suite.integrity is None else suite.integrity.name,
            prf=suite.prf.name,
            key_exchange=suite.key_exchange.name,
            additional_key_exchanges=tuple(method.name for method in suite.additional),
        ),
        nat_local=sa.nat.local or sa.nat.pretended,
        nat_remote=sa.nat.remote,
        keys=keys.for_key_log,
    )


def runnable_proposals(
    host: Host, connection: ConnectionConfiguration, intermediate: bool = True
) -> tuple[IkeProposal, ...]:
    """The proposals that can be carried out: here, and with a peer that may not know IKE_INTERMEDIATE."""
    return _runnable(host.environment.cryptography, connection.proposals, intermediate)


@lru_cache(maxsize=256)
def _runnable(
    cryptography: ProviderSelection, proposals: tuple[IkeProposal, ...], intermediate: bool
) -> tuple[IkeProposal, ...]:
    """What a library can do is found out once and stays so."""
    found = runnable(proposals, lambda _kind, name: cryptography.supports(name))
    return found if intermediate else tuple(filter(_without_additional, found))


def _without_additional(proposal: IkeProposal) -> bool:
    return all(not names or NO_KEY_EXCHANGE in names for names in proposal.additional_key_exchanges)


def prf_under(sa: IkeSa, key: Secret) -> Prf:
    """The PRF of an IKE SA under one of its secrets."""
    if sa.suite is None:
        raise ProtocolError("the IKE SA has no keys yet")
    return sa.host.environment.cryptography.prf(sa.suite.prf.name, key.reveal())
