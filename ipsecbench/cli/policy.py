"""``ipsecbench policy``: which policies there are, what they say, and whether somebody's configuration meets one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipsecbench.cli import options as option
from ipsecbench.cli.exit_codes import EXIT_NOT_MET

if TYPE_CHECKING:
    from ipsecbench.audit.configuration import Configuration

_FORMATS = "swanctl, strongswan, libreswan, ike-scan, proposals"

policy_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


@policy_app.command("list", help="The policies that come with the program.")
def policy_list(json_output: option.Json = False) -> None:
    """Name, version and title of each."""
    from ipsecbench.cli.policy_screens import render_list
    from ipsecbench.recommend.policies.policy import POLICIES, load_policy

    policies = [load_policy(name) for name in POLICIES]
    if json_output:
        found = [{"name": each.name, "version": each.version, "title": each.title} for each in policies]
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(render_list(policies))


@policy_app.command("show", help="All that a policy says, with reasons and sources.")
def policy_show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A policy, or a policy file.")],
    json_output: option.Json = False,
) -> None:
    """Every setting and every line."""
    from ipsecbench.cli.policy_screens import policy_to_dict, render_policy
    from ipsecbench.recommend.policies.policy import load_policy

    policy = load_policy(name)
    typer.echo(json.dumps(policy_to_dict(policy), ensure_ascii=False) if json_output else render_policy(policy))


@policy_app.command(
    "check",
    help="Grade proposals or a configuration under a policy. Exits with 3 when it fails, with 2 when it cannot be "
    "read. Understood are proposals in strongSwan's spelling, as IKE/ESP, swanctl.conf, ipsec.conf of strongSwan and "
    "of libreswan, and what ike-scan prints (see docs/policy-check.md).",
)
def policy_check(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="PROPOSAL|FILE|-",
            help="Such as aes256-sha1-modp1024/aes128-md5, or swanctl.conf; - reads standard input.",
        ),
    ],
    policy: Annotated[str, typer.Option("--policy", help="A policy, or a policy file.")] = "modern",
    read_as: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help=f"What it is, where that is not seen: {_FORMATS}.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    json_output: option.Json = False,
) -> None:
    """Grade every part and say what to change."""
    from ipsecbench.audit.findings import Grade
    from ipsecbench.audit.verdict import judge
    from ipsecbench.cli.policy_screens import render_verdict, verdict_to_dict
    from ipsecbench.recommend.policies.policy import load_policy

    chosen = load_policy(policy)
    where, configuration = _read(subject, read_as)
    verdict = judge(configuration, chosen)
    if json_output:
        typer.echo(json.dumps(verdict_to_dict(where, verdict, chosen), ensure_ascii=False))
    else:
        typer.echo(render_verdict(where, verdict, chosen))
    if verdict.grade is Grade.FAIL or (strict and verdict.grade is Grade.WARN):
        raise typer.Exit(EXIT_NOT_MET)


def _read(subject: str, read_as: str | None) -> tuple[str, Configuration]:
    """What is to be judged, and how it is called in messages.

    Raises:
        UsageError: there is no such file and it is no proposal, or it cannot be read; the message has the line.
    """
    from ipsecbench.audit.configuration import Format
    from ipsecbench.audit.recognition import read
    from ipsecbench.errors import UsageError

    if read_as is not None and read_as not in set(Format):
        raise UsageError(f"--format: {read_as!r} is not known; there are {_FORMATS}")
    wanted = None if read_as is None else Format(read_as)
    if subject == "-":
        where, text = "standard input", _text(sys.stdin.buffer.read(_most_octets()), "standard input")
    else:
        where, text = subject, _file_text(subject)
    try:
        return where, read(text, wanted)
    except UsageError as error:
        if text == subject and any(sign in subject for sign in "/.\\"):
            raise UsageError(f"{subject!r} is no file, and as a proposal it cannot be read: {error}") from None
        raise UsageError(str(error) if text == subject else f"{where}: {error}") from None


def _most_octets() -> int:
    from ipsecbench.audit.text import MOST_CHARACTERS

    return 4 * MOST_CHARACTERS + 1


def _file_text(subject: str) -> str:
    """The text of a file, or the argument itself where it is the name of none."""
    from ipsecbench.errors import UsageError

    path = Path(subject)
    try:
        if not path.exists():
            return subject
        with path.open("rb") as file:
            return _text(file.read(_most_octets()), subject)
    except ValueError:
        return subject
    except OSError as error:
        if error.filename is None or len(subject) > 1000:
            return subject
        raise UsageError(f"{subject}: it cannot be read: {error.strerror or error}") from None


def _text(octets: bytes, where: str) -> str:
    from ipsecbench.errors import UsageError

    if b"\0" in octets:
        raise UsageError(f"{where}: this is no text")
    return octets.decode("utf-8", errors="replace")
