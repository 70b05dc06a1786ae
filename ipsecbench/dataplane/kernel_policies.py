"""The SPD of the kernel.

The kernel identifies a policy by its direction and selector, and its template names the outer addresses, which in this
project belong to the SA. So the plane keeps the policies that it was given, derives the kernel's from them and from the
newest SA with their reqid, and hands the kernel, of several with the same selector, the one that counts.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass

from ipsecbench.dataplane import xfrm_messages as xfrm
from ipsecbench.dataplane.xfrm_messages import KernelPolicy, KernelSelector, Message, PolicyDirection, Template
from ipsecbench.dataplane.xfrm_selectors import kernel_selectors
from ipsecbench.dataplane.xfrm_socket import KernelRefusalError, NetlinkSocket
from ipsecbench.errors import DataPlaneError
from ipsecbench.esp.configuration import Action, Direction, Layering, PolicyConfiguration, SaConfiguration
from ipsecbench.esp.mode import Mode

_DIRECTIONS = {
    Direction.OUTBOUND: (PolicyDirection.OUTBOUND,),
    # What is for a host behind this one is asked about again when it is forwarded.
    Direction.INBOUND: (PolicyDirection.INBOUND, PolicyDirection.FORWARDED),
}
_PRIORITY_MAXIMUM = (1 << 32) - 1
_Place = tuple[PolicyDirection, KernelSelector]


@dataclass(slots=True)
class _Holder:
    """A policy that was added, at one place of the kernel's SPD."""

    policy: PolicyConfiguration
    order: int

    @property
    def rank(self) -> tuple[int, int]:
        """The lowest counts."""
        return self.policy.priority, self.order


class KernelPolicies:
    """Policies that one plane added.

    Args:
        netlink: to the namespace that they are for.
    """

    def __init__(self, netlink: NetlinkSocket) -> None:
        self._netlink = netlink
        self._given: dict[PolicyConfiguration, tuple[_Place, ...]] = {}
        self._holders: dict[_Place, list[_Holder]] = {}
        self._installed: dict[_Place, KernelPolicy] = {}
        self._templates: dict[tuple[Direction, int], Template] = {}
        self._order = 0

    def add(self, policy: PolicyConfiguration) -> None:
        """Add a policy.

        Raises:
            DataPlaneError: it is there already, the kernel cannot say it, or another program has one at its place.
        """
        if policy in self._given:
            raise DataPlaneError(f"the policy {_text(policy)} is there already")
        if not 0 <= policy.priority <= _PRIORITY_MAXIMUM:
            raise DataPlaneError(f"the policy {_text(policy)}: its priority must lie between 0 and {_PRIORITY_MAXIMUM}")
        selectors = dict.fromkeys(selector for pair in policy.selectors for selector in kernel_selectors(pair))
        places = tuple((direction, selector) for direction in _DIRECTIONS[policy.direction] for selector in selectors)
        self._order += 1
        self._given[policy] = places
        try:
            for place in places:
                self._holders.setdefault(place, []).append(_Holder(policy, self._order))
                self._bring_up_to_date(place)
        except DataPlaneError:
            with contextlib.suppress(DataPlaneError):
                self.remove(policy)
            raise

    def remove(self, policy: PolicyConfiguration) -> None:
        """Remove a policy; one that is not there is no error."""
        for place in self._given.pop(policy, ()):
            holders = self._holders.get(place, [])
            holders[:] = [holder for holder in holders if holder.policy != policy]
            self._bring_up_to_date(place)
            if not holders:
                self._holders.pop(place, None)

    def sa_added(self, sa: SaConfiguration) -> None:
        """An SA came or moved: policies with its reqid demand it from now on.

        Raises:
            DataPlaneError: the kernel refuses to change a policy.
        """
        mode = Mode.TUNNEL if sa.layering is Layering.IPIP else sa.mode
        template = Template(mode.value, sa.source, sa.destination, sa.reqid)
        key = (sa.direction, sa.reqid)
        if self._templates.get(key) == template:
            return
        self._templates[key] = template
        for policy, places in self._given.items():
            if policy.action is Action.PROTECT and (policy.direction, policy.reqid) == key:
                for place in places:
                    self._bring_up_to_date(place)

    def close(self) -> None:
        """Remove them all."""
        for policy in list(self._given):
            self.remove(policy)

    def _bring_up_to_date(self, place: _Place) -> None:
        """Give the kernel the policy that counts at a place, or take away the last one."""
        holders = self._holders.get(place)
        there = self._installed.get(place)
        if not holders:
            if there is not None:
                del self._installed[place]
                self._ask(Message.DELETE_POLICY, xfrm.policy_id(there), there, gone_is_good=True)
            return
        policy = min(holders, key=lambda holder: holder.rank).policy
        wanted = self._kernel_policy(place, policy)
        if wanted != there:
            # NEW_POLICY fails where another program has a policy: that one is not ours to change.
            kind = Message.NEW_POLICY if there is None else Message.UPDATE_POLICY
            self._ask(kind, xfrm.new_policy(wanted), wanted)
            self._installed[place] = wanted

    def _kernel_policy(self, place: _Place, policy: PolicyConfiguration) -> KernelPolicy:
        direction, selector = place
        template = None
        if policy.action is Action.PROTECT:
            template = self._templates.get((policy.direction, policy.reqid))
            if template is None:
                # Before there is an SA nothing may pass; this template fits none.
                nowhere = "0.0.0.0" if selector.version == 4 else "::"  # noqa: S104  no address is bound
                template = Template(Mode.TRANSPORT.value, nowhere, nowhere, policy.reqid)
        action = xfrm.BLOCK if policy.action is Action.DISCARD else xfrm.ALLOW
        return KernelPolicy(direction, selector, action, policy.priority, template)

    def _ask(self, kind: Message, body: bytes, policy: KernelPolicy, gone_is_good: bool = False) -> None:
        try:
            self._netlink.request(kind, body)
        except KernelRefusalError as refusal:
            if gone_is_good and refusal.number in (errno.ENOENT, errno.ESRCH):
                return
            what = f"the policy for {policy.selector} ({policy.direction.name.lower()})"
            if refusal.number == errno.EEXIST:
                raise DataPlaneError(f"{what} is another program's already; remove it there first") from refusal
            raise DataPlaneError(f"the kernel refused {what}: {refusal}") from refusal


def _text(policy: PolicyConfiguration) -> str:
    pairs = ", ".join(f"{pair.source} to {pair.destination}" for pair in policy.selectors)
    return f"{policy.action} {pairs} ({policy.direction})"
