"""The configuration file of an endpoint: what is read, and the one line for every mistake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ipsecbench.algorithms.proposals import parse_esp, parse_ike
from ipsecbench.dataplane.selection import PlaneChoice
from ipsecbench.errors import ConfigurationError
from ipsecbench.esp.configuration import Action, DontFragment, Layering
from ipsecbench.esp.mode import Mode
from ipsecbench.ike.configuration import AuthMethod
from ipsecbench.ike.identification import Identity, IdType
from ipsecbench.ike.lifetime import Limit
from ipsecbench.lab.endpoint_file import EndpointFile, read_endpoint_file
from ipsecbench.providers.certificates import PycaPublicKeyInfrastructure
from ipsecbench.secret import Secret

ARTICLE = """\
[endpoint]
port = 1500
natt_port = 1501

[connections.site]
version = 1
local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.2"]
proposals = ["aes256-sha1-modp1024"]
psk = "k2;2.6TbYl+{/qa"
rekey_time = 86400
dpd_delay = "30s"

[connections.site.local]
auth = "psk"
id = "alpha"

[connections.site.remote]
auth = "psk"
id = "beta@example.net"

[connections.site.children.net]
local_ts = ["10.1.0.0/16"]
remote_ts = ["10.2.0.0/16[tcp/23]"]
esp_proposals = ["aes128-md5"]
rekey_time = "12h"
life_bytes = 1100000
start_action = "start"
"""


def read(tmp_path: Path, text: str) -> EndpointFile:
    path = tmp_path / "endpoint.toml"
    path.write_text(text)
    return read_endpoint_file(path, PycaPublicKeyInfrastructure())


def test_a_file_is_read(tmp_path: Path) -> None:
    file = read(tmp_path, ARTICLE)
    configuration = file.configuration
    assert (configuration.port, configuration.natt_port) == (1500, 1501)
    assert configuration.own_addresses == ("192.0.2.1",)
    assert file.start == (("site", ("net",)),)
    (connection,) = configuration.connections
    assert connection.version == 1
    assert connection.proposals == (parse_ike("aes256-sha1-modp1024"),)
    assert connection.psk == Secret(b"k2;2.6TbYl+{/qa")
    assert connection.local.identity == Identity(IdType.ID_FQDN, b"alpha")
    assert connection.remote.identity == Identity(IdType.ID_RFC822_ADDR, b"beta@example.net")
    assert connection.local.method is AuthMethod.PSK
    assert connection.lifetime.seconds == Limit(86400, 95040, 8640)
    assert connection.dpd_seconds == 30
    (child,) = connection.children
    assert child.proposals == (parse_esp("aes128-md5"),)
    assert child.mode is Mode.TUNNEL
    assert str(child.remote_ts[0]) == "10.2.0.0/16[tcp/23]"
    assert child.lifetime.seconds is not None
    assert (child.lifetime.seconds.rekey, round(child.lifetime.seconds.life)) == (43200, 47520)
    assert child.lifetime.bytes is not None
    assert (round(child.lifetime.bytes.rekey), child.lifetime.bytes.life) == (1000000, 1100000)
    assert child.lifetime.packets is None


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("port = 1500", "prot = 1500", 2, "unknown key 'prot'"),
        ("dpd_delay", "dpd_dealy", 12, "unknown key 'dpd_dealy'"),
        ("aes256-sha1-modp1024", "aes512-sha1-modp1024", 9, "'aes512' is no transform"),
        ('["aes128-md5"]', '["aes128"]', 25, "needs an integrity transform"),
        ("10.1.0.0/16", "10.1.0.1/16", 23, "has host bits set"),
        ("10.1.0.0/16", "10.1.0.0/40", 23, "10.1.0.0/40"),
        ("192.0.2.1", "example.net", 7, "no IP address"),
        ("version = 1", "version = 3", 6, "from 1 to 2"),
        ("12h", "12 hours", 26, "must be a time"),
        ('"k2;2.6TbYl+{/qa"', "17", 10, "must be a text"),
        ('psk = "k2;2.6TbYl+{/qa"', "", 15, "needs a psk"),
        ('auth = "psk"\nid = "alpha"', 'auth = "pubkey"\nid = "alpha"', 14, "needs certs and key"),
        ('auth = "psk"\nid = "alpha"', 'auth = "eap"\nid = "alpha"', 15, "must be one of"),
        ('id = "alpha"', 'id = "alpha"\ncerts = "none.pem"', 17, "none.pem: No such file"),
        ("rekey_time = 86400", "rekey_time = 86400\nrand_time = 90000", 11, "do not fit"),
        ('remote_addrs = ["192.0.2.2"]', "", 5, "no remote_addrs to go to"),
        ("[connections.site]\n", "[connections.site\n", 5, "Expected"),
        ('local_addrs = ["192.0.2.1"]', 'local_addrs = "%any"', 7, "cannot be bound"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in ARTICLE
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, ARTICLE.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'endpoint.toml'}:{line}: "), message
    assert words in message
    assert "\n" not in message
    assert "k2;2.6" not in message
    assert caught.value.exit_code == 2


OTHER = """
[connections.other]
version = 2
local_addrs = ["192.0.2.1"]
remote_addrs = ["192.0.2.3"]
proposals = "aes128-sha256-x25519"
psk = "x"
[connections.other.local]
auth = "psk"
[connections.other.remote]
auth = "psk"
[connections.other.children.wide]
local_ts = "10.0.0.0/8"
remote_ts = "10.2.1.0/24"
esp_proposals = "aes128gcm16"
"""


def test_selectors_that_overlap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r":40: selectors overlap: net of site and wide of other both claim"):
        read(tmp_path, ARTICLE + OTHER)
    assert len(read(tmp_path, ARTICLE + OTHER.replace("10.2.1.0", "10.3.1.0")).configuration.connections) == 2


def test_two_ways_to_one_peer_may_claim_the_same(tmp_path: Path) -> None:
    both = ARTICLE + OTHER.replace("192.0.2.3", "192.0.2.2")
    assert [connection.version for connection in read(tmp_path, both).configuration.connections] == [1, 2]


@pytest.mark.parametrize("octets", [b"\xff\xfe", b"[" * 100_000, b"a = " + b"[" * 5000, b"x" * (1 << 20) + b"y", b""])
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "endpoint.toml"
    path.write_bytes(octets)
    with pytest.raises(ConfigurationError) as caught:
        read_endpoint_file(path, PycaPublicKeyInfrastructure())
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: No such file"):
        read_endpoint_file(tmp_path / "none.toml", PycaPublicKeyInfrastructure())


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=30)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
        *("-subj", "/CN=alpha", "-addext", "subjectAltName=DNS:alpha"),
        *("-keyout", str(tmp_path / "alpha.key"), "-out", str(tmp_path / "alpha.pem")),
    )
    return tmp_path / "alpha.pem"


def with_certificate(text: str) -> str:
    return text.replace(
        'auth = "psk"\nid = "alpha"', 'auth = "pubkey"\nid = "alpha"\ncerts = ["alpha.pem"]\nkey = "alpha.key"'
    )


def test_certificates_are_read_beside_the_file(tmp_path: Path, certificate: Path) -> None:
    local = read(tmp_path, with_certificate(ARTICLE)).configuration.connections[0].local
    assert local.private_key is not None
    assert local.private_key.key_type == "ecdsa-256"
    assert local.certificates[0].public_key.spki == local.private_key.public


def test_a_damaged_certificate_a_wrong_key_and_a_wrong_identity_are_named(tmp_path: Path, certificate: Path) -> None:
    with pytest.raises(ConfigurationError, match=r":16: the certificate does not confirm the identity gamma"):
        read(tmp_path, with_certificate(ARTICLE).replace('id = "alpha"', 'id = "gamma"'))
    openssl("genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "other.key"))
    with pytest.raises(ConfigurationError, match=r":18: the key is not that of the first certificate"):
        read(tmp_path, with_certificate(ARTICLE).replace("alpha.key", "other.key"))
    certificate.write_bytes(certificate.read_bytes()[:200])
    with pytest.raises(ConfigurationError, match=r":17: alpha\.pem: "):
        read(tmp_path, with_certificate(ARTICLE))


# ── data planes ──────────────────────────────────────────────────────────────────────────────────────────────────────

PLANE = ARTICLE.replace(
    "[endpoint]\n",
    '[endpoint]\ndataplane = "reference"\ntun = "ipsec3"\nmtu = 1300\npath_mtu = 1450\n'
    'tun_addrs = ["10.9.0.1/32"]\nreplay_window = 32\n',
)


def test_without_a_word_of_it_there_is_no_data_plane(tmp_path: Path) -> None:
    assert read(tmp_path, ARTICLE).data_plane is None
    assert read(tmp_path, PLANE.replace('"reference"', '"none"')).data_plane is None


def test_a_data_plane_is_read(tmp_path: Path) -> None:
    text = PLANE + 'copy_df = false\ncopy_dscp = "no"\ntfc_padding = "mtu"\n'
    plane = read(tmp_path, text).data_plane
    assert plane is not None
    assert (plane.choice, plane.tun_name, plane.mtu_bytes) == (PlaneChoice.REFERENCE, "ipsec3", 1300)
    assert plane.tun_addresses == ("10.9.0.1/32",)
    assert plane.traffic.path_mtu_bytes == 1450
    child = plane.traffic.of("site", "net")
    assert child.replay_window_packets == 32
    assert (child.dont_fragment, child.copy_dscp, child.tfc_bytes) == (DontFragment.CLEAR, False, 1300)
    assert child.layering is Layering.NONE


def test_the_tun_device_alone_asks_for_a_data_plane_and_a_child_has_the_last_word(tmp_path: Path) -> None:
    text = ARTICLE.replace("[endpoint]\n", '[endpoint]\ntun = "ipsec0"\ncores = [0, 1]\n') + "replay_window = 4096\n"
    plane = read(tmp_path, text).data_plane
    assert plane is not None
    assert (plane.choice, plane.cores) == (PlaneChoice.AUTO, (0, 1))
    assert plane.traffic.of("site", "net").replay_window_packets == 4096


def test_layering_and_shunts_are_read(tmp_path: Path) -> None:
    text = PLANE.replace('local_ts = ["10.1.0.0/16"]\nremote_ts = ["10.2.0.0/16[tcp/23]"]\n', 'mode = "transport"\n')
    text += 'layering = "gre"\nlayered_remote_ts = "10.2.0.0/16"\n'
    text += '[connections.site.children.lan]\nmode = "pass"\nlocal_ts = "10.1.0.0/16"\nremote_ts = "10.1.0.0/16"\n'
    text += '[connections.site.children.bad]\nmode = "drop"\nlocal_ts = "0.0.0.0/0"\nremote_ts = "10.66.0.0/16"\n'
    file = read(tmp_path, text)
    assert [child.name for child in file.configuration.connections[0].children] == ["net"]
    assert file.data_plane is not None
    traffic = file.data_plane.traffic
    assert traffic.of("site", "net").layering is Layering.GRE
    assert [str(each) for each in traffic.of("site", "net").layered_remote_ts] == ["10.2.0.0/16"]
    assert [(shunt.name, shunt.action) for shunt in traffic.shunts] == [
        ("lan", Action.BYPASS),
        ("bad", Action.DISCARD),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"reference"', '"fast"', 2, "must be one of auto, agent, reference, kernel, none"),
        ("mtu = 1300", "mtu = 67", 4, "from 68 to 65535"),
        ("10.9.0.1/32", "router", 6, "addresses with prefix lengths"),
        ("replay_window = 32", "replay_window = -1", 7, "from 0 to 65536"),
        ("replay_window = 32", "queues = 2\ncores = [1]", 7, "2 queues, but 1 cores"),
        ('start_action = "start"', 'layering = "gre"', 34, "goes over transport mode"),
        ('start_action = "start"', 'mode = "transport"\nlayering = "gre"', 35, "layered_remote_ts"),
        ('start_action = "start"', 'layered_remote_ts = "10.2.0.0/16"', 34, "need layering"),
        ('start_action = "start"', 'copy_dscp = "in"', 34, "not copied inwards"),
        ('start_action = "start"', "copy_ecn = false", 34, "RFC 6040"),
        ('start_action = "start"', "tfc_padding = true", 34, "whole number"),
        ('start_action = "start"', "hw_offload = true", 34, "unknown key 'hw_offload'"),
        ("10.1.0.0/16", "2001:db8:1::/48", 4, "an MTU of 1300"),
    ],
)
def test_a_mistake_about_traffic_is_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    text = PLANE.replace(old, new, 1)
    if "2001" in new:
        text = text.replace("mtu = 1300", "mtu = 1279").replace("10.2.0.0/16[tcp/23]", "2001:db8:2::/48")
        words = "an MTU of 1279 is too small for IPv6"
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'endpoint.toml'}:{line}: "), message
    assert words in message


def test_what_a_data_plane_does_needs_one(tmp_path: Path) -> None:
    shunt = '[connections.site.children.lan]\nmode = "pass"\nlocal_ts = "10.1.0.0/16"\nremote_ts = "10.1.0.0/16"\n'
    with pytest.raises(ConfigurationError, match='"pass" and "drop" need a data plane'):
        read(tmp_path, ARTICLE + shunt)
    layered = 'mode = "transport"\nlayering = "ipip"\nlayered_remote_ts = "10.2.0.0/16"\n'
    with pytest.raises(ConfigurationError, match="layering is the data plane's work"):
        read(tmp_path, ARTICLE + layered)
