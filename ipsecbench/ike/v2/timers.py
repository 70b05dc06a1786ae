"""What an IKE SA waits for besides answers, each at most once at a time."""

from __future__ import annotations

from enum import Enum


class Timer(Enum):
    """What one time stands for."""

    GIVE_UP = "the IKE SA has to be set up by then"
    END = "the IKE SA is forgotten"
    SOFT = "soft limit of the IKE SA"
    HARD = "hard limit of the IKE SA"
    LIVENESS = "the peer has been silent"
    KEEPALIVE = "the mapping of the NAT in front of this end wants a packet"
    REPLACED = "the peer should have deleted the IKE SA that was rekeyed"
    FOLLOWUP = "the peer should have gone on with its additional key exchanges"
    RETRY = "a task that the peer put off is tried again"


class Timers:
    """Times by what they stand for."""

    __slots__ = ("_times", "next")

    def __init__(self) -> None:
        self._times: dict[Timer, float] = {}
        self.next: float | None = None
        """The first of all times."""

    def set(self, timer: Timer, when: float | None) -> None:
        """Set, move, or with None cancel a time."""
        if when is None:
            self._times.pop(timer, None)
        else:
            self._times[timer] = when
        self.next = min(self._times.values(), default=None)

    def get(self, timer: Timer) -> float | None:
        """When it is; None: it is not set."""
        return self._times.get(timer)

    def clear(self) -> None:
        """Cancel all."""
        self._times.clear()
        self.next = None

    def take_due(self, now: float) -> tuple[Timer, ...]:
        """What has come, in the order of the times; those are cancelled."""
        if self.next is None or now < self.next:
            return ()
        due = sorted((when, timer.name) for timer, when in self._times.items() if when <= now)
        taken = tuple(Timer[name] for _, name in due)
        for timer in taken:
            self.set(timer, None)
        return taken
