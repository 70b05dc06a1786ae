"""A data plane of another machine, emulated, opposite this box's own: real packets between two namespaces.

The emulator hands system calls to this box's kernel, and devices and sockets are inherited, so that nothing is left out
but for two things that are in the kernel's byte order and that the emulator does not turn round: headers of large
packets on a TUN device, and the length of segments when UDP sends or gets several packets at once. The big-endian
machine therefore works without the former, and with ESP that is not in UDP.
"""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipsecbench.lab import namespaces
from ipsecbench.lab.namespaces import two_hosts
from tests.agent_cross.conftest import require
from tests.agent_cross.machines import Machine
from tests.agent_esp.planes import Pair, connect, start_side

pytestmark = [pytest.mark.cross, pytest.mark.root]

TRANSFER_BYTES = 300_000
BIG_ENDIAN = "mips-musl"


def transferred(pair: Pair) -> bool:
    """Whether some octets come through TCP as they were sent, from the emulated side to this box's own."""
    sent = random.Random(1).randbytes(TRANSFER_BYTES)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(pair.peer.host.call(lambda: socket.create_server(("10.2.0.1", 5001))))
        listener.settimeout(60)
        sender = stack.enter_context(
            pair.local.host.call(lambda: socket.create_connection(("10.2.0.1", 5001), 60, ("10.1.0.1", 0)))
        )
        receiver, _ = listener.accept()
        stack.enter_context(receiver)
        receiver.settimeout(60)

        def send() -> None:
            sender.sendall(sent)
            sender.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=send)
        thread.start()
        stack.callback(thread.join)
        digest = hashlib.sha256()
        while part := receiver.recv(65536):
            digest.update(part)
    return digest.digest() == hashlib.sha256(sent).digest()


@pytest.mark.parametrize(
    ("suite", "changes"),
    [("aes128gcm16", {"esn": True}), ("aes128-sha256", {"udp": False}), ("chacha20poly1305", {"ipv6_outside": True})],
    ids=["gcm-esn", "cbc-sha256-in-ip", "chacha20-in-ipv6"],
)
@pytest.mark.parametrize("name", [BIG_ENDIAN, "mipsel-glibc", "armv7-glibc", "aarch64-glibc", "riscv64-glibc"])
def test_packets_pass_both_ways(
    machine_named: Callable[[str], Machine], tmp_path: Path, name: str, suite: str, changes: dict[str, Any]
) -> None:
    if name == BIG_ENDIAN:
        changes = {**changes, "udp": False}
    agent = machine_named(name).agent(tmp_path)
    require(namespaces.missing_prerequisite())
    require(None if Path("/dev/net/tun").exists() else "no /dev/net/tun")
    with two_hosts() as hosts, contextlib.ExitStack() as stack:
        sides = []
        for number, host, path in ((1, hosts.local, agent.path), (2, hosts.peer, None)):
            side = start_side(host, number, path=path, vnet_header=name != BIG_ENDIAN, provider="libcrypto")
            stack.callback(side.plane.close)
            sides.append(side)
        pair = Pair(*sides)
        connect(pair, suite, **changes)
        assert pair.ping(count=1) == 1
        assert pair.ping("-s", "3000", count=1) == 1
        assert pair.ping("-6", target="2001:db8:2::1", source="2001:db8:1::1", count=1) == 1
        assert transferred(pair)
        assert pair.local.drops() == {}
        assert pair.peer.drops() == {}
