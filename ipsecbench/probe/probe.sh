#!/bin/sh
# ipsecbench probe: says on standard output what this box is and how fast its OpenSSL is.
#
#   sh probe.sh >box.probe            then, where ipsecbench is: ipsecbench import box.probe
#
# Needs a POSIX shell and nothing else; uses what is there. No root, no network, nothing written, no traffic.
# No host name, address or serial number is read. PROBE_SECONDS (or -s): longest time for measuring, default 60;
# 0 only describes. PROBE_OPENSSL: which openssl to measure. PROBE_PATH: where programs are, instead of the usual places. PROBE_FORCE=1: measure although the box is busy.

LC_ALL=C
export LC_ALL
PATH=${PROBE_PATH:-${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin}
budget=${PROBE_SECONDS:-60}
while [ $# -gt 0 ]; do
    case $1 in
    -s) budget=${2:-} && shift ;;
    *) echo "usage: sh probe.sh [-s SECONDS] >FILE" >&2 && exit 2 ;;
    esac
    [ $# -gt 0 ] && shift
done
case $budget in
'' | *[!0-9]* | ?????*) echo "probe: seconds must be a number from 0 to 9999" >&2 && exit 2 ;;
esac

if ! command -v printf >/dev/null; then echo "probe: this shell has no printf" >&2 && exit 1; fi
CR=$(printf '\r')
has() { command -v "$1" >/dev/null 2>&1; }

# Everything that is not ours begins with '|', so that no content can be taken for one of our own lines.
if has sed && has tr; then
    # shellcheck disable=SC2020  # both octets become line ends
    quoted() { tr '\000\r' '\n\n' | sed 's/^/|/'; }
else
    quoted() {
        while IFS= read -r text || [ -n "$text" ]; do
            case $text in *"$CR"*) text=${text%%"$CR"*} ;; esac
            printf '|%s\n' "$text"
        done
    }
fi

# What is copied by hand and cut can be told from what is whole: '=end' after each part, '=complete' at the end.
part() { printf '=%s\n' "$*"; }
usable() {
    case $1 in *[!A-Za-z0-9/._:@+,-]*) return 1 ;; esac
    [ -f "$1" ] && [ -r "$1" ]
}
file() { # of many lines: all but serial numbers, or what a second argument selects
    usable "$1" || return 0
    if has dd && has sed; then
        part file "$1"
        { dd if="$1" bs=1024 count=1024 2>/dev/null | sed ${2:+-n} "${2:-/^[Ss]erial/d}" && echo; } | quoted
    elif [ -z "${2:-}" ]; then
        part file "$1"
        while IFS= read -r text || [ -n "$text" ]; do
            case $text in [Ss]erial*) ;; *) printf '%s\n' "$text" ;; esac
        done <"$1" | quoted
        printf '|\n'
    else
        return
    fi
    part end
}
values() { # first lines of files, without starting a process
    for path; do
        usable "$path" || continue
        text=
        { IFS= read -r text <"$path" || [ -n "$text" ]; } 2>/dev/null || continue
        case $text in *"$CR"*) text=${text%%"$CR"*} ;; esac
        part value "$path" && printf '|%s\n' "$text"
    done
}
names() { # separated by octets of value 0
    if usable "$1" && has tr; then
        part names "$1"
        { tr '\000' '\n' <"$1" && echo; } | quoted
        part end
    fi
}

# Runs a command for at most so many seconds; its exit code is the last line.
run() {
    limit=$1
    shift
    part run "$*"
    { limited "$limit" "$@" 2>&1 </dev/null; printf '\n(exit %s)\n' $?; } | quoted
    part end
}
if timeout 5 true 2>/dev/null; then
    limited() { timeout "$@"; }
elif timeout -t 5 true 2>/dev/null; then # of an old busybox
    limited() { timeout -t "$@"; }
else
    limited() {
        limit=$1
        shift
        "$@" &
        child=$!
        ( # looks now and then whether it is still there
            while [ "$limit" -gt 0 ] && kill -0 $child; do
                sleep 3
                limit=$((limit - 3))
            done
            [ "$limit" -gt 0 ] || kill $child
        ) >/dev/null 2>&1 </dev/null &
        guard=$!
        wait $child
        code=$?
        { kill $guard && wait $guard; } 2>/dev/null
        return $code
    }
fi

