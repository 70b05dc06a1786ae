"""What targets have in common that nothing of the product was at hand for: their text follows the documentation alone.

Each writes one file for its own end and a plain table for the other one, which is another product as a rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from ipsecbench.export.connection import Connection
from ipsecbench.export.life_settings import FittedLife
from ipsecbench.export.peer_settings import peer_settings
from ipsecbench.export.target import File, Target

GRAMMAR_PROOF = (
    "against the documented grammar only (keywords, enumerations and ranges of the sources in docs/export-targets.md); "
    "no device has read it"
)
"""What such a target says of its proof."""
KEY_NOTE = "The same secret at both ends, random, at least 256 bits: head -c 32 /dev/urandom | base64"
"""For every place where a pre-shared key belongs."""


def documented_files(
    target: Target,
    connection: Connection,
    version: str,
    name: str,
    body: str,
    *,
    notes: Iterable[str] = (),
    commands: Iterable[str] = (),
) -> tuple[File, ...]:
    """The configuration, with its header and notes, and the table for the other end.

    Args:
        target: which product.
        connection: what is written.
        version: of the product.
        name: of the configuration's file.
        body: the configuration itself.
        notes: what the reader must know or replace, one paragraph each.
        commands: what belongs to it but stands elsewhere, one line each, after the notes.
    """
    comment = target.comment
    lines = [*([KEY_NOTE] if connection.uses_psk else []), *notes]
    remarks = f"{comment.lines('', *lines)}{comment.commands(*commands)}"
    text = f"{target.header(connection, version)}{remarks}\n{body}"
    return File(name, text, 0o600), peer_settings(target, connection, version)


def replay_window(product: str, wanted: int, choices: tuple[int, ...]) -> tuple[int, tuple[str, ...]]:
    """The smallest window of a product that is not below the wanted one, or its largest, and what to say of that.

    The window is never negotiated: a smaller one drops packets that are too late, and lets nothing bad through.
    """
    fitting = [choice for choice in sorted(choices) if choice >= wanted]
    if fitting:
        return fitting[0], ()
    largest = max(choices)
    return largest, (
        f"WARNING: {product} has a replay window of {largest} packets at most, {wanted} were computed: packets that "
        "come later than that are dropped",
    )


def fixed_replay_window(product: str, wanted: int) -> str:
    """What to say where a product has no setting for the window."""
    return f"{product} has no setting for the size of the replay window; {wanted} packets were computed for this rate."


def life_refusals(*lives: FittedLife) -> tuple[str, ...]:
    """Why the lives cannot be set, all of them."""
    return tuple(line for life in lives for line in life.refusals)


def life_notes(*lives: FittedLife) -> tuple[str, ...]:
    """What became of the lives, all of them."""
    return tuple(line for life in lives for line in life.notes)


def has_ipv6_networks(connection: Connection) -> bool:
    """Whether a protected network is an IPv6 one."""
    return any(":" in network for network in (*connection.local.networks, *connection.peer.networks))


def mixed_networks(connection: Connection) -> bool:
    """Whether the protected networks are of both IP versions."""
    networks = (*connection.local.networks, *connection.peer.networks)
    return has_ipv6_networks(connection) and any(":" not in network for network in networks)


def segment_size(connection: Connection) -> int:
    """The TCP maximum segment size for products that have one setting: of IPv6 where such networks are protected."""
    return connection.mss_ipv6_bytes if has_ipv6_networks(connection) else connection.mss_ipv4_bytes
