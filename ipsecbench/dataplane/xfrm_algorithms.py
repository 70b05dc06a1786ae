"""How the kernel spells the transforms of an ESP suite, and how it wants their keys (Linux net/xfrm/xfrm_algo.c).

Keys are KEYMAT as it is: the salt of GCM, CCM, GMAC, CTR and ChaCha20-Poly1305 stands behind the key there as here
(RFC 4106 section 8.1, RFC 3686 section 5.1, RFC 7634 section 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ipsecbench.algorithms.encryption import Encryption
from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.dataplane.xfrm_messages import Attribute, KernelAlgorithms
from ipsecbench.errors import DataPlaneError
from ipsecbench.secret import Secret

_BLOCK_CIPHERS: Mapping[str, str] = MappingProxyType(
    {
        "aes": "aes",
        "3des": "des3_ede",
        "des": "des",
        "blowfish": "blowfish",
        "camellia": "camellia",
        "cast": "cast5",
        "serpent": "serpent",
        "twofish": "twofish",
    }
)
_MODES: Mapping[str, str] = MappingProxyType(
    {
        "gcm": "rfc4106(gcm(aes))",
        "ccm": "rfc4309(ccm(aes))",
        "gmac": "rfc4543(gcm(aes))",
        "chacha20-poly1305": "rfc7539esp(chacha20,poly1305)",
        "ctr": "rfc3686(ctr(aes))",
        "null": "ecb(cipher_null)",
    }
)
_INTEGRITY: Mapping[str, str] = MappingProxyType(
    {
        "md5": "hmac(md5)",
        "sha1": "hmac(sha1)",
        "sha256": "hmac(sha256)",
        "sha384": "hmac(sha384)",
        "sha512": "hmac(sha512)",
        "aesxcbc": "xcbc(aes)",
        "aescmac": "cmac(aes)",
    }
)


def kernel_names(suite: EspSuite) -> tuple[str, ...]:
    """What the kernel calls the transforms of a suite: one name for combined modes, else encryption and integrity."""
    encryption = _encryption_name(suite.encryption)
    return (encryption,) if suite.integrity is None else (encryption, _INTEGRITY[suite.integrity.name])


def kernel_algorithms(suite: EspSuite, encryption_key: Secret, integrity_key: Secret | None) -> KernelAlgorithms:
    """The transforms of a suite with their keys.

    Args:
        suite: any legal one; whether this kernel has it only the kernel knows.
        encryption_key: key and salt, as KEYMAT gives them.
        integrity_key: beside transforms that need it.

    Raises:
        DataPlaneError: a key has the wrong length.
    """
    _check(suite.encryption.name, encryption_key, suite.encryption.keymat_bytes)
    names = kernel_names(suite)
    if suite.integrity is None:
        if integrity_key is not None:
            raise DataPlaneError(f"{suite.name}: a combined mode takes no key for integrity")
        icv_bits = 8 * suite.icv_bytes
        return KernelAlgorithms(((Attribute.ALGORITHM_COMBINED, names[0], icv_bits, encryption_key.reveal()),))
    if integrity_key is None:
        raise DataPlaneError(f"{suite.name}: the key for integrity is missing")
    _check(suite.integrity.name, integrity_key, suite.integrity.key_bytes)
    return KernelAlgorithms(
        (
            # The length of the ICV is always said: the kernel's own idea of HMAC-SHA-256 is 96 bits (a draft's).
            (Attribute.ALGORITHM_INTEGRITY, names[1], 8 * suite.icv_bytes, integrity_key.reveal()),
            (Attribute.ALGORITHM_ENCRYPTION, names[0], None, encryption_key.reveal()),
        )
    )


def _encryption_name(encryption: Encryption) -> str:
    if encryption.mode in _MODES:
        return _MODES[encryption.mode]
    cipher = encryption.name if encryption.name == "3des" else encryption.name.rstrip("0123456789")
    return f"cbc({_BLOCK_CIPHERS[cipher]})"


def _check(name: str, key: Secret, wanted: int) -> None:
    if len(key) != wanted:
        raise DataPlaneError(f"{name}: its key has {wanted} octets (salt included), not {len(key)}")
