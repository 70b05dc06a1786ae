#!/bin/sh
# Every test, in the order in which a failure is cheapest to find. Stops at the first group that fails.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

echo "== lint and types"
make --no-print-directory lint types

echo "== the agent: build, sanitised build, its own tests"
make --no-print-directory -C agent all sanitize
make --no-print-directory -C agent check

echo "== the agents for other machines, and what they run on (the first time ten minutes)"
PYTHONPATH=. $bin/python agent/cross/build.py --tests
sh tests/agent_cross/sysroots.sh

# What takes times, or counts on a processor of its own, runs alone.
alone="tests/agent tests/commands tests/proofs"
echo "== Python tests, one at a time"
# shellcheck disable=SC2086  a list of words
$bin/pytest -q --durations=10 $alone

# Two at a time: much of it waits for other programs. The tests of one file stay together, since they share peers,
# ports and what is dear to set up.
echo "== Python tests, two at a time"
ignored=$(for folder in $alone; do printf -- '--ignore=%s ' "$folder"; done)
# shellcheck disable=SC2086
exec $bin/pytest -q -n 2 --dist loadfile --durations=10 $ignored tests
