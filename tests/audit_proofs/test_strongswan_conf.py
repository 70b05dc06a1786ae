"""An ipsec.conf means to `policy check` what it means to strongSwan's starter: what it tells the daemon."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from ipsecbench.audit.configuration import Connection, Exchange
from ipsecbench.audit.strongswan_conf import read_strongswan
from ipsecbench.lab.namespaces import missing_prerequisite, two_hosts
from tests.export_proofs.conftest import require
from tests.export_proofs.starter import StarterDaemon

pytestmark = [pytest.mark.root, pytest.mark.interop]

SAMPLE = """\
# what every connection takes over
config setup
\tuniqueids=no

conn %default
\tkeyexchange=ikev1
\tauthby=secret
\tleft=%any
\tright=192.0.2.77

conn shared
\tesp=aes128-md5!
\trightauth=pubkey

conn first
\tike=aes256-sha512-modp4096!
\tesp="aes256-sha256"

conn old
\talso=shared
\tike=aes256-sha1-modp1024!   # only this
\taggressive=yes
\tauto=add

conn order
\talso=first
\talso=shared
\tauto=add

conn nested
\talso=order
\tkeyexchange=ikev2
\tike=aes128gcm16-prfsha256-x25519,
\tauto=add

conn taken-back
\talso=shared
\tesp=
\tkeyexchange=ike
\tsha256_96=yes
\tauto=route

conn never-loaded
\tike=des-md5-modp768!
"""


def said(log: str) -> dict[str, dict[str, str]]:
    """Connection → option → value, of what the daemon was told."""
    found: dict[str, dict[str, str]] = {}
    here: dict[str, str] = {}
    for line in log.splitlines():
        if match := re.search(r"\[CFG\] conn (\S+)$", line):
            here = found.setdefault(match[1], {})
        elif match := re.search(r"\[CFG\]   (\w+)=(.*)$", line):
            here[match[1]] = match[2]
    return found


def written(connection: Connection, ike: bool) -> str:
    """The proposals as the file spells them, with the mark of strictness."""
    offers = connection.offers if ike else connection.children[0].offers
    strict = "" if any(offer.implied for offer in offers) else "!"
    return ",".join(offer.text for offer in offers if not offer.implied) + strict


def test_the_starter_reads_the_same_out_of_a_configuration(tmp_path: Path) -> None:
    require(missing_prerequisite())
    with two_hosts() as hosts:
        daemon = StarterDaemon(hosts.local, tmp_path)
        (daemon.etc / "ipsec.conf").write_text(SAMPLE)
        (daemon.etc / "ipsec.secrets").write_text(": PSK 0sAAAA\n")
        daemon._log_levels["cfg"] = 2
        with daemon:
            deadline = time.monotonic() + 10
            while "added configuration 'taken-back'" not in daemon.log and time.monotonic() < deadline:
                time.sleep(0.02)
            theirs = said(daemon.log)
    ours = {connection.name: connection for connection in read_strongswan(SAMPLE).connections}
    assert set(ours) - set(theirs) == {"never-loaded"}
    for name, options in theirs.items():
        here = ours[name]
        assert written(here, ike=True) == options.get("ike", "").rstrip(","), name
        assert written(here, ike=False) == options.get("esp", ""), name
        version = options.get("keyexchange")  # not told where it is any
        assert here.ike_versions == (("2", "1") if version is None else (version[-1],)), name
        assert here.children[0].truncated_sha256 == (options["sha256_96"] == "yes")
        assert {method.method for method in here.authentication if method.side == "remote"} == {
            {"pubkey": "pubkey", "psk": "psk", "secret": "psk"}[options.get("rightauth", "pubkey")]
        }, name
    assert ours["old"].exchange is Exchange.AGGRESSIVE
