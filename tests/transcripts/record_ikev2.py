"""Records IKEv2 exchanges of strongSwan with itself, for the tests to replay.

``python -m tests.transcripts.record_ikev2 [--daemon PROGRAM] [NAME …]`` as root with strongSwan installed; writes
``ikev2/NAME.json``. Each file has the messages in their order, and the secrets in the order in which the first end
logged them. Scenarios with additional key exchanges need strongSwan 6, whose charon-systemd is then named.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ipsecbench.errors import LaboratoryError
from ipsecbench.ike.nat_traversal import NON_ESP_MARKER
from ipsecbench.lab.capture import Capture
from ipsecbench.lab.certificates import Credential, authority
from ipsecbench.lab.charon_log import logged_secrets
from ipsecbench.lab.namespaces import Host, Hosts, two_hosts
from ipsecbench.lab.strongswan import DAEMON, PLUGINS, StrongSwan, running

FOLDER = Path(__file__).parent / "ikev2"
PSK = "k2;2.6TbYl+{/qa"
PPK = "a post-quantum pre-shared key"
IDENTITIES = {"a": "alice@example.org", "b": "bob.example.org"}
WANTED = re.compile(
    r"shared Diffie Hellman secret|DH secret|(?:additional )?key exchange secret|SKEYSEED|Sk_\w+ secret|AUTH ="
    r"|IntAuth_N =|(?:encryption|integrity) (?:initiator|responder) key"
)
PAUSE_SECONDS = 0.4

SCENARIOS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "psk-aes128-sha256-x25519-rekeyed": {
            "ike": "aes128-sha256-x25519",
            "esp": "aes128-sha256-x25519",
            "orders": ("rekey child", "rekey ike", "peer rekeys child", "peer rekeys ike", "delete"),
        },
        "ecdsa-aes256gcm16-ecp256-fragmented": {
            "ike": "aes256gcm16-prfsha256-ecp256",
            "esp": "aes256gcm16-ecp256",
            "key": "ecdsa-256",
            "fragment_size": 500,
            "orders": ("rekey child", "delete"),
        },
        "rsa-aes128ctr-sha384-modp2048-fragmented": {
            "ike": "aes128ctr-sha384-modp2048",
            "esp": "aes128ctr-sha384-modp2048",
            "key": "rsa-2048",
            "fragment_size": 700,
            "orders": ("rekey ike", "delete"),
        },
        "rsa-without-rfc7427-3des-sha1-modp1024": {
            "ike": "3des-sha1-modp1024",
            "esp": "3des-md5",
            "key": "rsa-2048",
            "options": {"signature_authentication": False},
            "orders": ("delete",),
        },
        "ecdsa-without-rfc7427-camellia256-sha512-x448": {
            "ike": "camellia256-sha512-x448",
            "esp": "camellia256-sha512",
            "key": "ecdsa-384",
            "options": {"signature_authentication": False},
            "orders": ("peer rekeys ike", "delete"),
        },
        "ed25519-aes256ccm8-prfsha384-ecp384": {
            "ike": "aes256ccm8-prfsha384-ecp384",
            "esp": "aes256ccm8-ecp521",
            "key": "ed25519",
            "orders": ("peer rekeys child", "delete"),
        },
        "ed448-chacha20poly1305-prfsha512-ecp521": {
            "ike": "chacha20poly1305-prfsha512-ecp521",
            "esp": "chacha20poly1305",
            "key": "ed448",
            "orders": ("rekey ike", "delete"),
        },
        "psk-aesxcbc-modp3072": {
            "ike": "aes192-aesxcbc-prfaesxcbc-modp3072",
            "esp": "aes192-aesxcbc-modp3072",
            "orders": ("rekey child", "rekey ike", "delete"),
        },
        "psk-aescmac-ecp256bp": {
            "ike": "aes128-aescmac-prfaescmac-ecp256bp",
            "esp": "null-aescmac",
            "orders": ("rekey ike", "delete"),
        },
        "psk-ppk-blowfish256-md5-modp1536": {
            "ike": "blowfish256-md5-modp1536",
            "esp": "blowfish256-sha1",
            "ppk": True,
            "orders": ("rekey child", "rekey ike", "delete"),
        },
        "psk-x25519-mlkem768": {
            "ike": "aes128-sha256-x25519-ke1_mlkem768",
            "esp": "aes128-sha256-x25519-ke1_mlkem768",
            "strongswan": 6,
            "orders": ("rekey child", "rekey ike", "peer rekeys child", "peer rekeys ike", "delete"),
        },
        "psk-x25519-mlkem512-mlkem768": {
            "ike": "aes128-sha256-x25519-ke1_mlkem512-ke2_mlkem768",
            "esp": "aes128gcm16-x25519-ke1_mlkem512-ke2_mlkem768",
            "strongswan": 6,
            "orders": ("peer rekeys child", "rekey ike", "rekey child", "delete"),
        },
        "ecdsa-aes256gcm16-ecp384-mlkem1024-fragmented": {
            "ike": "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024",
            "esp": "aes256gcm16-ecp384-ke1_mlkem1024",
            "key": "ecdsa-384",
            "strongswan": 6,
            "fragment_size": 576,
            "orders": ("rekey child", "peer rekeys ike", "delete"),
        },
        "rsa-ppk-x448-mlkem768-fragmented": {
            "ike": "aes256ctr-sha512-x448-ke1_mlkem768",
            "esp": "chacha20poly1305-x448-ke1_mlkem768",
            "key": "rsa-2048",
            "ppk": True,
            "strongswan": 6,
            "fragment_size": 700,
            "orders": ("rekey ike", "rekey child", "delete"),
        },
        "psk-aesxcbc-ecp256-mlkem512-modp1024": {
            "ike": "aes128-aesxcbc-prfaesxcbc-ecp256-ke1_mlkem512-ke3_modp1024",
            "esp": "aes128-aesxcbc-modp1024-ke2_mlkem512-ke5_ecp256",
            "strongswan": 6,
            "orders": ("rekey ike", "rekey child", "delete"),
        },
        "psk-mlkem768-alone": {
            "ike": "aes128-sha256-mlkem768",
            "esp": "aes128-sha256-mlkem768",
            "strongswan": 6,
            "orders": ("rekey child", "peer rekeys ike", "delete"),
        },
    }
)


def _connection(hosts: Hosts, here: Host, there: Host, scenario: Mapping[str, Any]) -> dict[str, Any]:
    me, other = ("a", "b") if here is hosts.local else ("b", "a")
    auth = "pubkey" if "key" in scenario else "psk"
    ppk = {"ppk_id": "ppk@example.org", "ppk_required": True} if scenario.get("ppk") else {}
    return {
        "version": 2,
        "local_addrs": [here.ipv4],
        "remote_addrs": [there.outside],
        "proposals": [scenario["ike"]],
        # Otherwise the route to a new Child SA makes the daemon report its address, at any moment.
        "mobike": False,
        "local": {"auth": auth, "id": IDENTITIES[me]},
        "remote": {"auth": auth, "id": IDENTITIES[other]},
        "children": {
            "net": {
                "local_ts": [f"{here.inner_ipv4}/32"],
                "remote_ts": [f"{there.inner_ipv4}/32"],
                "esp_proposals": [scenario["esp"]],
            }
        },
        **ppk,
    }


def _load_credential(daemon: StrongSwan, credential: Credential) -> None:
    daemon.load_private_key(credential.private_key)
    daemon.load_certificate(credential.certificate)
    daemon.load_certificate(credential.root, authority=True)
    for certificate in credential.intermediates:
        daemon.load_certificate(certificate, authority=True)


def record(scenario: Mapping[str, Any], program: Path) -> dict[str, Any]:
    """Run one scenario; what comes out is the content of its file."""
    plugins = (*PLUGINS, "ml") if scenario.get("strongswan") == 6 else PLUGINS
    options = {**scenario.get("options", {}), "fragment_size": scenario.get("fragment_size", 1280)}
    levels = {"ike": 4, "chd": 4}
    with two_hosts() as hosts:
        local, peer = (
            StrongSwan(host, program=program, plugins=plugins, options=options, log_levels=levels)
            for host in (hosts.local, hosts.peer)
        )
        with running(local, peer), Capture(hosts.local) as capture:
            local.load("c", _connection(hosts, hosts.local, hosts.peer, scenario))
            peer.load("c", _connection(hosts, hosts.peer, hosts.local, scenario))
            for daemon, name in ((local, "a"), (peer, "b")):
                if "key" in scenario:
                    identity = IDENTITIES[name]
                    _load_credential(daemon, authority(scenario["key"]).issue(identity, common_name=identity))
                else:
                    daemon.load_shared_key(PSK)
                if scenario.get("ppk"):
                    daemon.load_shared_key(PPK, "ppk@example.org", kind="PPK")
            try:
                local.initiate("c", "net")
            except LaboratoryError as error:
                raise LaboratoryError(f"{error}: {local.log[-1500:]}\n---\n{peer.log[-1500:]}") from error
            for order in scenario["orders"]:
                time.sleep(PAUSE_SECONDS)
                daemon = peer if order.startswith("peer") else local
                if order.endswith("child"):
                    daemon.rekey_child("net")
                elif order.endswith("ike"):
                    daemon.rekey_ike("c")
                else:
                    daemon.terminate_ike("c")
            time.sleep(PAUSE_SECONDS)
            packets = capture.packets()
            secrets = [(name, value) for name, value in logged_secrets(local.log) if WANTED.match(name)]
            address = hosts.local.ipv4
            version = local.vici.request("version")["version"]
    messages = [message for packet in packets if (message := _message(packet, address)) is not None]
    return {
        "origin": f"strongSwan {version} against itself in two network namespaces; secrets from its log",
        "ike_proposal": scenario["ike"],
        "esp_proposal": scenario["esp"],
        "pre_shared_key": None if "key" in scenario else PSK,
        "ppk": PPK if scenario.get("ppk") else None,
        "identities": IDENTITIES,
        "orders": list(scenario["orders"]),
        "secrets": [{"name": name, "octets": value.hex()} for name, value in secrets],
        "messages": messages,
    }


def _message(packet: bytes, local: str) -> dict[str, str] | None:
    """The IKE message of an IPv4 packet, if there is one."""
    header_bytes = (packet[0] & 15) * 4
    if packet[9] != 17:
        return None
    ports = {int.from_bytes(packet[header_bytes + at : header_bytes + at + 2]) for at in (0, 2)}
    data = packet[header_bytes + 8 :]
    if 4500 in ports:
        if not data.startswith(NON_ESP_MARKER):
            return None
        data = data[len(NON_ESP_MARKER) :]
    source = ".".join(str(octet) for octet in packet[12:16])
    return {"from": "a" if source == local else "b", "octets": data.hex()}


def main() -> None:
    """Record the scenarios named, or all that the daemon is for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--daemon", type=Path, default=DAEMON, help="charon-systemd of strongSwan 6")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    for name, scenario in SCENARIOS.items():
        fits = ("strongswan" in scenario) == (arguments.daemon != DAEMON)
        if name in arguments.names or (not arguments.names and fits):
            document = record(scenario, arguments.daemon)
            (FOLDER / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
            print(name, len(document["messages"]), "messages", len(document["secrets"]), "secrets")


if __name__ == "__main__":
    main()
