"""IKE_AUTH: both ends prove who they are, and the first Child SA (RFC 7296 sections 1.2, 2.15, 2.21.2).

With it RFC 6023 (no Child SA), RFC 7427 (signatures), RFC 8784 (post-quantum pre-shared keys) and INITIAL_CONTACT.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipsecbench.errors import AuthenticationError, IpsecbenchError, MalformedError, NegotiationError
from ipsecbench.ike.association import Association
from ipsecbench.ike.configuration import AuthMethod, Childless, ConnectionConfiguration, PostquantumPsk, Unique
from ipsecbench.ike.events import ChildSaFailed, IkeSaEstablished, IkeSaFailed
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2 import identities, limits, proof
from ipsecbench.ike.v2.exchanges.certificate_requests import certificate_requests, read_certificate_requests
from ipsecbench.ike.v2.exchanges.child_negotiation import ChildAnswer, answer_child, make_child, offer_child
from ipsecbench.ike.v2.exchanges.informational import DeleteRefusedChildSa, ReportFailedAuthentication
from ipsecbench.ike.v2.identifiers import AuthMethod as AuthNumber
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_installation import prf_under
from ipsecbench.ike.v2.keymat import IkeKeys, with_ppk
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import (
    Authentication,
    IdentificationInitiator,
    IdentificationPayload,
    IdentificationResponder,
    Notify,
    Payload,
    SecurityAssociation,
)
from ipsecbench.ike.v2.rekey_collision import Nonces
from ipsecbench.ike.v2.setup import Setup
from ipsecbench.ike.v2.transitions import State

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

PPK_ID_FIXED = 2
"""PPK_ID type of a fixed identity (RFC 8784 section 5.1)."""


# Initiator.


def send_request(sa: IkeSa, setup: Setup, now: float) -> None:
    """Send the request; a failure on this side ends the IKE SA."""
    try:
        payloads = _request(sa, setup)
    except IpsecbenchError as error:
        sa.fail(str(error), getattr(error, "notify", None), now)
        return
    sa.enter(State.AUTH_SENT)
    sa.request(ExchangeType.IKE_AUTH, payloads, now)


def _request(sa: IkeSa, setup: Setup) -> list[Payload]:
    connection, keys = sa.connection, sa.keys
    if keys is None:
        raise proof.failed("there are no keys")
    identity = sa.local_identity = identities.local(connection, sa.path)
    own_id = proof.identification(identity, is_initiator=True)
    payloads: list[Payload] = [own_id, *proof.own_certificates(connection, setup.certificate_wanted)]
    payloads += certificate_requests((connection,))
    remote = connection.remote.identity
    if remote is not None:
        payloads.append(IdentificationResponder(remote.id_type, remote.data))
    message_id = sa.channel.requests.next_message_id
    ppk = connection.ppk if setup.use_ppk else None
    if ppk is None:
        payloads.append(proof.prove(sa, setup, own_id, keys.sk_pi, message_id))
    else:
        mixed = _mixed(sa, keys, ppk)
        payloads.append(proof.prove(sa, setup, own_id, mixed.sk_pi, message_id))
        payloads.append(Notify(NotifyType.PPK_IDENTITY, bytes((PPK_ID_FIXED,)) + ppk.identity))
        if not ppk.required:
            without = proof.prove(sa, setup, own_id, keys.sk_pi, message_id)
            payloads.append(Notify(NotifyType.NO_PPK_AUTH, without.data))
    if connection.unique is Unique.REPLACE and not any(_others(sa, identity, remote)):
        payloads.append(Notify(NotifyType.INITIAL_CONTACT))
    return payloads + _child_request(sa, setup)


def _child_request(sa: IkeSa, setup: Setup) -> list[Payload]:
    """What asks for the first Child SA; nothing where there is to be none (RFC 6023)."""
    connection = sa.connection
    without = not setup.children or connection.childless is Childless.FORCE
    if without:
        if not setup.childless_allowed or connection.childless is Childless.NEVER:
            raise NegotiationError("an IKE SA without a Child SA is not possible with this peer")
        return []
    configuration = next(child for child in connection.children if child.name == setup.children[0])
    setup.children = setup.children[1:]
    setup.child_offer = offer_child(sa, configuration, with_key_exchange=False)
    head, tail = setup.child_offer.payloads()
    return head + tail


def process_response(sa: IkeSa, response: Message, now: float) -> None:
    """Take the response.

    Raises:
        MalformedError: it breaks the protocol.
    """
    setup = sa.setup
    if setup is None:
        return
    authentication = response.first(Authentication)
    if authentication is None:
        error = response.error
        if error is None:
            raise MalformedError(f"{response.name}: neither AUTH nor an error")
        sa.fail(f"the peer refuses with {error.name}", error.message_type, now)
        return
    try:
        _authenticate_responder(sa, setup, response, authentication)
    except AuthenticationError as error:
        _reject(sa, error, now)
        return
    _establish(sa, now)
    _take_child(sa, setup, response, now)
    for name in setup.children:
        sa.create_child_sa(name, now)


def _authenticate_responder(sa: IkeSa, setup: Setup, response: Message, authentication: Authentication) -> None:
    connection, keys = sa.connection, sa.keys
    if keys is None:
        raise proof.failed("there are no keys")
    ppk = connection.ppk if setup.use_ppk else None
    if ppk is not None:
        if response.notify(NotifyType.PPK_IDENTITY) is not None:
            keys = _mixed(sa, keys, ppk)
        elif ppk.required:
            raise proof.failed("the peer does not use the post-quantum pre-shared key")
    peer_id = response.one(IdentificationResponder)
    identity = Identity(peer_id.id_type, peer_id.data)
    if not identities.fits(connection.remote.identity, identity, sa.host.environment.certificates):
        raise proof.failed(f"the peer is {identity}, not {connection.remote.identity}")
    proof.judge(sa, setup, connection, response, peer_id, authentication, keys.sk_pr)
    sa.remote_identity = identity
    _use_keys(sa, keys)


def _reject(sa: IkeSa, error: AuthenticationError, now: float) -> None:
    """The responder has authenticated this end and holds an IKE SA: tell it that there is none (section 2.21.2)."""
    sa.refused = True
    sa.host.emit(IkeSaFailed(sa.unique_id, sa.connection.name, True, str(error), error.notify))
    if sa.setup is not None and sa.setup.child_offer is not None:
        sa.host.release_child_spi(sa.setup.child_offer.spi)
    sa.setup = None
    sa.enter(State.DELETING)
    sa.enqueue(ReportFailedAuthentication(), now)


def _take_child(sa: IkeSa, setup: Setup, response: Message, now: float) -> None:
    offer = setup.child_offer
    if offer is None:
        return
    name = offer.configuration.name
    if response.first(SecurityAssociation) is None:
        error = response.error
        sa.host.release_child_spi(offer.spi)
        reason = "the peer made none" if error is None else f"the peer refuses with {error.name}"
        sa.host.emit(ChildSaFailed(sa.unique_id, name, reason, None if error is None else error.message_type))
        return
    try:
        agreement = offer.accept(sa, response)
    except IpsecbenchError as error:
        sa.host.emit(
            ChildSaFailed(sa.unique_id, name, f"the answer is not acceptable: {error}", getattr(error, "notify", None))
        )
        sa.enqueue(DeleteRefusedChildSa(offer.spi), now)
        return
    make_child(sa, agreement, Nonces(setup.nonce_i, setup.nonce_r), (), now, is_initiator=True)


# Responder.


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer the request. Every refusal looks the same to the peer.

    Raises:
        AuthenticationError: the peer is not accepted.
        MalformedError: it asks for no Child SA though that was not offered.
    """
    setup, keys = sa.setup, sa.keys
    if setup is None or keys is None:
        return
    if setup.additional:
        raise MalformedError(f"{request.name}: an additional key exchange is missing", NotifyType.INVALID_SYNTAX)
    read_certificate_requests(setup, request)
    uses_ppk = _authenticate_initiator(sa, setup, keys, request)
    if request.first(SecurityAssociation) is None and sa.connection.childless is Childless.NEVER:
        raise MalformedError(f"{request.name}: no Child SA is asked for", NotifyType.INVALID_SYNTAX)
    identity = sa.local_identity = identities.local(sa.connection, path)
    own_id = proof.identification(identity, is_initiator=False)
    payloads: list[Payload] = [own_id, *proof.own_certificates(sa.connection, setup.certificate_wanted)]
    if sa.keys is not None:
        payloads.append(proof.prove(sa, setup, own_id, sa.keys.sk_pr, request.header.message_id))
    if uses_ppk:
        payloads.append(Notify(NotifyType.PPK_IDENTITY))
    child = _answer_child(sa, request, payloads)
    sa.respond(request, path, payloads, now)
    if request.notify(NotifyType.INITIAL_CONTACT) is not None and sa.connection.unique is Unique.REPLACE:
        for other in list(_others(sa, identity, sa.remote_identity)):
            other.abandon("the peer has begun anew (INITIAL_CONTACT)", now)
    _establish(sa, now)
    if isinstance(child, ChildAnswer):
        make_child(sa, child.agreement, Nonces(setup.nonce_i, setup.nonce_r), (), now, is_initiator=False)
    elif child is not None:
        sa.host.emit(ChildSaFailed(sa.unique_id, "", str(child), child.notify))


