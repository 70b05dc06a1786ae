#!/bin/sh
# Makes the folders that qemu-user sees as the root of another machine: its C library and its cryptographic libraries,
# below /var/cache/ipsecbench/sysroots. Needs root, Debian's apt and, for what Debian has not, zig (make agents).
#
#   glibc     aarch64, armv7, mipsel: Debian 12. riscv64: Debian 13, which brings OpenSSL 3.5 and libgcrypt 1.11.
#             mips: Debian's C library for cross-compilers; Debian has no libcrypto for it any more.
#   musl      x86_64, aarch64, armv7: Debian 12; riscv64: Debian 13; without libcrypto, except aarch64.
#   OpenWrt   mips, mipsel: musl with soft float, as OpenWrt has it and Debian has not, built from Debian's source; and
#   and its   for mips Debian's OpenSSL built as a library for musl, without assembler: no other machine has its byte
#   OpenSSL   order and a libcrypto. IPSECBENCH_CROSS_LIBCRYPTO=all builds it for mipsel and aarch64 with musl too,
#             which takes one to two minutes for each.
#
# The machine's own apt stays as it is: packages of other architectures are fetched with a state of their own, checked
# with Debian's keys, and only unpacked.
set -eu

roots=${SYSROOTS:-/var/cache/ipsecbench/sysroots}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}

# is_built NAME: whether OpenSSL is built for this root.
is_built() {
    case $1 in
    mips-musl) return 0 ;;
    mipsel-musl | aarch64-musl) [ "${IPSECBENCH_CROSS_LIBCRYPTO:-}" = all ] ;;
    *) return 1 ;;
    esac
}

missing=""
for name in x86_64-musl aarch64-glibc aarch64-musl armv7-glibc armv7-musl mips-glibc mips-musl mipsel-glibc mipsel-musl \
    riscv64-glibc riscv64-musl; do
    [ -e "$roots/$name/complete" ] || missing="$missing $name"
    if [ -e "$roots/$name/complete" ] && is_built "$name" && [ ! -e "$roots/$name/lib/libcrypto.so.3" ]; then
        missing="$missing $name"
    fi
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "tests: not root on Debian, so these roots of other machines are not made:$missing (tests that need them are skipped, or fail with CI=true)" >&2
    exit 0
fi
if ! zig_folder=$("$python" -c 'import ziglang; print(ziglang.__path__[0])' 2>/dev/null); then
    echo "tests: zig is not installed, so the roots of other machines are not made: make agents" >&2
    exit 0
fi

zig="$zig_folder/zig"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export ZIG_GLOBAL_CACHE_DIR="$work/zig" ZIG_LOCAL_CACHE_DIR="$work/zig"

