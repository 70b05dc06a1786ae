# The files that say what a box is. $1: a word that nobody can guess, before every part of the answer.
# Files of one line are read without starting a program for each: a small router takes 10 ms to start one.
mark=$1
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
line() {
    for file in "$@"; do
        [ -f "$file" ] && [ -r "$file" ] || continue
        value=
        IFS= read -r value <"$file"
        printf '\n%s line %s\n%s' "$mark" "$file" "$value"
    done
}
whole() {
    for file in "$@"; do
        [ -f "$file" ] && [ -r "$file" ] || continue
        printf '\n%s file %s\n' "$mark" "$file"
        cat "$file"
    done
}
folder() {
    for file in "$@"; do
        [ -d "$file" ] && printf '\n%s folder %s\n' "$mark" "$file"
    done
}
link() {
    for file in "$@"; do
        [ -h "$file" ] || continue
        value=$(ls -ld "$file")
        printf '\n%s link %s\n%s' "$mark" "$file" "${value##* -> }"
    done
}
cpus=/sys/devices/system/cpu
whole /proc/cpuinfo /proc/crypto /proc/meminfo /proc/stat /proc/version /proc/sysinfo /proc/1/cgroup
line /proc/loadavg /proc/sys/kernel/arch /proc/sys/kernel/osrelease
whole /proc/device-tree/model /proc/device-tree/compatible /proc/device-tree/hypervisor/compatible
[ -d /proc/device-tree ] || whole /sys/firmware/devicetree/base/model /sys/firmware/devicetree/base/compatible
whole /etc/os-release /usr/lib/os-release /etc/openwrt_release /opt/vyatta/etc/version /etc/dd-wrt_version
whole /usr/local/opnsense/version/core /etc/platform
line /tmp/sysinfo/model /run/systemd/container /.dockerenv /run/.containerenv /sys/hypervisor/type
folder /proc/vz /proc/bc /sys/class/net
for name in sys_vendor board_vendor product_name board_name bios_vendor; do line /sys/class/dmi/id/$name; done
line $cpus/online $cpus/intel_pstate/no_turbo $cpus/cpufreq/boost
line $cpus/cpufreq/policy*/scaling_governor $cpus/cpufreq/policy*/scaling_driver
for cpu in $cpus/cpu[0-9]*; do
    line $cpu/topology/thread_siblings_list $cpu/topology/physical_package_id $cpu/topology/cluster_id
    line $cpu/topology/cluster_cpus_list $cpu/cpu_capacity $cpu/thermal_throttle/core_throttle_count
    line $cpu/cpufreq/cpuinfo_max_freq $cpu/cpufreq/base_frequency $cpu/cpufreq/scaling_cur_freq
done
line /sys/devices/cpu_core/cpus /sys/devices/cpu_atom/cpus /sys/devices/cpu_lowpower/cpus
line /sys/class/thermal/thermal_zone*/type /sys/class/thermal/thermal_zone*/temp
line /sys/class/hwmon/hwmon*/name /sys/class/hwmon/hwmon*/temp*_label /sys/class/hwmon/hwmon*/temp*_input
for supply in /sys/class/power_supply/*; do
    line "$supply/type" "$supply/online" "$supply/status" "$supply/capacity"
done
for port in /sys/class/net/*; do
    line "$port/type" "$port/speed"
    [ -e "$port/device" ] || continue
    folder "$port/device"
    whole "$port/device/uevent"
    link "$port/device/driver"
done
for place in /lib /lib64 /usr/lib /usr/lib64 /usr/local/lib /usr/local/lib64 /usr/local/ssl/lib /opt/openssl/lib; do
    if [ -h $place ]; then
        link $place
        continue
    fi
    folder $place
    for file in $place/libcrypto.so* $place/*-linux-*/libcrypto.so*; do
        [ -f "$file" ] || continue
        if [ -h "$file" ]; then
            link "$file"
        else
            printf '\n%s file %s\n' "$mark" "$file"
            grep -a -o -E 'OpenSSL [0-9]+\.[0-9]+\.[0-9]+[a-z]{0,2}[-+.A-Za-z0-9]* +[0-9]+ [A-Z][a-z]+ [0-9]{4}|LibreSSL [0-9]+\.[0-9]+\.[0-9]+' "$file"
        fi
    done
    for file in $place/ossl-modules/*.so $place/*-linux-*/ossl-modules/*.so; do
        [ -f "$file" ] && printf '\n%s file %s\n' "$mark" "$file"
    done
done
printf '\n%s end\n' "$mark"
