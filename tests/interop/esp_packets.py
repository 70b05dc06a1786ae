"""ESP in tunnel mode, written down for the tests from RFC 4303 and the transforms' own RFCs.

It shares nothing with ``ipsecbench.esp``: it is what shows that the keys of an exchange are those of the peer. A packet
that strongSwan sealed opens here, and one that is sealed here is taken by strongSwan.
"""

from __future__ import annotations

import ctypes
import hmac
import ipaddress
import os
import struct
from dataclasses import dataclass

from Crypto.Cipher import AES, CAST, DES, DES3, Blowfish
from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.cmac import CMAC

IPV4, IPV6, UDP = 4, 41, 17

_HMACS = ("md5", "sha1", "sha256", "sha384", "sha512")
_ICV_BYTES: dict[str, int] = {"sha256": 16, "sha384": 24, "sha512": 32}
"""Of those that are not cut to 12 octets."""
_GCRYPT_NUMBERS = {"twofish128": 303, "twofish256": 10, "serpent128": 304, "serpent192": 305, "serpent256": 306}


class NotAuthenticError(Exception):
    """The ICV of a packet is not right: the keys of the two ends differ."""


@dataclass(frozen=True)
class Sa:
    """One direction of a Child SA."""

    spi: bytes
    encryption: str
    integrity: str | None
    key: bytes
    """Encryption key and, at its end, the salt."""
    integrity_key: bytes
    esn: bool = False
    """Extended sequence numbers (RFC 4303 section 2.2.1); the upper half is zero in these tests."""

    def seal(self, sequence: int, inner: bytes, next_header: int) -> bytes:
        """An ESP packet."""
        header = self.spi + struct.pack("!I", sequence)
        block = {"null": 4}.get(self.encryption, _block_bytes(self.encryption))
        pad = -(len(inner) + 2) % block
        plain = inner + bytes(range(1, pad + 1)) + bytes([pad, next_header])
        if _combined(self.encryption):
            iv = struct.pack("!Q", sequence)
            return header + iv + _combined_cipher(self, iv, plain, self._covered(header), opens=False)
        iv = os.urandom(_iv_bytes(self.encryption))
        packet = header + iv + _cipher(self, iv, plain, opens=False)
        return packet + _icv(self, packet)

    def open(self, packet: bytes) -> tuple[int, bytes, int]:
        """Sequence number, inner packet and next header of an ESP packet.

        Raises:
            NotAuthenticError: it was not sealed with these keys.
        """
        assert packet[:4] == self.spi, f"SPI {packet[:4].hex()} instead of {self.spi.hex()}"
        (sequence,) = struct.unpack("!I", packet[4:8])
        if _combined(self.encryption):
            plain = _combined_cipher(self, packet[8:16], packet[16:], self._covered(packet[:8]), opens=True)
        else:
            length = _icv_bytes(self.integrity)
            body, icv = packet[:-length], packet[-length:]
            if not hmac.compare_digest(_icv(self, body), icv):
                raise NotAuthenticError(f"wrong ICV of {self.integrity}")
            start = 8 + _iv_bytes(self.encryption)
            plain = _cipher(self, body[8:start], body[start:], opens=True)
        pad, next_header = plain[-2], plain[-1]
        assert plain[len(plain) - 2 - pad : -2] == bytes(range(1, pad + 1)), "padding is not 1, 2, 3, …"
        return sequence, plain[: len(plain) - 2 - pad], next_header

    def _covered(self, header: bytes) -> bytes:
        """The additional data of a combined mode: SPI and the whole sequence number."""
        return header[:4] + (bytes(4) if self.esn else b"") + header[4:]


