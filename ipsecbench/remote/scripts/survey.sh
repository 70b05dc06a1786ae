# What the box is; $1: a word that nobody can guess, before every part of the answer. Changes nothing.
mark=$1
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
say() { printf '\n%s %s\n' "$mark" "$1"; }
say system
uname -srm
say hostname
cat /proc/sys/kernel/hostname
say boot
cat /proc/sys/kernel/random/boot_id
say load
cat /proc/loadavg
say processors
cat /sys/devices/system/cpu/online
say shell
dd if=/proc/$$/exe bs=4096 count=1
say loaders
for loader in /lib/ld-* /lib64/ld-* /lib64/ld64.so* /lib/*/ld-linux*; do
    [ -e "$loader" ] && printf '%s\n' "$loader"
done
say mounts
cat /proc/mounts
say home
printf '%s\n' "$HOME"
for folder in /tmp /var/tmp /dev/shm "$HOME"; do
    [ -d "$folder" ] && [ -w "$folder" ] || continue
    say "free $folder"
    df -kP "$folder"
done
say end
