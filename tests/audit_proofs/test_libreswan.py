"""libreswan's proposals mean to ``policy check`` what they mean to libreswan's own parser, ``algparse``."""

from __future__ import annotations

import re
import subprocess

import pytest

from ipsecbench.audit.libreswan_proposals import parse_offers
from ipsecbench.errors import UsageError
from tests.export_proofs.unpacked import program

pytestmark = pytest.mark.interop

HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}
WHOLE = {
    "3DES_CBC": ("3des",), "NULL": ("null",), "CHACHA20_POLY1305": ("chacha20poly1305",), "NONE": (),
    "AES_XCBC": ("prfaesxcbc",), "AES_XCBC_96": ("aesxcbc",), "AES_CMAC_96": ("aescmac",),
    "DH19": ("ecp256",), "DH20": ("ecp384",), "DH21": ("ecp521",), "DH31": ("x25519",),
}  # fmt: skip


def names(word: str) -> tuple[str, ...]:
    """What a word of algparse's output is called here; without a key length 128 and 256 bits are offered."""
    if word in WHOLE:
        return WHOLE[word]
    if match := re.fullmatch(r"HMAC_(MD5|SHA1|SHA2_(?:256|384|512))(_\d+)?", word):
        return (HASHES[match[1]] if match[2] else f"prf{HASHES[match[1]]}",)
    if match := re.fullmatch(r"(AES|CAMELLIA)_(CBC|CTR|GCM_\d+|CCM_\d+)(?:_(128|192|256))?", word):
        mode = match[2].lower().replace("_", "").replace("cbc", "")
        return tuple(f"{match[1].lower()}{bits}{mode}" for bits in ([match[3]] if match[3] else ["128", "256"]))
    return (word.lower(),)


def theirs(protocol: str, text: str) -> list[set[str]] | None:
    """The transforms of each proposal as libreswan reads it; None where it refuses."""
    parser = program("libreswan", "usr/libexec/ipsec/algparse")
    command = [str(parser), "-v2", "-pfs=yes", f"{protocol}={text}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode != 0:
        return None
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("\t")]
    return [{name for word in re.split(r"[-+;]", line) for name in names(word)} for line in lines]


def ours(protocol: str, text: str) -> list[set[str]] | None:
    try:
        offers = parse_offers(text, ike=protocol == "ike", version="2")
    except UsageError:
        return None
    return [{*offer.encryption, *offer.integrity, *offer.prf, *offer.key_exchange} for offer in offers]


@pytest.mark.parametrize(
    ("protocol", "text"),
    [
        ("ike", "aes_gcm256-sha2_512;dh19"),
        ("ike", "aes_gcm_16_128-sha2_256-dh20"),
        ("ike", "aes_gcm_c-256-sha2_384-ecp_521"),
        ("ike", "aes256-sha1;modp2048"),
        ("ike", "aes-128-sha2_256-modp3072"),
        ("ike", "aes-sha2;dh31"),
        ("ike", "aes+3des-sha2+sha1;modp4096+dh19"),
        ("ike", "aes256-sha1_96-sha2-dh21"),
        ("ike", "aes256-sha2_256+sha1_96-sha2_512;dh20"),
        ("ike", "aes_ctr256-sha2_512-dh14"),
        ("ike", "3des-sha1;modp1536,aes128-sha2;modp8192"),
        ("ike", "aes256-aes_xcbc-modp2048"),
        ("esp", "aes_gcm256"),
        ("esp", "aes_gcm_a-128-null"),
        ("esp", "aes_ccm_b-256-none;dh19"),
        ("esp", "aes128-sha2_512;dh19"),
        ("esp", "aes-sha1-modp2048"),
        ("esp", "3des-sha1"),
        ("esp", "aes256+aes128-sha2_512+sha2_256"),
        ("esp", "camellia256-sha2_384"),
        ("esp", "null-sha2_256"),
        ("esp", "aes256-aes_cmac"),
        ("esp", "chacha20_poly1305;dh31"),
    ],
)
def test_libreswan_reads_the_same_out_of_a_proposal(protocol: str, text: str) -> None:
    read, own = theirs(protocol, text), ours(protocol, text)
    assert read is not None
    assert own is not None
    assert len(own) == len(read)
    for mine, its in zip(own, read, strict=True):
        # Integrity transforms on the PRFs' own hashes are not shown.
        hidden = {name for name in mine - its if f"prf{name}" in its}
        assert mine - hidden == its


@pytest.mark.parametrize(
    ("protocol", "text"),
    [("ike", "aes-rot13"), ("ike", "sha1"), ("ike", "aes;modp2048;rot=13"), ("ike", "aes,,aes"), ("ike", "aes-"),
     ("esp", "aes333-sha1"), ("esp", "aes_gcm-md5"), ("esp", "aes-sha1-sha1"), ("esp", "aes_gcm+aes")],
)  # fmt: skip
def test_libreswan_refuses_the_same_proposals(protocol: str, text: str) -> None:
    assert theirs(protocol, text) is None
    assert ours(protocol, text) is None
