"""``ipsecbench lab``: two hosts on this machine, real IKE and ESP between them, real traffic.

Each command has a module of its own, ``lab_NAME``, or stands here where it is short; another one is added at the end.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.lab import options as lab_option
from ipsecbench.cli.lab.capture import lab_capture
from ipsecbench.cli.lab.run import lab_run
from ipsecbench.cli.lab.scenario import lab_scenario

if TYPE_CHECKING:
    from ipsecbench.lab.endpoint_file import EndpointFile

lab_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@lab_app.command("up", help="Make two hosts, negotiate between them, and leave them running.")
def lab_up(
    files: lab_option.Files = None,
    article: lab_option.Article = False,
    proposals: lab_option.Proposals = None,
    esp: lab_option.Esp = None,
    version: lab_option.Version = None,
    mode: lab_option.ModeOption = None,
    layering: lab_option.LayeringOption = None,
    ip: lab_option.IpVersions = "4",
    encap: lab_option.Encap = False,
    nat: lab_option.Nat = False,
    loss: lab_option.Loss = 0.0,
    delay: lab_option.Delay = 0.0,
    reorder: lab_option.Reorder = 0.0,
    duplicate: lab_option.Duplicate = 0.0,
    rate: lab_option.Rate = 0.0,
    mtu: lab_option.Mtu = 1500,
    dataplane: lab_option.Dataplane = None,
    peer: lab_option.Peer = "",
    name: lab_option.Name = "lab",
    quiet: option.Quiet = False,
    json_output: option.Json = False,
) -> None:
    """Make one. Where nothing but the name was said, the parameters are those of the policy ``modern``."""
    from ipsecbench.errors import UsageError
    from ipsecbench.lab import keeper
    from ipsecbench.lab.standing import Standing

    arrangement = lab_option.build_arrangement(
        article=article, proposals=proposals, esp=esp, version=version, mode=mode, layering=layering, ip=ip,
        encap=encap, nat=nat, dataplane=dataplane, peer=peer, mtu=mtu, loss_percent=loss, delay_ms=delay,
        reorder_percent=reorder, duplicate_percent=duplicate, rate_mbit=rate,
    )  # fmt: skip
    if files and len(files) != 2:
        raise UsageError("give two endpoint files, the first one for A and the second one for B, or none")
    read = _read_files(files) if files else None
    standing = Standing(name)
    status = keeper.start(standing, arrangement, read)
    if json_output:
        typer.echo(json.dumps(status))
        return
    typer.echo(_render(status))
    if not quiet:
        suffix = "" if name == "lab" else f" --name {name}"
        inner = status["ends"]["B"]["inner_address"]
        typer.echo(
            f"\nTry:  ipsecbench lab exec{suffix} A -- ping -c 3 {inner}\n"
            f"      ipsecbench lab status{suffix}\n"
            f"      ipsecbench lab capture{suffix} --seconds 5 --keys -o lab.pcapng\n"
            f"End:  ipsecbench lab down{suffix}",
            err=True,
        )


@lab_app.command("down", help="End a laboratory that 'lab up' made; nothing of it is left.")
def lab_down(
    name: lab_option.Name = "lab",
    all_of_them: Annotated[bool, typer.Option("--all", help="Every one of this user.")] = False,
    quiet: option.Quiet = False,
) -> None:
    """End one, or all of them; what a killed one left is removed too."""
    from ipsecbench.lab.standing import Standing, standing_names

    for each in standing_names() if all_of_them else [name]:
        Standing(each).end()
        if not quiet:
            typer.echo(f"The laboratory '{each}' is gone.", err=True)


@lab_app.command("status", help="IKE and Child SAs, SPIs, counters and throughput of each side.")
def lab_status(
    name: lab_option.Name = "lab",
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, max=60.0, help="Over which the throughput is taken; 0: not at all.")
    ] = 1.0,
    json_output: option.Json = False,
) -> None:
    """Say it once."""
    from ipsecbench.lab.standing import Standing

    standing = Standing(name)
    status = standing.ask("status")
    rates: dict[str, dict[str, float]] | None = None
    if seconds:
        began = time.monotonic()
        time.sleep(seconds)
        later = standing.ask("status")
        rates = _rates(status, later, time.monotonic() - began)
        status = later
    if json_output:
        typer.echo(json.dumps({**status, "name": name, "rates_mbit": rates}))
    else:
        typer.echo(_render(status, rates))


@lab_app.command(
    "exec",
    help="Run a command in a host: lab exec A -- ping 10.2.0.1; without a command, a shell.",
    context_settings={"ignore_unknown_options": True},
)
def lab_exec(
    side: Annotated[str, typer.Argument(metavar="A|B", help="Which host.")],
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND…]", help="What to run.")] = None,
    name: lab_option.Name = "lab",
) -> None:
    """Become the command, so that its input, output, signals and exit code are its own."""
    from ipsecbench.errors import LaboratoryError, UsageError
    from ipsecbench.lab import enclosure
    from ipsecbench.lab.standing import Standing

    standing = Standing(name)
    inside = standing.note().inside
    hosts = standing.ask("status")["hosts"]
    if side not in hosts:
        raise UsageError(f"there is no host {side!r}: it is one of {', '.join(hosts)}")
    into = ("ip", "netns", "exec", hosts[side], "env")
    if not command and sys.stdin.isatty():
        shell = (*_OWN_GROUP, os.environ.get("SHELL", "/bin/sh"))
        raise typer.Exit(_shell(enclosure.command(inside, *into, f"PS1=[{side}] # ", *shell)))
    words = enclosure.command(inside, *into, *(command or ["/bin/sh"]))
    try:
        os.execvp(words[0], words)  # noqa: S606  the caller's own command
    except OSError as error:
        raise LaboratoryError(f"cannot run {words[0]}: {error.strerror}") from error


lab_app.command("capture", help="Capture what passes a host, outside and inside, with the keys for Wireshark.")(
    lab_capture
)


lab_app.command("run", help="Measure real ESP, and hold it against what was predicted.")(lab_run)
lab_app.command("scenario", help="Try what is claimed of a setting; --list says which there are.")(lab_scenario)


# Inside, the process group of outside has no number, which a shell with job control cannot bear.
_OWN_GROUP = (
    sys.executable,
    "-Ic",
    "import os, signal, sys; signal.signal(signal.SIGTTOU, signal.SIG_IGN); os.setpgid(0, 0);"
    "os.tcsetpgrp(0, os.getpid()); signal.signal(signal.SIGTTOU, signal.SIG_DFL);"
    "os.execvp(sys.argv[1], sys.argv[1:])",
)


def _shell(words: list[str]) -> int:
    """Run a shell in the foreground of the terminal, and take the foreground back when it has ended."""
    code = subprocess.run(words, check=False).returncode
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
    signal.signal(signal.SIGTTOU, before)
    return code


def _read_files(files: list[Path]) -> tuple[EndpointFile, EndpointFile]:
    from ipsecbench.lab.driver import system_environment
    from ipsecbench.lab.endpoint_file import read_endpoint_file

    certificates = system_environment().certificates
    return read_endpoint_file(files[0], certificates), read_endpoint_file(files[1], certificates)


def _render(status: dict[str, Any], rates: dict[str, dict[str, float]] | None = None) -> str:
    from ipsecbench.cli.lab.screens import render_status

    return render_status(status, rates)


def _rates(before: dict[str, Any], after: dict[str, Any], seconds: float) -> dict[str, dict[str, float]]:
    """Mbit/s of inner packets, by side."""

    def rate(side: str, counter: str) -> float:
        difference = after["ends"][side][counter] - before["ends"][side][counter]
        return float(max(0, difference) * 8 / 1e6 / seconds)

    return {side: {"in": rate(side, "bytes_in"), "out": rate(side, "bytes_out")} for side in after["ends"]}
