#!/bin/sh
# Makes every report anew from its dataset. The argument is the ipsecbench to use.
set -eu
cd "$(dirname "$0")/.."
own=datasets
for name in example lab epyc; do
    "$1" report "$own/$name.ipsecbench.json" --output "reports/$name.html" --force
done
"$1" report "$own/epyc.ipsecbench.json" "$own/epyc-no-aes.ipsecbench.json" --output reports/before-after.html --force
"$1" compare "$own/example.ipsecbench.json" "$own/epyc.ipsecbench.json" "$own/epyc-no-aes.ipsecbench.json" \
    "$own/published/chromabox" "$own/published/netbenches" \
    --rank --goal 500M --policy nist --security-cost --html reports/boxes.html --force >/dev/null
