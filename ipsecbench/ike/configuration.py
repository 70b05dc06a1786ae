"""What an endpoint is told to do: connections, identities, proposals, lives. Immutable, and already checked.

Reading a file and its certificates is not done here; see :mod:`ipsecbench.lab.endpoint_file`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ipsecbench.algorithms.proposals import EspProposal, IkeProposal
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector
from ipsecbench.ike.identification import Identity
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.ike.nat_traversal import IKE_PORT, NAT_T_PORT
from ipsecbench.providers.interface import Certificate, PrivateKey
from ipsecbench.secret import Secret


class AuthMethod(StrEnum):
    """How an end proves its identity."""

    PSK = "psk"
    """Pre-shared key."""
    PUBKEY = "pubkey"
    """Digital signature with a certificate."""


class Childless(StrEnum):
    """Whether an IKE SA may begin without a Child SA (RFC 6023)."""

    ALLOW = "allow"
    """As responder, when the peer asks for it."""
    FORCE = "force"
    """Always; Child SAs are made by CREATE_CHILD_SA only."""
    NEVER = "never"
    """Not offered and refused."""


class Unique(StrEnum):
    """What becomes of an older IKE SA with the same identities."""

    REPLACE = "replace"
    """The newer one replaces it when it says INITIAL_CONTACT."""
    KEEP = "keep"
    """Both stay, and INITIAL_CONTACT is neither sent nor heeded."""


@dataclass(frozen=True, slots=True)
class LocalAuthentication:
    """How this end proves itself."""

    method: AuthMethod
    """Method."""
    identity: Identity | None = None
    """Identity that is sent; None: the certificate's subject, or the local address."""
    certificates: tuple[Certificate, ...] = ()
    """This end's certificate and then the intermediate ones that are sent with it."""
    private_key: PrivateKey | None = None
    """Key of the first certificate."""
    signature_schemes: tuple[str, ...] = ()
    """Schemes to use, the preferred first (:data:`ipsecbench.algorithms.signatures.SIGNATURE_SCHEMES`); empty: any
    that fits the key and the peer."""


@dataclass(frozen=True, slots=True)
class RemoteAuthentication:
    """What the peer has to prove."""

    method: AuthMethod
    """Method."""
    identity: Identity | None = None
    """Identity that the peer must have; None: any that it can prove."""
    authorities: tuple[Certificate, ...] = ()
    """Trusted certificate authorities."""
    certificates: tuple[Certificate, ...] = ()
    """The peer's own certificates, trusted as they are; needs no authority."""
    allow_sha1: bool = False
    """Whether signatures over SHA-1 are accepted (IKEv1 does not go through this)."""


@dataclass(frozen=True, slots=True)
class PostquantumPsk:
    """A post-quantum pre-shared key (RFC 8784)."""

    identity: bytes
    """PPK_ID, sent as type PPK_ID_FIXED."""
    secret: Secret
    """The key."""
    required: bool = True
    """Whether the peer must use it."""


@dataclass(frozen=True, slots=True)
class Retransmission:
    """When an unanswered request is sent again, as strongSwan counts: ``first`` · ``base`` ** n seconds."""

    first_seconds: float = 4.0
    """Before the first retransmission."""
    base: float = 1.8
    """Growth from one to the next."""
    tries: int = 5
    """Retransmissions before the peer counts as dead."""

    def delay(self, sent_again: int) -> float:
        """Seconds to wait after so many retransmissions."""
        return float(self.first_seconds * self.base**sent_again)


IKE_LIFETIME = Lifetime(seconds=Limit(rekey=14400, life=15840, rand=1440))
"""Default of strongSwan's swanctl.conf: 4 hours, hard 10% later."""
CHILD_LIFETIME = Lifetime(seconds=Limit(rekey=3600, life=3960, rand=360))
"""Default of strongSwan's swanctl.conf: 1 hour, hard 10% later."""


