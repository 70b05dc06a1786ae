"""Reading what ike-scan prints: answers of strongSwan 5.9.8 to ike-scan 1.9.5, and forms of its source."""

from __future__ import annotations

import pytest

from ipsecbench.audit.configuration import Exchange
from ipsecbench.audit.findings import Grade
from ipsecbench.audit.ike_scan import read_ike_scan
from ipsecbench.audit.recognition import read
from ipsecbench.audit.verdict import judge
from ipsecbench.errors import UsageError
from ipsecbench.recommend.policies.policy import load_policy

MULTILINE = """\
Starting ike-scan 1.9.5 with 1 hosts (http://www.nta-monitor.com/tools/ike-scan/)
192.0.2.1\tMain Mode Handshake returned
\tHDR=(CKY-R=7d8a360505ba0f89)
\tSA=(Enc=3DES Hash=SHA1 Group=2:modp1024 Auth=PSK LifeType=Seconds LifeDuration=28800)
\tVID=09002689dfd6b712
\tVID=afcad71368a1f1c96b8696fc77570100

Ending ike-scan 1.9.5: 1 hosts scanned in 0.003 seconds (375.09 hosts/sec).  1 returned handshake; 0 returned notify
"""
LINES = """\
Starting ike-scan 1.9.5 with 5 hosts (http://www.nta-monitor.com/tools/ike-scan/)
192.0.2.1\tMain Mode Handshake returned HDR=(CKY-R=fcdb7b7c811094c8) SA=(Enc=AES KeyLength=256 Hash=SHA2-256 \
Group=14:modp2048 Auth=PSK LifeType=Seconds LifeDuration=28800) VID=09002689dfd6b712
192.0.2.2\tNotify message 14 (NO-PROPOSAL-CHOSEN) HDR=(CKY-R=6858246d05b012ba, msgid=3d397e58)
192.0.2.3\tAggressive Mode Handshake returned HDR=(CKY-R=70c8b561e1743715) SA=(Enc=3DES Hash=MD5 Auth=PSK \
Group=2:modp1024 LifeType=Seconds LifeDuration(4)=0x00007080) KeyExchange(128 bytes) Nonce(32 bytes) \
ID(Type=ID_USER_FQDN, Value=ike (at) a.example) Hash(20 bytes)
192.0.2.4\t(192.0.2.5) IKEv2 SA_INIT Handshake returned HDR=(CKY-R=fb1f618ae71783a5, IKEv2) \
SA=(Encr=AES_CBC,KeyLength=256 Integ=HMAC_SHA1_96 Prf=HMAC_SHA1 DH_Group=2:modp1024) KeyExchange(132 bytes)
192.0.2.1\tMain Mode Handshake returned HDR=(CKY-R=fcdb7b7c811094c9) SA=(Enc=3DES Hash=SHA1 Group=5:modp1536 Auth=PSK)
192.0.2.6\tIKEv2 SA_INIT Handshake returned HDR=(CKY-R=0000000000000000, IKEv2) (multiple proposals)

Ending ike-scan 1.9.5: 5 hosts scanned in 0.1 seconds (1 hosts/sec).  5 returned handshake; 1 returned notify
"""


def test_one_host_over_several_lines() -> None:
    (host,) = read_ike_scan(MULTILINE).connections
    assert (host.name, host.line, host.ike_versions, host.exchange) == ("192.0.2.1", 2, ("1",), Exchange.MAIN)
    (offer,) = host.offers
    assert (offer.encryption, offer.integrity, offer.prf, offer.key_exchange) == (
        ("3des",), ("sha1",), ("prfsha1",), ("modp1024",)
    )  # fmt: skip
    assert [method.method for method in host.authentication] == ["psk"]
    assert host.chosen


def test_several_hosts_and_their_forms() -> None:
    configuration = read_ike_scan(LINES)
    hosts = {host.name: host for host in configuration.connections}
    assert set(hosts) == {"192.0.2.1", "192.0.2.3", "192.0.2.4", "192.0.2.6"}
    # Two answers of one host are two proposals that it takes.
    assert [offer.encryption for offer in hosts["192.0.2.1"].offers] == [("aes256",), ("3des",)]
    assert [offer.key_exchange for offer in hosts["192.0.2.1"].offers] == [("modp2048",), ("modp1536",)]
    assert hosts["192.0.2.3"].exchange is Exchange.AGGRESSIVE
    assert hosts["192.0.2.4"].ike_versions == ("2",)
    assert hosts["192.0.2.4"].offers[0].encryption == ("aes256",)
    assert hosts["192.0.2.4"].offers[0].integrity == ("sha1",)
    assert hosts["192.0.2.6"].offers == ()
    assert len(hosts["192.0.2.6"].notes) == 1
    (refused,) = configuration.notes
    assert (refused.line, "192.0.2.2 answered NO-PROPOSAL-CHOSEN" in refused.text) == (3, True)


@pytest.mark.parametrize(
    ("content", "encryption", "exchange"),
    [
        ("Enc=AES KeyLength=128 Hash=SHA1 Auth=RSA_Sig Group=14:modp2048", "aes128", "modp2048"),
        ("Enc=DES Hash=Tiger Auth=DSS Group=3:ec2n155", "des", "ec2n155"),
        ("Enc=65006 Hash=SHA1 Auth=PSK Group=32", "unknown encryption 65006", "x448"),
        ("Encr=AES_GCM_ICV16,KeyLength=256 Prf=HMAC_SHA2_384 DH_Group=20:ecp384", "aes256gcm16", "ecp384"),
        ("Encr=28 Prf=HMAC_SHA2_256 DH_Group=31", "chacha20poly1305", "x25519"),
        (
            "Encr=CAMELLIA_CBC,KeyLength=192 Prf=9 Integ=HMAC_SHA2_512_256 DH_Group=28:brainpoolP256r1",
            "camellia192",
            "ecp256bp",
        ),
        ("Encr=99 Prf=HMAC_MD5 Integ=DES_MAC DH_Group=999", "unknown encryption 99", "unknown key exchange 999"),
    ],
)
def test_names_and_numbers(content: str, encryption: str, exchange: str) -> None:
    mode = "IKEv2 SA_INIT" if content.startswith("Encr") else "Main Mode"
    (host,) = read_ike_scan(f"192.0.2.1\t{mode} Handshake returned HDR=(CKY-R=00) SA=({content})\n").connections
    assert host.offers[0].encryption == (encryption,)
    assert host.offers[0].key_exchange == (exchange,)
    judge(read_ike_scan(f"192.0.2.1\t{mode} Handshake returned SA=({content})\n"), load_policy("modern"))


def test_aggressive_mode_with_a_pre_shared_key_always_fails() -> None:
    for policy in ("modern", "legacy-interop", "article"):
        verdict = judge(read(LINES), load_policy(policy))
        host = next(each for each in verdict.connections if each.connection.name == "192.0.2.3")
        assert any(finding.about == "exchange-mode" and finding.grade is Grade.FAIL for finding in host.findings)


def test_an_answer_that_makes_no_sense_is_said_with_its_line() -> None:
    with pytest.raises(UsageError, match=r"^line 2: '=3DES' in SA="):
        read_ike_scan("Starting ike-scan\n192.0.2.1\tMain Mode Handshake returned SA=(=3DES)\n")
