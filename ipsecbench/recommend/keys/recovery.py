"""How long all tunnels take to come back after a reboot, as responder and as initiator."""

from __future__ import annotations

from ipsecbench.bench.measurement import Estimate
from ipsecbench.recommend.keys.rekey_load import Tunnels
from ipsecbench.recommend.keys.setup_load import ExchangeCost, Recovery
from ipsecbench.recommend.prediction.arithmetic import scaled, total
from ipsecbench.recommend.reasons import Reason

COOKIE_THRESHOLD = 30
"""Half-open IKE SAs from which strongSwan asks for cookies (strongswan.conf, ``cookie_threshold``; older versions: 10),
and this project's own endpoint."""


def recovery(
    tunnels: Tunnels, setup: ExchangeCost, further_child: ExchangeCost, round_trip_ms: float, ike_version: int
) -> Recovery:
    """Time until all tunnels are back.

    Args:
        tunnels: how many, and the cores for them.
        setup: a set-up with the first Child SA.
        further_child: what each further Child SA of a tunnel takes.
        round_trip_ms: between the ends.
        ike_version: IKEv1 has no cookies.
    """
    more = tunnels.sas_per_tunnel - 1
    cookies = ike_version == 2 and tunnels.tunnels > COOKIE_THRESHOLD
    wait = round_trip_ms / 1e3 if cookies else 0.0
    one_wall = _seconds(total((setup.wall_ms, scaled(further_child.wall_ms, more))), 1e3)
    as_responder, as_initiator = (
        _seconds(total((first, scaled(second, more))), 1e6)
        for first, second in (
            (setup.responder.cpu_us, further_child.responder.cpu_us),
            (setup.initiator.cpu_us, further_child.initiator.cpu_us),
        )
    )
    # The work of all but one is in the queue; the last one's set-up follows with its round trips.
    others = tunnels.tunnels - 1
    last = total((one_wall, Estimate(wait, wait, wait)))
    return Recovery(
        tunnels=tunnels.tunnels,
        cores=tunnels.cores,
        as_responder_seconds=total((scaled(as_responder, others / tunnels.cores), last)),
        as_initiator_seconds=total((scaled(as_initiator, others / tunnels.cores), one_wall)),
        one_by_one_seconds=scaled(one_wall, tunnels.tunnels),
        one_core_seconds=total((scaled(as_responder, others), last)),
        half_open=tunnels.tunnels,
        cookies=cookies,
        reasons=_reasons(tunnels, cookies, ike_version),
    )


def _seconds(value: Estimate, divisor: float) -> Estimate:
    return scaled(value, 1 / divisor)


def _reasons(tunnels: Tunnels, cookies: bool, ike_version: int) -> tuple[Reason, ...]:
    found = [
        Reason(
            "Not in it: the time to boot, and how long peers take to notice and try again (dead peer detection, and "
            "retransmission after about 4, 11 and 24 s with strongSwan's defaults), which is usually more.",
            ("ssdoc",),
        )
    ]
    if cookies:
        found.append(
            Reason(
                f"{tunnels.tunnels} peers that come at once are above the {COOKIE_THRESHOLD} half-open IKE SAs from "
                "which strongSwan asks for cookies: one round trip more. A limit on half-open IKE SAs below the number "
                "of tunnels (init_limit_half_open, block_threshold) makes peers wait for a retransmission each time.",
                ("rfc7296", "ssdoc"),
            )
        )
    if ike_version == 1 and tunnels.tunnels > COOKIE_THRESHOLD:
        found.append(
            Reason("IKEv1 has no cookies that keep a flood of forged first messages out.", ("rfc2409", "rfc9395"))
        )
    return tuple(found)
