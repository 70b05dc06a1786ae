"""What no target writes: RFC 8221 sections 4 to 6, RFC 8247, the rules of NIST SP 800-77r1 section 5."""

from typing import Any

import pytest

from ipsecbench.export.connection import EspAlgorithms, IkeAlgorithms
from ipsecbench.export.rules import common_refusals, legacy_warnings
from tests.unit.export.connections import a_connection

GOOD_IKE = IkeAlgorithms("aes256", "sha256", "prfsha256", "modp2048")
GOOD_ESP = EspAlgorithms("aes256", "sha256", "modp2048")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ike": GOOD_IKE, "esp": GOOD_ESP},
        {"ike_version": 1, "ike": GOOD_IKE, "esp": GOOD_ESP},
        {"esp": EspAlgorithms("null", "sha256", "ecp384")},
        {"esp": EspAlgorithms("aes256gmac", None, "ecp521")},
        {"esp": EspAlgorithms("aes256gcm16", None, None)},
        {
            "ike": IkeAlgorithms("aes256gcm16", None, "prfsha384", "x25519", ("mlkem768",)),
            "esp": EspAlgorithms("aes256gcm16", None, "x25519", ("mlkem768",)),
        },
    ],
)
def test_what_the_standards_allow_is_not_refused(changes: dict[str, Any]) -> None:
    assert common_refusals(a_connection(**changes)) == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"esp": EspAlgorithms("aes256", None, "ecp384")}, "ESP aes256 without an integrity transform"),
        ({"esp": EspAlgorithms("aes256ctr", None, "ecp384")}, "ESP aes256ctr without an integrity transform"),
        ({"esp": EspAlgorithms("null", None, "ecp384")}, "protects nothing"),
        ({"esp": EspAlgorithms("aes256gcm16", "sha256", "ecp384")}, "takes no sha256"),
        ({"esp": EspAlgorithms("aes256gcm8", None, "ecp384")}, "use aes256gcm16"),
        ({"esp": EspAlgorithms("aes128ccm12", None, "ecp384")}, "use aes128ccm16"),
        ({"esp": EspAlgorithms("aes256gcm16", None, "ecp256")}, "weaker than the IKE SA's"),
        ({"ike": IkeAlgorithms("null", "sha256", "prfsha256", "ecp384")}, "hides nothing"),
        ({"ike": IkeAlgorithms("aes256gmac", None, "prfsha256", "ecp384")}, "hides nothing"),
        ({"ike": IkeAlgorithms("aes256", None, "prfsha256", "ecp384")}, "IKE aes256 without an integrity transform"),
        ({"ike": IkeAlgorithms("aes256gcm16", "sha256", "prfsha256", "ecp384")}, "takes no sha256"),
        ({"aggressive": True}, "aggressive mode is IKEv1's"),
        (
            {"aggressive": True, "ike_version": 1, "ike": GOOD_IKE, "esp": GOOD_ESP},
            "aggressive mode with a pre-shared key",
        ),
        ({"ike_version": 1}, "no number for aes256gcm16 in phase 1"),
        (
            {"ike_version": 1, "ike": GOOD_IKE, "esp": EspAlgorithms("chacha20poly1305", None, None)},
            "no number for ESP",
        ),
        (
            {"ike_version": 1, "ike": IkeAlgorithms("aes256", "sha256", "prfsha512", "ecp384")},
            "PRF is the HMAC of its hash",
        ),
        ({"ike_version": 1, "authentication": "ed25519"}, "no number for authentication"),
        ({"ike": IkeAlgorithms("aes256gcm16", None, "prfsha384", "ecp384", ("mlkem768",))}, "would be weaker"),
        ({"ike_fallbacks": (IkeAlgorithms("aes256", None, "prfsha1", "ecp384"),)}, "without an integrity transform"),
    ],
)
def test_what_no_target_writes_even_if_legacy_is_accepted(changes: dict[str, Any], message: str) -> None:
    connection = a_connection(**changes)
    assert any(message in line for line in common_refusals(connection, accept_legacy=True))


@pytest.mark.parametrize(
    ("ike", "esp", "old"),
    [
        (IkeAlgorithms("3des", "sha1", "prfsha1", "modp1024"), GOOD_ESP, {"3des", "modp1024"}),
        (GOOD_IKE, EspAlgorithms("aes128", "md5", "modp2048"), {"md5"}),
        (GOOD_IKE, EspAlgorithms("blowfish256", "sha256", "modp2048"), {"blowfish256"}),
        (GOOD_IKE, EspAlgorithms("twofish128", "sha256", "modp2048"), {"twofish128"}),
        (GOOD_IKE, EspAlgorithms("des", "sha256", "modp2048s256"), {"des", "modp2048s256"}),
    ],
)
def test_what_a_standard_forbids_is_written_only_on_request_and_every_file_warns(
    ike: IkeAlgorithms, esp: EspAlgorithms, old: set[str]
) -> None:
    connection = a_connection(ike=ike, esp=esp)
    refused = common_refusals(connection)
    assert {line.partition(":")[0] for line in refused} == old
    assert all("--accept-legacy" in line for line in refused)
    assert common_refusals(connection, accept_legacy=True) == ()
    assert {line.partition(":")[0] for line in legacy_warnings(connection)} == old


def test_ikev1_is_warned_of_and_not_refused() -> None:
    connection = a_connection(ike_version=1, ike=GOOD_IKE, esp=GOOD_ESP)
    assert common_refusals(connection) == ()
    assert any("RFC 9395" in line for line in legacy_warnings(connection))
