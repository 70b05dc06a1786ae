"""``ipsecbench endpoint``: one endpoint on real sockets, with a data plane where the configuration names one."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_ERROR

if TYPE_CHECKING:
    from ipsecbench.dataplane.interface import PlaneEvent
    from ipsecbench.dataplane.selection import OpenDataPlane
    from ipsecbench.ike.environment import Environment
    from ipsecbench.ike.events import Event
    from ipsecbench.lab.driver import Driver
    from ipsecbench.lab.endpoint_file import EndpointFile
    from ipsecbench.lab.key_log_files import KeyLogFiles

_POLITE_SECONDS = 5.0
_STRANGER_SECONDS = 1.0
"""Shortest time between two lines about peers that did not prove who they are."""


def endpoint_command(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration (TOML); see docs/ike.md.")],
    check: Annotated[bool, typer.Option("--check", help="Read and check the configuration only.")] = False,
    once: Annotated[
        bool,
        typer.Option("--once", help="Set up what start_action names, delete it again; exit with 1 if it failed."),
    ] = False,
    keylog: Annotated[
        Path | None, typer.Option("--keylog", metavar="DIR", help="Write the keys in Wireshark's formats (mode 0600).")
    ] = None,
    user: Annotated[
        str, typer.Option("--user", help="Started as root: become this user once the sockets are open.")
    ] = "nobody",
    quiet: option.Quiet = False,
    json_output: option.Json = False,
) -> None:
    """Run until Ctrl-C, which deletes the SAs politely; a second Ctrl-C ends at once.

    With a data plane traffic flows too; SIGUSR1 has its figures printed, and so has the end.
    """
    from ipsecbench.errors import UsageError
    from ipsecbench.lab.driver import system_environment
    from ipsecbench.lab.endpoint_file import read_endpoint_file
    from ipsecbench.lab.key_log_files import KeyLogFiles

    environment = system_environment()
    file = read_endpoint_file(config, environment.certificates)
    if once and not file.start:
        raise UsageError(f'{config}: --once has nothing to do: no child has start_action = "start"')
    if check:
        _say_checked(config, file, json_output)
        return
    key_log = None if keylog is None else KeyLogFiles(keylog)
    watch = _Watch(file, once, json_output)
    try:
        _run(file, environment, watch, key_log, user, quiet)
    finally:
        if key_log is not None:
            key_log.close()
    if once and not watch.succeeded:
        raise typer.Exit(EXIT_ERROR)


def _run(
    file: EndpointFile, environment: Environment, watch: _Watch, key_log: KeyLogFiles | None, user: str, quiet: bool
) -> None:
    """Open everything, give up the rights, and run to the end."""
    from ipsecbench.dataplane.child_sas import ChildSaInstaller
    from ipsecbench.dataplane.interface import PlaneKind
    from ipsecbench.dataplane.selection import open_data_plane
    from ipsecbench.lab.driver import Driver, open_sockets, spare_the_collector
    from ipsecbench.lab.preparation import admit_algorithms
    from ipsecbench.lab.privileges import drop_privileges

    missing = admit_algorithms(file.configuration, environment.cryptography)
    if missing and not quiet:
        typer.echo(f"Not offered, because no library here has it: {', '.join(missing)}", err=True)
    traffic = file.data_plane
    opened: OpenDataPlane | None = None
    sockets = open_sockets(file.configuration, shared=traffic is not None)
    try:
        if traffic is not None:
            opened = open_data_plane(traffic, file.configuration, sockets, environment.cryptography)
        # XFRM is asked for every SA; whoever may not change the network any more could not add one.
        drop_privileges(user, keep_network=opened is not None and opened.plane.kind is PlaneKind.KERNEL)
        installer = None
        if opened is not None and traffic is not None:
            installer = ChildSaInstaller(opened.plane, traffic.traffic, opened.routes)
        driver = Driver(
            file.configuration,
            sockets,
            environment,
            log=None if quiet else lambda line: typer.echo(line, err=True),
            on_event=watch.see,
            key_log=key_log,
            keep_events=False,
            child_sas=installer,
            on_plane_event=watch.see_plane,
        )
        watch.driver = driver
        _stop_on_signals(driver)
        signal.signal(signal.SIGUSR1, lambda number, frame: driver.post(watch.say_statistics))
        for connection, children in file.start:
            driver.post(lambda name=connection, wanted=children: watch.initiate(name, wanted))  # type: ignore[misc]
        if not quiet:
            typer.echo(_welcome(driver, file, opened), err=True)
        spare_the_collector()
        try:
            driver.run()
            watch.say_statistics()
        finally:
            driver.close()
    finally:
        for sock in sockets:
            sock.close()
        if opened is not None:
            opened.close()


def _welcome(driver: Driver, file: EndpointFile, opened: OpenDataPlane | None) -> str:
    carried = ""
    if opened is not None and file.data_plane is not None:
        device = f" on {file.data_plane.tun_name}" if opened.routes is not None else ""
        carried = f"; data plane {opened.plane.kind}{device}"
    return f"Listening on {', '.join(map(str, driver.addresses))}{carried}; Ctrl-C ends."


def _say_checked(config: Path, file: EndpointFile, json_output: bool) -> None:
    rows = [
        {
            "name": connection.name,
            "version": connection.version,
            "proposals": [proposal.text for proposal in connection.proposals],
            "children": {child.name: [proposal.text for proposal in child.proposals] for child in connection.children},
        }
        for connection in file.configuration.connections
    ]
    plane = None if file.data_plane is None else str(file.data_plane.choice)
    if json_output:
        typer.echo(json.dumps({"config": str(config), "data_plane": plane, "connections": rows}, indent=2))
        return
    typer.echo(f"{config}: in order")
    if file.data_plane is not None:
        typer.echo(f"  data plane {plane}, {file.data_plane.tun_name}, MTU {file.data_plane.mtu_bytes}")
    for row in rows:
        typer.echo(f"  {row['name']}  IKEv{row['version']}  {', '.join(row['proposals'])}")  # type: ignore[arg-type]
        for name, proposals in row["children"].items():  # type: ignore[attr-defined]
            typer.echo(f"    {name}  ESP  {', '.join(proposals)}")


def _stop_on_signals(driver: Driver) -> None:
    """The first signal ends politely; the next one, which finds the default handler, at once."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        driver.post(lambda: driver.shut_down(_POLITE_SECONDS))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


