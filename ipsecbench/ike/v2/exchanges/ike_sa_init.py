"""IKE_SA_INIT: algorithms, nonces, the first key exchange (RFC 7296 sections 1.2, 2.6, 2.7, 2.14, 2.21.1, 2.23).

Nothing here is authenticated. A responder keeps no state for a request that it refuses; an initiator believes an error
only when no better answer comes for a while, and begins anew a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.errors import IpsecbenchError, NegotiationError, ProtocolError, ProviderError
from ipsecbench.ike.association import Host
from ipsecbench.ike.configuration import Childless, ConnectionConfiguration
from ipsecbench.ike.header import ZERO_SPI, IkeHeader
from ipsecbench.ike.path import Address, Datagram, Path
from ipsecbench.ike.v2.authentication import accepted_hashes, hashes_of
from ipsecbench.ike.v2.exchanges import ike_auth, ike_intermediate
from ipsecbench.ike.v2.exchanges.certificate_requests import certificate_requests, read_certificate_requests
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_agreement import KeyAgreement, respond_key_exchange
from ipsecbench.ike.v2.key_installation import begin_protection, runnable_proposals
from ipsecbench.ike.v2.message import Message, build_message, new_header, parse_message
from ipsecbench.ike.v2.nat import NatSituation, nat_detection, situation
from ipsecbench.ike.v2.negotiation import check_ike_answer, select_ike
from ipsecbench.ike.v2.payloads import KeyExchange, Nonce, Notify, Payload, SecurityAssociation
from ipsecbench.ike.v2.proposals import Choice, IkeSuite, ike_offer
from ipsecbench.ike.v2.setup import Refusal, Setup
from ipsecbench.ike.v2.timers import Timer
from ipsecbench.ike.v2.transitions import State
from ipsecbench.ike.v2.validation import Shape, validate

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

NONCE_BYTES = 32
"""Octets of nonces made here: at least 16, and half the key size of the PRF (RFC 7296 section 2.10)."""
MAX_ATTEMPTS = 12
"""How often an initiator begins anew, because of cookies and key exchange methods, before it gives up."""
MAX_COOKIE_BYTES = 64
"""RFC 7296 section 2.6."""
GRACE_SECONDS = 2.0
"""How long an initiator waits for a better answer after an error that nobody vouches for."""


# Initiator.


def begin(sa: IkeSa, children: Sequence[str], now: float) -> None:
    """Send the first request."""
    environment = sa.host.environment
    proposals = runnable_proposals(sa.host, sa.connection)
    setup = sa.setup = Setup(children=tuple(children), proposals=proposals)
    if not proposals:
        sa.fail("none of the proposals can be carried out with the libraries here", None, now)
        return
    setup.offer = ike_offer(proposals)
    setup.nonce_i = environment.random(NONCE_BYTES)
    try:
        setup.agreement = KeyAgreement(environment.cryptography, KEY_EXCHANGE[proposals[0].key_exchange[0]])
    except ProviderError as error:
        sa.fail(f"there is no key exchange: {error}", None, now)
        return
    sa.enter(State.INIT_SENT)
    _send_request(sa, setup, now)


def _send_request(sa: IkeSa, setup: Setup, now: float) -> None:
    agreement = setup.agreement
    if agreement is None:
        return
    connection = sa.connection
    payloads: list[Payload] = []
    if setup.cookie is not None:
        payloads.append(Notify(NotifyType.COOKIE, setup.cookie))
    payloads += (SecurityAssociation(setup.offer), agreement.payload, Nonce(setup.nonce_i))
    payloads += nat_detection(sa.path, sa.spi_i, ZERO_SPI, connection.force_encapsulation)
    if connection.fragmentation:
        payloads.append(Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED))
    payloads.append(accepted_hashes(connection.remote.allow_sha1))
    if any(proposal.additional_key_exchanges for proposal in setup.proposals):
        payloads.append(Notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED))
    if connection.ppk is not None:
        payloads.append(Notify(NotifyType.USE_PPK))
    setup.message_i = sa.request(ExchangeType.IKE_SA_INIT, payloads, now).octets


def process_response(sa: IkeSa, header: IkeHeader, octets: bytes, path: Path, now: float) -> None:
    """Take what claims to be the response. What is not of use is dropped: the right one may still come."""
    setup = sa.setup
    if setup is None:
        return
    try:
        message = parse_message(octets, header)
        if validate(message) is Shape.INIT_REFUSAL:
            _process_refusal(sa, setup, message, now)
        else:
            _process_answer(sa, setup, message, path, now)
    except IpsecbenchError as error:
        sa.log("bad-init-response", str(error))
        _doubt(sa, setup, Refusal(str(error), getattr(error, "notify", None)), now)


def _doubt(sa: IkeSa, setup: Setup, refusal: Refusal, now: float) -> None:
    """Wait a little for a better answer."""
    setup.refusal = refusal
    if sa.timers.get(Timer.GIVE_UP) is None:
        sa.timers.set(Timer.GIVE_UP, now + GRACE_SECONDS)


def _process_refusal(sa: IkeSa, setup: Setup, message: Message, now: float) -> None:
    cookie = message.notify(NotifyType.COOKIE)
    other_method = message.notify(NotifyType.INVALID_KE_PAYLOAD)
    if cookie is not None:
        _begin_anew(sa, setup, cookie.data, None, now)
    elif other_method is not None:
        _begin_anew(sa, setup, None, int.from_bytes(other_method.data), now)
    else:
        error = message.error
        if error is None:
            raise ProtocolError(f"{message.name}: neither an answer nor an error")
        _doubt(sa, setup, Refusal(f"the peer refuses with {error.name}", error.message_type), now)


def _begin_anew(sa: IkeSa, setup: Setup, cookie: bytes | None, method_id: int | None, now: float) -> None:
    """Send the request again as the responder wants it; SPI and nonce stay (RFC 7296 sections 2.6 and 2.6.1)."""
    agreement = setup.agreement
    if agreement is None:
        return
    if cookie is not None:
        if cookie == setup.cookie:
            return
        if not 1 <= len(cookie) <= MAX_COOKIE_BYTES:
            raise ProtocolError(f"a cookie of {len(cookie)} octets")
    else:
        if method_id == agreement.method.ikev2_id:
            return
        offered = {name for proposal in setup.proposals for name in proposal.key_exchange}
        method = next((KEY_EXCHANGE[name] for name in offered if KEY_EXCHANGE[name].ikev2_id == method_id), None)
        if method is None:
            raise ProtocolError(f"the peer wants key exchange method {method_id}, which was not offered")
        agreement = KeyAgreement(sa.host.environment.cryptography, method)
    setup.attempts += 1
    if setup.attempts > MAX_ATTEMPTS:
        raise ProtocolError("the peer wants ever new requests")
    setup.cookie = setup.cookie if cookie is None else cookie
    setup.agreement = agreement
    sa.channel.requests.withdrawn()
    _send_request(sa, setup, now)


def _process_answer(sa: IkeSa, setup: Setup, message: Message, path: Path, now: float) -> None:
    agreement, spi_r = setup.agreement, message.header.spi_r
    if agreement is None or spi_r == ZERO_SPI:
        raise ProtocolError(f"{message.name}: no SPI of the responder")
    choice = check_ike_answer(setup.offer, message.one(SecurityAssociation).proposals)
    if choice.suite.key_exchange is not agreement.method:
        raise ProtocolError(f"{message.name}: another key exchange method than the one it answers to")
    features = _features(sa.connection, message)
    if choice.suite.additional and not features.intermediate:
        raise ProtocolError(f"{message.name}: additional key exchanges without IKE_INTERMEDIATE")
    if sa.connection.ppk is not None and sa.connection.ppk.required and not features.ppk:
        raise ProtocolError(f"{message.name}: the peer does not use a post-quantum pre-shared key")
    secret = agreement.complete(message.one(KeyExchange))
    # From here on the response counts.
    sa.channel.requests.answered()
    sa.timers.set(Timer.GIVE_UP, None)
    setup.refusal = None
    sa.channel.last_heard = now
    sa.channel.spi_r = spi_r
    setup.nonce_r = message.one(Nonce).data
    setup.message_r = message.octets
    begin_protection(sa, choice.suite, secret)
    _apply(sa, setup, features, situation(message, path, sa.connection.force_encapsulation))
    setup.childless_allowed = message.notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED) is not None
    setup.additional = choice.suite.additional
    setup.agreement = None
    read_certificate_requests(setup, message)
    if sa.nat.any:
        _float(sa)
    sa.host.register(sa)
    if setup.additional:
        ike_intermediate.send_request(sa, setup, now)
    else:
        ike_auth.send_request(sa, setup, now)


def _float(sa: IkeSa) -> None:
    """Go on from and to the NAT-T port (RFC 7296 section 2.23)."""
    local, remote = sa.path
    natt_port = sa.host.configuration.natt_port
    if local.port != natt_port:
        sa.channel.path = Path(Address(local.host, natt_port), Address(remote.host, sa.connection.remote_natt_port))


# Responder.


@dataclass(frozen=True, slots=True)
class Accepted:
    """An IKE_SA_INIT request that begins an IKE SA."""

    message: Message
    """The request."""
    connections: tuple[ConnectionConfiguration, ...]
    """Connections that would take it; at least one."""
    choice: Choice[IkeSuite]
    """What the first of them chooses."""


def judge(host: Host, header: IkeHeader, octets: bytes, path: Path) -> Accepted | None:
    """Whether an IKE_SA_INIT request begins an IKE SA; otherwise it is answered or dropped without state."""
    message = None
    try:
        message = parse_message(octets, header)
        validate(message)
        return _judge(host, message, path)
    except ProtocolError as error:
        host.log("refused-init-request", f"from {path.remote}: {error}")
        # INVALID_SYNTAX is never sent unprotected (RFC 7296 section 3.10.1).
        if error.notify is not None and error.notify != NotifyType.INVALID_SYNTAX:
            _refuse(host, header, path, Notify(error.notify, error.data))
    return None


def _refuse(host: Host, header: IkeHeader, path: Path, notify: Notify) -> None:
    reply = new_header(
        ExchangeType.IKE_SA_INIT, 0, spi_i=header.spi_i, spi_r=ZERO_SPI, from_initiator=False, response=True
    )
    host.send(Datagram(path, build_message(reply, (notify,)).octets))


def _judge(host: Host, message: Message, path: Path) -> Accepted:
    offered = message.one(SecurityAssociation).proposals
    method = message.one(KeyExchange).method
    intermediate = message.notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED) is not None
    uses_ppk = message.notify(NotifyType.USE_PPK) is not None
    candidates = [
        connection
        for connection in host.candidates(path, 2)
        if uses_ppk or connection.ppk is None or not connection.ppk.required
    ]
    if not candidates:
        raise NegotiationError("no connection is configured for this peer", NotifyType.NO_PROPOSAL_CHOSEN)
    choice: Choice[IkeSuite] | None = None
    accepting: list[ConnectionConfiguration] = []
    problem: NegotiationError | None = None
    for connection in candidates:
        own = runnable_proposals(host, connection, intermediate)
        try:
            if choice is None:
                choice = select_ike(own, offered, offered_method=method)
            else:
                select_ike(own, (choice.proposal,))
        except NegotiationError as error:
            problem = problem or error
        else:
            accepting.append(connection)
    if choice is None:
        raise problem or NegotiationError("no proposal is acceptable", NotifyType.NO_PROPOSAL_CHOSEN)
    wanted = choice.suite.key_exchange
    if wanted.ikev2_id != method:
        raise NegotiationError(
            f"key exchange data of method {method}, {wanted.name} is wanted",
            NotifyType.INVALID_KE_PAYLOAD,
            wanted.ikev2_id.to_bytes(2),
        )
    return Accepted(message, tuple(accepting), choice)


def answer(sa: IkeSa, accepted: Accepted, path: Path, now: float) -> None:
    """Answer a request that begins an IKE SA.

    Raises:
        MalformedError: its key exchange data is not valid.
    """
    environment, request, suite = sa.host.environment, accepted.message, accepted.choice.suite
    key_exchange, secret = respond_key_exchange(environment.cryptography, suite.key_exchange, request.one(KeyExchange))
    connection = sa.connection
    setup = sa.setup = Setup(connections=accepted.connections)
    setup.nonce_i = request.one(Nonce).data
    setup.nonce_r = environment.random(NONCE_BYTES)
    setup.message_i = request.octets
    setup.additional = suite.additional
    features = _features(connection, request)
    payloads: list[Payload] = [
        SecurityAssociation(accepted.choice.answer(b"")),
        key_exchange,
        Nonce(setup.nonce_r),
    ]
    nat = situation(request, path, connection.force_encapsulation)
    if nat is not None:
        payloads += nat_detection(path, sa.spi_i, sa.spi_r, connection.force_encapsulation)
    payloads += certificate_requests(accepted.connections)
    if features.fragmentation:
        payloads.append(Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED))
    if features.hashes is not None:
        payloads.append(accepted_hashes(any(each.remote.allow_sha1 for each in accepted.connections)))
    if connection.childless is not Childless.NEVER:
        payloads.append(Notify(NotifyType.CHILDLESS_IKEV2_SUPPORTED))
    if suite.additional:
        payloads.append(Notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED))
    if features.ppk:
        payloads.append(Notify(NotifyType.USE_PPK))
    sa.enter(State.INIT_ANSWERED)
    setup.message_r = sa.respond(request, path, payloads, now).octets
    begin_protection(sa, suite, secret)
    _apply(sa, setup, features, nat)
    sa.timers.set(Timer.GIVE_UP, now + sa.host.configuration.half_open_seconds)


# Both.


@dataclass(frozen=True, slots=True)
class _Features:
    """What both ends can do."""

    fragmentation: bool
    intermediate: bool
    ppk: bool
    hashes: frozenset[int] | None


def _features(connection: ConnectionConfiguration, message: Message) -> _Features:
    fragments = message.notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED) is not None
    hashes = message.notify(NotifyType.SIGNATURE_HASH_ALGORITHMS)
    return _Features(
        fragmentation=connection.fragmentation and fragments,
        intermediate=message.notify(NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED) is not None,
        ppk=connection.ppk is not None and message.notify(NotifyType.USE_PPK) is not None,
        hashes=None if hashes is None else hashes_of(hashes),
    )


def _apply(sa: IkeSa, setup: Setup, features: _Features, nat: NatSituation | None) -> None:
    sa.channel.peer_takes_fragments = features.fragmentation
    setup.use_ppk = features.ppk
    setup.peer_hashes = features.hashes
    if nat is not None:
        sa.nat = nat