def _authenticate_initiator(sa: IkeSa, setup: Setup, keys: IkeKeys, request: Message) -> bool:
    """Find the connection that the peer proves to be; whether a PPK is in use."""
    peer_id, authentication = request.one(IdentificationInitiator), request.first(Authentication)
    if authentication is None:
        raise proof.failed("the peer asks for EAP, which is not spoken here")
    identity = Identity(peer_id.id_type, peer_id.data)
    problem = proof.failed(f"no connection is for {identity}")
    for connection in _matching(sa, setup, identity, request.first(IdentificationResponder), authentication):
        try:
            used, auth, ppk = _with_ppk(sa, setup, connection, keys, request, authentication)
            proof.judge(sa, setup, connection, request, peer_id, auth, used.sk_pi)
        except AuthenticationError as error:
            problem = error
            continue
        sa.connection = connection
        sa.channel.configure(connection)
        sa.remote_identity = identity
        _use_keys(sa, used)
        return ppk
    raise problem


def _matching(
    sa: IkeSa,
    setup: Setup,
    identity: Identity,
    wanted: IdentificationPayload | None,
    authentication: Authentication,
) -> Iterator[ConnectionConfiguration]:
    """Connections for an initiator of this identity, that wants to speak to that one, by this kind of proof."""
    certificates = sa.host.environment.certificates
    psk = authentication.method == AuthNumber.SHARED_KEY_MESSAGE_INTEGRITY_CODE
    for connection in setup.connections:
        if (connection.remote.method is AuthMethod.PSK) is not psk:
            continue
        if not identities.fits(connection.remote.identity, identity, certificates):
            continue
        own = identities.local(connection, sa.path)
        if wanted is None or identities.same(own, Identity(wanted.id_type, wanted.data), certificates):
            yield connection


