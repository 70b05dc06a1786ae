"""Who may begin an IKE SA here: limits on half-open ones, and cookies under load (RFC 7296 section 2.6).

A request from a forged address costs a limited amount of memory for a limited time, and beyond a threshold of half-open
IKE SAs nothing at all until its sender has shown with a COOKIE that it receives what is sent to it. IKEv1 has no such
proof, so its newcomers are only limited, and to half of the places: a flood of it leaves the other half to IKEv2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ipsecbench.errors import ProtocolError
from ipsecbench.ike.configuration import EndpointConfiguration
from ipsecbench.ike.header import ZERO_SPI, IkeHeader
from ipsecbench.ike.path import Path
from ipsecbench.ike.v2.cookie import CookieSecrets
from ipsecbench.ike.v2.identifiers import ExchangeType, Flags, NotifyType
from ipsecbench.ike.v2.message import build_message, new_header, parse_message
from ipsecbench.ike.v2.payloads import Nonce, Notify

_Key = tuple[int, bytes, str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a newcomer's message."""

    cause: str | None = None
    """Word for the log where the message is not let in; None where it is."""
    text: str = ""
    """The reason in one line."""
    reply: bytes | None = None
    """Message to answer with where it is not let in."""


ADMITTED = Verdict()
"""The message is let in."""


class Admission:
    """Half-open IKE SAs of an endpoint as responder.

    Args:
        configuration: the limits.
        random: octets for the secrets of the cookies.
    """

    def __init__(self, configuration: EndpointConfiguration, random: Callable[[int], bytes]) -> None:
        self._limits = configuration
        self._cookies = CookieSecrets(random)
        self._half_open: dict[int, tuple[int, str]] = {}
        self._per_version: Counter[int] = Counter()
        self._per_address: Counter[str] = Counter()
        self._first_messages: dict[_Key, int] = {}
        self._key_of: dict[int, _Key] = {}

    @property
    def half_open(self) -> int:
        """How many peers have not proven their identity yet."""
        return len(self._half_open)

    def remember(self, header: IkeHeader, path: Path, unique_id: int) -> None:
        """A newcomer was let in: count it, and find it again when it repeats its first message."""
        key = _key(header, path)
        self._first_messages[key] = unique_id
        self._key_of[unique_id] = key
        self._half_open[unique_id] = header.major, path.remote.host
        self._per_version[header.major] += 1
        self._per_address[path.remote.host] += 1

    def repeated(self, header: IkeHeader, path: Path) -> int | None:
        """The IKE SA whose first message this repeats."""
        return self._first_messages.get(_key(header, path))

    def authenticated(self, unique_id: int) -> None:
        """The peer is no longer half-open."""
        known = self._half_open.pop(unique_id, None)
        if known is not None:
            version, host = known
            self._per_version[version] -= 1
            self._per_address[host] -= 1
            if not self._per_address[host]:
                del self._per_address[host]

    def forget(self, unique_id: int) -> None:
        """The IKE SA is gone."""
        self.authenticated(unique_id)
        key = self._key_of.pop(unique_id, None)
        if key is not None and self._first_messages.get(key) == unique_id:
            del self._first_messages[key]

    def judge(self, header: IkeHeader, message: bytes, path: Path, now: float) -> Verdict:
        """Whether a message for no IKE SA may begin one."""
        if header.major > 2:
            return _refuse_version(header)
        if header.major == 0 or header.spi_i == ZERO_SPI or header.spi_r != ZERO_SPI:
            return Verdict("unknown-spi", f"no IKE SA {header.spi_i.hex()} {header.spi_r.hex()} is here")
        if header.major == 2 and not _begins_ike_sa_init(header):
            return Verdict("unexpected-message", f"exchange type {header.exchange_type} cannot begin an IKE SA")
        if self.half_open >= self._limits.half_open_limit:
            return Verdict("half-open-limit", f"{self.half_open} IKE SAs are half-open")
        if header.major == 1 and self._per_version[1] >= max(1, self._limits.half_open_limit // 2):
            return Verdict("half-open-limit-ikev1", f"{self._per_version[1]} ISAKMP SAs are half-open")
        if self._per_address[path.remote.host] >= self._limits.half_open_limit_per_address:
            return Verdict("half-open-limit-per-address", "too many half-open IKE SAs from this address")
        if header.major == 2 and self.half_open >= self._limits.cookie_threshold:
            return self._demand_cookie(header, message, path, now)
        return ADMITTED

    def _demand_cookie(self, header: IkeHeader, message: bytes, path: Path, now: float) -> Verdict:
        try:
            parsed = parse_message(message, header)
            nonce = parsed.one(Nonce).data
        except ProtocolError as error:
            return Verdict("malformed-message", str(error))
        cookie = parsed.notify(NotifyType.COOKIE)
        if cookie is not None and self._cookies.verify(cookie.data, nonce, path.remote, header.spi_i, now):
            return ADMITTED
        fresh = self._cookies.make(nonce, path.remote, header.spi_i, now)
        return Verdict(
            "cookie-demanded",
            f"{self.half_open} IKE SAs are half-open",
            _answer(header, Notify(NotifyType.COOKIE, fresh)),
        )


def _key(header: IkeHeader, path: Path) -> _Key:
    return header.major, header.spi_i, path.remote.host, path.remote.port


def _begins_ike_sa_init(header: IkeHeader) -> bool:
    return (
        header.exchange_type == ExchangeType.IKE_SA_INIT
        and header.message_id == 0
        and bool(header.flags & Flags.INITIATOR)
        and not header.flags & Flags.RESPONSE
    )


def _refuse_version(header: IkeHeader) -> Verdict:
    """A message of a later major version is answered with the highest that is spoken here (RFC 7296 section 2.5)."""
    text = f"major version {header.major} is not spoken here"
    if header.flags & Flags.RESPONSE:
        return Verdict("unknown-version", text)
    return Verdict("unknown-version", text, _answer(header, Notify(NotifyType.INVALID_MAJOR_VERSION, b"\x02")))


def _answer(header: IkeHeader, notify: Notify) -> bytes:
    """An unprotected answer that needs no IKE SA."""
    reply = new_header(
        header.exchange_type,
        header.message_id,
        spi_i=header.spi_i,
        spi_r=header.spi_r,
        from_initiator=False,
        response=True,
    )
    return build_message(reply, (notify,)).octets
