#!/bin/sh
# Installs the Debian packages that some tests need. Without root, or on another system, says what is missing.
set -eu

needed=""
command -v chromium >/dev/null 2>&1 || needed="$needed chromium"
ls /usr/lib/*/libgcrypt.so.20 >/dev/null 2>&1 || needed="$needed libgcrypt20"
case "$(uname -m)" in
x86_64) ls /usr/lib/*/libIPSec_MB.so.1 >/dev/null 2>&1 || needed="$needed libipsec-mb1" ;;
esac
command -v openssl >/dev/null 2>&1 || needed="$needed openssl"
[ -z "$needed" ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086  a list of words
    apt-get install -y -qq --no-install-recommends $needed >/dev/null
else
    echo "tests: not root on Debian, so these are not installed:$needed (tests that need them are skipped, or fail with CI=true)" >&2
fi
