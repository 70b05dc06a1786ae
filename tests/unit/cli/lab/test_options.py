"""What the options of the laboratory amount to, and how mistakes in them are said."""

from __future__ import annotations

from typing import Any

import pytest

from ipsecbench.cli.lab.options import build_arrangement
from ipsecbench.dataplane.interface import PlaneKind
from ipsecbench.errors import UsageError
from ipsecbench.esp.configuration import Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.lab.arrangement import ARTICLE, MODERN, MODERN_IKEV1
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.reasons import Role


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"esp": "rot13"}, "rot13"),
        ({"proposals": "aes128-rot13"}, "rot13"),
        ({"version": 3}, "1 or 2"),
        ({"mode": "beet"}, "tunnel, transport"),
        ({"layering": "l2tp"}, "none, gre, ipip"),
        ({"layering": "gre", "mode": "tunnel"}, "transport"),
        ({"mode": "transport", "ip": "4:6"}, "ipip"),
        ({"ip": "5"}, "4 or 6"),
        ({"ip": "4:"}, None),
        ({"mtu": 100}, "from 576"),
        ({"ip": "6", "mtu": 1000}, "from 1280"),
        ({"loss_percent": 101}, "share from 0 to 100"),
        ({"reorder_percent": 1}, "--delay"),
        ({"nat": True, "ip": "6"}, "IPv4"),
        ({"peer": "racoon"}, "strongswan"),
        ({"peer": "C:strongswan"}, "'A:strongswan'"),
        ({"peer": "strongswan", "mode": "transport"}, "tunnel mode only"),
        ({"peer": "strongswan", "esp": "aes128gcm16-esn"}, "no extended sequence numbers"),
        ({"dataplane": "vpp"}, "one of reference, agent, kernel"),
    ],
)
def test_a_mistake_is_one_clear_line(options: dict[str, Any], said: str | None) -> None:
    if said is None:
        build_arrangement(**options)
        return
    with pytest.raises(UsageError, match=said.replace("(", "\\(")) as caught:
        build_arrangement(**options)
    assert "\n" not in str(caught.value)


def test_defaults() -> None:
    modern, article = build_arrangement(), build_arrangement(article=True)
    assert (modern.version, modern.ike, modern.esp, modern.mode) == (2, *MODERN, Mode.TUNNEL)
    assert (article.version, article.ike, article.esp) == (1, *ARTICLE)
    assert (article.ike_rekey_seconds, article.child_rekey_seconds) == (86400, 43200)
    older = build_arrangement(version=1)
    assert (older.ike, older.esp) == MODERN_IKEV1
    assert not build_arrangement(peer="strongswan").esn
    assert build_arrangement(layering="gre").mode is Mode.TRANSPORT
    assert build_arrangement(layering="ipip", ip="4:6").layering is Layering.IPIP
    assert build_arrangement(dataplane="reference").dataplane is PlaneKind.REFERENCE
    assert build_arrangement(peer="AB:strongswan").strongswan == "AB"
    wanted = build_arrangement(nat=True, loss_percent=1, delay_ms=2, rate_mbit=3).impairment
    assert (wanted.loss_percent, wanted.delay_ms, wanted.rate_mbit) == (1, 2, 3)


def test_the_default_is_allowed_by_the_policy_modern() -> None:
    policy = load_policy("modern")
    encryption, prf, exchange = MODERN[0].split("-")
    suite, rekeyed_with, esn = MODERN[1].split("-")
    for role, name in (
        (Role.IKE_ENCRYPTION, encryption),
        (Role.PRF, prf),
        (Role.KEY_EXCHANGE, exchange),
        (Role.KEY_EXCHANGE, rekeyed_with),
        (Role.ESP_SUITE, suite),
    ):
        assert policy.line(role, name) is not None, name
    assert exchange == policy.lines[Role.KEY_EXCHANGE][0].name, "the policy's first choice"
    assert esn == "esn"
