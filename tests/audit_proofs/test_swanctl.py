"""A swanctl.conf means to `policy check` what it means to strongSwan: the daemon's own log of what it loaded."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ipsecbench.audit.configuration import Child, Connection, Exchange, Offer
from ipsecbench.audit.swanctl import read_swanctl
from ipsecbench.lab import namespaces, strongswan
from ipsecbench.lab.namespaces import two_hosts
from ipsecbench.lab.strongswan import StrongSwan

pytestmark = [pytest.mark.root, pytest.mark.interop]

SAMPLE = """
# Templates stand outside of the connections and are referred to.
common {
  proposals = aes256-sha256-modp2048, 3des-sha1-modp1024   # two of them
  local { auth = psk
          id = "here # not a comment" }
  remote { auth = "psk" }
  children { inherited { esp_proposals = aes256gcm16-x25519-esn } }
}
short-lived { rekey_time = 0x10m }
connections {
  one : common, short-lived {
    version = 1
    aggressive = yes
    children {
      octal { esp_proposals = aes128-md5
              life_time = 010h
              life_bytes = 1g }
      defaults { }
      bypass { mode = pass }
      several { esp_proposals = aes128-aes256-sha256-sha384-ecp256-ecp384-noesn-esn, aes128ccm64-modpnone-modp3072 }
    }
  }
  two {
    reauth_time = 86400
    over_time = 1h
    proposals = aes256gcm-aes128gcm128-sha384-prfsha512-curve25519-ecp521,
    proposals = aes192ctr-sha2_512-aesxcbc-modp4096
    local-first { auth = pubkey }
    remote { auth = ike:rsa-3072-sha256 }
    children {
      packets { rekey_packets = 1000
                rekey_bytes = 500m
                esp_proposals = null-sha1, camellia-sha1-ecp256bp, chacha20poly1305-curve448, aes256gmac, blowfish-md5 }
      no-integrity { esp_proposals = aes256 }
      ah { ah_proposals = sha256-modp2048
           sha256_96 = yes }
    }
  }
  two {
    rekey_time = 30m
    children { packets { life_time = 2h } }
  }
  three : common {
    proposals =
    proposals = default
    rekey_time = 0
    over_time = 0
    children { forever { rekey_time = 0s
                         life_time = 0 } }
  }
}
"""

NAMES = {
    **{f"AES_CBC_{bits}": f"aes{bits}" for bits in (128, 192, 256)},
    **{f"AES_CTR_{bits}": f"aes{bits}ctr" for bits in (128, 192, 256)},
    **{f"AES_{mode}_{icv}_{bits}": f"aes{bits}{mode.lower()}{icv}"
       for mode in ("GCM", "CCM") for icv in (8, 12, 16) for bits in (128, 192, 256)},
    **{f"CAMELLIA_CBC_{bits}": f"camellia{bits}" for bits in (128, 192, 256)},
    **{f"CAMELLIA_CTR_{bits}": f"camellia{bits}ctr" for bits in (128, 192, 256)},
    **{f"CAMELLIA_CCM_{icv}_{bits}": f"camellia{bits}ccm{icv}" for icv in (8, 12, 16) for bits in (128, 192, 256)},
    **{f"NULL_AES_GMAC_{bits}": f"aes{bits}gmac" for bits in (128, 192, 256)},
    "CHACHA20_POLY1305": "chacha20poly1305", "3DES_CBC": "3des", "DES_CBC": "des", "NULL": "null",
    "BLOWFISH_CBC_128": "blowfish128", "HMAC_MD5_96": "md5", "HMAC_SHA1_96": "sha1", "HMAC_SHA2_256_128": "sha256",
    "HMAC_SHA2_384_192": "sha384", "HMAC_SHA2_512_256": "sha512", "AES_XCBC_96": "aesxcbc", "AES_CMAC_96": "aescmac",
    "HMAC_SHA2_256_96": "sha256_96", "HMAC_SHA1_160": "sha1_160", "HMAC_MD5_128": "md5_128",
    "PRF_HMAC_MD5": "prfmd5", "PRF_HMAC_SHA1": "prfsha1", "PRF_HMAC_SHA2_256": "prfsha256",
    "PRF_HMAC_SHA2_384": "prfsha384", "PRF_HMAC_SHA2_512": "prfsha512", "PRF_AES128_XCBC": "prfaesxcbc",
    "PRF_AES128_CMAC": "prfaescmac", "CURVE_25519": "x25519", "CURVE_448": "x448", "NO_EXT_SEQ": "noesn",
    "EXT_SEQ": "esn",
    **{f"MODP_{bits}": f"modp{bits}" for bits in (768, 1024, 1536, 2048, 3072, 4096, 6144, 8192)},
    **{f"ECP_{bits}": f"ecp{bits}" for bits in (192, 224, 256, 384, 521)},
    **{f"ECP_{bits}_BP": f"ecp{bits}bp" for bits in (224, 256, 384, 512)},
    "MODP_1024_160": "modp1024s160", "MODP_2048_224": "modp2048s224", "MODP_2048_256": "modp2048s256",
    "MODP_NONE": "none",
    "KE_NONE": "none",
}  # fmt: skip
"""What strongSwan's log calls a transform, and what a proposal does."""


@dataclass
class Loaded:
    """A connection as the log tells of it."""

    values: dict[str, str] = field(default_factory=dict)
    children: dict[str, dict[str, str]] = field(default_factory=dict)


