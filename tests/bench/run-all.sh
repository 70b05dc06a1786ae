#!/bin/sh
# Prints every figure of docs/performance.md. Takes about an hour; run it on a quiet machine, and as root with
# strongSwan (make system) for the figures beside it: the scripts that need them say so and go on without.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python
for script in agent_overhead command_times recommend_time provider_overhead ike_breakdown ike_setup esp_throughput \
    esp_small_packets esp_many_sas esp_rekey esp_floods esp_recovery lab_prediction library_speed comparison_page repeatability; do
    echo "== $script"
    case $script in
    command_times) $python -m tests.bench.$script --runs ;;
    *) $python -m tests.bench.$script ;;
    esac
done
