#!/bin/sh
# Makes every report anew from its dataset. The argument is the ipsecbench to use.
set -eu
cd "$(dirname "$0")/.."
for dataset in datasets/*.ipsecbench.json; do
    name=$(basename "$dataset" .ipsecbench.json)
    "$1" report "$dataset" --output "reports/$name.html" --force
done
