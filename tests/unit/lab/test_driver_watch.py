"""The driver's loop serves further sockets beside its own."""

from __future__ import annotations

import socket
import threading

from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.lab.driver import Driver


def test_a_further_socket_is_served_in_the_loops_thread_until_it_is_forgotten() -> None:
    driver = Driver(EndpointConfiguration(()), [])
    here, there = socket.socketpair()
    seen: list[tuple[bytes, str]] = []
    served = threading.Event()

    def read() -> None:
        seen.append((here.recv(16), threading.current_thread().name))
        if seen[-1][0] == b"last":
            driver.forget(here)
        served.set()

    driver.watch(here, read)
    driver.start()
    try:
        for word in (b"first", b"last"):
            served.clear()
            there.send(word)
            assert served.wait(5.0)
        there.send(b"too late")
        # The loop has done something else since, so that it would have seen the octets.
        driver.call(lambda endpoint, now: None)
        driver.call(lambda endpoint, now: None)
    finally:
        driver.stop(0.0)
        here.close()
        there.close()
    assert seen == [(b"first", "ike-endpoint"), (b"last", "ike-endpoint")]
