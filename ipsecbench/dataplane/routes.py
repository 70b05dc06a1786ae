"""What is routed into a TUN device, by a process of its own: see :mod:`ipsecbench.dataplane.route_keeper`."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.traffic_selector import TrafficSelector

_ANSWER_SECONDS = 20.0
_END_SECONDS = 5.0


class Routes:
    """Routes and rules for one TUN device, in the network namespace of the thread that makes this object.

    The device keeps traffic for a selector also while there is no SA for it: nothing goes out in clear by mistake.

    Args:
        device: name of the TUN device; it exists.

    Raises:
        DataPlaneError: they cannot be had: no program ``ip``, no rights.
    """

    def __init__(self, device: str) -> None:
        self._counts: Counter[tuple[tuple[TrafficSelector, ...], TrafficSelector]] = Counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ipsecbench.dataplane.route_keeper", device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C goes to the whole group of the terminal: this process ends when the endpoint has ended.
            start_new_session=True,
        )
        try:
            self._answer()
        except DataPlaneError:
            self.close()
            raise

    @property
    def process_id(self) -> int:
        """Number of the process."""
        return self._process.pid

    def add_address(self, address: str) -> None:
        """Give the device an address with prefix length, such as ``10.9.0.1/32``.

        Raises:
            DataPlaneError: it cannot have it.
        """
        self._order({"order": "address", "address": address})

    def protect(self, local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector]) -> None:
        """Lead packets from one of ``local`` to one of ``remote`` into the device. May be asked for several times.

        Packets of this host that have no source address yet get one within ``local``, where the host has one.

        Raises:
            DataPlaneError: it was refused.
        """
        self._change(local, remote, 1)

    def unprotect(self, local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector]) -> None:
        """End what :meth:`protect` began, once for each time.

        Raises:
            DataPlaneError: it was refused.
        """
        self._change(local, remote, -1)

    def bypass(self, local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector]) -> None:
        """Let packets go their usual way, whatever else is routed.

        Raises:
            DataPlaneError: it was refused.
        """
        for each in remote:
            fitting = [str(selector) for selector in local if selector.version == each.version]
            self._order({"order": "bypass", "local": fitting, "remote": str(each)})

    def close(self) -> None:
        """Remove everything. Safe to call more than once."""
        process = self._process
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _change(self, local: Sequence[TrafficSelector], remote: Sequence[TrafficSelector], step: int) -> None:
        for each in remote:
            key = tuple(selector for selector in local if selector.version == each.version), each
            before = self._counts[key]
            self._counts[key] = max(0, before + step)
            if bool(before) != bool(self._counts[key]):
                words = {"local": [str(selector) for selector in key[0]], "remote": str(each), "wanted": step > 0}
                self._order({"order": "protect", **words})

    def _order(self, order: dict[str, Any]) -> None:
        stdin = self._process.stdin
        try:
            if stdin is None or stdin.closed:
                raise DataPlaneError("the routes have been removed already")
            stdin.write(json.dumps(order).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise DataPlaneError("the process that keeps the routes has ended") from error
        self._answer()

    def _answer(self) -> None:
        stdout = self._process.stdout
        # A process that hangs is ended, so that the line below comes to its end.
        timer = threading.Timer(_ANSWER_SECONDS, self._process.kill)
        timer.start()
        try:
            line = b"" if stdout is None else stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise DataPlaneError("the process that keeps the routes has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise DataPlaneError(str(answer["error"]))
