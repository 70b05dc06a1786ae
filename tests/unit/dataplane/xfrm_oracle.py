"""What iproute2 sends for the same SAs and policies: an implementation of the same messages that is not ours.

``python -m tests.unit.dataplane.xfrm_oracle`` writes tests/unit/dataplane/xfrm_octets.json anew, from strace's view of
``ip xfrm`` in a network namespace of its own. The octets are those of x86-64.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

OCTETS = Path(__file__).with_name("xfrm_octets.json")
_ENDS = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x101"
_KEY = "0x" + bytes(range(1, 65)).hex()


def _key(octets: int) -> str:
    return _KEY[: 2 + 2 * octets]


_GCM = f"aead rfc4106(gcm(aes)) {_key(20)} 128"
_CBC = f"auth-trunc hmac(sha256) {_key(32)} 128 enc cbc(aes) {_key(16)}"
CASES = {
    "combined mode, tunnel": f"state add {_ENDS} reqid 1 mode tunnel {_GCM} flag af-unspec",
    "two transforms, transport, selector": (
        f"state add {_ENDS} reqid 7 mode transport replay-window 32 {_CBC} "
        "sel src 192.0.2.1/32 dst 192.0.2.2/32 proto tcp dport 23"
    ),
    "NULL": (
        f"state add {_ENDS} reqid 1 mode tunnel flag af-unspec auth-trunc hmac(sha1) {_key(20)} 96 "
        "enc ecb(cipher_null) "
    ),
    "IPv6": (
        f"state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0xfffffffe reqid 4294967295 mode tunnel {_GCM} "
        "flag af-unspec"
    ),
    "ESN with a wide window": (
        f"state add {_ENDS} reqid 1 mode tunnel replay-window 4096 {_GCM} flag esn flag af-unspec"
    ),
    "wide window without ESN": f"state add {_ENDS} reqid 1 mode tunnel replay-window 100 {_GCM} flag af-unspec",
    "in UDP": (f"state add {_ENDS} reqid 1 mode tunnel {_GCM} encap espinudp 4500 61234 0.0.0.0 flag af-unspec"),
    "DF cleared, DSCP inside, lives": (
        f"state add {_ENDS} reqid 1 mode tunnel flag nopmtudisc flag af-unspec extra-flag dont-encap-dscp {_GCM} "
        "limit byte-soft 1000 limit byte-hard 2000 limit packet-soft 3 limit packet-hard 4 "
        "limit time-soft 50 limit time-hard 60"
    ),
    "new ports": (f"state update {_ENDS} reqid 1 mode tunnel {_GCM} encap espinudp 4500 61235 0.0.0.0 flag af-unspec"),
    "forget an SA": f"state delete {_ENDS}",
    "ask about an SA": f"state get {_ENDS}",
    "PROTECT, outbound, tunnel": (
        "policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 priority 1000 "
        "tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel"
    ),
    "PROTECT, inbound, transport, ports": (
        "policy add dir in src 192.0.2.2/32 dst 192.0.2.1/32 proto tcp sport 23 priority 5 "
        "tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 9 mode transport"
    ),
    "PROTECT, forwarded, IPv6": (
        "policy add dir fwd src 2001:db8:2::/64 dst 2001:db8:1::/48 priority 1000 "
        "tmpl src 2001:db8::2 dst 2001:db8::1 proto esp reqid 1 mode tunnel"
    ),
    "BYPASS": "policy add dir out src 10.9.0.0/16 dst 10.2.0.0/16 priority 1",
    "DISCARD": "policy add dir in src 0.0.0.0/0 dst 0.0.0.0/0 action block priority 4000",
    "another template": (
        "policy update dir out src 10.1.0.0/16 dst 10.2.0.0/16 priority 1000 "
        "tmpl src 192.0.2.1 dst 192.0.2.9 proto esp reqid 1 mode tunnel"
    ),
    "forget a policy": "policy delete dir out src 10.1.0.0/16 dst 10.2.0.0/16",
}
"""What is asked for → arguments of ``ip xfrm``."""


def recorded() -> dict[str, tuple[int, bytes]]:
    """Type and body of the message for each case, as ``ip`` sends it here and now. Needs root and strace."""
    found = {}
    for name, arguments in CASES.items():
        # A cipher without key is an empty argument; no other argument is empty.
        command = ["ip", "xfrm", *(word for word in re.split(" ", arguments))]
        traced = subprocess.run(
            ["unshare", "--net", "strace", "-xx", "-e", "trace=sendmsg", "-e", "abbrev=none", "-s", "8192", *command],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        match = re.search(r"iov_base=\[\{nlmsg_len=\d+, nlmsg_type=(\w+),[^}]*\}, \"([^\"]*)\"", traced.stderr)
        assert match, traced.stderr[-2000:]
        found[name] = (_TYPES[match[1]], bytes.fromhex(match[2].replace("\\x", "")))
    return found


_TYPES = {
    "XFRM_MSG_NEWSA": 0x10,
    "XFRM_MSG_DELSA": 0x11,
    "XFRM_MSG_GETSA": 0x12,
    "XFRM_MSG_NEWPOLICY": 0x13,
    "XFRM_MSG_DELPOLICY": 0x14,
    "XFRM_MSG_UPDPOLICY": 0x19,
    "XFRM_MSG_UPDSA": 0x1A,
}


def stored() -> dict[str, tuple[int, bytes]]:
    """The same from the file."""
    rows = json.loads(OCTETS.read_text(encoding="utf-8"))["messages"]
    return {row["what"]: (row["type"], bytes.fromhex(row["body"])) for row in rows}


def main() -> None:
    version = subprocess.run(["ip", "-V"], capture_output=True, text=True, check=True).stdout.strip()
    rows = [
        {"what": name, "command": f"ip xfrm {CASES[name]}", "type": kind, "body": body.hex()}
        for name, (kind, body) in recorded().items()
    ]
    text = json.dumps({"source": f"{version}, seen by strace on x86-64", "messages": rows}, indent=1)
    OCTETS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
