"""What differs between libreswan's versions, as its own documentation has it.

``configs/d.ipsec.conf/sect/proposals.txt`` and ``conn/*.xml``, ``lib/libswan/ipsecconf/conn.c`` of v5.4: ``addke1=``
stands behind a semicolon, ``dpdaction`` is obsolete, ``dpdtimeout`` is IKEv1's, ``salifetime`` an old name.
"""

from __future__ import annotations

import re

import pytest

from ipsecbench.export.connection import Connection, EspAlgorithms, IkeAlgorithms
from ipsecbench.export.target import find_target
from tests.unit.export.connections import a_connection

TARGET = find_target("libreswan")
HYBRID = a_connection(
    ike=IkeAlgorithms("aes256gcm16", None, "prfsha384", "x25519", ("mlkem768",)),
    esp=EspAlgorithms("aes256gcm16", None, "x25519", ("mlkem768",), esn=True),
)


def settings(connection: Connection, version: str) -> dict[str, str]:
    text = TARGET.files(connection, version)[0].text
    return dict(re.findall(r"^\t([a-z0-9-]+)=(.*)$", text, re.M))


def test_version_5_has_other_words() -> None:
    old, new = settings(a_connection(), "4"), settings(a_connection(), "5")
    assert old["ikev2"] == "yes"
    assert new["keyexchange"] == "ikev2"
    assert new["ipsec-lifetime"] == old["salifetime"]
    assert set(old) - set(new) == {"ikev2", "salifetime", "dpdaction", "dpdtimeout"}


def test_ml_kem_768_beside_a_group_from_5_4_on() -> None:
    found = settings(HYBRID, TARGET.version("5.4.1"))
    assert found["ike"] == "aes_gcm256-sha2_384-dh31;addke1=ml_kem_768"
    assert found["esp"] == "aes_gcm256-none-dh31;addke1=ml_kem_768"
    assert found["intermediate"] == "yes"


@pytest.mark.parametrize("version", ["4", "5"])
def test_before_it_is_refused(version: str) -> None:
    assert TARGET.version("5.3") == "5"
    (reason,) = TARGET.refusals(HYBRID, version)
    assert reason.endswith("they came with 5.4")


def test_other_sizes_of_ml_kem_are_refused() -> None:
    other = a_connection(
        ike=IkeAlgorithms("aes256gcm16", None, "prfsha384", "ecp384", ("mlkem1024",)),
        esp=EspAlgorithms("aes256gcm16", None, "ecp384", ("mlkem1024",)),
    )
    assert TARGET.refusals(other, "5.4") == ("libreswan 5.4 has no additional key exchange mlkem1024",)
