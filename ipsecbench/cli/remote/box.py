"""One box of ``ipsecbench remote``: looked at, measured, cleaned, and what became of it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ipsecbench.agent.find import how_to_get_cross_agents
from ipsecbench.cli.exit_codes import EXIT_INTERRUPTED, EXIT_NOT_MET
from ipsecbench.cli.measure import judge, measure_and_store, output_path, say
from ipsecbench.cli.measure_options import MeasureOptions
from ipsecbench.cli.screen.progress import format_duration
from ipsecbench.errors import ConnectionLostError, DatasetError, IpsecbenchError, RemoteError
from ipsecbench.hardware.source import printable
from ipsecbench.remote.connection import Connection

if TYPE_CHECKING:
    from ipsecbench.cli.requirement_options import Wanted
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.remote.survey import Survey
    from ipsecbench.remote.workplace import Workplace

_SHORTEST_SILENCE_SECONDS = 600.0
_LIVES = 4
"""A run may last so many times its budget before the box cleans itself: the way there does not count."""


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """The options that only ``remote`` has."""

    ssh: tuple[str, ...]
    interactive: bool
    patience_seconds: float
    max_load: float | None
    agent: Path | None
    probe: bool
    into: Path | None
    dry_run: bool
    answer: Wanted | None
    """What to recommend for; None: nothing is recommended and no report is written."""
    json_output: bool

    @property
    def silence_seconds(self) -> float:
        """After which the box cleans itself: longer than anybody here still tries to come back."""
        return max(_SHORTEST_SILENCE_SECONDS, self.patience_seconds * 2)


@dataclass(slots=True)
class Outcome:
    """What became of one box."""

    host: str
    status: str = "failed"
    """``measured``, ``partial`` (measured in part, then lost), ``probed``, ``looked-at`` (dry run) or ``failed``."""
    exit_code: int = 0
    message: str | None = None
    system: str | None = None
    dataset: Path | None = None
    report: Path | None = None
    rows: int = 0
    """Rows with a figure."""
    was_interrupted: bool = False
    recommendation: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "host": self.host,
            "status": self.status,
            "exit_code": self.exit_code,
            "message": self.message,
            "system": self.system,
            "dataset": None if self.dataset is None or self.status == "failed" else str(self.dataset),
            "report": None if self.report is None else str(self.report),
            "rows": self.rows,
            "recommendation": self.recommendation,
        }


def measure_box(host: str, options: MeasureOptions, remote: RemoteOptions, *, alone: bool) -> Outcome:
    """Do everything with one box.

    Args:
        host: the box.
        options: how to measure.
        remote: how to get there.
        alone: the only box, so that what goes wrong is this program's own error.

    Raises:
        IpsecbenchError: alone, and without ``--json``: what went wrong.
    """
    outcome = Outcome(host)
    name = box_name(host)
    options = replace(options, box=name)
    if remote.into is not None:
        options = replace(options, output=_path_in(remote.into, options.label or ("box" if options.redact else name)))
    try:
        with Connection(
            host, remote.ssh, interactive=remote.interactive, patience_seconds=remote.patience_seconds
        ) as connection:
            connection.open()
            _work(connection, options, remote, outcome)
    except IpsecbenchError as error:
        if alone and not remote.json_output:
            raise
        message = printable(str(error))
        outcome.message = message if message.startswith(host) else f"{host}: {message}"
        outcome.exit_code = error.exit_code
        say(f"ipsecbench: {outcome.message}")
    except KeyboardInterrupt:
        if alone and not remote.json_output:
            raise
        outcome.message, outcome.exit_code, outcome.was_interrupted = "interrupted", EXIT_INTERRUPTED, True
        say(f"ipsecbench: {host}: interrupted")
    return outcome


def box_name(host: str) -> str:
    """The box's name in files: the destination without user, scheme and port."""
    name = host.removeprefix("ssh://").rpartition("@")[2]
    return re.sub(r":\d+$", "", name).strip("[]") if host.startswith("ssh://") else name


def _path_in(folder: Path, stem: str) -> Path:
    from ipsecbench.dataset.store import unused_path
    from ipsecbench.errors import DatasetError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"--into: {folder} cannot be made: {error.strerror}") from error
    return unused_path(folder, re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:80] or "box")


def _work(connection: Connection, options: MeasureOptions, remote: RemoteOptions, outcome: Outcome) -> None:
    from ipsecbench.remote.agents import choose_agent
    from ipsecbench.remote.survey import survey

    box = survey(connection)
    outcome.system = box.system
    _guard(connection.host, box, remote)
    agent = None if remote.probe else choose_agent(box, remote.agent)
    if remote.dry_run:
        outcome.status = "looked-at"
        lines = describe(connection.host, box, agent, options, remote)
        outcome.message = " ".join(line.strip() for line in lines)
        if not remote.json_output:
            typer.echo("\n".join(lines))
        return
    path = output_path(options)
    _check_report(path, options, remote)
    options = replace(options, output=path)
    outcome.dataset = path
    if agent is None:
        if not remote.probe:
            say(
                f"{connection.host}: there is no agent for {box.machine} with {box.libc or 'an unknown libc'}, so that "
                f"the shell probe is used; {how_to_get_cross_agents()}"
            )
        _probe(connection, options, remote, outcome)
        return
    from ipsecbench.remote.workplace import Workplace

    workplace = Workplace(
        connection,
        agent,
        usable_places(box),
        silence_seconds=remote.silence_seconds,
        life_seconds=options.pace().budget_seconds * _LIVES + remote.silence_seconds,
    )
    refused = False
    try:
        try:
            workplace.prepare()
        except ConnectionLostError:
            raise
        except RemoteError as error:
            refused = True
            say(f"{error}; the shell probe is used instead")
        else:
            _measure(connection, workplace, box, options, remote, outcome)
    finally:
        _clean(connection.host, workplace, remote)
    if refused:
        _probe(connection, options, remote, outcome)


