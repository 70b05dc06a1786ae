"""The whole of `detect` over trees of files, hostile ones included."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipsecbench.errors import IpsecbenchError, MeasurementError, UsageError
from ipsecbench.hardware import Hardware, detect
from ipsecbench.hardware.features import Presence

DATA = Path(__file__).parents[2] / "data" / "hardware"

ARM = "processor\t: {}\nFeatures\t: fp asimd{}\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n\n"


def box(root: Path, cpuinfo: str | bytes, files: dict[str, str | bytes] | None = None) -> Path:
    for path, content in {"proc/cpuinfo": cpuinfo, **(files or {})}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def crypto(*drivers: tuple[str, str, int]) -> str:
    return "\n".join(
        f"name         : {name}\ndriver       : {driver}\npriority     : {priority}\nselftest     : passed\n"
        for name, driver, priority in drivers
    )


def warned(found: Hardware, words: str) -> bool:
    return any(words in warning for warning in found.warnings)


@pytest.mark.parametrize("content", [None, "", "\n\n  \n", b"\0\0\0", b"\xff" * 100, "hello\nworld\n"])
def test_a_proc_with_nothing_in_it_is_one_clear_line(tmp_path: Path, content: str | bytes | None) -> None:
    (tmp_path / "proc").mkdir()
    if content is not None:
        box(tmp_path, content)
    with pytest.raises(MeasurementError) as caught:
        detect(tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert f"{tmp_path}/proc/cpuinfo" in message
    assert caught.value.exit_code == 1


def test_a_root_that_is_not_a_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", box(tmp_path, "x") / "proc" / "cpuinfo"):
        with pytest.raises(UsageError, match="is not a directory"):
            detect(path)


def test_a_cpuinfo_with_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    found = detect(
        box(tmp_path, b"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: caf\xe9\nflags\t\t: fpu aes\n")
    )
    assert found.cpu.model == "caf\ufffd"
    assert found.cpu.features.functions["aes"] is Presence.PRESENT
    assert warned(found, "not UTF-8")


def test_unknown_is_said_everywhere_when_only_cpuinfo_is_there(tmp_path: Path) -> None:
    found = detect(box(tmp_path, ARM.format(0, " aes pmull sha1 sha2 crc32")))
    assert found.kernel_crypto is None
    assert found.nics is None
    assert found.libcryptos is None
    assert found.platform.kernel_release is None
    assert found.platform.machine is None
    assert found.platform.virtualisation.virtual_machine is Presence.UNKNOWN
    assert found.cpu.clusters is None
    assert not warned(found, "libcrypto")


def test_missing_libraries_and_providers_are_told(tmp_path: Path) -> None:
    cpuinfo = ARM.format(0, " aes")
    (tmp_path / "usr" / "lib").mkdir(parents=True)
    assert warned(detect(box(tmp_path, cpuinfo)), "no libcrypto was found")
    found = detect(box(tmp_path, cpuinfo, {"usr/lib/libcrypto.so.3": b"\0OpenSSL 3.5.4 30 Sep 2025\0"}))
    assert warned(found, "no legacy provider")


def test_an_engine_that_outranks_cpu_instructions_is_a_warning(tmp_path: Path) -> None:
    name = "rfc4106(gcm(aes))"
    listing = crypto((name, "safexcel-gcm-aes", 300), (name, "rfc4106-gcm-aes-ce", 200))
    found = detect(box(tmp_path, ARM.format(0, " aes pmull sha1 sha2 crc32"), {"proc/crypto": listing}))
    assert warned(found, "SafeXcel EIP97/EIP197 outranks CPU instructions for aes-gcm-16")
    assert [engine.status for engine in found.engines] == ["driver loaded"]


def test_an_engine_on_a_cpu_without_instructions_is_none(tmp_path: Path) -> None:
    listing = crypto(("authenc(hmac(sha1),cbc(aes))", "authenc(hmac(sha1-eip93),cbc(aes-eip93))", 1500))
    mips = "system type\t: MediaTek MT7621 ver:1 eco:3\nprocessor\t: 0\ncpu model\t: MIPS 1004Kc V2.15\n"
    found = detect(box(tmp_path, mips, {"proc/crypto": listing}))
    assert not warned(found, "outranks")
    assert [(engine.name, engine.status) for engine in found.engines] == [("EIP93", "driver loaded")]


def test_the_engine_of_a_chip_is_only_possible_without_its_driver(tmp_path: Path) -> None:
    mips = "system type\t: MediaTek MT7621 ver:1 eco:3\nprocessor\t: 0\ncpu model\t: MIPS 1004Kc V2.15\n"
    found = detect(box(tmp_path, mips, {"proc/crypto": crypto(("aes", "aes-generic", 100))}))
    assert [(engine.name, engine.status) for engine in found.engines] == [("EIP93", "possible, driver not seen")]


def test_generic_code_beside_cpu_instructions_is_a_warning(tmp_path: Path) -> None:
    x86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu aes{}\n"
    listing = crypto(("cbc(aes)", "cbc(aes-generic)", 100), ("hmac(sha256)", "hmac(sha256-generic)", 100))
    found = detect(box(tmp_path, x86.format(""), {"proc/crypto": listing}))
    assert warned(found, "load aesni_intel")
    assert not warned(found, "sha256_ssse3")
    found = detect(box(tmp_path, x86.format(" sha_ni"), {"proc/crypto": listing}))
    assert warned(found, "load sha256_ssse3")


def test_the_state_of_the_box_is_warned_about(tmp_path: Path) -> None:
    cpufreq = "sys/devices/system/cpu/cpufreq/policy0"
    files: dict[str, str | bytes] = {
        "sys/devices/system/cpu/online": "0\n", f"{cpufreq}/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "2000000\n",
        "sys/class/thermal/thermal_zone0/type": "cpu\n", "sys/class/thermal/thermal_zone0/temp": "90000\n",
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "5\n",
        "sys/class/power_supply/BAT0/type": "Battery\n", "sys/class/power_supply/BAT0/status": "Discharging\n",
        "proc/loadavg": "3.00 1.00 0.50 1/9 9\n", "proc/stat": "cpu  10 0 10 70 0 0 0 10\n",
    }  # fmt: skip
    found = detect(box(tmp_path, ARM.format(0, " aes"), files), lambda core: 1.0e9)
    expected = (
        "50 % below the claimed maximum", "governor ondemand", "cpu is at 90 degrees", "throttled 5 times",
        "hypervisor took 10.0%", "runs on its battery", "load average 3.0 on 1 processors",
    )  # fmt: skip
    assert [words for words in expected if not warned(found, words)] == []
    assert len(found.warnings) == len(expected)


def test_a_unit_that_is_kept_off_is_warned_about(tmp_path: Path) -> None:
    via = "processor\t: 0\nvendor_id\t: CentaurHauls\nmodel name\t: VIA Nano\nflags\t\t: fpu ace phe phe_en\n"
    assert warned(detect(box(tmp_path, via)), "the CPU has ace, but firmware or licence keeps it off")


def test_a_kernel_driver_settles_what_cpuinfo_leaves_open(tmp_path: Path) -> None:
    s390 = "vendor_id       : IBM/S390\n# processors    : 1\nfeatures\t: esan3 msa\n"
    assert detect(box(tmp_path, s390)).cpu.features.functions["aes"] is Presence.UNKNOWN
    listing = crypto(("cbc(aes)", "cbc-aes-s390", 402), ("sha256", "sha256-s390", 300))
    functions = detect(box(tmp_path, s390, {"proc/crypto": listing})).cpu.features.functions
    assert functions["aes"] is Presence.PRESENT
    assert functions["sha256"] is Presence.PRESENT
    assert functions["sha512"] is Presence.UNKNOWN


def test_a_kernel_driver_does_not_overrule_cpuinfo(tmp_path: Path) -> None:
    listing = crypto(("cbc(aes)", "cbc-aes-ce", 300))
    found = detect(box(tmp_path, ARM.format(0, " crc32"), {"proc/crypto": listing}))
    assert found.cpu.features.functions["aes"] is Presence.ABSENT


def test_hybrid_x86_core_types_are_named(tmp_path: Path) -> None:
    record = "processor\t: {}\nvendor_id\t: GenuineIntel\nmodel name\t: Core(TM) i5-1240P\nflags\t\t: fpu aes\n\n"
    found = detect(box(tmp_path, "".join(record.format(n) for n in range(6)), {
        "sys/devices/cpu_core/cpus": "0-3\n", "sys/devices/cpu_atom/cpus": "4-5\n",
        "sys/devices/system/cpu/online": "0-5\n",
    }))  # fmt: skip
    assert [(one.role, one.processors) for one in found.cpu.core_types] == [
        ("performance", (0, 1, 2, 3)), ("efficiency", (4, 5)),
    ]  # fmt: skip
    assert len(found.clocks) == 2


def test_big_little_roles_come_from_the_kernels_capacities(tmp_path: Path) -> None:
    text = (DATA / "cpuinfo" / "sbcbench-RK3588-5.10.66.txt").read_text(encoding="utf-8")
    cpu = "sys/devices/system/cpu"
    files: dict[str, str | bytes] = {f"{cpu}/online": "0-7\n"}
    for n in range(8):
        files[f"{cpu}/cpu{n}/topology/thread_siblings_list"] = f"{n}\n"
        files[f"{cpu}/cpu{n}/cpu_capacity"] = "530\n" if n < 4 else "1024\n"
    found = detect(box(tmp_path, text, files))
    assert [(one.name, one.role) for one in found.cpu.core_types] == [
        ("Cortex-A55", "efficiency"), ("Cortex-A76", "performance"),
    ]  # fmt: skip
    assert detect(box(tmp_path / "other", text)).cpu.core_types[0].role is None


def test_the_clock_is_measured_once_for_each_core_type(tmp_path: Path) -> None:
    text = (DATA / "cpuinfo" / "sbcbench-Qualcomm-Snapdragon-8-Gen-3.txt").read_text(encoding="utf-8")
    asked: list[int | None] = []
    detect(box(tmp_path, text), lambda core: asked.append(core))
    assert len(asked) == 3
    assert None not in asked


def test_the_dictionary_is_json_and_has_no_other_types(tmp_path: Path) -> None:
    text = (DATA / "cpuinfo" / "sbcbench-RK3588-5.10.66.txt").read_text(encoding="utf-8")
    listing = (DATA / "crypto" / "procfs-x86-aesni.txt").read_text(encoding="utf-8")
    data = detect(box(tmp_path, text, {"proc/crypto": listing}), lambda core: 1.8e9).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert list(data) == [
        "schema", "schema_version", "root", "cpu", "kernel_crypto", "engines", "nics", "libcryptos", "clocks",
        "platform", "condition", "warnings",
    ]  # fmt: skip
    assert data["cpu"]["features"]["functions"]["aes"] == "present"
    assert data["cpu"]["model"] == "4x Cortex-A55 + 4x Cortex-A76"


def test_nothing_that_identifies_a_box_is_read(tmp_path: Path) -> None:
    secret = "SECRET-77"
    arm = ARM.format(0, " aes") + f"Serial\t\t: {secret}\n"
    found = detect(box(tmp_path, arm, {
        "sys/class/dmi/id/product_serial": f"{secret}\n", "sys/class/dmi/id/board_serial": f"{secret}\n",
        "sys/class/dmi/id/product_uuid": f"{secret}\n", "etc/hostname": f"{secret}\n",
        "proc/sys/kernel/hostname": f"{secret}\n", "sys/class/net/eth0/address": f"{secret}\n",
        "proc/device-tree/serial-number": secret,
    }))  # fmt: skip
    assert secret not in json.dumps(found.to_dict())


def test_this_machine() -> None:
    found = detect()
    assert found.cpu.processors == len(os.sched_getaffinity(0)) or found.cpu.processors is not None
    assert found.platform.machine == os.uname().machine
    assert found.platform.kernel_release == os.uname().release
    assert found.condition.memory_total_bytes


FILES = ("proc/crypto", "proc/stat", "proc/version", "etc/os-release", "sys/class/thermal/thermal_zone0/temp",
         "sys/devices/system/cpu/online", "proc/device-tree/compatible", "usr/lib/libcrypto.so.3",
         "sys/devices/cpu_core/cpus", "proc/loadavg", "sys/class/net/eth0/speed", "proc/sysinfo")  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.lists(st.tuples(st.sampled_from(FILES), st.binary(max_size=200)), max_size=4))
def test_any_bytes_in_any_file_give_a_result_or_one_of_our_errors(
    tmp_path: Path, cpuinfo: bytes, files: list[tuple[str, bytes]]
) -> None:
    for prefix in (b"", b"processor\t: 0\nCPU implementer\t: 0x41\n"):
        root = box(tmp_path, prefix + cpuinfo, dict(files))
        message, data = "", {}
        try:
            data = detect(root).to_dict()
        except IpsecbenchError as error:
            message = str(error)
        assert "\n" not in message
        assert bool(message) != bool(data)
        json.dumps(data, allow_nan=False).encode()
