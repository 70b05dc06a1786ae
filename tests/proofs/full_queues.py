"""What the hosts' kernels dropped because somebody else had the processor too long: it says nothing of a data plane."""

from __future__ import annotations

from ipsecbench.lab.namespaces import Host, Hosts


def dropped_by_full_queues(hosts: Hosts) -> int:
    """Packets that found the queue of a TUN device or the buffer of a socket full, so far, in both hosts."""
    return sum(_sockets(host) + _tun(host) for host in (hosts.local, hosts.peer))


def _sockets(host: Host) -> int:
    lines = host.run("cat", "/proc/net/snmp").stdout.splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Udp:"))
    return int(dict(zip(names, values, strict=True))["RcvbufErrors"])


def _tun(host: Host) -> int:
    done = host.run("cat", "/sys/class/net/ipsec0/statistics/tx_dropped")
    return int(done.stdout or 0)
