"""Reading strongSwan's ipsec.conf."""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Exchange
from ipsecbench.audit.strongswan_conf import read_strongswan
from ipsecbench.errors import UsageError

SAMPLE = """\
config setup
    charondebug="ike 2"

conn %default
    keyexchange=ikev1
    authby=secret
    ikelifetime=24h

conn shared
    esp=aes128-md5!
    lifetime=12h      # of phase 2

conn old
    also=shared
    ike=aes256-sha1-modp1024!
    aggressive=yes
    auto=start

conn new
    keyexchange=ikev2
    ike=aes128gcm16-prfsha256-x25519,aes256gcm16-prfsha384-ecp384
    leftauth=ike:rsa-3072-sha256
    rightauth=eap-mschapv2
    lifebytes=1000000000
    lifepackets=0
    auto=add

conn blocked
    type=drop
    auto=route
"""


def test_default_also_and_strictness() -> None:
    old, new, blocked = read_strongswan(SAMPLE).connections
    assert (old.name, old.line, old.ike_versions, old.exchange) == ("old", 13, ("1",), Exchange.AGGRESSIVE)
    assert [(offer.text, offer.implied) for offer in old.offers] == [("aes256-sha1-modp1024", False)]
    assert [(offer.text, offer.line) for offer in old.children[0].offers] == [("aes128-md5", 10)]
    assert (old.life.seconds, old.children[0].life.seconds) == (86_400, 43_200)
    assert {(method.method, method.line) for method in old.authentication} == {("psk", 6)}
    # Without '!' the daemon's own proposals follow what is written.
    assert [offer.implied for offer in new.offers] == [False, False, True, True]
    assert new.exchange is None
    local, remote = new.authentication
    assert (local.method, local.key_bits, local.hashes) == ("rsa", 3072, ("sha256",))
    assert remote.method == "eap"
    assert (new.children[0].life.seconds, new.children[0].life.bytes) == (3600, 1_000_000_000)
    assert new.children[0].life.packets is None
    assert blocked.children == ()


def test_a_template_that_is_not_loaded_itself_is_not_a_connection() -> None:
    assert "shared" not in {connection.name for connection in read_strongswan(SAMPLE).connections}
    alone = read_strongswan("conn lonely\n  ike=aes128-sha256-modp3072!\n").connections
    assert [connection.name for connection in alone] == ["lonely"]


def test_the_last_also_wins_over_the_first_and_over_the_default() -> None:
    text = """\
conn %default
 ikelifetime=1h
conn a
 ikelifetime=2h
conn b
 ikelifetime=3h
conn c
 also=a
 also=b
 auto=add
"""
    (connection,) = read_strongswan(text).connections
    assert connection.life.seconds == 3 * 3600


def test_pfs_is_ignored_by_strongswan_and_that_is_said() -> None:
    (connection,) = read_strongswan("conn a\n  pfs=yes\n  esp=aes128gcm16!\n  auto=add\n").connections
    assert [note.line for note in connection.notes] == [2]
    assert connection.children[0].perfect_forward_secrecy is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conn a\nike=aes128-sha256-modp3072\n", "^line 2: neither"),
        (" ike=aes128-sha256-modp3072\n", "^line 1: this setting stands before any section"),
        ("conn a\n  ike\n", "^line 2: neither"),
        ("conn a\n  ike=aes128-sha256\n", "^line 2: ike: .* no key exchange method"),
        ("conn a\n  ike=!\n", "^line 2: ike: it names no proposal"),
        ("conn a\n  keyexchange=ikev3\n", "^line 2: keyexchange"),
        ("conn a\n  authby=magic\n", "^line 2: authby"),
        ("conn a\n  lifetime=soon\n", "^line 2: lifetime"),
        ('conn a\n  ike="aes128-sha256-modp3072\n', "^line 2: the string that begins here"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_strongswan(text)


def test_what_is_not_followed_is_noted() -> None:
    configuration = read_strongswan("include /etc/ipsec.d/*.conf\nconn a\n  also=missing\n  auto=add\n")
    assert [note.line for note in configuration.notes] == [1]
    assert [note.line for note in configuration.connections[0].notes] == [3]


def test_sections_that_name_each_other_end() -> None:
    text = "conn a\n also=b\n auto=add\nconn b\n also=a\n ikelifetime=7h\n"
    assert read_strongswan(text).connections[0].life.seconds == 7 * 3600
