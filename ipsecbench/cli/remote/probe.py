"""The shell probe on a box of ``ipsecbench remote`` that has no agent: run over ssh, read, and stored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipsecbench.errors import DatasetError, RemoteError

if TYPE_CHECKING:
    from ipsecbench.cli.measure_options import MeasureOptions
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.remote.connection import Connection

_FEWEST_SECONDS, _MOST_SECONDS, _SECONDS = 1, 9999, 60
_GRACE_SECONDS = 180
"""For describing the box, which a slow one takes a while for."""
_MOST_BYTES = 8 * 2**20


def probe_box(connection: Connection, options: MeasureOptions, path: Path, *, is_load_allowed: bool) -> Dataset:
    """Run the probe and store its dataset.

    Args:
        connection: the way to the box.
        options: how to measure; the probe only has a budget.
        path: where the dataset goes.
        is_load_allowed: the box's load was looked at already, and is no reason for the probe not to measure.

    Raises:
        RemoteError: the connection was lost for good, or the probe says nothing that can be read; what it said is kept
            beside the dataset's place then.
        DatasetError: the dataset cannot be written.
    """
    from ipsecbench.dataset.store import SUFFIX, write_dataset
    from ipsecbench.importers.batch import read_one
    from ipsecbench.importers.text import text_of
    from ipsecbench.probe import script

    seconds = options.pace().budget_seconds if options.quick or options.budget is not None else _SECONDS
    seconds = min(_MOST_SECONDS, max(_FEWEST_SECONDS, round(seconds)))
    force = "1" if is_load_allowed else "0"
    # As one compound command it is read whole before it runs, so that nothing in it can read the rest as its input.
    reply = connection.run(
        f"exec env PROBE_FORCE={force} sh -s -- -s {seconds}",
        f"{{\n{script()}\n}} </dev/null\n".encode(),
        limit_bytes=_MOST_BYTES,
        timeout=seconds * 2 + _GRACE_SECONDS,
    )
    name = f"{path.name.removesuffix(SUFFIX).removesuffix('.json')}.probe"
    try:
        found = read_one(text_of(reply.output, name), "probe")
        reason = found.reason
    except DatasetError as error:
        found, reason = None, str(error)
    if found is None or not found.datasets:
        kept = path.with_name(name)
        kept.write_bytes(reply.output)
        said = f" ({reply.said})" if reply.said else ""
        raise RemoteError(
            f"{connection.host}: the shell probe gave nothing that can be read: {reason}{said}; see {kept}"
        )
    dataset = found.datasets[0]
    if options.label is not None:
        dataset = replace(dataset, label=options.label)
    if options.redact:
        from ipsecbench.dataset.redaction import redact

        dataset = redact(dataset, {options.box} if options.box else set())
    return replace(dataset, sha256=write_dataset(path, dataset))