def _with_ppk(
    sa: IkeSa,
    setup: Setup,
    connection: ConnectionConfiguration,
    keys: IkeKeys,
    request: Message,
    authentication: Authentication,
) -> tuple[IkeKeys, Authentication, bool]:
    """The keys and the AUTH that count with a connection (RFC 8784 section 3, table 1), and whether a PPK is used."""
    ppk: PostquantumPsk | None = connection.ppk
    named = request.notify(NotifyType.PPK_IDENTITY) if setup.use_ppk else None
    if ppk is not None and named is not None and named.data == bytes((PPK_ID_FIXED,)) + ppk.identity:
        return _mixed(sa, keys, ppk), authentication, True
    if ppk is not None and ppk.required:
        raise proof.failed("the peer does not use the post-quantum pre-shared key")
    if named is None:
        return keys, authentication, False
    without = request.notify(NotifyType.NO_PPK_AUTH)
    if without is None:
        raise proof.failed("the peer insists on another post-quantum pre-shared key")
    return keys, Authentication(authentication.method, without.data), False


def _answer_child(sa: IkeSa, request: Message, payloads: list[Payload]) -> ChildAnswer | NegotiationError | None:
    """Add the answer for the Child SA; a refusal leaves the IKE SA alone (RFC 7296 section 1.2)."""
    if request.first(SecurityAssociation) is None:
        return None
    try:
        if sa.connection.childless is Childless.FORCE:
            raise NegotiationError("a Child SA in IKE_AUTH is not wanted", NotifyType.NO_ADDITIONAL_SAS)
        chosen = answer_child(sa, request, sa.connection.children, with_key_exchange=False)
    except NegotiationError as error:
        payloads.append(Notify(error.notify or NotifyType.NO_PROPOSAL_CHOSEN, error.data))
        return error
    head, tail = chosen.payloads()
    payloads += head + tail
    return chosen


# Both.


def _mixed(sa: IkeSa, keys: IkeKeys, ppk: PostquantumPsk) -> IkeKeys:
    if sa.suite is None:
        raise proof.failed("there are no keys")
    return with_ppk(sa.host.environment.cryptography, sa.suite, keys, ppk.secret)


def _use_keys(sa: IkeSa, keys: IkeKeys) -> None:
    """SK_d is that of the keys that AUTH was made with; messages are protected as before (RFC 8784 section 3)."""
    sa.keys = keys
    sa.sk_d = prf_under(sa, keys.sk_d)


def _establish(sa: IkeSa, now: float) -> None:
    sa.enter(State.ESTABLISHED)
    sa.setup = None
    sa.announced = True
    limits.begin(sa, now)
    sa.host.emit(IkeSaEstablished(sa.describe()))


def _others(sa: IkeSa, local: Identity | None, remote: Identity | None) -> Iterator[Association]:
    """Other IKE SAs between the same identities."""
    for other in sa.host.associations():
        info = other.info
        if other is not sa and info is not None and info.local_identity == local and info.remote_identity == remote:
            yield other
