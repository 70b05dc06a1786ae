"""One suite under one set of keys: from plaintext with trailer to ESP packet and back (RFC 4303 sections 3.3.2, 3.4.4).

==================  ======================================  =================================================
transforms          associated data or what the MAC covers  RFC
==================  ======================================  =================================================
GCM, CCM, ChaCha20  SPI, sequence number (64 bits with ESN)  4106, 4309, 7634; 8750 with the IV left out
GMAC                the same, IV and payload in clear       4543
CBC, CTR, NULL      SPI to the end of the ciphertext, then  3602, 2451; 3686; 2410; with 2403, 2404, 4868,
with a MAC          the high half of an ESN                 3566, 4494
==================  ======================================  =================================================

IVs of counter modes are the sequence number, so that none repeats under one key; those of CBC come from an
unpredictable source. The ICV is verified before anything is decrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ipsecbench.algorithms.integrity import Integrity
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.errors import MalformedError, ProviderError
from ipsecbench.esp.overhead import ESP_HEADER_BYTES
from ipsecbench.providers.interface import Aead, Cipher, Mac, NonceMac, Provider
from ipsecbench.secret import Secret

_FIRST_COUNTER = (1).to_bytes(4)
_SEQUENCE_BYTES = 8


class Transform(Protocol):
    """What turns plaintext into ESP packets and back, with the keys of one SA."""

    def seal(self, spi: int, sequence: int, plaintext: bytes) -> bytes:
        """The ESP packet, from SPI to ICV.

        Args:
            spi: SPI of the SA.
            sequence: sequence number, never used twice; its high half is used with ESN only.
            plaintext: payload and trailer, as long as the suite's alignment wants.

        Raises:
            ProviderError: the library failed.
        """

    def open(self, packet: bytes, sequence: int) -> bytes:
        """Payload and trailer of an ESP packet.

        Args:
            packet: from SPI to ICV, of an SA whose SPI it has.
            sequence: its whole sequence number.

        Raises:
            MalformedError: it is too short, or not aligned.
            RejectedError: its ICV is wrong.
            ProviderError: the library failed.
        """


class _Lengths:
    """Where in a packet of a suite the IV ends and the ICV begins."""

    __slots__ = ("align", "icv", "payload_at")

    def __init__(self, suite: EspSuite) -> None:
        self.align = suite.encryption.pad_align_bytes
        self.icv = suite.icv_bytes
        self.payload_at = ESP_HEADER_BYTES + suite.encryption.iv_bytes

    def icv_at(self, packet: bytes) -> int:
        """Where the ICV begins.

        Raises:
            MalformedError: between IV and ICV there is nothing, or not what the alignment wants.
        """
        end = len(packet) - self.icv
        protected = end - self.payload_at
        if protected < self.align or protected % self.align:
            raise MalformedError(f"ESP: {len(packet)} octets are no packet of this suite")
        return end


def _associated(header: bytes, sequence: int, esn: bool) -> bytes:
    """SPI and sequence number: what combined modes authenticate beside the payload (RFC 4106 section 5)."""
    return header[:4] + sequence.to_bytes(_SEQUENCE_BYTES) if esn else header[:ESP_HEADER_BYTES]


def _header(spi: int, sequence: int) -> bytes:
    return spi.to_bytes(4) + (sequence & 0xFFFFFFFF).to_bytes(4)


class CombinedMode:
    """GCM, CCM or ChaCha20-Poly1305; the IV travels, or where the suite has none is implicit (RFC 8750)."""

    def __init__(self, cryptography: Provider, suite: EspSuite, key: Secret, esn: bool) -> None:
        octets, salt_bytes = key.reveal(), suite.encryption.salt_bytes
        self._esn = esn
        self._lengths = _Lengths(suite)
        self._implicit = suite.encryption.iv_bytes == 0
        self._salt = octets[len(octets) - salt_bytes :]
        self._aead: Aead = cryptography.aead(suite.encryption.name, octets[: len(octets) - salt_bytes])

    def seal(self, spi: int, sequence: int, plaintext: bytes) -> bytes:
        """See :meth:`Transform.seal`."""
        header, iv = _header(spi, sequence), sequence.to_bytes(_SEQUENCE_BYTES)
        sealed = self._aead.seal(self._salt + iv, plaintext, _associated(header, sequence, self._esn))
        return header + (b"" if self._implicit else iv) + sealed

    def open(self, packet: bytes, sequence: int) -> bytes:
        """See :meth:`Transform.open`."""
        self._lengths.icv_at(packet)
        start = self._lengths.payload_at
        iv = sequence.to_bytes(_SEQUENCE_BYTES) if self._implicit else packet[ESP_HEADER_BYTES:start]
        return self._aead.open(self._salt + iv, packet[start:], _associated(packet, sequence, self._esn))


class AuthenticationOnly:
    """AES-GMAC: nothing is hidden; IV and payload are authenticated as associated data (RFC 4543 section 3.3)."""

    def __init__(self, cryptography: Provider, suite: EspSuite, key: Secret, esn: bool) -> None:
        octets, salt_bytes = key.reveal(), suite.encryption.salt_bytes
        self._esn = esn
        self._lengths = _Lengths(suite)
        self._salt = octets[len(octets) - salt_bytes :]
        self._mac: NonceMac = cryptography.nonce_mac(suite.encryption.name, octets[: len(octets) - salt_bytes])

    def seal(self, spi: int, sequence: int, plaintext: bytes) -> bytes:
        """See :meth:`Transform.seal`."""
        header, iv = _header(spi, sequence), sequence.to_bytes(_SEQUENCE_BYTES)
        covered = _associated(header, sequence, self._esn) + iv + plaintext
        return header + iv + plaintext + self._mac.authenticate(self._salt + iv, covered)[: self._lengths.icv]

    def open(self, packet: bytes, sequence: int) -> bytes:
        """See :meth:`Transform.open`."""
        end = self._lengths.icv_at(packet)
        start = self._lengths.payload_at
        covered = _associated(packet, sequence, self._esn) + packet[ESP_HEADER_BYTES:end]
        self._mac.verify(self._salt + packet[ESP_HEADER_BYTES:start], covered, packet[end:])
        return packet[start:end]


class SeparateModes:
    """An encryption and an integrity transform: encrypt, then authenticate (RFC 4303 section 3.3.2.1)."""

    def __init__(
        self,
        cryptography: Provider,
        suite: EspSuite,
        integrity: Integrity,
        keys: tuple[Secret, Secret],
        esn: bool,
        random: Callable[[int], bytes],
    ) -> None:
        encryption, octets = suite.encryption, keys[0].reveal()
        key_bytes = len(octets) - encryption.salt_bytes
        self._esn = esn
        self._lengths = _Lengths(suite)
        self._is_counter_mode = encryption.mode == "ctr"
        self._iv_bytes = encryption.iv_bytes
        self._random = random
        self._cipher: Cipher = cryptography.cipher(encryption.name, octets[:key_bytes])
        self._mac: Mac = cryptography.mac(integrity.name, keys[1].reveal())
        # RFC 3686 section 4: the counter block is nonce, IV and a counter that begins with one.
        self._before_iv = octets[key_bytes:]
        self._after_iv = _FIRST_COUNTER if self._is_counter_mode else b""

    def seal(self, spi: int, sequence: int, plaintext: bytes) -> bytes:
        """See :meth:`Transform.seal`."""
        iv = sequence.to_bytes(_SEQUENCE_BYTES) if self._is_counter_mode else self._random(self._iv_bytes)
        ciphertext = self._cipher.encrypt(self._before_iv + iv + self._after_iv, plaintext)
        packet = _header(spi, sequence) + iv + ciphertext
        return packet + self._mac.authenticate(packet + self._uncarried(sequence))[: self._lengths.icv]

    def open(self, packet: bytes, sequence: int) -> bytes:
        """See :meth:`Transform.open`."""
        end = self._lengths.icv_at(packet)
        start = self._lengths.payload_at
        self._mac.verify(packet[:end] + self._uncarried(sequence), packet[end:])
        iv = packet[ESP_HEADER_BYTES:start]
        return self._cipher.decrypt(self._before_iv + iv + self._after_iv, packet[start:end])

    def _uncarried(self, sequence: int) -> bytes:
        """The high half of an ESN, which the MAC covers though it does not travel (RFC 4303 section 2.2.1)."""
        return (sequence >> 32).to_bytes(4) if self._esn else b""


def build_transform(
    cryptography: Provider,
    suite: EspSuite,
    encryption_key: Secret,
    integrity_key: Secret | None,
    *,
    esn: bool,
    random: Callable[[int], bytes],
) -> Transform:
    """Set a suite up with its keys.

    Args:
        cryptography: provider.
        suite: the ESP suite.
        encryption_key: key and salt, as KEYMAT gives them.
        integrity_key: key of the integrity transform; None beside a combined mode.
        esn: whether sequence numbers have 64 bits.
        random: source of unpredictable octets, for the IVs of CBC.

    Raises:
        ProviderError: a key has the wrong length or is missing, or the library failed.
        UnsupportedError: no library here has the suite.
    """
    row, expected = suite.encryption, suite.encryption.keymat_bytes
    if len(encryption_key) != expected:
        raise ProviderError(f"{row.name} takes {expected} octets of key and salt, not {len(encryption_key)}")
    if suite.integrity is None:
        if not row.aead:
            raise ProviderError(f"{row.name} without an integrity transform is no ESP suite")
        combined = AuthenticationOnly if row.mode == "gmac" else CombinedMode
        return combined(cryptography, suite, encryption_key, esn)
    if integrity_key is None or len(integrity_key) != suite.integrity.key_bytes:
        raise ProviderError(
            f"{suite.integrity.name} takes {suite.integrity.key_bytes} octets of key, not {len(integrity_key or b'')}"
        )
    return SeparateModes(cryptography, suite, suite.integrity, (encryption_key, integrity_key), esn, random)
