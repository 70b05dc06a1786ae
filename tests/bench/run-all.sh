#!/bin/sh
# Prints every figure of docs/performance.md. Takes about twenty minutes; run it on a quiet machine.
set -eu
cd "$(dirname "$0")/../.."
python=.venv/bin/python
for script in agent_overhead command_times provider_overhead repeatability; do
    echo "== $script"
    case $script in
    command_times) $python tests/bench/$script.py --runs ;;
    *) $python tests/bench/$script.py ;;
    esac
done
