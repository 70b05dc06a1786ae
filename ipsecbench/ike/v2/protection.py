"""The Encrypted payload: sealing and opening (RFC 7296 section 3.14, RFC 5282, RFC 5930, RFC 7634).

With a combined-mode transform the associated data are the octets of the message up to the Initialization Vector. With
separate transforms the ICV is over all octets of the message before it, and it is checked before anything is decrypted.
Whatever is wrong with a sealed payload, the error is the same.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Protocol

from ipsecbench.errors import MalformedError, ProviderError, RejectedError
from ipsecbench.ike.header import HEADER_BYTES, IkeHeader
from ipsecbench.ike.v2.identifiers import PayloadType
from ipsecbench.ike.v2.keymat import IkeKeys
from ipsecbench.ike.v2.message import GENERIC_HEADER_BYTES, Message, encode_chain, parse_chain
from ipsecbench.ike.v2.payloads import Encrypted, EncryptedFragment, Payload
from ipsecbench.ike.v2.proposals import IkeSuite
from ipsecbench.providers.interface import Aead, Cipher, Mac, Provider
from ipsecbench.secret import Secret

_GENERIC_HEADER = struct.Struct(">BBH")
_PAD_LENGTH_BYTES = 1
_FIRST_COUNTER = (1).to_bytes(4)


class Direction(Protocol):
    """The protection of one direction under one set of keys."""

    iv_bytes: int
    """Octets of the Initialization Vector in the payload."""
    icv_bytes: int
    """Octets of the Integrity Checksum Data."""
    block_bytes: int
    """Content, padding and Pad Length together are a multiple of this."""

    def seal(self, prefix: bytes, plaintext: bytes) -> bytes:
        """Initialization Vector, ciphertext and ICV.

        Args:
            prefix: the octets of the message before them, lengths filled in.
            plaintext: content, padding and Pad Length.
        """

    def open(self, prefix: bytes, sealed: bytes) -> bytes:
        """Content, padding and Pad Length.

        Raises:
            RejectedError: the ICV is wrong, or the octets are too few.
        """


class _CounterIv:
    """IVs that never repeat under one key (RFC 5282 section 3.1, RFC 5930 section 2): a counter."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0

    def __call__(self) -> bytes:
        self._next += 1
        return self._next.to_bytes(8)


class CombinedMode:
    """A combined-mode transform (RFC 5282)."""

    block_bytes = 1

    def __init__(self, cryptography: Provider, suite: IkeSuite, key: Secret) -> None:
        octets = key.reveal()
        self.icv_bytes = suite.encryption.icv_bytes
        self.iv_bytes = suite.encryption.iv_bytes
        self._salt = octets[-suite.encryption.salt_bytes :]
        self._aead: Aead = cryptography.aead(suite.encryption.name, octets[: -suite.encryption.salt_bytes])
        self._new_iv = _CounterIv()

    def seal(self, prefix: bytes, plaintext: bytes) -> bytes:
        """See :meth:`Direction.seal`."""
        iv = self._new_iv()
        return iv + self._aead.seal(self._salt + iv, plaintext, prefix)

    def open(self, prefix: bytes, sealed: bytes) -> bytes:
        """See :meth:`Direction.open`."""
        return self._aead.open(self._salt + sealed[: self.iv_bytes], sealed[self.iv_bytes :], prefix)


class SeparateModes:
    """An encryption and an integrity transform: encrypt, then authenticate (RFC 7296 section 3.14)."""

    def __init__(
        self,
        cryptography: Provider,
        suite: IkeSuite,
        encryption_key: Secret,
        integrity_key: Secret,
        random: Callable[[int], bytes],
    ) -> None:
        if suite.integrity is None:
            raise ProviderError(f"{suite.encryption.name} without an integrity transform")
        encryption, octets = suite.encryption, encryption_key.reveal()
        is_counter_mode = encryption.mode == "ctr"
        key_bytes = len(octets) - encryption.salt_bytes
        self.icv_bytes = suite.integrity.icv_bytes
        self.iv_bytes = encryption.iv_bytes
        self.block_bytes = 1 if is_counter_mode else encryption.block_bytes
        self._cipher: Cipher = cryptography.cipher(encryption.name, octets[:key_bytes])
        self._mac: Mac = cryptography.mac(suite.integrity.name, integrity_key.reveal())
        # RFC 5930 section 2: the counter block is nonce, IV and a counter that begins with one.
        self._before_iv = octets[key_bytes:]
        self._after_iv = _FIRST_COUNTER if is_counter_mode else b""
        self._new_iv: Callable[[], bytes] = _CounterIv() if is_counter_mode else lambda: random(encryption.iv_bytes)

    def seal(self, prefix: bytes, plaintext: bytes) -> bytes:
        """See :meth:`Direction.seal`."""
        iv = self._new_iv()
        sealed = iv + self._cipher.encrypt(self._before_iv + iv + self._after_iv, plaintext)
        return sealed + self._mac.authenticate(prefix + sealed)[: self.icv_bytes]

    def open(self, prefix: bytes, sealed: bytes) -> bytes:
        """See :meth:`Direction.open`."""
        end = len(sealed) - self.icv_bytes
        self._mac.verify(prefix + sealed[:end], sealed[end:])
        iv = sealed[: self.iv_bytes]
        return self._cipher.decrypt(self._before_iv + iv + self._after_iv, sealed[self.iv_bytes : end])


