"""Reading swanctl.conf; that strongSwan reads the same is in tests/audit_proofs."""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Exchange
from ipsecbench.audit.swanctl import read_swanctl
from ipsecbench.errors import UsageError

SAMPLE = """\
# one connection with everything, one with nothing
with-psk { local { auth = psk }
           remote { auth = psk } }
connections {
    office : with-psk {
        version = 1
        aggressive = yes
        proposals = aes256-sha1-modp1024, aes128gcm16-prfsha256-x25519
        rekey_time = 20h
        over_time = 1h
        children {
            lan {
                esp_proposals = aes128-md5
                life_time = 12h
                life_bytes = 500m
                life_packets = 4000000000
            }
            bypass { mode = pass }
        }
    }
    bare { children { net { } } }
}
secrets { ike-1 { secret = "never # shown" } }
"""


def test_what_is_written_and_what_is_taken_over() -> None:
    office, bare = read_swanctl(SAMPLE).connections
    assert (office.name, office.line, office.ike_versions, office.exchange) == (
        "office",
        5,
        ("1",),
        Exchange.AGGRESSIVE,
    )
    assert [(method.method, method.side, method.line) for method in office.authentication] == [
        ("psk", "local", 2), ("psk", "remote", 3)
    ]  # fmt: skip
    first, second = office.offers
    assert (first.encryption, first.integrity, first.prf, first.key_exchange) == (
        ("aes256",), ("sha1",), ("prfsha1",), ("modp1024",)
    )  # fmt: skip
    assert (second.encryption, second.integrity, second.line, second.implied) == (("aes128gcm16",), (), 8, False)
    assert office.life.seconds == 21 * 3600
    (lan,) = office.children
    assert (lan.life.seconds, lan.life.bytes, lan.life.packets) == (43_200, 500 * 2**20, 4_000_000_000)
    assert lan.offers[0].esn == (False,)
    # Nothing is said: version 2 is initiated with and 1 accepted, 4 hours and a tenth, 1 hour and a tenth, defaults.
    assert bare.ike_versions == ("2", "1")
    assert {method.method for method in bare.authentication} == {"pubkey"}
    assert (bare.life.seconds, bare.life.implied) == (15_840, True)
    assert bare.children[0].life.seconds == 3960
    assert all(offer.implied for offer in (*bare.offers, *bare.children[0].offers))
    assert "3des" in bare.offers[0].encryption


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connections {\n a {\n  proposals = aes512-sha1-modp2048\n }\n}", r"^line 3: proposals: .*AES has keys of"),
        ("connections {\n a {\n", "^line 2: the section that begins here is never closed"),
        ("connections {\n }\n}\n", "^line 3: '}' closes nothing"),
        ("connections {\n a =\n  b\n}", "^line 4: '{' or '=' is expected"),
        ('connections {\n a { x = "open\n } }\n', "^line 2: the string that begins here is never closed"),
        ("connections { a : { } }", "^line 1: the name of a section is expected"),
        ("connections {\n a {\n  version = 3\n } }", "^line 3: version: it is 0, 1 or 2"),
        ("connections {\n a {\n  rekey_time = 5 parsecs\n } }", "^line 3: rekey_time: it must be"),
        ("connections {\n a {\n  aggressive = perhaps\n } }", "^line 3: aggressive: it must be yes or no"),
        ("connections {\n a {\n  local {\n   auth = password\n } } }", "^line 4: auth: it is"),
        ("a { " * 40, "^line 1: sections are nested more than"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_swanctl(text)


def test_what_is_not_followed_is_noted() -> None:
    text = "include conf.d/*.conf\nconnections {\n a {\n  proposal = aes256-md5-modp768\n  strange { }\n }\n}\n"
    configuration = read_swanctl(text)
    assert [note.line for note in configuration.notes] == [1]
    (connection,) = configuration.connections
    assert [(note.line, "'proposal'" in note.text) for note in connection.notes] == [(4, True), (5, False)]
    assert all(offer.implied for offer in connection.offers)


def test_messages_never_repeat_what_may_be_a_secret() -> None:
    with pytest.raises(UsageError) as caught:
        read_swanctl("secrets {\n ike { secret = hunter2\n hunter3 hunter4\n } }\n")
    assert "hunter" not in str(caught.value)


def test_sections_that_refer_to_each_other_end() -> None:
    text = "a : b { version = 1 }\nb : a { aggressive = yes }\nconnections : connections { c : a, connections.c { } }\n"
    (connection,) = read_swanctl(text).connections
    assert (connection.ike_versions, connection.exchange) == (("1",), Exchange.AGGRESSIVE)


def test_sections_cannot_multiply_without_bound() -> None:
    chain = "".join(f"t{n} : t{n - 1} {{ version = 2 }}\n" for n in range(1, 4000))
    text = f"t0 {{ }}\n{chain}connections {{\n" + "".join(f" c{n} : t3999 {{ }}\n" for n in range(4000)) + "}\n"
    with pytest.raises(UsageError, match="take over too much"):
        read_swanctl(text)
