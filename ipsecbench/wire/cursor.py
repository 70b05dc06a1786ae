"""A bounds-checked reader of octets; the only place where "too short" is found out."""

from __future__ import annotations

from ipsecbench.errors import MalformedError


class Reader:
    """Reads big-endian fields of one message or substructure, from its beginning to its end.

    Args:
        data: the octets; never changed, and never read beyond their end.
        what: name of the structure, for error messages.
    """

    __slots__ = ("_data", "_end", "_position", "what")

    def __init__(self, data: bytes, what: str = "message") -> None:
        self._data = data
        self._position = 0
        self._end = len(data)
        self.what = what

    @property
    def remaining(self) -> int:
        """Octets that are left."""
        return self._end - self._position

    @property
    def position(self) -> int:
        """Octets that were read."""
        return self._position

    def octets(self, count: int) -> bytes:
        """The next octets.

        Raises:
            MalformedError: fewer are left, or the count is negative.
        """
        start = self._position
        end = start + count
        if count < 0 or end > self._end:
            raise MalformedError(f"{self.what}: {count} octets wanted at {start}, {self.remaining} left")
        self._position = end
        return self._data[start:end]

    def u8(self) -> int:
        """The next octet as a number."""
        return self.octets(1)[0]

    def u16(self) -> int:
        """The next 2 octets as a number."""
        return int.from_bytes(self.octets(2))

    def u32(self) -> int:
        """The next 4 octets as a number."""
        return int.from_bytes(self.octets(4))

    def u64(self) -> int:
        """The next 8 octets as a number."""
        return int.from_bytes(self.octets(8))

    def rest(self) -> bytes:
        """All octets that are left."""
        return self.octets(self.remaining)

    def sub(self, count: int, what: str) -> Reader:
        """A reader of the next octets, which are passed over here.

        Raises:
            MalformedError: fewer are left.
        """
        return Reader(self.octets(count), what)

    def finish(self) -> None:
        """Nothing may be left.

        Raises:
            MalformedError: octets are left.
        """
        if self._position != self._end:
            raise MalformedError(f"{self.what}: {self.remaining} octets too many")
