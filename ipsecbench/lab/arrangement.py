"""What a laboratory is to be: parameters, modes, and what lies between the hosts."""

from __future__ import annotations

from dataclasses import dataclass, field

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.dataplane.interface import PlaneKind
from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Action, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.impairment import Impairment
from ipsecbench.lab.namespaces import Host

MODERN = ("aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519-esn")
"""Phase 1 and phase 2 of the policy ``modern``, for a box with AES instructions."""
MODERN_IKEV1 = ("aes128-sha256-ecp256", "aes128gcm16-ecp256")
"""The nearest that IKEv1 has numbers for, and that strongSwan takes."""
ARTICLE = ("aes256-sha1-modp1024", "aes128-md5")
"""Phase 1 and phase 2 of the article that ipsecbench began from. For the museum: HMAC-MD5 is MUST NOT (RFC 8221)."""

CONNECTION = "lab"
"""Name of the one connection of each end."""
CHILD = "net"
"""Name of its Child SA."""
SIDES = ("A", "B")
"""The hosts; A is behind the NAT, where there is one, and initiates."""
SMALLEST_MTU = {4: 576, 6: 1280}
"""By IP version of the outside: what every host must take (RFC 791, RFC 8200)."""


@dataclass(frozen=True, slots=True)
class UnprotectedTraffic:
    """Traffic that no SA carries, at one end or at both."""

    action: Action
    """BYPASS or DISCARD."""
    selectors: tuple[str, str]
    """Traffic selectors of A and of B."""
    side: str = ""
    """The end that has this policy; empty: both."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A laboratory that can be set up: every instance makes sense, or could not be made."""

    version: int = 2
    """Version of IKE."""
    ike: str = MODERN[0]
    """Proposal for phase 1."""
    esp: str = MODERN[1]
    """Proposal for phase 2."""
    mode: Mode = Mode.TUNNEL
    """Mode of the Child SA."""
    layering: Layering = Layering.NONE
    """What is put between the packets and ESP in transport mode."""
    outer: int = 4
    """IP version outside."""
    inner: int = 4
    """IP version inside."""
    encap: bool = False
    """Pretend a NAT, so that ESP is in UDP."""
    nat: bool = False
    """A real NAT, A behind it."""
    dataplane: PlaneKind | None = None
    """Of our own ends; None: the fastest that can be had."""
    strongswan: str = ""
    """Sides on which strongSwan runs: "", "A", "B" or "AB"."""
    initiator: str = "A"
    """Side that begins."""
    mtu: int = 1500
    """Octets of the largest packet between the hosts."""
    impairment: Impairment = field(default_factory=Impairment)
    """What happens to packets on the way, in each direction."""
    selectors: tuple[str, str] | None = None
    """Traffic selectors of A and of B; None: the inner networks, in transport mode the hosts themselves."""
    unprotected: tuple[UnprotectedTraffic, ...] = ()
    """Traffic that is not protected, although it is among the selectors."""
    wide_device: bool = False
    """Let the data plane's device take packets that do not fit the link once they are sealed."""
    dpd_seconds: float = 0.0
    """Silence after which an end asks whether the other one lives; 0: never."""
    ike_rekey_seconds: float = 14400.0
    """Life of the IKE SA until it is rekeyed."""
    child_rekey_seconds: float = 3600.0
    """Life of the Child SA until it is rekeyed."""
    retransmission_seconds: float = 1.0
    """Before the first retransmission of IKE; the network is one machine."""
    retransmission_tries: int = 5
    """Retransmissions before the peer counts as dead."""

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: a proposal is wrong, or two wishes exclude each other.
        """
        if self.version not in (1, 2):
            raise UsageError(f"IKE version {self.version}: it is 1 or 2")
        if {self.outer, self.inner} - {4, 6}:
            raise UsageError("IP versions are 4 and 6: '--ip 4', '--ip 6', or outside and inside apart: '--ip 4:6'")
        proposal = parse_ike(self.ike)
        if self.version == 1 and (proposal.additional_key_exchanges or not proposal.key_exchange):
            raise UsageError(f"{self.ike}: IKEv1 takes one key exchange, neither none nor additional ones")
        parse_esp(self.esp)
        if self.mode is Mode.TUNNEL and self.layering is not Layering.NONE:
            raise UsageError(f"{self.layering} is layered over transport mode: '--mode transport'")
        if self.mode is Mode.TRANSPORT and self.layering is Layering.NONE and self.inner != self.outer:
            raise UsageError("in transport mode there is one IP version; '--layering ipip' carries the other one")
        if self.nat and self.outer == 6:
            raise UsageError("the NAT is one of IPv4: '--ip 4' or '--ip 4:6'")
        if self.nat and self.initiator != "A":
            raise UsageError("only A, which is behind the NAT, can begin")
        if not SMALLEST_MTU[self.outer] <= self.mtu <= 65535:
            raise UsageError(f"MTU {self.mtu}: from {SMALLEST_MTU[self.outer]} to 65535 with IPv{self.outer} outside")
        self._check_strongswan()

    def _check_strongswan(self) -> None:
        if self.strongswan not in ("", "A", "B", "AB"):
            raise UsageError(f"strongSwan at {self.strongswan!r}: at A, at B, or at AB")
        if self.strongswan and self.mode is not Mode.TUNNEL:
            raise UsageError("strongSwan's ESP without the kernel has tunnel mode only: '--mode tunnel'")
        if self.strongswan and self.esn:
            raise UsageError(
                f"{self.esp}: strongSwan's ESP without the kernel has no extended sequence numbers: leave '-esn' out"
            )

    @property
    def esn(self) -> bool:
        """Whether extended sequence numbers are asked for."""
        return "esn" in self.esp.split("-")

    @property
    def udp_encapsulation(self) -> bool:
        """Whether ESP will be in UDP: asked for, for a NAT, or since strongSwan's userspace ESP knows nothing else."""
        return self.encap or self.nat or bool(self.strongswan)

    def is_strongswan(self, side: str) -> bool:
        """Whether strongSwan runs on a side."""
        return side in self.strongswan

    def outer_address(self, host: Host) -> str:
        """Address outside."""
        return host.ipv4 if self.outer == 4 else host.ipv6

    def inner_address(self, host: Host) -> str:
        """Address that is reached through the SA: inside, or in plain transport mode outside."""
        if self.mode is Mode.TRANSPORT and self.layering is Layering.NONE:
            return self.outer_address(host)
        return host.inner_ipv4 if self.inner == 4 else host.inner_ipv6

    def selector(self, host: Host) -> str:
        """Traffic selector of the side that is ``host``, as its own configuration has it."""
        if self.selectors is not None:
            return self.selectors[0 if host.name.endswith("-a") else 1]
        if self.mode is Mode.TRANSPORT:
            protocol = {Layering.GRE: "[gre]", Layering.IPIP: "[ipip]" if self.inner == 4 else "[41]"}
            return f"{self.outer_address(host)}/{32 if self.outer == 4 else 128}{protocol.get(self.layering, '')}"
        return inner_network(host, self.inner)


def end_name(host: Host) -> str:
    """Name of an end, from its host's: ``a`` or ``b``."""
    return host.name.rpartition("-")[2]


def inner_network(host: Host, version: int) -> str:
    """The protected network of a host."""
    number = 1 if host.name.endswith("-a") else 2
    return f"10.{number}.0.0/16" if version == 4 else f"2001:db8:{number}::/64"
