"""An end of the laboratory that is ours: an :class:`ipsecbench.lab.own_peer.OwnPeer`, and what is asked of an end."""

from __future__ import annotations

import shutil
from pathlib import Path

from ipsecbench.dataplane.selection import DataPlaneConfiguration, configured_traffic
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Action
from ipsecbench.ike.endpoint import Endpoint
from ipsecbench.ike.events import ChildSaEstablished, ChildSaFailed, IkeSaDeleted, IkeSaFailed, IkeSaInfo
from ipsecbench.lab import clear_guard
from ipsecbench.lab.arrangement import CHILD, CONNECTION, Arrangement
from ipsecbench.lab.driver import system_environment
from ipsecbench.lab.end_status import ChildSaStatus, EndStatus, own_child_sa, own_ike_sa
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.lab.key_log_files import KeyLogFiles
from ipsecbench.lab.namespaces import Host, private_folder
from ipsecbench.lab.own_peer import OwnPeer

_POLITE_SECONDS = 3.0
_LOG_LINES = 200


class OwnEnd:
    """See :class:`ipsecbench.lab.ends.End`.

    Args:
        side: A or B.
        host: where it runs.
        file: its configuration.
        arrangement: of the laboratory.
        key_log: folder for the keys.
    """

    def __init__(
        self,
        side: str,
        host: Host,
        file: EndpointFile,
        arrangement: Arrangement,
        key_log: Path | None = None,
    ) -> None:
        self.side, self.host = side, host
        self._arrangement = arrangement
        self._key_log_folder = key_log
        self._key_log: KeyLogFiles | None = None
        self._lines: list[str] = []
        self._file = file
        # A file that names no data plane negotiates only; here there shall be traffic.
        self._data_plane = self._file.data_plane or DataPlaneConfiguration()
        self._peer: OwnPeer | None = None
        self._since = 0
        """Event from which on failures count."""

    @property
    def device(self) -> str:
        """See :class:`End`."""
        return self._data_plane.tun_name

    @property
    def log(self) -> list[str]:
        """See :class:`End`."""
        return list(self._lines)

    @property
    def peer(self) -> OwnPeer:
        """What runs it.

        Raises:
            DataPlaneError: nothing does.
        """
        if self._peer is None:
            raise DataPlaneError(f"the end {self.side} is not running")
        return self._peer

    def start(self) -> None:
        """See :class:`End`."""
        self._key_log = None if self._key_log_folder is None else KeyLogFiles(self._key_log_folder)
        peer = OwnPeer(self.host, self._file.configuration, self._data_plane, log=self._note, key_log=self._key_log)
        peer.start()
        self._peer = peer
        self._since = 0
        self._guard()

    def _guard(self) -> None:
        """Nothing that is protected may come in clear."""
        traffic = self._data_plane.traffic
        protected: list[clear_guard.Pair] = []
        for _connection, child, local, remote in configured_traffic(traffic, self._file.configuration):
            protected.append((local, remote))
            if child.local_ts and child.remote_ts:  # with a layer that is another pair: GRE or IP in IP itself
                protected.append((child.local_ts, child.remote_ts))
        passed = [(shunt.local_ts, shunt.remote_ts) for shunt in traffic.shunts if shunt.action is Action.BYPASS]
        clear_guard.guard(self.host, self.device, protected, passed)

    def _note(self, line: str) -> None:
        self._lines.append(line)
        del self._lines[:-_LOG_LINES]

    def initiate(self) -> None:
        """See :class:`End`."""
        self._since = len(self.peer.events)
        wanted = self._file.start or ((CONNECTION, (CHILD,)),)

        def order(endpoint: Endpoint, now: float) -> None:
            for connection, children in wanted:
                endpoint.initiate(connection, now, children)

        self.peer.driver.call(order)

    def status(self) -> EndStatus:
        """See :class:`End`."""
        peer = self.peer
        if (failed := peer.driver.failure) is not None:
            return self._ended(str(failed))
        try:
            return self._status(peer)
        except DataPlaneError as error:  # it has ended just now
            return self._ended(str(error))

    def _status(self, peer: OwnPeer) -> EndStatus:
        sas: list[tuple[IkeSaInfo, list[bytes]]] = peer.driver.call(
            lambda endpoint, _now: [
                (info, [child.inbound_spi for child in association.child_sas])
                for association in endpoint.associations()
                if (info := association.info) is not None and not association.finished
            ]
        )
        carried = {
            info.inbound_spi: own_child_sa(
                info,
                packets_in=inbound.packets,
                bytes_in=inbound.bytes,
                packets_out=outbound.packets,
                bytes_out=outbound.bytes,
                replayed=inbound.replayed,
                forged=inbound.forged,
            )
            for info, inbound, outbound in peer.traffic()
        }
        rows = tuple(own_ike_sa(info, _children(spis, carried)) for info, spis in sas)
        statistics = peer.statistics()
        dropped = dict(statistics.dropped)
        if in_clear := clear_guard.refused(self.host):
            dropped[clear_guard.COUNTER] = dropped.get(clear_guard.COUNTER, 0) + in_clear
        return EndStatus(
            side=self.side,
            host=self.host.name,
            program="ipsecbench",
            dataplane=str(peer.plane.kind),
            running=True,
            outer_address=self._arrangement.outer_address(self.host),
            inner_address=self._arrangement.inner_address(self.host),
            ike_sas=rows,
            packets_in=statistics.inbound_packets,
            bytes_in=statistics.inbound_bytes,
            packets_out=statistics.outbound_packets,
            bytes_out=statistics.outbound_bytes,
            dropped=dropped,
            cpu_ns=dict(statistics.cpu_ns),
        )

    def _ended(self, reason: str) -> EndStatus:
        return EndStatus(
            side=self.side,
            host=self.host.name,
            program="ipsecbench",
            dataplane=str(self._data_plane.choice),
            running=False,
            outer_address=self._arrangement.outer_address(self.host),
            inner_address=self._arrangement.inner_address(self.host),
            failure=reason,
        )

    def failure(self) -> str:
        """See :class:`End`."""
        if self._peer is None:
            return ""
        if (failed := self._peer.driver.failure) is not None:
            return str(failed)
        events = self._peer.events[self._since :]
        if any(isinstance(event, ChildSaEstablished) for event in events):
            return ""
        reasons = [event.reason for event in events if isinstance(event, IkeSaFailed | ChildSaFailed | IkeSaDeleted)]
        return reasons[-1] if reasons else ""

    def stop(self, *, politely: bool = True) -> None:
        """See :class:`End`."""
        peer, self._peer = self._peer, None
        if peer is not None and politely:
            peer.stop(_POLITE_SECONDS)
        elif peer is not None:
            peer.kill()
        if self._key_log is not None:
            self._key_log.close()
            self._key_log = None


def _children(spis: list[bytes], carried: dict[bytes, ChildSaStatus]) -> tuple[ChildSaStatus, ...]:
    return tuple(carried[spi] for spi in spis if spi in carried)


def read_endpoint_text(config: str) -> EndpointFile:
    """A configuration from text (docs/ike.md).

    Raises:
        ConfigurationError: it is wrong.
    """
    # The file has a secret in it, and is there for a moment only.
    folder = private_folder()
    try:
        path = folder / "endpoint.toml"
        path.touch(mode=0o600)
        path.write_text(config)
        return read_endpoint_file(path, system_environment().certificates)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
