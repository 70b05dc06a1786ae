"""Linux, ``ip xfrm``: SAs and policies without IKE, for a laboratory or a test of the data plane.

RFC 8221 section 3 says that manual keying is not to be used, and above all not with AES-GCM, CTR or ChaCha20-Poly1305:
a key that is used again after a restart repeats nonces. So no key stands in the exported file. It is a script that
makes new ones each time, from the kernel's random numbers, and writes one script for each end, which deletes itself
once it has run. Syntax: ``ip-xfrm(8)``; names of transforms as in the kernel's ``net/xfrm/xfrm_algo.c``.
"""

from __future__ import annotations

from ipsecbench.algorithms.suites import EspSuite
from ipsecbench.dataplane.xfrm_algorithms import kernel_names
from ipsecbench.export.connection import Connection, End, Life
from ipsecbench.export.target import Comment, File, Proof, Target
from ipsecbench.export.tunnel_devices import segment_size_notes, tunnel_device_commands

_LARGEST_WINDOW_PACKETS = 4096


def refuse(connection: Connection, version: str) -> tuple[str, ...]:
    """What cannot be said without IKE, or without a process beside it."""
    lines: list[str] = []
    if connection.nat_traversal:
        lines.append("ESP in UDP needs a process that holds port 4500: ip xfrm alone cannot do it")
    if connection.esp_fallbacks:
        lines.append("without IKE nothing is negotiated: there is one ESP suite and no fallback")
    if connection.replay_window_packets > _LARGEST_WINDOW_PACKETS:
        lines.append(f"the kernel has no anti-replay window above {_LARGEST_WINDOW_PACKETS} packets")
    return tuple(lines)


def render(connection: Connection, version: str) -> tuple[File, ...]:
    """One script that makes keys and writes the scripts of both ends."""
    header = TARGET.header(connection, version)
    notes = TARGET.comment.lines(
        "Run once, anywhere: sh xfrm-keys.sh. It writes local.sh and peer.sh with new random keys (mode 0600). Bring "
        "each to its end by a way that nobody else sees (scp), and run it there as root: sh local.sh; sh peer.sh. Each "
        "deletes itself, for keys must never be used twice (RFC 8221 section 3).",
        "Manual keys: no IKE, so that phase 1, authentication and perfect forward secrecy do not exist here. Nothing "
        f"is rekeyed: at the limits ({connection.child_life.hard_seconds} s at the latest) the SAs end and traffic "
        "stops; then run it anew. For a laboratory, not for production.",
        f"To take it down: ip xfrm state flush; ip xfrm policy flush. Inner MTU: {connection.inner_mtu_bytes}.",
    ) + segment_size_notes(connection, TARGET.comment)
    return (File("xfrm-keys.sh", f"#!/bin/sh\n{header}#\n{notes}\n{_script(connection)}", 0o755),)


def verify(connection: Connection) -> str:
    """Shows transforms, limits, windows and counters of the SAs."""
    return "ip -s xfrm state; ip xfrm policy"


def _script(connection: Connection) -> str:
    suite = connection.esp.suite
    assert suite is not None  # noqa: S101  (refused before)
    here, there = connection.local, connection.peer
    return "".join(
        (
            "set -eu\numask 077\n",
            "random() { od -An -v -tx1 -N \"$1\" /dev/urandom | tr -d ' \\n'; }\n",
            "spi_out=0x1$(random 3)0 spi_in=0x1$(random 3)1\n",
            _keys("out", suite),
            _keys("in", suite),
            _end_script("local.sh", connection, here, there, ("out", "in")),
            _end_script("peer.sh", connection.mirrored(), there, here, ("in", "out")),
        )
    )


def _keys(direction: str, suite: EspSuite) -> str:
    octets = suite.encryption.keymat_bytes
    # NULL has an empty key, which is written as two quotation marks.
    encryption = f'"0x$(random {octets})"' if octets else "'\"\"'"
    text = f"encryption_{direction}={encryption}\n"
    if suite.integrity is not None:
        text += f'integrity_{direction}="0x$(random {suite.integrity.key_bytes})"\n'
    return text


def _end_script(name: str, connection: Connection, here: End, there: End, directions: tuple[str, str]) -> str:
    """Writes one end's script. Keys go to ``ip`` on its standard input, where no list of processes shows them."""
    outbound, inbound = directions
    lines = [
        _state(connection, here, there, outbound),
        _state(connection, there, here, inbound),
        *_policies(connection, here, there),
        *(command.removeprefix("ip ") for command in tunnel_device_commands(connection)),
    ]
    batch = "".join(f"{line}\n" for line in lines)
    return (
        f"(set -C; : >{name})\n"
        f"cat >{name} <<SCRIPT\n"
        f"#!/bin/sh\nset -e\nip -batch - <<BATCH\n{batch}BATCH\n"
        f'rm -f -- "\\$0"\nSCRIPT\n'
        f"echo 'wrote {name}'\n"
    )


def _state(connection: Connection, source: End, destination: End, direction: str) -> str:
    suite = connection.esp.suite
    assert suite is not None  # noqa: S101  (refused before)
    names = kernel_names(suite)
    icv_bits = 8 * suite.icv_bytes
    if suite.integrity is None:
        transforms = f"aead '{names[0]}' $encryption_{direction} {icv_bits}"
    else:
        transforms = (
            f"auth-trunc '{names[1]}' $integrity_{direction} {icv_bits} enc '{names[0]}' $encryption_{direction}"
        )
    flags = " flag esn" if connection.esp.esn else ""
    return (
        f"xfrm state add src {source.address} dst {destination.address} proto esp spi $spi_{direction} reqid 1 "
        f"mode {connection.esp_mode} replay-window {connection.replay_window_packets}{flags} {transforms}"
        f"{_limits(connection.child_life)}"
    )


def _limits(life: Life) -> str:
    limits = {
        "time-hard": life.hard_seconds,
        "byte-hard": life.hard_bytes,
        "packet-hard": life.hard_packets,
    }
    return "".join(f" limit {name} {value}" for name, value in limits.items() if value is not None)


def _policies(connection: Connection, here: End, there: End) -> list[str]:
    pairs = [(f"{here.address}", f"{there.address}")]
    if connection.mode == "tunnel":
        pairs = [(inside, outside) for inside in here.networks for outside in there.networks]
    protocol = "" if connection.tunnel_protocol is None else f" proto {connection.tunnel_protocol}"
    lines = []
    for inside, outside in pairs:
        lines.append(
            f"xfrm policy add src {inside} dst {outside}{protocol} dir out "
            f"tmpl src {here.address} dst {there.address} proto esp reqid 1 mode {connection.esp_mode}"
        )
        directions = ("in", "fwd") if connection.mode == "tunnel" else ("in",)
        lines += [
            f"xfrm policy add src {outside} dst {inside}{protocol} dir {direction} "
            f"tmpl src {there.address} dst {here.address} proto esp reqid 1 mode {connection.esp_mode}"
            for direction in directions
        ]
    return lines


TARGET = Target(
    name="ip-xfrm",
    title="Linux ip xfrm (manual keys, no IKE)",
    versions=("6",),
    proof=Proof.NEGOTIATED,
    proof_text=(
        "run at both ends on a kernel with ESP: ip xfrm state shows these transforms, limits and windows, and packets "
        "go both ways"
    ),
    comment=Comment("# "),
    refuse=refuse,
    render=render,
    verify=verify,
    both_ends_in_one=True,
)
