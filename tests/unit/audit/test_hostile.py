"""Text that somebody else wrote: whatever it is, it is read and judged, or refused in one line, and soon."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ipsecbench.audit.configuration import Format
from ipsecbench.audit.recognition import READERS, read
from ipsecbench.audit.verdict import judge
from ipsecbench.cli.policy import policy_app
from ipsecbench.cli.policy_screens import render_verdict, verdict_to_dict
from ipsecbench.errors import UsageError
from ipsecbench.recommend.policies.policy import POLICIES, load_policy

pytestmark = pytest.mark.slow

LOADED = [load_policy(name) for name in POLICIES]
SAMPLES = {
    Format.SWANCTL: "t { version = 1 }\nconnections { a : t { proposals = aes256-sha1-modp1024, default\n"
    "local { auth = psk\n} children { c { esp_proposals = 3des-md5\nlife_bytes = 5g\n} } } }\n",
    Format.STRONGSWAN: "conn %default\n keyexchange=ikev1\nconn a\n also=b\n ike=aes256-sha1-modp1024!\n auto=add\n"
    "conn b\n esp=des-md5,null-sha1\n aggressive=yes\n authby=psk\n",
    Format.LIBRESWAN: "conn a\n ikev2=no\n ike=aes+3des-sha1;modp1024,aes_gcm256-sha2;dh19\n phase2alg=aes-md5\n"
    " pfs=no\n",
    Format.IKE_SCAN: "192.0.2.1\tMain Mode Handshake returned HDR=(CKY-R=00) SA=(Enc=3DES Hash=MD5 Auth=PSK "
    "Group=2:modp1024 LifeType=Seconds LifeDuration(4)=0x00007080)\n192.0.2.2\tNotify message 14 (NO)\n",
    Format.PROPOSALS: "aes256-sha1-modp1024,aes128gcm16-prfsha256-x25519-ke1_mlkem768/aes128-md5,3des-sha1-esn",
}
BOUNDED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def try_it(text: str, wanted: Format | None) -> None:
    """Read and judge a text; only a one-line refusal may come of it."""
    try:
        configuration = read(text, wanted)
    except UsageError as error:
        said = str(error)
    else:
        said = ""
    if said:
        assert said.isprintable()
        return
    for policy in LOADED[::4]:
        verdict = judge(configuration, policy)
        assert render_verdict("x", verdict, policy)
        json.dumps(verdict_to_dict("x", verdict, policy))


@given(st.text(max_size=200), st.sampled_from([None, *Format]))
@BOUNDED
def test_any_text(text: str, wanted: Format | None) -> None:
    try_it(text, wanted)


@given(
    st.sampled_from(list(SAMPLES)),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 12), st.text('{}="#,;-+!:. \t\n\\aes1256gcmsha()%', max_size=6))
    ),
)
@BOUNDED
def test_samples_that_were_damaged(kind: Format, changes: list[tuple[int, int, str]]) -> None:
    text = SAMPLES[kind]
    for at, removed, added in changes[:8]:
        text = text[:at] + added + text[at + removed :]
    try_it(text, kind)
    try_it(text, None)


WORDS = st.lists(
    st.sampled_from(
        ("aes256", "aes128gcm16", "3des", "null", "sha1", "sha256", "prfsha384", "modp1024", "x25519", "none", "esn",
         "ke1_mlkem768", "!", "rot13")
    ),
    max_size=8,
)  # fmt: skip


@given(WORDS, WORDS)
@BOUNDED
def test_any_proposals(ike: list[str], esp: list[str]) -> None:
    try_it(f"{'-'.join(ike)}/{'-'.join(esp)}", None)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 500_000,
        "a { " * 100_000,
        "connections { " + "c { } " * 50_000,
        "connections {\n c {\n proposals = " + "aes128-sha1-modp1024, " * 40_000 + "\n} }",
        "x { p = "
        + "aes128-sha1-modp1024, " * 200
        + "\n}\nconnections { "
        + "".join(f"c{n} : x {{ }} " for n in range(20_000)),
        "conn a\n ike=" + "aes-" * 100_000,
        "conn a\n ike=" + "aes+" * 100_000 + ";modp2048",
        "conn a\n" + ' x="\n' * 50_000,
        "".join(f"conn c{n}\n also=c{n - 1}\n auto=add\n" for n in range(30_000)),
        "192.0.2.1\tMain Mode Handshake returned SA=(" + "(" * 300_000,
        "192.0.2.1 " * 50_000 + "Main Mode Handshake returned",
        " " * 500_000 + "{",
        "/" * 100_000,
        "-" * 100_000 + "/" + "," * 100_000,
    ],
    ids=range(14),
)
def test_what_is_made_to_take_long_does_not(text: str) -> None:
    begun = time.process_time()
    for wanted in (None, *READERS):
        try:
            configuration = read(text, wanted)
        except UsageError:
            continue
        judge(configuration, LOADED[0])
    assert time.process_time() - begun < 10


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", ""),
        ("check", "\0"),
        ("check", "x" * 5000),
        ("check", "/no/such/swanctl.conf"),
        ("check", "."),
        ("check", "aes256-sha1-modp1024", "--format", "cisco"),
        ("check", "aes256-sha1-modp1024", "--policy", "none"),
        ("check", "aes256-sha1-modp1024", "--format", "swanctl"),
        ("show", "none"),
        ("show", "/dev/null"),
    ],
    ids=range(10),
)
def test_arguments_that_make_no_sense_are_usage_errors(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(policy_app, list(arguments))
    assert isinstance(result.exception, UsageError), (result.exception, result.output)
    assert "\n" not in str(result.exception)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(b"\x89PNG\0\0")
    result = CliRunner().invoke(policy_app, ["check", str(path)])
    assert isinstance(result.exception, UsageError)
    assert "this is no text" in str(result.exception)
    path.write_bytes(b"conn a\n ike=aes256-sha1-modp1024!\n # M\xfcnchen\n auto=add\n")
    assert CliRunner().invoke(policy_app, ["check", str(path)]).exit_code == 3


@pytest.mark.parametrize(
    "text",
    [
        "connections { \x1b[31mred { local-\x9b { auth = eap-\x1b]0;title\x07\n } strange\x1b { } key\x1b = 1\n } }",
        "conn a\x1b[2J\n leftauth=eap-\x1b[2J\n also=\x1b[2J\n auto=add\n",
        "conn a\n ikev2=yes\n authby=\x1b[2J,null\n ah=\x1b[2J\n auto=add\n",
        "192.0.2.1\tMain Mode Handshake returned SA=(Enc=\x1b[2J Hash=\x1b[2J Auth=\x1b[2J Group=\x1b[2J)\n",
        "192.0.2.1\tNotify message 14 (\x1b[2J)\n",
        "aes256\x85-sha1-modp1024/aes128-sha1\x1c",
    ],
    ids=range(6),
)
def test_nothing_of_a_text_steers_the_terminal(text: str) -> None:
    configuration = read(text)
    verdict = judge(configuration, LOADED[0])
    shown = render_verdict("x", verdict, LOADED[0]).replace("\n", "")
    assert shown.isprintable(), [char for char in shown if not char.isprintable()]
    assert "\x9b" not in json.dumps(verdict_to_dict("x", verdict, LOADED[0]), ensure_ascii=False)
