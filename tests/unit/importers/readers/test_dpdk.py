"""dpdk-test-crypto-perf: real output of release 22.11, and what other runs of it look like."""

from __future__ import annotations

import pytest

from ipsecbench.dataset.model import is_unfit
from ipsecbench.errors import DatasetError
from ipsecbench.importers.formats import import_text
from ipsecbench.importers.readers.dpdk_perf.options import asked_for, options_in
from ipsecbench.importers.text import text_of
from tests.unit.importers.reading import codes, data, dataset_of, datasets_of, figures, row

COMMAND = (
    "# command: dpdk-test-crypto-perf -l 1,2 -- --devtype crypto_qat --optype aead --aead-algo aes-gcm"
    " --aead-op decrypt --aead-key-sz 32 --digest-sz 8 --ptest throughput --csv-friendly\n"
)
CSV = (
    "#lcore id,Buffer Size(B),Burst Size,Enqueued,Dequeued,Failed Enq,Failed Deq,"
    "Ops(Millions),Throughput(Gbps),Cycles/Buf\n\n"
)


def test_throughput_as_it_is_printed() -> None:
    dataset = dataset_of(data("dpdk-throughput.txt"), "dpdk")
    assert figures(dataset) == {
        ("encrypt", "aes128gcm16", 64): ((2.3914, "Gbit/s"),),
        ("encrypt", "aes128gcm16", 1408): ((14.0033, "Gbit/s"),),
    }
    small = row(dataset, "encrypt", "aes128gcm16", 64)
    assert small.workload.provider == "dpdk-aesni_gcm"
    assert small.ns_per_operation is not None
    assert small.ns_per_operation.median == pytest.approx(1e3 / 4.6708, rel=1e-4)  # 4.6708 million a second
    assert {"result-unchecked", "gcm-per-record"} <= codes(dataset)


def test_a_cipher_and_a_mac_in_one_operation() -> None:
    dataset = dataset_of(data("dpdk-openssl.txt"), "dpdk")
    assert figures(dataset)["encrypt", "aes128-sha1", 1408] == ((0.9238, "Gbit/s"),)
    assert dataset.measurements[0].workload.provider == "dpdk-openssl"


def test_csv_says_neither_cipher_nor_direction() -> None:
    dataset = dataset_of(data("dpdk-throughput.csv"), "dpdk")
    assert figures(dataset)["encrypt", "unstated", 1408] == ((12.337, "Gbit/s"),)
    assert all(is_unfit(one) for one in dataset.measurements)
    assert dataset.measurements[0].workload.provider == "dpdk-aesni_gcm"  # EAL says which driver it made


def test_a_command_line_above_the_csv_says_it() -> None:
    dataset = dataset_of(COMMAND + CSV + "1,64,32,1000,1000,0,0,2.849,1.459,912.5\n", "dpdk")
    assert figures(dataset) == {("decrypt", "aes256gcm8", 64): ((1.459, "Gbit/s"),)}
    assert "offload-engine" in codes(dataset)
    assert not any(is_unfit(one) for one in dataset.measurements)


def test_semicolons_of_old_releases() -> None:
    dataset = dataset_of(COMMAND + CSV + "1;64;32;1000;1000;0;0;2.849;1.459;912.5\n", "dpdk")
    assert figures(dataset) == {("decrypt", "aes256gcm8", 64): ((1.459, "Gbit/s"),)}


def test_cores_at_once_are_one_figure() -> None:
    lines = "1,1000,32,50,50,0,0,1.000,8.000,2600\n2,1000,32,50,50,3,0,1.500,12.000,1733\n"
    dataset = dataset_of(COMMAND + CSV + lines, "dpdk")
    found = row(dataset, "decrypt", "aes256gcm8", 1000, cores=2)
    assert [one.value for one in found.published] == [20.0]
    assert found.detail["lines"] == [4, 5]
    assert "calls-refused" in found.flags


