"""ESP suites: the legal combinations of an encryption and an integrity transform, and how they are written.

RFC 8221 sections 4 to 6: a combined-mode transform stands alone; every other one, NULL too, needs an integrity
transform beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ipsecbench.algorithms.encryption import ENCRYPTION, Encryption
from ipsecbench.algorithms.integrity import INTEGRITY, Integrity
from ipsecbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class EspSuite:
    """One legal ESP suite."""

    encryption: Encryption
    """The encryption transform."""
    integrity: Integrity | None
    """The integrity transform; None beside a combined-mode transform."""

    @property
    def name(self) -> str:
        """strongSwan's spelling, such as ``aes128gcm16`` or ``aes128-sha256``."""
        return self.encryption.name if self.integrity is None else f"{self.encryption.name}-{self.integrity.name}"

    @property
    def icv_bytes(self) -> int:
        """Octets of ICV in each packet."""
        return self.encryption.icv_bytes if self.integrity is None else self.integrity.icv_bytes

    @property
    def strength_bits(self) -> int:
        """The weaker of confidentiality and integrity keys, in bits; 0 for NULL and GMAC, which hide nothing."""
        if self.encryption.mode in ("null", "gmac"):
            return 0
        if self.integrity is None:
            return self.encryption.strength_bits
        return min(self.encryption.strength_bits, self.integrity.strength_bits)


@cache
def esp_suites() -> dict[str, EspSuite]:
    """Every legal ESP suite by name, combined modes first."""
    suites: dict[str, EspSuite] = {}
    for encryption in ENCRYPTION.values():
        if encryption.aead:
            suites[encryption.name] = EspSuite(encryption, None)
    for encryption in ENCRYPTION.values():
        if not encryption.aead:
            for integrity in INTEGRITY.values():
                suite = EspSuite(encryption, integrity)
                suites[suite.name] = suite
    return suites


def parse_esp_suite(text: str) -> EspSuite:
    """The suite that a string names.

    Raises:
        UsageError: the string names no legal suite; the message says which part is wrong.
    """
    suite = esp_suites().get(text)
    if suite is not None:
        return suite
    encryption_name, _, integrity_name = text.partition("-")
    encryption = ENCRYPTION.get(encryption_name)
    if encryption is None:
        raise UsageError(
            f"{text!r}: {encryption_name!r} is no encryption transform known here; see 'ipsecbench bench --list'"
        )
    if encryption.aead:
        raise UsageError(
            f"{text!r}: {encryption_name} protects integrity itself and takes no {integrity_name!r} beside it"
        )
    if not integrity_name:
        raise UsageError(f"{text!r}: {encryption_name} needs an integrity transform, such as {encryption_name}-sha256")
    raise UsageError(f"{text!r}: {integrity_name!r} is no integrity transform known here ({', '.join(INTEGRITY)})")