class IkeProtection:
    """The protection of an IKE SA's messages, seen from one end.

    Args:
        cryptography: provider.
        suite: transforms of the IKE SA.
        keys: keys of the IKE SA.
        is_initiator: whether this end is the original initiator of the IKE SA.
        random: source of unpredictable octets, for the IVs of CBC.
    """

    __slots__ = ("inbound", "outbound")

    def __init__(
        self,
        cryptography: Provider,
        suite: IkeSuite,
        keys: IkeKeys,
        *,
        is_initiator: bool,
        random: Callable[[int], bytes],
    ) -> None:
        def direction(encryption_key: Secret, integrity_key: Secret) -> Direction:
            if suite.integrity is None:
                return CombinedMode(cryptography, suite, encryption_key)
            return SeparateModes(cryptography, suite, encryption_key, integrity_key, random)

        from_initiator = direction(keys.sk_ei, keys.sk_ai)
        from_responder = direction(keys.sk_er, keys.sk_ar)
        self.outbound = from_initiator if is_initiator else from_responder
        """Of messages that this end sends."""
        self.inbound = from_responder if is_initiator else from_initiator
        """Of messages that this end receives."""

    def __repr__(self) -> str:
        return f"IkeProtection({type(self.outbound).__name__})"

    def seal(self, header: IkeHeader, payloads: Sequence[Payload]) -> Message:
        """A whole message with all payloads inside an Encrypted payload.

        Args:
            header: the header; type of the first payload and length are filled in.
            payloads: the content; may be empty.

        Returns:
            The message as it is sent, and as the peer sees it once it is opened.

        Raises:
            MalformedError: a value or a body does not fit its field.
        """
        first, content, bodies = encode_chain(payloads)
        octets = self.seal_content(header, PayloadType.SK, first, b"", content)
        associated = octets[: HEADER_BYTES + GENERIC_HEADER_BYTES]
        complete = header.completed(int(PayloadType.SK), len(octets))
        return Message(complete, tuple(payloads), octets, bodies, True, associated, content)

    def seal_content(self, header: IkeHeader, kind: int, first: int, numbers: bytes, content: bytes) -> bytes:
        """The octets of a message with one Encrypted or Encrypted Fragment payload.

        Args:
            header: the header; type of the first payload and length are filled in.
            kind: SK or SKF.
            first: Next Payload of the payload's generic header.
            numbers: Fragment Number and Total Fragments of SKF; empty for SK.
            content: what is sealed.

        Raises:
            MalformedError: the content is too long.
        """
        direction = self.outbound
        padding = -(len(content) + _PAD_LENGTH_BYTES) % direction.block_bytes
        plaintext_bytes = len(content) + padding + _PAD_LENGTH_BYTES
        payload_bytes = GENERIC_HEADER_BYTES + len(numbers) + direction.iv_bytes + plaintext_bytes + direction.icv_bytes
        if payload_bytes > 0xFFFF:
            raise MalformedError(f"an Encrypted payload of {payload_bytes} octets does not fit its length field")
        complete = header.completed(int(kind), HEADER_BYTES + payload_bytes)
        prefix = complete.encode() + _GENERIC_HEADER.pack(first, 0, payload_bytes) + numbers
        return prefix + direction.seal(prefix, content + bytes(padding) + bytes((padding,)))

    def content_bytes(self, message_bytes: int, numbers_bytes: int) -> int:
        """The most octets of content that fit a message of a size."""
        direction = self.outbound
        taken = HEADER_BYTES + GENERIC_HEADER_BYTES + numbers_bytes + direction.iv_bytes + direction.icv_bytes
        available = message_bytes - taken
        return available - available % direction.block_bytes - _PAD_LENGTH_BYTES

    def open(self, message: Message) -> Message:
        """The message with the payloads that were inside its Encrypted payload.

        Payloads outside of it are not protected, and are no longer there.

        Raises:
            RejectedError: the message has no Encrypted payload, or it is not the work of the peer; to be dropped.
            ProtocolError: the peer itself sent content that does not parse, or a critical payload that is not known.
        """
        sealed = message.encrypted
        if not isinstance(sealed, Encrypted):
            raise RejectedError(f"{message.name}: no Encrypted payload")
        associated, content = self.open_content(message, sealed)
        payloads, bodies = parse_chain(sealed.first, content)
        return message.opened(payloads, bodies, associated, content)

    def open_content(self, message: Message, sealed: Encrypted | EncryptedFragment) -> tuple[bytes, bytes]:
        """What is inside the Encrypted or Encrypted Fragment payload that ends a message.

        Returns:
            The octets of the message up to and including the generic header, and the content without padding.

        Raises:
            RejectedError: the ICV is wrong, or the payload has no proper form.
        """
        direction = self.inbound
        octets = sealed.sealed
        ciphertext_bytes = len(octets) - direction.iv_bytes - direction.icv_bytes
        if ciphertext_bytes < _PAD_LENGTH_BYTES or ciphertext_bytes % direction.block_bytes:
            raise RejectedError(f"{message.name}: the Encrypted payload does not open")
        prefix = message.octets[: len(message.octets) - len(octets)]
        try:
            plaintext = direction.open(prefix, octets)
        except RejectedError as error:
            raise RejectedError(f"{message.name}: the Encrypted payload does not open") from error
        content_bytes = len(plaintext) - plaintext[-1] - _PAD_LENGTH_BYTES
        if content_bytes < 0:
            raise RejectedError(f"{message.name}: the Encrypted payload does not open")
        numbers_bytes = len(message.bodies[-1]) - len(octets)
        return prefix[: len(prefix) - numbers_bytes], plaintext[:content_bytes]