def test_the_more_exact_of_two_figures_is_taken() -> None:
    dataset = dataset_of(COMMAND + CSV + "1,64,32,50,50,0,0,0.1234,0.063,99\n", "dpdk")
    (figure,) = row(dataset, "decrypt", "aes256gcm8", 64).published
    assert figure.unit == "op/s"
    assert figure.value == pytest.approx(123400.0)


def test_contradictions_and_lost_operations_are_marked() -> None:
    dataset = dataset_of(COMMAND + CSV + "1,1000,32,50,49,0,0,1.000,9.000,26\n", "dpdk")
    assert {"inconsistent", "calls-fail"} <= set(dataset.measurements[0].flags)


def test_bursts_of_other_sizes_are_other_runs() -> None:
    lines = "1,1000,1,50,50,0,0,1.000,8.000,26\n1,1000,32,50,50,0,0,2.000,16.000,13\n"
    one, many = datasets_of(COMMAND + CSV + lines, "dpdk")
    assert (one.measurements[0].published[0].value, many.measurements[0].published[0].value) == (8.0, 16.0)


def test_latency_is_no_cost_of_a_packet() -> None:
    dataset = dataset_of(data("dpdk-latency.txt"), "dpdk")
    assert figures(dataset) == {
        ("encrypt-latency", "aes128gcm16", 64): ((1.443, "us/op"),),
        ("encrypt-latency", "aes128gcm16", 1408): ((22.509, "us/op"),),
    }
    assert row(dataset, "encrypt-latency", "aes128gcm16", 1408).detail["maximum_us"] == 8636.880
    assert "latency-of-burst" in codes(dataset)


def test_latencies_of_single_operations() -> None:
    dataset = dataset_of(data("dpdk-latency.csv"), "dpdk")
    (found,) = dataset.measurements
    assert found.workload.operation == "encrypt-latency"
    assert found.detail["operations"] == 128
    values = [one.value for one in found.published]
    assert values[1] <= values[0] <= values[2]


def test_cycles_need_the_rate_of_their_counter() -> None:
    text = data("dpdk-cyclecount.txt")
    with pytest.raises(DatasetError, match="cycles of a counter"):
        import_text(text)
    dataset = dataset_of(text_of(b"EAL: TSC frequency is ~2600000 KHz\n" + text.content.encode()), "dpdk")
    (figure,) = row(dataset, "encrypt-dequeue", "aes128gcm16", 1408).published
    assert figure.unit == "ns/op"
    assert figure.value == pytest.approx(2861 / 2.6)


@pytest.mark.parametrize(
    ("options", "operation", "algorithm"),
    [
        ("--optype cipher-only --cipher-algo aes-ctr --cipher-key-sz 32 --cipher-op decrypt", "decrypt", "aes256ctr"),
        ("--optype auth-only --auth-algo sha2-256-hmac --auth-op generate", "authenticate", "sha256"),
        (
            "--optype auth-then-cipher --cipher-algo aes-cbc --cipher-key-sz 16 --cipher-op decrypt"
            " --auth-algo sha1-hmac --auth-op verify",
            "decrypt",
            "aes128-sha1",
        ),
        (
            "--optype auth-then-cipher --cipher-algo 3des-cbc --cipher-key-sz 24 --cipher-op encrypt"
            " --auth-algo md5-hmac",
            "encrypt",
            "3des-md5-auth-then-cipher",
        ),
        ("--optype aead --aead-algo chacha20-poly1305 --aead-key-sz 32", "encrypt", "chacha20poly1305"),
        ("--optype modex", "modex", None),
    ],
)
def test_what_was_asked_for(options: str, operation: str, algorithm: str | None) -> None:
    asked = asked_for(options_in(f"# command: dpdk-test-crypto-perf -- {options}"))
    assert (asked.operation, asked.algorithm) == (operation, algorithm)


def test_a_check_of_results_has_no_rate() -> None:
    table = "    lcore id    Buf Size  Burst size    Enqueued    Dequeued  Failed Enq  Failed Deq  Failed Ops\n\n"
    with pytest.raises(DatasetError, match="no rate"):
        import_text(text_of((COMMAND + table + "1 64 32 100 100 0 0 0\n").encode()))
