"""Garbage, huge lines, wrong types, nonsense sizes: one error each, and the agent goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.agent

LINE_BYTES_MAXIMUM = 262_144
SPEED = {"command": "speed", "provider": "libcrypto", "tier": "packet-loop", "operation": "outbound"}
GOOD_SPEED = {**SPEED, "algorithm": "aes128gcm16", "size_bytes": 64, "iterations": 5}
GOOD_COMPUTE = {
    "command": "compute",
    "provider": "libcrypto",
    "tier": "primitive",
    "operation": "encrypt",
    "algorithm": "aes128gcm16",
    "key": "00" * 16,
    "iv": "00" * 12,
    "aad": "",
    "input": "0011",
}

GARBAGE = [
    b"",
    b" ",
    b"\x00",
    b"\xff\xfe\x00",
    b"null",
    b"42",
    b'"text"',
    b"[]",
    b"{}",
    b"{",
    b'{"id":1',
    b'{"id":1,"command":"info"}}',
    b'{"id":1 "command":"info"}',
    b"{'id':1,'command':'info'}",
    b'{"id":1,"command":"info",}',
    b'{"id":NaN,"command":"info"}',
    b'{"id":null,"command":"info"}',
    b'{"id":true,"command":"info"}',
    b'{"id":{},"command":"info"}',
    b'{"command":"info"}',
    b'{"id":1}',
    b'{"id":1,"command":null}',
    b'{"id":1,"command":["info"]}',
    b'{"id":1,"command":"in\\u0000fo"}',
    b'{"id":1,"command":"info\x00"}',
    b'{"id":1,"command":"compute","key":"00\\u0000"}',
    b'{"id":1,"command":"\xc3\x28"}',
    b'{"id":1,"command":"info","command":"info"}',
    b'{"id":1,"id":2,"command":"info"}',
    b'{"id":1,"command":"info","extra":1}',
    b'{"id":1,"command":"INFO"}',
    b'{"id":1,"command":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    b"[" * 200_000,
    b'{"id":1,"x":[' + b"1," * 100_000 + b"1]}",
    b'{"id":"' + b"x" * 129 + b'","command":"info"}',
    b'{"id":' + b"1" * 129 + b',"command":"info"}',
]


def test_garbage(agent: Any) -> None:
    good = json.dumps({"id": "still here", "command": "clock", "milliseconds": 1}).encode()
    lines = [line for garbage in GARBAGE for line in (garbage, good)]
    answers = agent.ask_lines(lines)
    for garbage, answer in zip(GARBAGE, answers[::2], strict=True):
        assert (answer["type"], answer["code"]) == ("error", "usage"), garbage[:60]
        assert answer["message"]
    assert {answer["id"] for answer in answers[1::2]} == {"still here"}


def test_lines_that_are_too_long(agent: Any) -> None:
    spaces = b" " * (LINE_BYTES_MAXIMUM - len(b'{"id":1,"command":"nothing"}'))
    longest = b'{"id":1,"command":"nothing"' + spaces + b"}"
    assert len(longest) == LINE_BYTES_MAXIMUM
    answers = agent.ask_lines([longest, longest + b" ", b"x" * 3_000_000, b'{"id":2,"command":"nothing"}'])
    assert [answer["id"] for answer in answers] == [1, None, None, 2]
    assert "262144" in answers[1]["message"]
    assert "nothing" in answers[0]["message"]
    # A long line that never ends.
    result = agent.run(b"y" * 600_000)
    assert len(result.stdout.splitlines()) == 1
    assert result.returncode == 0


def refused(agent: Any, changed: list[dict[str, Any]], code: str = "usage") -> list[str]:
    """The messages, all of this code."""
    answers = agent.ask(changed)
    for order, answer in zip(changed, answers, strict=True):
        assert answer.get("code") == code, (order, answer)
    return [answer["message"] for answer in answers]


def test_nonsense_sizes(agent: Any) -> None:
    sizes: list[Any] = [0, -1, 65_536, 10**9, 2**32, 2**64, 10**30, 1.5, 1e3, "64", None, True, [64], {}]
    messages = refused(agent, [{**GOOD_SPEED, "size_bytes": size} for size in sizes])
    assert set(messages) == {"size_bytes: must be a whole number from 1 to 65535"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("iterations", [0, -1, 10**9 + 1, 2**64, "5", None, 0.5]),
        ("warmup", [-1, 10**9 + 1, "0"]),
        ("cores", [0, "0", [-1], [8192], ["0"], [[0]], [None], [0.5], {"0": 0}, list(range(1025))]),
        ("esn", [0, 1, "true", None]),
        ("replay_window", [0, 65_537, "64"]),
        ("mix", ["imix", 1, None, "imix-simple"]),
        ("exponent_bits", [0, -5, "x"]),
        ("tier", ["", "primitives", 5, "x" * 64, "x" * 100_000]),
        ("provider", ["", "openssl", None]),
        ("algorithm", ["", "aes", "aes128-", "-sha1", "aes128gcm16-sha1", "AES128GCM16", "aes128gcm16\n", 7]),
        ("operation", ["", "seal", "OUTBOUND", None, "authenticate "]),
        ("key", ["00"]),
        ("colour", ["blue"]),
    ],
)
def test_wrong_values(agent: Any, field: str, values: list[Any]) -> None:
    for message in refused(agent, [{**GOOD_SPEED, field: value} for value in values]):
        assert field in message


def test_missing_fields(agent: Any) -> None:
    for field in ("provider", "tier", "operation", "algorithm", "iterations", "size_bytes"):
        order = {name: value for name, value in GOOD_SPEED.items() if name != field}
        (message,) = refused(agent, [order])
        assert message.startswith(f"{field}: missing")


def test_operations_that_an_algorithm_has_not(agent: Any) -> None:
    primitive = {**GOOD_SPEED, "tier": "primitive"}
    refused(
        agent,
        [
            {**GOOD_SPEED, "operation": "encrypt"},
            {**primitive, "operation": "sign"},
            {**primitive, "algorithm": "sha1", "operation": "encrypt"},
            {**primitive, "algorithm": "twofish128", "operation": "encrypt"},
        ],
        "unsupported",
    )


def test_sizes_that_are_no_blocks(agent: Any) -> None:
    order = {**GOOD_SPEED, "tier": "primitive", "operation": "encrypt", "algorithm": "aes128", "size_bytes": 100}
    (message,) = refused(agent, [order])
    assert "multiple of 16" in message
    refused(agent, [{**GOOD_COMPUTE, "algorithm": "aes128", "iv": "00" * 16, "input": "00" * 17}])


def test_bad_hexadecimal(agent: Any) -> None:
    wrong: list[Any] = ["0", "0g", "0x00", " 00", "00 00", "\u0660\u0660", 0, None, ["00"], {}]
    orders = [{**GOOD_COMPUTE, field: octets} for field in ("key", "iv", "aad", "input") for octets in wrong]
    for order, message in zip(orders, refused(agent, orders), strict=True):
        changed = next(name for name in order if order[name] != GOOD_COMPUTE[name])
        assert message.startswith(f"{changed}: must be a string of hexadecimal digits")


def test_wrong_lengths(agent: Any) -> None:
    packet = {
        "command": "compute",
        "provider": "libcrypto",
        "tier": "packet-loop",
        "operation": "outbound",
        "algorithm": "aes128-sha1",
        "encryption_key": "11" * 16,
        "integrity_key": "22" * 20,
        "iv": "33" * 16,
        "spi": 1,
        "sequence": 1,
        "input": "44" * 20,
    }
    assert agent.ask([packet])[0]["type"] == "result"
    for field in ("encryption_key", "integrity_key", "iv"):
        value = str(packet[field])
        for wrong in ("", value[2:], value + "00", value * 100):
            (message,) = refused(agent, [{**packet, field: wrong}])
            assert message.startswith(field)
    refused(
        agent,
        [
            {**packet, "sequence": 0},
            {**packet, "sequence": 2**32},
            {**packet, "spi": 2**32},
            {**packet, "next_header": 256},
            {**packet, "input": "00" * 65_536},
            {**packet, "operation": "inbound", "replay": ["1"]},
            {**packet, "operation": "inbound", "replay": list(range(4097))},
            {**packet, "operation": "inbound", "sequence_high": 1},
            {**packet, "operation": "key-setup"},
            {name: value for name, value in packet.items() if name != "sequence"},
        ],
    )
    assert agent.ask([{**packet, "input": "00" * 65_535}])[0]["type"] == "result"
    # As large as an order can be, and no packet at all.
    inbound = {name: packet[name] for name in packet.keys() - {"iv", "sequence", "input"}} | {"operation": "inbound"}
    refused(agent, [{**inbound, "input": "00" * 130_000}, {**inbound, "input": ""}, inbound], "rejected")


def test_messages_are_one_line(agent: Any) -> None:
    answers = agent.ask([{**GOOD_SPEED, "algorithm": 'a"\n\\\u0007\u20ac'}, {**GOOD_SPEED, "x" * 200_000: 1}])
    for answer in answers:
        assert answer["code"] == "usage"
        assert len(answer["message"]) < 320


names = st.sampled_from(
    ["id", "command", "provider", "tier", "operation", "algorithm", "size_bytes", "mix", "iterations", "warmup",
     "cores", "esn", "replay_window", "exponent_bits", "key", "iv", "aad", "input", "encryption_key", "integrity_key",
     "spi",
     "sequence", "sequence_high", "next_header", "replay", "private", "peer_public", "public", "signature", "core"]
)  # fmt: skip
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 300),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(max_size=20),
        st.binary(max_size=80).map(bytes.hex),
        st.sampled_from(
            ["speed", "compute", "clock", "check", "libcrypto", "libgcrypt", "primitive", "packet-loop", "encrypt",
             "decrypt", "verify", "authenticate", "outbound", "inbound", "key-setup", "aes128gcm16", "aes128-sha1",
             "null-md5", "sha256", "chacha20poly1305", "imix-csit", "00" * 16, "00" * 20]
        ),
    ),
    lambda children: st.one_of(
        st.lists(children, max_size=4), st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=6,
)  # fmt: skip
random_orders = st.dictionaries(st.one_of(names, st.text(max_size=8)), values, max_size=12)
near_orders = st.builds(
    lambda base, changes: {**base, **changes}, st.sampled_from([GOOD_SPEED, GOOD_COMPUTE]), random_orders
)


def harmless(order: dict[str, Any]) -> dict[str, Any]:
    """The same, without hours of work."""
    limits = {"iterations": 1000, "warmup": 1000, "milliseconds": 5}
    return {
        name: value % limits[name] if name in limits and isinstance(value, int | float) else value
        for name, value in order.items()
    }


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(st.one_of(random_orders, near_orders), min_size=5, max_size=30))
def test_random_orders(agent: Any, orders: list[dict[str, Any]]) -> None:
    answers = agent.ask_lines([json.dumps(harmless(order)).encode() for order in orders])
    for answer in answers:
        assert answer["type"] in {"error", "sample", "result", "clock", "check", "info", "list"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    base=st.sampled_from([json.dumps({"id": 1, **order}).encode() for order in (GOOD_SPEED, GOOD_COMPUTE)]),
    changes=st.lists(st.tuples(st.integers(0, 400), st.binary(min_size=0, max_size=3)), min_size=1, max_size=6),
)
def test_mutated_orders(agent: Any, base: bytes, changes: list[tuple[int, bytes]]) -> None:
    line = bytearray(base)
    for position, octets in changes:
        line[position % len(line) : position % len(line) + 1] = octets.replace(b"\n", b"")
    (answer,) = agent.ask_lines([bytes(line).replace(b"\n", b"")])
    assert answer["type"] in {"error", "sample", "result"}
