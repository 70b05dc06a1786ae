"""Key exchange on brainpoolP224r1 (group 27) with Python's own integers, because no library here has that curve.

The curve is that of RFC 5639 section 3.3, the data that of RFC 6954. Points are added with the complete formulas of
Renes, Costello and Batina (2016, algorithm 1), which have no special cases for curves of odd order, and a scalar is
walked through with a ladder of fixed length. Python's integers take time that depends on their values all the same:
private keys are used once, and nothing that should stay secret for long should depend on this group.
"""

from __future__ import annotations

import secrets

from ipsecbench.errors import ProviderError, RejectedError

_P = 0xD7C134AA264366862A18302575D1D787B09F075797DA89F57EC8C0FF
_A = 0x68A5E62CA9CE6C1C299803A6C1530B514E182AD8B0042A59CAD29F43
_B = 0x2580F63CCFE44138870713B1A92369E33E2135D266DBB372386C400B
_Q = 0xD7C134AA264366862A18302575D0FB98D116BC4B6DDEBCA3A5A7939F
_G = (
    0x0D9029AD2C7E5CF4340823B2A87DC68C9E4CE3174C1E6EFDEE12C07D,
    0x58AA56F772C0726F24C6B89E4ECDAC24354B9E99CAA3F6D3761402CD,
)
_COORDINATE_BYTES = 28
_ORDER_BITS = 224

_Point = tuple[int, int, int]
"""x, y and z of a projective point; the neutral element is (0, 1, 0)."""


def _add(left: _Point, right: _Point) -> _Point:
    x1, y1, z1 = left
    x2, y2, z2 = right
    xx, yy, zz = x1 * x2 % _P, y1 * y2 % _P, z1 * z2 % _P
    xy = (x1 * y2 + x2 * y1) % _P
    yz = (y1 * z2 + y2 * z1) % _P
    xz = (x1 * z2 + x2 * z1) % _P
    middle = (_A * xz + 3 * _B * zz) % _P
    minus, plus = yy - middle, yy + middle
    first = (3 * xx + _A * zz) % _P
    second = (_A * (xx - _A * zz) + 3 * _B * xz) % _P
    return (
        (xy * minus - yz * second) % _P,
        (first * second + plus * minus) % _P,
        (yz * plus + xy * first) % _P,
    )


def _multiply(scalar: int, point: tuple[int, int]) -> tuple[int, int] | None:
    """Affine coordinates of a multiple of a point; None for the neutral element."""
    ladder: list[_Point] = [(0, 1, 0), (*point, 1)]
    for bit in range(_ORDER_BITS - 1, -1, -1):
        chosen = scalar >> bit & 1
        ladder[1 - chosen] = _add(ladder[0], ladder[1])
        ladder[chosen] = _add(ladder[chosen], ladder[chosen])
    x, y, z = ladder[0]
    if z == 0:
        return None
    inverse = pow(z, -1, _P)
    return x * inverse % _P, y * inverse % _P


class PythonEcpKeyPair:
    """A private key on brainpoolP224r1 and its public value."""

    __slots__ = ("_scalar", "algorithm", "public")

    def __init__(self, algorithm: str, scalar: int) -> None:
        self.algorithm = algorithm
        self._scalar = scalar
        x, y = _multiply(scalar, _G) or (0, 0)
        self.public = x.to_bytes(_COORDINATE_BYTES) + y.to_bytes(_COORDINATE_BYTES)

    def __repr__(self) -> str:
        return f"PythonEcpKeyPair({self.algorithm!r})"

    def agree(self, peer_public: bytes) -> bytes:
        """See :meth:`ipsecbench.providers.interface.KeyPair.agree`."""
        if len(peer_public) != 2 * _COORDINATE_BYTES:
            raise RejectedError(
                f"{self.algorithm}: a public value has {2 * _COORDINATE_BYTES} octets, not {len(peer_public)}"
            )
        x, y = int.from_bytes(peer_public[:_COORDINATE_BYTES]), int.from_bytes(peer_public[_COORDINATE_BYTES:])
        # RFC 6989 section 2.3. The order of the curve is prime: there is no smaller subgroup to be in.
        if x >= _P or y >= _P or (y * y - (x * x + _A) * x - _B) % _P:
            raise RejectedError(f"{self.algorithm}: the peer's public value is no point of the curve")
        shared = _multiply(self._scalar, (x, y))
        if shared is None:
            raise RejectedError(f"{self.algorithm}: the shared secret is the point at infinity")
        return shared[0].to_bytes(_COORDINATE_BYTES)


class PythonEcp:
    """The group brainpoolP224r1."""

    __slots__ = ("algorithm",)

    exponent_bits = None

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm

    def __repr__(self) -> str:
        return f"PythonEcp({self.algorithm!r})"

    def generate(self) -> PythonEcpKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.generate`."""
        return PythonEcpKeyPair(self.algorithm, 1 + secrets.randbelow(_Q - 1))

    def load(self, private: bytes) -> PythonEcpKeyPair:
        """See :meth:`ipsecbench.providers.interface.KeyExchange.load`."""
        scalar = int.from_bytes(private)
        if not 0 < scalar < _Q:
            raise ProviderError(f"{self.algorithm}: the private key is out of range")
        return PythonEcpKeyPair(self.algorithm, scalar)
