"""The flags that say what is wanted, in one place for all commands that recommend.

A command declares one parameter of type :class:`Wanted` and is decorated with :func:`with_requirements`; the command
line then has every flag of :data:`FLAGS` in that parameter's place::

    @with_requirements
    def recommend_command(dataset: Annotated[Path, typer.Argument()], wanted: Wanted) -> None: ...

``--requirements FILE.toml`` gives the same from a file (docs/requirements.md); a flag wins over the file.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ipsecbench.cli.grouped_flags import with_flags

if TYPE_CHECKING:
    from ipsecbench.dataset.model import Dataset
    from ipsecbench.export.fitting import Again
    from ipsecbench.recommend.model import Recommendation
    from ipsecbench.recommend.policies.policy import Policy
    from ipsecbench.recommend.requirements.records import Requirements

DEFAULT_POLICY = "modern"

FLAGS: Mapping[str, Any] = {
    "requirements": Annotated[
        Path | None,
        typer.Option("--requirements", metavar="FILE", help="All of the following from a TOML file; flags win."),
    ],
    "policy": Annotated[
        str | None, typer.Option("--policy", help="A policy, or a policy file.  [default: modern]")
    ],
    "goal": Annotated[str | None, typer.Option("--goal", help="Throughput wanted, such as 500M or 1G (bit/s).")],
    "min-bits": Annotated[int | None, typer.Option("--min-bits", help="Least strength in bits.")],
    "profile": Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME|SIZE|SIZES|FILE",
            help="Traffic: imix-simple, imix-csit, a packet size, sizes with counts such as 64:7,570:4,1518:1, or a "
            "file: a capture (pcap, pcapng) or a histogram.  [default: imix-simple]",
        ),
    ],
    "direction": Annotated[
        str | None,
        typer.Option(
            "--direction",
            metavar="OUT:IN|each",
            help="One core does both directions in these parts, such as 70:30, and the goal is their sum; or each "
            "direction by itself.  [default: each]",
        ),
    ],
    "tunnels": Annotated[
        int | None, typer.Option("--tunnels", help="Peers that share the traffic evenly.  [default: 1]")
    ],
    "sas-per-tunnel": Annotated[
        int | None, typer.Option("--sas-per-tunnel", help="Child SAs of each tunnel.  [default: 1]")
    ],
    "cores": Annotated[
        int | None,
        typer.Option("--use-cores", "--cores", metavar="N", help="Cores that may be used for the traffic."),
    ],
    "mode": Annotated[
        str | None,
        typer.Option("--mode", help="tunnel, transport, or gre or ipip over transport.  [default: tunnel]"),
    ],
    "outer": Annotated[str | None, typer.Option("--outer", help="Outer IP header: ipv4 or ipv6.  [default: ipv4]")],
    "inner": Annotated[str | None, typer.Option("--inner", help="Inner packets: ipv4 or ipv6.  [default: ipv4]")],
    "mtu": Annotated[int | None, typer.Option("--mtu", help="MTU of the link.  [default: 1500]")],
    "nat-t": Annotated[bool | None, typer.Option("--nat-t/--no-nat-t", help="ESP is encapsulated in UDP.")],
    "ike-version": Annotated[int | None, typer.Option("--ike-version", help="1 or 2.")],
    "auth": Annotated[str | None, typer.Option("--auth", help="Authentication wanted, such as psk or rsa-3072.")],
    "certificates": Annotated[
        int | None,
        typer.Option("--certificates", help="Certificates that are verified for each peer.  [default: 1]"),
    ],
    "rtt": Annotated[
        float | None,
        typer.Option("--rtt", metavar="MS", help="Time of a round trip between the ends, milliseconds.  [default: 20]"),
    ],
    "reordering": Annotated[
        float | None,
        typer.Option(
            "--reordering",
            metavar="MS",
            help="How much later than its successors a packet may arrive, milliseconds.  [default: 0]",
        ),
    ],
    "peer": Annotated[
        str | None,
        typer.Option(
            "--peer",
            metavar="NAME|IKE/ESP|FILE",
            help="What the other end can do: a preset such as aws, its proposals such as "
            "aes256-sha256-modp2048/aes128gcm16-modp2048, or a peer file.",
        ),
    ],
    "peer-dataset": Annotated[
        Path | None,
        typer.Option(
            "--peer-dataset",
            metavar="FILE",
            help="Dataset of the other end: the choice is then for the pair, by the slower of both.",
        ),
    ],
    "objective": Annotated[
        str | None,
        typer.Option("--objective", help="balanced, throughput, cpu, latency or security.  [default: balanced]"),
    ],
}  # fmt: skip
"""The flags by their key in a requirement file, in the order of ``--help``."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for, from the flags and the requirement file."""

    policy: str
    """Name or path of the policy."""
    requirements: Requirements
    """Everything else."""
    peer_dataset: Path | None = None
    """Dataset of the other end: the choice is then for the pair."""

    def names(self) -> tuple[str, str | None]:
        """Policy and other end's dataset as they were given, for whatever says how to ask the same again."""
        return self.policy, None if self.peer_dataset is None else str(self.peer_dataset)

    def prepared(self) -> Prepared:
        """Read the policy and the other end's dataset now, so that a mistake comes before anything that takes long.

        Returns:
            What gives the recommendation from this end's dataset.

        Raises:
            IpsecbenchError: one of them cannot be read; one line.
        """
        from ipsecbench.dataset.store import read_dataset
        from ipsecbench.recommend.policies.policy import load_policy

        policy = load_policy(self.policy)
        other = None if self.peer_dataset is None else read_dataset(self.peer_dataset)
        return Prepared(policy, self.requirements, other)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a recommendation needs but the dataset of this end."""

    policy: Policy
    """What is allowed."""
    requirements: Requirements
    """What is wanted."""
    peer_dataset: Dataset | None
    """What was measured on the other end."""

    def __call__(self, dataset: Dataset) -> Recommendation:
        """The recommendation."""
        return self._recommend(dataset, self.requirements)

    def again(self, dataset: Dataset) -> Again:
        """What recommends by the same policy from the same datasets with other requirements."""
        from ipsecbench.export.fitting import Again

        return Again(self.policy, partial(self._recommend, dataset))

    def _recommend(self, dataset: Dataset, requirements: Requirements) -> Recommendation:
        from ipsecbench.recommend import recommend

        return recommend(dataset, self.policy, requirements, peer_dataset=self.peer_dataset)


def wanted_of(given: Mapping[str, Any]) -> Wanted:
    """What is wanted, from the flags by their key; a flag that is None was not given.

    Raises:
        UsageError: a flag or the requirement file is nonsense; the message names it.
    """
    from ipsecbench.recommend.requirements.records import Requirements
    from ipsecbench.recommend.requirements.requirement_file import RequirementFile, flag_fields, read_requirement_file

    path = given.get("requirements")
    stored = RequirementFile() if path is None else read_requirement_file(path)
    given = {key: value for key, value in given.items() if value is not None}
    fields: dict[str, Any] = {**stored.fields, **flag_fields(given)}
    policy = given.get("policy") or stored.policy or DEFAULT_POLICY
    return Wanted(policy, Requirements(**fields), given.get("peer-dataset") or stored.peer_dataset)


def with_requirements(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags that say what is wanted, in the place of its parameter of type :class:`Wanted`.

    A command with a parameter ``cores`` of its own keeps ``--cores`` for that; ours is ``--use-cores`` there.
    """
    cores_taken = "cores" in inspect.signature(command).parameters
    keys = {_parameter_name(key): key for key in FLAGS}
    flags = [_parameter(key, cores_taken) for key in FLAGS]
    return with_flags(
        command, Wanted, flags, lambda given: wanted_of({keys[name]: value for name, value in given.items()})
    )


def _parameter_name(key: str) -> str:
    return f"wanted_{key.replace('-', '_')}"


def _parameter(key: str, cores_taken: bool) -> inspect.Parameter:
    annotation = FLAGS[key]
    if key == "cores" and cores_taken:
        annotation = Annotated[
            int | None, typer.Option("--use-cores", metavar="N", help="Cores that may be used for the traffic.")
        ]
    return inspect.Parameter(_parameter_name(key), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
