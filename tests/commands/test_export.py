"""``ipsecbench export`` as a user runs it: what it writes where, and what it refuses."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.commands.conftest import Run

EXAMPLE = Path(__file__).parents[2] / "datasets/example.ipsecbench.json"


def test_both_ends_are_written_with_keys_for_the_owner_only_and_nothing_is_overwritten(
    ipsecbench: Run, tmp_path: Path
) -> None:
    arguments = ("export", EXAMPLE, "--to", "swanctl", "--auth", "psk", "-o", "out")
    done = ipsecbench(*arguments)
    assert done.code == 0, done.err
    local = tmp_path / "out/local/swanctl/conf.d/ipsecbench.conf"
    peer = tmp_path / "out/peer/swanctl/conf.d/ipsecbench.conf"
    assert "local_addrs = 192.0.2.1\n" in local.read_text()
    assert "local_addrs = 198.51.100.1\n" in peer.read_text()
    for path in (local, peer):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Verify with: swanctl --list-sas" in done.out
    before = local.stat().st_mtime_ns
    assert "exists" in ipsecbench(*arguments).one_line_error(2)
    assert local.stat().st_mtime_ns == before
    assert ipsecbench(*arguments, "--force").code == 0
    assert stat.S_IMODE(local.stat().st_mode) == 0o600


def test_a_link_that_lies_in_the_way_is_not_followed(ipsecbench: Run, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out/swanctl/conf.d").mkdir(parents=True)
    (tmp_path / "out/swanctl/conf.d/ipsecbench.conf").symlink_to(victim)
    arguments = ("export", EXAMPLE, "--to", "swanctl", "--end", "local", "-o", "out")
    assert "exists" in ipsecbench(*arguments).one_line_error(2)
    assert ipsecbench(*arguments, "--force").code == 0
    assert victim.read_text() == "precious"


def test_one_end_is_printed_with_the_users_addresses(ipsecbench: Run) -> None:
    done = ipsecbench(
        "export", EXAMPLE, "--to", "swanctl@5.9.8", "--end", "local", "--name", "office", "--auth", "psk",
        "--local", "203.0.113.9", "--local-network", "10.8.0.0/24", "--local-network", "10.9.0.0/24",
        "--peer-address", "198.51.100.7", "--peer-network", "10.20.0.0/16", "--peer-id", "hq.example.net",
    )  # fmt: skip
    assert done.code == 0, done.err
    for line in (
        "  office {",
        "    local_addrs = 203.0.113.9",
        "      id = 203.0.113.9",
        "      id = hq.example.net",
        "        local_ts = 10.8.0.0/24, 10.9.0.0/24",
        "        remote_ts = 10.20.0.0/16",
        '    secret = "REPLACE-WITH-A-RANDOM-SECRET"',
    ):
        assert line in done.out.splitlines(), line


def test_each_refusal_is_one_line_and_the_exit_code_is_3(ipsecbench: Run) -> None:
    done = ipsecbench("export", EXAMPLE, "--to", "swanctl", "--policy", "article")
    assert done.code == 3
    assert done.out == ""
    lines = done.err.splitlines()
    assert len(lines) == 2
    assert any("modp1024" in line for line in lines)
    assert any("md5" in line for line in lines)
    accepted = ipsecbench("export", EXAMPLE, "--to", "swanctl", "--policy", "article", "--accept-legacy")
    assert accepted.code == 0
    assert "WARNING: modp1024" in accepted.out


def test_the_list_says_how_each_target_was_proven(ipsecbench: Run) -> None:
    done = ipsecbench("export", "--list")
    assert done.code == 0
    assert done.out == ipsecbench("export", "--to", "list").out
    assert any(line.split()[:2] == ["swanctl", "negotiated"] for line in done.out.splitlines())


def test_what_is_written_passes_the_gate_for_configurations(ipsecbench: Run, tmp_path: Path) -> None:
    """The policy that chose the parameters finds them in the file again, and nothing beside them."""
    for target, name in (
        ("swanctl", "swanctl/conf.d/ipsecbench.conf"),
        ("libreswan", "ipsec.d/ipsecbench.conf"),
    ):
        arguments = ("export", EXAMPLE, "--to", target, "--policy", "nist", "--end", "local", "-o", target)
        assert ipsecbench(*arguments).code == 0
        checked = ipsecbench("policy", "check", "--policy", "nist", tmp_path / target / name)
        assert checked.code == 0, checked.out


def test_bad_input_is_one_line(ipsecbench: Run) -> None:
    for arguments, message in (
        (("export",), "--to TARGET"),
        (("export", EXAMPLE, "--to", "openvpn"), "no target 'openvpn'"),
        (
            ("export", EXAMPLE, "--to", "swanctl", "--local", "2001:db8::1", "--peer-address", "2001:db8::2"),
            "--outer ipv6",
        ),
        (("export", EXAMPLE, "--to", "json", "--end", "local"), "leave --end out"),
        (("export", EXAMPLE, "--to", "swanctl", "-o", "/proc/nothing"), "cannot write"),
    ):
        assert message in ipsecbench(*arguments).one_line_error(2)


def test_a_product_gets_the_best_that_it_has_where_it_is_asked_for(ipsecbench: Run) -> None:
    refused = ipsecbench("export", EXAMPLE, "--to", "vyos")
    assert refused.code == 3
    assert "--for-product writes the best that VyOS 1.5 has by policy modern" in refused.err.splitlines()[-1]
    done = ipsecbench("export", EXAMPLE, "--to", "vyos", "--for-product", "--end", "local")
    assert done.code == 0, done.err
    assert "extended sequence numbers: off instead of on" in done.out
    assert done.err.count("\n") == 3
    plain = ipsecbench("export", EXAMPLE, "--to", "swanctl", "--for-product")
    assert (plain.out, plain.err) == (ipsecbench("export", EXAMPLE, "--to", "swanctl").out, "")


def test_where_a_policy_leaves_nothing_another_one_is_named(ipsecbench: Run) -> None:
    done = ipsecbench("export", EXAMPLE, "--to", "routeros", "--for-product")
    assert done.code == 3
    assert done.out == ""
    other, missing = done.err.splitlines()
    assert "policy nist leaves something that MikroTik RouterOS 7 has" in other
    assert "MikroTik RouterOS 7 does not have aes128gcm16" in missing
    assert ipsecbench("export", EXAMPLE, "--to", "routeros", "--for-product", "--policy", "nist").code == 0