def loaded(log: str) -> dict[str, Loaded]:
    found: dict[str, Loaded] = {}
    here: Loaded | None = None
    values: dict[str, str] = {}
    for line in log.splitlines():
        if match := re.search(r"\[CFG\]  conn (\S+):$", line):
            here = found[match[1]] = Loaded()
        elif here is not None and (match := re.search(r"\[CFG\]   child (\S+):$", line)):
            values = here.children.setdefault(match[1], {})
        elif here is not None and (match := re.search(r"\[CFG\]( {3,4})(\w+) = (.*)$", line)):
            (values if len(match[1]) == 4 else here.values)[match[2]] = match[3]
    return found


def transforms(text: str) -> list[tuple[str, set[str]]]:
    """Carrier and transforms of each proposal in a line of the log."""
    found = []
    for proposal in text.split(", "):
        carrier, _, names = proposal.partition(":")
        found.append((carrier.lower(), {NAMES.get(name, name) for name in names.split("/")}))
    return found


def read(offer: Offer) -> set[str]:
    esn = {"esn" if wanted else "noesn" for wanted in offer.esn}
    return {*offer.encryption, *offer.integrity, *offer.prf, *offer.key_exchange} | esn


def assert_same(offers: tuple[Offer, ...], said: str, what: str) -> None:
    theirs = transforms(said)
    assert len(offers) == len(theirs), what
    for ours in offers:
        carrier = "ike" if ours.prf else ours.carrier
        if ours.implied:
            # What a build has by default depends on its plugins: nothing that it has not, and no weak thing left out.
            both = next(names for kind, names in theirs if kind == carrier and len(read(ours) - names) == 0)
            assert all(name.startswith("camellia") for name in both - read(ours)), (what, both - read(ours))
        else:
            assert (carrier, read(ours)) in theirs, (what, ours.text, read(ours), theirs)


def assert_read_alike(connection: Connection, said: Loaded) -> None:
    values = said.values
    versions = ("2", "1") if values["version"] == "0" else (values["version"],)
    assert connection.ike_versions == versions
    if connection.exchange is not None:
        assert (connection.exchange is Exchange.AGGRESSIVE) == (values["aggressive"] == "1")
    seconds = max(int(values["rekey_time"]), int(values["reauth_time"]))
    assert connection.life.seconds == (seconds + int(values["over_time"]) if seconds else None), connection.name
    assert_same(connection.offers, values["proposals"], connection.name)
    real = {name: child for name, child in said.children.items() if child["mode"] not in ("PASS", "DROP")}
    assert [child.name for child in connection.children] == list(real)
    for child in connection.children:
        assert_child_read_alike(child, real[child.name])


def assert_child_read_alike(child: Child, values: dict[str, str]) -> None:
    limits = [
        int(values[f"life_{what}"]) or int(values[f"rekey_{what}"]) or None for what in ("time", "bytes", "packets")
    ]
    assert [child.life.seconds, child.life.bytes, child.life.packets] == limits, child.name
    assert child.truncated_sha256 == (values["sha256_96"] == "1")
    assert_same(child.offers, values["proposals"], child.name)


@pytest.fixture(scope="module")
def daemon() -> Iterator[StrongSwan]:
    for reason in (namespaces.missing_prerequisite(), strongswan.missing_prerequisite()):
        if reason:
            pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with two_hosts() as hosts, StrongSwan(hosts.local, log_levels={"cfg": 2}) as started:
        yield started


def load(daemon: StrongSwan, path: Path) -> tuple[str, str]:
    """What swanctl says, and the part of the daemon's log that tells of it."""
    before = len(daemon.log)
    command = ["swanctl", "--load-conns", "--file", os.fspath(path), "--uri", f"unix://{daemon.control_socket}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    deadline = time.monotonic() + 5
    while "disconnected" not in daemon.log[before:] and time.monotonic() < deadline:
        time.sleep(0.01)
    return done.stdout + done.stderr, daemon.log[before:]


def test_strongswan_reads_the_same_out_of_a_configuration(daemon: StrongSwan, tmp_path: Path) -> None:
    path = tmp_path / "swanctl.conf"
    path.write_text(SAMPLE)
    said, log = load(daemon, path)
    assert "successfully loaded 3 connections" in said, said
    theirs = loaded(log)
    ours = read_swanctl(SAMPLE).connections
    assert {connection.name for connection in ours} == set(theirs)
    for connection in ours:
        assert_read_alike(connection, theirs[connection.name])


@pytest.mark.parametrize(
    "proposals",
    [
        "aes512-sha256-modp2048",
        "aes256-modp2048",
        "aes256-sha256",
        "aes256-aes128gcm16-sha256-modp2048",
        "sha1-modp2048",
    ],
)
def test_strongswan_refuses_the_same_proposals(daemon: StrongSwan, tmp_path: Path, proposals: str) -> None:
    from ipsecbench.errors import UsageError

    text = f"connections {{\n  c {{\n    proposals = {proposals}\n  }}\n}}\n"
    path = tmp_path / "swanctl.conf"
    path.write_text(text)
    said, _ = load(daemon, path)
    assert "loading connection 'c' failed" in said, said
    with pytest.raises(UsageError, match=r"^line 3: proposals: "):
        read_swanctl(text)
