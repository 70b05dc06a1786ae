"""Options of the laboratory's commands, and the arrangement that they amount to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ipsecbench.dataplane.interface import PlaneKind
    from ipsecbench.lab.arrangement import Arrangement

Name = Annotated[str, typer.Option("--name", help="Which laboratory, where there are several.")]
Article = Annotated[
    bool,
    typer.Option(
        "--article/--modern", help="Parameters of the article (IKEv1, AES-128 with HMAC-MD5) or of the policy 'modern'."
    ),
]
Proposals = Annotated[str | None, typer.Option("--proposals", metavar="STR", help="Phase 1, as strongSwan spells it.")]
Esp = Annotated[str | None, typer.Option("--esp", metavar="STR", help="Phase 2, as strongSwan spells it.")]
Version = Annotated[int | None, typer.Option("--version", metavar="1|2", help="Version of IKE.")]
ModeOption = Annotated[str | None, typer.Option("--mode", metavar="tunnel|transport", help="Mode of the Child SA.")]
LayeringOption = Annotated[
    str | None, typer.Option("--layering", metavar="gre|ipip", help="What is layered over transport mode.")
]
IpVersions = Annotated[
    str, typer.Option("--ip", metavar="OUT[:IN]", help="IP version: 4 or 6, or outside and inside apart, such as 4:6.")
]
Encap = Annotated[bool, typer.Option("--encap", help="ESP in UDP, as behind a NAT.")]
Nat = Annotated[bool, typer.Option("--nat", help="Put a NAT between the hosts; A is behind it.")]
Loss = Annotated[float, typer.Option("--loss", metavar="PERCENT", help="Share of packets that is lost, each way.")]
Delay = Annotated[float, typer.Option("--delay", metavar="MS", help="Delay in milliseconds, each way.")]
Reorder = Annotated[float, typer.Option("--reorder", metavar="PERCENT", help="Share that overtakes; needs --delay.")]
Duplicate = Annotated[float, typer.Option("--duplicate", metavar="PERCENT", help="Share that comes twice.")]
Rate = Annotated[float, typer.Option("--rate", metavar="MBIT", help="Mbit/s that pass, each way; 0: no limit.")]
Mtu = Annotated[int, typer.Option("--mtu", help="MTU of the link between the hosts.")]
Dataplane = Annotated[
    str | None,
    typer.Option("--dataplane", metavar="agent|reference|kernel", help="Of our ends (default: the fastest there is)."),
]
Peer = Annotated[
    str, typer.Option("--peer", metavar="[A|B]:strongswan", help="Run strongSwan at B, or with 'A:strongswan' at A.")
]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE_A FILE_B]", help="Two endpoint files (docs/ike.md) instead of parameters."),
]


def build_arrangement(
    *,
    article: bool = False,
    proposals: str | None = None,
    esp: str | None = None,
    version: int | None = None,
    mode: str | None = None,
    layering: str | None = None,
    ip: str = "4",
    encap: bool = False,
    nat: bool = False,
    dataplane: str | None = None,
    peer: str = "",
    mtu: int = 1500,
    **impairments: float,
) -> Arrangement:
    """The arrangement that options amount to.

    Raises:
        UsageError: an option is wrong, or two exclude each other.
    """
    from ipsecbench.esp.configuration import Layering
    from ipsecbench.esp.mode import Mode
    from ipsecbench.lab.arrangement import ARTICLE, MODERN, MODERN_IKEV1, Arrangement
    from ipsecbench.lab.impairment import Impairment

    layer = Layering(one_of(layering, Layering, "--layering")) if layering else Layering.NONE
    chosen_mode = (
        Mode(one_of(mode, Mode, "--mode")) if mode else Mode.TUNNEL if layer is Layering.NONE else Mode.TRANSPORT
    )
    outer, inner = ip_versions(ip)
    strongswan = strongswan_sides(peer)
    default_ike, default_esp = ARTICLE if article else MODERN_IKEV1 if version == 1 else MODERN
    if strongswan and not article:
        # Its ESP without the kernel has no extended sequence numbers.
        default_esp = default_esp.removesuffix("-esn")
    lives: dict[str, Any] = {"ike_rekey_seconds": 86400.0, "child_rekey_seconds": 43200.0} if article else {}
    return Arrangement(
        version=(1 if article else 2) if version is None else version,
        ike=proposals or default_ike,
        esp=esp or default_esp,
        mode=chosen_mode,
        layering=layer,
        outer=outer,
        inner=inner,
        encap=encap,
        nat=nat,
        dataplane=plane_kind(dataplane),
        strongswan=strongswan,
        mtu=mtu,
        impairment=Impairment(**impairments),
        **lives,
    )


def one_of(word: str, choices: Any, option: str) -> str:
    """A word, if it is one of an enumeration's.

    Raises:
        UsageError: it is not.
    """
    from ipsecbench.errors import UsageError

    names = [str(choice) for choice in choices]
    if word not in names:
        raise UsageError(f"{option} {word!r}: it is one of {', '.join(names)}")
    return word


def ip_versions(text: str) -> tuple[int, int]:
    """IP versions outside and inside.

    Raises:
        UsageError: the text says neither.
    """
    from ipsecbench.errors import UsageError

    outer, _, inner = text.partition(":")
    if outer not in ("4", "6") or (inner or outer) not in ("4", "6"):
        raise UsageError(f"--ip {text!r}: 4 or 6, or outside and inside apart, such as 4:6")
    return int(outer), int(inner or outer)


def plane_kind(text: str | None) -> PlaneKind | None:
    """A data plane by name.

    Raises:
        UsageError: there is none of that name.
    """
    from ipsecbench.dataplane.interface import PlaneKind

    return PlaneKind(one_of(text, PlaneKind, "--dataplane")) if text else None


def strongswan_sides(text: str) -> str:
    """The sides where strongSwan runs: "", "A", "B" or "AB".

    Raises:
        UsageError: the text says none.
    """
    from ipsecbench.errors import UsageError

    if not text:
        return ""
    side, colon, program = text.rpartition(":")
    if program.lower() != "strongswan" or (colon and side not in ("A", "B", "AB")):
        raise UsageError(f"--peer {text!r}: 'strongswan' (at B), 'A:strongswan', 'B:strongswan' or 'AB:strongswan'")
    return side or "B"
