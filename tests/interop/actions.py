"""What is done to an IKE SA that stands, by either end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ipsecbench.errors import LaboratoryError
from ipsecbench.ike.events import (
    ChildSaDeleted,
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaInfo,
    ChildSaRekeyed,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaFailed,
    IkeSaRekeyed,
    PathChanged,
    PeerAlive,
)
from tests.interop import checks
from tests.interop.laboratory import Exchange
from tests.interop.peer_side import CHILD, CONNECTION, SECOND


def rekey_child_by_us(exchange: Exchange) -> None:
    """RFC 7296 section 2.8; in IKEv1 another quick mode."""
    old = exchange.our_child.inbound_spi
    _child_replaced(exchange, old, lambda: exchange.order(lambda sa, now: sa.rekey_child_sa(old, now)))


def rekey_child_by_peer(exchange: Exchange) -> None:
    _child_replaced(exchange, exchange.our_child.inbound_spi, lambda: exchange.daemon.rekey_child(CHILD))


def _child_replaced(exchange: Exchange, old: bytes, order: Callable[[], None]) -> None:
    since = len(exchange.driver.events)
    order()
    exchange.take_child(exchange.wait(ChildSaRekeyed, ChildSaEstablished, ChildSaFailed, since=since))
    assert exchange.our_child.inbound_spi != old
    checks.child(exchange, rekeyed=True)
    if exchange.scenario.version == 2:
        exchange.wait(ChildSaDeleted, condition=lambda event: event.inbound_spi == old, since=since)
        exchange.daemon.wait_for(lambda sas: old.hex() not in [child.spi_out for sa in sas for child in sa.children])
    # In IKEv1 nothing says that an SA replaces another: the older one stays for a while, for packets on their way.
    exchange.traffic()


def rekey_ike_by_us(exchange: Exchange) -> None:
    """RFC 7296 section 2.8; in IKEv1 another phase 1, to which the IPsec SAs belong from then on."""
    _ike_replaced(exchange, lambda: exchange.order(lambda sa, now: sa.rekey(now)))


def rekey_ike_by_peer(exchange: Exchange) -> None:
    _ike_replaced(exchange, lambda: exchange.daemon.rekey_ike(CONNECTION))


def _ike_replaced(exchange: Exchange, order: Callable[[], None]) -> None:
    since, old = len(exchange.driver.events), exchange.our_ike
    order()
    event = exchange.wait(IkeSaRekeyed, IkeSaEstablished, IkeSaFailed, since=since)
    assert not isinstance(event, IkeSaFailed), f"the rekeying failed: {event.reason}"
    exchange.ike = event.sa
    assert exchange.our_ike.spi_i != old.spi_i
    checks.ike(exchange)
    checks.child(exchange, rekeyed=exchange.scenario.version == 2 and "rekey child by us" in exchange.scenario.actions)
    exchange.traffic()


def rekey_child_by_both(exchange: Exchange) -> None:
    """Both at once (RFC 7296 section 2.8.1): one of the two new Child SAs stays, the same on both ends."""
    old, since = exchange.our_child.inbound_spi, len(exchange.driver.events)
    with exchange.mute_peer(("output", "input")):
        exchange.order(lambda sa, now: sa.rekey_child_sa(old, now))
        exchange.daemon.rekey_child(CHILD)
        # Both have asked when the first request gets through.
        exchange.until(lambda: "generating CREATE_CHILD_SA request" in exchange.their_log, "strongSwan has asked")
    exchange.wait(ChildSaDeleted, condition=lambda event: event.inbound_spi == old, since=since)
    exchange.daemon.wait_for(lambda sas: len(sas) == 1 and len(sas[0].children) == 1)
    exchange.until(lambda: len(_ours(exchange)) == 1, "one Child SA is left here")
    exchange.child = _ours(exchange)[0]
    checks.child(exchange, rekeyed=True)
    exchange.traffic()


def _ours(exchange: Exchange) -> tuple[ChildSaInfo, ...]:
    return exchange.call(lambda endpoint, now: endpoint.child_sas)


def rekey_ike_by_both(exchange: Exchange) -> None:
    """Both at once (RFC 7296 section 2.8.2): one new IKE SA stays, with the Child SA."""
    old, since = exchange.our_ike, len(exchange.driver.events)
    with exchange.mute_peer(("output", "input")):
        exchange.order(lambda sa, now: sa.rekey(now))
        exchange.daemon.rekey_ike(CONNECTION)
        exchange.until(lambda: "generating CREATE_CHILD_SA request" in exchange.their_log, "strongSwan has asked")
    exchange.wait(IkeSaRekeyed, since=since)
    sas = exchange.daemon.wait_for(
        lambda sas: len(sas) == 1 and sas[0].spi_i != old.spi_i.hex() and bool(sas[0].children)
    )
    rekeyed = [event.sa for event in exchange.driver.events[since:] if isinstance(event, IkeSaRekeyed)]
    exchange.ike = next(sa for sa in rekeyed if sa.spi_i.hex() == sas[0].spi_i)
    checks.ike(exchange)
    checks.child(exchange)
    exchange.traffic()


def rekeyed_when_its_time_has_come(exchange: Exchange) -> None:
    """The soft limit of seconds, without an order (RFC 7296 section 2.8)."""
    _child_replaced(exchange, exchange.our_child.inbound_spi, lambda: None)


def delete_child_by_us(exchange: Exchange) -> None:
    """RFC 7296 section 1.4.1: one of the pair, the other end deletes the other."""
    spi = exchange.our_child.inbound_spi
    exchange.order(lambda sa, now: sa.delete_child_sa(spi, now))
    _child_gone(exchange, spi)


def delete_child_by_peer(exchange: Exchange) -> None:
    spi = exchange.our_child.inbound_spi
    exchange.daemon.terminate_child(CHILD)
    _child_gone(exchange, spi)


def _child_gone(exchange: Exchange, spi: bytes) -> None:
    exchange.wait(ChildSaDeleted, condition=lambda event: event.inbound_spi == spi)
    exchange.daemon.wait_for(lambda sas: spi.hex() not in [child.spi_out for sa in sas for child in sa.children])
    exchange.their_ike()
    exchange.child = None


def delete_ike_by_us(exchange: Exchange) -> None:
    exchange.order(lambda sa, now: sa.delete(now))
    _ike_gone(exchange)


def delete_ike_by_peer(exchange: Exchange) -> None:
    exchange.daemon.terminate_ike(CONNECTION)
    _ike_gone(exchange)


def _ike_gone(exchange: Exchange) -> None:
    spi, number = exchange.our_child.inbound_spi, exchange.our_ike.unique_id
    exchange.wait(ChildSaDeleted, condition=lambda event: event.inbound_spi == spi)
    exchange.wait(IkeSaDeleted, condition=lambda event: event.unique_id == number)
    exchange.nothing_left_there()
    exchange.nothing_left_here()
    exchange.ike = exchange.child = None


def second_child_by_us(exchange: Exchange) -> None:
    """A further Child SA beside the first (RFC 7296 section 1.3.1)."""
    since = len(exchange.driver.events)
    exchange.order(lambda sa, now: sa.create_child_sa(SECOND, now))
    _both_children(exchange, since)


def second_child_by_peer(exchange: Exchange) -> None:
    since = len(exchange.driver.events)
    exchange.daemon.initiate(CONNECTION, SECOND)
    _both_children(exchange, since)


def _both_children(exchange: Exchange, since: int) -> None:
    first = exchange.our_child
    exchange.take_child(exchange.wait(ChildSaEstablished, ChildSaFailed, since=since))
    assert exchange.our_child.name == SECOND
    checks.child(exchange, rekeyed=True)
    exchange.traffic("10.1.7.1", "10.2.7.1")
    exchange.child = first
    exchange.traffic()


def first_child_by_us(exchange: Exchange) -> None:
    """After an IKE SA without one (RFC 6023)."""
    since = len(exchange.driver.events)
    exchange.order(lambda sa, now: sa.create_child_sa(CHILD, now))
    _first_child(exchange, since)


def first_child_by_peer(exchange: Exchange) -> None:
    since = len(exchange.driver.events)
    exchange.daemon.initiate(CONNECTION, CHILD)
    _first_child(exchange, since)


def _first_child(exchange: Exchange, since: int) -> None:
    exchange.take_child(exchange.wait(ChildSaEstablished, ChildSaFailed, since=since))
    checks.child(exchange)
    exchange.traffic()


def liveness_by_us(exchange: Exchange) -> None:
    """An empty INFORMATIONAL exchange (RFC 7296 section 2.4); in IKEv1 R-U-THERE (RFC 3706)."""
    since = len(exchange.driver.events)
    exchange.order(lambda sa, now: sa.check_liveness(now))
    exchange.wait(PeerAlive, since=since)


def liveness_by_peer(exchange: Exchange) -> None:
    exchange.until(lambda: "sending DPD request" in exchange.their_log, "strongSwan asks whether we are there")
    time.sleep(0.3)
    assert "retransmit" not in exchange.their_log, "we did not answer"
    checks.ike(exchange)


def fragments_were_used(exchange: Exchange) -> None:
    """RFC 7383, in both directions."""
    log = exchange.their_log
    assert "EF(1/" in "".join(line for line in log.splitlines() if "generating IKE_AUTH" in line), "they sent none"
    assert "EF(1/" in "".join(line for line in log.splitlines() if "parsed IKE_AUTH" in line), "we sent none"


def no_fragments_were_used(exchange: Exchange) -> None:
    assert "EF(" not in exchange.their_log


def a_cookie_was_used(exchange: Exchange) -> None:
    """RFC 7296 section 2.6: IKE_SA_INIT comes twice, the second time with the cookie in front."""
    assert exchange.their_log.count("N(COOKIE)") == 2, exchange.their_log


def we_begin_anew(exchange: Exchange) -> None:
    """After a restart the other end drops what it still had, by INITIAL_CONTACT (RFC 7296 section 2.4)."""
    old = exchange.our_ike.spi_i.hex()
    exchange.forget_everything()
    exchange.establish()
    exchange.daemon.wait_for(
        lambda sas: [sa.spi_i for sa in sas if sa.state == "ESTABLISHED"] != [old] and len(sas) == 1
    )
    checks.everything(exchange)
    exchange.traffic()


def the_peer_begins_anew(exchange: Exchange) -> None:
    old = exchange.our_ike.unique_id
    with exchange.mute_peer(), contextlib.suppress(LaboratoryError):
        # It says that it failed, since no answer can come.
        exchange.daemon.terminate_ike(CONNECTION, force=True, timeout_seconds=0.1)
    exchange.nothing_left_there()
    exchange.establish()
    exchange.wait(IkeSaDeleted, condition=lambda event: event.unique_id == old)
    checks.everything(exchange)
    exchange.traffic()


def the_nat_changes(exchange: Exchange) -> None:
    """The NAT gives another port: the end outside follows what is authenticated (RFC 7296 section 2.23)."""
    since, before = len(exchange.driver.events), exchange.their_ike().remote_port
    if exchange.scenario.topology == "nat":
        exchange.change_nat(lambda: liveness_by_us(exchange))
        # Its userspace ESP cannot change an SA's address: it replaces the Child SA.
        _child_replaced(exchange, exchange.our_child.inbound_spi, lambda: liveness_by_us(exchange))
        assert exchange.their_ike().remote_port != before
    else:
        exchange.change_nat(exchange.traffic)
        old = exchange.our_ike.path.remote.port
        rekey_child_by_peer(exchange)
        event = exchange.wait(PathChanged, since=since)
        assert event.path.remote.port != old
    exchange.traffic()


_ALL = (
    *(rekey_child_by_us, rekey_child_by_peer, rekey_ike_by_us, rekey_ike_by_peer),
    *(delete_child_by_us, delete_child_by_peer, delete_ike_by_us, delete_ike_by_peer),
    *(second_child_by_us, second_child_by_peer, first_child_by_us, first_child_by_peer),
    *(liveness_by_us, liveness_by_peer, fragments_were_used, no_fragments_were_used, a_cookie_was_used),
    *(we_begin_anew, the_peer_begins_anew, the_nat_changes, rekeyed_when_its_time_has_come),
    *(rekey_child_by_both, rekey_ike_by_both),
)
ACTIONS: Mapping[str, Callable[[Exchange], None]] = MappingProxyType(
    {action.__name__.replace("_", " ").replace(" ike ", " IKE "): action for action in _ALL}
)
"""By the name that rows use."""
