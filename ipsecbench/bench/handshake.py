"""The tier ``handshake``: which whole set-ups of an IKE SA are measured, and into which parts they are broken down.

One operation is one set-up of an IKE SA with its first Child SA by this program's own IKE stack, at one of the two
ends: IKE_SA_INIT and IKE_AUTH (RFC 7296 section 1.2) with the exchanges between them where there are additional key
exchanges (RFC 9242), or main mode and quick mode (RFC 2409 sections 5 and 5.5). The figures are those of a stack in
Python; see docs/measurement.md for what they can and cannot say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ipsecbench.algorithms.proposals import IkeProposal, parse_ike

STACK_PROVIDER = "ipsecbench"
"""Provider of the rows: this program's own stack, over its Python libraries."""
PSK = "psk"


class Role(StrEnum):
    """Which end."""

    INITIATOR = "initiator"
    RESPONDER = "responder"


class Part(StrEnum):
    """What the time of one end goes to."""

    SETUP = "setup"
    """All of it: the sum of the others."""
    KEY_EXCHANGE = "key-exchange"
    """Key pairs and shared secrets, Diffie-Hellman and key encapsulation."""
    PRF = "prf"
    """The PRF and prf+: key derivation, and with a pre-shared key all of the authentication."""
    AUTHENTICATION = "authentication"
    """Signing and verifying, and reading and verifying the peer's certificates. Not there with a pre-shared key."""
    PROTECTION = "protection"
    """Ciphers and MACs over the messages."""
    PARSING = "parsing"
    """Taking received messages apart: header, payloads, and what was inside of encrypted ones."""
    PROTOCOL = "protocol"
    """Everything else that the stack does: building messages, negotiation, state machines, randomness."""
    IO = "io"
    """Sending and receiving the datagrams: system calls, and the kernel's way through the loopback interface."""

    def operation(self, role: Role) -> str:
        """Operation of the rows, such as ``prf-initiator``."""
        return f"{self.value}-{role.value}"


@dataclass(frozen=True, slots=True)
class HandshakeSet:
    """One set of parameters that whole set-ups are measured with."""

    version: int
    """Version of IKE."""
    proposal: str
    """Phase 1 in strongSwan's spelling."""
    authentication: str
    """Both ends' method: ``psk`` or a signature algorithm."""
    esp_proposal: str
    """Phase 2 in strongSwan's spelling."""

    @property
    def name(self) -> str:
        """Algorithm of the rows, such as ``ikev2:aes128-sha256-x25519:psk``."""
        return f"ikev{self.version}:{self.proposal}:{self.authentication}"

    @property
    def ike(self) -> IkeProposal:
        """Phase 1, taken apart."""
        return parse_ike(self.proposal)

    @property
    def signed(self) -> bool:
        """Whether the ends authenticate by signature."""
        return self.authentication != PSK

    @property
    def operations(self) -> tuple[str, ...]:
        """Operations of the rows."""
        parts = [part for part in Part if self.signed or part is not Part.AUTHENTICATION]
        return tuple(part.operation(role) for role in Role for part in parts)


QUICK_SETS = (
    HandshakeSet(2, "aes128-sha256-x25519", PSK, "aes128-sha256"),
    HandshakeSet(2, "aes128gcm16-prfsha256-x25519", "ecdsa-256", "aes128gcm16"),
    HandshakeSet(1, "aes256-sha1-modp1024", PSK, "aes128-md5"),
    HandshakeSet(1, "aes128-sha256-ecp256", PSK, "aes128-sha256"),
)
"""What a quick run measures: a plain set, what is recommended most often, what articles of old recommend, and IKEv1
with a group of today."""

SETS = (
    *QUICK_SETS,
    HandshakeSet(2, "aes128-sha256-ecp256", "ecdsa-256", "aes128-sha256"),
    HandshakeSet(2, "aes128-sha256-modp2048", PSK, "aes128-sha256"),
    HandshakeSet(2, "aes128-sha256-x25519-ke1_mlkem768", PSK, "aes128-sha256"),
    HandshakeSet(2, "aes256gcm16-prfsha384-ecp384", "ecdsa-384", "aes256gcm16"),
    HandshakeSet(1, "aes128-sha256-modp2048", "ecdsa-256", "aes128-sha256"),
)
"""What a default run measures. More would say little: what is not cryptography hardly depends on the transforms."""

SETS_BY_NAME: Mapping[str, HandshakeSet] = MappingProxyType({row.name: row for row in SETS})
"""The sets by the algorithm of their rows."""


def parse_set(name: str) -> tuple[int, IkeProposal, str] | None:
    """Version, phase 1 proposal and authentication that the algorithm of a row names; None where it names none.

    For rows of datasets, which may be of another version of this program and name sets that are not measured here.
    """
    from ipsecbench.errors import UsageError

    version, _, rest = name.partition(":")
    proposal, _, authentication = rest.partition(":")
    if version not in ("ikev1", "ikev2") or not authentication:
        return None
    try:
        return int(version[-1]), parse_ike(proposal), authentication
    except UsageError:
        return None
