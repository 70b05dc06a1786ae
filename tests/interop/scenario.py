"""What one row of the matrix says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INITIATOR, RESPONDER = "initiator", "responder"
PATIENCE = float(os.environ.get("IPSECBENCH_PATIENCE", "1"))
"""How much slower than a computer the machine is; a virtual one is."""
UP = "up"
"""Outcome: the IKE SA and its Child SA stand, and traffic passes both ways."""


@dataclass(frozen=True)
class Scenario:
    """One exchange with strongSwan, and what must come of it. Ours and theirs: this project's end and strongSwan's."""

    area: str
    """Heading that it stands under in the table."""
    title: str
    """What is special about it."""
    version: int
    role: str
    """Ours."""
    ike: str
    """IKE proposals, ours, in strongSwan's spelling, separated by commas."""
    esp: str
    """ESP proposals, ours."""
    peer_ike: str = ""
    """Theirs; empty: the same."""
    peer_esp: str = ""
    """Theirs; empty: the same."""
    auth: str = "psk"
    """``psk``, or the kind of key of both ends' certificates (:data:`ipsecbench.lab.certificates.KEY_KINDS`)."""
    schemes: tuple[str, ...] = ()
    """Signature schemes that we use; empty: our choice."""
    peer_auth: str = ""
    """strongSwan's word for how it authenticates and how we must; empty: psk or pubkey."""
    identities: tuple[str, str] = ("us.example", "peer.example")
    """Ours and theirs; empty: the subject of the certificate."""
    secret: str = "k2;2.6TbYl+{/qa"
    """Pre-shared key, ours: the one of the article, with its odd characters."""
    wrong: str = ""
    """What is made wrong on purpose: a key of :data:`tests.interop.laboratory.WRONGS`."""
    topology: str = "direct"
    """``direct``, ``nat`` (we are behind one), ``peer nat`` (they are), or ``ipv6``."""
    kernel: bool = False
    """Whether strongSwan uses the kernel's ESP, for what its own cannot do; in a virtual machine that has such a
    kernel. Only then is there a path without a NAT: its userspace ESP pretends one, for the sake of encapsulation."""
    daemon: Mapping[str, Any] = field(default_factory=dict)
    """Options of strongswan.conf beside the usual ones."""
    ours: Mapping[str, Any] = field(default_factory=dict)
    """Fields of our connection's configuration."""
    our_child: Mapping[str, Any] = field(default_factory=dict)
    """Fields of our Child SA's configuration."""
    our_endpoint: Mapping[str, Any] = field(default_factory=dict)
    """Fields of our endpoint's configuration."""
    theirs: Mapping[str, Any] = field(default_factory=dict)
    """Options of their connection."""
    their_child: Mapping[str, Any] = field(default_factory=dict)
    """Options of their Child SA."""
    local_ts: tuple[str, ...] = ()
    """Our selectors; empty: our inner IPv4 address."""
    remote_ts: tuple[str, ...] = ()
    peer_local_ts: tuple[str, ...] = ()
    """Theirs; empty: ours, mirrored."""
    peer_remote_ts: tuple[str, ...] = ()
    agreed_ts: tuple[str, str] | None = None
    """The selectors that must be agreed on, local and remote, as strongSwan writes them; None: not compared."""
    agreed_ike: str = ""
    """The proposal that must be agreed on; empty: ours."""
    agreed_esp: str = ""
    actions: tuple[str, ...] = ()
    """What is done once it stands: keys of :data:`tests.interop.actions.ACTIONS`."""
    outcome: str = UP
    """:data:`UP`, or a key of :data:`tests.interop.outcomes.REFUSALS`."""
    peer_cannot: str = ""
    """Why the peer cannot do it: the row is listed and not run."""

    @property
    def name(self) -> str:
        """Unique, for the test's ID."""
        words = f"IKEv{self.version} {self.role} {self.area} {self.title}"
        return re.sub(r"[^A-Za-z0-9]+", "-", words)
