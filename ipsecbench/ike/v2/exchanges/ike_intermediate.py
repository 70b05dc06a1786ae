"""IKE_INTERMEDIATE: the additional key exchanges of a new IKE SA (RFC 9242, RFC 9370 section 2.2.2).

The messages are protected by the keys from before the exchange; both become part of what AUTH signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipsecbench.errors import MalformedError, ProtocolError
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2.exchanges import ike_auth
from ipsecbench.ike.v2.identifiers import ExchangeType, NotifyType
from ipsecbench.ike.v2.key_agreement import KeyAgreement, respond_key_exchange
from ipsecbench.ike.v2.key_installation import install_keys, prf_under
from ipsecbench.ike.v2.keymat import ike_keys, rekeyed_skeyseed
from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import KeyExchange
from ipsecbench.ike.v2.setup import Setup
from ipsecbench.ike.v2.transitions import State
from ipsecbench.secret import Secret

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa


def send_request(sa: IkeSa, setup: Setup, now: float) -> None:
    """Begin the next additional key exchange."""
    keys = sa.keys
    if keys is None:
        return
    setup.agreement = KeyAgreement(sa.host.environment.cryptography, setup.additional[0])
    if sa.state is State.INIT_SENT:
        sa.enter(State.INTERMEDIATE_SENT)
    message = sa.request(ExchangeType.IKE_INTERMEDIATE, [setup.agreement.payload], now)
    setup.intermediate.add_request(prf_under(sa, keys.sk_pi), message)


def process_response(sa: IkeSa, response: Message, now: float) -> None:
    """Take the responder's half.

    Raises:
        ProtocolError: the responder refuses, or its half is not valid.
    """
    setup, keys = sa.setup, sa.keys
    if setup is None or setup.agreement is None or keys is None:
        return
    error = response.error
    if error is not None:
        raise ProtocolError(f"the peer refuses with {error.name}", error.message_type)
    setup.intermediate.add_response(prf_under(sa, keys.sk_pr), response)
    secret = setup.agreement.complete(response.one(KeyExchange))
    setup.agreement = None
    setup.additional = setup.additional[1:]
    _next_keys(sa, setup, secret)
    if setup.additional:
        send_request(sa, setup, now)
    else:
        ike_auth.send_request(sa, setup, now)


def answer(sa: IkeSa, request: Message, path: Path, now: float) -> None:
    """Answer one additional key exchange.

    Raises:
        MalformedError: it was not agreed on, or its key exchange data is not valid.
    """
    setup, keys = sa.setup, sa.keys
    if setup is None or keys is None:
        return
    offer = request.one(KeyExchange)
    if not setup.additional or offer.method != setup.additional[0].ikev2_id:
        raise MalformedError(
            f"{request.name}: key exchange method {offer.method} was not agreed on", NotifyType.INVALID_SYNTAX
        )
    key_exchange, secret = respond_key_exchange(sa.host.environment.cryptography, setup.additional[0], offer)
    setup.additional = setup.additional[1:]
    setup.intermediate.add_request(prf_under(sa, keys.sk_pi), request)
    response = sa.respond(request, path, [key_exchange], now)
    setup.intermediate.add_response(prf_under(sa, keys.sk_pr), response)
    _next_keys(sa, setup, secret)


def _next_keys(sa: IkeSa, setup: Setup, secret: Secret) -> None:
    """SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr), and the keys from it as ever."""
    if sa.sk_d is None or sa.suite is None:
        return
    skeyseed = rekeyed_skeyseed(sa.sk_d, [secret], setup.nonce_i, setup.nonce_r)
    keys = ike_keys(
        sa.host.environment.cryptography, sa.suite, skeyseed, setup.nonce_i, setup.nonce_r, sa.spi_i, sa.spi_r
    )
    install_keys(sa, sa.suite, keys)
