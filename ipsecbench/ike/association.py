"""What the endpoint and its IKE SAs are to each other, whatever the version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ipsecbench.ike.configuration import ConnectionConfiguration, EndpointConfiguration
from ipsecbench.ike.environment import Environment
from ipsecbench.ike.events import ChildSaInfo, Event, IkeSaInfo
from ipsecbench.ike.header import IkeHeader
from ipsecbench.ike.path import Address, Datagram, Path


class Host(Protocol):
    """What an IKE SA asks of its endpoint."""

    @property
    def environment(self) -> Environment:
        """What is injected."""

    @property
    def configuration(self) -> EndpointConfiguration:
        """Configuration of the endpoint."""

    def send(self, datagram: Datagram) -> None:
        """Send an IKE message. The non-ESP marker is added by the endpoint where the local port is the NAT-T port."""

    def send_keepalive(self, path: Path) -> None:
        """Send a NAT-keepalive packet (RFC 3948 section 2.3): an IKE SA that is behind a NAT does it by its timeout,
        after ``configuration.keepalive_seconds`` without another message."""

    def emit(self, event: Event) -> None:
        """Tell the driver."""

    def log(self, cause: str, text: str) -> None:
        """Say what happened.

        Args:
            cause: stable word, such as ``bad-icv``; log lines are limited and counted by it.
            text: one line; octets of a peer only as hexadecimal digits or escaped.
        """

    def next_unique_id(self) -> int:
        """A number for a new IKE SA."""

    def allocate_ike_spi(self) -> bytes:
        """8 random octets that no IKE SA here uses, never zero."""

    def allocate_child_spi(self) -> bytes:
        """4 random octets that no Child SA here uses, never below 256 (RFC 4303 section 2.1)."""

    def release_child_spi(self, spi: bytes) -> None:
        """The Child SA of this SPI is gone."""

    def candidates(self, path: Path, version: int) -> Sequence[ConnectionConfiguration]:
        """Connections that a responder may use for a peer at this address, in the order of the configuration."""

    def register(self, association: Association) -> None:
        """From now on messages for the SPIs of this IKE SA go to it, and its timeouts are kept.

        To be called when an IKE SA is created by another one (rekeying), and when its SPIs become known.
        """

    def associations(self) -> Sequence[Association]:
        """All IKE SAs, to find those that a new one replaces."""


class Association(Protocol):
    """One IKE SA (IKEv2) or ISAKMP SA (IKEv1), from its first message to its end."""

    @property
    def unique_id(self) -> int:
        """Number within the endpoint."""

    @property
    def version(self) -> int:
        """1 or 2."""

    @property
    def spi_i(self) -> bytes:
        """Initiator's SPI or cookie."""

    @property
    def spi_r(self) -> bytes:
        """Responder's SPI or cookie; zero until it is known."""

    @property
    def is_initiator(self) -> bool:
        """Role of this end in this IKE SA."""

    @property
    def path(self) -> Path:
        """Both ends, as of now."""

    @property
    def half_open(self) -> bool:
        """Whether the peer has not proven its identity yet."""

    @property
    def finished(self) -> bool:
        """Whether it can be forgotten: nothing to send, nothing to answer."""

    @property
    def info(self) -> IkeSaInfo | None:
        """What was established; None before."""

    @property
    def child_sas(self) -> Sequence[ChildSaInfo]:
        """Child SAs that are installed, those being replaced too."""

    @property
    def next_timeout(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called; None: not at all."""

    def receive(self, header: IkeHeader, message: bytes, path: Path, now: float) -> None:
        """A message whose SPIs are those of this IKE SA. Never raises, whatever the octets are."""

    def handle_timeout(self, now: float) -> None:
        """Time has come for something; harmless when called too early."""

    def initiate(self, children: Sequence[str], now: float) -> None:
        """Begin as initiator, with these Child SAs (empty: none)."""

    def create_child_sa(self, name: str, now: float) -> None:
        """Set up another Child SA; a failure is an event."""

    def rekey(self, now: float) -> None:
        """Rekey the IKE SA (IKEv1: a new main or aggressive mode)."""

    def rekey_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """Rekey a Child SA."""

    def delete(self, now: float) -> None:
        """Delete the IKE SA and all its Child SAs, politely."""

    def delete_child_sa(self, inbound_spi: bytes, now: float) -> None:
        """Delete a Child SA, politely."""

    def check_liveness(self, now: float) -> None:
        """Ask the peer whether it is there."""

    def report_traffic(self, inbound_spi: bytes, octets: int, packets: int, now: float) -> None:
        """What a Child SA has carried so far, in its busier direction; for lives in bytes and packets."""

    def report_path(self, remote: Address, now: float) -> None:
        """An authentic ESP packet has come in UDP from this address and port."""

    def abandon(self, reason: str, now: float) -> None:
        """End at once without a message: replaced by INITIAL_CONTACT, or the endpoint stops."""
