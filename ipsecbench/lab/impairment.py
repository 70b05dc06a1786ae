"""What a bad network does to packets: loss, delay, reordering, duplicates, a rate limit, a small MTU.

The kernel's netem does it where there is one; otherwise nftables drops (its ``numgen``), and a relay in userspace
(:mod:`ipsecbench.lab.relay`) delays, reorders and doubles. What the kernel has is found out by asking it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipsecbench.errors import LaboratoryError, UsageError
from ipsecbench.lab.namespaces import Host

INTERFACE = "eth0"
"""The interface of a host that leads to the other one."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What happens to packets between the hosts, in each direction."""

    loss_percent: float = 0.0
    """Share of packets that is lost."""
    delay_ms: float = 0.0
    """Milliseconds that each one takes."""
    reorder_percent: float = 0.0
    """Share of packets that overtakes those before it; needs a delay."""
    duplicate_percent: float = 0.0
    """Share of packets that comes twice."""
    rate_mbit: float = 0.0
    """Mbit/s that pass; 0: no limit."""

    def __post_init__(self) -> None:
        """Refuse nonsense.

        Raises:
            UsageError: a share is none, a delay or a rate is out of bounds.
        """
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= (share := getattr(self, f"{name}_percent")) <= 100:
                raise UsageError(f"{name} of {share:g}%: it is a share from 0 to 100")
        if not 0 <= self.delay_ms <= 10_000:
            raise UsageError(f"a delay of {self.delay_ms:g} ms: from 0 to 10000")
        if not 0 <= self.rate_mbit <= 100_000:
            raise UsageError(f"a rate of {self.rate_mbit:g} Mbit/s: from 0 (no limit) to 100000")
        if self.reorder_percent and not self.delay_ms:
            raise UsageError("reordering needs a delay, which a packet can then overtake: add '--delay 5'")

    @property
    def needs_relay(self) -> bool:
        """Whether a kernel without netem cannot do it."""
        return bool(self.delay_ms or self.reorder_percent or self.duplicate_percent)


def has_netem(host: Host) -> bool:
    """Whether the kernel has netem, by trying it for a moment on a host's loopback."""
    if host.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms").returncode:
        return False
    host.run("tc", "qdisc", "del", "dev", "lo", "root")
    return True


def apply_netem(host: Host, impairment: Impairment, interface: str = INTERFACE) -> None:
    """Let the kernel do all of it to what leaves a host.

    Raises:
        LaboratoryError: the kernel refuses.
    """
    words = ["limit", "100000"]
    if impairment.delay_ms:
        words += ["delay", f"{impairment.delay_ms}ms"]
    for name in ("loss", "reorder", "duplicate"):
        if share := getattr(impairment, f"{name}_percent"):
            words += [name, f"{share}%"]
    if impairment.rate_mbit:
        words += ["rate", f"{impairment.rate_mbit}mbit"]
    _checked(host, "tc", "qdisc", "add", "dev", interface, "root", "netem", *words)


def apply_loss(host: Host, percent: float, interface: str = INTERFACE) -> None:
    """Lose a share of what a host receives, before anything else sees it.

    Raises:
        LaboratoryError: the kernel refuses.
    """
    rule = f'iifname "{interface}" numgen random mod 100000 < {round(percent * 1000)} counter drop'
    done = host.run(
        *("nft", "-f", "-"),
        text="table inet loss {\n chain incoming {\n"
        f"  type filter hook prerouting priority -400; policy accept;\n  {rule}\n }}\n}}\n",
    )
    if done.returncode:
        # A kernel without numgen may have the older way.
        probability = f"{percent / 100:.6f}"
        for program in ("iptables", "ip6tables"):
            _checked(
                host,
                *(program, "-t", "raw", "-A", "PREROUTING", "-i", interface),
                *("-m", "statistic", "--mode", "random", "--probability", probability, "-j", "DROP"),
            )


def apply_rate(host: Host, rate_mbit: float, interface: str = INTERFACE) -> None:
    """Let no more than this leave a host (a token bucket).

    Raises:
        LaboratoryError: the kernel refuses.
    """
    burst = max(65536, round(rate_mbit * 1e6 / 8 / 100))
    _checked(
        host,
        *("tc", "qdisc", "add", "dev", interface, "root", "tbf"),
        *("rate", f"{rate_mbit}mbit", "burst", str(burst), "latency", "50ms"),
    )


def set_mtu(host: Host, mtu: int, interface: str = INTERFACE) -> None:
    """Set the MTU of a link.

    Raises:
        LaboratoryError: the kernel refuses.
    """
    _checked(host, "ip", "link", "set", interface, "mtu", str(mtu))


def _checked(host: Host, *command: str) -> None:
    done = host.run(*command)
    if done.returncode:
        raise LaboratoryError(f"'{' '.join(command)}' in {host.name}: {done.stderr.strip() or done.stdout.strip()}")