def _check_report(path: Path, options: MeasureOptions, remote: RemoteOptions) -> None:
    from ipsecbench.cli.report import default_report_path

    report = default_report_path(path)
    if remote.answer is not None and report.exists() and not options.force:
        raise DatasetError(f"{report} exists; choose another --output, or replace it with --force")


def _guard(host: str, box: Survey, remote: RemoteOptions) -> None:
    if remote.max_load is None or box.load is None:
        return
    if box.load > remote.max_load:
        raise RemoteError(
            f"{host}: its load average is {box.load:.2f}, and --max-load is {remote.max_load:g}: nothing was done there"
        )


def usable_places(box: Survey) -> tuple[str, ...]:
    """Folders to try, those last of which the box says that nothing may be run there: it may be wrong."""
    return tuple(one.path for one in sorted(box.candidates, key=lambda one: one.is_noexec))


def _measure(
    connection: Connection,
    workplace: Workplace,
    box: Survey,
    options: MeasureOptions,
    remote: RemoteOptions,
    outcome: Outcome,
) -> None:
    from ipsecbench.bench.scheduler import INTERRUPTED
    from ipsecbench.remote.place import RemotePlace

    path = outcome.dataset
    if path is None:
        raise TypeError("no place for the dataset was chosen")
    with options.session(RemotePlace(connection, workplace, box)) as session:
        plan, before = session.plan(), _written(path)
        try:
            dataset = measure_and_store(session, plan, path, options)
        except IpsecbenchError:
            if _written(path) != before:
                outcome.status = "partial"
            raise
    outcome.status = "measured"
    outcome.rows = sum(row.usable for row in dataset.measurements)
    outcome.was_interrupted = dataset.ended == INTERRUPTED
    say(f"Saved {path} ({outcome.rows} of {len(dataset.measurements)} rows, {dataset.ended})")
    _conclude(dataset, path, options, remote, outcome)


def _written(path: Path) -> int | None:
    """When a file was written last, in ns; None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _conclude(dataset: Dataset, path: Path, options: MeasureOptions, remote: RemoteOptions, outcome: Outcome) -> None:
    """Recommend, write the report, say the answer."""
    if remote.answer is not None:
        from ipsecbench.cli.recommend import goal_met, show_answer
        from ipsecbench.cli.report import default_report_path
        from ipsecbench.recommend.answer_file import answer_document
        from ipsecbench.report.box.page import write_report

        answer = remote.answer.prepared()
        recommendation = answer(dataset)
        outcome.report = default_report_path(path)
        write_report(outcome.report, dataset, recommendation, path.name, answer.again(dataset))
        say(f"Saved {outcome.report}")
        outcome.recommendation = dict(answer_document(recommendation, *remote.answer.names()))
        if not remote.json_output:
            show_answer(recommendation)
        if not goal_met(recommendation):
            outcome.exit_code = EXIT_NOT_MET
    judge(dataset, options.strict)


def _clean(host: str, workplace: Workplace, remote: RemoteOptions) -> None:
    """Remove what is there, whatever the keyboard says meanwhile."""
    with _undisturbed():
        try:
            left = workplace.remove()
        except RemoteError as error:
            say(f"{printable(str(error))}; the box removes what is left within {_in_words(remote.silence_seconds)}")
            return
    if left:
        say(f"{host}: could not be cleaned; the box removes {left[0]} within {_in_words(remote.silence_seconds)}")


def _in_words(seconds: float) -> str:
    return f"{format_duration(seconds)} minutes"


@contextmanager
def _undisturbed() -> Iterator[None]:
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _probe(connection: Connection, options: MeasureOptions, remote: RemoteOptions, outcome: Outcome) -> None:
    """Run the shell probe, and read what it says."""
    from ipsecbench.cli.remote.probe import probe_box

    path = outcome.dataset
    if path is None:
        raise TypeError("no place for the dataset was chosen")
    dataset = probe_box(connection, options, path, is_load_allowed=remote.max_load is not None)
    outcome.status = "probed"
    outcome.rows = sum(row.usable for row in dataset.measurements)
    say(f"Saved {path} ({outcome.rows} rows of the shell probe)")
    if outcome.rows:
        _conclude(dataset, path, options, remote, outcome)


def describe(host: str, box: Survey, agent: Path | None, options: MeasureOptions, remote: RemoteOptions) -> list[str]:
    """What a box is and what would be done there, for ``--dry-run``."""
    load = "unknown" if box.load is None else f"{box.load:.2f}"
    places = {one.path: one for one in box.candidates}
    first = next(iter(usable_places(box)), None)
    lines = [
        f"{host}: {box.system}, programs for {box.machine} with {box.libc or 'an unknown libc'}, "
        f"{box.processors or '?'} processors, load {load}"
    ]
    if agent is None:
        lines.append("  would run the shell probe" + ("" if remote.probe else ": there is no agent for such a box"))
    elif first is None:
        lines.append("  would run the shell probe: no folder there can be written")
    else:
        free = places[first].free_kib
        room = "" if free is None else f", {free // 1024} MiB free"
        lines.append(f"  would copy {agent} ({agent.stat().st_size // 1024} KiB) to a private folder in {first}{room},")
        budget = format_duration(options.pace().budget_seconds)
        lines.append(f"  measure for {budget} minutes at the most, and remove it again")
    return lines