def udp_datagram(source: str, destination: str, port: int, payload: bytes) -> bytes:
    """UDP from and to the same port, with its checksum."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    length = 8 + len(payload)
    datagram = struct.pack("!HHHH", port, port, length, 0) + payload
    pseudo = here + there + struct.pack("!II", length, UDP)
    return datagram[:6] + struct.pack("!H", _checksum(pseudo + datagram) or 0xFFFF) + datagram[8:]


def udp_packet(source: str, destination: str, port: int, payload: bytes) -> bytes:
    """An IP packet with UDP inside, from and to the same port."""
    here, there = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    datagram = udp_datagram(source, destination, port, payload)
    length = len(datagram)
    if len(here) == 16:
        return struct.pack("!IHBB", 0x60000000, length, UDP, 64) + here + there + datagram
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, UDP, 0) + here + there
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + datagram


def udp_payload(inner: bytes, next_header: int) -> bytes:
    """What is in the UDP datagram that is in an ESP packet, in tunnel or transport mode."""
    return inner[{UDP: 8, IPV4: 28, IPV6: 48}[next_header] :]


def _checksum(octets: bytes) -> int:
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _combined(name: str) -> bool:
    return "gcm" in name or "ccm" in name or name == "chacha20poly1305"


def _block_bytes(name: str) -> int:
    if name.startswith(("3des", "des", "blowfish", "cast")):
        return 8
    return 4 if name == "null" or "ctr" in name or _combined(name) else 16


def _iv_bytes(name: str) -> int:
    if name == "null":
        return 0
    return 8 if "ctr" in name else _block_bytes(name)


def _icv_bytes(name: str | None) -> int:
    return _ICV_BYTES.get(name or "", 12)


def _combined_cipher(sa: Sa, iv: bytes, text: bytes, header: bytes, *, opens: bool) -> bytes:
    if sa.encryption == "chacha20poly1305":
        aead = ChaCha20Poly1305(sa.key[:32])
        operation = aead.decrypt if opens else aead.encrypt
        return operation(sa.key[32:] + iv, text, header)
    icv_bytes = int(sa.encryption[len("aes128gcm") :])
    salt_bytes = 4 if "gcm" in sa.encryption else 3
    key, nonce = sa.key[:-salt_bytes], sa.key[-salt_bytes:] + iv
    mode = AES.MODE_GCM if "gcm" in sa.encryption else AES.MODE_CCM
    cipher = AES.new(key, mode, nonce=nonce, mac_len=icv_bytes)
    cipher.update(header)
    if not opens:
        return b"".join(cipher.encrypt_and_digest(text))
    try:
        return bytes(cipher.decrypt_and_verify(text[:-icv_bytes], text[-icv_bytes:]))
    except ValueError as error:
        raise NotAuthenticError(f"wrong ICV of {sa.encryption}") from error


def _cipher(sa: Sa, iv: bytes, text: bytes, *, opens: bool) -> bytes:
    name, key = sa.encryption, sa.key
    if name == "null":
        return text
    if "ctr" in name:
        # RFC 3686 section 4: nonce, IV, and a block counter that begins with one.
        cipher = Cipher(algorithms.AES(key[:-4]), modes.CTR(key[-4:] + iv + b"\0\0\0\1"))
        return cipher.encryptor().update(text)
    if name.startswith("camellia"):
        camellia = Cipher(Camellia(key), modes.CBC(iv))
        return (camellia.decryptor() if opens else camellia.encryptor()).update(text)
    if name in _GCRYPT_NUMBERS:
        return _gcrypt(_GCRYPT_NUMBERS[name], key, iv, text, opens)
    module = next(
        module
        for prefix, module in (("aes", AES), ("3des", DES3), ("des", DES), ("blowfish", Blowfish), ("cast", CAST))
        if name.startswith(prefix)
    )
    chain = module.new(key, module.MODE_CBC, iv=iv)
    return bytes(chain.decrypt(text) if opens else chain.encrypt(text))


def _gcrypt(number: int, key: bytes, iv: bytes, text: bytes, opens: bool) -> bytes:
    """CBC with a cipher that only libgcrypt has."""
    library = ctypes.CDLL("libgcrypt.so.20")
    library.gcry_check_version(None)
    handle = ctypes.c_void_p()
    cbc = 3
    assert library.gcry_cipher_open(ctypes.byref(handle), number, cbc, 0) == 0
    try:
        assert library.gcry_cipher_setkey(handle, key, len(key)) == 0
        assert library.gcry_cipher_setiv(handle, iv, len(iv)) == 0
        result = ctypes.create_string_buffer(len(text))
        operation = library.gcry_cipher_decrypt if opens else library.gcry_cipher_encrypt
        size = ctypes.c_size_t(len(text))
        assert operation(handle, result, size, text, size) == 0
        return result.raw
    finally:
        library.gcry_cipher_close.argtypes = [ctypes.c_void_p]
        library.gcry_cipher_close.restype = None
        library.gcry_cipher_close(handle)


def _icv(sa: Sa, octets: bytes) -> bytes:
    octets += bytes(4) if sa.esn else b""
    if sa.integrity in _HMACS:
        return hmac.new(sa.integrity_key, octets, sa.integrity).digest()[: _icv_bytes(sa.integrity)]
    if sa.integrity == "aescmac":
        mac = CMAC(algorithms.AES(sa.integrity_key))
        mac.update(octets)
        return mac.finalize()[:12]
    assert sa.integrity == "aesxcbc"
    return _xcbc(sa.integrity_key, octets)[:12]


def _xcbc(key: bytes, message: bytes) -> bytes:
    """AES-XCBC-MAC (RFC 3566 section 4)."""

    def encrypt(key: bytes, block: bytes) -> bytes:
        return bytes(AES.new(key, AES.MODE_ECB).encrypt(block))

    first, second, third = (encrypt(key, bytes([number]) * 16) for number in (1, 2, 3))
    blocks = [message[start : start + 16] for start in range(0, len(message), 16)] or [b""]
    state = bytes(16)
    for block in blocks[:-1]:
        state = encrypt(first, _xor(state, block))
    last = blocks[-1]
    if len(last) == 16:
        return encrypt(first, _xor(state, last, second))
    return encrypt(first, _xor(state, (last + b"\x80").ljust(16, b"\0"), third))


def _xor(first: bytes, second: bytes, third: bytes = bytes(16)) -> bytes:
    return bytes(a ^ b ^ c for a, b, c in zip(first, second, third, strict=True))