now() { # seconds that pass evenly; empty where nothing tells
    seconds=
    { read -r seconds rest </proc/uptime; } 2>/dev/null
    seconds=${seconds%%.*}
    [ -n "$seconds" ] || seconds=$(date +%s 2>/dev/null)
    case $seconds in *[!0-9]*) seconds= ;; esac
}
condition() {
    part phase "$1"
    values /proc/loadavg /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq \
        /sys/class/thermal/thermal_zone*/temp /sys/class/hwmon/hwmon*/temp*_input \
        /sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count /proc/stat
}

describe() {
    has uname && run 5 uname -srm
    values /proc/sys/kernel/arch /proc/sys/kernel/osrelease /proc/version /tmp/sysinfo/model /etc/platform \
        /opt/vyatta/etc/version /usr/local/opnsense/version/core /etc/dd-wrt_version \
        /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/product_name /sys/class/dmi/id/board_vendor \
        /sys/class/dmi/id/board_name /sys/class/dmi/id/bios_vendor /sys/hypervisor/type /run/systemd/container
    for path in /etc/os-release /usr/lib/os-release /etc/openwrt_release /proc/cpuinfo /proc/crypto \
        /proc/meminfo; do file "$path"; done
    file /proc/sysinfo '/Control Program/p'
    has lscpu && run 5 lscpu
    for path in /proc/device-tree /sys/firmware/devicetree/base; do
        [ -r "$path/compatible" ] || continue
        names $path/model
        names $path/compatible
        break
    done
    values /sys/devices/system/cpu/online /sys/devices/cpu_*/cpus /sys/devices/system/cpu/cpu[0-9]*/cpu_capacity \
        /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list \
        /sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id \
        /sys/devices/system/cpu/cpu[0-9]*/topology/cluster_* \
        /sys/devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq \
        /sys/devices/system/cpu/cpu[0-9]*/cpufreq/base_frequency \
        /sys/devices/system/cpu/cpufreq/policy*/scaling_governor \
        /sys/devices/system/cpu/cpufreq/policy*/scaling_driver /sys/devices/system/cpu/cpufreq/boost \
        /sys/devices/system/cpu/intel_pstate/no_turbo /sys/class/thermal/thermal_zone*/type \
        /sys/class/hwmon/hwmon*/name /sys/class/hwmon/hwmon*/temp*_label \
        /sys/class/power_supply/*/type /sys/class/power_supply/*/online /sys/class/power_supply/*/status
    has sysctl && [ ! -r /proc/cpuinfo ] &&
        run 5 sysctl hw.model hw.machine hw.machine_arch hw.ncpu hw.physmem hw.cpuspeed dev.cpu.0.freq kern.osrelease
    file /var/run/dmesg.boot '/^CPU/p;/^cpu0:/p;/Origin *=/p;/Features/p;/Instruction Set/p'
    interfaces
    kernel
    programs
    libraries
}
interfaces() {
    for path in /sys/class/net/*; do
        values "$path/type" "$path/speed"
        [ -e "$path/device" ] || continue
        file "$path/device/uevent" '/^DRIVER=/p'
        has ethtool && run 5 ethtool -k "${path##*/}"
    done
}
kernel() {
    usable /proc/net/xfrm_stat && part xfrm
    if usable /proc/modules; then
        part modules
        while read -r text rest; do printf '|%s\n' "$text"; done </proc/modules
        part end
    fi
    if [ -r /proc/config.gz ] && has zcat && has sed; then
        part config
        zcat /proc/config.gz 2>/dev/null | sed -n '/^CONFIG_\(XFRM\|INET6*_\(ESP\|IPCOMP\)\|NET_KEY\|CRYPTO\|HZ\)/p' | quoted
        part end
    fi
}
programs() { # which software for VPNs there is, and in which version
    has swanctl && run 5 swanctl --version
    has ipsec && run 5 ipsec --version
    has ip && run 5 ip -V
    has wg && run 5 wg --version
    has openvpn && run 5 openvpn --version
    has opkg && run 20 opkg list-installed
    has busybox && part busybox "$(busybox 2>/dev/null | sed -n '1s/[^A-Za-z0-9. ()-]/ /gp;1q')"
}
libraries() {
    for folder in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /usr/local/lib64 /lib/*-linux-* /usr/lib/*-linux-*; do
        parent=${folder%/*}
        if [ -h "$folder" ] || [ -h "${parent:-$folder}" ]; then continue; fi # seen under its other name
        for path in "$folder"/libcrypto.so.*; do
            if ! usable "$path" || ! has grep; then continue; fi
            part library "$path"
            grep -a -o 'OpenSSL [0-9][0-9.]*[a-z]* *[0-9]* [A-Z][a-z][a-z] [12][0-9][0-9][0-9]' "$path" 2>/dev/null |
                { IFS= read -r text && printf '%s\n' "$text"; } | quoted
            part end
        done
        for path in "$folder"/ossl-modules/*.so; do usable "$path" && part module "$path"; done
    done
}

# Measuring. Each order is one run of one algorithm at one size for a second, the most telling first; what the time
# allows is repeated.
left() { # whether so many seconds are left
    now
    [ -n "$seconds" ] || seconds=$((started + used))
    [ $((seconds - started + $1)) -le "$budget" ] && [ $((used + $1)) -le "$budget" ]
}
speed() { # seconds that it takes, then the arguments
    cost=$1
    shift
    left "$cost" || return 1
    run $((cost * 2 + 10)) "$openssl" speed -mr -elapsed "$@"
    used=$((used + cost))
}
new_speed() { # size, then the algorithm
    size=$1
    shift
    speed 1 -seconds 1 -bytes "$size" "$@"
}
ciphers="aes-128-gcm aes-256-gcm chacha20-poly1305 aes-128-cbc aes-256-cbc"
hashes="sha256 sha1 sha512"
all_of_size() {
    for name in $ciphers; do new_speed "$1" -evp "$name" || return 1; done
    for name in $hashes; do new_speed "$1" "$hash_option" "$name" || return 1; done
}
measure_new() {
    hash_option=-evp
    case $help in *-hmac*val*) hash_option=-hmac ;; esac
    all_of_size 1408 && all_of_size 64 || return
    for name in ecdhx25519 ecdhp256 ecdhp384 ecdsap256 rsa2048 ffdh2048 ffdh3072; do
        cost=1
        case $name in ecdsa*) cost=2 ;; rsa*) cost=4 ;; esac
        case $name in ffdh*) case $help$version in *FFDH* | *"OpenSSL 3"* | *"OpenSSL 4"*) ;; *) continue ;; esac ;; esac
        speed $cost -seconds 1 $name || return
    done
    for size in 1408 64; do
        for name in $ciphers; do new_speed "$size" -decrypt -evp "$name" || return; done
    done
    all_of_size 512 && all_of_size 16384 || return
    while :; do all_of_size 1408 || return; done
}
measure_old() { # before OpenSSL 1.1.1, and LibreSSL: three seconds for each of five or six sizes, nothing to choose
    for name in aes-128-gcm aes-128-cbc sha256; do speed 18 -evp $name || return; done
    speed 20 rsa2048 && speed 10 ecdhp256 && speed 18 -decrypt -evp aes-128-gcm && speed 18 -evp aes-256-gcm
    speed 18 -evp sha1 && speed 18 -evp chacha20-poly1305 && speed 18 -evp aes-256-cbc
}
is_busy() { # more runs here than there are processors
    [ -r /proc/loadavg ] && [ "${PROBE_FORCE:-0}" != 1 ] || return 1
    { read -r load rest </proc/loadavg; } 2>/dev/null || return 1
    processors=0
    for path in /sys/devices/system/cpu/cpu[0-9]*; do [ -d "$path" ] && processors=$((processors + 1)); done
    [ "$processors" -gt 0 ] || processors=1
    load=${load%%.*}
    case $load in '' | *[!0-9]*) return 1 ;; esac
    [ "$load" -ge "$processors" ]
}
measure() {
    openssl=${PROBE_OPENSSL:-openssl}
    if ! has "$openssl"; then
        part skipped "no openssl program"
        return
    fi
    run 10 "$openssl" version -a
    [ "$budget" -gt 0 ] || return
    if is_busy; then
        part skipped "the box is busy: load $load on $processors processors; PROBE_FORCE=1 measures all the same"
        return
    fi
    version=$(limited 10 "$openssl" version 2>/dev/null </dev/null)
    help=$(limited 10 "$openssl" speed -help 2>&1 </dev/null)
    # Of the disk or kernel only what it says of itself; the rest of the time is OpenSSL's.
    [ "$budget" -ge 30 ] && has cryptsetup && run 20 cryptsetup benchmark -c aes-cbc -s 128
    case $help in
    *-bytes*) measure_new ;;
    *) measure_old ;;
    esac
}

part ipsecbench-probe 1
part date "$(date -u +%Y-%m-%dT%H:%M:%S 2>/dev/null)"
now
begun=${seconds:-0}
describe
condition before
now
started=${seconds:-0}
used=0
measure
condition after
now
part complete "$((${seconds:-0} - begun))"
