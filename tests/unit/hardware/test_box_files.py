"""Clock, network, libcrypto, platform, condition and activity, from small trees of files."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsecbench.hardware.activity import Activity, read_activity
from ipsecbench.hardware.clock import ClockClaim, compare_clocks, read_clocks
from ipsecbench.hardware.condition import read_condition
from ipsecbench.hardware.cpu import parse_cpu
from ipsecbench.hardware.cpuinfo import parse_cpuinfo_records
from ipsecbench.hardware.features import Presence
from ipsecbench.hardware.libcrypto import find_libcryptos
from ipsecbench.hardware.nic import ESP_FEATURES, decode_features, read_nics
from ipsecbench.hardware.platform import kernel_version, read_platform
from ipsecbench.hardware.source import Source
from ipsecbench.hardware.topology import read_topology


def tree(root: Path, files: dict[str, str | bytes]) -> Source:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return Source(root)


# --- clock ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "claimed", "measured", "agrees", "words"),
    [
        ("maximum", 1_800_000_000, 1.79e9, True, "as claimed"),
        ("maximum", 1_800_000_000, 1.2e9, False, "33 % below the claimed maximum"),
        ("maximum", 1_800_000_000, 2.0e9, False, "above the claimed maximum"),
        ("nominal", 2_600_000_000, 3.2e9, True, "turbo"),
        ("nominal", 2_600_000_000, 2.0e9, False, "23 % below the nominal clock"),
        ("reported", 2_600_000_000, 2.6e9, True, "as claimed"),
        ("reported", 2_600_000_000, 3.5e9, True, "35 % above the reported clock"),
        ("maximum", 1_800_000_000, None, None, "not measured"),
        ("maximum", 1_800_000_000, 0.0, None, "not measured"),
        ("maximum", 1_800_000_000, float("inf"), None, "not measured"),
    ],
)
def test_clock_verdicts(kind: str, claimed: int, measured: float | None, agrees: bool | None, words: str) -> None:
    found = compare_clocks([ClockClaim(kind, claimed, "test")], measured)
    assert found.agrees is agrees
    assert words in found.verdict


def test_the_maximum_counts_before_other_claims() -> None:
    claims = [
        ClockClaim(kind, hz, "") for kind, hz in (("reported", 10**9), ("nominal", 2 * 10**9), ("maximum", 3 * 10**9))
    ]
    assert compare_clocks(claims, None).claimed_hz == 3 * 10**9
    assert compare_clocks((), 1e9).verdict == "no clock is claimed"
    assert compare_clocks((), None).verdict.startswith("unknown")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i5 CPU M 560  @ 2.67GHz\n"
         "cpu MHz\t\t: 1199.000\nflags\t\t: fpu\nbogomips\t: 5319.92\n",
         {("nominal", 2_670_000_000), ("reported", 1_199_000_000)}),
        ("processor\t: 0\nvendor_id\t: CentaurHauls\nmodel name\t: VIA Esther processor 1500MHz\nflags\t: fpu\n",
         {("nominal", 1_500_000_000)}),
        ("processor\t: 0\ncpu\t\t: POWER8 (raw), altivec supported\nclock\t\t: 2061.000000MHz\nrevision\t: 2.0\n",
         {("reported", 2_061_000_000)}),
        ("processor\t: 0\nhart\t: 0\nisa\t: rv64imafdc\ncpu-freq\t: 1.848Ghz\n", {("reported", 1_848_000_000)}),
        ("cpu\t\t: TI UltraSparc II\ncpucaps\t\t: v9\nCpu6ClkTck\t: 000000000ec82e00\n", {("nominal", 248_000_000)}),
        ("processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n", set()),
        ("processor\t\t: 0\nisa\t\t: loongarch64\nmodel name\t\t: Loongson-3A5000-H\nCPU MHz\t\t\t: 0.00\n", set()),
    ],
)  # fmt: skip
def test_claims_in_cpuinfo_never_come_from_bogomips(tmp_path: Path, text: str, claims: set[tuple[str, int]]) -> None:
    (clock,) = read_clocks(Source(tmp_path), parse_cpu(text), parse_cpuinfo_records(text), None)
    assert {(claim.kind, claim.hz) for claim in clock.claims} == claims


def test_one_processor_of_each_core_type_is_measured(tmp_path: Path) -> None:
    record = "processor\t: {}\nFeatures\t: fp asimd aes\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"
    text = "".join(record.format(n, "0xd05" if n < 4 else "0xd0b") for n in range(8))
    source = tree(tmp_path, {
        "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000\n",
        "sys/devices/system/cpu/cpu4/cpufreq/cpuinfo_max_freq": "2400000\n",
    })  # fmt: skip
    asked: list[int | None] = []

    def measure(core: int | None) -> float | None:
        asked.append(core)
        return 1.8e9

    little, big = read_clocks(source, parse_cpu(text), parse_cpuinfo_records(text), measure)
    assert asked == [0, 4]
    assert (little.core_type, little.comparison.agrees) == ("Cortex-A55", True)
    assert (big.core_type, big.comparison.agrees) == ("Cortex-A76", False)


# --- network cards -------------------------------------------------------------------------------------------------


def test_interfaces_below_another_root_have_unknown_offload(tmp_path: Path) -> None:
    source = tree(tmp_path, {
        "sys/class/net/lan1/speed": "1000\n", "sys/class/net/lan1/device/uevent": "DRIVER=mlx5_core\nPCI_ID=15B3\n",
        "sys/class/net/wan/speed": "-1\n", "sys/class/net/lo/type": "772\n", "sys/class/net/br0/type": "1\n",
    })  # fmt: skip
    (tmp_path / "sys/class/net/wan/device").symlink_to("../../../devices/gone")
    nics = {nic.name: nic for nic in read_nics(source) or ()}
    assert nics.keys() == {"lan1", "wan", "br0"}
    assert (nics["lan1"].driver, nics["lan1"].speed_mbit_per_second) == ("mlx5_core", 1000)
    assert (nics["wan"].driver, nics["wan"].speed_mbit_per_second, nics["wan"].is_virtual) == (None, None, False)
    assert nics["br0"].is_virtual
    assert {state for nic in nics.values() for state in nic.esp_features.values()} == {"unknown"}


def test_ethtool_feature_bits() -> None:
    names = [f"feature-{bit}" for bit in range(40)]
    names[3], names[33], names[35] = ESP_FEATURES
    low = struct.pack("=4I", 1 << 3, 1 << 3, 1 << 3, 0)
    high = struct.pack("=4I", 1 << 1, 0, 0, 1 << 3)  # bit 33 can be switched on, bit 35 never changes
    assert decode_features(names, low + high) == dict(zip(ESP_FEATURES, ("on", "off", "absent"), strict=True))
    assert decode_features(names, low) == {"esp-hw-offload": "on"}
    assert decode_features([], b"") == {}


def test_this_machine_answers_ethtool_or_says_unknown() -> None:
    for nic in read_nics(Source(Path("/"))) or ():
        assert set(nic.esp_features) == set(ESP_FEATURES)
        assert set(nic.esp_features.values()) <= {"on", "off", "absent", "unknown"}


# --- libcrypto -----------------------------------------------------------------------------------------------------


def library(version: str) -> bytes:
    return b"\x7fELF" + bytes(1000) + b"OpenSSL default\0" + version.encode() + b"\0" + bytes(1000)


def test_libcrypto_files_their_versions_and_modules(tmp_path: Path) -> None:
    source = tree(tmp_path, {
        "usr/lib/x86_64-linux-gnu/libcrypto.so.3": library("OpenSSL 3.0.19 27 Jan 2026"),
        "usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so": b"", "usr/lib/x86_64-linux-gnu/ossl-modules/fips.so": b"",
        "usr/local/lib/libcrypto.so.1.1": library("OpenSSL 1.1.1w  11 Sep 2023"),
        "opt/openssl/lib/libcrypto.so.4": library("OpenSSL 4.0.3 9 Jun 2026"),
        "usr/lib64/libcrypto.so.55": library("LibreSSL 4.0.0"), "usr/lib64/libcrypto.so.foo.": b"OpenSSL ",
        "usr/lib/libcrypto.a": library("OpenSSL 9.9.9 1 Jan 2030"),
    })  # fmt: skip
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/lib/x86_64-linux-gnu/libcrypto.so").symlink_to("libcrypto.so.3")
    found = {one.path: one for one in find_libcryptos(source) or ()}
    assert found.keys() == {
        "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/local/lib/libcrypto.so.1.1",
        "/opt/openssl/lib/libcrypto.so.4", "/usr/lib64/libcrypto.so.55", "/usr/lib64/libcrypto.so.foo.",
    }  # fmt: skip
    debian = found["/usr/lib/x86_64-linux-gnu/libcrypto.so.3"]
    assert (debian.soname, debian.version) == ("libcrypto.so.3", "OpenSSL 3.0.19 27 Jan 2026")
    assert debian.modules == ("fips", "legacy")
    old = found["/usr/local/lib/libcrypto.so.1.1"]
    assert (old.version, old.modules, old.lacks_legacy) == ("OpenSSL 1.1.1w  11 Sep 2023", None, False)
    new = found["/opt/openssl/lib/libcrypto.so.4"]
    assert (new.version, new.modules, new.lacks_legacy) == ("OpenSSL 4.0.3 9 Jun 2026", (), True)
    assert found["/usr/lib64/libcrypto.so.55"].version == "LibreSSL 4.0.0"
    assert found["/usr/lib64/libcrypto.so.foo."].version is None


# --- platform ------------------------------------------------------------------------------------------------------


def test_openwrt_router(tmp_path: Path) -> None:
    source = tree(tmp_path, {
        "etc/os-release": 'NAME="OpenWrt"\nVERSION_ID="25.12.0"\nID="openwrt"\nPRETTY_NAME="OpenWrt 25.12.0"\n',
        "proc/device-tree/model": b"MikroTik RouterBOARD 760iGS\0",
        "proc/device-tree/compatible": b"mikrotik,routerboard-760igs\0mediatek,mt7621-soc\0",
        "proc/version": "Linux version 6.12.63 (builder@buildhost) (mipsel-openwrt-linux-musl-gcc) #0 SMP\n",
    })  # fmt: skip
    found = read_platform(source, None)
    assert (found.operating_system, found.operating_system_id) == ("OpenWrt 25.12.0", "openwrt")
    assert found.device_model == "MikroTik RouterBOARD 760iGS"
    assert found.compatibles == ("mikrotik,routerboard-760igs", "mediatek,mt7621-soc")
    assert found.kernel_release == "6.12.63"
    assert kernel_version(found.kernel_release) == (6, 12)
    assert found.machine is None
    assert found.virtualisation.virtual_machine is Presence.UNKNOWN


@pytest.mark.parametrize(
    ("files", "flag", "presence", "hypervisor"),
    [
        ({"sys/class/dmi/id/sys_vendor": "QEMU\n"}, True, Presence.PRESENT, "QEMU"),
        ({"sys/class/dmi/id/sys_vendor": "VMware, Inc.\n"}, True, Presence.PRESENT, "VMware"),
        ({"sys/class/dmi/id/product_name": "VirtualBox\n"}, True, Presence.PRESENT, "VirtualBox"),
        ({"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"}, True, Presence.PRESENT, "Amazon EC2"),
        ({"sys/class/dmi/id/sys_vendor": "Microsoft Corporation\n",
          "sys/class/dmi/id/product_name": "Virtual Machine\n"}, True, Presence.PRESENT, "Hyper-V"),
        ({"sys/hypervisor/type": "xen\n"}, None, Presence.PRESENT, "Xen"),
        ({"proc/device-tree/compatible": b"linux,dummy-virt\0"}, None, Presence.PRESENT, "QEMU"),
        ({"proc/sysinfo": "Manufacturer: IBM\nVM00 Control Program: z/VM    6.2.0\n"}, None, Presence.PRESENT, "z/VM"),
        ({}, True, Presence.PRESENT, None),
        ({"sys/class/dmi/id/sys_vendor": "Protectli\n"}, False, Presence.ABSENT, None),
        ({}, None, Presence.UNKNOWN, None),
    ],
)  # fmt: skip
def test_virtual_machines(
    tmp_path: Path, files: dict[str, str | bytes], flag: bool | None, presence: Presence, hypervisor: str | None
) -> None:
    found = read_platform(tree(tmp_path, files), flag).virtualisation
    assert (found.virtual_machine, found.hypervisor) == (presence, hypervisor)


@pytest.mark.parametrize(
    ("files", "container"),
    [
        ({".dockerenv": ""}, "docker"),
        ({"run/.containerenv": ""}, "podman"),
        ({"run/systemd/container": "lxc\n"}, "lxc"),
        ({"proc/1/cgroup": "0::/kubepods/besteffort/pod1\n"}, "kubernetes"),
        ({"proc/1/cgroup": "0::/init.scope\n"}, None),
    ],
)
def test_containers(tmp_path: Path, files: dict[str, str | bytes], container: str | None) -> None:
    assert read_platform(tree(tmp_path, files), None).virtualisation.container == container


def test_makers_placeholders_are_not_a_model(tmp_path: Path) -> None:
    source = tree(tmp_path, {
        "sys/class/dmi/id/sys_vendor": "To Be Filled By O.E.M.\n", "sys/class/dmi/id/product_name": "Default string\n",
        "sys/class/dmi/id/board_vendor": "ASRock\n", "sys/class/dmi/id/board_name": "N3150B-ITX\n",
    })  # fmt: skip
    found = read_platform(source, False)
    assert (found.device_vendor, found.device_model) == ("ASRock", "N3150B-ITX")


def test_release_files_of_systems_without_os_release(tmp_path: Path) -> None:
    found = read_platform(
        tree(tmp_path, {"etc/openwrt_release": "DISTRIB_ID='OpenWrt'\nDISTRIB_DESCRIPTION='OpenWrt 12.09'\n"}), None
    )
    assert found.operating_system == "OpenWrt 12.09"
    assert found.operating_system_id is None


# --- topology and condition ----------------------------------------------------------------------------------------


def test_topology_of_two_clusters_and_threads(tmp_path: Path) -> None:
    cpu = "sys/devices/system/cpu"
    files: dict[str, str | bytes] = {f"{cpu}/online": "0-3\n"}
    for n in range(4):
        files[f"{cpu}/cpu{n}/topology/thread_siblings_list"] = "0-1\n" if n < 2 else "2-3\n"
        files[f"{cpu}/cpu{n}/topology/physical_package_id"] = "0\n"
        files[f"{cpu}/cpu{n}/topology/cluster_id"] = f"{n // 2}\n"
        files[f"{cpu}/cpu{n}/topology/cluster_cpus_list"] = "0-1\n" if n < 2 else "2-3\n"
    found = read_topology(tree(tmp_path, files))
    assert (found.online, found.cores, found.sockets, found.clusters) == ((0, 1, 2, 3), 2, 1, 2)
    assert read_topology(Source(tmp_path / "nowhere")).cores is None


def test_condition_of_a_small_board(tmp_path: Path) -> None:
    cpufreq = "sys/devices/system/cpu/cpufreq"
    source = tree(tmp_path, {
        f"{cpufreq}/policy0/scaling_governor": "schedutil\n", f"{cpufreq}/policy4/scaling_governor": "performance\n",
        f"{cpufreq}/policy0/scaling_driver": "cpufreq-dt\n", f"{cpufreq}/boost": "1\n",
        "sys/class/thermal/thermal_zone0/type": "soc-thermal\n", "sys/class/thermal/thermal_zone0/temp": "91500\n",
        "sys/class/thermal/thermal_zone1/temp": "-274000\n",
        "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
        "sys/class/power_supply/BAT0/type": "Battery\n", "sys/class/power_supply/BAT0/status": "Discharging\n",
        "sys/class/power_supply/BAT0/capacity": "80\n",
        "proc/loadavg": "1.50 0.80 0.10 1/100 999\n", "proc/meminfo": "MemTotal:  2048 kB\nMemAvailable:  1024 kB\n",
        "proc/stat": "cpu  100 0 100 700 50 0 0 50 0 0\ncpu0 1 1\n",
        "proc/self/status": "Name:\tx\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t2\n",
    })  # fmt: skip
    found = read_condition(source, (0, 1))
    assert found.governors == ("performance", "schedutil")
    assert found.has_varying_clock
    assert found.is_boost_on is True
    assert [(one.sensor, one.celsius) for one in found.temperatures] == [("soc-thermal", 91.5)]
    assert found.throttle_events == 3
    assert found.power_sources == ("battery discharging 80 %",)
    assert found.load_average == (1.5, 0.8, 0.1)
    assert (found.memory_total_bytes, found.memory_available_bytes) == (2048 * 1024, 1024 * 1024)
    assert found.steal_since_boot == pytest.approx(0.05)
    assert found.activity.involuntary_switches == 2


def test_a_governor_that_lets_the_hardware_choose_is_no_warning(tmp_path: Path) -> None:
    cpufreq = "sys/devices/system/cpu/cpufreq"
    source = tree(tmp_path, {
        f"{cpufreq}/policy0/scaling_governor": "powersave\n", f"{cpufreq}/policy0/scaling_driver": "intel_pstate\n",
        "sys/devices/system/cpu/intel_pstate/no_turbo": "1\n",
    })  # fmt: skip
    found = read_condition(source, (0,))
    assert not found.has_varying_clock
    assert found.is_boost_on is False


def test_hardware_monitors_where_there_is_no_thermal_zone(tmp_path: Path) -> None:
    source = tree(tmp_path, {
        "sys/class/hwmon/hwmon0/name": "k10temp\n", "sys/class/hwmon/hwmon0/temp1_input": "45250\n",
        "sys/class/hwmon/hwmon0/temp1_label": "Tctl\n", "sys/class/hwmon/hwmon0/fan1_input": "900\n",
    })  # fmt: skip
    assert [(one.sensor, one.celsius) for one in read_condition(source, ()).temperatures] == [("k10temp Tctl", 45.25)]


def test_nothing_readable_is_unknown(tmp_path: Path) -> None:
    found = read_condition(Source(tmp_path), (0, 1))
    assert found.governors == ()
    assert not found.has_varying_clock
    assert found.is_boost_on is None
    assert found.throttle_events is None
    assert found.load_average is None
    assert found.steal_since_boot is None
    assert found.activity == Activity(None, None, None, None, None)


# --- activity ------------------------------------------------------------------------------------------------------


def test_the_difference_of_two_snapshots(tmp_path: Path) -> None:
    before = read_activity(tree(tmp_path, {"proc/stat": "cpu  100 0 100 700 50 0 0 50 0 0\n"}))
    after = read_activity(tree(tmp_path, {"proc/stat": "cpu  150 0 100 720 50 0 0 80 0 0\n"}))
    change = after.since(before)
    # 100 ticks: 50 user, 20 idle, 30 stolen.
    assert change.steal_fraction == pytest.approx(0.3)
    assert change.busy_fraction == pytest.approx(0.8)
    assert change.involuntary_switches is None


def test_no_tick_between_two_snapshots_is_unknown(tmp_path: Path) -> None:
    one = read_activity(tree(tmp_path, {"proc/stat": "cpu  1 2 3 4 5 6 7 8\n"}))
    assert one.since(one).steal_fraction is None
    assert one.since(one).busy_fraction is None


@pytest.mark.parametrize("stat", ["", "cpu\n", "cpu 1 2 3\n", "cpu a b c d e f g h\n", "intr 1 2 3 4 5 6\n"])
def test_a_strange_stat_is_unknown(tmp_path: Path, stat: str) -> None:
    assert read_activity(tree(tmp_path, {"proc/stat": stat})).total_ticks is None


def test_kernels_that_do_not_count_steal(tmp_path: Path) -> None:
    found = read_activity(tree(tmp_path, {"proc/stat": "cpu  10 20 30 40\n"}))
    assert (found.total_ticks, found.idle_ticks, found.steal_ticks) == (100, 40, None)


@given(st.floats(allow_nan=True), st.lists(st.tuples(st.text(), st.integers(min_value=1, max_value=10**12))))
def test_any_clock_is_judged(measured: float, claims: list[tuple[str, int]]) -> None:
    found = compare_clocks([ClockClaim(kind, hz, "") for kind, hz in claims], measured)
    assert found.verdict
