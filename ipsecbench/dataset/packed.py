"""What gzip holds, as far as a bound: a few packed octets can stand for terabytes."""

from __future__ import annotations

import zlib

from ipsecbench.errors import DatasetError

GZIP_MARK = b"\x1f\x8b"
"""How every gzip file begins (RFC 1952, section 2.3.1)."""
_GZIP_WINDOW = 31
"""zlib's word for: a gzip header, the largest window, and the check of length and CRC at the end."""


def is_packed(content: bytes) -> bool:
    """Whether octets begin as gzip does."""
    return content.startswith(GZIP_MARK)


def unpacked(content: bytes, most_bytes: int) -> bytes:
    """What all members of a gzip file hold together; where that is more, ``most_bytes + 1`` of it, and no more is made.

    Raises:
        DatasetError: damaged, or cut short.
    """
    parts: list[bytes] = []
    room = most_bytes + 1
    while room > 0:
        reader = zlib.decompressobj(wbits=_GZIP_WINDOW)
        try:
            part = reader.decompress(content, room)
        except zlib.error as error:
            raise DatasetError(f"damaged gzip: {error}") from error
        parts.append(part)
        room -= len(part)
        if room <= 0:
            break
        if not reader.eof:
            raise DatasetError("gzip that was cut short")
        content = reader.unused_data.lstrip(b"\0")  # some programs fill up a block with zeros
        if not content:
            break
    return b"".join(parts)
