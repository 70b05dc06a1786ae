"""An end restarts and has forgotten everything: how the other one notices, and when packets go again."""

from __future__ import annotations

import time

from ipsecbench.lab import probes
from ipsecbench.lab.ends import wait_until
from ipsecbench.lab.scenarios.model import Run

_PATIENCE_SECONDS = 30.0


def _reaches(run: Run, timeout_seconds: float = 0.2) -> bool:
    first, second = run.laboratory.host("A"), run.laboratory.host("B")
    here, there = run.arrangement.inner_address(first), run.arrangement.inner_address(second)
    return probes.ping(first, here, there, timeout_seconds=timeout_seconds).answered == 1


def restarted_peer_begins_anew(run: Run) -> None:
    """B is killed and starts again; it sets up a new IKE SA with INITIAL_CONTACT, and A drops the old one."""
    old = {sa.spi_i for sa in run.laboratory.a.status().ike_sas}
    began = time.monotonic()
    run.laboratory.restart("B")
    run.check("without B's SAs nothing comes back", not _reaches(run), "no answer")
    run.laboratory.b.initiate()
    again = wait_until(lambda: _reaches(run), _PATIENCE_SECONDS)
    took = time.monotonic() - began
    run.check("after B has begun anew, packets go again", again, f"{took:.1f} s after the kill, start included")

    def only_new() -> bool:
        sas = run.laboratory.a.status().ike_sas
        return len(sas) == 1 and not {sa.spi_i for sa in sas} & old

    forgotten = wait_until(only_new, _PATIENCE_SECONDS)
    left = len(run.laboratory.a.status().ike_sas)
    run.check("A has dropped the IKE SA that B does not know any more", forgotten, f"{left} IKE SA left")


def dead_peer_is_noticed(run: Run) -> None:
    """B is killed and stays away: A asks whether it lives, gets no answer, and drops the SAs; then B comes back."""
    run.laboratory.b.stop(politely=False)
    began = time.monotonic()
    gone = wait_until(lambda: not run.laboratory.a.status().ike_sas, _PATIENCE_SECONDS)
    run.check("A notices that B is dead, and drops its SAs", gone, f"after {time.monotonic() - began:.1f} s")
    run.laboratory.b.start()
    began = time.monotonic()
    run.status = run.laboratory.establish()
    run.check("A sets up new ones", wait_until(lambda: _reaches(run), 5.0), f"{(time.monotonic() - began):.2f} s")


RECOVERY = (restarted_peer_begins_anew, dead_peer_is_noticed)
"""Both."""
