"""Whether this kernel has ESP: found out by asking, because no file says so before the module is loaded."""

from __future__ import annotations

import contextlib
import errno
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from ipsecbench.algorithms.suites import EspSuite, parse_esp_suite
from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.xfrm_algorithms import kernel_algorithms, kernel_names
from ipsecbench.dataplane.xfrm_messages import KernelSa, Message
from ipsecbench.dataplane.xfrm_socket import KernelRefusalError, NetlinkSocket
from ipsecbench.errors import DataPlaneError
from ipsecbench.secret import Secret

_ADDRESSES = {4: ("192.0.2.254", "192.0.2.253"), 6: ("2001:db8::fe", "2001:db8::fd")}
"""Of the ranges for documentation (RFC 5737, RFC 3849): the SA that is tried can never carry a packet."""
_TRIED = ("null-sha1", "aes128-sha1", "aes128-sha256", "aes128gcm16")
_NO_ALGORITHM = frozenset({errno.ENOSYS, errno.ENOENT, errno.EINVAL})
_OTHER_PLANES = "use the data plane 'agent' or 'reference'"


@dataclass(frozen=True, slots=True)
class KernelEsp:
    """Whether the kernel has ESP."""

    available: bool | None
    """None: it cannot be found out here."""
    reason: str
    """Why not, or why it is unknown; empty where it has."""


def kernel_esp_available(version: int = 4) -> KernelEsp:
    """Ask the kernel for an SA of ESP between two addresses that do not exist, and take it back at once.

    Args:
        version: of IP, 4 or 6: the kernel has ESP for each apart.
    """
    try:
        netlink = NetlinkSocket()
    except DataPlaneError as error:
        return KernelEsp(False, str(error))
    try:
        return _ask(netlink, version)
    except DataPlaneError as error:
        return KernelEsp(None, str(error))
    finally:
        netlink.close()


def kernel_suites(suites: tuple[EspSuite, ...], version: int = 4) -> dict[str, str]:
    """Ask the kernel for one SA with each suite.

    Returns:
        Name of a suite → why the kernel refuses it, empty where it takes it.

    Raises:
        DataPlaneError: there is no XFRM, or this process may not ask.
    """
    netlink = NetlinkSocket()
    try:
        return {suite.name: _refusal(netlink, suite, version) for suite in suites}
    finally:
        netlink.close()


def refusal_text(refusal: KernelRefusalError, suite: EspSuite) -> str:
    """What a refused SA means, and what to do."""
    if refusal.number == errno.EPROTONOSUPPORT:
        return f"this kernel has XFRM but no ESP (CONFIG_INET_ESP, CONFIG_INET6_ESP): {_OTHER_PLANES}"
    if refusal.number == errno.EPERM:
        return "SAs in the kernel need root or CAP_NET_ADMIN"
    if refusal.number == errno.EEXIST:
        return "the SPI is in use"
    if refusal.number in _NO_ALGORITHM:
        names = " with ".join(kernel_names(suite))
        return f"this kernel does not take {suite.name} ({names}): {refusal}; choose another suite, or {_OTHER_PLANES}"
    return f"the kernel refused an SA with {suite.name}: {refusal}"


def _ask(netlink: NetlinkSocket, version: int) -> KernelEsp:
    refusals: list[str] = []
    for name in _TRIED:
        suite = parse_esp_suite(name)
        try:
            _try(netlink, suite, version)
        except KernelRefusalError as refusal:
            text = refusal_text(refusal, suite)
            if refusal.number == errno.EPROTONOSUPPORT:
                return KernelEsp(False, text)
            if refusal.number == errno.EPERM:
                return KernelEsp(None, text)
            refusals.append(text)
        else:
            return KernelEsp(True, "")
    return KernelEsp(None, refusals[-1])


def _refusal(netlink: NetlinkSocket, suite: EspSuite, version: int) -> str:
    try:
        _try(netlink, suite, version)
    except KernelRefusalError as refusal:
        return refusal_text(refusal, suite)
    return ""


def _try(netlink: NetlinkSocket, suite: EspSuite, version: int) -> None:
    source, destination = _ADDRESSES[version]
    spi = 256 + secrets.randbelow((1 << 32) - 256)
    # DES refuses its weak keys, so no key of zeros.
    encryption_key = Secret(_key(suite.encryption.keymat_bytes))
    integrity_key = None if suite.integrity is None else Secret(_key(suite.integrity.key_bytes))
    algorithms = kernel_algorithms(suite, encryption_key, integrity_key)
    sa = KernelSa(spi, 0, source, destination, "tunnel", algorithms, None)
    netlink.request(Message.NEW_SA, xfrm.new_sa(sa))
    _forget(lambda: netlink.request(Message.DELETE_SA, xfrm.sa_id(destination, spi)))


def _forget(action: Callable[[], object]) -> None:
    with contextlib.suppress(KernelRefusalError):
        action()


def _key(length: int) -> bytes:
    return bytes((0x13 + 0x25 * position) & 0xFF for position in range(length))
