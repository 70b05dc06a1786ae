"""Every scenario by name."""

from __future__ import annotations

from types import MappingProxyType

from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.arrangement import ARTICLE, MODERN, MODERN_IKEV1, Arrangement
from ipsecbench.lab.impairment import Impairment
from ipsecbench.lab.scenarios.basic import BASIC, WITH_STRONGSWAN, negotiate, reach
from ipsecbench.lab.scenarios.model import Scenario
from ipsecbench.lab.scenarios.path_mtu import PATH_MTU
from ipsecbench.lab.scenarios.policies import POLICIES, UNPROTECTED
from ipsecbench.lab.scenarios.recovery import RECOVERY
from ipsecbench.lab.scenarios.telnet import TELNET

_TRANSPORT = Mode.TRANSPORT
_WITHOUT_ESN = MODERN[1].removesuffix("-esn")
_BY_VERSION = {1: MODERN_IKEV1, 2: (MODERN[0], _WITHOUT_ESN)}

_MODES = (
    Scenario("tunnel", "tunnel mode", Arrangement(), BASIC),
    Scenario("transport", "transport mode between the hosts", Arrangement(mode=_TRANSPORT), BASIC),
    Scenario("gre", "GRE over transport mode", Arrangement(mode=_TRANSPORT, layering=Layering.GRE), BASIC),
    Scenario(
        "ipip",
        "IP in IP over transport mode: on the wire the same as tunnel mode (RFC 3884)",
        Arrangement(mode=_TRANSPORT, layering=Layering.IPIP),
        BASIC,
    ),
    Scenario("tunnel-udp", "tunnel mode in UDP (RFC 3948)", Arrangement(encap=True), BASIC),
    Scenario("transport-udp", "transport mode in UDP", Arrangement(mode=_TRANSPORT, encap=True), BASIC),
    Scenario(
        "gre-udp",
        "GRE over transport mode in UDP",
        Arrangement(mode=_TRANSPORT, layering=Layering.GRE, encap=True),
        BASIC,
    ),
    Scenario(
        "ipip-udp",
        "IP in IP over transport mode in UDP",
        Arrangement(mode=_TRANSPORT, layering=Layering.IPIP, encap=True),
        BASIC,
    ),
)
_COMPARISON = Scenario(
    "modes",
    "tunnel, transport, GRE and IP in IP side by side, as IP protocol 50 and in UDP",
    Arrangement(),
    parts=tuple(scenario.name for scenario in _MODES),
)
_IP_VERSIONS = tuple(
    Scenario(
        f"ipv{inner}-in-ipv{outer}",
        f"IPv{inner} in IPv{outer}, tunnel mode",
        Arrangement(outer=outer, inner=inner),
        BASIC,
    )
    for inner, outer in ((6, 4), (4, 6), (6, 6))
)
_PATHS = (
    Scenario("nat", "A is behind a NAT: ESP in UDP, without being asked for", Arrangement(nat=True), BASIC),
    Scenario(
        "bad-network",
        "5% of the packets lost, 3 ms of delay, some overtaking and some twice",
        Arrangement(
            impairment=Impairment(loss_percent=5, delay_ms=3, reorder_percent=2, duplicate_percent=2),
            retransmission_seconds=0.3,
        ),
        (negotiate, reach),
    ),
    Scenario(
        "path-mtu",
        "a packet that does not fit once it is sealed: the sender is told, TCP goes on",
        Arrangement(wide_device=True),
        (negotiate, *PATH_MTU),
    ),
)
_OTHERS = (
    Scenario(
        "telnet",
        "the article's example: a telnet daemon that answers over the SA only (IKEv1)",
        Arrangement(
            version=1,
            ike=ARTICLE[0],
            esp=ARTICLE[1],
            mode=_TRANSPORT,
            selectors=("192.0.2.1/32[tcp]", "192.0.2.2/32[tcp/23]"),
            ike_rekey_seconds=86400.0,
            child_rekey_seconds=43200.0,
        ),
        (negotiate, *TELNET),
    ),
    Scenario(
        "policies",
        "BYPASS and DISCARD beside PROTECT",
        Arrangement(mode=_TRANSPORT, unprotected=UNPROTECTED),
        (negotiate, *POLICIES),
    ),
    *(
        Scenario(
            f"restart-ikev{version}",
            f"an end restarts and has forgotten everything (IKEv{version})",
            Arrangement(
                version=version,
                ike=_BY_VERSION[version][0],
                esp=_BY_VERSION[version][1],
                dpd_seconds=1.0,
                retransmission_seconds=0.3,
                retransmission_tries=3,
            ),
            (negotiate, reach, *RECOVERY),
        )
        for version in (2, 1)
    ),
)
_STRONGSWAN = tuple(
    Scenario(
        f"strongswan-{where}-ikev{version}",
        f"strongSwan at {side}, which {'begins' if side == 'A' else 'answers'}, IKEv{version}"
        if len(side) == 1
        else f"strongSwan at both ends, IKEv{version}: what ours is held against",
        Arrangement(version=version, ike=_BY_VERSION[version][0], esp=_BY_VERSION[version][1], strongswan=side),
        WITH_STRONGSWAN,
    )
    for where, side in (("begins", "A"), ("answers", "B"), ("both", "AB"))
    for version in (2, 1)
)

SCENARIOS = MappingProxyType(
    {scenario.name: scenario for scenario in (*_MODES, _COMPARISON, *_IP_VERSIONS, *_PATHS, *_OTHERS, *_STRONGSWAN)}
)
"""By name, in the order in which they are shown."""
