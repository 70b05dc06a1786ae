#!/bin/sh
# Installs the Debian packages that some tests need. Without root, or on another system, says what is missing.
set -eu

needed=""
need() { needed="$needed $*"; }
command -v chromium >/dev/null 2>&1 || need chromium
ls /usr/lib/*/libgcrypt.so.20 >/dev/null 2>&1 || need libgcrypt20
case "$(uname -m)" in
x86_64) ls /usr/lib/*/libIPSec_MB.so.1 >/dev/null 2>&1 || need libipsec-mb1 ;;
esac
command -v openssl >/dev/null 2>&1 || need openssl
# The agents for other machines are emulated; perl is what OpenSSL is configured with for some of them.
command -v qemu-mips-static >/dev/null 2>&1 || need qemu-user-static
command -v readelf >/dev/null 2>&1 || need binutils
perl -MFile::Compare -MFindBin -e 1 2>/dev/null || need perl
# The laboratory: namespaces, the peer, captures.
for program in ip:iproute2 nft:nftables iptables:iptables ping:iputils-ping iperf3:iperf3 tshark:tshark setpriv:util-linux \
    strace:strace pki:strongswan-pki ssh:openssh-client; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${program%%:*}" >/dev/null 2>&1 || need "${program##*:}"
done
# The probe script: other shells, and what finds mistakes in shell scripts.
for program in busybox:busybox-static mksh:mksh yash:yash shellcheck:shellcheck; do
    command -v "${program%%:*}" >/dev/null 2>&1 || need "${program##*:}"
done
[ -x /usr/sbin/charon-systemd ] || need charon-systemd
# One plugin of each further package of strongSwan.
plugins=/usr/lib/ipsec/plugins/libstrongswan
for plugin in kernel-libipsec:libcharon-extra-plugins gcrypt:libstrongswan-extra-plugins \
    openssl:libstrongswan-standard-plugins vici:strongswan-swanctl; do
    [ -e "$plugins-${plugin%%:*}.so" ] || need "${plugin##*:}"
done
# The virtual machine with a kernel that has ESP: transport mode and extended sequence numbers with strongSwan.
kernel=/var/cache/ipsecbench/kernel
if [ "$(uname -m)" = x86_64 ]; then
    for program in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static modprobe:kmod; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${program%%:*}" >/dev/null 2>&1 || need "${program##*:}"
    done
    ls $kernel/boot/vmlinuz-* >/dev/null 2>&1 || needed="$needed kernel"
fi
# The parsers of other products, for the proofs of exported configuration and of what is read, and a scanner.
# libreswan's files are in the way of strongSwan's, and all of the former bring services: nothing of it is installed,
# only unpacked.
unpacked=/var/cache/ipsecbench/unpacked
# Servers of ssh, for boxes that are measured from afar, are unpacked too: nothing of them is ever started by the system.
for package in libreswan openiked strongswan-starter strongswan-charon ike-scan openssh-server dropbear-bin; do
    [ -d "$unpacked/$package" ] || needed="$needed unpacked:$package"
done
[ -z "$needed" ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "tests: not root on Debian, so these are not installed:$needed (tests that need them are skipped, or fail with CI=true)" >&2
    exit 0
fi

# strongSwan's package brings a service that would listen on UDP 500 and 4500 of this machine at once and after each
# boot. It is masked before it exists, and nothing is started while packages are installed, so that the daemons of the
# tests, in their namespaces, stay the only ones. A service that the machine's owner had before is not touched.
case "$needed" in *charon-systemd*) new_daemon=yes ;; *) new_daemon=no ;; esac
if [ $new_daemon = yes ] && command -v systemctl >/dev/null 2>&1 && ! systemctl cat strongswan.service >/dev/null 2>&1; then
    systemctl mask --quiet strongswan.service 2>/dev/null &&
        echo "tests: the service strongswan.service is masked, so that it never listens (undo: systemctl unmask strongswan)" >&2
fi
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
# tshark would ask whether users without root may capture; unasked, they may not.
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
packages=$(echo "$needed" | sed 's/ kernel\b//; s/ unpacked:[^ ]*//g')
# shellcheck disable=SC2086  a list of words
[ -z "$packages" ] || apt-get install -y -qq --no-install-recommends $packages >/dev/null
ls $kernel/boot/vmlinuz-* >/dev/null 2>&1 || case "$needed" in
*kernel*)
    # Debian's kernel is unpacked for the virtual machine and not installed: this machine's boot stays as it is.
    image=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download -qq "$image" 2>/dev/null && dpkg-deb -x "$image"_*.deb "$folder")
    PATH="$PATH:/usr/sbin:/sbin" depmod -b "$folder" "${image#linux-image-}"
    mkdir -p $kernel
    rm -rf $kernel/lib $kernel/boot
    cp -r "$folder/lib" "$folder/boot" $kernel/
    rm -rf "$folder"
    ;;
esac
for word in $needed; do
    case "$word" in unpacked:*) package=${word#unpacked:} ;; *) continue ;; esac
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x "$package"_*.deb "$folder/files")
    # Of what it depends on only the libraries, which start nothing, and only if one is missing.
    if find "$folder/files" -type f \( -name addconn -o -name algparse -o -name iked -o -name starter \
        -o -name sshd -o -name dropbear \) -exec ldd {} + |
        grep -q 'not found'; then
        libraries=$(dpkg-deb -f "$folder/$package"_*.deb Depends | tr ',|' '\n\n' | sed 's/(.*//; s/ //g' | grep '^lib')
        # shellcheck disable=SC2086  a list of words
        apt-get install -y -qq --no-install-recommends $libraries >/dev/null
    fi
    mkdir -p "$unpacked"
    mv "$folder/files" "$unpacked/$package"
    rm -rf "$folder"
done
