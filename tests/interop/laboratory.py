"""Hosts and daemons for the matrix, and one exchange between our endpoint and strongSwan.

A daemon is started once for all rows that need the same options of it; each row loads its connection and secrets over
VICI and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, TypeVar, cast

from ipsecbench.errors import LaboratoryError
from ipsecbench.esp.mode import Mode
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import (
    ChildSaEstablished,
    ChildSaFailed,
    ChildSaInfo,
    IkeSaDeleted,
    IkeSaEstablished,
    IkeSaFailed,
    IkeSaInfo,
)
from ipsecbench.ike.path import Address, Path
from ipsecbench.lab.driver import Driver
from ipsecbench.lab.namespaces import Hosts, two_hosts
from ipsecbench.lab.strongswan import DAEMON, PLUGINS, PeerChildSa, PeerIkeSa, StrongSwan
from tests.interop import esp_packets, our_side, peer_side
from tests.interop.peer_side import CHILD, CONNECTION
from tests.interop.scenario import INITIATOR, PATIENCE, Scenario

SOON = 4.0 * PATIENCE
"""Seconds within which everything has to happen."""
OPTIONS = {
    # What it wants to be told before it answers aggressive mode with a pre-shared key.
    "i_dont_care_about_security_and_use_aggressive_mode_psk": True,
    # It keeps a Child SA that was replaced for five seconds, for packets that come late.
    "delete_rekeyed_delay": 0,
}
"""Options of strongswan.conf for all rows."""
UDP_PORT = 5000

Result = TypeVar("Result")


class Laboratory:
    """Hosts and daemons, made when a row first needs them.

    Args:
        program: strongSwan's daemon; version 6 has a plugin for ML-KEM.
        plugins: what it loads.
    """

    def __init__(self, program: FilePath = DAEMON, plugins: Sequence[str] = PLUGINS) -> None:
        self._program, self._plugins = program, tuple(plugins)
        self._stack = contextlib.ExitStack()
        self._made: dict[tuple[bool, str], tuple[Hosts, StrongSwan]] = {}

    def __enter__(self) -> Laboratory:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def get(self, scenario: Scenario) -> tuple[Hosts, StrongSwan]:
        """Hosts and daemon for a row."""
        nat = scenario.topology in {"nat", "peer nat"}
        key = (nat, repr((scenario.topology == "peer nat", sorted(scenario.daemon.items()), scenario.kernel)))
        if key not in self._made:
            hosts = self._stack.enter_context(two_hosts(nat))
            if scenario.topology == "peer nat":
                hosts = Hosts(local=hosts.peer, peer=hosts.local, nat=hosts.nat)
            plugins = [name for name in self._plugins if name != "kernel-libipsec" or not scenario.kernel]
            options = {**OPTIONS, **scenario.daemon}
            daemon = StrongSwan(hosts.peer, program=self._program, plugins=plugins, options=options, patience=PATIENCE)
            self._made[key] = hosts, self._stack.enter_context(daemon)
        return self._made[key]


class Exchange:
    """One row while it runs: our endpoint with its sockets, the daemon, and what stands between them."""

    def __init__(self, scenario: Scenario, hosts: Hosts, daemon: StrongSwan) -> None:
        self.scenario, self.hosts, self.daemon = scenario, hosts, daemon
        self._log_start = len(daemon.log)
        self.here, self.there = peer_side.outer(hosts, scenario, "our")
        self.configuration = our_side.endpoint(hosts, scenario)
        self.our_log: list[str] = []
        self._esp: queue.SimpleQueue[tuple[bytes, Path]] = queue.SimpleQueue()
        self._sockets: list[socket.socket] = []
        self._sequence: dict[bytes, int] = {}
        self._protocol_50: socket.socket | None = None
        self.ike: IkeSaInfo | None = None
        self.child: ChildSaInfo | None = None

    def _open_driver(self) -> Driver:
        if self.scenario.kernel:
            self._protocol_50 = self.hosts.local.call(self._open_protocol_50)
        for port in (self.configuration.port, self.configuration.natt_port):
            self._sockets.append(self.hosts.local.udp_socket(port, self.here))
        return Driver(
            self.configuration,
            self._sockets,
            log=self.our_log.append,
            on_esp=lambda packet, path: self._esp.put((packet, path)),
        )

    def _open_protocol_50(self) -> socket.socket:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_ESP)
        raw.bind((self.here, 0))
        raw.settimeout(SOON)
        return raw

    def __enter__(self) -> Exchange:
        try:
            peer_side.load(self.daemon, self.hosts, self.scenario)
            self.driver = self._open_driver()
        except BaseException:
            self._close_sockets()
            raise
        self.driver.start()
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self.driver.stop(polite_seconds=PATIENCE)
        finally:
            self._close_sockets()
            for sa in self.daemon.ike_sas():
                with contextlib.suppress(LaboratoryError):
                    self.daemon.terminate_ike(sa.name, force=True, timeout_seconds=0.2)
            self.daemon.unload(CONNECTION)

    def _close_sockets(self) -> None:
        for opened in (*self._sockets, *([self._protocol_50] if self._protocol_50 else [])):
            opened.close()

    @property
    def their_log(self) -> str:
        """What the daemon has logged since the row began."""
        return self.daemon.log[self._log_start :]

    # ── our end ──────────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, action: Callable[[Endpoint, float], Result]) -> Result:
        """Have something done in our endpoint's thread."""
        return self.driver.call(action, timeout=10 * PATIENCE)

    def order(self, action: Callable[[Any, float], None]) -> None:
        """Have something done to the IKE SA."""
        number = self.our_ike.unique_id
        self.call(lambda endpoint, now: endpoint.order(number, lambda sa: action(sa, now)))

    def wait(self, *kinds: type[Any], condition: Callable[[Any], bool] = lambda event: True, since: int = 0) -> Any:
        """The first event of these kinds that fits, since a number of events."""
        every = cast("type[Any]", object)
        return self.driver.wait_for(
            every, lambda event: isinstance(event, kinds) and condition(event), timeout=SOON, since=since
        )

    @property
    def our_ike(self) -> IkeSaInfo:
        assert self.ike is not None, "there is no IKE SA"
        return self.ike

    @property
    def our_child(self) -> ChildSaInfo:
        assert self.child is not None, "there is no Child SA"
        return self.child

    def nothing_left_here(self) -> None:
        """Each IKE SA of our endpoint has ended; what is left may only answer retransmissions for a while."""

        def ended() -> bool:
            over = {event.unique_id for event in self.driver.events if isinstance(event, IkeSaDeleted | IkeSaFailed)}
            return all(number in over for number in self.call(_living))

        self.until(ended, "our IKE SAs are over")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < deadline, f"not within {SOON} s: {what}"
            time.sleep(0.02)

    # ── both ends ────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Order the IKE SA from the end that initiates, and do not wait.

        Raises:
            LaboratoryError: strongSwan initiated and did not get what it wanted.
        """
        if self.scenario.theirs.get("half-open"):
            self._leave_half_open()
        if self.scenario.role == INITIATOR:
            wanted = [] if self.scenario.ours.get("childless") == "force" else [CHILD]
            self.call(lambda endpoint, now: endpoint.initiate(CONNECTION, now, wanted))
        else:
            childless = self.scenario.theirs.get("childless") == "force"
            self.daemon.initiate(CONNECTION, None if childless else CHILD)

    def _leave_half_open(self) -> None:
        """Give strongSwan an IKE SA that never goes on, so that it wants a cookie of the next peer."""
        address = Address(self.here, 40500)
        configuration = replace(self.configuration, port=address.port)
        stranger = Endpoint(configuration, self.driver.endpoint.environment)
        stranger.initiate(CONNECTION, 0.0, [])
        with self.hosts.local.udp_socket(address.port, address.host) as opened:
            for datagram in stranger.datagrams_to_send():
                opened.sendto(datagram.data, datagram.path.remote)
        self.daemon.wait_for(lambda sas: len(sas) == 1)

    def establish(self) -> None:
        """Set up the IKE SA and its Child SA, from the end that the scenario says."""
        since = len(self.driver.events)
        self.start()
        event = self.wait(IkeSaEstablished, IkeSaFailed, since=since)
        assert isinstance(event, IkeSaEstablished), f"the IKE SA failed: {event.reason}"
        self.ike = event.sa
        if self.scenario.ours.get("childless") != "force":
            self.take_child(self.wait(ChildSaEstablished, ChildSaFailed, since=since))

    def take_child(self, event: Any) -> None:
        """From now on a new Child SA is the one."""
        assert hasattr(event, "sa"), f"the Child SA failed: {event.reason}"
        self.child = event.sa

    def their_ike(self) -> PeerIkeSa:
        """Their IKE SA of the SPIs of ours, as soon as it stands."""
        spi_i, spi_r = self.our_ike.spi_i.hex(), self.our_ike.spi_r.hex()

        def found(sas: list[PeerIkeSa]) -> list[PeerIkeSa]:
            return [sa for sa in sas if (sa.spi_i, sa.spi_r, sa.state) == (spi_i, spi_r, "ESTABLISHED")]

        return found(self.daemon.wait_for(lambda sas: bool(found(sas))))[0]

    def their_child(self) -> PeerChildSa:
        """Their Child SA of the SPIs of ours, as soon as it is installed."""
        spis = self.our_child.outbound_spi.hex(), self.our_child.inbound_spi.hex()

        def found(sas: list[PeerIkeSa]) -> list[PeerChildSa]:
            children = [child for sa in sas for child in sa.children]
            return [each for each in children if (each.spi_in, each.spi_out, each.state) == (*spis, "INSTALLED")]

        return found(self.daemon.wait_for(lambda sas: bool(found(sas))))[0]

    def nothing_left_there(self) -> None:
        """strongSwan has no IKE SA."""
        self.daemon.wait_for(lambda sas: not sas)

    # ── traffic ──────────────────────────────────────────────────────────────────────────────────────────────────

    def traffic(self, here: str = "", there: str = "") -> None:
        """Two datagrams from strongSwan's network to ours and two back, through ESP of both ends.

        What strongSwan seals is opened with the keys that our endpoint negotiated, and the other way round. The inner
        addresses are those of the hosts unless others are given.
        """
        local, peer = self.hosts.local, self.hosts.peer
        if self.our_child.mode is Mode.TRANSPORT:
            here, there = self.here, self.there
        elif not here:
            version6 = self.our_child.local_ts[0].version == 6
            here = local.inner_ipv6 if version6 else local.inner_ipv4
            there = peer.inner_ipv6 if version6 else peer.inner_ipv4
        while not self._esp.empty():
            self._esp.get()
        with peer.udp_socket(UDP_PORT, there) as outside:
            outside.settimeout(SOON)
            for number in range(2):
                self._one_round(outside, here, there, f"datagram {number}".encode())

    def _one_round(self, outside: socket.socket, here: str, there: str, payload: bytes) -> None:
        inbound, outbound = _sa(self.our_child, inbound=True), _sa(self.our_child, inbound=False)
        deadline = time.monotonic() + SOON
        while True:
            outside.sendto(payload, (here, UDP_PORT))
            packet, send = self._next_esp()
            # strongSwan may still use the Child SA that this one replaces: it has not heard the last word yet.
            if packet[:4] == inbound.spi or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        _sequence, inner, next_header = inbound.open(packet)
        assert esp_packets.udp_payload(inner, next_header) == payload
        sequence = self._sequence[outbound.spi] = self._sequence.get(outbound.spi, 0) + 1
        if self.our_child.mode is Mode.TRANSPORT:
            answer, wanted = esp_packets.udp_datagram(here, there, UDP_PORT, payload[::-1]), esp_packets.UDP
        else:
            answer = esp_packets.udp_packet(here, there, UDP_PORT, payload[::-1])
            wanted = esp_packets.IPV6 if ":" in here else esp_packets.IPV4
        assert next_header == wanted
        send(outbound.seal(sequence, answer, next_header))
        try:
            received, source = outside.recvfrom(2000)
        except TimeoutError:
            raise AssertionError("strongSwan took no ESP packet sealed with our keys") from None
        assert (received, source[0]) == (payload[::-1], here)

    def _next_esp(self) -> tuple[bytes, Callable[[bytes], object]]:
        """The next ESP packet from strongSwan, and how to send one back: in UDP, or as protocol 50."""
        if self.our_child.udp_encapsulation:
            try:
                packet, path = self._esp.get(timeout=SOON)
            except queue.Empty:
                raise AssertionError("strongSwan sent no ESP packet") from None
            return packet, lambda octets: self._sockets[1].sendto(octets, path.remote)
        raw = self._protocol_50
        assert raw is not None
        try:
            whole = raw.recv(2000)
        except TimeoutError:
            raise AssertionError("strongSwan sent no packet of protocol 50") from None
        return whole[(whole[0] & 15) * 4 :], lambda octets: raw.sendto(octets, (self.there, 0))

    # ── beginning anew ───────────────────────────────────────────────────────────────────────────────────────────

    def forget_everything(self) -> None:
        """Our endpoint loses its memory without a word, as by a restart."""

        def abandon(endpoint: Endpoint, now: float) -> None:
            for association in endpoint.associations():
                association.abandon("the host restarted", now)

        self.call(abandon)

    @contextlib.contextmanager
    def mute_peer(self, directions: Sequence[str] = ("output",)) -> Iterator[None]:
        """Meanwhile nothing that strongSwan sends leaves its host, or with ``input`` reaches it."""
        port = {"output": "sport", "input": "dport"}
        chains = "".join(
            f"chain {name} {{\ntype filter hook {name} priority 0\nudp {port[name]} {{ 500, 4500 }} drop\n}}\n"
            for name in directions
        )
        assert self.hosts.peer.run("nft", f"table inet mute {{\n{chains}}}").returncode == 0
        try:
            yield
        finally:
            assert self.hosts.peer.run("nft", "delete table inet mute").returncode == 0

    def change_nat(self, touch: Callable[[], None]) -> None:
        """The NAT forgets, and gives whoever is behind it other ports from then on (it draws them at random).

        Args:
            touch: sends something through it, so that what it knows ends soon.
        """
        nat = self.hosts.nat
        assert nat is not None
        settings = [f"net.netfilter.nf_conntrack_udp_timeout{kind}" for kind in ("", "_stream")]
        before = [nat.run("sysctl", "-n", name).stdout.strip() for name in settings]
        for name in settings:
            assert nat.run("sysctl", "-qw", f"{name}=1").returncode == 0
        touch()
        time.sleep(1.6)
        for name, value in zip(settings, before, strict=True):
            assert nat.run("sysctl", "-qw", f"{name}={value}").returncode == 0


def _living(endpoint: Endpoint, now: float) -> list[int]:
    associations = endpoint.associations()
    assert not any(association.child_sas for association in associations if association.info is None)
    return [association.unique_id for association in associations]


def _sa(child: ChildSaInfo, *, inbound: bool) -> esp_packets.Sa:
    keys = child.inbound if inbound else child.outbound
    return esp_packets.Sa(
        spi=child.inbound_spi if inbound else child.outbound_spi,
        encryption=child.negotiated.encryption,
        integrity=child.negotiated.integrity,
        key=keys.encryption.reveal(),
        integrity_key=keys.integrity.reveal() if keys.integrity else b"",
        esn=child.negotiated.esn,
    )
