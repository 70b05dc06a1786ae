"""The two halves of ESP: an outbound SA seals, an inbound SA opens (RFC 4303 sections 3.3 and 3.4)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from ipsecbench.errors import DataPlaneError, DroppedError, MalformedError, ProviderError, RejectedError
from ipsecbench.esp.accounting import SaStatistics
from ipsecbench.esp.configuration import Layering, SaConfiguration
from ipsecbench.esp.lives import Lives
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.outer_packet import OuterPacket
from ipsecbench.esp.overhead import sealed_bytes
from ipsecbench.esp.packet import SMALLEST_SPI, padded, parse_esp_header, unpadded
from ipsecbench.esp.path_mtu import PathMtu, TooBig
from ipsecbench.esp.replay_window import ReplayWindow
from ipsecbench.esp.sequence_number import SequenceCounter, inferred_sequence
from ipsecbench.esp.transform import Transform, build_transform
from ipsecbench.providers.interface import Provider
from ipsecbench.wire.ip import LARGEST_PACKET_BYTES, address_octets

Random = Callable[[int], bytes]

_INFERENCE_WITHOUT_WINDOW_PACKETS = 1 << 31
"""With ESN and no protection against replays, the number nearest to the highest one is meant."""
_QUOTED_PACKETS = 1 << 20
"""ICMP from the outside may be about one of so many last packets of an SA."""
_SMALLEST_PATH_MTU_BYTES = 256
"""With less, no inner packet of every suite has room."""


def check_configuration(sa: SaConfiguration) -> None:
    """Refuse what no ESP implementation can do.

    Raises:
        DataPlaneError: the SPI is reserved, the addresses are of two versions, the layering wants transport mode, or
            the path has no room.
    """
    if not SMALLEST_SPI <= sa.spi <= 0xFFFFFFFF:
        raise DataPlaneError(f"SPI {sa.spi}: it is from {SMALLEST_SPI} to {0xFFFFFFFF} (RFC 4303 section 2.1)")
    try:
        versions = {ipaddress.ip_address(address).version for address in (sa.source, sa.destination)}
    except ValueError as error:
        raise DataPlaneError(f"SA {sa.spi:08x}: {error}") from error
    if len(versions) > 1:
        raise DataPlaneError(f"SA {sa.spi:08x}: {sa.source} and {sa.destination} are of different IP versions")
    if sa.layering is not Layering.NONE and sa.mode is not Mode.TRANSPORT:
        raise DataPlaneError(f"SA {sa.spi:08x}: {sa.layering} is put into transport mode, not into {sa.mode} mode")
    if not _SMALLEST_PATH_MTU_BYTES <= sa.path_mtu_bytes <= LARGEST_PACKET_BYTES:
        raise DataPlaneError(
            f"SA {sa.spi:08x}: a path MTU of {sa.path_mtu_bytes} octets: "
            f"it is from {_SMALLEST_PATH_MTU_BYTES} to {LARGEST_PACKET_BYTES}"
        )


def _transform(cryptography: Provider, sa: SaConfiguration, random: Random) -> Transform:
    try:
        return build_transform(cryptography, sa.suite, sa.encryption_key, sa.integrity_key, esn=sa.esn, random=random)
    except ProviderError as error:
        raise DataPlaneError(f"SA {sa.spi:08x}: {error}") from error


class OutboundSa:
    """Seals packets for the peer.

    Args:
        cryptography: provider.
        configuration: what the SA is.
        random: source of unpredictable octets, for the IVs of CBC.
        now: monotonic seconds.

    Raises:
        DataPlaneError: the SA makes no sense, or a key does not fit.
        UnsupportedError: no library here has the suite.
    """

    def __init__(self, cryptography: Provider, configuration: SaConfiguration, random: Random, now: float) -> None:
        check_configuration(configuration)
        self.configuration = configuration
        self.lives = Lives(configuration.limits, now)
        self.sequence = SequenceCounter(configuration.esn)
        self.path_mtu = PathMtu(configuration.path_mtu_bytes)
        self.exhaustion_told = False
        """Whether it was said that no sequence number is left."""
        self._transform = _transform(cryptography, configuration, random)

    def __repr__(self) -> str:
        return f"OutboundSa({self.configuration.spi:08x})"

    def content_bytes(self, payload_bytes: int) -> int:
        """Octets from SPI to ICV of a packet with so much payload."""
        return sealed_bytes(self.configuration.suite, payload_bytes)

    def seal(
        self, payload: bytes, next_header: int, carried_bytes: int, now: float, tfc_padding_bytes: int = 0
    ) -> bytes:
        """The ESP packet, from SPI to ICV.

        Args:
            payload: what it carries.
            next_header: protocol of the payload.
            carried_bytes: octets that count for the SA's life.
            now: monotonic seconds.
            tfc_padding_bytes: octets of TFC padding.

        Raises:
            DroppedError: a hard limit is reached, no sequence number is left, or the library failed.
        """
        if self.lives.expired(now):
            raise DroppedError("XfrmOutStateExpired", f"{self!r}: its life is over")
        sequence = self.sequence.take()
        if sequence is None:
            raise DroppedError("XfrmOutStateSeqError", f"{self!r}: no sequence number is left")
        plaintext = padded(payload, next_header, self.configuration.suite.encryption.pad_align_bytes, tfc_padding_bytes)
        try:
            packet = self._transform.seal(self.configuration.spi, sequence, plaintext)
        except ProviderError as error:
            raise DroppedError("XfrmOutStateProtoError", f"{self!r}: {error}") from error
        self.lives.carried(carried_bytes, now)
        return packet

    def has_sent(self, message: TooBig) -> bool:
        """Whether what ICMP quotes is one of the last packets of this SA; of ESP in UDP only ports may be quoted."""
        configuration = self.configuration
        if address_octets(configuration.destination) != message.destination:
            return False
        if configuration.encapsulation != message.encapsulation:
            return False
        if message.spi is None or message.sequence_low is None:
            return True
        age = (self.sequence.last - message.sequence_low) & 0xFFFFFFFF
        return message.spi == configuration.spi and age < min(self.sequence.last, _QUOTED_PACKETS)

    def statistics(self, now: float) -> SaStatistics:
        """What it has carried."""
        lives = self.lives
        return SaStatistics(lives.packets, lives.bytes, idle_seconds=now - lives.last_used)


class InboundSa:
    """Opens packets of the peer.

    Args:
        cryptography: provider.
        configuration: what the SA is.
        now: monotonic seconds.

    Raises:
        DataPlaneError: the SA makes no sense, or a key does not fit.
        UnsupportedError: no library here has the suite.
    """

    def __init__(self, cryptography: Provider, configuration: SaConfiguration, now: float) -> None:
        check_configuration(configuration)
        self.configuration = configuration
        self.lives = Lives(configuration.limits, now)
        width = configuration.replay_window_packets
        self.window = ReplayWindow(width) if width else None
        self.replayed = 0
        self.forged = 0
        self.highest = 0
        """The highest authentic sequence number."""
        self.path: tuple[bytes, int] | None = None
        """Address and port of the sender that were told last, where they are not those of the configuration."""
        # It draws no IVs.
        self._transform = _transform(cryptography, configuration, bytes)

    def __repr__(self) -> str:
        return f"InboundSa({self.configuration.spi:08x})"

    def check_outside(self, outer: OuterPacket) -> None:
        """An SA is for ESP itself or in UDP, and for one IP version outside; not for the other.

        Raises:
            DroppedError: the packet came the other way.
        """
        configuration = self.configuration
        if (configuration.encapsulation is None) != (outer.encapsulation is None):
            raise DroppedError("XfrmInStateMismatch", f"{self!r}: in UDP, or not, against what was agreed on")
        if len(address_octets(configuration.source)) != len(outer.header.source):
            raise DroppedError("XfrmInStateMismatch", f"{self!r}: the other IP version outside")

    def open(self, packet: bytes, now: float) -> tuple[bytes, int, bool]:
        """What an ESP packet carries: window checked, ICV verified, window marked, padding taken off, in this order.

        Args:
            packet: from SPI to ICV.
            now: monotonic seconds.

        Returns:
            The payload, with TFC padding where there is any; Next Header; whether no packet was newer.

        Raises:
            DroppedError: the SA's life is over, the packet was there already, or it is forged or malformed.
        """
        if self.lives.expired(now):
            raise DroppedError("XfrmInStateExpired", f"{self!r}: its life is over")
        sequence = self._sequence(parse_esp_header(packet).sequence_low)
        if sequence is None:
            self.replayed += 1
            raise DroppedError("XfrmInStateSeqError", f"{self!r}: a replay, or a packet left of the window")
        try:
            plaintext = self._transform.open(packet, sequence)
        except RejectedError as error:
            self.forged += 1
            raise DroppedError("XfrmInStateProtoError", f"{self!r}: {error}") from error
        except MalformedError as error:
            raise DroppedError("XfrmInHdrError", f"{self!r}: {error}") from error
        except ProviderError as error:
            raise DroppedError("XfrmInStateProtoError", f"{self!r}: {error}") from error
        if self.window is not None:
            self.window.mark(sequence)
        is_newest = sequence > self.highest
        self.highest = max(self.highest, sequence)
        try:
            payload, next_header = unpadded(plaintext)
        except RejectedError as error:
            raise DroppedError("XfrmInStateProtoError", f"{self!r}: {error}") from error
        return payload, next_header, is_newest

    def _sequence(self, low: int) -> int | None:
        """The whole sequence number; None where the window refuses it."""
        sequence = low
        if self.configuration.esn:
            width = self.configuration.replay_window_packets or _INFERENCE_WITHOUT_WINDOW_PACKETS
            sequence = inferred_sequence(low, self.highest, width)
        if self.window is not None and not self.window.check(sequence):
            return None
        return sequence

    def statistics(self, now: float) -> SaStatistics:
        """What it has carried."""
        lives = self.lives
        return SaStatistics(lives.packets, lives.bytes, self.replayed, self.forged, now - lives.last_used)
