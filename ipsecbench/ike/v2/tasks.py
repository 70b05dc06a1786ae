"""What an established IKE SA does on its own accord, one task after the other (the window is 1, RFC 7296 section 2.3).

A task is one exchange, or several in a row: a second try with another key exchange method, additional key exchanges.
Tasks wait in a queue. What the peer puts off with TEMPORARY_FAILURE is tried again after a random while (section 2.25).
When an IKE SA is rekeyed, the tasks that wait move to its successor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ipsecbench.ike.v2.message import Message
from ipsecbench.ike.v2.payloads import Payload

if TYPE_CHECKING:
    from ipsecbench.ike.v2.ike_sa import IkeSa

MAX_WAITING = 256
"""More tasks do not wait; orders beyond it are logged and forgotten."""
MAX_PUT_OFF = 8
"""How often a peer may put a task off before it is given up."""
PUT_OFF_SECONDS = (2.0, 12.0)
"""Bounds of the random wait before a task that was put off is tried again."""


class Request(NamedTuple):
    """A request to send."""

    exchange_type: int
    """Exchange Type."""
    payloads: list[Payload]
    """Payloads, before encryption."""


@dataclass(eq=False)
class Task:
    """What all tasks are. Not one of the methods may raise anything but ``IpsecbenchError``."""

    put_off: int = field(default=0, init=False)
    """How often the peer answered TEMPORARY_FAILURE."""

    makes_child_sas: bool = field(default=False, init=False)
    """Whether it creates, rekeys or deletes a Child SA: then the peer must not rekey the IKE SA (section 2.25.2)."""

    def begin(self, sa: IkeSa, now: float) -> Request | None:
        """The first request; None when there is nothing to do any more."""
        raise NotImplementedError

    def process(self, sa: IkeSa, response: Message, now: float) -> Request | None:
        """Take the response to the last request.

        Returns:
            The next request of the same task; None when the task is done.
        """
        raise NotImplementedError

    def note_deletion(self, outbound_spi: bytes) -> None:
        """The peer deletes a Child SA that is not known here, while the task is at work."""

    def dropped(self, sa: IkeSa, reason: str, now: float) -> None:
        """The IKE SA ends, or the task was put off too often, before it was done."""


class TaskQueue:
    """The tasks of one IKE SA."""

    __slots__ = ("active", "later", "waiting")

    def __init__(self) -> None:
        self.active: Task | None = None
        """The task whose request is outstanding."""
        self.waiting: deque[Task] = deque()
        """Tasks for the time after it."""
        self.later: list[tuple[float, Task]] = []
        """Tasks that were put off, and until when."""

    def __bool__(self) -> bool:
        return self.active is not None or bool(self.waiting) or bool(self.later)

    def any(self, wanted: Callable[[Task], bool]) -> bool:
        """Whether there is such a task, at work or waiting."""
        if self.active is not None and wanted(self.active):
            return True
        return any(map(wanted, self.waiting)) or any(wanted(task) for _, task in self.later)

    def put_off(self, task: Task, until: float) -> None:
        """A task is to be tried again later."""
        self.later.append((until, task))

    @property
    def next_retry(self) -> float | None:
        """When the first of the tasks that were put off is to be tried again."""
        return min((until for until, _ in self.later), default=None) if self.later else None

    def retry(self, now: float) -> None:
        """Tasks whose time has come wait with the others."""
        self.waiting.extend(task for until, task in self.later if until <= now)
        self.later = [(until, task) for until, task in self.later if until > now]

    def take_all(self) -> list[Task]:
        """All tasks but the one at work, which are no longer here."""
        tasks = [*self.waiting, *(task for _, task in self.later)]
        self.waiting.clear()
        self.later.clear()
        return tasks


def put_off(sa: IkeSa, task: Task, now: float) -> bool:
    """Try a task again after a random while (RFC 7296 section 2.25).

    Returns:
        False when the peer has put it off too often.
    """
    task.put_off += 1
    if task.put_off > MAX_PUT_OFF:
        return False
    least, most = PUT_OFF_SECONDS
    fraction = int.from_bytes(sa.host.environment.random(4)) / 2**32
    sa.tasks.put_off(task, now + least + (most - least) * fraction)
    return True
