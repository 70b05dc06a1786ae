"""The configuration file of an endpoint: TOML with the names of strongSwan's swanctl.conf, and its proposal strings.

Every mistake is one line with file and line: an unknown key, a bad proposal string, an unreadable certificate,
selectors that overlap.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.dataplane.selection import DataPlaneConfiguration, check_tunnels
from ipsecbench.errors import DataPlaneError, IpsecbenchError, UsageError
from ipsecbench.esp.configuration import Action
from ipsecbench.esp.mode import Mode
from ipsecbench.esp.traffic_selector import TrafficSelector, parse_traffic_selector
from ipsecbench.ike.configuration import (
    AuthMethod,
    ChildConfiguration,
    Childless,
    ConnectionConfiguration,
    EndpointConfiguration,
    LocalAuthentication,
    PostquantumPsk,
    RemoteAuthentication,
    Retransmission,
    Unique,
)
from ipsecbench.ike.identification import Identity, parse_identity
from ipsecbench.ike.lifetime import Lifetime, Limit
from ipsecbench.lab.traffic_tables import MODES, TrafficReader
from ipsecbench.providers.interface import Certificate, PrivateKey, PublicKeyInfrastructure
from ipsecbench.secret import Secret
from ipsecbench.toml.table import LARGEST_FILE, Table, count, duration, flag, one_of, read_toml, text, texts


@dataclass(frozen=True, slots=True)
class EndpointFile:
    """What a file says."""

    configuration: EndpointConfiguration
    """For the endpoint."""
    start: tuple[tuple[str, tuple[str, ...]], ...]
    """Connections to initiate at once, each with its children whose ``start_action`` is ``start``."""
    data_plane: DataPlaneConfiguration | None = None
    """What carries the traffic; None where the endpoint only negotiates."""


def read_endpoint_file(path: Path, infrastructure: PublicKeyInfrastructure) -> EndpointFile:
    """Read and check a configuration file.

    Args:
        path: the file; certificates and keys are named relative to it.
        infrastructure: reads certificates and keys.

    Raises:
        ConfigurationError: the file cannot be read or is wrong; one line with file and line.
    """
    return _Reader(path, infrastructure).endpoint(read_toml(path))


def _address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(text(value)))
    except ValueError as error:
        raise UsageError(f"{value!r} is no IP address") from error


def _addresses(value: Any) -> tuple[str, ...]:
    hosts = value if isinstance(value, list) else [value]
    return () if hosts == ["%any"] else tuple(_address(host) for host in hosts)


def _selectors(value: Any) -> tuple[TrafficSelector, ...]:
    words = texts(value)
    return () if words == ("dynamic",) else tuple(parse_traffic_selector(word) for word in words)


class _Reader:
    """Turns the tables of one file into a configuration."""

    def __init__(self, path: Path, infrastructure: PublicKeyInfrastructure) -> None:
        self._path = path
        self._infrastructure = infrastructure
        self._traffic: TrafficReader | None = None

    def endpoint(self, root: Table) -> EndpointFile:
        settings = root.table("endpoint")
        rows = root.tables("connections")
        root.finish()
        traffic = self._traffic = TrafficReader(settings)
        if not rows:
            root.fail(None, "there is no [connections.NAME]")
        connections, start = [], []
        for name, table in rows:
            connection, children = self._connection(name, table)
            connections.append(connection)
            if children:
                if not connection.remote_addresses:
                    table.fail(None, 'a child has start_action = "start", but there is no remote_addrs to go to')
                start.append((name, children))
        _refuse_overlaps(root, connections)
        hosts = dict.fromkeys(host for connection in connections for host in connection.local_addresses)
        configuration = EndpointConfiguration(
            connections=tuple(connections),
            port=settings.get("port", count(0, 65535), 500),
            natt_port=settings.get("natt_port", count(0, 65535), 4500),
            cookie_threshold=settings.get("cookie_threshold", count(0, 1_000_000), 30),
            half_open_limit=settings.get("half_open_limit", count(1, 1_000_000), 1000),
            half_open_limit_per_address=settings.get("half_open_limit_per_address", count(1, 1_000_000), 64),
            half_open_seconds=settings.get("half_open_timeout", duration, 30.0),
            keepalive_seconds=settings.get("keep_alive", duration, 20.0),
            own_addresses=tuple(hosts),
        )
        settings.finish()
        if configuration.port == configuration.natt_port:
            settings.fail("natt_port", "port and natt_port must differ")
        data_plane = traffic.finished()
        if data_plane is not None:
            try:
                check_tunnels(data_plane, configuration)
            except DataPlaneError as error:
                settings.fail("mtu" if settings.has("mtu") else None, str(error))
        return EndpointFile(configuration, tuple(start), data_plane)

    def _connection(self, name: str, table: Table) -> tuple[ConnectionConfiguration, tuple[str, ...]]:
        version = table.get("version", count(1, 2), 2)
        psk = self._secret(table, "psk")
        children, start = self._children(name, table)
        connection = ConnectionConfiguration(
            name=name,
            version=version,
            proposals=table.require("proposals", lambda value: tuple(parse_ike(each) for each in texts(value))),
            local=self._local(table.table("local"), psk),
            remote=self._remote(table.table("remote"), psk),
            children=children,
            local_addresses=table.require("local_addrs", _addresses),
            remote_addresses=table.get("remote_addrs", _addresses, ()),
            remote_port=table.get("remote_port", count(1, 65535), 500),
            remote_natt_port=table.get("remote_natt_port", count(1, 65535), 4500),
            psk=psk,
            aggressive=table.get("aggressive", flag, False),
            lifetime=self._ike_lifetime(table),
            rekey=table.get("rekey", flag, True),
            dpd_seconds=table.get("dpd_delay", duration, 0.0) or None,
            dpd_timeout_seconds=table.get("dpd_timeout", duration, 150.0),
            fragmentation=table.get("fragmentation", flag, True),
            fragment_bytes=table.get("fragment_size", count(576, 65535), 1280),
            force_encapsulation=table.get("encap", flag, False),
            childless=table.get("childless", one_of(Childless, [*Childless]), Childless.ALLOW),
            ppk=self._ppk(table),
            unique=table.get("unique", one_of(Unique, [*Unique]), Unique.REPLACE),
            retransmission=Retransmission(
                table.get("retransmit_timeout", duration, 4.0), 1.8, table.get("retransmit_tries", count(0, 20), 5)
            ),
            send_certificate=table.get("send_cert", flag, True),
        )
        table.finish()
        if not connection.local_addresses:
            table.fail("local_addrs", "name the addresses of this end; %any cannot be bound to")
        if version == 2 and connection.aggressive:
            table.fail("aggressive", "aggressive mode is IKEv1's; set version = 1")
        if version == 1 and any(proposal.additional_key_exchanges for proposal in connection.proposals):
            table.fail("proposals", "additional key exchanges need IKEv2")
        return connection, start

    def _secret(self, table: Table, key: str) -> Secret | None:
        def convert(value: Any) -> Secret:
            word = text(value)
            if not word:
                raise UsageError(f"'{key}' is empty")
            try:
                return Secret(bytes.fromhex(word[2:]) if word.startswith("0x") else word.encode())
            except ValueError as error:
                raise UsageError(f"'{key}' begins with 0x but is not hexadecimal") from error

        from_file: Secret | None = table.get(f"{key}_file", lambda value: Secret(self._read(text(value)).strip()), None)
        return table.get(key, convert, from_file)

    def _ppk(self, table: Table) -> PostquantumPsk | None:
        identity = table.get("ppk_id", text, "")
        secret = self._secret(table, "ppk")
        required = table.get("ppk_required", flag, True)
        if bool(identity) != (secret is not None):
            table.fail("ppk_id" if identity else "ppk", "ppk_id and ppk go together")
        return None if secret is None else PostquantumPsk(identity.encode(), secret, required)

    def _local(self, table: Table, psk: Secret | None) -> LocalAuthentication:
        method = self._method(table, psk)
        identity = table.get("id", self._identity, None)
        certificates = table.get("certs", self._certificates, ())
        key: PrivateKey | None = table.get("key", self._private_key, None)
        schemes = table.get("signature_schemes", texts, ())
        table.finish()
        if method is AuthMethod.PUBKEY:
            if not certificates or key is None:
                table.fail(None, 'auth = "pubkey" needs certs and key')
            if key.public != certificates[0].public_key.spki:
                table.fail("key", "the key is not that of the first certificate")
            if identity is not None and not certificates[0].matches(identity.id_type, identity.data):
                table.fail("id", f"the certificate does not confirm the identity {identity}")
        return LocalAuthentication(method, identity, certificates, key, schemes)

    def _remote(self, table: Table, psk: Secret | None) -> RemoteAuthentication:
        method = self._method(table, psk)
        identity = table.get("id", lambda value: None if value == "%any" else self._identity(value), None)
        authorities = table.get("cacerts", self._certificates, ())
        certificates = table.get("certs", self._certificates, ())
        allow_sha1 = table.get("allow_sha1", flag, False)
        table.finish()
        if method is AuthMethod.PUBKEY and not authorities and not certificates:
            table.fail(None, 'auth = "pubkey" needs cacerts, or certs of the peer itself')
        return RemoteAuthentication(method, identity, authorities, certificates, allow_sha1)

    def _method(self, table: Table, psk: Secret | None) -> AuthMethod:
        method = table.require("auth", one_of(AuthMethod, [*AuthMethod]))
        if method is AuthMethod.PSK and psk is None:
            table.fail("auth", 'auth = "psk" needs a psk or psk_file in the connection')
        return method

    def _identity(self, value: Any) -> Identity:
        return parse_identity(text(value), self._infrastructure.distinguished_name)

    def _children(self, owner: str, connection: Table) -> tuple[tuple[ChildConfiguration, ...], tuple[str, ...]]:
        children, start = [], []
        for name, table in connection.tables("children"):
            mode: Mode | Action = table.get("mode", one_of(MODES.__getitem__, [*MODES]), Mode.TUNNEL)
            if isinstance(mode, Action):
                if self._traffic is not None:
                    self._traffic.shunt(name, table, mode)
                table.finish()
                continue
            if self._traffic is not None:
                self._traffic.child(owner, name, table, mode)
            children.append(
                ChildConfiguration(
                    name=name,
                    proposals=table.require("esp_proposals", lambda value: tuple(map(parse_esp, texts(value)))),
                    local_ts=table.get("local_ts", _selectors, ()),
                    remote_ts=table.get("remote_ts", _selectors, ()),
                    mode=mode,
                    lifetime=self._child_lifetime(table),
                    rekey=table.get("rekey", flag, True),
                )
            )
            if table.get("start_action", one_of(str, ["none", "start"]), "none") == "start":
                start.append(name)
            table.finish()
        return tuple(children), tuple(start)

    def _ike_lifetime(self, table: Table) -> Lifetime:
        rekey = table.get("rekey_time", duration, 14400.0)
        over = table.get("over_time", duration, rekey / 10)
        rand = table.get("rand_time", duration, over)
        return Lifetime(seconds=self._limit(table, "rekey_time", rekey, rekey + over, rand))

    def _child_lifetime(self, table: Table) -> Lifetime:
        return Lifetime(
            seconds=self._child_limit(table, "time", duration, 3600.0),
            bytes=self._child_limit(table, "bytes", count(1, 2**63), 0),
            packets=self._child_limit(table, "packets", count(1, 2**63), 0),
        )

    def _child_limit(self, table: Table, unit: str, convert: Callable[[Any], float], default: float) -> Limit | None:
        """As in swanctl.conf: life is 10% above rekey, rand is what lies between; rekey is life / 1.1 without it."""
        life = table.get(f"life_{unit}", convert, 0.0)
        rekey = table.get(f"rekey_{unit}", convert, life / 1.1 if life else default)
        life = life or rekey * 1.1
        rand = table.get(f"rand_{unit}", convert, life - rekey)
        return self._limit(table, f"rekey_{unit}", rekey, life, rand) if rekey else None

    def _limit(self, table: Table, key: str, rekey: float, life: float, rand: float) -> Limit:
        if not 0 <= rand < rekey <= life:
            table.fail(key, f"rekeying at {rekey:g} less up to {rand:g}, end at {life:g}: these do not fit each other")
        return Limit(rekey, life, rand)

    def _read(self, name: str) -> bytes:
        path = self._path.parent / name
        try:
            with path.open("rb") as file:
                return file.read(LARGEST_FILE)
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error

    def _certificates(self, value: Any) -> tuple[Certificate, ...]:
        found: list[Certificate] = []
        for name in texts(value):
            try:
                found += self._infrastructure.load_certificates(self._read(name))
            except UsageError:
                raise
            except IpsecbenchError as error:
                raise UsageError(f"{name}: {error}") from error
        return tuple(found)

    def _private_key(self, value: Any) -> PrivateKey:
        name = text(value)
        try:
            return self._infrastructure.load_private_key(self._read(name))
        except UsageError:
            raise
        except IpsecbenchError as error:
            raise UsageError(f"{name}: {error}") from error


def _overlap(left: Sequence[TrafficSelector], right: Sequence[TrafficSelector]) -> TrafficSelector | None:
    return next((common for one in left for other in right if (common := one.intersection(other)) is not None), None)


def _refuse_overlaps(root: Table, connections: Sequence[ConnectionConfiguration]) -> None:
    """Two children that claim the same packets for different peers, or twice for one, are a mistake."""
    rows = [(connection, child) for connection in connections for child in connection.children]
    for (one, first), (other, second) in combinations(rows, 2):
        if not (first.local_ts and first.remote_ts and second.local_ts and second.remote_ts):
            continue
        local, remote = _overlap(first.local_ts, second.local_ts), _overlap(first.remote_ts, second.remote_ts)
        same_peer = set(one.remote_addresses) == set(other.remote_addresses) and one is not other
        if local is not None and remote is not None and not same_peer:
            root.source.fail(
                ("connections", other.name, "children", second.name),
                f"selectors overlap: {first.name} of {one.name} and {second.name} of {other.name} both claim "
                f"{local} to {remote}",
            )