class _Watch:
    """Prints events, and with ``--once`` ends when everything that was started has come up or failed."""

    def __init__(self, file: EndpointFile, once: bool, json_output: bool) -> None:
        # Imported here and not when an event comes: by then the rights to read the files may be gone.
        from ipsecbench.cli import event_lines, plane_lines
        from ipsecbench.ike import events

        self._events = events
        self._lines = event_lines
        self._plane_lines = plane_lines
        self._once = once
        self._json = json_output
        self._wanted = {(connection, child) for connection, children in file.start for child in children}
        self._connection_of: dict[int, str] = {}
        self.driver: Driver | None = None
        self.succeeded = True
        self._stranger_shown_at = float("-inf")

    def initiate(self, connection: str, children: tuple[str, ...]) -> None:
        """Begin what the file says; in the driver's thread."""
        if self.driver is not None:
            self.driver.endpoint.initiate(connection, monotonic(), children)

    def see(self, event: Event) -> None:
        """An event has come."""
        events = self._events
        if isinstance(event, events.IkeSaFailed) and not event.is_initiator and not self._shows_stranger():
            return
        if self._json:
            typer.echo(json.dumps(self._lines.event_fields(event)))
        elif not isinstance(event, events.IkeSaKeysDerived | events.ChildSaPrepared):
            typer.echo(self._lines.event_line(event))
        match event:
            case events.IkeSaEstablished(sa):
                self._connection_of[sa.unique_id] = sa.connection
            case events.IkeSaFailed(connection=name, is_initiator=True):
                self._settled({each for each in self._wanted if each[0] == name}, succeeded=False)
            case events.ChildSaEstablished(sa):
                self._settled({(self._connection_of.get(sa.ike_unique_id, ""), sa.name)}, succeeded=True)
            case events.ChildSaFailed(ike_unique_id=number, name=name):
                self._settled({(self._connection_of.get(number, ""), name)}, succeeded=False)
            case events.IkeSaDeleted(unique_id=number, connection=name):
                self._connection_of.pop(number, None)
                self._settled({each for each in self._wanted if each[0] == name}, succeeded=False)

    def see_plane(self, event: PlaneEvent) -> None:
        """The data plane has something to say."""
        typer.echo(
            json.dumps(self._plane_lines.event_fields(event)) if self._json else self._plane_lines.event_line(event)
        )

    def say_statistics(self) -> None:
        """What the data plane has done, where there is one; in the driver's thread."""
        installer = None if self.driver is None else self.driver.child_sas
        if installer is None:
            return
        figures, children = installer.plane.statistics(), list(installer.child_sas())
        if self._json:
            typer.echo(json.dumps(self._plane_lines.statistics_fields(installer.plane.kind, figures, children)))
            return
        for line in self._plane_lines.statistics_lines(installer.plane.kind, figures, children):
            typer.echo(line)

    def _shows_stranger(self) -> bool:
        """Whoever fails to authenticate himself gets a line at most once a second: he can come as often as he likes."""
        now = monotonic()
        if now - self._stranger_shown_at < _STRANGER_SECONDS:
            return False
        self._stranger_shown_at = now
        return True

    def _settled(self, done: set[tuple[str, str]], *, succeeded: bool) -> None:
        if not self._once or not done & self._wanted:
            return
        self._wanted -= done
        self.succeeded = self.succeeded and succeeded
        driver = self.driver
        if not self._wanted and driver is not None:
            driver.post(lambda: driver.shut_down(_POLITE_SECONDS))