@dataclass(frozen=True, slots=True)
class ChildConfiguration:
    """One Child SA to make or to accept; a phase 2 of IKEv1."""

    name: str
    """Name within its connection."""
    proposals: tuple[EspProposal, ...]
    """Proposals, the preferred first."""
    local_ts: tuple[TrafficSelector, ...] = ()
    """This end's traffic; empty: the address of the IKE SA."""
    remote_ts: tuple[TrafficSelector, ...] = ()
    """The peer's traffic; empty: the address of the IKE SA."""
    mode: Mode = Mode.TUNNEL
    """Mode asked for and accepted."""
    lifetime: Lifetime = CHILD_LIFETIME
    """Lives."""
    rekey: bool = True
    """Whether this end rekeys at the soft limit; without, the SA ends at the hard one."""


@dataclass(frozen=True, slots=True)
class ConnectionConfiguration:
    """One peer, and how to speak to it."""

    name: str
    """Name within the endpoint."""
    version: int
    """Version of IKE: 1 or 2."""
    proposals: tuple[IkeProposal, ...]
    """Proposals for the IKE SA, the preferred first."""
    local: LocalAuthentication
    """How this end proves itself."""
    remote: RemoteAuthentication
    """What the peer has to prove."""
    children: tuple[ChildConfiguration, ...]
    """Child SAs, in the order in which a responder tries them."""
    local_addresses: tuple[str, ...] = ()
    """IP addresses of this end; empty: any."""
    remote_addresses: tuple[str, ...] = ()
    """IP addresses of the peer, the first is where to initiate; empty: any, as responder only."""
    remote_port: int = IKE_PORT
    """Peer's port of IKE."""
    remote_natt_port: int = NAT_T_PORT
    """Peer's NAT-T port."""
    psk: Secret | None = None
    """Pre-shared key, for both ends."""
    aggressive: bool = False
    """IKEv1: aggressive instead of main mode."""
    lifetime: Lifetime = IKE_LIFETIME
    """Lives of the IKE SA; the seconds count."""
    rekey: bool = True
    """Whether this end rekeys the IKE SA (in IKEv1: authenticates anew) at the soft limit."""
    dpd_seconds: float | None = None
    """Silence after which the peer's liveness is checked; None: never by itself."""
    dpd_timeout_seconds: float = 150.0
    """IKEv1: silence after which the peer counts as dead once it is asked."""
    fragmentation: bool = True
    """IKE fragmentation, where the peer has it too (RFC 7383)."""
    fragment_bytes: int = 1280
    """Largest IP packet that carries an IKE message when the peer takes fragments."""
    force_encapsulation: bool = False
    """Pretend that there is a NAT, so that ESP is in UDP."""
    childless: Childless = Childless.ALLOW
    """IKE SAs without a Child SA."""
    ppk: PostquantumPsk | None = None
    """Post-quantum pre-shared key."""
    unique: Unique = Unique.REPLACE
    """What becomes of an older IKE SA with the same identities."""
    retransmission: Retransmission = Retransmission()
    """Retransmission of requests."""
    send_certificate: bool = True
    """Whether this end sends its certificate even where the peer did not ask for it."""


@dataclass(frozen=True, slots=True)
class EndpointConfiguration:
    """One endpoint."""

    connections: tuple[ConnectionConfiguration, ...]
    """Connections, in the order in which a responder tries them."""
    port: int = IKE_PORT
    """Own port of IKE."""
    natt_port: int = NAT_T_PORT
    """Own NAT-T port."""
    cookie_threshold: int = 30
    """Half-open IKE SAs from which on a COOKIE is demanded (RFC 7296 section 2.6)."""
    half_open_limit: int = 1000
    """Half-open IKE SAs from which on initial requests are dropped."""
    half_open_limit_per_address: int = 64
    """The same, from one address."""
    half_open_seconds: float = 30.0
    """How long a peer may take to authenticate."""
    keepalive_seconds: float = 20.0
    """Silence after which a NAT-keepalive is sent behind a NAT (RFC 3948 section 4)."""
    own_addresses: tuple[str, ...] = field(default=())
    """Addresses that the sockets have, for the choice of a source address; empty: unknown."""
