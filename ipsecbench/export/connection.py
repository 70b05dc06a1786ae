"""One connection between two ends, as a configuration of any product needs it: what every target is rendered from.

Everything is checked here, once: addresses, networks and identities go into files of many syntaxes, so that only
characters which none of them treats specially get through. A record never holds a secret.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from ipsecbench.algorithms.authentication import AUTHENTICATION
from ipsecbench.algorithms.encryption import ENCRYPTION, Encryption
from ipsecbench.algorithms.integrity import INTEGRITY
from ipsecbench.algorithms.key_exchange import KEY_EXCHANGE
from ipsecbench.algorithms.prf import PRF
from ipsecbench.algorithms.proposals import EspProposal, IkeProposal
from ipsecbench.algorithms.suites import EspSuite, esp_suites
from ipsecbench.errors import UsageError
from ipsecbench.recommend.requirements.records import MODES

PSK_PLACEHOLDER = "REPLACE-WITH-A-RANDOM-SECRET"
"""Stands where a pre-shared key belongs; the same at both ends, so that forgetting it is found at once."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}\Z")
_IDENTITY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._@:-]{0,126}[A-Za-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class End:
    """One end of the connection."""

    address: str
    """The IP address that IKE and ESP packets come from, as text."""
    networks: tuple[str, ...]
    """The networks behind it that are protected, each as ``address/length``."""
    identity: str
    """Who it says that it is: an IP address, a domain name or a mail address."""

    def __post_init__(self) -> None:
        """Refuse what cannot stand in a configuration.

        Raises:
            UsageError: the message names the value.
        """
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            raise UsageError(f"{self.address!r} is no IP address") from None
        if address.is_unspecified or address.is_multicast or "%" in self.address:
            raise UsageError(f"{self.address!r} is no address that one host can have")
        if not self.networks:
            raise UsageError(f"end {self.address}: name at least one network behind it")
        for network in self.networks:
            _check_network(network)
        if not _IDENTITY.match(self.identity):
            raise UsageError(
                f"identity {self.identity!r}: give an IP address, a domain name or a mail address "
                "(letters, digits and . _ - @ :)"
            )

    @property
    def ip_version(self) -> int:
        """4 or 6: of the address."""
        return ipaddress.ip_address(self.address).version

    @property
    def identity_kind(self) -> str:
        """``address``, ``mail`` or ``domain``: which ID payload the identity makes."""
        try:
            ipaddress.ip_address(self.identity)
        except ValueError:
            return "mail" if "@" in self.identity else "domain"
        return "address"


def _check_network(network: str) -> None:
    if "/" not in network:
        raise UsageError(f"network {network!r}: write it with its length, such as 10.1.0.0/16")
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        raise UsageError(f"network {network!r}: {error}") from None


def placeholder_ends(outer: str = "ipv4", inner: str = "ipv4") -> tuple[End, End]:
    """Ends from the documentation ranges (RFC 5737, RFC 3849) where the user names none: the local one and its peer."""
    addresses = ("192.0.2.1", "198.51.100.1") if outer == "ipv4" else ("2001:db8:1::1", "2001:db8:2::1")
    networks = ("10.1.0.0/16", "10.2.0.0/16") if inner == "ipv4" else ("2001:db8:a::/48", "2001:db8:b::/48")
    local, peer = (End(address, (network,), address) for address, network in zip(addresses, networks, strict=True))
    return local, peer


@dataclass(frozen=True, slots=True)
class IkeAlgorithms:
    """One algorithm for each role of the IKE SA; the project's names, which are strongSwan's proposal tokens."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined-mode transform."""
    prf: str
    """Pseudo-random function; always given, beside a combined-mode transform too."""
    key_exchange: str
    """Key exchange method."""
    additional_key_exchanges: tuple[str, ...] = ()
    """Methods of ADDKE1 and following (RFC 9370)."""

    def __post_init__(self) -> None:
        """Refuse unknown names.

        Raises:
            UsageError: a name is in no table.
        """
        _check_names(self.encryption, self.integrity, (self.key_exchange, *self.additional_key_exchanges))
        if self.prf not in PRF:
            raise UsageError(f"{self.prf!r} is no pseudo-random function known here")

    @property
    def transform(self) -> Encryption:
        """The encryption transform's row."""
        return ENCRYPTION[self.encryption]

    @property
    def proposal(self) -> str:
        """strongSwan's spelling."""
        integrity = () if self.integrity is None else (self.integrity,)
        additional = tuple((name,) for name in self.additional_key_exchanges)
        return IkeProposal((self.encryption,), integrity, (self.prf,), (self.key_exchange,), additional).text


@dataclass(frozen=True, slots=True)
class EspAlgorithms:
    """One algorithm for each role of the Child SA; the project's names, which are strongSwan's proposal tokens."""

    encryption: str
    """Encryption transform."""
    integrity: str | None
    """Integrity transform; None beside a combined-mode transform."""
    key_exchange: str | None
    """Key exchange method of a rekey (perfect forward secrecy); None without."""
    additional_key_exchanges: tuple[str, ...] = ()
    """Additional key exchange methods of a rekey (RFC 9370)."""
    esn: bool = False
    """Whether sequence numbers have 64 bits."""

    def __post_init__(self) -> None:
        """Refuse unknown names.

        Raises:
            UsageError: a name is in no table, or there are additional key exchanges without a first one.
        """
        first = () if self.key_exchange is None else (self.key_exchange,)
        _check_names(self.encryption, self.integrity, (*first, *self.additional_key_exchanges))
        if self.additional_key_exchanges and self.key_exchange is None:
            raise UsageError("additional key exchanges of a Child SA need a first one (RFC 9370 section 2.2.4)")

    @property
    def transform(self) -> Encryption:
        """The encryption transform's row."""
        return ENCRYPTION[self.encryption]

    @property
    def suite(self) -> EspSuite | None:
        """The ESP suite; None where encryption and integrity make no legal one."""
        name = self.encryption if self.integrity is None else f"{self.encryption}-{self.integrity}"
        return esp_suites().get(name)

    @property
    def proposal(self) -> str:
        """strongSwan's spelling."""
        integrity = () if self.integrity is None else (self.integrity,)
        exchange = () if self.key_exchange is None else (self.key_exchange,)
        additional = tuple((name,) for name in self.additional_key_exchanges)
        return EspProposal((self.encryption,), integrity, exchange, additional, (self.esn,)).text


def _check_names(encryption: str, integrity: str | None, exchanges: tuple[str, ...]) -> None:
    if encryption not in ENCRYPTION:
        raise UsageError(f"{encryption!r} is no encryption transform known here")
    if integrity is not None and integrity not in INTEGRITY:
        raise UsageError(f"{integrity!r} is no integrity transform known here")
    for name in exchanges:
        if name not in KEY_EXCHANGE:
            raise UsageError(f"{name!r} is no key exchange method known here")


@dataclass(frozen=True, slots=True)
class Life:
    """When a key is replaced (soft) and when it is thrown away at the latest (hard)."""

    soft_seconds: int
    """Rekey after this time."""
    hard_seconds: int
    """Delete after this time."""
    soft_bytes: int | None = None
    """Rekey after this many octets; None without a limit on octets."""
    hard_bytes: int | None = None
    """Delete after this many octets."""
    soft_packets: int | None = None
    """Rekey after this many packets; None without a limit on packets."""
    hard_packets: int | None = None
    """Delete after this many packets."""
    rand_seconds: int = 0
    """The most by which a rekey comes before the soft limit, at random, so that two ends do not rekey at once."""
    rand_bytes: int | None = None
    """The same in octets; None without a limit on octets."""
    rand_packets: int | None = None
    """The same in packets; None without a limit on packets."""
    expected_seconds: float | None = None
    """When the first soft limit is reached at the predicted rate; None where nothing was predicted."""
    uncounted_soft_seconds: int | None = None
    """Rekey after this time where a product counts neither octets nor packets; None where nothing was predicted."""
    uncounted_hard_seconds: int | None = None
    """Delete after this time there."""

    def __post_init__(self) -> None:
        """Refuse lives that end before they are renewed.

        Raises:
            UsageError: a soft limit is above its hard one, or one of them is missing or not positive.
        """
        for what, soft, hard, rand in (
            ("seconds", self.soft_seconds, self.hard_seconds, self.rand_seconds),
            ("bytes", self.soft_bytes, self.hard_bytes, self.rand_bytes),
            ("packets", self.soft_packets, self.hard_packets, self.rand_packets),
        ):
            if soft is None and hard is None:
                continue
            if soft is None or hard is None or not 0 <= (rand or 0) < soft <= hard:
                raise UsageError(
                    f"life in {what}: rekeying at {soft} less up to {rand} and the end at {hard} do not fit each other"
                )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the parameters come from; every file names it."""

    tool_version: str
    """Of ipsecbench."""
    policy: str
    """Name and version of the policy, such as ``modern 2026.1``."""
    box: str
    """The box that was measured, for people."""
    dataset_sha256: str | None
    """Digest of the dataset file."""
    dataset_created: str
    """When the measurement started."""
    differences: tuple[str, ...] = ()
    """What a recommendation for one product has otherwise than the one without, lines for people; empty for that."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything that the two ends have to agree on, seen from the local end."""

    name: str
    """Name in the configuration: letters, digits and hyphens."""
    ike_version: int
    """2 or 1."""
    ike: IkeAlgorithms
    """The IKE SA's algorithms."""
    esp: EspAlgorithms
    """The Child SA's algorithms."""
    authentication: str
    """``psk`` or a signature algorithm with its key size, the same at both ends."""
    ike_life: Life
    """Of the IKE SA; in seconds only."""
    child_life: Life
    """Of the Child SA."""
    local: End
    """This end."""
    peer: End
    """The other end."""
    provenance: Provenance
    """Where the parameters come from."""
    mode: str = "tunnel"
    """One of :data:`MODES`."""
    aggressive: bool = False
    """IKEv1's aggressive mode; main mode otherwise."""
    nat_traversal: bool = False
    """Whether ESP travels in UDP (RFC 3948)."""
    replay_window_packets: int = 64
    """Anti-replay window."""
    link_mtu_bytes: int = 1500
    """MTU of the link that the ESP packets leave by."""
    inner_mtu_bytes: int = 1400
    """Largest inner packet that leaves in one outer packet."""
    mss_ipv4_bytes: int = 1360
    """TCP maximum segment size for inner IPv4."""
    mss_ipv6_bytes: int = 1340
    """TCP maximum segment size for inner IPv6."""
    ike_fallbacks: tuple[IkeAlgorithms, ...] = ()
    """Further IKE proposals for old peers, in order; only where they were asked for."""
    esp_fallbacks: tuple[EspAlgorithms, ...] = ()
    """Further ESP proposals for old peers, in order; only where they were asked for."""
    at_peer: bool = False
    """Whether this is the view from the peer (see :meth:`mirrored`); names of files differ by it, nothing else."""

    def __post_init__(self) -> None:
        """Refuse what makes no connection.

        Raises:
            UsageError: the message names the value.
        """
        if not _NAME.match(self.name):
            raise UsageError(f"name {self.name!r}: give a letter, then at most 30 letters, digits and hyphens")
        if self.ike_version not in (1, 2):
            raise UsageError(f"IKE version {self.ike_version}: it is 1 or 2")
        if self.authentication not in AUTHENTICATION:
            raise UsageError(f"authentication {self.authentication!r} is not known")
        if self.mode not in MODES:
            raise UsageError(f"mode {self.mode!r} is not known; there are {', '.join(MODES)}")
        if self.local.ip_version != self.peer.ip_version:
            raise UsageError(f"{self.local.address} and {self.peer.address} are not of one IP version")
        if self.local.address == self.peer.address:
            raise UsageError(f"both ends have the address {self.local.address}")
        if self.mode == "tunnel":
            self._check_selectors()

    def _check_selectors(self) -> None:
        for local in map(ipaddress.ip_network, self.local.networks):
            for remote in map(ipaddress.ip_network, self.peer.networks):
                if local.version == remote.version and local.overlaps(remote):
                    raise UsageError(f"the networks {local} and {remote} of the two ends overlap")

    @property
    def end_name(self) -> str:
        """``local`` or ``peer``: which of the two ends this is the view from."""
        return "peer" if self.at_peer else "local"

    @property
    def uses_psk(self) -> bool:
        """Whether both ends prove themselves with a pre-shared key."""
        return self.authentication == "psk"

    @property
    def esp_mode(self) -> str:
        """``tunnel`` or ``transport``: what ESP itself does."""
        return "tunnel" if self.mode == "tunnel" else "transport"

    @property
    def inner_ip_version(self) -> int | None:
        """4 or 6: of the protected networks; None where they are of both."""
        versions = {ipaddress.ip_network(each).version for each in (*self.local.networks, *self.peer.networks)}
        return versions.pop() if len(versions) == 1 else None

    @property
    def tunnel_protocol(self) -> int | None:
        """IP protocol that transport mode protects where a tunnel is layered over it (IANA protocol numbers).

        47 is GRE; 4 and 41 are IPv4 and IPv6 in IP. None in tunnel mode and in plain transport mode.
        """
        if self.mode == "gre":
            return 47
        if self.mode == "ipip":
            return 41 if self.inner_ip_version == 6 else 4
        return None

    @property
    def ike_proposals(self) -> tuple[IkeAlgorithms, ...]:
        """The IKE proposals in the order of preference."""
        return (self.ike, *self.ike_fallbacks)

    @property
    def esp_proposals(self) -> tuple[EspAlgorithms, ...]:
        """The ESP proposals in the order of preference."""
        return (self.esp, *self.esp_fallbacks)

    @property
    def has_additional_key_exchanges(self) -> bool:
        """Whether any proposal asks for more than one key exchange (RFC 9370)."""
        return any(ike.additional_key_exchanges for ike in self.ike_proposals) or any(
            esp.additional_key_exchanges for esp in self.esp_proposals
        )

    @property
    def key_exchange_methods(self) -> tuple[str, ...]:
        """Every key exchange method of any proposal, each once."""
        names = [name for ike in self.ike_proposals for name in (ike.key_exchange, *ike.additional_key_exchanges)]
        for esp in self.esp_proposals:
            names += [*([] if esp.key_exchange is None else [esp.key_exchange]), *esp.additional_key_exchanges]
        return tuple(dict.fromkeys(names))

    def mirrored(self) -> Connection:
        """The same connection as the other end sees it; mirrored twice it is itself again."""
        return replace(self, local=self.peer, peer=self.local, at_peer=not self.at_peer)
