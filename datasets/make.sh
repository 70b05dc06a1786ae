#!/bin/sh
# Makes datasets/published anew from the texts that its sources published. Arguments: the ipsecbench to use, and a folder
# with the texts below sbc-bench/, chromabox/, lelegard/, lelegard-cryptobench/ and raw-netbenches/, each with the address
# and the licence in its first line ("# source: ADDRESS (LICENCE)").
set -eu
ipsecbench=$1
texts=$2
cd "$(dirname "$0")"
rm -rf published.new
for source in sbc-bench chromabox lelegard lelegard-cryptobench raw-netbenches; do
    folder=$(find "$texts" -type d -name "$source" | head -n 1)
    mkdir -p "published.new/$source"
    # Tables that put together what other files of the same source say are left out, and so is an emulated processor.
    find "$folder" -type f ! -name 'SUMMARY*' ! -name '*qemu*' | LC_ALL=C sort |
        xargs "$ipsecbench" import --into "published.new/$source" >/dev/null
done
mv published.new/raw-netbenches published.new/netbenches
mv published.new/lelegard-cryptobench published.new/cryptobench
for keep in README.md LICENCES.md; do
    [ ! -e "published/$keep" ] || cp "published/$keep" published.new/
done
rm -rf published
mv published.new published