# private_apt SUITE ARCHITECTURE KIND: an apt of its own in $work/apt; KIND is deb or deb-src.
private_apt() {
    state="$work/apt/$1-$2-$3"
    [ -d "$state" ] && return 0
    mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
    echo "$3 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$state/sources.list"
    cat >"$state/apt.conf" <<END
Dir::State "$state";
Dir::State::status "$state/status";
Dir::State::lists "$state/lists";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::parts "/dev/null";
APT::Architecture "$2";
APT::Architectures { "$2"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
END
    APT_CONFIG="$state/apt.conf" apt-get -qq update
}

# packages NAME SUITE ARCHITECTURE PACKAGE…: what these packages hold, as the root NAME.
packages() {
    target="$work/roots/$1"
    private_apt "$2" "$3" deb
    shift 3
    mkdir -p "$target" "$work/packages"
    (cd "$work/packages" && APT_CONFIG="$state/apt.conf" apt-get -qq download "$@" >/dev/null)
    for package in "$work/packages"/*.deb; do
        dpkg-deb -x "$package" "$target"
    done
    rm -rf "$work/packages" "$target/usr/share"
}

finish() {
    : >"$work/roots/$1/complete"
    mkdir -p "$roots"
    rm -rf "${roots:?}/$1"
    mv "$work/roots/$1" "$roots/$1"
    echo "tests: $roots/$1"
}

# source_of PACKAGE: Debian's source, as its authors released it, in $work/source/PACKAGE.
source_of() {
    [ -d "$work/source/$1" ] && return 0
    private_apt bookworm amd64 deb-src
    mkdir -p "$work/source/$1"
    (cd "$work/source" && APT_CONFIG="$state/apt.conf" apt-get -qq --download-only source "$1")
    tar -xf "$work/source/$1"_*.orig.tar.gz -C "$work/source/$1" --strip-components=1
}

logged() { "$@" >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; return 1; }; }

# soft_float_musl NAME ARCHITECTURE: a C library as OpenWrt's for MIPS.
soft_float_musl() {
    source_of musl
    build="$work/musl-$1"
    mkdir -p "$build" "$work/roots/$1/lib"
    # What musl needs of the compiler's own library: 64-bit division and floating point without instructions for it.
    logged "$zig" build-lib -target "$2-linux-musleabi" -mcpu mips32r2 -fPIC -OReleaseSmall \
        "-femit-bin=$build/compiler.a" "$zig_folder/lib/compiler_rt.zig"
    (
        cd "$build"
        logged "$work/source/musl/configure" --target="$2-linux-musleabi" --disable-static \
            CC="$zig cc -target $2-linux-musleabi -mcpu=mips32r2" CFLAGS="-Os -s" LIBCC="$build/compiler.a"
        logged make -j2 lib/libc.so
    )
    cp "$build/lib/libc.so" "$work/roots/$1/lib/"
    ln -s libc.so "$work/roots/$1/lib/ld-$(case $2 in mips) echo musl-mips-sf ;; *) echo musl-mipsel-sf ;; esac).so.1"
}

# libcrypto NAME ZIG-TARGET CPU KIND: OpenSSL's library for it if it is built; KIND is OpenSSL's name of such machines.
libcrypto() {
    is_built "$1" || return 0
    source_of openssl
    build="$work/openssl-$1"
    mkdir -p "$build" "$work/roots/$1/lib"
    (
        cd "$build"
        # Without assembler, and without atomics that zig's own library has not.
        logged "$work/source/openssl/Configure" "$4" shared no-asm no-async no-cmp no-cms no-ct no-dso no-dtls no-engine \
            no-module no-ocsp no-srp no-ssl no-tests no-tls no-ts no-ui-console \
            CC="$zig cc -target $2 -mcpu=$3" AR="$zig ar" RANLIB="$zig ranlib" CFLAGS="-O2 -DBROKEN_CLANG_ATOMICS -w -s"
        logged make build_generated
        logged make -j2 libcrypto.so
    )
    cp "$build/libcrypto.so.3" "$work/roots/$1/lib/"
    rm -rf "$build"
}

for name in $missing; do
    rm -rf "$work/roots/$name"
    case $name in
    aarch64-glibc) packages $name bookworm arm64 libc6 libssl3 libgcrypt20 libgpg-error0 ;;
    armv7-glibc) packages $name bookworm armhf libc6 libssl3 libgcrypt20 libgpg-error0 ;;
    mipsel-glibc) packages $name bookworm mipsel libc6 libssl3 libatomic1 libgcc-s1 libgcrypt20 libgpg-error0 ;;
    riscv64-glibc)
        packages $name trixie riscv64 libc6 libssl3t64 openssl-provider-legacy libgcrypt20 libgpg-error0 zlib1g libzstd1
        # Debian 13 has /lib in /usr.
        ln -sf usr/lib "$work/roots/$name/lib"
        ;;
    mips-glibc)
        packages $name bookworm amd64 libc6-mips-cross
        mv "$work/roots/$name/usr/mips-linux-gnu/lib" "$work/roots/$name/lib"
        ;;
    x86_64-musl) packages $name bookworm amd64 musl ;;
    armv7-musl) packages $name bookworm armhf musl ;;
    riscv64-musl)
        packages $name trixie riscv64 musl
        [ -e "$work/roots/$name/lib" ] || ln -s usr/lib "$work/roots/$name/lib"
        ;;
    aarch64-musl)
        packages $name bookworm arm64 musl
        libcrypto $name aarch64-linux-musl generic linux-aarch64
        ;;
    mips-musl | mipsel-musl)
        soft_float_musl $name "${name%-musl}"
        libcrypto $name "${name%-musl}-linux-musleabi" mips32r2 linux-generic32
        ;;
    esac
    finish $name
done
